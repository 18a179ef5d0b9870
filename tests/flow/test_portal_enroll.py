"""The management tool's part of enrollment: a code, the PC that comes with it, one click."""


from test_enroll import WAITING, Waiting


def pc(make_client, portal, name):
    client = make_client(name, gateway=portal.gateway)
    client.keygen()
    client.set_server()
    return client


def test_a_pc_is_let_in_with_one_click_and_another_is_not(portal, page, make_client):
    portal.account("tanaka", "owner")
    portal.gateway.add_user("suzuki")
    client = pc(make_client, portal, "one")
    page.log_in("tanaka")
    page.click("端末の登録", role="link")
    page.see("登録コードも、承認待ちの端末もありません。")
    page.look("enroll-empty")
    page.click("ユーザ", role="link")
    page.click("suzuki", role="link")
    page.click("登録コードを発行")
    page.see("再表示できません")
    code = page.text(".secret")
    page.look("enroll-code")
    page.click("控えました")
    waits = Waiting(client, code).see(WAITING)
    page.see("△ 承認待ち")
    page.see(client.key_fingerprint())
    page.look("enroll-user")
    page.click(f"承認する: {computer(portal)}")
    page.see("● 有効")
    assert "Next: pra connect" in waits.ends(0)

    # From the list of all, refused.
    client = pc(make_client, portal, "two")
    waits = Waiting(client, portal.gateway.admin("enroll", "code", "suzuki")["code"]).see(WAITING)
    page.click("端末の登録", role="link")
    page.see("△ 承認待ち")
    page.look("enroll")
    page.click(f"拒否する: {computer(portal)}")
    page.see("× 拒否")
    assert "ERR(10213)" in waits.ends(1)


def computer(portal):
    return portal.gateway.admin("enroll", "list", "--state", "waiting")[0]["computer"]


def test_who_may_only_look_sees_no_button(portal, page):
    portal.account("sato", "auditor")
    portal.gateway.add_user("suzuki")
    portal.gateway.admin("enroll", "code", "suzuki")
    page.person(locale="en-GB", scheme="dark")
    page.log_in("sato")
    page.click("Enrolment", role="link")
    page.see("○ not used yet")
    assert "Take back" not in page.text()
    page.look("enroll-auditor-en")
