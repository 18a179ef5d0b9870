"""Alerts: what raises them, who is told by mail in a real mailbox, what people do with them, how they are counted."""

import datetime
import os
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.gateway import Gateway
from lib.ports import free_port
from lib.portal import Portal, new_port, portal_config
from lib.procs import run, wait_until
from lib.servers.targets import Relay

QUICK = "[keepalive]\ndelay = 1s\ntimeout = 3s\n"


def alerts(gateway, kind=None, **members):
    found = gateway.admin("alert", "list", *(["--kind", kind] if kind else []))
    return [a for a in found if all(a[k] == v for k, v in members.items())]


def wait_alert(gateway, kind, timeout=20, **members):
    return wait_until(lambda: alerts(gateway, kind, **members), timeout, f"alert {kind} {members}", interval=0.1)[0]


def refused_logins(gateway, folder, user, times):
    key = f"{folder}/stranger"
    if not os.path.exists(key):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).ok()
    for _ in range(times):
        run(["ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
             "-o", "BatchMode=yes", "-i", key, "-N", "-p", str(gateway.port), f"{user}@{gateway.host}"])


def told_account(portal, name, role, minimum, mail):
    browser = portal.account(name, role)
    browser.ask("PATCH", "/me", {"mail": mail}).result
    assert browser.ask("PUT", "/me/alerts", {"minimum": minimum}).result["minimum"] == minimum
    return browser


@pytest.mark.needs_root
def test_a_device_whose_network_is_cut_is_told_by_mail_and_so_is_its_return(make_gateway, make_client, mta):
    """C4, with a real client behind a network that goes dead, and a real mailbox."""
    port = new_port()
    gateway = make_gateway("c4", extra_config=portal_config(port) + QUICK + mta.config())
    portal = Portal(gateway, port).start()
    relay = Relay(gateway.port).start()
    try:
        told_account(portal, "tanaka", "admin", "notice", "tanaka@pra.test")
        told_account(portal, "sato", "auditor", "critical", "sato@pra.test")
        client = make_client(gateway=gateway).enrol()
        client.set_server(f"127.0.0.1:{relay.port}")
        gateway.add_rule("suzuki", "Mail", "127.0.0.1:1", free_port())
        key = gateway.admin("key", "list")[0]
        gateway.admin("watch", "set", "suzuki", key["fingerprint"], "--after", "5s")
        client.connect()
        wait_until(lambda: gateway.admin("watch", "list")[0]["state"] == "online", 10, "the device to be seen")
        # Announced: nobody is told.
        outage = gateway.admin("outage", "add", "--until", "1h", "--user", "suzuki", "--note", "配線工事")
        relay.go_silent()
        relay.cut()
        wait_until(lambda: gateway.admin("watch", "list")[0]["state"] == "offline", 15, "the device to be away")
        away = time.monotonic()
        wait_until(lambda: time.monotonic() - away > 7, 10, "longer than the device may be away")
        assert not alerts(gateway, "device-offline") and not mta.mails(to="tanaka@pra.test")
        # The announcement is taken back: it is away, and now that is news.
        gateway.admin("outage", "remove", str(outage["id"]))
        mail = mta.wait_mail(to="tanaka@pra.test", subject="常時接続端末の切断", timeout=30)
        assert mail.subject.startswith("[PRA] 【警告】") and "suzuki" in mail.subject
        assert "a device is away" in mail.text and key["fingerprint"] in mail.text
        alert = wait_alert(gateway, "device-offline")
        assert (alert["severity"], alert["user"], alert["device"]) == ("warning", "suzuki", key["fingerprint"])
        assert gateway.admin("watch", "list")[0]["told"]
        relay.come_back()
        assert mta.wait_mail(to="tanaka@pra.test", subject="常時接続端末の復旧", timeout=60).subject.startswith("[PRA] 【お知らせ】")
        assert wait_alert(gateway, "device-back")["severity"] == "notice"
        assert gateway.admin("watch", "list")[0]["state"] == "online"
        assert len(alerts(gateway, "device-offline")) == 1
        assert not mta.mails(to="sato@pra.test"), "told of critical ones only"
        assert gateway.wait_audit("alert", reason="device-offline")
    finally:
        relay.stop()
        portal.stop()


