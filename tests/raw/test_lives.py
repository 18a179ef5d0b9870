"""Attacks on lives: what ends, while something else of the same session is still under way."""

import json
import socket
import threading
import time

from lib.procs import wait_until
from lib.servers.targets import echo
from rawssh import CLOSE, GLOBAL_REQUEST, Closed, string, u32

# A target that neither answers nor refuses: TEST-NET-1 of RFC 5737.
BLACK_HOLE = "192.0.2.77"


def control(c):
    """A control channel on which hello was said and the welcome came."""
    ch = c.open("session")
    c.request(ch, "subsystem", string("pra@v1"))
    c.until(lambda: ch.replies)
    hello = {"type": "hello", "proto": 1, "version": "t", "os": "t", "machine": "00",
             "clock": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "binding": "bound"}
    c.write(ch, json.dumps(hello).encode() + b"\n")
    c.until(lambda: b"welcome" in ch.data)
    return ch


def still_serves(gateway, user):
    assert gateway.process.running()
    c = user.login()
    assert c.direct(BLACK_HOLE, 1).failure
    c.close()


def test_control_channel_closed_while_explanations_wait(gateway, user):
    rule = user.allow(f"{BLACK_HOLE}:9", local="127.0.0.1:9009")
    for _ in range(5):
        c = user.login()
        ch = control(c)
        asked = b"".join(json.dumps({"type": "explain", "id": i, "rule": rule}).encode() + b"\n"
                         for i in range(4))
        c.write(ch, asked)
        c.send_raw(c.pack(bytes([CLOSE]) + u32(ch.remote)))
        assert c.closed_within(3)
    still_serves(gateway, user)


def test_session_that_vanishes_while_explanations_wait(gateway, user):
    rule = user.allow(f"{BLACK_HOLE}:9", local="127.0.0.1:9009")
    for _ in range(5):
        c = user.login()
        ch = control(c)
        c.write(ch, json.dumps({"type": "explain", "id": 1, "rule": rule}).encode() + b"\n")
        c.close()
    wait_until(lambda: gateway.sessions() == [])
    still_serves(gateway, user)


def test_every_request_of_a_burst_is_answered(user):
    """More messages than one turn of the worker takes, and then silence."""
    c = user.login()
    for asks in (b"\1" * 1000, b"\0" * 999 + b"\1"):
        burst = b"".join(c.pack(bytes([GLOBAL_REQUEST]) + string("x") + bytes([ask])) for ask in asks)
        before = len(c.global_replies)
        c.send_raw(burst)
        c.until(lambda: len(c.global_replies) == before + asks.count(1), 3)


def test_explain_of_a_silent_target_holds_up_no_revocation(gateway, user, target):
    t = target(echo)
    rule = user.allow(f"127.0.0.1:{t.port}")
    user.allow(f"{BLACK_HOLE}:9", name="silent")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    assert ch.opened
    answers = []
    asking = threading.Thread(target=lambda: answers.append(
        gateway.admin("explain", "--user", user.name, "--target", f"{BLACK_HOLE}:9")))
    asking.start()
    time.sleep(0.5)
    begun = time.monotonic()
    gateway.delete_rule(rule)
    c.until(lambda: ch.closed)
    took, meanwhile = time.monotonic() - begun, asking.is_alive()
    asking.join()
    assert took < 1 and meanwhile
    assert answers[0]["decision"] == "allow" and answers[0]["dns"]["ok"]
    assert not answers[0]["connect"]["ok"] and answers[0]["connect"]["error"]


def test_session_that_is_told_to_go_opens_nothing_more(gateway, user, target):
    """The last words take up to a second; a revoked key gets no new connection meanwhile."""
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = control(c)
    assert c.direct("127.0.0.1", t.port).opened
    gateway.admin("key", "revoke", user.fingerprint())
    c.until(lambda: b"key-revoked" in ch.data)
    opened = []
    try:
        for _ in range(20):
            opened.append(c.direct("127.0.0.1", t.port).opened)
    except Closed:
        pass
    assert not any(opened)
    assert t.accepted == 1
    assert c.closed_within(3)


def test_open_under_way_when_the_session_must_go_is_refused(gateway, user, target):
    """Connected only after the key was revoked: the answer is no."""
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = control(c)
    waiting = [c.direct("127.0.0.1", t.port, wait=False) for _ in range(50)]
    gateway.admin("key", "revoke", user.fingerprint())
    late = [c.direct("127.0.0.1", t.port, wait=False) for _ in range(50)]
    try:
        c.drain(3)
    except Closed:
        pass
    assert b"key-revoked" in ch.data
    assert not any(o.opened for o in late)
    assert all(o.closed for o in waiting if o.opened)


def test_reason_of_a_kill_reaches_the_client_whole(gateway, user):
    c = user.login()
    ch = control(c)
    reason = "a" + "管" * 42  # 127 bytes
    asked = json.dumps({"op": "session.kill", "args": {"id": gateway.sessions()[0]["id"], "reason": reason}})
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(f"{gateway.dir}/admin.sock")
        admin.sendall(asked.encode() + b"\n")
        assert json.loads(admin.recv(4096))["ok"]
    c.until(lambda: b"killed" in ch.data)
    lines = [json.loads(line) for line in bytes(ch.data).splitlines()]
    assert reason in [line.get("detail") for line in lines]
    assert gateway.wait_audit("session-cut", reason="killed")["detail"] == reason
