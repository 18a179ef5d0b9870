"""The client's agent against a gateway that logs it in and then forges messages (attack.py), on channels in
every state, and scripts of them by chance. The agent lives, answers, and goes on with the next gateway.

Under ASan and UBSan every wrong access of memory ends the agent, and its end looks for leaks.
"""

import contextlib
import os
import random
import socket
import struct
from types import SimpleNamespace

import pytest

import attack
from lib.client import Client, dial
from lib.ports import free_port
from lib.procs import wait_until
from rawgateway import RawGateway, Session
from rawssh import CLOSE, EOF, GLOBAL_REQUEST, KEXINIT, REQUEST_FAILURE, Closed, string, u32
from test_lying_gateway import rule

ANSWER_S = 5
SILENCE_S = 0.2  # time to do harm for what is not answered
CASE_S = 20  # a case, its connection included
# The gateway's own part of the list: what a client would do, a gateway does not have to be tried with.
NAMES = [n for n in attack.MESSAGES if n != "weak public value"]


class Liar(Session):
    """`world` and `seal` are what the messages of attack.py lean on."""

    world = SimpleNamespace(port={"flood": 9})

    def seal(self, body):
        size = len(body).to_bytes(4, "big")
        return size + self.out.gcm.encrypt(self.out.nonce(), body, size)

    def take(self, p):
        if p[0] == REQUEST_FAILURE:
            self.answered = True
        try:
            super().take(p)
        except KeyError:
            pass  # of a channel that was only forged

    def answers(self, seconds):
        """True if the client answers in that time; Closed if it has ended the connection."""
        self.answered = False
        self.send(bytes([GLOBAL_REQUEST]) + string("keepalive@openssh.com") + b"\1")
        self.sock.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            self.pump(lambda: self.answered, seconds)
        self.sock.settimeout(CASE_S)
        return self.answered


# --- states of one channel; each gives the client's number of it -------------------------------


def opened(s, local):
    channel = s.next_open()[0]
    s.confirm(channel)
    return channel


def unanswered(s, local):
    return s.next_open()[0]


def unread(s, local):
    """The program reads nothing, and the first window is full."""
    channel = opened(s, local)
    s.give(channel, bytes(s.granted[channel]))
    return channel


def no_window(s, local):
    """The program has sent what the gateway does not take."""
    channel = s.next_open()[0]
    s.confirm(channel, window=0)
    local.sendall(bytes(10000))
    return channel


def half_closed(s, local):
    channel = opened(s, local)
    s.send(bytes([EOF]) + u32(channel))
    return channel


def closed(s, local):
    channel = opened(s, local)
    s.send(bytes([CLOSE]) + u32(channel))
    s.pump(lambda: channel in s.closed)
    return channel


def program_gone(s, local):
    channel = opened(s, local)
    local.close()
    return channel


def control(s, local):
    opened(s, local)
    return s.control


STATES = [opened, unanswered, unread, no_window, half_closed, closed, program_gone, control]


class Attack:
    """Cases one after another, on as few connections as they leave alive."""

    def __init__(self, pc, cases):
        self.pc, self.cases, self.done = pc, list(cases), 0
        self.port, self.failure, self.current = free_port(), None, None
        self.gateway = RawGateway(self._script)
        pc.gateway = self.gateway
        pc.set_server()

    def _script(self, session):
        session.__class__ = Liar
        session.up(rule(self.port))
        while self.cases and not self.failure:
            case = self.current = self.cases.pop(0)
            try:
                case(self, session)
            except (Closed, OSError):
                return  # ended by the client: the next case gets a new connection
            except Exception as e:  # told by the test, which runs in another thread
                self.failure = f"{case}: {e!r}"
                return
            finally:
                self.done += 1

    def local(self):
        """A program's connection to the forward."""
        return wait_until(lambda: self._dial(), 10, "the forward to listen", 0.05)

    def _dial(self):
        try:
            return dial(self.port)
        except ConnectionError:
            return None

    def run(self):
        agents = set()
        while self.cases and not self.failure:
            before = self.done
            self.gateway.done.clear()
            self.pc.try_connect(0)
            agents.add(self.pc.agent_pid())
            wait_until(lambda: self.gateway.done.is_set() or self.failure, 60, f"the end of {self.current}", 0.02)
            assert self.done > before or self.failure, "no case in a whole connection"
            assert self.pc.agent_call(op="info")["ok"]
        assert not self.failure, self.failure
        assert len(agents) == 1, "an agent has died"
        self.gateway.close()