@pytest.mark.needs_root
def test_repeated_failures_are_told_as_not_judged_and_followed_up(make_gateway, mta, folder):
    port = new_port()
    gateway = make_gateway("fail", extra_config=portal_config(port) + "[alerts]\nfailures = 4\n" + mta.config())
    gateway.add_user("suzuki")
    portal = Portal(gateway, port).start()
    try:
        helper = told_account(portal, "hanako", "helpdesk", "critical", "suzuki@pra.test")
        refused_logins(gateway, folder, "suzuki", 4)
        alert = wait_alert(gateway, "failures-user")
        assert (alert["severity"], alert["subject"], alert["source"]) == (None, "suzuki", "127.0.0.1")
        assert wait_alert(gateway, "failures-source")["subject"] == "127.0.0.1"
        mail = mta.wait_mail(to="suzuki@pra.test", subject="ログイン失敗の繰り返し(ユーザ)")
        assert "※調査中※" in mail.subject and "not judged yet" in mail.text
        # The same again is the same record, and no second mail.
        refused_logins(gateway, folder, "suzuki", 4)
        assert wait_alert(gateway, "failures-user", times=2)["id"] == alert["id"]
        path = f"/alerts/{alert['id']}"
        assert helper.post(path + "/ack").code == "invalid", "not before it is judged"
        helper.post(path + "/judge", {"severity": "notice", "note": "パスフレーズ忘れ"}).result
        followed = mta.wait_mail(to="suzuki@pra.test", subject="判定 【お知らせ】")
        assert "パスフレーズ忘れ" in followed.text and "hanako" in followed.text and "調査中" not in followed.subject
        assert helper.post(path + "/ack").result["acked-by"] == "hanako"
        assert helper.post(path + "/ack").code == "exists"
        assert helper.get("/alerts/sums").result["unjudged"] == 1
        assert [a["id"] for a in helper.get("/alerts?state=acked").result] == [alert["id"]]
        assert len([m for m in mta.mails(to="suzuki@pra.test") if "(ユーザ)" in m.subject]) == 2
    finally:
        portal.stop()


@pytest.mark.needs_root
def test_a_device_with_an_alert_address_of_its_own_is_told_there_too(make_gateway, make_client, mta):
    """C2: the people at the place where the device stands hear of it, beside the administrators; and who hears already, hears once."""
    port = new_port()
    gateway = make_gateway("c2", extra_config=portal_config(port) + QUICK + mta.config())
    portal = Portal(gateway, port).start()
    try:
        told_account(portal, "hanako", "admin", "notice", "hanako@pra.test")
        client = make_client(gateway=gateway).enrol()
        gateway.add_rule("suzuki", "Mail", "127.0.0.1:1", free_port())
        fingerprint = gateway.admin("key", "list")[0]["fingerprint"]
        bad = gateway.admin_run("key", "set", fingerprint, "--mail", "not an address")
        assert bad.status == 1 and "mail:" in bad.err
        gateway.admin("key", "set", fingerprint, "--name", "倉庫の端末", "--place", "名古屋", "--mail", "site@pra.test")
        client.connect()  # before it is watched: on a busy machine that may take longer than it may be away
        gateway.admin("watch", "set", "suzuki", fingerprint, "--after", "5s")
        wait_until(lambda: gateway.admin("watch", "list")[0]["state"] == "online", 10, "the device to be seen")
        client.disconnect()
        mail = mta.wait_mail(to="site@pra.test", subject="常時接続端末の切断", timeout=30)
        assert "端末名: 倉庫の端末" in mail.text and "Its place: 名古屋" in mail.text and fingerprint in mail.text
        assert mta.wait_mail(to="hanako@pra.test", subject="常時接続端末の切断").text == mail.text
        # The address of somebody who is told anyway: one mail.
        gateway.admin("key", "set", fingerprint, "--mail", "HANAKO@pra.test")
        client.connect()
        mta.wait_mail(to="hanako@pra.test", subject="常時接続端末の復旧", timeout=30)
        wait_until(lambda: not [m for m in gateway.admin("mail", "list") if m["state"] != "sent"], 20, "all mail to be sent")
        assert [m["to"] for m in gateway.admin("mail", "list") if "復旧" in m["subject"]] == ["hanako@pra.test"]
        # Taken away: nobody at the place is told any more, and alerts of no device never were.
        assert len(mta.mails(to="site@pra.test")) == 1
    finally:
        portal.stop()


