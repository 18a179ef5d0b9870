"""One tunnel, several connections: opened when load asks for it, and never to anybody's harm.

A delay relay makes the gateway far away, which is when a second connection helps on any machine.
"""

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time

import pytest

from lib.client import dial, exchange
from lib.gateway import program
from lib.ports import free_port
from lib.procs import Process, wait_until
from lib.servers.targets import BlackHole, digest, echo, flood, pattern

ROUND_TRIP_MS = 30


class Far:
    """The gateway's port, far away."""

    def __init__(self, folder, to_port):
        self.port = free_port()
        self.process = Process([program("tests/bench/far"), str(self.port), str(to_port),
                                str(ROUND_TRIP_MS * 500)], f"{folder}/far.log")
        self.process.wait_port(self.port)

    def stop(self):
        self.process.stop()


def cut(*socks):
    """Ends connections that may be at their end already; stop() closes them."""
    for s in socks:
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)


class Choice:
    """A relay that can hold single connections still: `held[n]` is set for the n-th."""

    def __init__(self, to_port):
        self.port, self._to = free_port(), to_port
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.socks, self.held = [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            still = threading.Event()
            self.held.append(still)
            self.socks += [near, far]
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b, still), daemon=True).start()

    @staticmethod
    def _pump(a, b, still):
        try:
            while data := a.recv(1 << 18):
                while still.is_set():
                    time.sleep(0.05)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            cut(a, b)

    def stop(self):
        self._listener.close()
        for still in self.held:
            still.clear()
        for s in self.socks:
            s.close()


@pytest.fixture
def far(folder, gateway):
    relay = Far(folder, gateway.port)
    yield relay
    relay.stop()


@pytest.fixture
def far_client(make_client, far):
    """Connected through the relay. Its forwards are made by `forward`."""
    client = make_client()
    client.keygen()
    client.gateway.add_user(client.user)
    client.register()
    client.set_server(f"127.0.0.1:{far.port}")
    client.configure("tunnel", idle="2s")
    return client


@pytest.fixture
def forward(gateway, far_client, target):
    made = []

    def make(behave, port=None):
        t = target(behave) if port is None else None
        local, name = free_port(), f"F{len(made)}"
        rule = gateway.add_rule("suzuki", name, f"127.0.0.1:{port or t.port}", local)
        made.append(rule)
        if len(made) == 1:
            far_client.connect()
        far_client.wait_forward(name)
        return local, t, rule
    return make


class Streams:
    """Endless downloads through a forward that targets `flood`."""

    def __init__(self, port):
        self.port, self.socks, self.taken, self.ends = port, [], [], []
        self.stopping = False

    def add(self, n=1):
        for _ in range(n):
            s = dial(self.port)
            self.socks.append(s)
            self.taken.append(0)
            self.ends.append(None)
            threading.Thread(target=self._read, args=(s, len(self.taken) - 1), daemon=True).start()
        return self

    def _read(self, s, i):
        try:
            while not self.stopping and (data := s.recv(1 << 18)):
                self.taken[i] += len(data)
            self.ends[i] = "end of data"
        except OSError as e:
            self.ends[i] = type(e).__name__

    def stop(self):
        self.stopping = True
        for s in self.socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


@pytest.fixture
def streams():
    made = []

    def make(port, n):
        made.append(Streams(port).add(n))
        return made[-1]
    yield make
    for s in made:
        s.stop()


def connections(gateway):
    listed = gateway.sessions()
    return listed[0]["connections"] if len(listed) == 1 else 0


def usable(client):
    return client.agent_call(op="info")["connections"]


def wait_connections(gateway, client, n, timeout=15):
    """Both ends agree: the client hears half a round trip later that one has joined."""
    wait_until(lambda: (connections(gateway), usable(client)) == (n, n), timeout, f"{n} connections", 0.1)


