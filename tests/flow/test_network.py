"""What lies between a user's PC and the gateway: proxies, dead links, wrong addresses."""

import time

import pytest

from lib.client import dial, exchange
from lib.clock import shifted
from lib.messages import assert_error, assert_shows
from lib.ports import free_port
from lib.procs import port_answers, wait_until
from lib.servers.targets import BlackHole, greet, stall
from lib.servers.tinyproxy import Tinyproxy

LANGS = pytest.mark.parametrize("lang", ["en", "ja"])


@pytest.fixture
def echo_rule(gateway, client, target):
    """A forward to an echo target, not connected; returns its local port."""
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port)
    return port


@pytest.fixture
def tinyproxy(folder):
    started = []

    def start(*connect_ports):
        proxy = Tinyproxy(f"{folder}/proxy{len(started)}", connect_ports)
        started.append(proxy.start())
        return proxy

    yield start
    for proxy in started:
        proxy.stop()


# --- HTTP proxy ----------------------------------------------------------------------------


def test_client_connects_through_an_http_proxy(gateway, client, echo_rule, tinyproxy):
    proxy = tinyproxy(gateway.port)
    client.configure("proxy", address=f"127.0.0.1:{proxy.port}")
    client.connect()
    assert exchange(echo_rule, b"by proxy", 8) == b"by proxy"
    assert f"CONNECT 127.0.0.1:{gateway.port}" in proxy.log()


@LANGS
def test_proxy_that_refuses_the_port_is_told(gateway, client, echo_rule, tinyproxy, lang):
    proxy = tinyproxy(443)
    client.configure("proxy", address=f"127.0.0.1:{proxy.port}")
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_PROXY_FAILED", lang)
    assert "403" in result.err


def test_proxy_that_is_not_there_is_told(client, echo_rule):
    client.configure("proxy", address=f"127.0.0.1:{free_port()}")
    result = client.try_connect(3)
    assert result.status == 1
    assert_shows(result.err, "MSG_PROXY_FAILED")


def test_proxy_that_says_nothing_does_not_hang_the_client(client, echo_rule, target):
    client.configure("proxy", address=f"127.0.0.1:{target(stall).port}")
    assert client.try_connect(17).status == 1
    assert_error(client.status()["error"], "MSG_PROXY_FAILED")


# --- the four causes of ERR(10203), and the blocked way -------------------------------------


@LANGS
def test_name_that_does_not_resolve_is_told(gateway, client, echo_rule, lang):
    client.set_server(f"gateway.invalid:{gateway.port}")
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_RULES_ADDRESS", lang)
    assert "gateway.invalid" in result.err


