"""Secondary connections: who may join a session, and that they live and die with it."""

import json
import os
import threading
import time

import pytest

from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import discard, echo
from rawssh import Closed
from test_control import Control, hello


class Primary(Control):
    def __init__(self, user):
        super().__init__(user.login())
        self.user = user
        self.say(hello())
        self.session = self.hear("welcome")["session"]
        self._asked = 0

    def ask(self, **members):
        self._asked += 1
        self.say({"type": "join-token", "id": self._asked, **members})
        return self.hear("join-token", id=self._asked)

    def token(self):
        answer = self.ask()
        assert answer["token"], answer
        return answer["token"]


class Secondary(Control):
    """Logged in; `join()` says the word and gives the type of the answer."""

    def __init__(self, user):
        super().__init__(user.login())

    def join(self, session, token):
        self.say({"type": "join", "session": session, "token": token})
        answers = ("joined", "refused")
        self.c.until(lambda: any(m["type"] in answers for m in self.messages()), 5)
        return [m["type"] for m in self.messages() if m["type"] in answers][0]


@pytest.fixture
def strict(make_user, gateway):
    """A user whose key is for the PRA client only."""
    return make_user(gateway, any_client=False)


@pytest.fixture
def primary(strict):
    return Primary(strict)


def joined(primary, user=None):
    s = Secondary(user or primary.user)
    assert s.join(primary.session, primary.token()) == "joined"
    return s


def ended(s, seconds=2):
    return s.c.closed_within(seconds)


@pytest.fixture
def target_of(target, strict):
    """An echo target that `strict` may reach; the object has its rule."""
    t = target(echo)
    t.rule = strict.allow(f"127.0.0.1:{t.port}", local=free_port())
    return t


def test_session_with_two_connections_is_one(gateway, primary, target_of):
    second = joined(primary)
    assert second.hear("joined")["session"] == primary.session
    channels = []
    for control in (primary, second):
        ch = control.c.direct("127.0.0.1", target_of.port)
        assert ch.opened
        control.c.write(ch, b"x" * 1000)
        control.c.until(lambda ch=ch: len(ch.data) == 1000)
        channels.append(ch)
    listed = gateway.sessions()
    assert len(listed) == 1 and listed[0]["id"] == primary.session and listed[0]["kind"] == "pra"
    assert listed[0]["connections"] == 2 and listed[0]["channels"] == 2
    assert listed[0]["bytes_in"] == listed[0]["bytes_out"] == 2000
    gateway.wait_audit("tunnel-join", session=primary.session)
    wait_until(lambda: len(gateway.audit("channel-open", session=primary.session)) == 2)
    second.c.close()
    gateway.wait_audit("tunnel-leave", session=primary.session, bytes_in=1000)
    listed = gateway.sessions()
    assert listed[0]["connections"] == 1 and listed[0]["bytes_in"] == 2000
    primary.c.write(channels[0], b"y" * 1000)
    primary.c.until(lambda: len(channels[0].data) == 2000)


def test_nothing_is_forwarded_before_the_join(primary, target_of):
    second = Secondary(primary.user)
    assert second.c.direct("127.0.0.1", target_of.port).failure[1].startswith("this key works with")
    assert second.join(primary.session, primary.token()) == "joined"
    assert second.c.direct("127.0.0.1", target_of.port).opened


def refused(gateway, s, session, token, reason):
    """The join is refused, the reason stands in the audit and not in the answer, and that was it."""
    assert s.join(session, token) == "refused"
    answer = s.hear("refused")
    assert answer["reason"] == "join" and reason not in json.dumps(answer)
    assert ended(s)
    record = gateway.wait_audit("join-refused", reason=reason)
    assert record["session"] != session


def test_token_works_once(gateway, primary):
    token = primary.token()
    first = Secondary(primary.user)
    assert first.join(primary.session, token) == "joined"
    refused(gateway, Secondary(primary.user), primary.session, token, "join-used")
    assert gateway.sessions()[0]["connections"] == 2


