"""The management tool's part of penalties of sources, and of what is done about clones of a user's keys."""

import pytest

from lib.portal import Portal, new_port, portal_config
from lib.procs import run, wait_until

# 127.0.0.0/8 is full of addresses; each stands for a network of its own. A penalty outlasts the test.
STRANGERS = ("127.0.0.77", "127.0.3.9")
SETTINGS = "[limits]\npenalty_authfail = 600s\npenalty_max = 3600s\n"


@pytest.fixture
def portal(make_gateway, folder):
    port = new_port()
    gateway = make_gateway(name="pgw", penalties=True, extra_config=portal_config(port) + SETTINGS)
    gateway.add_user("suzuki")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/guess"]).ok()
    p = Portal(gateway, port).start()
    yield p
    p.stop()


def guess(gateway, folder, source):
    run(["ssh", "-F", "none", "-N", "-i", f"{folder}/guess", "-b", source, "-p", str(gateway.port), "-o", "BatchMode=yes",
         "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "suzuki@127.0.0.1"])
    wait_until(lambda: source in held_off(gateway), 5, f"a penalty of {source}")


def held_off(gateway):
    return [p["source"] for p in gateway.admin("penalty", "list")]


def test_the_helpdesk_sees_who_is_held_off_and_lets_him_in(portal, page, folder):
    gateway = portal.gateway
    portal.account("sato", "helpdesk")
    page.log_in("sato")
    page.click("接続状況", role="link")
    page.see("制限中の接続元はありません。")
    for source in STRANGERS:
        guess(gateway, folder, source)
    page.goto("/#/users")
    page.goto("/#/live")
    page.see("× すべての接続を拒否")
    page.look("penalties")
    page.click(f"制限を解除: {STRANGERS[0]}")
    wait_until(lambda: held_off(gateway) == [STRANGERS[1]], 5, "one to be let in")
    page.gone(STRANGERS[0])
    gateway.wait_audit("admin", user="sato", detail=f"penalty.clear source={STRANGERS[0]}")
    guess(gateway, folder, STRANGERS[0])
    page.goto("/#/users")
    page.goto("/#/live")
    page.click("すべての制限を解除")
    page.see("制限中の接続元はありません。")
    assert held_off(gateway) == []


def test_an_auditor_sees_penalties_and_lifts_none(portal, page, folder):
    guess(portal.gateway, folder, STRANGERS[0])
    portal.account("kimura", "auditor")
    page.person(locale="en-GB", scheme="dark")
    page.log_in("kimura")
    page.click("Live", role="link")
    page.see("× every connection")
    assert "Lift" not in page.text("tbody")
    page.look("penalties-en")
    browser = portal.browser()
    browser.login("kimura")
    assert browser.get("/penalties").result[0]["source"] == STRANGERS[0]
    assert browser.ask("DELETE", "/penalties").code == "not-permitted"
    other_site = portal.browser()
    other_site.login("kimura")
    assert other_site.ask("DELETE", "/penalties", headers={"Origin": "https://elsewhere.example"}).status == 403
    assert held_off(portal.gateway) == [STRANGERS[0]]


def test_what_is_done_about_clones_is_chosen_for_a_user(portal, page):
    gateway = portal.gateway
    portal.account("tanaka", "owner")
    portal.account("kimura", "auditor")

    def policy():
        return gateway.admin("user", "list", "--name", "suzuki")[0]["clone"]
    page.log_in("tanaka")
    page.goto("/#/users/suzuki")
    page.see("端末ごとの設定が優先されます。")
    page.do("select", label="鍵が 2 台で使用された場合", value="鍵を隔離")
    wait_until(lambda: policy() == "quarantine", 5, "the policy")
    gateway.wait_audit("admin", user="tanaka", detail="user.set name=suzuki clone=quarantine")
    page.look("user-clone")
    page.do("select", label="鍵が 2 台で使用された場合", value="ゲートウェイの設定に従う")
    wait_until(lambda: policy() == "default", 5, "the policy taken back")
    # Who may only look reads it.
    gateway.admin("user", "set", "suzuki", "--clone", "refuse")
    page.person(locale="en-GB")
    page.log_in("kimura")
    page.goto("/#/users/suzuki")
    page.see("When two PCs use the key: Refuse the second one")
    page.look("user-clone-auditor")
