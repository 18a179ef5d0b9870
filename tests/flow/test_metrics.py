"""/metrics and /healthz: what Prometheus' own tools read there, and that nobody can use them to hold prad up."""

import os
import resource
import shutil
import socket
import sqlite3
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lib.client import dial, exchange
from lib.portal import Portal, new_port, portal_config
from lib.ports import free_port
from lib.procs import run, wait_until

CONNECTIONS_MAX = 16
SECONDS = 5


class Watched:
    """A gateway with [metrics] listen."""

    def __init__(self, make_gateway, more=""):
        self.port = free_port()
        self.gateway = make_gateway(name="mgw", extra_config=f"[metrics]\nlisten = 127.0.0.1:{self.port}\n{more}")

    def fetch(self, path, method="GET"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read().decode()

    def samples(self):
        """{(name, label value or None): value}; fails if the text is not Prometheus' format."""
        status, headers, text = self.fetch("/metrics")
        assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation and family.type in ("counter", "gauge"), family
            for s in family.samples:
                assert len(s.labels) <= 1
                key = (s.name, next(iter(s.labels.values()), None))
                assert key not in found, key
                found[key] = s.value
        return found


@pytest.fixture
def watched(make_gateway):
    return Watched(make_gateway)


def test_prometheus_reads_what_happened_exactly_and_no_names(watched, make_client, target):
    gateway = watched.gateway
    first = watched.samples()
    assert first["pra_logins_total", "accepted"] == 0 and first["pra_sessions", None] == 0
    echo = target()
    client = make_client(gateway=gateway, user="suzuki")
    client.enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{echo.port}", free_port())
    gateway.add_rule("suzuki", "Dead", f"127.0.0.1:{free_port()}", free_port())
    client.connect()
    client.wait_forward("Echo")
    client.wait_forward("Dead")
    port = client.local_port("Echo")
    assert len(exchange(port, bytes(100_000), 100_000)) == 100_000
    with pytest.raises(OSError), dial(client.local_port("Dead")) as s:
        assert s.recv(1) == b""
        raise ConnectionError
    stranger = make_client(gateway=gateway, user="suzuki", name="stranger")
    stranger.keygen()
    stranger.set_server()
    stranger.try_connect(wait=5)
    with dial(port) as held:
        held.sendall(b"x")
        assert held.recv(1) == b"x"
        wait_until(lambda: watched.samples()["pra_channels", None] == 1, 5, "the channel to be counted")
        now = watched.samples()
    assert now["pra_logins_total", "accepted"] == 1 and now["pra_logins_total", "unknown-key"] >= 1
    assert now["pra_sessions", None] == 1 and now["pra_connections", None] >= 1
    assert now["pra_channels_total", "opened"] == 2 and now["pra_channels_total", "failed"] == 1
    for way in ("to_targets", "to_clients"):
        assert now["pra_bytes_total", way] == 100_001
    assert now["pra_healthy", None] == now["pra_store_writable", None] == 1
    assert now["process_cpu_seconds_total", None] > 0 and now["process_resident_memory_bytes", None] > 1 << 20
    assert abs(now["process_start_time_seconds", None] - time.time()) < 120
    text = watched.fetch("/metrics")[2]
    for secret in ("suzuki", client.key_fingerprint(), gateway.fingerprint(), "127.0.0.1", gateway.dir):
        assert secret not in text, secret
    # What only grows does so when a session ends, too.
    client.disconnect()
    wait_until(lambda: watched.samples()["pra_sessions", None] == 0, 5, "the session to end")
    after = watched.samples()
    for key, value in now.items():
        if key[0].endswith("_total"):
            assert after[key] >= value, key
    assert after["pra_bytes_total", "to_targets"] == 100_001
    if shutil.which("promtool"):
        checked = run(["promtool", "check", "metrics"], input=text)
        assert checked.status == 0 and not checked.out, str(checked)


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_descriptors_of_prad_and_portal_are_told_with_their_limits(make_gateway):
    port = new_port()
    watched = Watched(make_gateway, portal_config(port))
    portal = Portal(watched.gateway, port).start()
    try:
        now = wait_until(lambda: "pra_portal_open_fds" in str(s := watched.samples()) and s, 10, "the portal to tell")
        for pid, (used, allowed) in ((watched.gateway.pid, ("process_open_fds", "process_max_fds")),
                                     (portal.process.pid, ("pra_portal_open_fds", "pra_portal_max_fds"))):
            soft = resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
            assert now[allowed, None] == soft and 5 < now[used, None] < soft
            assert abs(now[used, None] - open_files(pid)) <= 8, (used, now[used, None], open_files(pid))
        before = now["process_open_fds", None]
        held = [socket.create_connection(("127.0.0.1", watched.gateway.port), timeout=10) for _ in range(20)]
        wait_until(lambda: watched.samples()["process_open_fds", None] >= before + 20, 5, "connections to be counted")
        status = watched.gateway.admin("status")
        assert status["files"]["open"] >= before + 20 and status["portal-files"]["limit"] == now["pra_portal_max_fds", None]
        for s in held:
            s.close()
    finally:
        portal.stop()


def test_the_queue_of_mail_is_told(make_gateway):
    """A mail server that is not there: mail waits; one that is dropped by an administrator is gone from the count."""
    watched = Watched(make_gateway, f"[mail]\nserver = 127.0.0.1\nport = {free_port()}\ntls = none\nfrom = pra@pra.test\nretry = 3600s\n")
    assert watched.samples()["pra_mail_waiting", None] == watched.samples()["pra_mail_failed", None] == 0
    for i in range(3):
        assert watched.gateway.admin_run("mail", "test", f"nobody{i}@pra.test").status == 1, "it is tried, and waits"
    now = wait_until(lambda: (s := watched.samples())["pra_mail_waiting", None] == 3 and s, 10, "the mail to be counted")
    assert now["pra_mail_dropped_total", None] == 0
    status = watched.gateway.admin("status")
    assert (status["mail-waiting"], status["mail-failed"], status["mail-dropped"]) == (3, 0, 0)
    watched.gateway.admin("mail", "drop", str(watched.gateway.admin("mail", "list")[0]["id"]))
    wait_until(lambda: watched.samples()["pra_mail_waiting", None] == 2, 10, "the mail to be gone")
    # A mail whose server will never take it: written as a row, since only a real server says so.
    watched.gateway.stop()
    db = sqlite3.connect(f"{watched.gateway.dir}/pra.db")
    with db:
        db.execute("UPDATE mail SET state = 'failed', finished = ?1 WHERE id = (SELECT min(id) FROM mail)", (int(time.time()),))
    db.close()
    watched.gateway.start()
    wait_until(lambda: watched.samples()["pra_mail_failed", None] == 1, 10, "the failed mail to be counted")
    assert watched.samples()["pra_mail_waiting", None] == 1


def test_status_tells_the_same_at_the_console(watched):
    status = watched.gateway.admin("status")
    assert status["files"]["open"] > 5 and status["portal-files"] is None and status["mail-waiting"] == 0
    assert status["running"] is True and status["trouble"] == [] and status["audit-lost"] == 0
    assert len(status["workers"]) == 2 and status["connections"] == status["channels"] == 0
    assert "since" in watched.gateway.admin_run("status").ok().out


def test_health_says_why_it_is_bad_and_is_good_again(watched):
    assert watched.fetch("/healthz")[::2] == (200, "ok\n")
    other = sqlite3.connect(f"{watched.gateway.dir}/pra.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        wait_until(lambda: watched.fetch("/healthz")[0] == 503, 30, "the store to be missed", 0.2)
        assert watched.fetch("/healthz")[2] == "the store cannot be written\n"
        assert watched.samples()["pra_store_writable", None] == 0
        assert watched.samples()["pra_store_errors_total", None] >= 1
    finally:
        other.execute("ROLLBACK")
        other.close()
    wait_until(lambda: watched.fetch("/healthz")[0] == 200, 30, "the store to be there again", 0.2)


def test_only_two_pages_and_two_methods(watched):
    assert watched.fetch("/metrics?x=1")[0] == 200
    assert watched.fetch("/healthz", "HEAD")[::2] == (200, "")
    for path in ("/", "/metricsx", "/../metrics", "/metrics/"):
        assert watched.fetch(path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        status, headers, _ = watched.fetch("/metrics", method)
        assert status == 405 and headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("line", [b"GET /metrics", b"GET  /metrics HTTP/1.1", b"\x00\xff HTTP/1.1", b"GET /metrics HTTP/2.0x"])
def test_a_broken_request_line_is_refused(watched, line):
    with socket.create_connection(("127.0.0.1", watched.port), timeout=10) as s:
        s.sendall(line + b"\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 400 ")


def test_slow_greedy_and_many_peers_keep_nobody_out(watched):
    peers = [socket.create_connection(("127.0.0.1", watched.port), timeout=SECONDS + 5) for _ in range(CONNECTIONS_MAX + 4)]
    try:
        for s in peers:
            try:
                s.sendall(b"GET /me")
            except OSError:
                pass  # an old one that made room
        began = time.monotonic()
        assert watched.fetch("/healthz")[0] == 200
        assert time.monotonic() - began < 2
        for s in peers:
            try:
                assert s.recv(1) == b""
            except ConnectionResetError:
                pass
        assert time.monotonic() - began < SECONDS + 3
    finally:
        for s in peers:
            s.close()
    with socket.create_connection(("127.0.0.1", watched.port), timeout=10) as s:
        with pytest.raises(OSError):
            for _ in range(1000):
                s.sendall(b"X" * 4096)
            assert s.recv(1) == b""
            raise ConnectionError
    assert watched.fetch("/healthz")[0] == 200


def test_a_taken_address_is_named_at_start(watched):
    gateway = watched.gateway
    gateway.stop()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", watched.port))
        taken.listen()
        with pytest.raises(AssertionError):
            gateway.start(timeout=3)
    assert "[metrics] listen: Address already in use" in gateway.log()