def test_load_far_away_opens_connections_and_they_carry_new_channels(gateway, far_client, forward,
                                                                     streams):
    flooded, _, _ = forward(flood)
    local, _, _ = forward(digest)
    load = streams(flooded, 3)
    wait_connections(gateway, far_client, 2)
    load.add(2)
    wait_connections(gateway, far_client, 3)
    session = gateway.sessions()[0]["id"]
    # Transfers of every size beside the load; whatever connection they take, every byte is right.
    data = pattern(7, 4 << 20)
    answers = []

    def transfer(n):
        answers.append(exchange(local, data[:n]) == hashlib.sha256(data[:n]).hexdigest().encode())
    threads = [threading.Thread(target=transfer, args=(n,)) for n in (0, 1, 70000, 1 << 20, 4 << 20) * 3]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [True] * 15
    assert len(gateway.sessions()) == 1 and gateway.sessions()[0]["id"] == session
    assert far_client.status()["state"] == "connected"
    assert 2 <= len(gateway.audit("tunnel-join", session=session)) <= 3
    load.stop()
    wait_connections(gateway, far_client, 1)  # what is not used any more is closed
    gateway.wait_audit("tunnel-leave", session=session)


def test_connection_that_nothing_new_came_for_is_not_opened_again(gateway, far_client, forward,
                                                                  streams):
    flooded, _, _ = forward(flood)
    load = streams(flooded, 3)
    wait_connections(gateway, far_client, 2)
    wait_connections(gateway, far_client, 1)
    taken = sum(load.taken)
    wait_until(lambda: sum(load.taken) > taken + (64 << 20), 30)
    time.sleep(1)  # several looks at the load
    assert len(gateway.audit("tunnel-join")) == 1
    load.add(1)
    wait_connections(gateway, far_client, 2)


def test_one_stream_keeps_one_connection(gateway, far_client, forward, streams):
    flooded, _, _ = forward(flood)
    load = streams(flooded, 1)
    wait_until(lambda: load.taken[0] > 64 << 20, 30)
    assert connections(gateway) == 1
    assert not gateway.audit("tunnel-join")


def test_setting_keeps_the_tunnel_to_one_connection(gateway, far_client, forward, streams):
    path = os.path.join(far_client.home, "config.ini")
    with open(path) as f:
        text = f.read().replace("[tunnel]", "[tunnel]\nconnections = 1")
    with open(path, "w") as f:
        f.write(text)
    flooded, _, _ = forward(flood)
    load = streams(flooded, 4)
    wait_until(lambda: sum(load.taken) > 128 << 20, 30)
    assert connections(gateway) == 1


def spread(gateway, far_client, flooded, streams):
    """A tunnel of two connections with busy channels on both; the load."""
    load = streams(flooded, 3)
    wait_connections(gateway, far_client, 2)
    load.add(3)
    wait_until(lambda: all(load.taken), 10)
    return load


# What pra-admin is told.
CUTS = {
    "rule": (lambda g, c, rule: ("rule", "delete", str(rule))),
    "key": (lambda g, c, rule: ("key", "revoke", c.key_fingerprint())),
    "user": (lambda g, c, rule: ("user", "disable", c.user)),
    "kill": (lambda g, c, rule: ("session", "kill", g.sessions()[0]["id"]))}


@pytest.mark.parametrize("how", CUTS.values(), ids=CUTS.keys())
def test_revocation_cuts_the_channels_of_every_connection(gateway, far_client, forward, streams, how):
    flooded, t, rule = forward(flood)
    load = spread(gateway, far_client, flooded, streams)
    assert len(load.socks) == 6
    assert load.ends == [None] * 6 and t.open_connections() == 6, (load.ends, load.taken, t.endings)
    gateway.admin(*how(gateway, far_client, rule))
    begun = time.monotonic()
    wait_until(lambda: t.open_connections() == 0, 3)
    assert time.monotonic() - begun < 1
    # What was cut never looks like the end of the data.
    wait_until(lambda: load.ends == ["ConnectionResetError"] * 6, 3)


def test_gateway_that_is_killed_is_found_again_with_one_connection(gateway, far_client, forward,
                                                                   streams):
    flooded, _, _ = forward(flood)
    local, _, _ = forward(echo)
    spread(gateway, far_client, flooded, streams)
    gateway.kill()
    far_client.wait_state("waiting")
    assert usable(far_client) == 0
    gateway.start()
    far_client.wait_state("connected", 30)
    assert connections(gateway) == 1
    with dial(local) as s:
        s.sendall(b"again")
        assert s.recv(5) == b"again"


def test_wanted_end_ends_every_connection(gateway, far_client, forward, streams):
    flooded, t, _ = forward(flood)
    spread(gateway, far_client, flooded, streams)
    far_client.disconnect().ok()
    wait_until(lambda: gateway.sessions() == [], 3)
    wait_until(lambda: t.open_connections() == 0, 3)
    assert far_client.status()["state"] == "disconnected"


