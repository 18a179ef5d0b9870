"""
Each part of the portal's page in Chromium: one gateway, one portal, one browser for all tests; each has its own users.
Every page is looked at by axe, in light and dark.
"""

import json
import shutil
import socket

import pytest

from lib.client import Client, exchange
from lib.gateway import Gateway
from lib.portal import PASSWORD, Portal, new_port, portal_config, totp
from lib.procs import wait_until
from lib.servers.targets import Target, echo


@pytest.fixture(scope="module")
def stack(tmp_path_factory, programs, chromium):
    class Stack:
        folder = str(tmp_path_factory.mktemp("p"))
        port = new_port()
    s = Stack()
    s.gateway = Gateway(f"{s.folder}/gw", extra_config=portal_config(s.port)).init().start()
    s.portal = Portal(s.gateway, s.port).start()
    s.owner = s.portal.account("tanaka", "owner")
    s.page = chromium.visit(s.portal)
    s.target = Target(echo).start()
    s.clients = []
    yield s
    for c in s.clients:
        c.close()
    s.target.stop()
    try:
        s.page.check()
    finally:
        s.portal.stop()
        s.gateway.stop()
        shutil.rmtree(s.folder, ignore_errors=True)


@pytest.fixture
def page(stack):
    """Logged in as the owner, in Japanese."""
    stack.page.person()
    stack.page.goto()
    login(stack.page, "tanaka")
    return stack.page


def login(page, account, password=PASSWORD):
    page.fill("ユーザ ID", account)
    page.fill("パスワード", password)
    page.click("ログイン")
    page.do("see_role", role="button", name="ログアウト")


@pytest.fixture
def gateway(stack):
    return stack.gateway


def connected(stack, user, rule="Echo"):
    """A client of `user`, connected, with one forward; and its local port."""
    client = Client(f"{stack.folder}/{user}", stack.gateway, user=user)
    stack.clients.append(client)
    client.enrol()
    local = new_port()
    stack.gateway.add_rule(user, rule, f"127.0.0.1:{stack.target.port}", local)
    client.connect()
    client.wait_forward(rule)
    return client, local


def test_dashboard_shows_who_is_connected_and_what_was_refused(stack, page):
    client, local = connected(stack, "sasaki")
    exchange(local, b"hello", 5)
    stranger = Client(f"{stack.folder}/stranger", stack.gateway, user="sasaki")
    stack.clients.append(stranger)
    stranger.set_server()
    stranger.keygen()
    assert stranger.try_connect(wait=5).status != 0
    page.goto("/#/me")
    page.click("ダッシュボード", role="link")
    page.do("see_role", role="link", name="sasaki")
    page.see("× sasaki")
    page.see("● 稼働中")
    page.see("接続中の PC では、すべてのポートを使用できます。")
    page.look("dashboard")
    page.click("English")
    page.see("Log-ins refused in the last day")
    page.look("dashboard-en")
    page.click("sasaki", role="link")
    page.see("Nothing runs through it now.")
    client.disconnect()
    page.see("This session has ended.")


class Taken:
    """A port that this very program listens at."""

    def __enter__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen()
        return self._socket.getsockname()[1]

    def __exit__(self, *_):
        self._socket.close()


def test_a_port_that_is_taken_is_told_with_the_program(stack, page):
    client, _ = connected(stack, "nomura")
    with Taken() as taken:
        stack.gateway.add_rule("nomura", "Busy", f"127.0.0.1:{stack.target.port}", taken)
        client.wait_forward("Busy", "conflict")
        wait_until(lambda: stack.gateway.admin("port", "list"), 5, "the report")
        found, = stack.gateway.admin("port", "list")
        assert (found["local"], found["pcs"], found["users"]) == (f"127.0.0.1:{taken}", 1, ["nomura"])
        assert found["program"], "the program that holds it"
        page.goto("/#/users/nomura")
        page.see("別のアプリケーションが使用中")
        page.goto("/#/dashboard")
        page.see("1 台の PC で使用中:")
        page.look("dashboard-port-taken")
    client.disconnect()