@LANGS
def test_server_that_is_no_gateway_is_told(gateway, client, echo_rule, target, lang):
    client.set_server(f"127.0.0.1:{target(greet).port}")
    result = client.try_connect(10, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_RULES_ADDRESS", lang)


@LANGS
def test_closed_port_is_told(client, echo_rule, lang):
    port = free_port()
    client.set_server(f"127.0.0.1:{port}")
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_RULES_PORT", lang)
    # The port that is to be opened in a firewall is this one, whatever the usual one is.
    assert "10022" not in result.err and result.err.count(str(port)) >= 3


def test_port_that_never_answers_is_told(client, echo_rule):
    hole = BlackHole().start()
    try:
        client.set_server(f"127.0.0.1:{hole.port}")
        assert client.try_connect(12).status == 1
        assert_error(client.status()["error"], "MSG_RULES_PORT")
    finally:
        hole.stop()


@LANGS
def test_disabled_account_is_told(gateway, client, echo_rule, lang):
    gateway.admin("user", "disable", "suzuki")
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_RULES_ACCOUNT", lang)


@LANGS
def test_user_without_rules_is_told(client, lang):
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_RULES_NONE", lang)


@LANGS
def test_unregistered_key_is_a_cause_of_its_own(gateway, make_client, lang):
    client = make_client()
    client.keygen()
    gateway.add_user("suzuki")
    client.set_server()
    result = client.try_connect(3, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_KEY_UNREGISTERED", lang)
    assert gateway.wait_audit("login-refused")["user"] == "suzuki"


def test_pc_whose_network_is_refused_for_a_while_is_told_and_gets_in_again(make_gateway, make_client):
    gateway = make_gateway("strict", penalties=True, extra_config="[limits]\npenalty_authfail = 20s\n")
    client = make_client("stranger", gateway=gateway)
    client.keygen()
    gateway.add_user("suzuki")
    client.set_server()
    assert_shows(client.try_connect(3).err, "MSG_KEY_UNREGISTERED", "en")
    gateway.wait_audit("login-refused", reason="penalty")
    client.register()
    gateway.add_rule("suzuki", "X", "127.0.0.1:9", free_port())
    result = client.try_connect(3)
    assert result.status == 1
    assert_shows(result.err, "MSG_TURNED_AWAY", "en")
    assert_error(client.status(lang="ja")["error"], "MSG_TURNED_AWAY", "ja")
    gateway.admin_run("penalty", "clear").ok()
    client.wait_state("connected", 30)


def test_key_revoked_earlier_does_not_log_in(gateway, client, echo_rule):
    gateway.admin("key", "revoke", client.key_fingerprint())
    result = client.try_connect(3)
    assert result.status == 1
    assert "ERR(10204)" in result.err or "ERR(10205)" in result.err


def test_traffic_cut_on_the_way_is_told(client, echo_rule, target):
    client.set_server(f"127.0.0.1:{target(stall).port}")
    result = client.try_connect(23)
    assert result.status == 1
    assert_shows(result.err, "MSG_LINK_BLOCKED", "en")
    assert_error(client.status(lang="ja")["error"], "MSG_LINK_BLOCKED", "ja")


def test_traffic_cut_after_login_is_told(gateway, client, echo_rule, relay):
    client.set_server(relay_address(relay))
    client.configure("dead_peer", delay="1s", timeout="3s")
    client.connect()
    relay.go_silent()
    client.wait_state("waiting", 10)
    assert client.status()["error"]["code"] in ("WAR(10103)", "WAR(10102)")


def relay_address(relay):
    return f"127.0.0.1:{relay.port}"


# --- dead peers and reconnecting ------------------------------------------------------------


def test_dead_link_is_noticed_listeners_stay_and_the_client_comes_back(gateway, client, echo_rule, relay):
    client.set_server(relay_address(relay))
    client.configure("dead_peer", delay="1s", timeout="3s")
    client.connect()
    assert exchange(echo_rule, b"alive", 5) == b"alive"
    relay.go_silent()
    client.wait_state("waiting", 8)
    assert port_answers(echo_rule)
    relay.come_back()
    client.wait_state("connected", 60)
    assert exchange(echo_rule, b"again", 5) == b"again"


@LANGS
def test_dead_link_with_action_clear_ends_the_connection_for_good(gateway, client, echo_rule, relay, lang):
    client.set_server(relay_address(relay))
    client.configure("dead_peer", delay="1s", timeout="2s", action="clear")
    client.connect()
    with dial(echo_rule) as held:
        held.sendall(b"hello")
        assert held.recv(5) == b"hello"
        relay.go_silent()
        client.wait_state("error", 10)
        held.settimeout(5)
        with pytest.raises(ConnectionResetError):
            held.recv(1)
    assert not port_answers(echo_rule)
    status = client.status(lang=lang)
    assert status["retry_in"] is None and status["forwards"] == []
    assert_error(status["error"], "MSG_GATEWAY_DEAD", lang)
    attempts = client.system_log().count("connecting to")
    relay.come_back()
    # Time itself: the first retry would come after a second.
    wait_until_passed(3)
    assert client.status()["state"] == "error"
    assert client.system_log().count("connecting to") == attempts
    client.connect()
    assert exchange(echo_rule, b"again", 5) == b"again"


def test_action_clear_is_for_silence_only(gateway, client, echo_rule, relay):
    client.set_server(relay_address(relay))
    client.configure("dead_peer", action="clear")
    client.connect()
    relay.cut()
    wait_until(lambda: "next attempt" in client.user_log(), 5, "the loss to be noticed")
    assert port_answers(echo_rule)
    client.wait_state("connected", 30)
    assert exchange(echo_rule, b"again", 5) == b"again"


def test_quiet_but_living_link_is_kept(gateway, client, echo_rule):
    client.configure("dead_peer", delay="1s", timeout="2s")
    client.connect()
    session = gateway.sessions()[0]["id"]
    # Several times the timeout without any traffic of a user's.
    quiet = wait_until_passed(6)
    assert quiet and [s["id"] for s in gateway.sessions()] == [session]


def wait_until_passed(seconds):
    """Time itself is what is tested here."""
    end = time.monotonic() + seconds
    return wait_until(lambda: time.monotonic() >= end, seconds + 1, "time to pass", 0.5)


def test_cut_link_is_mended(gateway, client, echo_rule, relay):
    client.set_server(relay_address(relay))
    client.connect()
    relay.cut()
    client.wait_state("connected", 30)
    assert exchange(echo_rule, b"again", 5) == b"again"


# --- clocks ---------------------------------------------------------------------------------


@LANGS
@pytest.mark.parametrize("seconds", [7200, -7200])
def test_wrong_clock_is_told_in_seconds(gateway, make_client, target, folder, lang, seconds):
    client = make_client(env=shifted(folder, seconds)).enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    result = client.try_connect(10)
    shown = client.run("status", lang=lang)
    if result.status == 0:
        assert_shows(shown.out + shown.err, "MSG_CLOCK", lang)
    else:
        assert_shows(client.try_connect(10, lang=lang).err, "MSG_CLOCK", lang)
    assert "7200" in shown.out + shown.err or "7199" in shown.out + shown.err


def test_clock_that_is_right_is_not_mentioned(client, echo_rule):
    client.connect()
    assert client.status()["error"] is None


# --- the port check -------------------------------------------------------------------------


def test_browser_port_check_answers_ok(gateway):
    request = b"GET / HTTP/1.1\r\nHost: gateway\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
    answer = exchange(gateway.port, request).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200") or head.startswith("HTTP/1.0 200")
    assert "10022 OK!" in body
    assert "Set-Cookie" not in head


def test_port_check_tells_a_browser_nothing_else(gateway):
    answer = exchange(gateway.port, b"GET /etc/passwd HTTP/1.0\r\n\r\n").decode()
    assert "root:" not in answer and "prad" not in answer.lower()


def test_peer_that_says_nothing_gets_the_version_line(gateway):
    with dial(gateway.port) as s:
        assert s.recv(255).startswith(b"SSH-2.0-")


def speak_another_ssh(sock, target):
    """An SSH server whose algorithms nobody else has (RFC 4253 7.1)."""
    sock.sendall(b"SSH-2.0-other\r\n")
    names = b"".join(len(n).to_bytes(4, "big") + n for n in [b"none@example.com"] * 8 + [b"", b""])
    payload = b"\x14" + bytes(16) + names + bytes(5)
    padding = 8 - (len(payload) + 5) % 8 + 8
    sock.sendall((len(payload) + padding + 1).to_bytes(4, "big") + bytes([padding]) + payload +
                 bytes(padding))
    stall(sock, target)


@LANGS
def test_gateway_that_speaks_other_algorithms_is_told(client, echo_rule, target, lang):
    client.set_server(f"127.0.0.1:{target(speak_another_ssh).port}")
    result = client.try_connect(10, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_PROTOCOL", lang)
