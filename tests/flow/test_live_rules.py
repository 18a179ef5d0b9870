"""What an administrator changes reaches connected clients within a second, precisely."""

import datetime
import hashlib
import socket
import threading
import time

import pytest

from lib.client import dial, exchange, read_all
from lib.messages import MESSAGES, assert_error, matches
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import pattern, pour, trickle

LIMIT = 1.0  # seconds from the administrator's command to its effect


def rfc3339(seconds_from_now):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_until_cut(sock):
    """Reads until the connection ends; returns how long that took and whether it was a reset."""
    start = time.monotonic()
    sock.settimeout(10)
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return time.monotonic() - start, True
    return time.monotonic() - start, False


class Transfer:
    """A download that runs in the background; its hash is checked at the end."""

    def __init__(self, port, size):
        self._size = size
        self._sock = dial(port)
        self._sock.sendall(b"77 %d\n" % size)
        self._data = b""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        self._data = read_all(self._sock)

    def finish(self):
        self._thread.join(60)
        self._sock.close()
        wanted = hashlib.sha256(pattern(77, self._size)).hexdigest()
        assert hashlib.sha256(self._data).hexdigest() == wanted


@pytest.fixture
def ticking(gateway, client, target):
    """Connected, with a rule "Tick" whose connections never end by themselves: (rule, port)."""
    port = free_port()
    rule = gateway.add_rule("suzuki", "Tick", f"127.0.0.1:{target(trickle).port}", port)
    client.connect()
    client.wait_forward("Tick")
    return rule, port


def open_tick(port):
    sock = dial(port)
    assert sock.recv(1) == b"."
    return sock


def test_new_rule_appears_without_reconnecting(gateway, client, ticking, target):
    session = gateway.sessions()[0]["id"]
    port = free_port()
    gateway.add_rule("suzuki", "New", f"127.0.0.1:{target().port}", port)
    start = time.monotonic()
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, 5, "the new listener")
    assert time.monotonic() - start <= LIMIT
    assert exchange(port, b"hello", 5) == b"hello"
    assert [s["id"] for s in gateway.sessions()] == [session]


def test_removed_rule_stops_exactly_its_transfer_within_a_second(gateway, client, ticking, target):
    rule, port = ticking
    other = free_port()
    gateway.add_rule("suzuki", "Other", f"127.0.0.1:{target(pour).port}", other)
    client.wait_forward("Other")
    undisturbed = Transfer(other, 64 << 20)
    with open_tick(port) as doomed:
        gateway.delete_rule(rule)
        took, was_reset = seconds_until_cut(doomed)
    assert took <= LIMIT
    assert was_reset, "a cut must not look like a normal end"
    undisturbed.finish()
    client.wait_no_forward("Tick")
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0, "the listener must go with its rule"
    record = gateway.wait_audit("channel-cut", user="suzuki")
    assert record["reason"] == "rule-removed"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_client_says_why_a_transfer_was_cut(make_client, gateway, target, lang):
    client = make_client(lang=lang).enrol()
    port = free_port()
    rule = gateway.add_rule("suzuki", "Tick", f"127.0.0.1:{target(trickle).port}", port)
    client.connect()
    with open_tick(port) as doomed:
        gateway.delete_rule(rule)
        seconds_until_cut(doomed)
    message = MESSAGES["MSG_CUT_RULE"]

    def told():
        logs = client.user_log() + client.system_log()
        return message.code in logs and "Tick" in logs and matches(message.cause[lang], logs)
    wait_until(told, 3, "the cause in the logs")


def test_deny_rule_put_in_front_cuts_what_it_forbids(gateway, client, ticking):
    _, port = ticking
    denied = client.forwards()["Tick"]["target"]
    with open_tick(port) as doomed:
        gateway.add_rule("suzuki", "Stop", denied, action="deny", position=1)
        took, _ = seconds_until_cut(doomed)
    assert took <= LIMIT
    client.wait_no_forward("Tick")


def test_rule_moved_behind_a_deny_cuts_its_connections(gateway, client, ticking):
    rule, port = ticking
    gateway.add_rule("suzuki", "Stop", client.forwards()["Tick"]["target"], action="deny")
    with open_tick(port) as doomed:
        gateway.admin("rule", "move", str(rule), "2")
        took, _ = seconds_until_cut(doomed)
    assert took <= LIMIT


def test_new_rule_of_another_user_disturbs_nobody(gateway, client, ticking, target):
    _, port = ticking
    with open_tick(port) as tick:
        gateway.add_user("tanaka")
        gateway.add_rule("tanaka", "Theirs", f"127.0.0.1:{target().port}", free_port())
        for _ in range(20):
            assert tick.recv(1) == b"."
    assert list(client.forwards()) == ["Tick"]


