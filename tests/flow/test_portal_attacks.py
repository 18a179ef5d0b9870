"""What quality line 24 asks: nothing of it succeeds, and others do not notice."""

import concurrent.futures
import socket
import ssl
import threading
import time

import pytest

from lib.portal import PASSWORD, totp
from lib.procs import own_kib, wait_until


def two_step(owner):
    secret = owner.post("/me/totp", {"password": PASSWORD}).result["secret"]
    owner.post("/me/totp/confirm", {"code": totp(secret)}).result
    return secret


def test_of_a_thousand_submits_of_one_code_one_wins(portal, owner):
    secret = two_step(owner)
    waiting = []
    for _ in range(4):
        waiting.append(portal.browser())
        assert waiting[-1].login("tanaka").result["step"] == "code"
    cookies = [b.cookie for b in waiting]
    code = totp(secret, 1)

    local = threading.local()

    def submit(i):
        if not hasattr(local, "browser"):
            local.browser = portal.browser()
        browser = local.browser
        browser.cookie = cookies[i % len(cookies)]
        return browser.post("/login/code", {"code": code}, timeout=60).status
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        statuses = list(pool.map(submit, range(1000)))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 403, 429}


def test_the_token_of_each_step_is_another_one(portal, owner):
    secret = two_step(owner)
    browser = portal.browser()
    browser.cookie = planted = "ab" * 32
    assert browser.login("tanaka").result["step"] == "code"
    pending = browser.cookie
    browser.post("/login/code", {"code": totp(secret, 1)}).result
    assert len({planted, pending, browser.cookie}) == 3
    thief = portal.browser()
    for cookie in (planted, pending):
        thief.cookie = cookie
        assert thief.get("/me").status == 401
        assert thief.post("/login/code", {"code": totp(secret, 1)}).status == 401


def test_no_step_is_skipped(portal, owner):
    two_step(owner)
    browser = portal.browser()
    browser.login("tanaka").result
    for method, path, body in (("GET", "/me", None), ("GET", "/users", None), ("POST", "/users", {"name": "x"}),
                               ("POST", "/me/totp/disable", {"password": PASSWORD}),
                               ("POST", "/me/totp/confirm", {"code": "123456"})):
        assert browser.ask(method, path, body).status == 401, path


def test_other_sites_cannot_make_a_browser_ask(portal, owner):
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": portal.url + ".evil.example"},
                    {"Origin": portal.url.replace("https", "http")}, {"Origin": None}):
        answer = owner.ask("POST", "/users", {"name": "x"}, headers=headers)
        assert (answer.status, answer.code) == (403, "not-permitted"), headers
    assert owner.get("/users").result == []
    assert owner.ask("POST", "/users", {"name": "x"}, headers={"Origin": None, "X-PRA": "1"}).status == 200


def test_cookies_and_headers_are_strict(portal, owner):
    answer = portal.browser().login("tanaka")
    cookies = answer.headers.get_all("Set-Cookie")
    assert sorted(c.split("=")[0] for c in cookies) == ["__Host-pra", "__Host-pra-browser"]
    for cookie in cookies:
        for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
            assert word in cookie.split("; ")
    assert "token" not in answer.json["result"], "scripts never see it"
    for path in ("/health", "/nothing", "//nothing"):
        headers = portal.browser().get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
        assert "Server" not in headers


def test_wrong_passwords_are_slowed_down_and_others_get_in(portal, owner):
    sato = portal.account("sato", "auditor")
    for _ in range(10):
        assert portal.browser().login("sato", "wrong horse battery").status == 403
    # The wrong guesses slow strangers down, at the owner's own address too, and not the owner's browser.
    assert sato.login("sato").status == 200
    answer = portal.browser().login("sato")
    assert (answer.status, answer.code) == (429, "too-many")
    assert portal.browser().login("tanaka").status == 200


