"""The monthly report: its numbers beside what was really done, its forms, and its mail on the first of the month."""

import calendar
import csv
import io
import os
import shutil
import socket
import subprocess
import time

import pytest

from lib.clock import shifted
from lib.mta import Mta
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import echo
from lib.standard import OpenSSH

MONTH = time.strftime("%Y-%m", time.gmtime())


def talk(port, size):
    """Sends and gets back `size` bytes, in one connection that ends in order."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        data = b"x" * size
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = 0
        while chunk := s.recv(65536):
            got += len(chunk)
        assert got == size


def ssh(gateway, folder, name, user):
    client = OpenSSH(f"{folder}/{name}", gateway, user=user).register()
    client.trust_host()
    return client


def one_session(gateway, client, target, sizes):
    """Connects, makes a connection of each size, disconnects; returns when that is in the audit."""
    before = len(gateway.audit("logout"))
    local = free_port()
    process = client.forward(local, target)
    for size in sizes:
        talk(local, size)
    wait_until(lambda: all(s["channels"] == 0 for s in gateway.sessions()), 5, "the channels to close")
    process.stop(timeout=1)
    wait_until(lambda: len(gateway.audit("logout")) == before + 1, 5, "the log-out")


def test_numbers_are_those_of_what_was_done(make_gateway, folder, target):
    gateway = make_gateway(name="rgw", env={"TZ": "UTC"})
    first, second = target(echo), target(echo)
    suzuki, tanaka = ssh(gateway, folder, "a", "suzuki"), ssh(gateway, folder, "b", "tanaka")
    mail_rule = gateway.add_rule("suzuki", "POP", f"127.0.0.1:{first.port}")
    web_rule = gateway.add_rule("tanaka", "=cmd|'x'", f"127.0.0.1:{second.port}")
    start = time.monotonic()
    one_session(gateway, suzuki, f"127.0.0.1:{first.port}", [1000, 20000])
    one_session(gateway, suzuki, f"127.0.0.1:{first.port}", [300])
    one_session(gateway, tanaka, f"127.0.0.1:{second.port}", [7])
    for name in ("suzuki", "ghost", "ghost2"):  # a key that is not registered; names that are nobody's
        stranger = OpenSSH(f"{folder}/x-{name}", gateway, user=name)
        stranger.trust_host()
        stranger.start("-N").wait(10)
    wait_until(lambda: len(gateway.audit("login-refused")) >= 3, 5, "the refusals")
    longest = time.monotonic() - start
    refused = len(gateway.audit("login-refused"))
    gateway.delete_rule(web_rule)

    report = gateway.admin("report", "--month", MONTH)
    totals = report["totals"]
    assert (totals["sessions"], totals["users"], totals["open"]) == (3, 2, 0)
    assert (totals["bytes_in"], totals["bytes_out"]) == (21307, 21307)
    assert totals["refused"] == refused
    assert totals["seconds"] <= longest + 3
    assert [(u["user"], u["sessions"], u["bytes_in"]) for u in report["users"]] == [("suzuki", 2, 21300), ("tanaka", 1, 7)]
    assert sum(u["refused"] for u in report["users"]) == refused - 2  # the ghosts are in the sum only
    assert [(r["rule"], r["name"], r["channels"], r["bytes_in"]) for r in report["rules"]] == [
        (mail_rule, "POP", first.accepted, 21300), (web_rule, "=cmd|'x'", second.accepted, 7)]
    assert sum(d["sessions"] for d in report["days"]) == 3 and report["complete"] is False
    counts = {c["kind"]: c["count"] for c in report["counts"]}
    assert (counts["login"], counts["logout"], counts["login-refused"]) == (3, 3, refused)
    assert counts["channel-close"] == first.accepted + second.accepted and report["thinned"] == 0
    mine = gateway.admin("report", "--month", MONTH, "--user", "tanaka")
    assert (mine["totals"]["sessions"], mine["totals"]["bytes_in"], mine["user"]) == (1, 7, "tanaka")
    assert [r["rule"] for r in mine["rules"]] == [web_rule]

    table = gateway.admin_run("report", "--month", MONTH, "--format", "csv").ok().out
    assert table.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(table[1:])))
    assert [(r["item"], r["bytes_in"]) for r in rows if r["table"] == "user"] == [("suzuki", "21300"), ("tanaka", "7")]
    assert [r["name"] for r in rows if r["table"] == "rule"] == ["POP", "'=cmd|'x'"]  # no spreadsheet runs it
    page = gateway.admin_run("report", "--month", MONTH, "--format", "html", "--lang", "en").ok().out
    assert "<svg" in page and "tanaka" in page and "src=" not in page and "href=" not in page
    assert gateway.admin("report")["month"] < MONTH  # the one that is over


def test_a_gateway_that_was_killed_leaves_its_sessions_counted(make_gateway, folder, target):
    gateway = make_gateway(name="rgw", env={"TZ": "UTC"})
    t = target(echo)
    client = ssh(gateway, folder, "a", "suzuki")
    gateway.add_rule("suzuki", "POP", f"127.0.0.1:{t.port}")
    client.forward(free_port(), f"127.0.0.1:{t.port}")
    wait_until(gateway.sessions, 5, "the session")
    assert gateway.admin("report", "--month", MONTH)["totals"]["open"] == 1
    gateway.kill()
    client.stop()
    gateway.start()
    totals = gateway.admin("report", "--month", MONTH)["totals"]
    assert (totals["sessions"], totals["open"]) == (1, 0) and totals["seconds"] < 60


@pytest.mark.parametrize("arguments, words", [
    (["--month", "2026-13"], "month"), (["--month", "October"], "month"), (["--month", "2026-1"], "month"),
    (["--format", "pdf"], "format"), (["--lang", "fr"], "lang"), (["--user", "ghost"], "ghost"),
])
def test_arguments_that_cannot_be_are_named(make_gateway, arguments, words):
    gateway = make_gateway(start=False)
    result = gateway.admin_run("report", *arguments)
    assert result.status == 1 and words in result.err


@pytest.mark.needs_root
def test_report_is_mailed_once_on_the_first_and_caught_up_with(make_gateway, folder):
    """The gateway's clock is set to a few seconds before a month ends, in its own time zone."""
    now = time.gmtime()
    midnight = calendar.timegm((now.tm_year, now.tm_mon + 1, 1, 0, 0, 0))  # month 13 is the next January
    month = time.strftime("%Y-%m", time.gmtime(midnight - 1))
    zone = 9 * 3600  # midnight in Japan is nine hours earlier
    server = Mta(f"{folder}/mta").start()
    gateway = make_gateway(name="rgw", extra_config=server.config(), start=False)
    gateway.admin("account", "add", "tanaka", "--role", "owner", "--mail", "tanaka@pra.test")
    gateway.admin("account", "add", "sato", "--role", "auditor", "--mail", "sato@pra.test")
    gateway.admin("report", "subscribe", "tanaka")
    gateway.admin("report", "subscribe", "sato", "--lang", "en")
    assert [r["account"] for r in gateway.admin("report", "readers")] == ["tanaka", "sato"]
    try:
        gateway.env = {"TZ": "Asia/Tokyo", **shifted(folder, midnight - zone - int(time.time()) - 12)}
        gateway.start()
        client = ssh(gateway, folder, "a", "suzuki")
        gateway.add_rule("suzuki", "POP", "127.0.0.1:9")
        process = client.forward(free_port(), "127.0.0.1:9")
        mail = server.wait_mail(to="tanaka@pra.test", subject=f"PRA 月次レポート {month}", timeout=40)
        (name, table), = mail.files.items()
        total = next(r for r in csv.DictReader(io.StringIO(table.decode("utf-8-sig"))) if r["table"] == "total")
        assert name == f"pra-report-{month}.csv" and (total["item"], total["sessions"]) == (month, "1")
        assert "suzuki" in mail.html and "月次レポート" in mail.html and "+0900" in mail.html
        assert "monthly report" in server.wait_mail(to="sato@pra.test", subject=f"PRA monthly report {month}").html
        process.stop(timeout=1)
        gateway.restart()
        gateway.admin("report", "subscribe", "sato", "--off")
        # A month and a half later, after the gateway was away on the first.
        gateway.stop()
        gateway.env.update(shifted(folder, midnight - zone - int(time.time()) + 45 * 86400))
        gateway.start()
        server.wait_mail(to="tanaka@pra.test", subject="PRA 月次レポート", count=2)
        gateway.restart()
        wait_until(lambda: gateway.admin("mail", "list")[0]["state"] == "sent", 10, "all to be sent")
        subjects = [m.subject for m in server.mails(subject="PRA ")]
        assert len(subjects) == 3 and len(set(subjects)) == 3, subjects
    finally:
        gateway.stop()
        server.stop()


