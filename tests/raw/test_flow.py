"""Moving data: back-pressure, ends of all kinds, many at once, rekeys."""

import ctypes
import hashlib
import json
import os
import select
import socket
import threading
import time

import pytest

from lib.procs import own_kib, wait_until
from lib.servers.targets import digest, discard, echo, flood, reset_after_byte, reset_midway, stall
from rawssh import AUTH_SUCCESS, Closed


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_half_close_works_both_ways(user, target):
    t = target(digest)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    data = os.urandom(3 << 20)
    c.write(ch, data)
    c.eof(ch)
    c.until(lambda: ch.eof)
    assert bytes(ch.data).decode() == hashlib.sha256(data).hexdigest()
    c.until(lambda: ch.closed)


@pytest.mark.release_only
def test_slow_reader_with_a_fast_target_costs_little_memory(gateway, user, target):
    t = target(flood)
    user.allow(f"127.0.0.1:{t.port}")
    before = own_kib(gateway.pid)
    slow = user.login(rcvbuf=16384)
    channels = [slow.direct("127.0.0.1", t.port, window=0xffffffff) for _ in range(64)]
    quick = user.login()
    time.sleep(1.5)
    assert own_kib(gateway.pid) - before < 4096
    begun = time.monotonic()
    ch = quick.direct("127.0.0.1", t.port, window=1 << 20)
    quick.until(lambda: len(ch.data) == 1 << 20)
    assert time.monotonic() - begun < 2
    assert all(c.opened for c in channels)


def test_target_that_takes_nothing_holds_only_its_own_channel(gateway, user, target):
    stuck, alive = target(stall, rcvbuf=4096), target(echo)
    user.allow(f"127.0.0.1:{stuck.port}")
    user.allow(f"127.0.0.1:{alive.port}")
    c = user.login()
    full = [c.direct("127.0.0.1", stuck.port) for _ in range(16)]
    for ch in full:
        c.write(ch, bytes(ch.window))
    ch = c.direct("127.0.0.1", alive.port)
    c.write(ch, b"hello")
    c.until(lambda: ch.data == b"hello")
    c.drain(0.3)
    assert all(f.window < 4 << 20 for f in full)  # it does not open for ever


def test_bulk_data_reaches_a_target_that_took_nothing_for_a_while(user, target):
    begin, sent = threading.Event(), hashlib.sha256()

    def late(sock, t):
        begin.wait(60)
        digest(sock, t)

    t = target(late, rcvbuf=4096)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)

    def send(size):
        data = os.urandom(size)
        sent.update(data)
        c.write(ch, data)

    def fill():
        send(ch.window)
        c.drain(0.1)
        return ch.window == 0
    wait_until(fill, 20, "the window to stay shut")
    begin.set()
    send(4 << 20)
    c.eof(ch)
    c.until(lambda: ch.eof, 30)
    assert bytes(ch.data).decode() == sent.hexdigest()


@pytest.mark.release_only  # AddressSanitizer keeps what was freed
def test_data_for_a_target_that_was_cut_is_not_kept(gateway, user, target):
    """A client that never says that it has heard of the end cannot make prad hold what it sent."""
    t = target(stall, rcvbuf=4096)
    rule = user.allow(f"127.0.0.1:{t.port}")
    before = own_kib(gateway.pid)
    c = user.login()
    full = [c.direct("127.0.0.1", t.port) for _ in range(8)]

    def fill():
        for ch in full:
            c.write(ch, bytes(ch.window))
        c.drain(0.1)
        return all(ch.window == 0 for ch in full)
    wait_until(fill, 20, "the windows to stay shut")
    held = own_kib(gateway.pid) - before
    gateway.delete_rule(rule)
    c.until(lambda: all(ch.closed for ch in full))
    wait_until(lambda: own_kib(gateway.pid) - before < max(512, held / 4), 10,
               f"{held} KiB to be given back")
    assert held > 1024, held


def test_reset_of_the_target_closes_the_channel(gateway, user, target):
    first, midway = target(reset_after_byte), target(reset_midway)
    user.allow(f"127.0.0.1:{first.port}")
    user.allow(f"127.0.0.1:{midway.port}")
    c = user.login()
    for t in (first, midway):
        ch = c.direct("127.0.0.1", t.port, window=4 << 20)
        c.write(ch, b"x")
        c.until(lambda: ch.closed)
        c.close_channel(ch)
    assert gateway.wait_audit("channel-close", reason="target-reset")


