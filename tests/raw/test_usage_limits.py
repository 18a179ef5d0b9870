"""Limits after login against clients that know nothing of them, and against those that push."""

import time

from lib.procs import wait_until
from lib.servers.targets import flood
from test_control import Control, hello


def test_a_client_of_before_gets_a_reason_and_a_sentence_and_a_standard_one_the_ssh_code(gateway, user, target):
    port = target().port
    user.allow(f"127.0.0.1:{port}", **{"max-connections": "1"})
    c = user.login()
    control = Control(c)
    control.say(hello())
    control.hear("welcome")
    assert c.direct("127.0.0.1", port).opened
    refused = c.direct("127.0.0.1", port)
    assert not refused.opened and refused.failure[0] == 4  # RFC 4254 5.1: resource shortage
    told = control.hear("open-failed")
    assert told["reason"] == "limit" and "connections" in told["detail"]
    assert (told["limit"], told["of"], told["value"]) == ("max-connections", "rule", "1")


def test_many_refusals_are_one_record_and_an_exact_count(gateway, user, target):
    port = target().port
    user.allow(f"127.0.0.1:{port}")
    gateway.admin("user", "limit", user.name, "--rate", "1", "--burst", "1")
    c = user.login()
    results = [c.direct("127.0.0.1", port) for _ in range(200)]
    assert sum(bool(ch.opened) for ch in results) < 10
    gateway.wait_audit("channel-refused")
    assert len(gateway.audit("channel-refused")) == 1
    c.close()
    records = wait_until(lambda: len(gateway.audit("channel-refused")) == 2 and gateway.audit("channel-refused"), 5)
    refused = sum(not ch.opened for ch in results)
    assert 1 + [r for r in records if r["reason"] == "suppressed"][0]["times"] == refused


def test_who_opens_and_closes_as_fast_as_he_can_stays_at_the_rate(gateway, user, target):
    port = target().port
    user.allow(f"127.0.0.1:{port}", rate="20", burst="1")
    c = user.login()
    begun, good = time.monotonic(), 0
    while time.monotonic() - begun < 1.5:
        ch = c.direct("127.0.0.1", port)
        if ch.opened:
            good += 1
            c.close_channel(ch)
    assert good <= 20 * (time.monotonic() - begun) + 2
    assert good >= 15


def test_a_client_that_ends_while_it_waits_for_its_share_leaves_nothing(gateway, user, target):
    port = target(flood).port
    user.allow(f"127.0.0.1:{port}", download="10K")
    for _ in range(5):
        c = user.login()
        channels = [c.direct("127.0.0.1", port) for _ in range(5)]
        assert all(ch.opened for ch in channels)
        c.until(lambda: sum(len(ch.data) for ch in channels) > 0)
        c.close()
    wait_until(lambda: not gateway.sessions(), 5, "the sessions to end")
    assert gateway.admin("user", "limits", user.name)["used"]["connections"] == 0


def test_a_client_that_never_closes_its_end_keeps_no_place_of_a_rule(gateway, user, target):
    port = target().port
    user.allow(f"127.0.0.1:{port}", **{"max-connections": "1", "channel-idle": "1"})
    c, other = user.login(), user.login()
    held = c.direct("127.0.0.1", port)
    assert held.opened and not other.direct("127.0.0.1", port).opened
    c.until(lambda: held.closed)  # for being idle; and nothing is answered to it
    assert other.direct("127.0.0.1", port).opened


def test_a_limit_ends_with_its_rule_for_a_connection_that_another_rule_allows(gateway, user, target):
    port = target(flood).port
    limited = user.allow(f"127.0.0.1:{port}", download="10K", name="slow")
    user.allow(f"127.0.0.1:{port - 1}-{port}", name="fast")
    c = user.login()
    ch = c.direct("127.0.0.1", port, window=64 << 20)
    c.until(lambda: len(ch.data) > 0)
    gateway.delete_rule(limited)
    c.until(lambda: len(ch.data) > 8 << 20)


def test_sessions_of_a_key_beyond_the_limit_are_told_and_ended(gateway, make_user):
    user = make_user(gateway, any_client=False)
    gateway.admin("user", "limit", user.name, "--max-sessions-per-device", "1")
    first = Control(user.login())
    first.say(hello())
    first.hear("welcome")
    second = Control(user.login())
    second.say(hello())
    assert second.hear("refused", reason="sessions")["detail"] == "max-sessions-per-device"
    assert second.c.closed_within(5)
    first.c.close()
    wait_until(lambda: not gateway.sessions(), 5, "the place that is given back")
    third = Control(user.login())
    third.say(hello())
    third.hear("welcome")
    third.c.drain(0.3)
    assert not [m for m in third.messages() if m.get("reason") == "sessions"]


def test_who_says_hello_in_another_order_than_he_came_gets_no_more_sessions(gateway, make_user):
    user = make_user(gateway, any_client=False)
    gateway.admin("user", "limit", user.name, "--max-sessions-per-device", "1")
    sessions = [Control(user.login()) for _ in range(4)]
    first = sessions.pop()
    first.say(hello())
    first.hear("welcome")
    for late in reversed(sessions):
        late.say(hello())
        assert late.hear("refused", reason="sessions")["detail"] == "max-sessions-per-device"
