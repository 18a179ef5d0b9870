"""What is handed out: installers with ranges and limits and no tricks with paths, the PAC file, the sheet."""

import hashlib
import json
import os
import socket
import ssl
import time

import pytest

from lib.portal import Portal, new_port, portal_config
from lib.procs import own_kib, run, wait_until

NAME = "PRA-0.2.0-ja.msi"


@pytest.fixture
def folder_of_files(folder):
    path = f"{folder}/downloads"
    os.mkdir(path)
    with open(f"{path}/{NAME}", "wb") as f:
        f.write(os.urandom(3_000_001))
    with open(f"{path}/pra_0.1.0_amd64.deb", "wb") as f:
        f.write(b"!<arch>\n" * 100)
    # Nothing of this is handed out.
    with open(f"{folder}/secret.txt", "w") as f:
        f.write("secret")
    os.symlink(f"{folder}/secret.txt", f"{path}/link.txt")
    os.mkdir(f"{path}/folder.zip")
    os.mkfifo(f"{path}/pipe.txt")
    for name in (".hidden.txt", "host_key", "with blank.msi", "empty.txt", "x" * 130 + ".txt"):
        with open(f"{path}/{name}", "w") as f:
            f.write("" if name == "empty.txt" else "x")
    return path


@pytest.fixture
def portal(make_gateway, folder_of_files):
    port = new_port()
    gateway = make_gateway(name="pgw", extra_config=portal_config(port) + f"downloads = {folder_of_files}\n")
    p = Portal(gateway, port).start()
    yield p
    p.stop()


def content(path):
    with open(path, "rb") as f:
        return f.read()


