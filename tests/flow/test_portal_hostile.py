"""What a reviewer tried at the portal with its source at hand: HTTP that is none, memory, places, prad away."""

import os
import signal
import socket
import ssl
import threading
import time

import pytest

from lib.portal import PASSWORD
from lib.procs import own_kib, run, wait_until

HEALTH = "GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
POST = "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nX-PRA: 1\r\nContent-Type: application/json\r\n"


def connect(portal, source="127.0.0.1", timeout=10):
    s = socket.create_connection((portal.host, portal.port), timeout=timeout, source_address=(source, 0))
    return portal.context().wrap_socket(s, server_hostname=portal.host)


def say(portal, text):
    """Sends it, and gives what comes back until the portal closes; None in the end: it did not within 5 s."""
    got = b""
    with connect(portal, timeout=5) as t:
        try:
            t.sendall(text.encode("latin1"))
            while True:
                piece = t.recv(65536)
                if not piece:
                    return got
                got += piece
        except TimeoutError:
            return None
        except OSError:
            return got


BROKEN = ["\x01\x02\r\n\r\n", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", "FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
          "get / HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET /\r\n\r\n", "GET /he\0alth HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET http://x:99999/ HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 20000 + "\r\n\r\n", "GET /" + "a" * 20000 + " HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"x{i}: 1\r\n" for i in range(3000)) + "\r\n",
          POST + "Content-Length: -1\r\n\r\n{}", POST + "Content-Length: 99999999999999999999\r\n\r\n{}",
          POST + "Content-Length: 2000000\r\n\r\n{}", POST + "Expect: banana\r\nContent-Length: 2\r\n\r\n{}",
          POST + "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n",
          POST + "Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n"]


def test_what_is_no_http_is_cut_off_without_a_page(portal):
    """evhttp's own pages have none of our headers."""
    for text in BROKEN:
        assert say(portal, text) == b"", text[:80]
    assert portal.browser().get("/health").status == 200


def test_every_method_is_answered_with_our_headers(portal):
    for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE"):
        for path in ("/api/v1/health", "/api/v1/nothing"):
            answer = portal.browser().ask(method, path)
            assert answer.status in (404, 405), (method, path)
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'"), method


