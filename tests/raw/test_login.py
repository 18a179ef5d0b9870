"""Before login: nothing but a valid signature of a registered key opens anything."""

import os
import socket
import time

import pytest

from rawssh import (AUTH_FAILURE, AUTH_PK_OK, AUTH_REQUEST, AUTH_SUCCESS, DEBUG, IGNORE, OPEN,
                    SERVICE_REQUEST, UNIMPLEMENTED, Closed, string, u32)
from lib.procs import own_kib

# Of these the protocol allows any number at any time (RFC 4253 11), or before login.
HARMLESS = {IGNORE, UNIMPLEMENTED, DEBUG}


def bodies(number):
    """Payloads for one message number: none, something well formed, noise."""
    yield b""
    if number == OPEN:
        yield (string("direct-tcpip") + u32(0) + u32(1 << 20) + u32(32768) + string("127.0.0.1") +
               u32(22) + string("127.0.0.1") + u32(1))
    yield u32(0) + string("x") * 4
    yield os.urandom(64)


def reach(c, state):
    """Brings a connection to a state before login."""
    c.versions()
    if state == "version":
        return c
    if state == "kexinit":
        c.send(c.kexinit())
        return c
    c.exchange()
    if state == "service":
        c.service()
    return c


@pytest.mark.parametrize("state", ["version", "kexinit", "keys", "service"])
def test_no_message_before_login_reaches_a_channel(gateway, user, target, state):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    for number in range(256):
        for body in bodies(number):
            c = reach(user.connect(), state)
            try:
                c.send(bytes([number]) + body)
                c.send(bytes([OPEN]) + string("direct-tcpip") + u32(0) + u32(1 << 20) + u32(32768) +
                       string("127.0.0.1") + u32(t.port) + string("127.0.0.1") + u32(1))
                begun = time.monotonic()
                assert c.closed_within(3), f"message {number} then a channel: still connected"
                assert time.monotonic() - begun < 1
            except Closed:
                pass
            c.close()
    assert t.accepted == 0
    assert gateway.process.running()
    user.login().close()


@pytest.mark.release_only
@pytest.mark.parametrize("state", ["version", "keys", "service"])
def test_any_message_and_a_channel_before_login_end_the_connection_at_once(gateway, user, state):
    took = []
    for number in range(256):
        c = reach(user.connect(), state)
        try:
            begun = time.monotonic()
            c.send_raw(c.pack(bytes([number]) + string("x") * 4) +
                       c.pack(bytes([OPEN]) + string("session") + u32(0) + u32(1 << 20) + u32(32768)))
            assert c.closed_within(2), f"message {number}"
        except Closed:
            pass
        took.append(time.monotonic() - begun)
        c.close()
    assert max(took) < 0.1, f"message {took.index(max(took))}: {max(took):.3f} s"
    print(f"figure: in state {state} disconnected after {1000 * sorted(took)[128]:.1f} ms, at most {1000 * max(took):.1f} ms")


def test_signature_by_another_key_is_refused_and_audited(gateway, user, make_user):
    other = make_user(gateway, "bob")
    c = user.connect()
    c.versions()
    c.exchange().service()
    assert c.offer("alice", user.key) == AUTH_PK_OK
    c.send(c.sign_request("alice", user.key, sign_key=other.key))
    assert c.recv()[0] == AUTH_FAILURE
    event = gateway.wait_audit("login-refused", reason="wrong-signature")
    assert event["user"] == "alice" and event["device"] == user.fingerprint()


def test_identity_is_the_one_that_was_signed(gateway, user, make_user, target):
    """Offer alice's key as alice, then log in as bob with bob's: bob's rules count."""
    t = target()
    bob = make_user(gateway, "bob")
    user.allow(f"127.0.0.1:{t.port}")
    c = user.connect()
    c.versions()
    c.exchange().service()
    assert c.offer("alice", user.key) == AUTH_PK_OK
    c.send(c.sign_request("alice", bob.key))  # bob's key is not alice's
    assert c.recv()[0] == AUTH_FAILURE
    c.send(c.sign_request("alice", user.key, sign_as="bob"))  # signed over another name
    assert c.recv()[0] == AUTH_FAILURE
    c.send(c.sign_request("bob", bob.key))
    assert c.recv()[0] == AUTH_SUCCESS
    assert c.direct("127.0.0.1", t.port).failure[0] == 1
    assert gateway.wait_audit("channel-refused")["user"] == "bob"


def test_user_names_are_case_sensitive(gateway, user):
    c = user.connect()
    c.versions()
    c.exchange().service()
    assert c.offer("Alice", user.key) == AUTH_FAILURE
    assert c.offer("alice", user.key) == AUTH_PK_OK


def test_revoked_key_is_told_nothing(gateway, user):
    gateway.admin("key", "revoke", user.fingerprint())
    c = user.connect()
    c.versions()
    c.exchange().service()
    assert c.offer("alice", user.key) == AUTH_FAILURE
    c.send(c.sign_request("alice", user.key))
    assert c.recv()[0] == AUTH_FAILURE
    assert gateway.wait_audit("login-refused", reason="key-revoked")["device"] == user.fingerprint()


def test_only_publickey_is_offered_and_tries_are_limited(gateway, user):
    c = user.connect()
    c.versions()
    c.exchange().service()
    c.send(bytes([AUTH_REQUEST]) + string("alice") + string("ssh-connection") + string("none"))
    assert c.recv()[1:] == string("publickey") + b"\0"
    tries = 0
    with pytest.raises(Closed):
        while tries < 50:
            c.send(bytes([AUTH_REQUEST]) + string("alice") + string("ssh-connection") +
                   string("password") + b"\0" + string("secret"))
            c.recv()
            tries += 1
    assert tries == 5  # max_auth_tries = 6, and the sixth ends it
    assert len(gateway.audit("login-refused", reason="method")) == 6


