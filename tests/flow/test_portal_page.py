"""The portal's page in Chromium: from the first log-in to a forward that works, both languages, keyboard."""

import poplib
import uuid

import pytest

from lib.portal import PASSWORD, new_port, totp
from lib.procs import port_answers, wait_until
from lib.webpage import WebPage


@pytest.fixture(scope="module")
def chromium():
    """All of it: the whole path is gone with what people have on their desks."""
    page = WebPage(whole=True)
    yield page
    page.close()


def picture(page, name):
    page.look(name)


def test_from_first_log_in_to_mail_read_and_the_rule_gone(portal, page, make_client, company):
    """Done means 1 of the management tool, in one piece."""
    subject = f"portal {uuid.uuid4()}"
    company.mail.put_mail(subject, "お世話になっております。", name="portal")
    gateway = portal.gateway
    code = gateway.admin("account", "add", "tanaka", "--role", "owner")["setup-code"]
    page.goto()
    picture(page, "login")
    page.click("はじめての方(セットアップコードをお持ちの方)")
    page.fill("ユーザ ID", "tanaka")
    page.fill("セットアップコード", code)
    page.fill("新しいパスワード", PASSWORD)
    page.fill("新しいパスワード(確認)", "something else entirely")
    page.click("次へ")
    page.see("パスワードが一致しません。")
    picture(page, "setup-error")
    page.fill("新しいパスワード(確認)", PASSWORD)
    page.click("次へ")
    page.see("拒否されたログインはありません。")
    picture(page, "dashboard-empty")
    page.click("接続状況", role="link")
    page.see("接続中のユーザはいません。")
    picture(page, "live-empty")
    page.click("ユーザ", role="link")
    page.see("ユーザはまだ登録されていません。")
    picture(page, "users-empty")

    # Two steps, from the QR code on.
    page.click("アカウント", role="link")
    page.see("2段階認証設定")
    page.do("fill", role="textbox", label="パスワード", value=PASSWORD)
    page.click("有効にする")
    page.see("認証アプリで読み取り")
    secret = page.text(".secret")
    picture(page, "two-step")
    page.fill("認証アプリの 6 桁のコード、またはリカバリーコード", totp(secret))
    page.click("確定")
    # The dialog before it has a label with these words, too.
    wait_until(lambda: len(page.do("all", selector=".codes code")) == 10)
    picture(page, "recovery-codes")
    page.click("控えました")
    page.see("残り 10 個")
    picture(page, "account")
    page.click("ログアウト")
    page.fill("ユーザ ID", "tanaka")
    page.fill("パスワード", "wrong horse battery")
    page.click("ログイン")
    page.see("ユーザ ID、パスワード、またはコードが正しくありません。")
    page.fill("パスワード", PASSWORD)
    page.click("ログイン")
    page.see("2段階認証")
    picture(page, "second-step")
    page.fill("認証アプリの 6 桁のコード、またはリカバリーコード", totp(secret, 1))
    page.click("次へ")

    # A user, the key that his PC made, a rule.
    page.click("ユーザ", role="link")
    page.fill("ユーザ名", "suzuki")
    page.fill("氏名", "鈴木 花子")
    page.click("ユーザを追加")
    page.see("鈴木 花子")
    assert page.text("main").index("検索") < page.text("main").index("ユーザを追加")
    picture(page, "users")
    client = make_client(gateway=gateway, user="suzuki")
    client.keygen()
    public = client.export()
    with open(public) as f:
        pasted = f.read()
    page.click("suzuki", role="link")
    page.see("公開鍵はまだ登録されていません。")
    picture(page, "user-empty")
    page.do("open_details", name="公開鍵を登録")
    page.do("choose", label="公開鍵ファイル", path=str(public))
    page.click("公開鍵を登録")
    page.see("● 有効")
    page.fill("公開鍵(貼り付け、またはファイルを選択)", pasted)
    page.click("公開鍵を登録")
    page.see("すでに存在します。")
    page.do("open_details", name="ルールを追加")
    page.fill("名前", "POP")
    page.do("fill", label="転送先(ホスト:ポート)", value=f"127.0.0.1:{company.mail.pop3}", last=True)
    page.fill("ローカルポート", "x y")
    page.click("ルールを追加")
    page.see("入力内容に誤りがあります。")
    local = new_port()
    page.fill("ローカルポート", str(local))
    page.click("ルールを追加")
    page.see(f"127.0.0.1:{company.mail.pop3}")
    picture(page, "user")

    # The client connects while the page looks on; mail is read; channel and session are ended from there.
    page.click("接続状況", role="link")
    page.see("接続中のユーザはいません。")
    client.set_server()
    client.connect()
    page.do("see_role", role="link", name="suzuki")
    pop = poplib.POP3("127.0.0.1", local, timeout=10)
    pop.user(company.mail.user)
    pop.pass_(company.mail.password)
    mails = [b"\n".join(pop.retr(n + 1)[1]).decode() for n in range(pop.stat()[0])]
    assert any(subject in m and "お世話になっております。" in m for m in mails)
    page.see("/s")
    picture(page, "live")
    page.click("suzuki", role="link")
    page.see(f"127.0.0.1:{company.mail.pop3}")
    picture(page, "session")
    page.click("閉じる: POP")
    page.see("現在、通信はありません。")
    with pytest.raises((OSError, poplib.error_proto)):
        pop.noop()
    client.wait_log("WAR(10109)")
    page.click("切断")
    page.see("この接続は終了しました。")
    portal.gateway.wait_audit("session-cut", reason="killed")
    client.wait_state("error")
    assert client.status()["error"]["code"] == "WAR(10108)"
    client.connect()
    client.wait_forward("POP")

    # The rule goes, and the client is told.
    with_mail = poplib.POP3("127.0.0.1", local, timeout=10)
    page.click("ユーザ", role="link")
    page.click("suzuki", role="link")
    page.click("削除: POP")
    page.see("転送ルールはまだありません。何も許可されていません。")
    with pytest.raises((OSError, poplib.error_proto)):
        with_mail.noop()
    client.wait_no_forward("POP")
    client.wait_log("WAR(10105)")
    assert not port_answers(local)