def test_broken_session_resets_its_targets(user, target):
    t = target(discard)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    c.write(ch, bytes(1000))
    wait_until(lambda: t.received == 1000)
    c.close()
    wait_until(lambda: t.endings)
    assert t.endings[0] != "closed"  # half a transfer must not look like a whole one


def test_closing_races_leak_nothing(gateway, user, target):
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    before = fds(gateway.pid)
    c = user.login()
    for i in range(300):
        ch = c.direct("127.0.0.1", t.port)
        c.write(ch, b"x" * (i % 7))
        if i % 3 == 0:
            c.eof(ch)
        c.close_channel(ch)
        if i % 5 == 0:
            c.until(lambda: ch.closed)
    c.until(lambda: all(ch.closed for ch in c.channels.values()))
    c.close()
    for i in range(100):  # and whole sessions that vanish at any point
        c = user.connect()
        if i % 4 == 1:
            c.versions()
        elif i % 4 == 2:
            c.versions()
            c.exchange()
        elif i % 4 == 3:
            c.login(user.name, user.key)
            c.direct("127.0.0.1", t.port, wait=i % 8 == 3)
        c.close()
    wait_until(lambda: fds(gateway.pid) <= before, 10)
    assert gateway.sessions() == []


def test_two_hundred_connections_at_once_keep_their_bytes(user, target):
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    failures = []

    def one(n):
        try:
            c = user.login()
            channels = [c.direct("127.0.0.1", t.port) for _ in range(20)]
            for ch in channels:
                ch.sent = os.urandom(40000 + n)
                c.write(ch, ch.sent)
                c.eof(ch)
            c.until(lambda: all(ch.closed for ch in channels), 60)
            failures.extend(n for ch in channels if bytes(ch.data) != ch.sent)
        except Exception as e:  # noqa: BLE001 - reported below
            failures.append(repr(e))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_rekeys_under_load_lose_nothing(make_gateway, make_user, target):
    gateway = make_gateway(extra_config="[log]\nlevel = info\n")
    with open(gateway.config, "a") as f:
        f.write("rekey_data = 256K\n")
    gateway.restart()
    user = make_user(gateway)
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    channels = [c.direct("127.0.0.1", t.port, window=1 << 30) for _ in range(8)]
    data = os.urandom(1 << 20)
    for at in range(0, len(data), 16384):
        for ch in channels:
            c.write(ch, data[at:at + 16384])
    for ch in channels:
        c.eof(ch)
    c.until(lambda: all(ch.closed for ch in channels), 60)
    assert all(bytes(ch.data) == data for ch in channels)
    assert c.rekeys >= 8


@pytest.mark.release_only
def test_rekey_that_the_client_never_ends_is_bounded(make_gateway, make_user, target):
    gateway = make_gateway(extra_config="[log]\nlevel = info\n")
    with open(gateway.config, "a") as f:
        f.write("rekey_data = 64K\n")
    gateway.restart()
    user = make_user(gateway)
    t = target(flood)
    user.allow(f"127.0.0.1:{t.port}")
    before = own_kib(gateway.pid)
    c = user.login()
    for _ in range(8):
        c.direct("127.0.0.1", t.port, window=0xffffffff, wait=False)
    end = time.monotonic() + 2
    try:
        while time.monotonic() < end:
            c.sock.settimeout(0.5)
            c.recv()  # KEXINIT comes and is not answered
    except (TimeoutError, Closed):
        pass
    assert own_kib(gateway.pid) - before < 8192


def test_revocation_cuts_hundreds_of_channels_at_once(gateway, user, target):
    t = target(echo)
    rule = user.allow(f"127.0.0.1:{t.port}")
    kept = target(echo)
    user.allow(f"127.0.0.1:{kept.port}")
    c = user.login()
    channels = [c.direct("127.0.0.1", t.port) for _ in range(300)]
    other = c.direct("127.0.0.1", kept.port)
    gateway.delete_rule(rule)
    begun = time.monotonic()
    c.until(lambda: all(ch.closed for ch in channels), 3)
    assert time.monotonic() - begun < 1
    c.write(other, b"untouched")
    c.until(lambda: other.data == b"untouched")
    assert c.direct("127.0.0.1", t.port).failure
    assert gateway.wait_audit("channel-cut", reason="rule-removed")["rule"] == rule


