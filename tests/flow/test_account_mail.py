"""Forgotten passwords and invitations by mail, through a real mail server and, as a person does it, in Chromium."""

import http.client
import os
import re
import sqlite3
import statistics
import time

import pytest

from lib.portal import PASSWORD, Portal, new_port, portal_config, totp
from lib.procs import wait_until

pytestmark = pytest.mark.needs_root
OTHER = "another horse battery"


@pytest.fixture
def portal(make_gateway, mta):
    port = new_port()
    gateway = make_gateway(name="pgw", extra_config=portal_config(port) + f"url = https://127.0.0.1:{port}/\n" + mta.config())
    p = Portal(gateway, port).start()
    yield p
    p.stop()


def code_in(mail):
    return re.search(r"/ (?:set-up )?code: ([A-Z2-7-]{24})", mail.text).group(1)


def link_in(mail):
    return re.search(r"https://\S+", mail.text).group()


def ask(portal, account, mail):
    return portal.browser().post("/forgotten", {"account": account, "mail": mail})


def reset(browser, account, code, password=OTHER):
    return browser.post("/reset", {"account": account, "code": code, "password": password})


def resets(portal, reason):
    return portal.gateway.wait_audit("account-reset", reason=reason)


def account_with_mail(portal, name, mail):
    browser = portal.account(name, "owner")
    portal.gateway.admin("account", "set", name, "--mail", mail)
    return browser


def turn_on_two_steps(browser):
    secret = browser.post("/me/totp", {"password": PASSWORD}).result["secret"]
    browser.post("/me/totp/confirm", {"code": totp(secret)}).result
    return secret


def test_forgotten_password_is_set_again_with_a_mailed_code(portal, mta):
    known = account_with_mail(portal, "tanaka", "tanaka@pra.test")
    secret = turn_on_two_steps(known)
    before = len(mta.mails(to="tanaka@pra.test"))
    assert ask(portal, "tanaka", "Tanaka@pra.test").result == {"mail": True}
    mail = mta.wait_mail(to="tanaka@pra.test", subject="パスワード", count=1)
    assert len(mta.mails(to="tanaka@pra.test")) == before + 1
    code = code_in(mail)
    assert link_in(mail) == f"{portal.url}/#/reset/tanaka/{code}"
    assert resets(portal, "mailed")["user"] == "tanaka"
    wait_until(lambda: portal.gateway.admin("mail", "list")[0]["state"] == "sent", 5, "the mail to be marked")
    with sqlite3.connect(f"file:{portal.gateway.dir}/pra.db?mode=ro", uri=True) as db:
        assert db.execute("SELECT content FROM mail").fetchall() == [("",)]  # what was sent is forgotten
        assert len(db.execute("SELECT hash FROM resets").fetchone()[0]) == 32

    stranger = portal.browser()
    assert reset(stranger, "tanaka", "AAAA-AAAA-AAAA-AAAA-AAAA").status == 403
    assert reset(stranger, "sato", code).status == 403
    assert reset(stranger, "tanaka", code, "short").status == 400
    answer = reset(stranger, "tanaka", code.lower().replace("-", " ")).result
    assert answer["step"] == "code"  # the second step is owed as before
    assert stranger.get("/me").status == 401
    stranger.post("/login/code", {"code": totp(secret, 1)}).result
    assert stranger.get("/me").result["name"] == "tanaka"
    assert known.get("/me").status == 401  # who was logged in is not any more
    assert portal.browser().login("tanaka").status == 403
    assert portal.browser().login("tanaka", OTHER).result["step"] == "code"
    assert reset(portal.browser(), "tanaka", code).status == 403  # a code works once
    assert portal.gateway.wait_audit("account-login", reason="reset")


