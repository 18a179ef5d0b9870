"""What a logged-in client may ask for, and what happens to everything else."""

import time

import pytest

from lib.gateway import sanitized
from lib.ports import free_port
from lib.procs import own_kib, wait_until
from rawssh import (ADJUST, CLOSE, DATA, FAILURE, GLOBAL_REQUEST, REQUEST_FAILURE, Closed, string, u32)

# Sanitizers keep freed memory for a while.
SANITIZED = sanitized("prad")

BAD_HOSTS = ["", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "127.0.0.1.", "a..b",
             "-", "[127.0.0.1", "127.0.0.1 ", "\xe9", "a" * 64 + ".b", "a." * 127 + "a", "1.2.3.4.5",
             "::1%lo", "mail\n", "%s%n"]
OTHER_FORMS = ["::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "::127.0.0.1", "0.0.0.0", "::",
               "127.0.0.2"]


def test_only_the_exact_target_is_reached(gateway, user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    assert c.direct("127.0.0.1", t.port).opened
    for host in BAD_HOSTS[:6] + BAD_HOSTS[7:] + OTHER_FORMS:
        ch = c.direct(host, t.port)
        assert ch.failure and ch.failure[0] == 1, host
    for port in (0, 65536, 65536 + t.port, 0xffff0000 + t.port, 0xffffffff):
        ch = c.direct("127.0.0.1", port)
        assert ch.failure and ch.failure[0] == 1, port
    wait_until(lambda: t.accepted == 1)
    refused = gateway.wait_audit("channel-refused", reason="bad-port")
    assert refused["target"].startswith("127.0.0.1:")


def test_host_with_an_embedded_nul_is_not_cut_at_it(gateway, user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.open("direct-tcpip", string(b"127.0.0.1\0.evil") + u32(t.port) + string("127.0.0.1") +
                u32(1), wait=False)
    try:
        c.drain(0.5)
    except Closed:
        pass
    assert not ch.opened
    assert t.accepted == 0


def test_failure_says_why(gateway, user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    dead = free_port()
    user.allow(f"127.0.0.1:{dead}")
    user.allow("no-such-name.invalid:80")
    c = user.login()
    assert "refused" in c.direct("127.0.0.1", dead).failure[1]
    assert "name" in c.direct("no-such-name.invalid", 80).failure[1]
    assert c.direct("127.0.0.1", t.port).opened
    assert "do not allow" in c.direct("192.0.2.1", 80).failure[1]
    gateway.wait_audit("channel-failed", reason="refused")
    gateway.wait_audit("channel-failed", reason="dns")


def test_everything_else_is_refused_and_audited(gateway, user):
    c = user.login()
    host = string("127.0.0.1")
    for kind, extra in (("x11", host + u32(1)), ("forwarded-tcpip", (host + u32(1)) * 2),
                        ("auth-agent@openssh.com", b""), ("tun@openssh.com", u32(1) + u32(1)),
                        ("direct-streamlocal@openssh.com", string("/x") + string("") + u32(0))):
        assert c.open(kind, extra).opened is False, kind
    for name, extra in (("tcpip-forward", string("0.0.0.0") + u32(2222)),
                        ("cancel-tcpip-forward", string("0.0.0.0") + u32(2222)),
                        ("streamlocal-forward@openssh.com", string("/tmp/x"))):
        c.send(bytes([GLOBAL_REQUEST]) + string(name) + b"\1" + extra)
    c.until(lambda: len(c.global_replies) == 3)
    assert set(c.global_replies) == {REQUEST_FAILURE}
    session = c.open("session")
    assert c.open("session").opened is False
    for name, extra in (("pty-req", string("vt100") + u32(80) * 4 + string("")),
                        ("env", string("A") + string("B")), ("subsystem", string("sftp")),
                        ("x11-req", b"\0" + string("MIT") + string("00") + u32(0)),
                        ("auth-agent-req@openssh.com", b""), ("no-such@request", b""),
                        ("exec", string("id"))):
        n = len(session.replies)
        c.request(session, name, extra)
        c.until(lambda: len(session.replies) > n)
        assert session.replies[-1] == FAILURE, name
    assert b"forwards ports only" in session.errors
    c.until(lambda: session.closed)
    assert gateway.wait_audit("request-refused", reason="global-request")["detail"] == \
        "streamlocal-forward@openssh.com"
    assert gateway.audit("request-refused", detail="auth-agent-req@openssh.com")
    assert gateway.audit("request-refused", detail="tun@openssh.com")
    for reason in ("x11", "forwarded-tcpip", "agent", "channel-type", "tcpip-forward",
                   "second-session-channel", "pty", "env", "subsystem", "exec"):
        event = gateway.wait_audit("request-refused", reason=reason)
        assert event["user"] == "alice" and event["device"] == user.fingerprint()


def test_keepalive_of_any_client_is_answered_and_is_no_refusal(gateway, user):
    c = user.login()
    for name in ("keepalive@openssh.com", "keepalive@libssh2.org", "keepalive@putty.example"):
        n = len(c.global_replies)
        c.send(bytes([GLOBAL_REQUEST]) + string(name) + b"\1")
        c.until(lambda: len(c.global_replies) > n)
    assert gateway.audit("request-refused") == []


def test_key_without_any_client_must_say_hello_first(gateway, make_user, target):
    t = target()
    strict = make_user(gateway, "strict", any_client=False)
    strict.allow(f"127.0.0.1:{t.port}")
    c = strict.login()
    assert "PRA client" in c.direct("127.0.0.1", t.port).failure[1]
    control = c.open("session")
    c.request(control, "subsystem", string("pra@v1"))
    c.until(lambda: control.replies)
    assert c.direct("127.0.0.1", t.port).failure
    clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    c.write(control, ('{"type":"hello","proto":1,"version":"t","os":"t","machine":"00",'
                      f'"clock":"{clock}","lang":"en","binding":"bound"}}\n').encode())
    c.until(lambda: b"welcome" in control.data)
    assert c.direct("127.0.0.1", t.port).opened
    assert gateway.wait_audit("channel-refused", reason="no-hello")


@pytest.mark.parametrize("max_packet", [0, 1, 2, 16, 64, 0xffffffff])
@pytest.mark.parametrize("window", [0, 1, 0xffffffff])
def test_absurd_packet_sizes_and_windows_hurt_nobody(gateway, user, target, max_packet, window):
    from lib.servers.targets import flood
    t = target(flood)
    user.allow(f"127.0.0.1:{t.port}")
    before = own_kib(gateway.pid)
    c = user.login(rcvbuf=8192)
    ch = c.open("direct-tcpip", string("127.0.0.1") + u32(t.port) + string("127.0.0.1") + u32(1),
                window=window, max_packet=max_packet, wait=False)
    other = user.login()
    begun = time.monotonic()
    assert other.direct("192.0.2.1", 80).failure  # the worker still answers
    assert time.monotonic() - begun < 1
    time.sleep(0.5)  # nothing is read meanwhile
    if not SANITIZED:
        assert own_kib(gateway.pid) - before < 2048
    if max_packet < 1024:
        c.until(lambda: ch.opened is False)
    elif window == 1:
        c.until(lambda: ch.opened is not None)
        if ch.opened:
            c.drain(0.3)
            assert len(ch.data) == 1
    c.close()
    assert gateway.process.running()


def test_sending_past_the_window_ends_the_session(gateway, user, target):
    from lib.servers.targets import stall
    t = target(stall, rcvbuf=4096)
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    block = bytes([DATA]) + u32(ch.remote) + string(bytes(32768))
    with pytest.raises((Closed, TimeoutError)):
        for _ in range(1024):
            c.send(block)
        c.drain(3)
    gateway.wait_audit("protocol-error")
    assert gateway.wait_audit("logout", reason="protocol-error")


def test_window_adjust_overflow_ends_the_session(user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port, window=0xffffffff)
    c.send(bytes([ADJUST]) + u32(ch.remote) + u32(1))
    assert c.closed_within(2)


def test_messages_for_channels_that_do_not_exist_are_harmless(gateway, user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    ch = c.direct("127.0.0.1", t.port)
    for kind in range(91, 101):
        for number in (0, 0xffffffff, ch.remote + 1):
            c.send(bytes([kind]) + u32(number) + string("x") + u32(1))
    c.write(ch, b"still here")
    c.until(lambda: ch.data == b"still here")
    assert gateway.process.running()


def test_requests_and_data_after_close_are_harmless(gateway, user, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    for _ in range(50):
        ch = c.direct("127.0.0.1", t.port)
        burst = c.pack(bytes([DATA]) + u32(ch.remote) + string("x"))
        burst += c.pack(bytes([98]) + u32(ch.remote) + string("exec") + b"\1" + string("id"))
        burst += c.pack(bytes([CLOSE]) + u32(ch.remote))
        burst += c.pack(bytes([98]) + u32(ch.remote) + string("shell") + b"\1")
        burst += c.pack(bytes([CLOSE]) + u32(ch.remote))
        c.send_raw(burst)
        c.until(lambda: ch.closed)
    assert c.direct("127.0.0.1", t.port).opened
    assert gateway.process.running()


def test_channels_are_limited_and_given_back(make_gateway, make_user, target):
    gateway = make_gateway(extra_config="[log]\nlevel = info\n")
    with open(gateway.config) as f:
        text = f.read()
    with open(gateway.config, "w") as f:
        f.write(text + "max_channels_per_session = 8\n")
    gateway.restart()
    user = make_user(gateway)
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    opened = [c.direct("127.0.0.1", t.port) for _ in range(8)]
    assert all(ch.opened for ch in opened)
    assert c.direct("127.0.0.1", t.port).failure[0] == 4
    for ch in opened:
        c.close_channel(ch)
        c.until(lambda ch=ch: ch.closed)
    assert c.direct("127.0.0.1", t.port).opened