def test_from_which_severity_on_mail_is_sent_is_set_at_the_console_as_in_the_portal(make_gateway):
    """One operation for both; a severity that an owner sets for another account is what that one sees in his page."""
    port = new_port()
    gateway = make_gateway("minimum", extra_config=portal_config(port))
    portal = Portal(gateway, port).start()
    try:
        sato = portal.account("sato", "auditor")
        portal.account("goro", "engineer")
        assert gateway.admin("alert", "mail", "show", "sato") == {"account": "sato", "minimum": "none", "mail": None}
        told = gateway.admin_run("alert", "mail", "set", "sato", "warning")
        assert told.status == 0 and "no mail address yet" in told.err, str(told)
        assert sato.get("/me/alerts").result["minimum"] == "warning"
        sato.ask("PUT", "/me/alerts", {"minimum": "critical"}).result
        assert gateway.admin("alert", "mail", "show", "sato")["minimum"] == "critical"
        assert sato.ask("PUT", "/me/alerts", {"minimum": "notice", "account": "goro"}).status == 400
        for words, what in ((("sato", "odd"), "minimum:"), (("nobody", "notice"), "nobody"), (("goro", "notice"), "engineer")):
            result = gateway.admin_run("alert", "mail", "set", *words)
            assert result.status == 1 and what in result.err, str(result)
        assert gateway.admin("alert", "mail", "set", "sato", "none")["minimum"] == "none"
        assert gateway.wait_audit("admin", reason="done")
    finally:
        portal.stop()


def test_records_are_thinned_under_a_flood_and_counts_are_exact(make_gateway, folder):
    gateway = make_gateway("flood", extra_config="[alerts]\nfailures = 1\n")
    users = 60
    for i in range(users):
        refused_logins(gateway, folder, f"nobody{i}", 1)

    def count():
        return sum(c["count"] for c in gateway.admin("alert", "counts") if c["kind"] == "failures-user")
    wait_until(lambda: count() >= users, 10, "all alerts to be counted", interval=0.2)
    assert count() == users
    records = alerts(gateway, "failures-user")
    assert len(records) == 50 and all(a["times"] == 1 for a in records)
    thinned = alerts(gateway, "thinned")
    assert [(a["subject"], a["times"]) for a in thinned] == [("failures-user", users - 50)]


def short_certificate(folder, days):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gw.example.com")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
    with open(f"{folder}/portal.crt", "wb") as f:
        f.write(made.public_bytes(serialization.Encoding.PEM))
    with open(f"{folder}/portal.key", "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def test_certificate_host_key_and_disk_raise_alerts(make_gateway):
    port = new_port()
    gateway = make_gateway("signs", extra_config=portal_config(port))
    assert not alerts(gateway)
    short_certificate(gateway.dir, 20)
    portal = Portal(gateway, port).start()
    try:
        assert wait_alert(gateway, "certificate")["severity"] == "warning"
        short_certificate(gateway.dir, 3)
        portal.process.signal(1)
        wait_alert(gateway, "certificate", severity="critical")
    finally:
        portal.stop()
    before = gateway.fingerprint()
    gateway.stop()
    os.unlink(gateway.host_key)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", gateway.host_key]).ok()
    gateway.start()
    alert = wait_alert(gateway, "hostkey-changed")
    assert alert["severity"] == "critical" and f"before={before}" in alert["detail"] and gateway.fingerprint() in alert["detail"]
    gateway.write_config(portal_config(port) + "[alerts]\ndisk_free = 900000G\n")
    gateway.reload()
    assert wait_alert(gateway, "disk")["severity"] == "critical"
    gateway.write_config(portal_config(port) + "[alerts]\ndisk_free = 1M\n")
    gateway.reload()
    assert wait_alert(gateway, "disk-back")["severity"] == "notice"
    gateway.restart()
    wait_until(lambda: "gateway-start" in str(gateway.audit("gateway-start")), 5)
    assert len(alerts(gateway)) == 5, "a restart is no news"


def test_bad_arguments_are_named(make_gateway, folder):
    gateway = make_gateway("bad")
    gateway.add_user("suzuki")
    for words, what in ((("outage", "add", "--until", "yesterday"), "until"), (("outage", "add", "--until", "2020-01-01"), "until"),
                        (("outage", "add", "--until", "1h", "--user", "nobody"), "user"),
                        (("watch", "set", "suzuki", "SHA256:x", "--after", "1h"), "fingerprint"),
                        (("alert", "judge", "7", "notice"), "id"), (("alert", "list", "--severity", "odd"), "severity"),
                        (("alert", "list", "--kind", "odd"), "kind"), (("outage", "remove", "9"), "id")):
        result = gateway.admin_run(*words)
        assert result.status == 1 and what + ":" in result.err, str(result)


@pytest.fixture(scope="module")
def stack(tmp_path_factory, programs, chromium):
    class Stack:
        pass
    s, port = Stack(), new_port()
    folder = str(tmp_path_factory.mktemp("al"))
    s.gateway = Gateway(folder + "/gw", extra_config=portal_config(port) + f"[alerts]\nfailures = 2\ndisk_free = {1 << 50}\n").init().start()
    s.portal = Portal(s.gateway, port).start()
    s.gateway.add_user("suzuki")
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "suzuki@pc1", "-f", folder + "/key"]).ok()
    s.gateway.add_key("suzuki", folder + "/key.pub")
    s.folder = folder
    s.portal.account("tanaka", "owner")
    s.page = chromium.visit(s.portal)
    yield s
    try:
        s.page.check()
    finally:
        s.portal.stop()
        s.gateway.stop()


