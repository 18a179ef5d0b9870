"""The page's API tokens and management access in Chromium, in both languages."""

import http.client
import json

import pytest

from lib.portal import PASSWORD


@pytest.fixture
def portal(portal):
    portal.account("boss", "owner")
    return portal


def status_with(portal, token, path="/api/v1/me"):
    connection = http.client.HTTPSConnection(portal.host, portal.port, timeout=20, context=portal.context())
    connection.request("GET", path, headers={"Authorization": "Bearer " + token})
    response = connection.getresponse()
    json.loads(response.read())
    connection.close()
    return response.status


def test_a_token_is_made_used_and_revoked(portal, page):
    page.log_in("boss")
    page.click("アカウント", role="link")
    page.see("API トークンはまだありません。")
    page.do("open_details", name="API トークンを作成")
    page.fill("トークンの名前", "x y")
    page.do("fill_in", section="API トークン", label="パスワード", value=PASSWORD)
    page.click("API トークンを作成")
    page.see("入力内容に誤りがあります。")
    page.fill("トークンの名前", "nightly")
    page.do("check", label="転送ルール")
    page.look("token-form")
    page.click("API トークンを作成")
    page.see("トークン nightly を作成しました")
    token = page.text(".once .secret")
    page.look("token-made")
    assert status_with(portal, token) == 200
    page.click("控えました")
    page.see("参照, 転送ルール")
    page.look("tokens")
    page.click("失効: nightly")
    page.see("API トークンはまだありません。")
    assert status_with(portal, token) == 401


def test_a_role_is_offered_only_what_it_may_give_a_token(portal, page):
    portal.account("sato", "auditor")
    page.person(locale="en-GB", scheme="dark")
    page.log_in("sato")
    page.click("My account", role="link")
    page.see("There are no API tokens yet.")
    page.do("open_details", name="Make an API token")
    page.see("read")
    assert "users, groups, keys" not in page.text() and "end sessions" not in page.text()
    assert "Access" not in page.text("header")
    page.look("account-auditor-en")


def test_networks_are_listed_and_the_last_way_in_is_asked_about_first(portal, page):
    page.person(locale="en-GB")
    page.log_in("boss")
    page.click("Access", role="link")
    page.see("There is no limit: it can be used from everywhere.")
    page.look("access-empty-en")
    page.fill("Address or network", "192.0.2.0/33")
    page.click("Add network")
    page.see("network: must be an address")
    page.do("dialogs", accept=False)
    page.fill("Address or network", "192.0.2.0/24")
    page.click("Add network")
    page.see("This change would shut out where you are now.")
    page.look("access-refused-en")
    page.fill("Address or network", "127.0.0.1")
    page.fill("Comment", "head office")
    page.click("Add network")
    page.see("127.0.0.1/32")
    page.fill("Address or network", "192.0.2.0/24")
    page.click("Add network")
    page.see("192.0.2.0/24")
    page.look("access-en")
    page.click("Delete: 192.0.2.0/24")
    page.see("192.0.2.0/24 was removed from the list.")
    page.fill("Address or network", "192.0.2.0/24")
    page.click("Add network")
    page.see("Delete")
    page.do("dialogs", accept=True)
    page.click("Delete: 127.0.0.1/32")
    page.see("Management is not allowed from this address.")
    page.goto()
    page.see("Management is not allowed from this address.")
    page.look("access-closed-en")
    portal.gateway.admin("access", "reset")
    page.goto()
    page.see("Access")
