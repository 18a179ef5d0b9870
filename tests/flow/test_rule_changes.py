"""Rules changed where they stand, what was done to them, and taking it back; to a client that is connected."""

import socket

import pytest

from lib.client import dial, exchange
from lib.ports import free_port
from lib.procs import wait_until


def shown(gateway, user="suzuki"):
    """Rules as they are, without what tells one adding from another."""
    return [{k: v for k, v in r.items() if k not in ("id", "created")} for r in gateway.admin("rule", "list", "--user", user)]


def history(owner, user="suzuki"):
    return owner.get(f"/rules/history?user={user}").result


def test_a_changed_rule_reaches_the_client_and_cuts_what_it_no_longer_allows(gateway, make_client, target):
    first, second = target(), target()
    client = make_client(user="suzuki").enrol()
    local = free_port()
    rule = gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{first.port}", local)
    client.connect()
    client.wait_forward("Echo")
    with dial(local) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        gateway.admin("rule", "set", str(rule), "--target", f"127.0.0.1:{second.port}")
        held.settimeout(5)
        with pytest.raises(OSError):
            while held.recv(1):
                pass
            raise ConnectionError
    gateway.wait_audit("channel-cut", reason="rule-changed")
    wait_until(lambda: client.forwards()["Echo"]["target"].endswith(f":{second.port}"), 5, "the new target")
    client.wait_forward("Echo")
    assert exchange(local, b"hello", 5) == b"hello"
    other = free_port()
    gateway.admin("rule", "set", str(rule), "--name", "Moved", "--local", str(other))
    client.wait_forward("Moved")
    assert exchange(other, b"hello", 5) == b"hello"
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", local)) != 0
    rules = gateway.admin("rule", "list")
    assert [r["id"] for r in rules] == [rule] and rules[0]["position"] == 1


def test_every_change_can_be_taken_back(portal, owner):
    gateway = portal.gateway
    gateway.add_user("suzuki")
    ids = [owner.post("/rules", {"user": "suzuki", "name": n, "target": f"10.0.0.{i}:80"}).result["id"]
           for i, n in enumerate("ABC", 1)]
    before = shown(gateway)
    owner.ask("PATCH", f"/rules/{ids[1]}", {"name": "B2", "local": "110", "fallback": "1110", "hours": "Mon-Fri 08:00-19:00",
                                            "expires": "2031-03-31T09:00:00Z", "from": "192.0.2.0/24", "log": True}).result
    changed = shown(gateway)
    assert changed[1]["name"] == "B2" and changed[1]["target"] == "10.0.0.2:80" and changed[1]["position"] == 2
    owner.post(f"/rules/{ids[2]}/move", {"position": 1}).result
    owner.ask("DELETE", f"/rules/{ids[1]}").result
    done = history(owner)
    assert [c["what"] for c in done] == ["delete", "move", "set", "add", "add", "add"]
    assert {c["by"] for c in done} == {"tanaka"} and done[2]["before"]["name"] == "B" and done[2]["after"]["hours"]
    # Back, one after the other.
    owner.post(f"/rules/history/{done[0]['id']}/undo").result
    owner.post(f"/rules/history/{done[1]['id']}/undo").result
    assert shown(gateway) == changed
    again = owner.post(f"/rules/history/{done[0]['id']}/undo")
    assert (again.status, again.code) == (409, "exists")
    # What came back is another rule: the change of the one that went cannot be taken back.
    gone = owner.post(f"/rules/history/{done[2]['id']}/undo")
    assert (gone.status, gone.code) == (404, "not-found")
    rule = gateway.admin("rule", "list", "--user", "suzuki")[1]["id"]
    owner.ask("PATCH", f"/rules/{rule}", {"name": "B", "local": "", "fallback": "", "hours": "", "expires": "", "from": "", "log": False}).result
    assert shown(gateway) == before
    owner.post(f"/rules/history/{history(owner)[0]['id']}/undo").result
    assert shown(gateway) == changed
    gateway.admin("rule", "undo", str(next(c["id"] for c in done if c["what"] == "add" and c["after"]["name"] == "A")))
    assert [r["name"] for r in shown(gateway)] == ["B2", "C"]
    assert gateway.admin("rule", "history", "--user", "suzuki")[0]["what"] == "delete"
    assert owner.post("/rules/history/999999/undo").status == 404
    # Who comes by the same name later begins anew.
    gateway.admin("user", "delete", "suzuki")
    gateway.add_user("suzuki")
    assert history(owner) == []


def test_a_change_that_makes_no_sense_changes_nothing(portal, owner):
    gateway = portal.gateway
    gateway.add_user("suzuki")
    rule = gateway.add_rule("suzuki", "POP", "mail.example.com:110", 110)
    before = shown(gateway)
    for body in ({"target": "x"}, {"name": ""}, {"action": "deny"}, {"local": "", "fallback": "1"}, {"fallback": "110"},
                 {"target": "10.0.0.0/8:1"}, {"hours": "never"}, {"user": "sato"}):
        answer = owner.ask("PATCH", f"/rules/{rule}", body)
        assert answer.status == 400, body
    assert owner.ask("PATCH", "/rules/999999", {"name": "x"}).status == 404
    assert shown(gateway) == before and [c["what"] for c in history(owner)] == ["add"]
    auditor = portal.account("sato", "auditor")
    assert history(auditor) and auditor.post(f"/rules/history/{history(owner)[0]['id']}/undo").status == 403


def test_the_page_changes_a_rule_and_takes_it_back(portal, owner, page_of):
    gateway = portal.gateway
    gateway.add_user("suzuki")
    gateway.add_rule("suzuki", "POP", "mail.example.com:110", 110, expires="2031-03-31T09:00:00Z")
    page = page_of(portal)
    page.log_in("tanaka")
    page.goto("/#/users/suzuki")
    page.click("ルールを変更: POP")
    page.see("ルールを変更: POP")
    page.fill("時間帯", "Mon-Fri 08:00-19:00")
    page.look("rule-edit")
    page.click("保存")
    page.see("ルール「POP」を変更しました。")
    rule, = shown(gateway)
    assert rule["hours"] == "Mon-Fri 08:00-19:00" and rule["expires"] == "2031-03-31T09:00:00Z"
    page.do("open_details", name="変更履歴")
    page.see("変更: POP")
    page.look("rule-history")
    page.click("元に戻す: POP")
    page.see("元に戻しました")
    wait_until(lambda: shown(gateway)[0]["hours"] is None, 5, "the change to be taken back")