def test_accounts_are_invited_changed_reset_and_ended(stack, page):
    page.click("管理アカウント", role="link")
    page.see("(あなた)")
    page.look("accounts")
    page.fill("ユーザ ID", "yoshida")
    page.fill("氏名", "吉田 一郎")
    page.do("select", label="役割", value="admin")
    page.do("check", label="一時アカウント(14 日間有効)")
    page.click("セットアップコードを発行")
    page.see("yoshida のセットアップコード(再表示はできません)")
    code = page.text(".once .secret")
    page.look("accounts-code")
    page.click("控えました")
    page.see("… 招待中")
    account = next(a for a in stack.owner.get("/accounts").result if a["name"] == "yoshida")
    assert (account["role"], account["state"]) == ("admin", "invited")
    assert account["expires"] is not None
    browser = stack.portal.browser()
    browser.post("/setup", {"account": "yoshida", "code": code, "password": PASSWORD}).result
    secret = browser.post("/me/totp", {"password": PASSWORD}).result["secret"]
    browser.post("/me/totp/confirm", {"code": totp(secret)}).result

    # A lost phone: the second step goes, the password stays, whoever was logged in is not.
    page.click("yoshida", role="link")
    page.see("● 有効")
    page.look("account-page")
    page.click("2段階認証を解除")
    page.see("○ 無効")
    assert browser.get("/me").status == 401
    assert browser.login("yoshida").result["step"] == "done"
    page.do("select", label="役割", value="auditor")
    page.fill("有効期限", "")
    page.click("保存")
    page.see("保存しました。")
    assert browser.get("/me").status == 401, "another role is another log-in"
    account = next(a for a in stack.owner.get("/accounts").result if a["name"] == "yoshida")
    assert (account["role"], account["expires"]) == ("auditor", None)
    page.click("再発行")
    page.see("yoshida のセットアップコード(再表示はできません)")
    assert browser.login("yoshida").status == 403
    page.click("控えました")
    page.click("停止する")
    page.see("× 停止")
    page.click("許可する")
    page.see("… 招待中")
    page.click("アカウントを削除")
    page.see("(あなた)")
    assert "yoshida" not in page.text("main")
    page.click("tanaka", role="link")
    page.click("再発行")
    page.see("入力内容に誤りがあります。")


def test_groups_give_their_members_rules(stack, page):
    stack.gateway.add_user("kato")
    stack.gateway.add_user("mori")
    page.click("グループ", role="link")
    page.see("グループはまだありません。")
    page.look("groups-empty")
    page.fill("グループ名", "営業 部")
    page.click("グループを追加")
    page.see("入力内容に誤りがあります。")
    page.fill("グループ名", "sales")
    page.click("グループを追加")
    page.click("sales", role="link")
    page.see("メンバーはいません。")
    page.fill("ユーザ名", "kato")
    page.click("メンバーを追加")
    page.do("see_role", role="link", name="kato")
    page.fill("ユーザ名", "nobody")
    page.click("メンバーを追加")
    page.see("見つかりません。")
    page.do("open_details", name="ルールを追加")
    page.fill("名前", "Intranet")
    page.fill("転送先(ホスト:ポート)", "intra.example.com:80")
    page.click("ルールを追加")
    page.see("ルール「Intranet」を追加しました。")
    page.look("group")
    page.click("kato", role="link")
    page.do("open_details", name="グループのルール(このあとに評価)")
    page.see("intra.example.com:80")
    page.look("user-with-group")
    page.click("外す: sales")
    page.see("どのグループにも所属していません。")
    assert stack.gateway.admin("rule", "list", "--user", "kato", "--effective") == []
    page.fill("グループ名", "sales")
    page.click("グループに追加")
    page.click("グループ", role="link")
    page.look("groups")
    page.click("sales", role="link")
    page.click("グループを削除")
    page.see("グループはまだありません。")