@pytest.mark.parametrize("end", [False, True])
def test_another_password_ends_log_ins_and_tokens_as_asked_and_the_owner_hears_of_it(portal, mta, end):
    """Sessions always; a program's tokens stay unless he asks; passkeys and authenticator stay. All of it is in a mail."""
    told = "password was changed"
    known = account_with_mail(portal, "sato", "sato@pra.test")
    token = known.post("/me/tokens", {"name": "nightly", "scopes": "read", "days": 30, "password": PASSWORD}).result["token"]

    def program():
        connection = http.client.HTTPSConnection(portal.host, portal.port, timeout=20, context=portal.context())
        connection.request("GET", "/api/v1/status", headers={"Authorization": "Bearer " + token})
        return connection.getresponse().status
    assert program() == 200
    asked, heard = len(mta.mails(to="sato@pra.test", subject="パスワードの再設定")), len(mta.mails(to="sato@pra.test", subject=told))
    ask(portal, "sato", "sato@pra.test")
    code = code_in(mta.wait_mail(to="sato@pra.test", subject="パスワードの再設定", count=asked + 1))
    answer = portal.browser().post("/reset", {"account": "sato", "code": code, "password": OTHER, **({"end-tokens": True} if end else {})}).result
    assert answer["tokens-kept"] == (0 if end else 1)
    assert known.get("/me").status == 401 and program() == (401 if end else 200)
    mail = mta.wait_mail(to="sato@pra.test", subject=told, count=heard + 1)
    words = "失効しました / revoked" if end else "有効 / still good"
    assert f"API tokens: 1 ({words})" in mail.text and "127.0.0.1" in mail.text and "user id: sato" in mail.text
    assert OTHER not in mail.text and code not in mail.text and token not in mail.text
    record = portal.gateway.wait_audit("account-login", reason="reset")
    assert record["user"] == "sato" and f"tokens=1 {'revoked' if end else 'kept'}" in record["detail"]
    # The same when he changes it himself.
    browser = portal.browser()
    browser.login("sato", OTHER).result
    assert browser.post("/me/password", {"password": OTHER, "new-password": PASSWORD, "end-tokens": True}).result["tokens-kept"] == 0
    mta.wait_mail(to="sato@pra.test", subject=told, count=heard + 2)
    assert program() == 401 and browser.get("/me").status == 200


def test_a_copy_of_the_database_gives_no_code_that_waits_to_be_sent(portal, mta):
    """The mail server is away, so the codes wait; what a thief of pra.db has is no code, and the real ones work later."""
    gateway = portal.gateway
    account_with_mail(portal, "tanaka", "tanaka@pra.test")
    kinds = (("tanaka@pra.test", "パスワードの再設定"), ("sato@pra.test", "アカウントのお知らせ"), ("suzuki@pra.test", "アカウントのお知らせ"))
    before = [len(mta.mails(*kind)) for kind in kinds]
    mta.stop_smtp()
    try:
        assert ask(portal, "tanaka", "tanaka@pra.test").status == 200
        resets(portal, "mailed")
        gateway.admin("account", "add", "sato", "--role", "admin", "--mail", "sato@pra.test", "--send")
        wait_until(lambda: [m["tries"] for m in gateway.admin("mail", "list")].count(0) < 2, 10, "a try")
        waiting = [m for m in gateway.admin("mail", "list") if m["state"] in ("waiting", "sending")]
        assert sorted(m["kind"] for m in waiting) == ["invitation", "reset"]
        copied = b""
        for name in sorted(os.listdir(gateway.dir)):
            if name.startswith("pra.db"):
                with open(f"{gateway.dir}/{name}", "rb") as f:
                    copied += f.read()
        assert b"v1:" in copied and "tanaka@pra.test".encode() in copied
        for words in (b"set-up code", b"/#/reset/", b"/#/setup/", "セットアップコード".encode()):
            assert words not in copied, words
        # pra-admin without prad seals with the same key.
        gateway.stop()
        gateway.admin("account", "add", "suzuki", "--role", "admin", "--mail", "suzuki@pra.test", "--send")
        with sqlite3.connect(f"file:{gateway.dir}/pra.db?mode=ro", uri=True) as db:
            kept = [c for (c,) in db.execute("SELECT content FROM mail WHERE state <> 'sent'")]
        assert len(kept) == 3 and all(c.startswith("v1:") for c in kept)
        gateway.start()
    finally:
        mta.start_smtp()
    for m in gateway.admin("mail", "list"):
        if m["state"] == "waiting":
            gateway.admin("mail", "retry", "--id", str(m["id"]))
    codes = [code_in(mta.wait_mail(*kind, count=n + 1, timeout=40)) for kind, n in zip(kinds, before)]
    assert not [c for c in codes if c.encode() in copied or c.replace("-", "").encode() in copied]
    assert reset(portal.browser(), "tanaka", codes[0]).status == 200


def test_whoever_asks_cannot_tell_whether_an_account_exists(portal, mta):
    account_with_mail(portal, "sato", "sato@pra.test")
    portal.gateway.admin("account", "add", "invited", "--role", "admin", "--mail", "suzuki@pra.test")
    portal.account("gone", "admin")
    portal.gateway.admin("account", "set", "gone", "--mail", "suzuki@pra.test")
    portal.gateway.admin("account", "disable", "gone")
    times = {}
    for name, mail, reason in (("sato", "sato@pra.test", "mailed"), ("nobody", "sato@pra.test", "unknown"),
                               ("sato", "hanako@pra.test", "other-mail"), ("invited", "suzuki@pra.test", "not-activated"),
                               ("gone", "suzuki@pra.test", "disabled")):
        for _ in range(3):
            start = time.monotonic()
            answer = ask(portal, name, mail)
            times.setdefault(reason, []).append(time.monotonic() - start)
            assert (answer.status, answer.json) == (200, {"result": {"mail": True}})
        resets(portal, reason)
    medians = [statistics.median(t) for t in times.values()]
    assert max(medians) < 5 * min(medians) + 0.05
    assert not mta.mails(to="suzuki@pra.test", subject="パスワード") and not mta.mails(to="hanako@pra.test", subject="パスワード")