class Message:
    def __init__(self, state, name, seed=0):
        self.state, self.name, self.seed = state, name, seed

    def __repr__(self):
        return f"{self.name} ({self.state.__name__}, {self.seed})"

    def __call__(self, run, session):
        rng = random.Random(attack.seed_of(repr(self)))
        with run.local() as local:
            stand = stand_on(session, self.state(session, local))
            session.send_raw(b"".join(attack.make(self.name, stand, rng)))
            if self.name in SILENT:
                session.answers(SILENCE_S)
                raise Closed("nothing can follow")
            assert session.answers(ANSWER_S), "neither an answer nor an end"


class Script:
    def __init__(self, number):
        self.number = number

    def __repr__(self):
        return f"script {self.number}"

    def __call__(self, run, session):
        rng = random.Random(attack.seed_of(repr(self)))
        with run.local() as local:
            stand = stand_on(session, rng.choice(STATES)(session, local))
            attack.deliver(stand, attack.script(stand, rng), rng)
            if not session.answers(SILENCE_S):
                raise Closed("nothing can follow")


# After these the client waits for the rest, of the packet or of the exchange of keys.
SILENT = {"half a packet", "forged length", "kexinit", "kexinit twice", "key exchange out of order"}


def stand_on(session, channel):
    return attack.Stand(session, SimpleNamespace(remote=channel))


@pytest.fixture
def pc(folder, programs):
    """A client whose agent, and whatever else it runs, reports errors of memory into files."""
    def to_file(name):
        return ":".join(filter(None, [os.environ.get(name), f"log_path={folder}/sanitizer"]))
    pc = Client(f"{folder}/c", None, env={n: to_file(n) for n in ("ASAN_OPTIONS", "UBSAN_OPTIONS")})
    pc.keygen()
    yield pc
    pc.close()


def survived(pc, folder):
    """Called when all attacks are over: the agent answers, and ends without a complaint."""
    assert pc.agent_call(op="info")["ok"]
    pc.close()
    complaints = [open(os.path.join(folder, f)).read() for f in os.listdir(folder) if f.startswith("sanitizer")]
    assert not complaints, complaints[0][:6000]


def attacked(pc, folder, cases):
    Attack(pc, cases).run()
    survived(pc, folder)


def in_order(cases):
    """Those that end their connection last: the others share one."""
    return sorted(cases, key=lambda c: c.name in attack.LAST)


@pytest.mark.parametrize("full", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_messages_that_a_gateway_forges_hurt_nobody(pc, folder, full):
    """The short form: a quarter of what may share a connection in each state, and a few that end theirs."""
    cases = [Message(state, name) for n, state in enumerate(STATES) for name in (NAMES if full else NAMES[n % 4::4])]
    if not full:
        last = [c for c in cases if c.name in attack.LAST]
        cases = [c for c in cases if c not in last] + last[::8]
    attacked(pc, folder, in_order(cases))
    print(f"figure: {len(cases)} messages that a gateway forged")


def test_signal_that_could_not_be_sent_is_freed(pc, folder):
    """A program resets its connection while keys are exchanged; then the session ends."""
    def case(run, session):
        with run.local() as local:
            channel = opened(session, local)
            session.send(session.kexinit())
            while session.recv()[0] != KEXINIT:
                pass
            local.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        session.give(channel, b"nobody takes this any more")
        session.sock.settimeout(SILENCE_S)
        with contextlib.suppress(TimeoutError):
            session.recv()
        raise Closed("the gateway goes")
    attacked(pc, folder, [case] * 3)


@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.soak)])
def test_scripts_of_a_gateway_by_chance_hurt_nobody(pc, folder, count):
    attacked(pc, folder, [Script(n) for n in range(count)])
    print(f"figure: {count} scripts of a gateway by chance")
