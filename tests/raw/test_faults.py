"""Allocations and system calls that fail at the N-th call, of prad and of the client, through a login and what comes
right after it (quality 4): nobody is let in without a valid signature, nobody's login hangs, prad lives and
serves the next one, and the client tells nothing to a gateway whose host key is not the one it knows.

Short forms take some N; the full ones (make soak) take each.
"""

import errno
import re

import pytest

from lib import faults as f
from lib.client import Client
from lib.faults import Faults, spread
from lib.procs import run, wait_until
from lib.servers.targets import echo
from rawssh import AUTH_SUCCESS, SUCCESS, Closed, string
from test_control import Control, hello

SETTLE_S = 10  # an attempt succeeds or ends; it does not hang
SYSTEM_CALLS = {
    "read-error": (f.READ, errno.EIO), "read-interrupted": (f.READ, errno.EINTR), "read-short": (f.READ, 0),
    "write-error": (f.WRITE, errno.EIO), "write-full": (f.WRITE, errno.ENOSPC),
    "write-interrupted": (f.WRITE, errno.EINTR), "write-short": (f.WRITE, 0),
    "sync-error": (f.SYNC, errno.EIO), "open-no-descriptor": (f.OPEN | f.SOCKET | f.ACCEPT, errno.EMFILE),
    "open-error": (f.OPEN, errno.EIO), "connect-no-memory": (f.CONNECT, errno.ENOBUFS),
    "poll-no-memory": (f.POLL, errno.ENOMEM),
}


@pytest.fixture
def faults(folder):
    return Faults(folder)


class Asked(Control):
    """A control channel that a gateway in need may refuse."""

    def __init__(self, c):
        self.c, self._taken = c, 0
        self.ch = c.open("session")
        if self.ch.opened:
            c.request(self.ch, "subsystem", string("pra@v1"))
            c.until(lambda: self.ch.replies or self.ch.closed)
        if self.ch.replies != [SUCCESS]:
            raise Closed("no control channel")


class Attempts:
    """One prad that is attacked and used while it fails; it is started again if it dies, and that is a finding."""

    def __init__(self, gateway, faults, good, other, port):
        self.gateway, self.faults, self.good, self.other, self.port = gateway, faults, good, other, port
        self.findings = []

    def forged(self):
        """Another key's signature under a registered key. Was it let in?"""
        c = self.good.connect(timeout=SETTLE_S)
        c.versions()
        c.exchange().service()
        c.send(c.sign_request("alice", self.good.key, sign_key=self.other.key))
        return c.recv()[0] == AUTH_SUCCESS

    def honest(self):
        """From the connection to an answer of the target."""
        c = self.good.connect(timeout=SETTLE_S).login("alice", self.good.key)
        control = Asked(c)
        control.say(hello())
        control.hear("welcome")
        ch = c.direct("127.0.0.1", self.port)
        if ch.opened:
            c.write(ch, b"ping")
            c.until(lambda: len(ch.data) == 4 or ch.closed)
            assert ch.data in (b"ping", b""), ch.data
        c.close()
        return bool(ch.opened)

    def outcome(self, attempt):
        """What came of it: True, False, or a word about how it was refused. Anything else is a finding."""
        try:
            return attempt()
        except (Closed, OSError) as e:
            assert not isinstance(e, TimeoutError), "hangs"
            return "ended"
        except AssertionError as e:
            if str(e).startswith("login refused"):
                return "refused"
            raise
        finally:
            self.good.close()

    def one(self, attempt, at, calls, error, **options):
        """Returns True if the fault came to pass."""
        what = f"{attempt.__name__} at {at} of {calls:#x} ({error})"
        with self.faults.armed(calls, at=at, error=error, **options):
            try:
                got = self.outcome(attempt)
                if attempt == self.forged and got is True:
                    self.findings.append(f"{what}: let in\n{self.faults.where()}")
            except AssertionError as e:
                self.findings.append(f"{what}: {e}\n{self.faults.where()}")
            hit = self.faults.failed > 0
        if not self.gateway.process.running():
            self.findings.append(f"{what}: prad died\n{self.faults.where()}\n{self.gateway.log()[-1500:]}")
            self.gateway.start()
        return hit

    def walk(self, attempt, calls, error, count, **options):
        """The N-th call fails, for `count` N, or for every one if that is None."""
        with self.faults.armed(calls):
            assert self.outcome(attempt) is (attempt == self.honest), "without a fault"
            total = self.faults.counted
        at, hits = 0, 0
        for at in spread(total, count) if count else range(1, 20 * total + 100):
            hit = self.one(attempt, at, calls, error, **options)
            hits += hit
            if not hit and at > total:
                break
        return hits

    def well(self):
        """No findings, and the gateway does what it did before."""
        assert not self.findings, f"{len(self.findings)} findings:\n" + "\n".join(self.findings[:20])
        wait_until(lambda: self.outcome(self.honest) is True, 10, "a login without faults")
        wait_until(lambda: not self.gateway.sessions(), 10, "sessions to end")


@pytest.fixture
def attempts(make_gateway, make_user, faults, target):
    gateway = make_gateway(env=faults.env)
    good, other = make_user(gateway), make_user(gateway, "bob")
    port = target(echo).port
    good.allow(f"127.0.0.1:{port}")
    return Attempts(gateway, faults, good, other, port)


@pytest.mark.parametrize("count", [60, pytest.param(None, marks=pytest.mark.soak)])
def test_no_memory_lets_nobody_in_and_ends_no_prad(attempts, count):
    hits = {a.__name__: attempts.walk(a, f.MEMORY, 0, count) for a in (attempts.forged, attempts.honest)}
    attempts.well()
    print(f"figure: allocations of prad that failed one by one: {hits}")


@pytest.mark.parametrize("count", [6, pytest.param(None, marks=pytest.mark.soak)])
def test_system_calls_that_fail_let_nobody_in_and_end_no_prad(attempts, count):
    hits = sum(attempts.walk(a, calls, error, count) for a in (attempts.forged, attempts.honest)
               for calls, error in SYSTEM_CALLS.values())
    attempts.well()
    print(f"figure: system calls of prad that failed one by one: {hits}")