def test_a_lost_laptop_is_cut_off_with_one_click_and_let_in_when_found(stack, page):
    client, local = connected(stack, "hayashi")
    page.click("端末", role="link")
    page.fill("検索", "hayashi")
    page.see("● 結び付きあり" if client.run("key", "show", "--json").ok() and
             json.loads(client.run("key", "show", "--json").out).get("binding") == "bound" else "△ 弱い")
    page.look("devices")
    mine = next(k for k in stack.gateway.admin("key", "list", "--user", "hayashi"))
    page.click(f"遮断する: {mine['comment']}")
    page.see(f"hayashi の端末 {mine['comment']} を遮断しました。")
    client.wait_state("error")
    assert client.status()["error"]["code"] == "ERR(10205)"
    page.look("devices-cut")
    page.click("元に戻す")
    page.see("● 有効")
    client.connect()
    client.wait_forward("Echo")
    assert exchange(local, b"again", 5) == b"again"
    client.disconnect()


def test_a_key_on_two_machines_is_shown_in_quarantine_and_released(stack, page):
    client, _ = connected(stack, "ueda")
    ticket = f"{client.home}/id.prakey.tickets"
    wait_until(lambda: "ticket-stored" in client.system_log(), 5)
    client.disconnect()
    old = f"{stack.folder}/old.tickets"
    shutil.copyfile(ticket, old)
    client.connect()
    wait_until(lambda: client.system_log().count("ticket-stored") == 2, 5)
    client.disconnect()
    # The gateway hears that a ticket is kept after the PC has said so in its log.
    mine = wait_until(lambda: [k for k in stack.gateway.admin("key", "list", "--user", "ueda") if k["ticket"]], 5, "the ticket")[0]
    page.click("端末", role="link")
    page.fill("検索", "ueda")
    page.click(mine["comment"], role="link")
    page.see("に更新")
    page.do("select", label="鍵が 2 台で使用された場合", value="鍵を隔離")
    page.click("保存")
    page.see("保存しました")
    page.look("device-ticket")
    shutil.copyfile(old, ticket)  # what a copy of this PC would show
    result = client.try_connect()
    assert "ERR(10217)" in result.err
    wait_until(lambda: stack.gateway.admin("key", "list", "--user", "ueda")[0]["state"] == "quarantined", 5)
    page.goto("/")
    page.click("端末", role="link")
    page.fill("検索", "ueda")
    page.see("▲ 隔離中")
    page.look("devices-quarantine")
    page.click(mine["comment"], role="link")
    page.see("2 台の端末で検出されたため")
    page.look("device-quarantine")
    page.click(f"隔離を解除: {mine['comment']}")
    page.see("● 有効")
    client.connect()
    client.disconnect()