def test_other_services_are_not_spoken(user):
    c = user.connect()
    c.versions()
    c.exchange()
    c.send(bytes([SERVICE_REQUEST]) + string("ssh-connection"))
    assert c.closed_within(2)


def test_silent_connection_ends_after_the_login_grace(make_gateway, make_user):
    gateway = make_gateway(extra_config="[limits]\nlogin_grace = 2s\n[log]\nlevel = info\n")
    user = make_user(gateway)
    silent, half = user.connect(), user.connect()
    half.versions()
    begun = time.monotonic()
    assert half.closed_within(6)
    assert silent._recv(8) == b"SSH-2.0-"  # was answered after 200 ms
    with pytest.raises(Closed):
        while True:
            silent._recv(1)
    assert 1 < time.monotonic() - begun < 5
    gateway.wait_audit("login-refused", reason="login-grace")


@pytest.mark.release_only
def test_flood_before_login_leaves_memory_flat(gateway, user):
    before = own_kib(gateway.pid)
    c = user.connect(rcvbuf=4096)
    c.versions()
    c.exchange()
    try:
        for _ in range(20000):  # each is answered UNIMPLEMENTED; nothing is ever read
            c.send(bytes([192]) + bytes(100))
    except (Closed, socket.timeout, TimeoutError):
        pass
    ignored = user.connect()
    ignored.versions()
    ignored.exchange()
    for _ in range(2000):
        ignored.send(bytes([IGNORE]) + string(bytes(1000)))
    assert own_kib(gateway.pid) - before < 1024
    user.login().close()


FLOODS = {
    "unknown": lambda c, user: c.send(bytes([192]) + bytes(1000)),
    "ignore": lambda c, user: c.send(bytes([IGNORE]) + string(bytes(1000))),
    "guesses": lambda c, user: c.send(bytes([AUTH_REQUEST]) + string("alice") + string("ssh-connection") +
                                      string("password") + b"\0" + string(bytes(1000))),
}


@pytest.mark.release_only
def test_connections_that_flood_before_login_cost_at_most_256_kib_each(gateway, user):
    before = own_kib(gateway.pid)
    many = [(user.connect(rcvbuf=4096, timeout=0.2), flood) for flood in FLOODS.values() for _ in range(10)]
    for c, _ in many:
        c.versions()
        c.exchange().service()
    most = 0
    for _ in range(40):
        for c, flood in many:
            try:
                for _ in range(20):
                    flood(c, user)
            except (Closed, OSError):  # it was ended, or nothing more is taken from it
                pass
        most = max(most, own_kib(gateway.pid) - before)
    assert most <= 256 * len(many), f"{most} KiB for {len(many)}"
    user.login().close()
    print(f"figure: {len(many)} connections that flood before login cost {most // len(many)} KiB each")


@pytest.mark.release_only
@pytest.mark.parametrize("count", [2000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_memory_is_flat_after_connections_that_come_to_nothing(gateway, user, make_user, count):
    """Silent ones, halves of a greeting, garbage; every twentieth exchanges keys and guesses.

    What they leave in the audit does not count (`own_kib()` and `heap_kib()` of the gateway).
    """
    stranger = make_user(gateway, "bob")
    gateway.admin("key", "revoke", stranger.fingerprint())

    flat = None
    for n in range(count):
        if n % 20 == 0:
            c = stranger.connect()
            c.versions()
            c.exchange().service()
            c.send(c.sign_request("bob", stranger.key))
            assert c.recv()[0] == AUTH_FAILURE
            c.close()
        else:
            with socket.create_connection((gateway.host, gateway.port)) as s:
                s.sendall([b"", b"SSH-2.0-half", b"SSH-2.0-x\r\n" + bytes(40), b"\xff" * 3][n % 4])
        if n == count // 4:  # the allocator has what it needs
            flat, used = gateway.own_kib(), gateway.heap_kib()
    grown, more = gateway.own_kib() - flat, gateway.heap_kib() - used
    assert grown < 1024 and more < 256, f"{grown} KiB more, {more} in use, after {count} connections"
    user.login().close()
    print(f"figure: {grown} KiB more, {more} KiB more in use, after {count} connections that came to nothing")


def test_too_large_and_broken_packets_end_the_connection(gateway, user):
    for wire in (u32(0xffffffff) + bytes(64), u32(300000) + bytes(64), u32(0) + bytes(64),
                 u32(12) + b"\xff" + bytes(30)):
        c = user.connect()
        c.versions()
        c.send_raw(wire)
        assert c.closed_within(3), wire[:8]
    c = user.login()
    packet = bytearray(c.pack(bytes([IGNORE]) + string("x" * 40)))
    packet[-20] ^= 1
    c.send_raw(bytes(packet))
    assert c.closed_within(2)
    gateway.wait_audit("protocol-error")


def test_browser_gets_the_port_check_and_ssh_goes_on(gateway, user):
    for request in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GE"):
        with socket.create_connection((gateway.host, gateway.port)) as s:
            s.sendall(request)
            s.settimeout(3)
            got = b""
            while b"OK!" not in got and b"SSH-2.0" not in got:
                got += s.recv(4096)
            if len(request) > 4:
                assert got.startswith(b"HTTP/1.1 200") and got.endswith(b"\r\n\r\n10022 OK!")
                assert b"\r\nDate: " in got
            else:
                assert got.startswith(b"SSH-2.0")
    user.login().close()
