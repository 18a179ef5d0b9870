"""A logged-in peer that forges messages in every state that a connection can be in (attack.py), beside an
honest one: the gateway lives, what has to end ends, nobody else notices, nothing is left behind.

Under ASan and UBSan (`make test` runs it twice) every wrong access of memory ends prad, and so does a leak.
The full form, every message in every state several times and thousands of scripts by chance, runs in
`make soak`; `make soak SAN=address` is the one to run after a change of the data path.
"""

import os
import random
import time

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

import attack
from lib.gateway import sanitized
from lib.procs import wait_until
from lib.servers.targets import BlackHole, echo, flood, reset_after_byte, stall
from rawssh import GLOBAL_REQUEST, Closed, RawSsh, string
from test_control import Control, hello

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_S = 5          # a gateway that is asked answers, or has ended the connection
GROWTH_KIB = 6 << 10  # of prad, over all attacks of one test


class Peer(RawSsh):
    """Keeps no books of channels that it did not open honestly."""

    def __init__(self, world, **options):
        self.world, self.hold, self.held = world, False, b""
        super().__init__(world.gateway.host, world.gateway.port, **options)

    def _send(self, data):
        self.held += data
        if not self.hold:
            data, self.held = self.held, b""
            super()._send(data)

    def send_raw(self, data):
        self.hold = False
        self._send(data)

    def seal(self, body):
        """A packet with exactly this inside, the byte of its padding included."""
        size = len(body).to_bytes(4, "big")
        return size + self.out.gcm.encrypt(self.out.nonce(), body, size)

    def account(self, p):
        try:
            super().account(p)
        except KeyError:
            pass

    def exchange(self, theirs=None):
        """Ends in Closed where the gateway has been told something else about the exchange."""
        try:
            return super().exchange(theirs)
        except (InvalidSignature, InvalidTag, ValueError, AssertionError) as e:
            raise Closed("the exchange of keys failed") from e

    def answers(self, seconds):
        """True if it answers, or has ended the connection (or spoilt it itself), in that time."""
        before = len(self.global_replies)
        try:
            self.send(bytes([GLOBAL_REQUEST]) + string("keepalive@openssh.com") + b"\1")
            self.until(lambda: len(self.global_replies) > before, seconds)
        except (Closed, OSError):
            self.ended = True
        except AssertionError as e:
            if "too long" not in str(e):
                raise
            return False
        return True

    ended = False


class Account:
    """Logs in as one user; conftest.py's User has the key."""

    def __init__(self, world, user):
        self.world, self.user = world, user

    def login(self, **options):
        return Peer(self.world, **options).login(self.user.name, self.user.key)


class World:
    """A gateway that exchanges keys often, targets of every kind, an honest neighbour."""

    def __init__(self, make_gateway, make_user, target):
        self.gateway = make_gateway(extra_config="[limits]\nrekey_data = 256K\n")
        self.hole = BlackHole().start()
        targets = {"echo": target(echo), "flood": target(flood), "stall": target(stall, rcvbuf=4096),
                   "reset": target(reset_after_byte)}
        self.forbidden = target(echo)
        self.port = {name: t.port for name, t in targets.items()} | {"hole": self.hole.port}
        users = [make_user(self.gateway), make_user(self.gateway, "strict", any_client=False),
                 make_user(self.gateway, "neighbour")]
        self.user, self.strict = (Account(self, u) for u in users[:2])
        self.rules = [u.allow(f"127.0.0.1:{port}") for port in self.port.values() for u in users][:2]
        self.honest = users[2].login()
        self.channel = self.honest.direct("127.0.0.1", self.port["echo"])
        attack.logged_in(self, None).c.close()
        wait_until(lambda: len(self.gateway.sessions()) == 1)
        self.descriptors, self.kib = self._descriptors(), self.gateway.own_kib()

    def _descriptors(self):
        return len(os.listdir(f"/proc/{self.gateway.pid}/fd"))

    def tunnel(self):
        """The connections of a primary and of a secondary that has joined it."""
        primary, second = Control(self.strict.login()), Control(self.strict.login())
        primary.say(hello())
        session = primary.hear("welcome")["session"]
        primary.say({"type": "join-token", "id": 1})
        second.say({"type": "join", "session": session, "token": primary.hear("join-token")["token"]})
        second.hear("joined")
        return primary.c, second.c

    def administer(self, rng):
        """An administrator's change that cuts channels, ends sessions, or nothing."""
        g, what = self.gateway, rng.randrange(3)
        if what == 0:  # an attacker's way to the echo target, and back
            at = rng.randrange(len(self.rules))
            g.delete_rule(self.rules[at])
            account = (self.user, self.strict)[at]
            self.rules[at] = account.user.allow(f"127.0.0.1:{self.port['echo']}")
        elif what == 1:
            others = [s["id"] for s in g.sessions() if s["user"] != "neighbour"]
            if others:
                g.admin_run("session", "kill", rng.choice(others))
        else:
            g.reload()

    def neighbour_is_well(self):
        said = len(self.channel.data)
        self.honest.write(self.channel, b"hello")
        self.honest.until(lambda: len(self.channel.data) == said + 5, SETTLE_S)
        assert self.channel.data[said:] == b"hello"

    def nothing_is_left(self):
        """Called when all attacks are over: also ends prad, which then looks for leaks."""
        g = self.gateway
        self.neighbour_is_well()
        assert self.forbidden.accepted == 0
        wait_until(lambda: len(g.sessions()) == 1, 10, "the attackers' sessions to end")
        wait_until(lambda: self._descriptors() <= self.descriptors, 10, "descriptors to be closed")
        if not sanitized("prad"):
            wait_until(lambda: g.own_kib() - self.kib < GROWTH_KIB, 5, f"memory: {self.kib}, {g.own_kib()}", 0.2)
        before = cpu_seconds(g.pid)
        time.sleep(1)
        assert cpu_seconds(g.pid) - before < 0.5, "prad spins"
        self.honest.close()
        g.process.signal(15)
        assert g.process.wait(15) == 0, g.log()[-4000:]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.fixture
