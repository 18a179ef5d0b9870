"""The management tool's part of second factors: an app registered from the page, policy, and taking it away."""

from lib.factor import Authenticator
from lib.portal import totp
from lib.procs import wait_until


def test_an_app_is_registered_wanted_and_taken_away(portal, page):
    gateway = portal.gateway
    portal.account("tanaka", "owner")
    gateway.add_user("suzuki")
    page.log_in("tanaka")
    page.click("ユーザ", role="link")
    page.click("suzuki", role="link")
    page.see("○ 未登録")
    page.click("認証アプリを登録")
    page.see("ユーザの認証アプリでこの QR コードを読み取り")
    page.look("factor-qr")
    secret = page.text(".secret")
    page.fill("認証アプリの 6 桁のコード、またはリカバリーコード", totp(secret))
    page.click("確定")
    page.see("リカバリーコード")
    page.look("factor-recovery")
    page.click("控えました")
    page.see("● 登録済み")
    page.do("select", label="2 要素認証を求める", value="required")
    page.see("必要")
    page.look("factor-user")
    assert gateway.admin("factor", "show", "suzuki")["effective"] == "required"
    page.click("登録を解除")
    page.see("接続できません")
    page.look("factor-missing")
    assert gateway.admin("factor", "show", "suzuki")["state"] == "none"


def test_policy_of_a_group_is_chosen_on_its_page(portal, page):
    gateway = portal.gateway
    portal.account("tanaka", "owner")
    gateway.admin("group", "add", "sales")
    gateway.add_user("suzuki")
    gateway.admin("group", "member", "add", "sales", "suzuki")
    page.log_in("tanaka")
    page.click("グループ", role="link")
    page.click("sales", role="link")
    page.do("select", label="2 要素認証を求める", value="required")
    wait_until(lambda: gateway.admin("factor", "show", "suzuki")["effective"] == "required")
    page.look("factor-group")


def test_helpdesk_ends_pauses_and_leases_and_no_more(portal):
    portal.gateway.add_user("suzuki")
    Authenticator(portal.gateway, "suzuki", required=False)
    b = portal.account("sato", "helpdesk")
    assert b.get("/users/suzuki/factor").result["policy"] == "inherit"
    assert b.post("/users/suzuki/factor/forget", {}).status == 200
    for path in ("/users/suzuki/factor", "/users/suzuki/factor/recovery"):
        assert b.post(path, {}).code == "not-permitted"
    assert b.ask("DELETE", "/users/suzuki/factor").code == "not-permitted"