def test_the_page_speaks_english_and_shows_a_role_only_what_it_may(portal, page):
    portal.account("boss", "owner")
    portal.gateway.add_user("suzuki")
    portal.account("sato", "auditor")
    page.person(locale="en-GB", scheme="dark")
    page.log_in("sato")
    page.see("Nobody is connected.")
    page.click("Users", role="link")
    page.see("suzuki")
    assert "Add user" not in page.text()
    page.click("suzuki", role="link")
    page.see("No key is registered yet.")
    for word in ("Register a key", "Add rule", "Delete user", "Disable"):
        assert word not in page.text(), word
    picture(page, "auditor-en")
    page.click("日本語")
    page.see("公開鍵はまだ登録されていません。")


def test_everything_is_reached_with_the_keyboard(portal, page):
    portal.account("boss", "owner")
    portal.gateway.add_user("suzuki")
    portal.gateway.add_rule("suzuki", "POP", "127.0.0.1:110", local="1110")
    portal.gateway.add_rule("suzuki", "Web", "127.0.0.1:80", local="1080")
    page.goto()
    page.see("ログイン")

    def tab_to(name, limit=40, key="Tab"):
        for _ in range(limit):
            page.do("press", key=key)
            if page.do("focused") == name:
                return
        raise AssertionError(f"the keyboard does not reach {name}")
    tab_to("ユーザ ID")
    page.do("type", text="boss")
    tab_to("パスワード")
    page.do("type", text=PASSWORD)
    page.do("press", key="Enter")
    page.see("接続中のユーザはいません。")
    tab_to("ユーザ", key="Shift+Tab")
    page.do("press", key="Enter")
    page.see("suzuki")
    tab_to("suzuki")
    page.do("press", key="Enter")
    page.see("127.0.0.1:110")
    tab_to("下へ: POP")
    page.do("press", key="Enter")
    wait_until(lambda: [r["name"] for r in portal.gateway.admin("rule", "list", "--user", "suzuki")] == ["Web", "POP"],
               5, "the rule to move down")