def fetch(browser, name=NAME, **headers):
    return browser.get(f"/downloads/{name}", headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_what_is_there_is_listed_with_what_it_can_be_checked_by(portal, owner, folder_of_files):
    listed = owner.get("/downloads").result
    assert [(d["name"], d["version"]) for d in listed] == [(NAME, "0.2.0"), ("pra_0.1.0_amd64.deb", "0.1.0")]
    data = content(f"{folder_of_files}/{NAME}")
    assert listed[0]["size"] == len(data) and listed[0]["sha256"] == hashlib.sha256(data).hexdigest()
    assert portal.gateway.admin("download", "list") == listed
    with open(f"{folder_of_files}/{NAME}", "ab") as f:
        f.write(b"more")
    assert owner.get("/downloads").result[0]["sha256"] == hashlib.sha256(data + b"more").hexdigest()
    got = fetch(owner)
    assert got.status == 200 and got.body == data + b"more"
    assert got.headers["Content-Disposition"] == f'attachment; filename="{NAME}"' and got.headers["X-Content-Type-Options"] == "nosniff"


def test_a_download_goes_on_where_it_broke_off(owner, folder_of_files):
    data = content(f"{folder_of_files}/{NAME}")
    tag = fetch(owner).headers["ETag"]
    for asked, part, shown in (("bytes=0-99", data[:100], f"bytes 0-99/{len(data)}"), ("bytes=3000000-", data[3000000:], None),
                               ("bytes=-5", data[-5:], None), ("bytes=100-9999999999", data[100:], None)):
        got = fetch(owner, Range=asked, If_Range=tag)
        assert (got.status, got.body) == (206, part), asked
        assert shown is None or got.headers["Content-Range"] == shown
    # What changed meanwhile, what is no range, and several ranges: all of it.
    for headers in ({"Range": "bytes=0-99", "If_Range": '"another"'}, {"Range": "lines=1-2"}, {"Range": "bytes=5-2"},
                    {"Range": "bytes=0-1,3-4"}, {"Range": "bytes=-"}, {"Range": "bytes=99999999999999999999-"}):
        got = fetch(owner, **headers)
        assert (got.status, len(got.body)) == (200, len(data)), headers
    got = fetch(owner, Range=f"bytes={len(data)}-")
    assert got.status == 416 and got.headers["Content-Range"] == f"bytes */{len(data)}"


def test_nothing_else_can_be_had_and_only_by_who_has_logged_in(portal, owner, folder_of_files):
    for name in ("link.txt", "pipe.txt", "folder.zip", ".hidden.txt", "host_key", "with%20blank.msi", "empty.txt", "..", "%2e%2e",
                 "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt", "%2fetc%2fpasswd", NAME + "%00", "nothing.msi",
                 NAME + "/"):
        got = fetch(owner, name)
        assert got.status in (400, 404) and got.code in ("invalid", "not-found"), (name, got.status)
    for name in ("/api/v1/downloads/../../secret.txt", "/api/v1/downloads//" + NAME):
        assert owner.get(name).status in (400, 404)
    for role in ("admin", "helpdesk", "engineer", "auditor"):
        assert fetch(portal.account(role, role)).status == 200
    assert fetch(portal.browser()).status == 401
    os.rename(f"{folder_of_files}/{NAME}", f"{folder_of_files}/gone")
    assert fetch(owner).status == 404


def test_who_does_not_read_costs_no_memory_and_keeps_nobody_out(portal, owner, folder_of_files):
    with open(f"{folder_of_files}/large.zip", "wb") as f:
        f.truncate(200_000_000)
    owner.get("/downloads").result
    before = own_kib(portal.process.pid)
    idle = []
    try:
        for _ in range(4):
            s = portal.context().wrap_socket(socket.create_connection((portal.host, portal.port), timeout=10),
                                             server_hostname=portal.host)
            s.sendall(f"GET /api/v1/downloads/large.zip HTTP/1.1\r\nHost: {portal.host}:{portal.port}\r\n"
                      f"Cookie: __Host-pra={owner.cookie}\r\n\r\n".encode())
            assert s.recv(12) == b"HTTP/1.1 200"
            idle.append(s)
        busy = fetch(owner)
        assert busy.status == 503 and busy.code == "busy"
        assert owner.get("/me").status == 200
        assert own_kib(portal.process.pid) - before < 20_000
    finally:
        for s in idle:
            s.close()
    wait_until(lambda: fetch(owner, Range="bytes=0-0").status == 206, 5, "room again")


def test_a_file_that_becomes_shorter_ends_the_connection(portal, owner, folder_of_files):
    path = f"{folder_of_files}/large.zip"
    with open(path, "wb") as f:
        f.truncate(200_000_000)
    s = portal.context().wrap_socket(socket.create_connection((portal.host, portal.port), timeout=30), server_hostname=portal.host)
    s.sendall(f"GET /api/v1/downloads/large.zip HTTP/1.1\r\nHost: {portal.host}:{portal.port}\r\n"
              f"Cookie: __Host-pra={owner.cookie}\r\n\r\n".encode())
    assert s.recv(12) == b"HTTP/1.1 200"
    os.truncate(path, 100)
    total = 0
    began = time.monotonic()
    try:
        while part := s.recv(1 << 16):
            total += len(part)
    except (ssl.SSLError, ConnectionError):
        pass
    s.close()
    assert total < 200_000_000 and time.monotonic() - began < 20
    assert owner.get("/me").status == 200


def test_sheet_pac_and_installers_are_found_on_the_page(portal, owner, page_of):
    gateway = portal.gateway
    gateway.add_user("suzuki")
    gateway.add_rule("suzuki", "Web", "proxy.example.com:8080", 10080)
    page = page_of(portal)
    page.log_in("tanaka")
    page.goto("/#/sheet/suzuki")
    page.see("PAC ファイル(プロキシ自動構成)")
    page.fill("会社のドメイン名(空白区切り)", "example.co.jp intra.example.com")
    got = page.do("download", role="button", name="PAC ファイルを保存")
    page.look("sheet-pac")
    script = got["text"] + """
        console.log(JSON.stringify(["www.example.co.jp", "intra", "example.org"].map(h => FindProxyForURL("http://" + h + "/", h))));"""
    found = json.loads(run(["node", "-e", script]).ok().out)
    assert found == ["PROXY 127.0.0.1:10080", "PROXY 127.0.0.1:10080", "DIRECT"]
    page.fill("会社のドメイン名(空白区切り)", 'x"; alert(1)')
    page.click("PAC ファイルを保存")
    page.see("入力内容に誤りがあります。")
    page.goto("/#/devices")
    page.do("see_role", role="link", name=NAME)
    page.look("downloads")