TWO_WAYS = [POST + "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
            POST + "Content-Length: +2\r\n\r\n{}",
            POST + "Transfer-Encoding: xchunked\r\n\r\n",
            POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            POST + "Content-Length : 60\r\n\r\n",
            "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]


def test_what_can_be_read_in_two_ways_is_refused_with_all_that_follows(portal):
    for text in TWO_WAYS:
        got = say(portal, text + HEALTH)
        assert got is not None and got.count(b"HTTP/1.1") == 1, (text, got)
        assert got.startswith(b"HTTP/1.1 400 ") and b"default-src 'none'" in got, (text, got)
    for head in ("Content-Length: 60\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\n" * 2):
        both = say(portal, POST + head.strip() + "\r\n\r\n0\r\n\r\n" + HEALTH)
        assert both == b"" or both.count(b"HTTP/1.1") == 1, head


def test_another_http_than_1_is_refused(portal):
    for version in ("0.1", "0.9", "2.0", "3.7"):
        got = say(portal, f"GET /api/v1/health HTTP/{version}\r\nHost: x\r\n\r\n")
        assert not got or b" 200 " not in got[:20], (version, got)


def test_plain_requests_of_other_programs_are_served(portal):
    """An old health check, chunks, a body announced first."""
    assert b" 200 OK" in say(portal, "GET /api/v1/health HTTP/1.0\r\n\r\n")
    with connect(portal) as t:
        def until(words):
            got = b""
            while words not in got:
                piece = t.recv(4096)
                assert piece, got
                got += piece
        t.sendall((POST + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n").encode())
        until(b"HTTP/1.1 100 Continue")
        t.sendall(b"{}")
        until(b"account: is missing")
        t.sendall((POST + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n").encode())
        until(b"account: is missing")


def test_a_chunk_whose_length_never_ends_is_cut(portal):
    before = own_kib(portal.process.pid)
    most = sent = 0
    with connect(portal) as t:
        try:
            t.sendall((POST + "Transfer-Encoding: chunked\r\n\r\n1;").encode())
            while sent < 50 << 20:
                t.sendall(b"x" * 65536)
                sent += 65536
                most = max(most, own_kib(portal.process.pid))
        except OSError:
            pass
    assert sent < 16 << 20
    assert most < before + (8 << 10)


@pytest.mark.release_only  # AddressSanitizer keeps what was freed
def test_bodies_of_many_together_are_bounded(portal):
    """Each below the limit of one; 160 MiB together."""
    before = own_kib(portal.process.pid)
    body = b"x" * (900 << 10)
    held, most = [], 0
    try:
        for i in range(160):
            t = connect(portal, source=f"127.0.2.{i // 40 + 1}")
            held.append(t)
            try:
                t.sendall((POST + "Content-Length: 1000000\r\n\r\n").encode() + body)
            except OSError:
                pass  # cut
            most = max(most, own_kib(portal.process.pid))
        assert portal.browser().get("/health").status == 200
    finally:
        for t in held:
            t.close()
    assert most < before + (100 << 10)


def test_while_all_places_are_held_others_get_in(portal):
    owner = portal.account("tanaka", "owner")
    made = []
    try:
        for i in range(9 * 60):
            made.append(socket.create_connection((portal.host, portal.port), timeout=20,
                                                 source_address=(f"127.0.1.{i // 60 + 1}", 0)))
        for _ in range(3):
            begin = time.monotonic()
            assert portal.browser().get("/health").status == 200
            assert time.monotonic() - begin < 2
        assert owner.get("/me").status == 200
    finally:
        for s in made:
            s.close()


def processor_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_guessed_set_up_codes_cost_no_proofs_once_they_are_too_many(portal):
    portal.gateway.admin("account", "add", "tanaka", "--role", "owner")
    guess = {"account": "tanaka", "code": "AAAA-AAAA-AAAA-AAAA-AAAA", "password": PASSWORD}
    browser = portal.browser()
    statuses = [browser.post("/setup", guess).status for _ in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    begin = processor_s(portal.process.pid)
    assert {browser.post("/setup", guess).status for _ in range(30)} == {429}
    assert processor_s(portal.process.pid) - begin < 1


def test_neighbours_in_the_domain_cannot_ask_with_our_cookie(portal):
    """SameSite lets pages of the same site through, and a port is no part of a cookie."""
    owner = portal.account("tanaka", "owner")
    for site in ("cross-site", "same-site", "anything"):
        for path in ("/me", "/users"):
            assert owner.get(path, headers={"Sec-Fetch-Site": site}).status == 403
    for site in ("same-origin", "none"):
        assert owner.get("/me", headers={"Sec-Fetch-Site": site}).status == 200


def test_arguments_of_another_kind_do_not_reach_prad(portal):
    browser = portal.browser()
    browser.ask("POST", "/login", {"account": "x", "password": PASSWORD})
    portal.gateway.process.signal(signal.SIGSTOP)
    try:
        for value in ([1] * 100000, {"a": {}}, 5, True, 1.5):
            answer = browser.post("/login", {"account": value, "password": PASSWORD}, timeout=5)
            assert (answer.status, answer.code) == (400, "invalid")
        for value in ("yes", 1, []):
            assert browser.post("/users", {"name": "x", "disabled": value}, timeout=5).status == 400
    finally:
        portal.gateway.process.signal(signal.SIGCONT)


def test_a_prad_that_accepts_nothing_does_not_stop_the_page(portal):
    path = os.path.join(portal.gateway.dir, "portal.sock")
    assert os.path.exists(path)
    portal.gateway.process.signal(signal.SIGSTOP)
    waiting = []
    try:
        for _ in range(40):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            waiting.append(s)
            try:
                s.connect(path)
            except BlockingIOError:
                break
        else:
            pytest.fail("the queue of the socket was never full")
        for _ in range(2):
            assert portal.browser().get("/health", timeout=5).status == 503
            assert portal.browser().get("/openapi.json", timeout=5).status == 200
    finally:
        for s in waiting:
            s.close()
        portal.gateway.process.signal(signal.SIGCONT)
    wait_until(lambda: portal.browser().get("/health").status == 200, 10)


def connections(portal):
    """How many the portal has. What was sent to somebody who does not take it is the kernel's after that."""
    said = run(["ss", "-Htn", "state", "established", "sport", "=", f":{portal.port}"]).ok().out
    return len(said.splitlines())


@pytest.mark.soak
def test_answers_that_nobody_takes_are_given_up(portal):
    """Pipelined requests whose answers fill every buffer: a place held for ever, for nothing."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(10)
        s.connect((portal.host, portal.port))
        with portal.context().wrap_socket(s, server_hostname=portal.host) as t:
            t.sendall(b"GET /preact.js HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
            begin = time.monotonic()
            assert connections(portal) == 1
            while connections(portal) and time.monotonic() - begin < 60:
                t.recv(1)  # now and then, so that nothing is silent
                threading.Event().wait(0.5)
    assert time.monotonic() - begin < 40


@pytest.mark.soak
def test_a_question_waits_no_longer_because_others_ask_on(portal):
    portal.browser().get("/health")
    portal.gateway.process.signal(signal.SIGSTOP)
    done = threading.Event()
    try:
        def ask_on():
            while not done.wait(2):
                try:
                    portal.browser().get("/health", timeout=1)
                except OSError:
                    pass
        others = threading.Thread(target=ask_on)
        others.start()
        begin = time.monotonic()
        assert portal.browser().get("/health", timeout=90).status == 503
        assert time.monotonic() - begin < 45
    finally:
        done.set()
        others.join()
        portal.gateway.process.signal(signal.SIGCONT)