@pytest.fixture
def choosy(folder, gateway, far):
    relay = Choice(far.port)
    yield relay
    relay.stop()


def test_secondary_that_hangs_harms_nobody_else(gateway, far, choosy, far_client, forward, streams):
    """The way of one connection stops, as in a NAT that forgets: the others go on, and what is
    opened meanwhile goes where there is an answer."""
    far_client.set_server(f"127.0.0.1:{choosy.port}")
    flooded, _, _ = forward(flood)
    local, _, _ = forward(echo)
    load = spread(gateway, far_client, flooded, streams)
    assert len(choosy.held) >= 2  # a busy machine may have asked for one more
    choosy.held[1].set()
    before = list(load.taken)
    time.sleep(5)  # longer than an answer may take
    went_on = [a > b + (1 << 20) for a, b in zip(load.taken, before)]
    assert any(went_on) and not all(went_on)
    for _ in range(10):
        begun = time.monotonic()
        with dial(local) as s:
            s.sendall(b"x")
            assert s.recv(1) == b"x"
        assert time.monotonic() - begun < 2
    assert far_client.status()["state"] == "connected"
    choosy.held[1].clear()  # nobody gave it up: it goes on where it stopped
    stuck = went_on.index(False)
    reached = load.taken[stuck]
    wait_until(lambda: load.taken[stuck] > reached + (1 << 20), 10)


def test_secondary_that_breaks_takes_only_its_own_channels(gateway, choosy, far_client, forward,
                                                           streams):
    far_client.set_server(f"127.0.0.1:{choosy.port}")
    flooded, _, _ = forward(flood)
    load = spread(gateway, far_client, flooded, streams)
    cut(*choosy.socks[2:4])
    wait_connections(gateway, far_client, 1)
    before = list(load.taken)
    time.sleep(1)
    went_on = [a > b for a, b in zip(load.taken, before)]
    assert went_on[:3] == [True] * 3  # the first ones are the primary's
    assert not all(went_on)
    assert far_client.status()["state"] == "connected"
    far_client.wait_log("another connection: lost")


def test_gateway_that_has_no_place_for_more_is_asked_rarely_and_told_once(make_gateway, make_client,
                                                                          folder, target, streams):
    gateway = make_gateway("small", extra_config="[limits]\nmax_sessions_per_user = 1\n")
    far = Far(folder, gateway.port)
    try:
        client = make_client("s", gateway=gateway).enrol()
        client.set_server(f"127.0.0.1:{far.port}")
        local, t = free_port(), target(flood)
        gateway.add_rule("suzuki", "F", f"127.0.0.1:{t.port}", local)
        client.connect()
        client.wait_forward("F")
        load = streams(local, 4)
        client.wait_log("another connection: not opened", 15)
        taken = sum(load.taken)
        wait_until(lambda: sum(load.taken) > taken + (64 << 20), 20)
        assert client.system_log().count("another connection: not opened") == 1
        assert client.status()["state"] == "connected"
        assert len(gateway.audit("login-refused", reason="session-limit")) <= 3
    finally:
        far.stop()


def test_dead_targets_delay_nobody(gateway, far_client, forward):
    """Ten opens that nobody answers, at once, and a live one in between."""
    hole = BlackHole().start()
    try:
        dead, _, _ = forward(None, port=hole.port)
        live, _, _ = forward(echo)
        waiting = [dial(dead) for _ in range(10)]
        took = []
        for _ in range(10):
            begun = time.monotonic()
            with dial(live) as s:
                s.sendall(b"x")
                assert s.recv(1) == b"x"
            took.append(time.monotonic() - begun)
        assert max(took) < 1 and sorted(took)[5] < 0.3, took
        for s in waiting:
            s.close()
    finally:
        hole.stop()


def test_stopped_agent_comes_back_with_all_its_connections(gateway, far_client, forward, streams):
    flooded, _, _ = forward(flood)
    load = spread(gateway, far_client, flooded, streams)
    pid = far_client.agent_pid()
    os.kill(pid, signal.SIGSTOP)
    time.sleep(2)
    os.kill(pid, signal.SIGCONT)
    before = list(load.taken)
    wait_until(lambda: all(a > b for a, b in zip(load.taken, before)), 10)
    assert connections(gateway) >= 2