def test_page_shows_prints_and_saves_it(portal, folder, target, page_of):
    gateway, t = portal.gateway, target(echo)
    client = ssh(gateway, folder, "a", "suzuki")
    gateway.add_rule("suzuki", "POP", f"127.0.0.1:{t.port}")
    one_session(gateway, client, f"127.0.0.1:{t.port}", [5000])
    portal.account("tanaka", "owner")
    gateway.admin("account", "set", "tanaka", "--mail", "tanaka@pra.test")
    page = page_of(portal)
    page.log_in("tanaka")
    page.click("レポート", role="link")
    page.see("この月の利用はありません。")
    page.look("report-empty")
    page.fill("月", time.strftime("%Y-%m"))
    page.see("これまでの数です。")
    page.see("#1 POP")
    page.see("5 kB")
    page.look("report")
    saved = page.do("download", role="button", name="CSV")
    assert saved["name"].endswith(".csv") and ",suzuki," in saved["text"].replace('"', "")
    page.click("有効にする: メールで受け取る")
    page.see("受信者: tanaka")
    page.fill("ユーザ(空欄: 全体)", "nobody")
    page.click("表示")
    page.see("nobody")
    html = os.path.join(folder, "report.html")
    with open(html, "w") as f:
        f.write(gateway.admin_run("report", "--month", time.strftime("%Y-%m"), "--format", "html").ok().out)
    pdf = os.path.join(folder, "report.pdf")
    subprocess.run([shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                    f"--user-data-dir={folder}/chromium", f"--print-to-pdf={pdf}", f"file://{html}"], check=True,
                   capture_output=True, timeout=60)
    with open(pdf, "rb") as f:
        assert f.read(5) == b"%PDF-"