class Console:
    """The admin socket, asked without a program in between: the next thing is done as soon as the answer is there."""

    def __init__(self, gateway):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(gateway.dir, "admin.sock"))
        self.answers = self.sock.makefile("rb")

    def send(self, op, **args):
        self.sock.sendall(json.dumps({"op": op, "args": args}).encode() + b"\n")

    def answer(self):
        answer = json.loads(self.answers.readline())
        assert answer["ok"], answer
        return answer["result"]

    def ask(self, op, **args):
        self.send(op, **args)
        return self.answer()

    def close(self):
        self.answers.close()
        self.sock.close()


@pytest.fixture
def console(gateway):
    made = Console(gateway)
    yield made
    made.close()


@pytest.fixture
def busy(user, target):
    """Somebody who keeps the workers busy meanwhile, each of them."""
    source, stop, threads = target(flood), threading.Event(), []
    user.allow(f"127.0.0.1:{source.port}", name="busy")

    def drain(c):
        ch = c.direct("127.0.0.1", source.port, window=0x7fffffff)
        while not stop.is_set():
            c.until(lambda: ch.data)
            ch.data.clear()

    for _ in range(2):
        threads.append(threading.Thread(target=drain, args=(user.login(),)))
        threads[-1].start()
    yield
    stop.set()
    for t in threads:
        t.join()


def test_nothing_is_opened_by_a_rule_whose_removal_was_acknowledged(gateway, user, target, console, busy):
    t = target(echo)
    where = f"127.0.0.1:{t.port}"
    clients = [user.login() for _ in range(4)]  # on each of the workers
    for n in range(20):
        rule = console.ask("rule.add", user="alice", name="R", target=where)["id"]
        opened = [c.direct("127.0.0.1", t.port) for c in clients]
        assert all(ch.opened for ch in opened), n
        console.ask("rule.delete", id=rule)
        late = [c.direct("127.0.0.1", t.port, wait=False) for c in clients]
        for c, ch, before in zip(clients, late, opened, strict=True):
            c.until(lambda: ch.opened is not None and before.closed)
            assert not ch.opened, f"round {n}: opened after the rule was gone"


class Standing:
    """The threads of a program that have the most to do, made to stand still."""

    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, pid, count, seconds=0.5):
        def used():
            return {int(t): _thread_ticks(pid, t) for t in os.listdir(f"/proc/{pid}/task")}
        before = used()
        time.sleep(seconds)
        after = used()
        self.threads = sorted(before, key=lambda t: before[t] - after[t])[:count]
        self.libc = ctypes.CDLL(None, use_errno=True)

    def _call(self, what, thread):
        assert self.libc.ptrace(what, thread, None, None) == 0, os.strerror(ctypes.get_errno())

    def __enter__(self):
        for t in self.threads:
            self._call(self.SEIZE, t)
            self._call(self.INTERRUPT, t)
            os.waitpid(t, self.WALL)
        return self

    def __exit__(self, *_):
        for t in self.threads:
            self._call(self.DETACH, t)