def test_token_of_another_user_is_refused_and_lost(gateway, make_user, primary):
    token = primary.token()
    thief = make_user(gateway, "mallory")
    refused(gateway, Secondary(thief), primary.session, token, "join-foreign")
    refused(gateway, Secondary(primary.user), primary.session, token, "join-used")


def test_token_is_for_one_key(gateway, make_user, primary, folder):
    os.rename(f"{folder}/alice.key", f"{folder}/first.key")
    os.rename(f"{folder}/alice.key.pub", f"{folder}/first.key.pub")
    other_pc = make_user(gateway, "alice")
    refused(gateway, Secondary(other_pc), primary.session, primary.token(), "join-foreign")


def test_token_expires(make_gateway, make_user):
    gateway = make_gateway(extra_config="[limits]\njoin_timeout = 1s\n")
    primary = Primary(make_user(gateway))
    answer = primary.ask()
    assert answer["seconds"] == 1
    second = Secondary(primary.user)
    time.sleep(1.1)  # that it is over is what is tested
    refused(gateway, second, primary.session, answer["token"], "join-expired")
    assert primary.token()


@pytest.mark.parametrize("token", ["", "00" * 32, "0" * 63, "zz" * 32, "é" * 32])
def test_made_up_token_joins_nothing(gateway, primary, token):
    primary.token()
    refused(gateway, Secondary(primary.user), primary.session, token, "join-unknown")


def test_session_must_be_the_tokens_own(gateway, make_user, primary):
    other = Primary(make_user(gateway, "bob"))
    for session in (other.session, "0" * 32, ""):
        refused(gateway, Secondary(primary.user), session, primary.token(), "join-unknown")


@pytest.mark.parametrize("message", [
    {"type": "join"}, {"type": "join", "session": 1, "token": 2},
    {"type": "join", "session": "0" * 40, "token": "0" * 64},
    {"type": "join", "session": "0" * 32, "token": "0" * 65},
    {"type": "join", "session": None, "token": None}])
def test_malformed_join_ends_the_connection(gateway, primary, message):
    second = Secondary(primary.user)
    second.say(message)
    assert ended(second, 4)
    assert second.hear("refused")["reason"] == "protocol"
    gateway.wait_audit("protocol-error")
    assert gateway.sessions()[0]["id"] == primary.session


def test_of_two_that_race_with_one_token_one_joins(gateway, primary):
    for _ in range(15):
        token, both = primary.token(), [Secondary(primary.user) for _ in range(2)]
        start, answers = threading.Barrier(2), []

        def race(s, token=token, start=start, answers=answers):
            start.wait()
            answers.append(s.join(primary.session, token))
        threads = [threading.Thread(target=race, args=(s,)) for s in both]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert sorted(answers) == ["joined", "refused"]
        for s in both:
            s.c.close()
        wait_until(lambda: gateway.sessions()[0]["connections"] == 1)


def test_connections_and_tokens_of_a_session_are_counted(gateway, primary):
    assert primary.hear("welcome")["connections"] == 4
    tokens = [primary.token() for _ in range(3)]
    answer = primary.ask()
    assert answer["token"] is None and answer["reason"] == "limit"
    seconds = [Secondary(primary.user) for _ in tokens]
    assert [s.join(primary.session, t) for s, t in zip(seconds, tokens)] == ["joined"] * 3
    assert primary.ask()["reason"] == "limit"
    seconds[0].c.close()
    wait_until(lambda: gateway.sessions()[0]["connections"] == 3)
    assert joined(primary)


def test_setting_says_how_many_connections_a_session_has(make_gateway, make_user):
    gateway = make_gateway(extra_config="[limits]\nmax_connections_per_session = 1\n")
    primary = Primary(make_user(gateway))
    assert primary.hear("welcome")["connections"] == 1
    assert primary.ask()["reason"] == "limit"