def test_asking_again_and_again_is_slowed_down_and_fills_no_mailbox(portal, mta):
    account_with_mail(portal, "hanako", "hanako@pra.test")
    before = len(mta.mails(to="hanako@pra.test", subject="パスワード"))
    answers = [ask(portal, "hanako", "hanako@pra.test").status for _ in range(12)]
    assert answers == [200] * 10 + [429] * 2
    resets(portal, "too-many")
    mta.wait_mail(to="hanako@pra.test", subject="パスワード", count=before + 3)
    assert len(portal.gateway.audit("account-reset", reason="mailed")) == 3
    codes = [code_in(m) for m in mta.mails(to="hanako@pra.test", subject="パスワード")[before:]]
    # Which of them came last the mailbox does not say: exactly one is still good.
    worked = [reset(portal.browser(), "hanako", c).status for c in codes]
    assert 429 in worked or sorted(worked) == [200, 403, 403]


def test_without_mail_settings_the_page_sends_one_to_an_administrator(make_gateway):
    port = new_port()
    gateway = make_gateway(name="nomail", extra_config=portal_config(port))
    p = Portal(gateway, port).start()
    try:
        assert ask(p, "tanaka", "tanaka@pra.test").result == {"mail": False}
        result = gateway.admin_run("account", "add", "x", "--role", "admin", "--mail", "x@pra.test", "--send")
        assert result.status == 1 and "[mail] in prad.ini" in result.err
        assert gateway.admin("account", "list") == []
    finally:
        p.stop()


def test_invitation_goes_by_mail_and_nobody_else_sees_the_code(portal, mta):
    before = {code_in(m) for m in mta.mails(to="suzuki@pra.test", subject="アカウント")}  # of other tests
    added = portal.gateway.admin("account", "add", "suzuki", "--role", "helpdesk", "--mail", "suzuki@pra.test", "--send")
    assert added["setup-code"] is None and added["setup-mailed"] == "suzuki@pra.test"
    first = code_in(mta.wait_mail(to="suzuki@pra.test", subject="アカウント", count=len(before) + 1))
    portal.gateway.admin("account", "reissue", "suzuki", "--send")
    mail = mta.wait_mail(to="suzuki@pra.test", subject="アカウント", count=len(before) + 2)
    assert link_in(mail) == f"{portal.url}/#/setup/suzuki/{code_in(mail)}"
    body = {"account": "suzuki", "password": PASSWORD}
    codes = {code_in(m) for m in mta.mails(to="suzuki@pra.test", subject="アカウント")} - before - {first}
    assert portal.browser().post("/setup", {**body, "code": first}).status == 403  # issued again: the first is over
    assert portal.browser().post("/setup", {**body, "code": codes.pop()}).result["step"] == "done"
    no_address = portal.gateway.admin_run("account", "add", "y", "--role", "admin", "--send")
    assert no_address.status == 1 and "no mail address" in no_address.err


def test_in_the_browser_from_forgotten_to_logged_in(portal, mta, page_of):
    account_with_mail(portal, "tanaka", "sato@pra.test")
    before = len(mta.mails(to="sato@pra.test", subject="パスワード"))
    page = page_of(portal)
    page.goto()
    page.click("パスワードをお忘れの方・再発行はこちら")
    page.see("管理者にアカウントの再発行を依頼してください。")
    page.fill("ユーザ ID", "tanaka")
    page.fill("メールアドレス", "sato@pra.test")
    page.click("コードを送る")
    page.see("コードをメールで送りました。")
    page.look("forgotten")
    mail = mta.wait_mail(to="sato@pra.test", subject="パスワード", count=before + 1)
    page.person()
    page.do("goto", url=link_in(mail))
    page.see("コード")
    assert page.do("value", label="メールのコード") == code_in(mail)
    page.look("reset")
    page.fill("新しいパスワード", OTHER)
    page.fill("新しいパスワード(確認)", OTHER)
    page.click("次へ")
    page.see("ダッシュボード")
    assert code_in(mail) not in page.do("address")
    page.click("管理アカウント", role="link")
    page.fill("ユーザ ID", "suzuki")
    page.do("fill", label="メールアドレス", value="hanako@pra.test")
    page.do("check", label="セットアップコードをメールで送る")
    page.click("セットアップコードを発行")
    page.see("hanako@pra.test へ送りました。")
    page.look("invitation-mailed")
    page.click("メール", role="link")
    page.see("● 送信済み")
    page.do("fill", label="メールアドレス", value="nobody-here@pra.test")
    page.click("送信")
    page.see("× 拒否された")
    page.look("mail")
