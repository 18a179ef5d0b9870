"""Somebody on the way flips one bit of a packet, anywhere in it, in either direction, with each cipher that is offered: not a
byte of that packet reaches anybody, and the connection ends (quality 3)."""

import random
import socket

import pytest

from lib.client import dial
from lib.ports import free_port
from lib.processor import NO_AES
from lib.procs import wait_until
from lib.servers.targets import CHUNK, Relay, echo, pattern
from lib.standard import OpenSSH

GCM, CHACHA = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"
GOOD, SHORT = 4096, 64
UP, DOWN = 0, 1
# Of a packet with 64 bytes of data: length, padding, message, data, padding, tag. Behind it comes more of the same.
PACKET = 4 + 1 + 9 + SHORT + 16 + 16


class Flipper(Relay):
    """Relays, and flips one bit when told so."""

    def __init__(self, to_port):
        super().__init__(to_port)
        self._at = [None, None]

    def flip(self, direction, at, bit):
        """One bit of the at-th byte from now on in that direction."""
        self._bit, self._at[direction] = bit, at

    def _pump(self, a, b):
        direction = DOWN if any(a is far for _, far in self._pairs) else UP
        try:
            while data := a.recv(CHUNK):
                at = self._at[direction]
                if at is not None:
                    self._at[direction] = at - len(data) if at >= len(data) else None
                    if at < len(data):
                        data = data[:at] + bytes([data[at] ^ 1 << self._bit]) + data[at + 1:]
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):  # closed alone, a socket that the other thread reads stays open
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def spoilt(local, relay, direction, at, bit):
    """What arrives of `data`, of which a packet is spoilt behind the first GOOD bytes, until the connection ends."""
    data = pattern(at, GOOD + SHORT + 300_000)
    came = bytearray()
    with dial(local, timeout=3) as s:
        s.sendall(data[:GOOD])
        while len(came) < GOOD:
            came += s.recv(GOOD - len(came))
        relay.flip(direction, at, bit)
        try:
            s.sendall(data[GOOD:GOOD + SHORT])
            # A length that became greater is waited for: here is more than that.
            s.sendall(data[GOOD + SHORT:])
            while part := s.recv(CHUNK):
                came += part
        except OSError as e:
            # A length may have become one that the sender's window never fills.
            assert at < 4 or not isinstance(e, TimeoutError), f"byte {at}: still connected"
    assert data.startswith(bytes(came)), f"byte {at}, bit {bit}: altered data was delivered"
    assert len(came) < len(data)
    return len(came)


def places(seed, count):
    rng = random.Random(seed)
    ats = range(PACKET) if count is None else sorted({0, *rng.sample(range(PACKET), count - 1)})
    return [(direction, at, rng.randrange(8)) for at in ats for direction in (UP, DOWN)]


@pytest.fixture
def relay(gateway):
    r = Flipper(gateway.port).start()
    yield r
    r.stop()


FULL = pytest.param(None, marks=pytest.mark.soak)


@pytest.mark.parametrize("count", [3, FULL])
@pytest.mark.parametrize("cipher", [GCM, "aes256-gcm@openssh.com", CHACHA, "aes128-ctr", "aes256-ctr"])
def test_ssh_and_prad(folder, gateway, target, relay, cipher, count):
    ssh = OpenSSH(f"{folder}/ssh", gateway).register()
    ssh.trust_host()
    where = f"127.0.0.1:{target(echo).port}"
    gateway.add_rule("suzuki", "T", where)
    ssh.gateway = relay
    with open(ssh.known_hosts) as known:
        keys = known.read()
    with open(ssh.known_hosts, "a") as known:
        known.write(keys.replace(f":{gateway.port}", f":{relay.port}"))
    try:
        for direction, at, bit in places(cipher, count):
            local = free_port()
            process = ssh.start("-c", cipher, "-L", f"127.0.0.1:{local}:{where}")
            process.wait_port(local)
            spoilt(local, relay, direction, at, bit)
            process.stop(timeout=1)
    finally:
        ssh.stop()


@pytest.mark.parametrize("count", [3, FULL])
@pytest.mark.parametrize("env, cipher", [(None, GCM), (NO_AES, CHACHA)], ids=["aes", "no-aes"])
def test_agent_and_prad(gateway, make_client, target, relay, env, cipher, count):
    client = make_client(env=env).enrol()
    client.set_server(f"127.0.0.1:{relay.port}")
    local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", local)
    for direction, at, bit in places(cipher, count):
        client.connect()
        client.wait_forward("Echo")
        attempts = client.system_log().count("state connecting -> connected")
        spoilt(local, relay, direction, at, bit)
        wait_until(lambda: client.system_log().count("state connecting -> connected") > attempts or
                   client.status()["state"] != "connected", 10, "the session to end", 0.05)