def test_connections_count_as_sessions_of_the_user(make_gateway, make_user):
    gateway = make_gateway(extra_config="[limits]\nmax_sessions_per_user = 2\n")
    primary = Primary(make_user(gateway))
    joined(primary)
    with pytest.raises(Closed):
        primary.user.login()
        Secondary(primary.user)
    gateway.wait_audit("login-refused", reason="session-limit")


def test_no_token_for_load_that_the_gateway_does_not_have(primary):
    assert primary.ask(why="load")["reason"] == "no-gain"
    assert primary.ask(why="distance")["token"]


def test_windows_of_all_connections_come_to_no_more_than_those_of_one(make_gateway, make_user, target):
    """What a client may have on its way is what prad has to keep when targets stop reading."""
    gateway = make_gateway(extra_config="[limits]\nchannel_window = 1M\n")
    user, t = make_user(gateway), target(discard)
    user.allow(f"127.0.0.1:{t.port}")
    primary = Primary(user)
    connections = [primary.c, *(joined(primary).c for _ in range(3))]
    channels = [c.direct("127.0.0.1", t.port) for c in connections]
    assert all(ch.window == 64 << 10 for ch in channels)
    threads = [threading.Thread(target=c.write, args=(ch, bytes(16 << 20))) for c, ch in zip(connections, channels)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: t.received == 64 << 20)
    for c in connections:
        c.drain(0.2)
    grown = [ch.window - (64 << 10) for ch in channels]
    assert max(grown) > 0 and sum(grown) <= 1 << 20, [n >> 10 for n in grown]


@pytest.mark.parametrize("how", ["bye", "vanish", "close the control channel"])
def test_secondaries_end_with_their_primary(gateway, primary, target_of, how):
    token = primary.token()
    second = joined(primary)
    ch = second.c.direct("127.0.0.1", target_of.port)
    assert ch.opened
    wait_until(lambda: target_of.open_connections() == 1)
    begun = time.monotonic()
    if how == "bye":
        primary.say({"type": "bye", "reason": "user"})
    elif how == "vanish":
        primary.c.close()
    else:
        primary.c.close_channel(primary.ch)
    assert ended(second, 1)
    wait_until(lambda: target_of.open_connections() == 0, 1)
    assert time.monotonic() - begun < 1
    gateway.wait_audit("tunnel-leave", session=primary.session, reason="primary-ended")
    assert gateway.sessions() == []
    refused(gateway, Secondary(primary.user), primary.session, token, "join-unknown")


CUTS = {
    "kill": (lambda g, u, t: g.admin("session", "kill", g.sessions()[0]["id"]), "killed"),
    "key": (lambda g, u, t: g.admin("key", "revoke", u.fingerprint()), "key-revoked"),
    "user": (lambda g, u, t: g.admin("user", "disable", u.name), "user-disabled")}


@pytest.mark.parametrize("how, kind", CUTS.values(), ids=CUTS.keys())
def test_what_ends_a_session_ends_all_its_connections(gateway, primary, target_of, how, kind):
    seconds = [joined(primary) for _ in range(3)]
    for s in (primary, *seconds):
        assert s.c.direct("127.0.0.1", target_of.port).opened
    wait_until(lambda: target_of.open_connections() == 4)
    begun = time.monotonic()
    how(gateway, primary.user, target_of)
    wait_until(lambda: target_of.open_connections() == 0, 2)
    assert time.monotonic() - begun < 1
    assert all(ended(s) for s in seconds)
    primary.hear("notice", kind=kind)
    assert not [m for s in seconds for m in s.messages() if m["type"] == "notice"]
    assert ended(primary)
    assert len(gateway.audit("session-cut", session=primary.session)) == 1


def test_rule_change_cuts_channels_of_every_connection(gateway, primary, target_of):
    second = joined(primary)
    ch = second.c.direct("127.0.0.1", target_of.port, origin_port=40001)
    begun = time.monotonic()
    gateway.delete_rule(target_of.rule)
    second.c.until(lambda: ch.closed, 2)
    assert time.monotonic() - begun < 1
    assert second.hear("cut", origin_port=40001)["reason"] == "rule-removed"
    primary.hear("rules", rules=[])
    assert not [m for m in primary.messages() if m["type"] == "cut"]
    assert not [m for m in second.messages() if m["type"] == "rules"]
    again = second.c.direct("127.0.0.1", target_of.port, origin_port=40001)
    assert again.failure
    assert second.hear("open-failed", origin_port=40001)["reason"] == "denied"
    assert not [m for m in primary.messages() if m["type"] == "open-failed"]


