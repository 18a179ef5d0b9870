"""The helpdesk's part of the management tool: a user's logs, whole or not, and the time line of both sides."""

import os


from lib.messages import MESSAGES
from lib.ports import free_port
from lib.servers.targets import echo
from lib.client import exchange
from test_log_send import harm_line, send


def test_the_helpdesk_sees_what_the_user_sent(portal, page, make_client, target):
    portal.account("tanaka", "owner")
    portal.account("sato", "helpdesk")
    client = make_client(gateway=portal.gateway).enrol()
    local = free_port()
    portal.gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", local)
    client.connect()
    client.wait_forward("Echo")
    exchange(local, b"hello", 5)
    page.log_in("sato")
    page.click("ログ", role="link")
    page.see("送信されたログはありません。")
    page.look("logs-empty")
    whole = send(client)
    client.close()
    harm_line(os.path.join(client.home, "log", "System.log"))
    client.connect()
    broken = send(client)
    page.click("ユーザ", role="link")
    page.click("suzuki", role="link")
    page.see("● 欠落・改変なし")
    page.look("logs-user")
    page.goto(f"/#/logs/{broken}")
    page.see("System.log.1:4")
    page.see("行が改変されています")
    page.look("log-broken")
    page.goto(f"/#/logs/{whole}")
    page.see("● 欠落・改変なし")
    page.see("channel-open")
    page.look("log-whole")
    assert "削除" not in page.text("main")
    portal_bytes = portal.browser()
    portal_bytes.login("sato")
    part = portal_bytes.get(f"/logs/{whole}/data").result
    assert part["size"] == portal.gateway.admin("log", "list")[-1]["size"]
    page.click("English")
    page.see("Are the logs whole?")
    page.look("log-whole-en")


def test_the_helpdesk_sees_what_went_wrong_and_what_helps(portal, page, make_client):
    """With the code that the user saw, from the table of messages, in the language of whoever looks."""
    portal.account("boss", "owner")
    portal.account("sato", "helpdesk")
    client = make_client(gateway=portal.gateway).enrol()
    portal.gateway.admin("key", "revoke", client.key_fingerprint())
    client.try_connect(3)
    assert client.status()["error"]["code"] == "ERR(10204)", "who is refused is told nothing more"
    trouble = portal.gateway.admin("user", "trouble", "suzuki", "--lang", "ja")
    assert trouble[-1]["code"] == MESSAGES["MSG_KEY_REVOKED"].code and trouble[-1]["by"] == "gateway"
    assert trouble[-1]["title"] == MESSAGES["MSG_KEY_REVOKED"].title["ja"]
    page.log_in("sato")
    page.click("ユーザ", role="link")
    page.click("suzuki", role="link")
    page.see("この PC の公開鍵は失効しました")
    page.do("open_details", name="対処")
    page.look("user-trouble")
    page.click("English")
    page.see(MESSAGES["MSG_KEY_REVOKED"].title["en"])
    # Ports: the gateway answers; it is gone; it is there again.
    page.click("Ports", role="link")
    page.see("● open")
    page.see("10022 OK!")
    assert "※" in page.text("main")
    page.look("ports-en")
    sato = portal.browser()
    sato.login("sato")
    rows = {row["use"]: row for row in sato.get("/port-check").result}
    assert rows["ssh"] == {"port": portal.gateway.port, "direction": "in", "protocol": "TCP", "use": "ssh",
                           "mandatory": True, "state": "open"}
    assert rows["portal"]["port"] == portal.port
    assert portal.browser().get("/port-check").status == 401
