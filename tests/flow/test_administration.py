"""pra-admin: every command, with prad up and with prad down."""

import pytest

from lib.client import as_user, exchange
from lib.gateway import program
from lib.procs import run


@pytest.fixture(params=["up", "down"])
def any_gateway(request, make_gateway):
    """The same commands work over prad's socket and on the store itself."""
    return make_gateway(start=request.param == "up")


def new_key(folder, name="id"):
    path = f"{folder}/{name}"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "suzuki@pc", "-f", path]).ok()
    return path + ".pub"


def test_init_prints_the_fingerprint_and_is_not_repeated_by_accident(make_gateway):
    gateway = make_gateway(start=False)
    fingerprint = gateway.fingerprint()
    again = gateway.admin_run("init")
    assert gateway.fingerprint() == fingerprint, "a second init must not replace the host key"
    assert fingerprint in again.out + again.err
    assert run(["ssh-keygen", "-lf", gateway.host_key]).ok().out.split()[1] == fingerprint


def test_users_come_and_go(any_gateway):
    for name in ("suzuki", "Suzuki"):
        any_gateway.add_user(name)
    listed = {u["name"]: u for u in any_gateway.admin("user", "list")}
    assert set(listed) == {"suzuki", "Suzuki"}, "names are case-sensitive"
    any_gateway.admin("user", "disable", "suzuki")
    assert {u["name"]: u["enabled"] for u in any_gateway.admin("user", "list")} == {
        "suzuki": False, "Suzuki": True}
    any_gateway.admin("user", "enable", "suzuki")
    any_gateway.admin("user", "delete", "Suzuki")
    assert [u["name"] for u in any_gateway.admin("user", "list")] == ["suzuki"]


def test_what_exists_or_does_not_is_told(any_gateway):
    any_gateway.add_user("suzuki")
    for args in (["user", "add", "suzuki"], ["user", "delete", "nobody"], ["rule", "delete", "77"],
                 ["key", "revoke", "SHA256:" + "A" * 43], ["user", "enable", "nobody"],
                 ["rule", "add", "--user", "nobody", "--name", "x", "--target", "h:1"]):
        result = any_gateway.admin_run(*args)
        assert result.status == 1, str(result)
        assert result.err and not result.out


def test_keys_are_registered_listed_and_revoked(any_gateway, folder):
    any_gateway.add_user("suzuki")
    path = new_key(folder)
    any_gateway.add_key("suzuki", path)
    listed = any_gateway.admin("key", "list", "--user", "suzuki")
    fingerprint = run(["ssh-keygen", "-lf", path]).ok().out.split()[1]
    assert [k["fingerprint"] for k in listed] == [fingerprint]
    any_gateway.admin("key", "revoke", fingerprint)
    states = [k for k in any_gateway.admin("key", "list") if k["fingerprint"] == fingerprint]
    assert not states or states[0]["state"] == "revoked"


def test_one_key_is_not_registered_twice(any_gateway, folder):
    any_gateway.add_user("suzuki")
    path = new_key(folder)
    any_gateway.add_key("suzuki", path)
    assert any_gateway.admin_run("key", "add", "suzuki", path).status == 1


@pytest.mark.parametrize("content", ["", "not a key\n", "ssh-ed25519 AAAA user@pc\n",
                                     "command=\"sh\" ssh-ed25519 AAAA x\n", "\0\0\0\0", "x" * 20000])
def test_broken_key_files_are_refused_with_a_sentence(any_gateway, folder, content):
    any_gateway.add_user("suzuki")
    path = f"{folder}/broken.pub"
    with open(path, "w") as f:
        f.write(content)
    result = any_gateway.admin_run("key", "add", "suzuki", path)
    assert result.status == 1
    assert "broken.pub" in result.err
    assert any_gateway.admin("key", "list") == []


def test_private_key_is_not_taken_for_a_public_one(any_gateway, folder):
    any_gateway.add_user("suzuki")
    path = new_key(folder)[:-4]
    assert any_gateway.admin_run("key", "add", "suzuki", path).status == 1


def test_rules_are_listed_in_order_and_moved(any_gateway):
    any_gateway.add_user("suzuki")
    ids = [any_gateway.add_rule("suzuki", name, "mail.example.com:110", 1000 + i)
           for i, name in enumerate("abc")]
    first = any_gateway.add_rule("suzuki", "front", "10.0.0.0/8:1-65535", action="deny", position=1)
    listed = any_gateway.admin("rule", "list", "--user", "suzuki")
    assert [r["id"] for r in listed] == [first, *ids]
    any_gateway.admin("rule", "move", str(first), "4")
    assert [r["id"] for r in any_gateway.admin("rule", "list", "--user", "suzuki")] == [*ids, first]
    any_gateway.delete_rule(ids[1])
    assert [r["name"] for r in any_gateway.admin("rule", "list", "--user", "suzuki")] == ["a", "c", "front"]


