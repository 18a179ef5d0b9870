"""The control channel against clients that say odd things."""

import json
import os
import time

import pytest

from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import echo
from rawssh import Closed, string


def clock(offset=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


def hello(**changes):
    return {"type": "hello", "proto": 1, "version": "1.0", "os": "Test", "machine": "0" * 16,
            "clock": clock(), "lang": "en", "binding": "bound", **changes}


class Control:
    """The subsystem on a logged-in connection; messages are dicts."""

    def __init__(self, c):
        self.c = c
        self.ch = c.open("session")
        c.request(self.ch, "subsystem", string("pra@v1"))
        c.until(lambda: self.ch.replies)
        assert self.ch.replies == [99]
        self._taken = 0

    def raw(self, data):
        self.c.write(self.ch, data)

    def say(self, message):
        self.raw(json.dumps(message).encode() + b"\n")

    def messages(self):
        return [json.loads(line) for line in bytes(self.ch.data).split(b"\n")[:-1]]

    def hear(self, message_type, timeout=5, **members):
        def found():
            return [m for m in self.messages() if m["type"] == message_type and
                    all(m.get(k) == v for k, v in members.items())]
        self.c.until(found, timeout)
        return found()[-1]


@pytest.fixture
def control(user):
    return Control(user.login())


def test_hello_is_answered_with_welcome_and_rules(gateway, user, control):
    local = free_port()
    rule = user.allow("mail.example:110", name="POP", local=local)
    control.say(hello())
    welcome = control.hear("welcome")
    assert welcome["user"] == "alice" and len(welcome["session"]) == 32
    rules = control.hear("rules")["rules"]
    assert rules == [{"id": rule, "name": "POP", "local": f"127.0.0.1:{local}", "fallback": None,
                      "target": "mail.example:110"}]
    session = gateway.sessions()[0]
    assert session["kind"] == "pra" and session["version"] == "1.0" and session["id"] == welcome["session"]


def test_rules_are_pushed_only_when_they_change_for_this_user(gateway, user, control):
    control.say(hello())
    assert control.hear("refused")["reason"] == "no-rules"
    begun = time.monotonic()
    user.allow("mail.example:110", name="POP", local=free_port())
    control.hear("rules")
    assert time.monotonic() - begun < 1.5
    gateway.add_user("other")
    gateway.add_rule("other", "x", "web.example:80", free_port())
    control.c.drain(0.7)
    assert len([m for m in control.messages() if m["type"] == "rules"]) == 1


def test_wrong_clock_is_told_and_audited(gateway, control):
    control.say(hello(clock=clock(3600)))
    notice = control.hear("notice", kind="clock")
    assert 3590 <= notice["seconds"] <= 3610
    gateway.wait_audit("clock-difference")


BAD_WORDS = {
    "empty": b"\n", "half": b"{\n", "array": b"[]\n", "null": b"null\n", "string": b'"hello"\n',
    "no type": b"{}\n", "number as type": b'{"type":1}\n', "unknown": b'{"type":"nonsense"}\n',
    "before hello": b'{"type":"ports","version":1,"ports":[]}\n', "not UTF-8": b"\xff\xfe\n",
    "NUL": b'{"type":"hel\\u0000lo"}\n', "deep": b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"\n",
    "long": b"x" * 200000 + b"\n", "endless": b"x" * 3000000,
    "infinite": b'{"type":"hello","proto":1e999}\n'}


@pytest.mark.parametrize("what", BAD_WORDS.values(), ids=BAD_WORDS.keys())
def test_bad_first_words_end_the_session_with_a_reason(gateway, control, what):
    try:
        control.raw(what)
        control.c.drain(4)
        raise AssertionError("still connected")
    except Closed:
        pass
    refused = [m for m in control.messages() if m["type"] == "refused"]
    assert refused and refused[0]["reason"] == "protocol" and refused[0]["detail"]
    gateway.wait_audit("protocol-error")


@pytest.mark.parametrize("changes", [
    {"proto": 2}, {"proto": "1"}, {"version": None}, {"version": "v" * 100}, {"version": "a\0b"},
    {"os": 7}, {"machine": "0" * 17}, {"clock": "yesterday"}, {"binding": "perhaps"}])
def test_hello_with_a_bad_member_names_it(control, changes):
    control.say(hello(**changes))
    with pytest.raises(Closed):
        control.c.drain(4)
    refused = [m for m in control.messages() if m["type"] == "refused"][0]
    assert refused["reason"] == "protocol"
    if not any("\0" in str(v) for v in changes.values()):  # refused by the JSON reader already
        assert any(word in refused["detail"] for word in (*changes, "protocol"))


def test_names_of_peers_cannot_forge_log_lines(gateway, control):
    control.say(hello(version="1\n2026 error fake x=y", os="a\x1b[31mb"))
    control.hear("welcome")
    assert "\x1b" not in gateway.log()
    assert not [line for line in gateway.log().splitlines() if line.startswith("2026 error")]


def test_hello_twice_ends_the_session(control):
    control.say(hello())
    control.hear("welcome")
    control.say(hello())
    with pytest.raises(Closed):
        control.c.drain(4)


def test_flood_of_messages_ends_the_session(gateway, control):
    control.say(hello())
    control.hear("welcome")
    with pytest.raises(Closed):
        for _ in range(2000):
            control.say({"type": "log_heads"})
        control.c.drain(4)
    gateway.wait_audit("protocol-error", reason="control-flood")


def test_many_large_reports_in_one_go_are_all_read(gateway, control):
    control.say(hello())
    control.hear("welcome")
    port = {"rule": 1, "local": "127.0.0.1:110", "state": "conflict", "error": "e" * 100,
            "holder": {"pid": 7, "program": "p" * 200}}
    report = json.dumps({"type": "ports", "version": 1, "ports": [port] * 120}).encode() + b"\n"
    assert len(report) < 65536
    control.raw(report * 20)
    wait_until(lambda: len(gateway.audit("port-report")) == 20, 5)


def test_client_that_never_reads_is_bounded(gateway, user, control):
    control.say(hello())
    control.hear("welcome")
    user.allow("mail.example:110", name="POP", local=free_port())
    for i in range(300):
        control.c.direct("192.0.2.1", 80, wait=False)
    time.sleep(1)  # 300 open-failed messages and answers wait for a client that does not read
    control.c.drain(0.5)
    assert len([m for m in control.messages() if m["type"] == "open-failed"]) == 300


def test_refused_opens_are_told_on_the_control_channel(user, control):
    control.say(hello())
    control.hear("welcome")
    control.c.direct("192.0.2.1", 80, origin_port=54321)
    failed = control.hear("open-failed", origin_port=54321)
    assert failed["reason"] == "denied" and failed["target"] == "192.0.2.1:80"


def test_cut_names_rule_and_connection(gateway, user, control, target):
    t = target(echo)
    rule = user.allow(f"127.0.0.1:{t.port}", name="Echo", local=free_port())
    control.say(hello())
    control.hear("rules")
    ch = control.c.direct("127.0.0.1", t.port, origin_port=40000)
    gateway.delete_rule(rule)
    cut = control.hear("cut", timeout=2)
    assert cut["origin_port"] == 40000 and cut["rule"] == rule and cut["name"] == "Echo"
    assert cut["reason"] == "rule-removed"
    control.c.until(lambda: ch.closed, 2)
    assert control.hear("rules", rules=[])


def test_explain_tells_rule_name_and_target(user, control, target):
    t = target(echo)
    rule = user.allow(f"127.0.0.1:{t.port}", name="Echo", local=free_port())
    dead = user.allow(f"127.0.0.1:{free_port()}", name="Dead", local=free_port())
    control.say(hello())
    control.hear("rules")
    control.say({"type": "explain", "id": 1, "rule": rule})
    control.say({"type": "explain", "id": 2, "rule": dead})
    control.say({"type": "explain", "id": 3, "rule": 999999})
    good, bad, none = (control.hear("explained", id=i) for i in (1, 2, 3))
    assert good["decision"] == "allow" and good["name"] == "Echo" and good["connect"]["ok"]
    assert bad["decision"] == "allow" and not bad["connect"]["ok"] and bad["connect"]["error"]
    assert none["decision"] == "deny" and none["deciding"] == 0


def test_other_peoples_rules_are_not_explained(gateway, control):
    gateway.add_user("other")
    rule = gateway.add_rule("other", "secret", "secret.example:22", free_port())
    control.say(hello())
    control.hear("refused")
    control.say({"type": "explain", "id": 1, "rule": rule})
    answer = control.hear("explained")
    assert answer["name"] == "" and "secret" not in json.dumps(answer)


def test_disabled_user_is_told_and_reaches_nothing(gateway, user, target):
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    gateway.admin("user", "disable", "alice")
    control = Control(user.login())
    assert control.c.direct("127.0.0.1", t.port).failure
    control.say(hello())
    assert control.hear("refused")["reason"] == "user-disabled"
    assert control.c.closed_within(4)


@pytest.mark.parametrize("binding", ["weak", None])
def test_weakly_bound_key_is_told_and_reaches_nothing_where_it_is_refused(gateway, user, target, binding):
    t = target(echo)
    user.allow(f"127.0.0.1:{t.port}")
    gateway.write_config("[keys]\nweak = refuse\n")
    gateway.reload()
    wait_until(lambda: "reloaded" in gateway.log(), 5, "the settings to be read")
    control = Control(user.login())
    said = hello(binding=binding) if binding else hello()
    if not binding:
        del said["binding"]
    control.say(said)
    control.hear("welcome")
    assert control.hear("refused")["reason"] == "weak-key"
    assert control.c.direct("127.0.0.1", t.port).failure
    assert control.c.closed_within(4)
    assert gateway.wait_audit("login-refused", reason="weak-key")["user"] == "alice"
    assert not gateway.audit("channel-open")
    control = Control(user.login())
    control.say(hello())
    control.hear("welcome")
    assert not control.c.direct("127.0.0.1", t.port).failure


def test_notice_comes_before_the_end(gateway, user, control):
    control.say(hello())
    control.hear("welcome")
    gateway.admin("key", "revoke", user.fingerprint())
    control.hear("notice", kind="key-revoked")
    assert control.c.closed_within(4)


def test_shutdown_is_announced(gateway, control):
    control.say(hello())
    control.hear("welcome")
    begun = time.monotonic()
    gateway.process.signal(15)
    notice = control.hear("notice", kind="shutdown")
    assert notice["retry_in"] >= 0
    assert control.c.closed_within(5)
    assert gateway.process.wait(10) == 0
    assert time.monotonic() - begun < 6


def test_bye_and_closing_end_the_session(gateway, user):
    for way in ("bye", "close"):
        control = Control(user.login())
        control.say(hello())
        control.hear("welcome")
        if way == "bye":
            control.say({"type": "bye", "reason": "user"})
        else:
            control.c.close_channel(control.ch)
        assert control.c.closed_within(3), way
    assert gateway.wait_audit("logout", reason="client-bye")
    assert gateway.wait_audit("logout", reason="control-closed")


def test_random_bytes_on_the_control_channel_break_nothing(gateway, user):
    for i in range(30):
        control = Control(user.login())
        try:
            control.raw(os.urandom(1000 + i) + b"\n")
            control.c.drain(0.05)
        except Closed:
            pass
        control.c.close()
    assert gateway.process.running()
    user.login()


def test_flood_of_refusals_is_counted_not_written_one_by_one(gateway, user):
    c = user.login()
    for _ in range(1000):
        c.direct("192.0.2.1", 80)
    c.close()
    gateway.wait_audit("logout")
    written = gateway.audit("channel-refused")  # one or two of them are sums: a minute may end meanwhile
    assert len(written) < 700 and sum(r["times"] for r in written) == 1000
    for r in gateway.audit("channel-refused", reason="suppressed"):
        assert r["detail"].split()[0] == str(r["times"])
    assert {c["kind"]: c["count"] for c in gateway.admin("audit", "counts")}["channel-refused"] == 1000
