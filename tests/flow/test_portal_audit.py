"""The audit of the portal: found, looked at, taken away as a file, kept as long as it was asked for, counted exactly."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import time
import urllib.parse

import pytest

from lib.bigstore import fill
from lib.client import dial
from lib.gateway import Gateway, program
from lib.ports import free_port
from lib.portal import Portal, new_port, portal_config
from lib.procs import own_kib, wait_until

DAY = 86400
RFC5424 = re.compile(r"<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) "
                     r'(-|\[pra@12345\.1(?: [^\s="\]]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*\]) \ufeff(.*)')
PARAMETER = re.compile(r'[ \[]([^\s="\]]+)="((?:[^"\\\]]|\\["\\\]])*)"')


def insert(gateway, rows):
    """Records as an older prad left them: (kind, seconds since the epoch, user, detail)."""
    with sqlite3.connect(os.path.join(gateway.dir, "pra.db")) as db:
        db.executemany("INSERT INTO audit (kind, time_ms, session, user, device, source, source_port, target, target_ip, rule, reason,"
                       " detail, bytes_in, bytes_out) VALUES (?, ?, '', ?, '', '192.0.2.9', 1, 'mail:110', '', 0, 'old', ?, 0, 0)",
                       ((kind, int(at * 1000), user, detail) for kind, at, user, detail in rows))
    db.close()


@pytest.fixture
def make_portal(make_gateway):
    portals = []

    def make(prepare=lambda gateway: None, extra=""):
        port = new_port()
        gateway = make_gateway("agw", start=False, extra_config=portal_config(port) + extra)
        prepare(gateway)
        gateway.start(60)
        portals.append(Portal(gateway, port).start())
        return portals[-1]
    yield make
    for p in portals:
        p.stop()


def test_records_are_found_newest_first_by_filters_and_text(make_portal, make_client, target):
    portal = make_portal()
    gateway, auditor = portal.gateway, portal.account("sato", "auditor")
    port = free_port()
    client = make_client(gateway=gateway).enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port)
    client.connect()
    client.wait_forward("Echo")
    with dial(port) as s:
        s.sendall(b"x")
        s.recv(1)
    client.disconnect()
    gateway.wait_audit("logout")

    def found(**filters):
        answer = auditor.get("/audit?" + urllib.parse.urlencode(filters))
        assert answer.status == 200, answer.body
        return answer.json
    everything = found(limit=1000)
    ids = [r["id"] for r in everything["result"]]
    assert everything["page"]["total"] == len(ids) and everything["page"]["complete"]
    assert sorted(ids) == list(range(1, len(ids) + 1))
    assert [r["time"] for r in everything["result"]] == sorted((r["time"] for r in everything["result"]), reverse=True)
    opened = found(kind="channel-open")["result"][0]
    for name in ("user", "device", "session", "target", "source"):
        part = found(**{name: opened[name]}, limit=1000)
        assert part["page"]["total"] == len(part["result"]) == sum(r[name] == opened[name] for r in everything["result"])
    both = found(user="suzuki", kind="login", device=opened["device"], session=opened["session"], since="1h")
    assert [r["kind"] for r in both["result"]] == ["login"]
    assert found(user="suzuki", until="1h")["result"] == []
    assert {r["kind"] for r in found(search="RULE.ADD NAME=Echo")["result"] + found(search="rule.add user=suz")["result"]} == {"admin"}
    assert found(search="100%")["result"] == []
    first, second = found(limit=3), found(limit=3, offset=3)
    assert [r["id"] for r in first["result"] + second["result"]] == ids[:6]
    assert [r["id"] for r in found(limit=3, before=first["page"]["last"])["result"]] == ids[3:6]


def console(gateway, *words):
    """What pra-admin prints, each byte of it."""
    argv = [program("pra-admin"), "--config", gateway.config, *words]
    return subprocess.run(argv, check=True, capture_output=True, timeout=30).stdout.decode()


FORMATS = {"csv": "text/csv", "jsonl": "application/jsonl", "syslog": "text/plain"}
ODD = ["=cmd|' /C calc'!A0", 'say "x", and y', "a\nb", "close ] bracket \\ back", "鈴木 花子", "+1"]


def read_csv(text):
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    return [{**r, "detail": r["detail"].removeprefix("'")} for r in csv.DictReader(io.StringIO(text[1:], newline=""))]


def read_syslog(text):
    records = []
    for line in text.splitlines():
        found = RFC5424.fullmatch(line)
        assert found, line
        assert int(found[1]) // 8 == 13 and found[4] == "prad"
        # Without an enterprise number of one's own there is no structured data: the members end the message.
        data = found[7] if found[7] != "-" else found[8][found[8].index('[id="'):]
        members = {k: re.sub(r"\\([\"\\\]])", r"\1", v) for k, v in PARAMETER.findall(data)}
        records.append({**members, "kind": found[6], "time": found[2]})
    return records


READERS = {"csv": read_csv, "jsonl": lambda text: [json.loads(line) for line in text.splitlines()], "syslog": read_syslog}


@pytest.mark.parametrize("enterprise", ["", "[audit]\nenterprise = 12345.1\n"])
def test_an_export_holds_what_fits_in_each_format_and_is_recorded(make_portal, enterprise):
    portal = make_portal(extra=enterprise, prepare=lambda g: insert(g, [("login", time.time() - 9 + i, "suzuki", d) for i, d in enumerate(ODD)]
                                          + [("logout", time.time(), "endo", "")]))
    auditor = portal.account("sato", "auditor")
    wanted = auditor.get("/audit?user=suzuki").result[::-1]
    assert [r["detail"] for r in wanted] == ODD
    for name, kind in FORMATS.items():
        answer = auditor.get(f"/audit/export?format={name}&user=suzuki")
        assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=\"audit-2")
        text = answer.body.decode()
        assert name != "syslog" or ("[pra@12345.1 " in text) == bool(enterprise)
        for got in (READERS[name](text), READERS[name](console(
                portal.gateway, "audit", "export", "--format", name, "--user", "suzuki"))):
            assert [str(r["id"]) for r in got] == [str(r["id"]) for r in wanted]
            assert [r["detail"].replace("\\x0a", "\n") for r in got] == ODD
            assert [r["time"] for r in got] == [r["time"] for r in wanted]
    records = portal.gateway.audit("admin", user="sato")
    assert [r["detail"] for r in records if r["detail"].startswith("audit.export")] == [
        f"audit.export format={f} user=suzuki" for f in FORMATS]
    assert auditor.get("/audit/export?format=pdf").code == "invalid"
    assert portal.account("endo", "helpdesk").get("/audit/export").code == "not-permitted"
    assert portal.gateway.admin_run("audit", "export", "--format", "pdf").out == ""


@pytest.mark.release_only
def test_a_large_export_is_sent_in_parts_and_nothing_else_waits(make_portal):
    records = 120000
    portal = make_portal(lambda g: fill(os.path.join(g.dir, "pra.db"), 100, 100, records))
    auditor, other = portal.account("sato", "auditor"), portal.account("endo", "auditor")
    before = own_kib(portal.process.pid)
    slowest = peak = 0
    connection = auditor.stream("/audit/export?format=jsonl")
    lines = 0
    for chunk in iter(lambda: connection.read(1 << 20), b""):
        lines += chunk.count(b"\n")
        peak = max(peak, own_kib(portal.process.pid))
        begun = time.monotonic()
        other.get("/status").result
        slowest = max(slowest, time.monotonic() - begun)
    print(f"figure: {lines} records exported, portal +{(peak - before) / 1024:.1f} MB, another page at most {slowest * 1000:.0f} ms")
    assert lines >= records and peak - before < 24 * 1024


def test_an_export_that_prad_cannot_finish_is_cut_off(make_portal):
    portal = make_portal(lambda g: fill(os.path.join(g.dir, "pra.db"), 10, 10, 40000))
    auditor = portal.account("sato", "auditor")
    stream = auditor.stream("/audit/export?format=csv")
    assert stream.read(1000)
    portal.gateway.kill()
    with pytest.raises(Exception) as broken:
        while stream.read(1 << 20):
            pass
    assert type(broken.value).__name__ in ("IncompleteRead", "ConnectionResetError", "SSLEOFError", "RemoteDisconnected")


def test_records_are_deleted_after_the_days_that_are_set_and_the_counts_stay(make_portal):
    now, old = time.time(), 5000
    portal = make_portal(lambda g: insert(g, [("login", now - 40 * DAY + i, "suzuki", "old") for i in range(old)]
                                          + [("login", now - 20 * DAY, "suzuki", "young")]), "[audit]\nkeep_days = 30\n")
    gateway = portal.gateway
    slowest = 0

    def done():
        nonlocal slowest
        begun = time.monotonic()
        gateway.admin("hostkey", "show")
        slowest = max(slowest, time.monotonic() - begun)
        return gateway.audit("audit-expired")
    record = wait_until(done, 30, "the deletion to be recorded")
    assert [r["detail"].split()[0] for r in record] == [f"records={old}"]
    assert [r["detail"] for r in gateway.audit("login")] == ["young"]
    print(f"figure: {old} records deleted, an answer meanwhile took at most {slowest * 1000:.0f} ms")
    # The same for a prad that reads its settings again.
    insert(gateway, [("logout", now - 25 * DAY, "suzuki", "of middle age")])
    gateway.write_config(portal_config(portal.port) + "[audit]\nkeep_days = 22\n")
    gateway.reload()
    wait_until(lambda: not gateway.audit("logout"), 10, "the shorter time to be kept")
    assert [r["detail"] for r in gateway.audit("login")] == ["young"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory, programs, chromium):
    class Stack:
        pass
    s, port = Stack(), new_port()
    s.gateway = Gateway(str(tmp_path_factory.mktemp("a")), extra_config=portal_config(port)).init()
    now = time.time()
    insert(s.gateway, [("channel-open" if i % 2 else "login-refused", now - 3600 - i, f"user{i % 7}", f"n={i}") for i in range(130)])
    s.gateway.start()
    s.portal = Portal(s.gateway, port).start()
    s.portal.account("sato", "auditor")
    s.page = chromium.visit(s.portal)
    yield s
    try:
        s.page.check()
    finally:
        s.portal.stop()
        s.gateway.stop()


@pytest.mark.parametrize("locale, words", [("ja-JP", 0), ("en-GB", 1)])
def test_an_auditor_filters_looks_and_exports(stack, locale, words):
    def w(japanese, english):
        return (japanese, english)[words]
    page = stack.page
    page.person(locale=locale)
    page.log_in("sato")
    page.click(w("監査", "Audit"), role="link")
    page.see("n=0")
    page.look("audit" + w("", "-en"))
    page.do("select", label=w("種類", "Kind"), value="login-refused")
    page.see(w("該当 65 件", "Records found: 65"))
    page.click(w("次へ", "Next"))
    page.see(w("ページ 2 / 2", "Page 2 of 2"))
    page.fill(w("ユーザ名", "User name"), "user0")
    page.see(w("該当 10 件", "Records found: 10"))
    page.fill(w("検索", "Search"), "N=112")
    page.see(w("該当 1 件", "Records found: 1"))
    page.do("press", key="Tab")
    wait_until(lambda: page.do("all", selector="td button") == [w("表示", "Show")], 5, "one record")
    page.do("click_first", selector="td button")
    page.do("see_selector", selector="dialog[open]")
    assert "192.0.2.9" in page.text("dialog") and "mail:110" in page.text("dialog")
    page.look("audit-record" + w("", "-en"))
    page.do("press", key="Escape")
    file = page.do("download", role="link", name=w("CSV(表計算)", "CSV (spreadsheet)"))
    assert file["name"].startswith("audit-") and file["name"].endswith(".csv")
    assert [r["detail"] for r in read_csv(file["text"].replace("\r\n", "\n").replace("\n", "\r\n"))] == ["n=112"]
    page.fill(w("検索", "Search"), "nothing like that")
    page.see(w("該当する記録はありません。", "No record matches."))
    page.look("audit-empty" + w("", "-en"))