def test_rule_options_are_kept_as_given(any_gateway):
    any_gateway.add_user("suzuki")
    any_gateway.add_rule("suzuki", "メール(POP)", "mail.example.com:110", "127.0.0.2:110",
                         fallback="11110", hours="Mon-Fri 08:00-19:00",
                         expires="2030-01-01T00:00:00Z", log=True, **{"from": "192.0.2.0/24"})
    rule = any_gateway.admin("rule", "list", "--user", "suzuki")[0]
    wanted = {"name": "メール(POP)", "target": "mail.example.com:110", "local": "127.0.0.2:110",
              "hours": "Mon-Fri 08:00-19:00", "expires": "2030-01-01T00:00:00Z", "log": True,
              "from": "192.0.2.0/24", "action": "allow", "user": "suzuki"}
    assert {k: rule.get(k) for k in wanted} == wanted
    assert rule["fallback"].endswith("11110")


def test_groups_hold_members_and_rules(any_gateway):
    any_gateway.add_user("suzuki")
    any_gateway.admin("group", "add", "sales")
    any_gateway.admin("group", "member", "add", "sales", "suzuki")
    assert "suzuki" in str(any_gateway.admin("group", "list"))
    any_gateway.admin("rule", "add", "--group", "sales", "--name", "Web", "--target", "web:80",
                      "--local", "8080")
    answer = any_gateway.admin("explain", "--user", "suzuki", "--target", "web:80")
    assert answer["decision"] == "allow" and answer["name"] == "Web"


def test_explain_answers_for_any_time_and_source(any_gateway):
    any_gateway.add_user("suzuki")
    rule = any_gateway.add_rule("suzuki", "Work", "10.1.2.3:3389", 3389, hours="Mon-Fri 08:00-19:00",
                                **{"from": "192.0.2.0/24"})

    def ask(target="10.1.2.3:3389", source="192.0.2.9", at="2026-11-25T12:00:00Z"):
        return any_gateway.admin("explain", "--user", "suzuki", "--target", target, "--from", source,
                                 "--at", at)
    allowed = ask()
    assert allowed["decision"] == "allow" and allowed["rule"] == rule
    assert ask(at="2026-11-28T12:00:00Z")["decision"] == "deny"  # a Saturday
    assert ask(source="198.51.100.1")["decision"] == "deny"
    assert ask(target="10.1.2.4:3389")["reason"] == "default-deny"


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 65, "a\nb", "-x", "ü\x07"])
def test_names_that_would_confuse_are_refused(gateway, name):
    assert gateway.admin_run("user", "add", "--", name).status in (1, 2)
    assert gateway.admin("user", "list") == []


def test_every_change_is_audited_with_who_did_it(gateway):
    gateway.add_user("suzuki")
    rule = gateway.add_rule("suzuki", "Web", "web:80", 8080)
    gateway.delete_rule(rule)
    entries = [str(e) for e in gateway.audit("admin")]
    for word in ("user.add", "rule.add", "rule.delete"):
        assert any(word in e for e in entries), entries
    assert all("root" in e or "uid" in e for e in entries)


def test_audit_list_since_leaves_out_what_was_before(gateway):
    gateway.add_user("suzuki")
    assert gateway.admin("audit", "list", "--since", "2000-01-01") != []
    assert gateway.admin("audit", "list", "--since", "2999-01-01") == []


def test_session_list_shows_who_is_connected(gateway, client, echo_forward):
    sessions = gateway.sessions()
    assert len(sessions) == 1
    session = sessions[0]
    assert session["user"] == "suzuki" and session["device"] == client.key_fingerprint()
    assert session["source"].startswith("127.0.0.1")


def test_allowed_and_refused_opens_are_audited_with_all_that_matters(gateway, client, echo_forward):
    exchange(echo_forward, b"hello", 5)
    record = gateway.wait_audit("channel-open") if gateway.audit("channel-open") else \
        gateway.wait_audit("channel-close")
    for member in ("user", "device", "source", "target", "rule", "session"):
        assert record.get(member), f"{member} is missing in {record}"


@pytest.mark.needs_root
def test_another_user_may_not_administer(gateway):
    result = run([*as_user(65534), program("pra-admin"), "--config", gateway.config, "user", "add", "x"])
    assert result.status != 0
    assert gateway.admin("user", "list") == []
