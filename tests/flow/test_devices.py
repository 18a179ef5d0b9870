"""What administrators say of a device, what devices say of themselves, and all of it as one file."""

import json


from lib.client import exchange
from lib.machines import OFFICE_PC, OTHER_PC, changed
from lib.ports import free_port
from lib.procs import wait_until


def device(gateway, user="suzuki"):
    return gateway.admin("key", "list", "--user", user)[0]


def test_name_place_and_mail_are_set_shown_found_and_taken_away(gateway, make_client):
    client = make_client(user="suzuki").enrol()
    fingerprint = client.key_fingerprint()
    done = gateway.admin("key", "set", fingerprint, "--name", "営業ノート 7", "--place", "大阪", "--mail", "osaka@example.com")
    assert (done["name"], done["place"], done["mail"]) == ("営業ノート 7", "大阪", "osaka@example.com")
    assert gateway.admin("key", "list", "--search", "大阪")[0]["fingerprint"] == fingerprint
    assert gateway.admin("key", "list", "--sort", "place")[0]["place"] == "大阪"
    gateway.admin("key", "set", fingerprint, "--place", "")
    now = device(gateway)
    assert (now["name"], now["place"], now["mail"]) == ("営業ノート 7", None, "osaka@example.com")
    for bad in (["--mail", "nobody"], ["--mail", "a@b\nBcc: c@d"], ["--name", "\x1b[2J"]):
        assert gateway.admin_run("key", "set", fingerprint, *bad).status == 1, bad
    assert gateway.admin_run("key", "set", "SHA256:nothing", "--name", "x").status == 1
    gateway.add_user("sato")
    gateway.add_key("sato", client.export())
    twice = gateway.admin_run("key", "set", fingerprint, "--name", "x")
    assert twice.status == 1 and "several users" in twice.err
    gateway.admin("key", "set", fingerprint, "--user", "sato", "--name", "shared")
    assert device(gateway)["name"] == "営業ノート 7" and device(gateway, "sato")["name"] == "shared"


def test_one_file_tells_the_helpdesk_everything(gateway, make_client, target):
    echo = target()
    client = make_client(user="suzuki", machine=OFFICE_PC).enrol()
    local, taken = free_port(), echo.port
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{echo.port}", local)
    gateway.add_rule("suzuki", "Busy", f"127.0.0.1:{echo.port}", taken)
    client.connect()
    client.wait_forward("Echo")
    client.wait_forward("Busy", "conflict")
    exchange(local, b"hello", 5)
    fingerprint = client.key_fingerprint()

    def whole():
        found = gateway.admin("key", "show", fingerprint)
        return found if found["sessions"] and found["sessions"][0]["ports"] else None
    all_ = wait_until(whole, 5, "the report of ports")
    assert all_["device"]["binding"] == "bound" and all_["device"]["version"] and all_["device"]["machine"]
    assert all_["user"]["name"] == "suzuki" and [r["name"] for r in all_["rules"]] == ["Echo", "Busy"]
    assert all_["sessions"][0]["ports"][0]["local"] == f"127.0.0.1:{taken}"
    assert "login" in {e["kind"] for e in all_["events"]} and {e["device"] for e in all_["events"]} == {fingerprint}
    assert all_["machine-tags"] == [] and all_["gateway"]
    with open(client.passphrase_file) as f:
        assert f.read().strip() not in json.dumps(all_)


def test_another_machine_tag_is_noticed(gateway, make_client):
    client = make_client(user="suzuki", machine=OFFICE_PC).enrol()
    gateway.add_rule("suzuki", "Net", "10.1.2.3:80", free_port())
    client.connect()
    first = wait_until(lambda: device(gateway)["machine"], 5, "the tag")
    client.disconnect()
    client.set_machine(changed(OFFICE_PC, board_serial=OTHER_PC["board_serial"], mac=OTHER_PC["mac"]))
    client.connect()
    second = wait_until(lambda: device(gateway)["machine"] != first and device(gateway)["machine"], 5, "another tag")
    now = device(gateway)
    assert now["machine-changes"] == 1 and now["machine-changed"]
    tags = gateway.admin("key", "show", client.key_fingerprint())["machine-tags"]
    assert [(t["from"], t["to"]) for t in tags] == [(first, second)]


def test_the_page_shows_and_changes_a_device(portal, make_client, page_of):
    gateway = portal.gateway
    portal.account("tanaka", "owner")
    client = make_client(gateway=gateway, user="suzuki", machine=OFFICE_PC).enrol()
    gateway.add_rule("suzuki", "Net", "10.1.2.3:80", free_port())
    client.connect()
    page = page_of(portal)
    page.log_in("tanaka")
    page.goto("/#/devices")
    page.click(device(gateway)["comment"], role="link")
    page.see("端末情報")
    page.fill("端末名", "営業ノート 7")
    page.fill("設置場所", "大阪")
    page.fill("アラート通知先メールアドレス", "osaka@example.com")
    page.do("click", role="button", name="保存")
    page.see("保存しました。")
    assert device(gateway)["place"] == "大阪"
    page.look("device")
    got = page.do("download", role="button", name="ファイルで取得")
    assert got["name"] == "device-suzuki.json"
    assert json.loads(got["text"])["device"]["fingerprint"] == client.key_fingerprint()
    page.goto("/#/devices")
    page.see("営業ノート 7")
    page.look("devices-named")