@pytest.mark.parametrize("locale, words", [("ja-JP", 0), ("en-GB", 1)])
def test_alerts_are_seen_judged_and_done_in_the_page(stack, locale, words):
    def w(japanese, english):
        return (japanese, english)[words]
    user, ending = f"guest{words}", w("", "-en")
    refused_logins(stack.gateway, stack.folder, user, 2)
    alert = wait_alert(stack.gateway, "failures-user", subject=user)
    for other in alerts(stack.gateway, "failures-source", acked=None):
        stack.gateway.admin("alert", "judge", str(other["id"]), "notice")
        stack.gateway.admin("alert", "ack", str(other["id"]))
    page = stack.page
    page.person(locale=locale)
    page.log_in("tanaka")
    page.see(w("未対応のアラート", "Open alerts"))
    page.look("dashboard-alerts" + ending)
    page.do("click_first", selector="a.tile.alerts")
    page.see(user)
    page.see(w("理由: 登録されていないユーザ名", "reason: no such user"))
    page.see(w("必要な容量: 1.1 PB", "wanted: 1.1 PB"))
    page.look("alerts" + ending)
    page.fill(w("検索", "Search"), user)
    title = w("ログイン失敗の繰り返し(ユーザ)", "Refused log-ins of a user")
    wait_until(lambda: page.do("all", selector=".scroll tbody th") == [title], 5, "one alert")
    page.do("open_details", name=w("重要度を判定", "Judge"))
    page.fill(w("メモ", "Note"), "試験")
    page.click(w("判定する", "Judge it"))
    page.see("試験")
    page.click(f"{w('対応済みにする', 'Done')}: {title} {user}")
    page.see(w("該当するアラートはありません。", "No alert matches."))
    found = [a for a in alerts(stack.gateway, "failures-user") if a["id"] == alert["id"]][0]
    assert (found["severity"], found["note"], found["acked-by"]) == ("warning", "試験", "tanaka")
    page.do("open_details", name=w("常時接続の端末を追加", "Watch a device"))
    page.do("select", label=w("端末", "PC"), value=f"suzuki\n{stack.gateway.admin('key', 'list')[0]['fingerprint']}")
    page.click(w("監視する", "Watch it"))
    page.see(w("10 分", "10 min"))
    page.do("open_details", name=w("計画停止を登録", "Announce an outage"))
    page.fill(w("終了日時", "Until"), "2031-01-01T10:00")
    page.do("fill", label=w("メモ", "Note"), value="配線工事", last=True)
    page.click(w("登録する", "Announce"))
    page.see("配線工事")
    page.do("select", label=w("通知する重要度", "Tell me of"), value="warning")
    wait_until(lambda: page.do("all", selector="p.alert.warn"), 5, "the hint that there is no address")
    page.look("alerts-all" + ending)
    page.click(f"{w('削除', 'Delete')}: 配線工事")
    page.see(w("計画停止はありません。", "None is announced."))
    page.click(f"{w('監視をやめる', 'Watch no more')}: suzuki suzuki@pc1")
    page.see(w("常時接続の端末は登録されていません。", "No device is watched."))
