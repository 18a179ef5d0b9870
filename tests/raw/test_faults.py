"""Allocations and system calls that fail at the N-th call, of prad and of the client, through a login and what comes
right after it (quality 4): nobody is let in without a valid signature, nobody's login hangs, prad lives and
serves the next one, and the client never logs in to a gateway whose host key is not the one it knows.

Short forms take some N; the full ones (make soak) take each.
"""

import errno

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

from lib import faults as f
from lib.client import PASSPHRASE
from lib.faults import FILES, SOCKETS, Faults, spread
from lib.gateway import program
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import echo
from rawgateway import RawGateway
from rawssh import AUTH_REQUEST, AUTH_SUCCESS, SERVICE_ACCEPT, SERVICE_REQUEST, SUCCESS, Closed, string
from test_control import Control, hello

SETTLE_S = 20  # a busy machine included; what waits for ever still shows
# What fails, how, and at what; an eventfd or a timer cannot fail in these ways, and what waits there aborts if it does.
REAL = FILES | SOCKETS
SYSTEM_CALLS = {
    "read-error": (f.READ, errno.EIO, REAL), "read-interrupted": (f.READ, errno.EINTR, REAL), "read-short": (f.READ, 0, REAL),
    "write-error": (f.WRITE, errno.EIO, REAL), "write-full": (f.WRITE, errno.ENOSPC, FILES),
    "write-interrupted": (f.WRITE, errno.EINTR, REAL), "write-short": (f.WRITE, 0, REAL),
    "sync-error": (f.SYNC, errno.EIO, REAL), "open-no-descriptor": (f.OPEN | f.SOCKET | f.ACCEPT, errno.EMFILE, REAL),
    "open-error": (f.OPEN, errno.EIO, REAL), "connect-no-memory": (f.CONNECT, errno.ENOBUFS, REAL),
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
        control.hear("welcome", SETTLE_S)
        ch = c.direct("127.0.0.1", self.port)
        if ch.opened:
            c.write(ch, b"ping")
            c.until(lambda: len(ch.data) == 4 or ch.closed, SETTLE_S)
            assert ch.data in (b"ping", b""), ch.data
        c.close()
        return bool(ch.opened)

    def note(self, finding):
        print(finding, flush=True)
        self.findings.append(finding)

    def outcome(self, attempt):
        """What came of it: True, False, or a word about how it was refused. Anything else is a finding."""
        try:
            return attempt()
        except TimeoutError:
            raise AssertionError("hangs") from None
        except ValueError as e:
            raise AssertionError(f"nonsense: {e}") from None
        except (Closed, OSError, InvalidSignature, InvalidTag):
            return "ended"  # by prad, or by its peer, which does not believe it
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
                    self.note(f"{what}: let in\n{self.faults.where()}")
            except AssertionError as e:
                self.note(f"{what}: {e}\n{self.faults.where()}")
            hit = self.faults.failed > 0
        if not self.gateway.process.running():
            self.note(f"{what}: prad died\n{self.faults.where()}\n{self.gateway.log()[-1500:]}")
            self.gateway.start()
        return hit

    def walk(self, attempt, calls, error, count, **options):
        """The N-th call fails, for `count` N, or for every one if that is None."""
        with self.faults.armed(calls, **options):
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
    hits = sum(attempts.walk(a, calls, error, count, places=places) for a in (attempts.forged, attempts.honest)
               for calls, error, places in SYSTEM_CALLS.values())
    attempts.well()
    print(f"figure: system calls of prad that failed one by one: {hits}")


# --- the client -------------------------------------------------------------------------------


class Laptop:
    """An agent that fails while it connects; it is started again if it dies, and that is a finding."""

    def __init__(self, client, faults):
        self.client, self.faults, self.findings = client, faults, []

    def note(self, finding):
        print(finding, flush=True)
        self.findings.append(finding)

    def state(self):
        answer = self.client.agent_call(op="status") or {}
        return answer.get("status", {}).get("state")

    def settled(self):
        """connected, or why not; None while it is on its way."""
        state = self.state()
        return state if state in ("connected", "waiting", "error", "disconnected") else None

    def attempt(self):
        """One connect and what came of it; disconnected again afterwards."""
        answer = self.client.agent_call(op="connect", user=None, passphrase=PASSPHRASE, accept_host_key=None)
        if answer and answer.get("ok"):
            wait_until(lambda: self.settled() or not self.client.agent_pids(), SETTLE_S, "the attempt to end", 0.003)
        return self.state()

    def down(self):
        self.client.agent_call(op="disconnect")
        wait_until(lambda: self.state() == "disconnected", SETTLE_S, "the connection to end", 0.003)

    def one(self, at, calls, error, **options):
        what = f"agent at {at} of {calls:#x} ({error})"
        with self.faults.armed(calls, at=at, error=error, **options):
            try:
                self.attempt()
                self.client.agent_call(op="disconnect")
            except AssertionError as e:
                self.note(f"{what}: {e}\n{self.faults.where()}")
            hit = self.faults.failed > 0
        if not self.client.agent_pids():
            self.note(f"{what}: the agent died\n{self.faults.where()}")
            self.start()
        try:
            self.down()
        except AssertionError as e:
            self.note(f"{what}: {e}, without a fault; {self.state()}\n{self.faults.where()}\n{self.client.system_log()[-2000:]}")
            self.client.close()
            self.start()
        return hit

    def start(self):
        self.client.try_connect(2)
        self.down()

    def walk(self, calls, error, count, end, **options):
        with self.faults.armed(calls, **options):
            assert self.attempt() == end, "without a fault"
            self.down()
            total = self.faults.counted
        hits = 0
        for at in spread(total, count) if count else range(1, 20 * total + 100):
            hit = self.one(at, calls, error, **options)
            hits += hit
            if not hit and at > total:
                break
        return hits

    def well(self):
        assert not self.findings, f"{len(self.findings)} findings:\n" + "\n".join(self.findings[:20])


@pytest.fixture
def laptop(folder, make_gateway, make_client, faults, target):
    gateway = make_gateway("office")
    client = make_client("laptop", gateway=gateway, env=faults.env, binary=program("test/pra")).enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", free_port())
    made = Laptop(client, faults)
    made.start()
    return made


@pytest.mark.parametrize("count", [60, pytest.param(None, marks=pytest.mark.soak)])
def test_client_without_memory_ends_its_attempt_and_connects_again(laptop, count):
    hits = laptop.walk(f.MEMORY, 0, count, "connected")
    laptop.well()
    assert laptop.attempt() == "connected"
    print(f"figure: allocations of the agent that failed one by one: {hits}")


@pytest.mark.parametrize("count", [5, pytest.param(None, marks=pytest.mark.soak)])
def test_client_whose_system_calls_fail_ends_its_attempt_and_connects_again(laptop, count):
    hits = sum(laptop.walk(calls, error, count, "connected", places=places) for calls, error, places in
               SYSTEM_CALLS.values())
    laptop.well()
    assert laptop.attempt() == "connected"
    print(f"figure: system calls of the agent that failed one by one: {hits}")


@pytest.mark.parametrize("count", [60, pytest.param(None, marks=pytest.mark.soak)])
def test_client_that_fails_never_logs_in_to_a_foreign_gateway(laptop, count):
    """Its host key is not the one that is known: whatever fails, no login is tried."""
    said = []

    def script(s):
        s.handshake()
        while True:
            said.append(s.recv()[0])
            if said[-1] == SERVICE_REQUEST:  # libssh2 asks for it before anybody can look at the host key
                s.send(bytes([SERVICE_ACCEPT]) + string("ssh-userauth"))

    foreign = RawGateway(script)
    try:
        known = laptop.client.gateway.fingerprint()
        laptop.client.set_server(foreign.address, known)
        hits = sum(laptop.walk(calls, error, count, "error", places=REAL) for calls, error in
                   ((f.MEMORY, 0), (f.READ, errno.EIO), (f.OPEN, errno.EMFILE)))
        laptop.well()
        assert foreign.clients > hits // 4 and SERVICE_REQUEST in said
        assert AUTH_REQUEST not in said, "a login was tried with a gateway that is not the one that is known"
    finally:
        foreign.close()
    assert foreign.failure is None, repr(foreign.failure)
    print(f"figure: faults of the agent before a foreign gateway: {hits}")
