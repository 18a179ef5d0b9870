"""Strict key exchange (quality 2): whatever somebody on the way puts in before NEWKEYS ends the connection, in both directions.

The cipher is AES-GCM, which does not count packets: an end that only ignored what was put in would go on, and would be caught.
Each test shows first that it would see that, with a peer that does not ask for strict key exchange.
"""

import threading
import time

import pytest

from lib.client import PASSPHRASE, Client
from lib.gateway import Gateway, program
from lib.procs import wait_until
from rawgateway import RawGateway, Session
from rawssh import (AUTH_REQUEST, DEBUG, ECDH_INIT, ECDH_REPLY, EXT_INFO, IGNORE, KEXINIT, NEWKEYS, SERVICE_ACCEPT, SERVICE_REQUEST,
                    UNIMPLEMENTED, Closed, RawSsh, string, u32)

STRICT = {"client": b"kex-strict-c-v00@openssh.com", "gateway": b"kex-strict-s-v00@openssh.com"}
BODIES = {IGNORE: string("x"), UNIMPLEMENTED: u32(0), DEBUG: b"\0" + string("x") + string(""), EXT_INFO: u32(0)}
# What a peer may always say without strict key exchange (RFC 4253 11), what it never may, every part of a key exchange once more.
SOME = [0, *range(1, 8), 19, KEXINIT, NEWKEYS, *range(30, 35), 50, 52, 60, 61, 80, 90, 94, 98, 100, 192, 255]
NUMBERS = [SOME, pytest.param(range(256), marks=pytest.mark.soak)]


class Injected:
    """An exchange with one more packet in front of the one named; mixed into a RawSsh."""

    strict, before, number = None, None, None

    def kexinit(self):
        plain, first = super().kexinit(), string("curve25519-sha256")
        return plain.replace(first, string(b"curve25519-sha256," + self.strict)) if self.strict else plain

    def send(self, payload):
        if payload[0] == self.before:
            self.before = None
            super().send(bytes([self.number]) + BODIES.get(self.number, u32(0) + string("x") * 4))
        super().send(payload)


class InjectedClient(Injected, RawSsh):
    """Somebody on the way to the gateway."""


class InjectedGateway(Injected, Session):
    """Somebody on the way to the client."""


@pytest.fixture(scope="module")
def door(programs, tmp_path_factory):
    """A gateway that refuses nobody for what came from his address before."""
    g = Gateway(tmp_path_factory.mktemp("door"), penalties=False).init().start()
    yield g
    g.stop()


def gateway_goes_on(gateway, before, number, strict=STRICT["client"]):
    """Does a gateway into whose key exchange `number` was put answer behind it?"""
    c = InjectedClient(gateway.host, gateway.port)
    c.strict, c.before, c.number = strict, before, number
    try:
        c.versions()
        c.exchange()
        c.service()
        return True
    except Closed:
        return False
    finally:
        c.close()


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("before", [KEXINIT, ECDH_INIT, NEWKEYS])
def test_nothing_can_be_put_in_on_the_way_to_the_gateway(door, before, numbers):
    assert gateway_goes_on(door, None, None), "without anybody on the way"
    assert gateway_goes_on(door, before, IGNORE, strict=None), "the test must see a gateway that goes on"
    begun = time.monotonic()
    for number in numbers:
        assert not gateway_goes_on(door, before, number), f"message {number} before {before}"
    assert time.monotonic() - begun < 1 * len(numbers), "ended at once"
    assert door.process.running()
    assert gateway_goes_on(door, None, None)
    print(f"figure: {len(numbers)} messages put in before {before} on the way to the gateway: each ended the connection")


@pytest.fixture(scope="module")
def laptop(programs, tmp_path_factory):
    client = Client(tmp_path_factory.mktemp("laptop"), None, binary=program("test/pra"))
    client.keygen()
    yield client
    client.close()


class Way:
    """A gateway behind somebody who puts `number` in; `went_on` is set when the client logs in behind it."""

    def __init__(self, pc):
        self.pc, self.ended = pc, threading.Event()
        self.strict, self.before, self.number = STRICT["gateway"], None, None
        self.went_on = False
        self.gateway = RawGateway(self._script)
        pc.gateway = self.gateway
        pc.set_server()
        pc.try_connect(0)  # starts the agent
        assert self.ended.wait(10)
        pc.disconnect()

    def _script(self, s):
        s.__class__ = InjectedGateway
        s.strict, s.before, s.number = self.strict, self.before, self.number
        try:
            s.handshake()
            while s.recv()[0] != SERVICE_REQUEST:  # sent right behind NEWKEYS, before anything is read
                pass
            s.send(bytes([SERVICE_ACCEPT]) + string("ssh-userauth"))
            while s.recv()[0] != AUTH_REQUEST:
                pass
            self.went_on = True
        finally:
            s.sock.close()
            self.ended.set()

    def client_goes_on(self, before, number, strict=STRICT["gateway"]):
        self.strict, self.before, self.number = strict, before, number
        self.went_on = False
        self.ended.clear()
        assert self.pc.agent_call(op="connect", user=None, passphrase=PASSPHRASE, accept_host_key=None)["ok"]
        assert self.ended.wait(10), f"message {number}: the client still waits: {self.pc.status()}"
        self.pc.agent_call(op="disconnect")
        wait_until(lambda: self.pc.agent_call(op="status")["status"]["state"] == "disconnected", 10, "the attempt to end", 0.003)
        return self.went_on


@pytest.fixture
def way(laptop):
    made = Way(laptop)
    yield made
    made.gateway.close()
    assert made.gateway.failure is None, repr(made.gateway.failure)


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("before", [KEXINIT, ECDH_REPLY, NEWKEYS])
def test_nothing_can_be_put_in_on_the_way_to_the_client(way, before, numbers):
    assert way.client_goes_on(None, None), "without anybody on the way"
    assert way.client_goes_on(before, IGNORE, strict=None), "the test must see a client that goes on"
    for number in numbers:
        assert not way.client_goes_on(before, number), f"message {number} before {before}"
    assert way.client_goes_on(None, None)
    print(f"figure: {len(numbers)} messages put in before {before} on the way to the client: each ended the connection")