def test_revoked_key_cuts_everything_within_a_second_and_is_told(gateway, client, ticking):
    _, port = ticking
    with open_tick(port) as doomed:
        gateway.admin("key", "revoke", client.key_fingerprint())
        took, was_reset = seconds_until_cut(doomed)
    assert took <= LIMIT and was_reset
    for lang in ("en", "ja"):
        wait_until(lambda: client.status()["state"] == "error", 5, "the state error")
        assert_error(client.status(lang=lang)["error"], "MSG_KEY_REVOKED", lang)
    # It stays away: no attempt after attempt with a key that is known to be refused.
    assert client.status()["retry_in"] is None
    assert gateway.sessions() == []


def test_disabled_user_is_cut_within_a_second_told_and_back_when_enabled(gateway, client, ticking):
    _, port = ticking
    with open_tick(port) as doomed:
        gateway.admin("user", "disable", "suzuki")
        took, _ = seconds_until_cut(doomed)
    assert took <= LIMIT
    for lang in ("en", "ja"):
        wait_until(lambda: client.status()["error"], 5, "the error")
        assert_error(client.status(lang=lang)["error"], "MSG_RULES_ACCOUNT", lang)
    assert client.try_connect(5).status == 1
    gateway.admin("user", "enable", "suzuki")
    client.connect()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_killed_session_is_told(gateway, client, ticking, lang):
    _, port = ticking
    with open_tick(port) as doomed:
        gateway.admin("session", "kill", gateway.sessions()[0]["id"])
        took, _ = seconds_until_cut(doomed)
    assert took <= LIMIT
    wait_until(lambda: client.status()["error"], 5, "the error")
    assert_error(client.status(lang=lang)["error"], "MSG_SESSION_KILLED", lang)


def test_expiring_rule_is_cut_when_it_expires(gateway, client, target):
    port = free_port()
    gateway.add_rule("suzuki", "Short", f"127.0.0.1:{target(trickle).port}", port,
                     expires=rfc3339(4))
    client.connect()
    with open_tick(port) as doomed:
        took, _ = seconds_until_cut(doomed)
    assert took <= 4 + LIMIT
    client.wait_no_forward("Short")
    assert gateway.wait_audit("channel-cut")["reason"] == "expired"


def test_rule_outside_its_hours_is_not_delivered(gateway, client, target):
    days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    today = datetime.datetime.now().weekday()
    # Two and three days from now, whatever midnight does to this test.
    later = f"{days[(today + 2) % 7]},{days[(today + 3) % 7]} 00:00-24:00"
    gateway.add_rule("suzuki", "Later", f"127.0.0.1:{target().port}", free_port(), hours=later)
    gateway.add_rule("suzuki", "Now", f"127.0.0.1:{target().port}", free_port(),
                     hours="daily 00:00-24:00")
    client.connect()
    client.wait_forward("Now")
    assert list(client.forwards()) == ["Now"]


def test_rule_for_another_source_network_is_not_delivered(gateway, client, target):
    options = {"Elsewhere": "192.0.2.0/24", "Here": "127.0.0.0/8"}
    for name, network in options.items():
        gateway.add_rule("suzuki", name, f"127.0.0.1:{target().port}", free_port(), **{"from": network})
    client.connect()
    client.wait_forward("Here")
    assert list(client.forwards()) == ["Here"]


def test_first_rule_decides(gateway, client, target):
    where = f"127.0.0.1:{target().port}"
    gateway.add_rule("suzuki", "Stop", where, action="deny")
    gateway.add_rule("suzuki", "Go", where, free_port())
    gateway.add_rule("suzuki", "Other", f"127.0.0.1:{target().port}", free_port())
    client.connect()
    client.wait_forward("Other")
    assert list(client.forwards()) == ["Other"]


def test_group_rule_comes_and_goes_with_membership(gateway, client, target):
    port = free_port()
    gateway.admin("group", "add", "sales")
    gateway.admin("rule", "add", "--group", "sales", "--name", "Shared", "--target",
                  f"127.0.0.1:{target(trickle).port}", "--local", str(port))
    gateway.add_rule("suzuki", "Own", f"127.0.0.1:{target().port}", free_port())
    client.connect()
    assert list(client.forwards()) == ["Own"]
    gateway.admin("group", "member", "add", "sales", "suzuki")
    client.wait_forward("Shared", timeout=2)
    with open_tick(port) as doomed:
        gateway.admin("group", "member", "remove", "sales", "suzuki")
        took, _ = seconds_until_cut(doomed)
    assert took <= LIMIT
    client.wait_no_forward("Shared")


def test_user_without_rules_waits_and_gets_the_first_one_live(gateway, client, target):
    assert client.try_connect(5).status == 1
    port = free_port()
    gateway.add_rule("suzuki", "First", f"127.0.0.1:{target().port}", port)
    client.wait_state("connected", 5)
    client.wait_forward("First")
    assert exchange(port, b"hello", 5) == b"hello"
