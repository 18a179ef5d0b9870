"""ssh, plink and dbclient under the same rules as PRA's own client (N10)."""

import hashlib
import time

import pytest

from lib.client import dial, exchange
from lib.ports import free_port
from lib.procs import port_answers, wait_until
from lib.servers.targets import digest, pattern, pour, trickle
from lib.standard import ALL, OpenSSH

LIMIT = 1.0


@pytest.fixture(params=ALL, ids=[c.program for c in ALL])
def peer(request, gateway, folder):
    """A registered standard client."""
    client = request.param(f"{folder}/{request.param.program}", gateway).register()
    client.trust_host()
    yield client
    client.stop()


def refused(port):
    """True if a connection to this local port ends without a byte."""
    try:
        return exchange(port, b"hello", 1) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def test_allowed_target_is_reached(peer, gateway, target):
    where = f"127.0.0.1:{target().port}"
    gateway.add_rule("suzuki", "Echo", where)
    local = free_port()
    peer.forward(local, where)
    assert exchange(local, b"hello", 5) == b"hello"
    session = gateway.sessions()[0]
    assert session["user"] == "suzuki" and session["device"] == peer.fingerprint()


def test_a_mebibyte_each_way_arrives_unchanged(peer, gateway, target):
    sink, source = f"127.0.0.1:{target(digest).port}", f"127.0.0.1:{target(pour).port}"
    up, down = free_port(), free_port()
    for where in (sink, source):
        gateway.add_rule("suzuki", "T", where)
    peer.start("-L", f"127.0.0.1:{up}:{sink}", "-L", f"127.0.0.1:{down}:{source}").wait_port(down)
    data = pattern(11, 1 << 20)
    assert exchange(up, data).decode() == hashlib.sha256(data).hexdigest()
    assert exchange(down, b"11 1048576\n", len(data)) == data


def test_denied_target_is_refused_and_audited(peer, gateway, target):
    where = f"127.0.0.1:{target().port}"
    denied = gateway.add_rule("suzuki", "Stop", where, action="deny")
    gateway.add_rule("suzuki", "All", "127.0.0.0/8:1-65535")
    local = free_port()
    peer.forward(local, where)
    assert refused(local)
    record = gateway.wait_audit("channel-refused", user="suzuki")
    assert record["target"] == where and record["rule"] == denied
    assert record["device"] == peer.fingerprint()
    assert record["source"].startswith("127.0.0.1")


def test_target_outside_the_rules_is_refused_and_audited(peer, gateway, target):
    gateway.add_rule("suzuki", "Other", "mail.example.com:110")
    where = f"127.0.0.1:{target().port}"
    local = free_port()
    peer.forward(local, where)
    assert refused(local)
    record = gateway.wait_audit("channel-refused", user="suzuki")
    assert record["target"] == where and not record["rule"]
    assert record["reason"] == "default-deny"


def test_revoked_key_is_cut_within_a_second(peer, gateway, target):
    where = f"127.0.0.1:{target(trickle).port}"
    gateway.add_rule("suzuki", "Tick", where)
    local = free_port()
    process = peer.forward(local, where)
    with dial(local) as s:
        assert s.recv(1) == b"."
        gateway.admin("key", "revoke", peer.fingerprint())
        start = time.monotonic()
        wait_until(lambda: not process.running(), 5, "the client to be disconnected")
        assert time.monotonic() - start <= LIMIT
    gateway.wait_audit("session-cut", user="suzuki")
    again = peer.start("-L", f"127.0.0.1:{free_port()}:{where}")
    assert again.wait(10) != 0
    gateway.wait_audit("login-refused", user="suzuki")


def test_removed_rule_cuts_its_connection_and_no_other_within_a_second(peer, gateway, target):
    places = [f"127.0.0.1:{target(trickle).port}" for _ in range(2)]
    rules = [gateway.add_rule("suzuki", f"Tick{i}", p) for i, p in enumerate(places)]
    local = [free_port(), free_port()]
    peer.start("-L", f"127.0.0.1:{local[0]}:{places[0]}",
               "-L", f"127.0.0.1:{local[1]}:{places[1]}").wait_port(local[1])
    with dial(local[0]) as doomed, dial(local[1]) as kept:
        assert doomed.recv(1) == kept.recv(1) == b"."
        gateway.delete_rule(rules[0])
        start = time.monotonic()
        try:
            while doomed.recv(4096):
                pass
        except ConnectionResetError:
            pass
        assert time.monotonic() - start <= LIMIT
        for _ in range(30):
            assert kept.recv(1) == b"."
    assert gateway.wait_audit("channel-cut")["rule"] == rules[0]


def test_opens_are_audited(peer, gateway, target):
    where = f"127.0.0.1:{target().port}"
    rule = gateway.add_rule("suzuki", "Echo", where, log=True)
    local = free_port()
    peer.forward(local, where)
    assert exchange(local, b"hello", 5) == b"hello"
    record = gateway.wait_audit("channel-close", user="suzuki", bytes_in=5)
    assert record["rule"] == rule and record["target"] == where
    assert record["bytes_out"] == 5


def test_key_without_any_client_may_not_skip_the_hello(gateway, folder, target):
    where = f"127.0.0.1:{target().port}"
    peer = OpenSSH(f"{folder}/ssh", gateway).register(any_client=False)
    peer.trust_host()
    gateway.add_rule("suzuki", "Echo", where)
    local = free_port()
    try:
        process = peer.start("-L", f"127.0.0.1:{local}:{where}")
        wait_until(lambda: not process.running() or port_answers(local), 10, "ssh to listen or end")
        assert not process.running() or refused(local)
    finally:
        peer.stop()


def test_unregistered_key_is_told_nothing(gateway, folder):
    peer = OpenSSH(f"{folder}/ssh", gateway)
    gateway.add_user("suzuki")
    peer.trust_host()
    result = peer.run("-N", "suzuki@127.0.0.1")
    assert result.status == 255
    assert "Permission denied (publickey)" in result.err
    unknown_user = peer.run("-N", "nobody-here@127.0.0.1")
    assert unknown_user.err.replace("nobody-here", "suzuki") == result.err