def world(make_gateway, make_user, target):
    w = World(make_gateway, make_user, target)
    yield w
    w.honest.close()
    w.hole.stop()


def ending(stand, rng):
    """The attacker goes: with a reset, or as everybody does."""
    for c in (stand.c, *stand.others):
        if rng.random() < 0.5:
            c.sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER, 0 s
        c.close()


def attacked(world, what, stand, parts, rng):
    """Sends `parts`; says whether the gateway is still there for its neighbours. Then the attacker goes."""
    try:
        attack.deliver(stand, parts, rng)
    except (Closed, OSError):
        stand.c.ended = True
    assert world.gateway.process.running(), f"{what}\n{world.gateway.log()[-6000:]}"
    world.neighbour_is_well()


# After these the gateway waits for the rest, of the packet or of the exchange of keys.
SILENT = {"half a packet", "forged length", "kexinit", "kexinit twice", "key exchange out of order",
          "weak public value"}


def one_message(world, state, name, rng):
    what = f"{state.__name__}: {name}"
    stand = state(world, rng)
    attacked(world, what, stand, attack.make(name, stand, rng), rng)
    if stand.answers and name not in SILENT:
        assert stand.c.answers(SETTLE_S), f"{what}: neither an answer nor an end"
    if state is attack.opened and name in attack.FATAL - SILENT:
        assert stand.c.ended, f"{what}: lives on"
    ending(stand, rng)


@pytest.mark.parametrize("rounds", [0, pytest.param(5, marks=pytest.mark.soak)])
def test_messages_forged_in_every_state_hurt_nobody(world, rounds):
    """Round 0 is the short form: a third of the messages in each state, all of them over three states."""
    names = list(attack.MESSAGES)
    for number, state in enumerate(attack.STATES):
        for n in range(max(rounds, 1)):
            rng = random.Random(attack.seed_of(f"{state.__name__}-{n}"))
            for name in names if rounds else names[number % 3::3]:
                one_message(world, state, name, rng)
    world.nothing_is_left()
    print(f"figure: {len(names)} messages in {len(attack.STATES)} states, {rounds} times each")


@pytest.mark.parametrize("count", [100, pytest.param(5000, marks=pytest.mark.soak)])
def test_scripts_by_chance_hurt_nobody(world, count):
    """Some attackers stay and attack again, while an administrator takes away what they use."""
    living = []
    for n in range(count):
        rng = random.Random(attack.seed_of(n))
        if not living or rng.random() < 0.7:
            living.append(rng.choice(attack.STATES)(world, rng))
        if n % 25 == 24:
            world.administer(rng)
        stand = rng.choice(living)
        attacked(world, f"script {n}", stand, attack.script(stand, rng), rng)
        if stand.answers and not stand.c.ended:
            stand.c.answers(0.03)
        if stand.c.ended or len(living) > 6 or rng.random() < 0.5:
            living.remove(stand)
            ending(stand, rng)
    for stand in living:
        ending(stand, rng)
    world.nothing_is_left()
    print(f"figure: {count} scripts of forged messages by chance")


def test_what_has_to_end_a_connection_ends_it(world):
    for name in sorted(attack.FATAL):
        rng = random.Random(attack.seed_of(name))
        stand = attack.opened(world, rng)
        attacked(world, name, stand, attack.make(name, stand, rng), rng)
        if name != "forged length":  # a plausible one is waited for
            assert stand.c.closed_within(SETTLE_S), name
        ending(stand, rng)