def test_a_large_upload_is_cut_and_hurts_nobody(portal, owner):
    size = 50 << 20
    context = portal.context()
    before = own_kib(portal.process.pid)
    for head in (f"Content-Length: {size}\r\n", "Transfer-Encoding: chunked\r\n"):
        sent = 0
        with socket.create_connection((portal.host, portal.port), timeout=20) as s:
            with context.wrap_socket(s, server_hostname=portal.host) as t:
                try:
                    t.sendall(f"POST /api/v1/users HTTP/1.1\r\nHost: {portal.host}\r\n{head}\r\n".encode())
                    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
                    while sent < size:
                        t.sendall(piece)
                        sent += len(piece)
                except (OSError, ssl.SSLError):
                    pass
        assert sent < 16 << 20, "it was taken to the end"
        begin = time.monotonic()
        assert owner.get("/me").status == 200
        assert time.monotonic() - begin < 2
    assert own_kib(portal.process.pid) < before + (16 << 10)


def slow_connections(portal, count, source="127.0.0.2"):
    made = []
    for _ in range(count):
        s = socket.create_connection((portal.host, portal.port), timeout=20, source_address=(source, 0))
        t = portal.context().wrap_socket(s, server_hostname=portal.host)
        t.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        made.append(t)
    return made


def test_slow_headers_hold_up_nobody(portal, owner):
    made = slow_connections(portal, 60)
    try:
        for _ in range(5):
            for t in made:
                t.sendall(b"a")
            begin = time.monotonic()
            assert owner.get("/me").status == 200
            assert time.monotonic() - begin < 2
    finally:
        for t in made:
            t.close()


def was_cut(s):
    s.setblocking(False)
    try:
        return s.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_one_source_cannot_take_all_connections(portal, owner):
    made = []
    try:
        for _ in range(70):
            s = socket.create_connection((portal.host, portal.port), timeout=20, source_address=("127.0.0.3", 0))
            made.append(s)
        # Those above the limit are cut; the others wait for a TLS hello.
        def cut():
            return sum(was_cut(s) for s in made)
        wait_until(lambda: cut() >= 6, 10)
        assert cut() == 6
        assert owner.get("/me").status == 200
    finally:
        for s in made:
            s.close()


def test_when_all_places_were_taken_the_portal_comes_back(portal, owner):
    made = []
    try:
        for i in range(9 * 60):
            made.append(socket.create_connection((portal.host, portal.port), timeout=20,
                                                 source_address=(f"127.0.1.{i // 60 + 1}", 0)))
    finally:
        for s in made:
            s.close()
    assert wait_until(lambda: owner.get("/me").status == 200, 20)


@pytest.mark.soak
def test_a_request_that_never_ends_is_cut_in_time(portal, owner):
    made = slow_connections(portal, 3)
    begin = time.monotonic()
    for t in made:
        t.settimeout(1)
    gone = set()
    while len(gone) < len(made) and time.monotonic() - begin < 40:
        for t in made:
            try:
                t.sendall(b"a")
                t.recv(1)
            except TimeoutError:
                continue
            except OSError:
                gone.add(t)
                continue
            gone.add(t)
    assert len(gone) == len(made) and 15 < time.monotonic() - begin < 35


def test_browsers_that_leave_while_their_password_is_looked_at(portal, owner):
    """Nothing of theirs is kept, also when the portal ends meanwhile; a sanitizer would say so."""
    body = f'{{"account":"tanaka","password":"{PASSWORD}"}}'
    request = (f"POST /api/v1/login HTTP/1.1\r\nHost: x\r\nX-PRA: 1\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(body)}\r\n\r\n{body}")

    def leave():
        with socket.create_connection((portal.host, portal.port), timeout=20) as s:
            with portal.context().wrap_socket(s, server_hostname=portal.host) as t:
                t.sendall(request.encode())
    for _ in range(8):
        leave()
    assert owner.get("/me").status == 200
    for _ in range(4):
        leave()
    portal.process.signal(15)
    assert portal.process.wait(15) == 0


def test_old_tls_and_plain_http_are_refused(portal):
    context = ssl._create_unverified_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((portal.host, portal.port), timeout=10) as s, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(s)
    with socket.create_connection((portal.host, portal.port), timeout=10) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP/1" not in s.recv(100)