def test_rules_are_ordered_checked_explained_and_taken_back(stack, page):
    gateway = stack.gateway
    gateway.add_user("ono")
    for name, target in (("Net", "10.0.0.0/8:1-1024"), ("Mail", "mail.example.com:110"), ("Inside", "10.1.2.3:80")):
        gateway.add_rule("ono", name, target)

    def names():
        return [r["name"] for r in gateway.admin("rule", "list", "--user", "ono")]
    page.goto("/#/users/ono")
    page.see("△ 先にあるルール「Net」で常に決まります(結果は同じ)。")
    page.do("fill", label="転送先(ホスト:ポート)", value="10.1.2.3:80")
    page.click("確認")
    page.do("see_selector", selector="tr.marked")
    page.look("rules")
    # By drag, by key, and back.
    page.do("drag", **{"from": "tr:has-text('Inside')", "to": "tr:has-text('Net')"})
    page.see("ルール「Inside」を 1 番目に移動しました。")
    assert names() == ["Inside", "Net", "Mail"]
    page.click("元に戻す")
    wait_until(lambda: names() == ["Net", "Mail", "Inside"], 5, "the move to be taken back")
    wait_until(lambda: page.do("all", selector="tr[draggable] th")[0].startswith("Net"), 5, "the page to show it")
    page.do("focus", role="button", name="下へ: Net")
    page.do("press", key="Alt+ArrowDown")
    wait_until(lambda: names() == ["Mail", "Net", "Inside"], 5, "the rule to move by keyboard")
    page.click("削除: Net")
    page.see("ルール「Net」を削除しました。")
    assert names() == ["Mail", "Inside"]
    page.click("元に戻す")
    wait_until(lambda: names() == ["Mail", "Net", "Inside"], 5, "the rule to come back to its place")
    page.do("open_details", name="ルールを追加")
    page.fill("名前", "Old FTP")
    page.do("fill", label="転送先(ホスト:ポート)", value="ftp.example.com:21", last=True)
    page.fill("ローカルポート", "2121")
    page.fill("時間帯", "Mon-Fri 08:00-19:00")
    page.fill("有効期限", "2031-03-31T18:00")
    page.click("ルールを追加")
    page.see("ルール「Old FTP」を追加しました。")
    page.see("△ port 21 is usually FTP")
    rule = gateway.admin("rule", "list", "--user", "ono")[-1]
    assert (rule["hours"], rule["local"], rule["expires"][:7]) == ("Mon-Fri 08:00-19:00", "127.0.0.1:2121", "2031-03")
    page.look("rules-added")


def test_profile_and_sheet_are_handed_out(stack, page):
    stack.gateway.add_user("endo")
    for name, target, local in (("POP", "mail.example.com:110", "110"), ("SMTP", "mail.example.com:25", "2525"),
                                ("Web", "proxy.example.com:8080", "10080")):
        stack.gateway.add_rule("endo", name, target, local)
    page.goto("/#/users/endo")
    page.fill("SUS サーバアドレス", stack.gateway.address)
    got = page.do("download", role="button", name="プロファイル(.pra)を保存")
    assert got["name"] == "endo.pra"
    client = Client(f"{stack.folder}/endo", stack.gateway, user="endo")
    stack.clients.append(client)
    with open(f"{stack.folder}/endo.pra", "w") as f:
        f.write(got["text"])
    client.run("profile", "import", f"{stack.folder}/endo.pra").ok()
    assert stack.gateway.fingerprint() in client.run("server", "show").ok().out
    page.click("案内シートを表示")
    page.see("受信サーバ(POP): 127.0.0.1、ポート 110")
    page.see("送信サーバ(SMTP): 127.0.0.1、ポート 2525")
    page.see("Web(proxy) を設定している間は、インターネットを利用できない場合があります。")
    page.look("sheet")
    page.click("English")
    page.see("Incoming server (POP): 127.0.0.1, port 110")
    page.look("sheet-en")


@pytest.mark.parametrize("role, sees, never", [
    ("auditor", ["My account", "Dashboard", "Live", "Users", "Groups", "Devices", "Enrolment", "Logs", "Ports", "Alerts", "Audit",
                 "Reports"], ["Accounts"]),
    ("engineer", ["My account"], ["Dashboard", "Live", "Users", "Accounts"])])
def test_a_role_sees_the_parts_that_it_may(stack, role, sees, never):
    stack.portal.account(role, role)
    page = stack.page
    page.person(locale="en-GB", scheme="dark")
    page.log_in(role)
    shown = page.do("all", selector="header a")
    assert shown == sees and not set(shown) & set(never)
    for part in sees:
        page.click(part, role="link")
        page.do("see_selector", selector="h1")
        page.gone("Loading…")
        page.look(f"{role}-{part.replace(' ', '-').lower()}-en")
        for word in ("Add", "Delete", "Cut off", "Let in again", "End", "Issue"):
            assert not any(b.startswith(word) for b in page.do("all", selector="main button")), (part, word)