@pytest.mark.parametrize("message", [
    hello(), {"type": "ports", "version": 1, "ports": []}, {"type": "explain", "id": 1, "rule": 1},
    {"type": "join-token", "id": 1}, {"type": "join", "session": "0" * 32, "token": "0" * 64}],
    ids=lambda m: m["type"])
def test_secondary_that_speaks_as_a_primary_ends_alone(gateway, primary, target_of, message):
    second = joined(primary)
    second.say(message)
    assert ended(second)
    assert primary.c.direct("127.0.0.1", target_of.port).opened
    assert gateway.sessions()[0]["connections"] == 1


def test_primary_cannot_become_a_secondary(gateway, make_user, primary):
    other = Primary(primary.user)
    other.say({"type": "join", "session": primary.session, "token": primary.token()})
    assert ended(other)
    assert len(gateway.sessions()) == 1


def test_token_cannot_be_had_before_hello(strict):
    second = Secondary(strict)
    second.say({"type": "join-token", "id": 1})
    assert ended(second)


def test_connection_with_channels_does_not_join(gateway, user, target):
    """A key for any client may forward without hello; what it opened stays its own session's."""
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    primary = Primary(user)
    second = Secondary(user)
    assert second.c.direct("127.0.0.1", t.port).opened
    second.say({"type": "join", "session": primary.session, "token": primary.token()})
    assert ended(second)
    assert not gateway.audit("tunnel-join")


def test_join_of_a_disabled_user_is_refused(gateway, primary):
    token = primary.token()
    gateway.admin("user", "disable", "alice")
    assert ended(primary)
    second = Secondary(primary.user)
    assert second.join(primary.session, token) == "refused"
    assert ended(second)


def test_restart_waits_for_the_channels_of_every_connection(make_gateway, make_user, target):
    gateway = make_gateway(start=False)
    with open(gateway.config) as f:
        config = f.read().replace("drain_timeout = 1s", "drain_timeout = 10s")
    with open(gateway.config, "w") as f:
        f.write(config)
    gateway.start()
    user, t = make_user(gateway), target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    primary = Primary(user)
    second = joined(primary)
    ch = second.c.direct("127.0.0.1", t.port)
    gateway.process.signal(15)
    primary.hear("notice", kind="shutdown")
    assert primary.ask()["reason"] == "shutdown"
    second.c.write(ch, b"still here")
    second.c.until(lambda: ch.data == b"still here")
    assert not primary.c.closed_within(1.5)
    second.c.eof(ch)
    second.c.until(lambda: ch.closed)
    second.c.close_channel(ch)
    assert ended(second, 3) and ended(primary, 4)
    assert gateway.process.wait(5) == 0


def test_many_sessions_that_come_join_and_go_leave_nothing(gateway, make_user):
    """Joins, ends and kills at the same time from many threads, on both workers."""
    users = [make_user(gateway, f"user{i}") for i in range(4)]
    stop = time.monotonic() + 4
    troubles = []

    def live(user, i):
        while time.monotonic() < stop:
            try:
                primary = Primary(user)
                seconds = [joined(primary) for _ in range(3)]
                order = [primary, *seconds] if i % 2 else [*seconds, primary]
                if i == 0:
                    gateway.admin_run("session", "kill", primary.session)
                for s in order:
                    s.c.close()
            except Closed:
                pass
            except Exception as e:  # told by the test's own thread
                troubles.append(e)
    threads = [threading.Thread(target=live, args=(u, i)) for i, u in enumerate(users)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not troubles
    wait_until(lambda: gateway.sessions() == [], 5)
    assert gateway.process.running()


