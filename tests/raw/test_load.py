"""Many channels that stand still and targets that are dead, beside a neighbour who is timed.

Each test has a short form and a full one (marked soak, run by `make soak`). What is a figure is
measured in turns with and without the disturbance, and more turns decide when a few do not. The
short form asks of a neighbour's share only that he is not starved: the machine may be a busy one.
"""

import socket
import statistics
import struct
import time

import pytest

from lib.client import dial
from lib.gateway import program
from lib.ports import free_port
from lib.procs import Process, own_kib, run, wait_until
from lib.servers.targets import BlackHole

BULK_REQUEST = struct.Struct("<QB")  # tests/bench/bulk.c: bytes, mode


def short_and_full(name, short, full):
    return pytest.mark.parametrize(name, [short, pytest.param(full, marks=pytest.mark.soak)])


@pytest.fixture
def bulk(folder):
    """A fast target of the benchmarks; returns its port."""
    port = free_port()
    process = Process([program("tests/bench/bulk"), "serve", port], f"{folder}/bulk.log").wait_port(port)
    yield port
    process.stop(timeout=1)


@pytest.fixture
def poor_bulk(folder):
    """The same with small send buffers: a thousand full ones would use up the kernel's memory for TCP,
    and that slows down everybody on this machine, whoever is between."""
    port = free_port()
    process = Process([program("tests/bench/bulk"), "serve", port, 32], f"{folder}/poor.log").wait_port(port)
    yield port
    process.stop(timeout=1)


@pytest.fixture
def neighbour(gateway, client, bulk):
    """A PRA client with a forward to the fast target; returns the forward's port."""
    port = free_port()
    gateway.add_rule("suzuki", "Bulk", f"127.0.0.1:{bulk}", port)
    client.connect()
    client.wait_forward("Bulk")
    return port


def seconds(direction, port, size):
    return float(run([program("tests/bench/bulk"), direction, port, 1, size], timeout=60).ok().out)


def share_kept(measure, disturb, least, turns_min=3, turns_max=25):
    """Median of undisturbed/disturbed time over interleaved turns; `disturb` is a context manager."""
    ratios = []
    while len(ratios) < turns_max:
        calm = measure()
        with disturb():
            ratios.append(calm / measure())
        if len(ratios) >= turns_min and statistics.median(ratios) >= least:
            break
    return statistics.median(ratios)


class Stalled:
    """A session whose `count` channels all stand still; a context manager that counts memory."""

    def __init__(self, gateway, user, count, start):
        self.gateway, self.user, self.count, self.start = gateway, user, count, start
        self.most = 0

    def __call__(self):
        return self

    def __enter__(self):
        before = own_kib(self.gateway.pid)
        self.session = self.user.login(rcvbuf=16384, timeout=60)
        self.start(self.session, self.count)
        self.most = max(self.most, self.settle() - before)

    def settle(self):
        """prad's memory once it stands still."""
        last = [0]

        def still():
            now = own_kib(self.gateway.pid)
            same = abs(now - last[0]) < 64
            last[0] = now
            return same
        wait_until(still, 20, "prad to come to rest", interval=0.3)
        return last[0]

    def __exit__(self, *_):
        self.session.close()
        wait_until(lambda: sum(s["user"] == self.user.name for s in self.gateway.sessions()) == 0, 20,
                   "the stalled session to end")


@pytest.mark.release_only
@short_and_full("count", (64, 0.5), (1000, 0.95))
def test_slow_reader_of_a_fast_target_costs_little_and_holds_up_no_neighbour(gateway, make_user, neighbour,
                                                                            poor_bulk, count):
    user = make_user(gateway)
    user.allow(f"127.0.0.1:{poor_bulk}")

    def ask_for_all(session, channels):
        for _ in range(channels):
            ch = session.direct("127.0.0.1", poor_bulk, window=0xffffffff, wait=False)
            session.pending = [*getattr(session, "pending", []), ch]
        for ch in session.pending:
            session.until(lambda: ch.opened is not None, 30)
            session.write(ch, BULK_REQUEST.pack(1 << 40, ord("D")))

    channels, least = count
    slow = Stalled(gateway, user, channels, ask_for_all)
    kept = share_kept(lambda: seconds("down", neighbour, 128 << 20), slow, least)
    print(f"figure: {channels} channels that nobody reads: prad +{slow.most} KiB, neighbour keeps {kept:.3f}")
    assert slow.most <= 4096
    assert kept >= least


@pytest.mark.release_only
@short_and_full("count", (64, 0.5), (1000, 0.95))
def test_targets_that_take_nothing_cost_their_windows_and_hold_up_no_neighbour(gateway, make_user, neighbour,
                                                                              count):
    """The mirror: a client fills what a thousand targets do not read. 64 KiB a channel are prad's."""
    user = make_user(gateway)
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.bind(("127.0.0.1", 0))
        stuck.listen(4096)  # the kernel accepts; nobody else does
        stuck.setblocking(False)
        port = stuck.getsockname()[1]
        user.allow(f"127.0.0.1:{port}")

        def forget():
            # The connections of the turn before are over, but only this takes them off the backlog.
            try:
                while True:
                    stuck.accept()[0].close()
            except BlockingIOError:
                pass

        def fill(session, channels):
            forget()
            for _ in range(channels):
                ch = session.direct("127.0.0.1", port)
                assert ch.opened
                session.write(ch, bytes(ch.window))
            session.drain(0.2)

        channels, least = count
        full = Stalled(gateway, user, channels, fill)
        kept = share_kept(lambda: seconds("up", neighbour, 128 << 20), full, least, turns_max=12)
    print(f"figure: {channels} targets that take nothing: prad +{full.most} KiB, neighbour keeps {kept:.3f}")
    assert full.most <= 4096 + 64 * channels
    assert kept >= least


@pytest.mark.release_only
@short_and_full("size", (500, 10), (5000, 100))
def test_live_opens_do_not_wait_for_black_holed_ones_which_fail_in_time(gateway, client, make_user, neighbour,
                                                                       size):
    opens, dead_count = size
    hole = BlackHole().start()
    try:
        local = free_port()
        gateway.add_rule("suzuki", "Dead", f"127.0.0.1:{hole.port}", local)
        client.wait_forward("Dead")
        user = make_user(gateway)
        user.allow(f"127.0.0.1:{hole.port}")
        best = float("inf")
        for _ in range(5):  # a moment of a busy machine is not what is asked about
            dead = [dial(local) for _ in range(dead_count)]
            out = run([program("tests/bench/bulk"), "open", neighbour, opens], timeout=120).ok().out
            best = min(best, float(out.split()[1]) / 1e3)
            for s in dead:
                s.close()
            if best < 50:
                break
        raw, begun = user.login(), time.monotonic()
        ch = raw.direct("127.0.0.1", hole.port)
        took = time.monotonic() - begun
    finally:
        hole.stop()
    print(f"figure: {opens} live opens beside {dead_count} dead ones: p99 {best:.1f} ms; a dead one fails in {took:.2f} s")
    assert best < 50
    assert took < 5.5 and "does not answer" in ch.failure[1]