def _thread_ticks(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.needs_root
def test_a_removal_is_acknowledged_when_every_worker_has_taken_it(gateway, user, console, busy):
    rule = user.allow("127.0.0.1:9", name="R")
    with Standing(gateway.pid, 2):
        console.send("rule.delete", id=rule)
        assert not select.select([console.sock], [], [], 1)[0], "acknowledged before the workers knew"
    assert console.answer()["name"] == "R"
    with Standing(gateway.pid, 2):  # a worker that hangs holds no administrator up for long
        console.send("rule.add", user="alice", name="R", target="127.0.0.1:9")
        assert select.select([console.sock], [], [], 10)[0]
        assert console.answer()["id"]
    assert "policy-late" in gateway.log()


@pytest.mark.parametrize("how", ["key", "user"])
def test_nobody_gets_in_with_what_was_acknowledged_as_revoked(gateway, make_user, target, console, busy, how):
    """A disabled user may log in, to be told so; nothing is opened for him."""
    bob, t = make_user(gateway, "bob"), target(echo)
    bob.allow(f"127.0.0.1:{t.port}")
    key = {"user": "bob", "fingerprint": bob.fingerprint()}
    for n in range(6):
        waiting = [bob.connect() for _ in range(4)]
        for c in waiting:
            c.versions()
            c.exchange().service()
        if how == "key":
            console.ask("key.revoke", fingerprint=key["fingerprint"])
        else:
            console.ask("user.disable", name="bob")
        for c in waiting:
            c.send(c.sign_request("bob", bob.key))
        for c in waiting:
            let_in = c.recv()[0] == AUTH_SUCCESS
            assert not let_in or how == "user" and not c.direct("127.0.0.1", t.port).opened, f"round {n}: let in"
            c.close()
        if how == "key":
            console.ask("key.restore", **key)
        else:
            console.ask("user.enable", name="bob")
        again = bob.login()
        assert again.direct("127.0.0.1", t.port).opened
        again.close()


@pytest.mark.parametrize("how", ["key", "user", "kill"])
def test_revoked_key_or_user_ends_the_session(gateway, user, target, how):
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    if how == "key":
        gateway.admin("key", "revoke", user.fingerprint())
    elif how == "user":
        gateway.admin("user", "disable", "alice")
    else:
        gateway.admin("session", "kill", gateway.sessions()[0]["id"])
    begun = time.monotonic()
    with pytest.raises(Closed):
        c.until(lambda: ch.closed, 3)
        assert time.monotonic() - begun < 1
        c.drain(4)
    wait_until(lambda: t.endings)
    assert gateway.sessions() == []


def test_silent_client_is_asked_and_then_given_up(make_gateway, make_user):
    gateway = make_gateway(extra_config="[keepalive]\ndelay = 1s\ntimeout = 4s\n")
    user = make_user(gateway)
    answering, dead = user.login(), user.login()
    begun = time.monotonic()
    answering.drain(5)
    assert 80 in answering.seen
    with pytest.raises(Closed):
        while time.monotonic() - begun < 10:
            dead.recv()
    gateway.wait_audit("logout", reason="dead-peer")
    answering.drain(0.1)


def test_silent_clients_that_came_together_are_asked_one_by_one(make_gateway, make_user):
    user = make_user(make_gateway(extra_config="[keepalive]\ndelay = 8s\ntimeout = 60s\n"))
    silent, asked = [user.login() for _ in range(20)], []
    end = time.monotonic() + 12
    while silent and time.monotonic() < end:
        for c in silent[:]:
            c.drain(0.005)
            if 80 in c.seen:  # a global request
                asked.append(time.monotonic())
                silent.remove(c)
    assert not silent
    # Two seconds in two or three of the gateway's ticks, and half of them in one tick at most.
    assert max(asked) - min(asked) > 0.7


def test_rule_that_runs_out_cuts_its_channels(gateway, user, target):
    t = target(echo)
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3))
    user.allow(f"127.0.0.1:{t.port}", expires=ends)
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    assert ch.opened
    c.until(lambda: ch.closed, 6)
    assert gateway.wait_audit("channel-cut", reason="expired")
    assert c.direct("127.0.0.1", t.port).failure


def test_black_holed_target_fails_with_a_sentence_and_holds_nobody_up(gateway, user, target):
    alive = target(echo)
    with socket.socket() as hole:  # its backlog is full: further SYNs are dropped
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        port = hole.getsockname()[1]
        fill = [socket.socket() for _ in range(4)]
        for s in fill:
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
        user.allow(f"127.0.0.1:{port}")
        user.allow(f"127.0.0.1:{alive.port}")
        c = user.login()
        begun = time.monotonic()
        dead = [c.direct("127.0.0.1", port, wait=False) for _ in range(10)]
        for _ in range(20):
            started = time.monotonic()
            assert c.direct("127.0.0.1", alive.port).opened
            assert time.monotonic() - started < 0.5
        c.until(lambda: all(ch.opened is not None for ch in dead), 8)
        assert 3 < time.monotonic() - begun < 6.5
        assert "does not answer" in dead[0].failure[1]
        for s in fill:
            s.close()
    gateway.wait_audit("channel-failed", reason="timeout")


def test_gateway_without_descriptors_keeps_its_tunnels_and_heals(make_gateway, make_user, target):
    gateway = make_gateway(prefix=["prlimit", "--nofile=80:80"])
    user = make_user(gateway)
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    waiting = [socket.create_connection((gateway.host, gateway.port)) for _ in range(120)]
    time.sleep(0.5)
    c.write(ch, b"still here")
    c.until(lambda: ch.data == b"still here")
    refused = c.direct("127.0.0.1", t.port)
    assert refused.opened or refused.failure
    for s in waiting:
        s.close()
    wait_until(lambda: c.direct("127.0.0.1", t.port).opened, 10)
    user.login().close()
