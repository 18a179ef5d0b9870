"""Limits in the management page: set for a user, a group and a rule, and seen in a session."""

from lib.client import dial
from lib.ports import free_port
from lib.procs import wait_until


def test_limits_are_set_and_seen_in_the_page(portal, page, make_client, target):
    gateway = portal.gateway
    portal.account("tanaka", "owner")
    client = make_client(gateway=gateway).enrol()
    local = free_port()
    rule = gateway.add_rule("suzuki", "Box", f"127.0.0.1:{target().port}", local)
    gateway.admin("group", "add", "sales")
    gateway.admin("group", "member", "add", "sales", "suzuki")
    page.log_in("tanaka")
    page.see("接続中のユーザはいません。")

    page.goto("/#/groups/sales")
    page.see("上限は設定されていません。")
    page.do("open_details", name="上限を変更")
    page.fill("1 秒あたりの開始数", "5")
    page.click("保存")
    wait_until(lambda: gateway.admin("group", "limits", "sales")["own"] == {"rate": "5"}, 5, "the group's limit")

    page.goto("/#/users/suzuki")
    page.see("1 秒あたりの開始数")
    page.do("open_details", name="上限を変更")
    page.fill("↓ 速度(バイト/秒)", "fast")
    page.click("保存")
    page.see("入力内容に誤りがあります。")
    page.fill("↓ 速度(バイト/秒)", "2M")
    page.fill("1 日の通信量(バイト)", "1G")
    page.look("user-limits-form")
    page.click("保存")
    wait_until(lambda: gateway.admin("user", "limits", "suzuki")["own"] == {"download": "2M", "quota-day": "1G"}, 5, "his limits")
    page.look("user-limits")

    page.click("ルールを変更: Box")
    page.do("open_details", name="ルールの上限")
    page.fill("同時通信数", "3")
    page.look("rule-limits")
    page.click("保存")
    wait_until(lambda: gateway.admin("rule", "list")[0]["limits"] == {"max-connections": "3"}, 5, "the rule's limit")
    page.see("同時通信数: 3")
    page.click("元に戻す")
    wait_until(lambda: gateway.admin("rule", "list")[0]["limits"] is None, 5, "the rule as it was")
    assert gateway.admin("rule", "list")[0]["id"] == rule

    client.connect()
    client.wait_forward("Box")
    with dial(local) as s:
        s.sendall(b"?")
        assert s.recv(1) == b"?"
        page.goto("/#/live/" + gateway.sessions()[0]["id"])
        page.see("適用中の上限")
        page.see("2M")
        page.look("session-limits")
