"""Limits after login: what a user and a rule may use, and what is told when that is used up."""

import contextlib
import socket
import sqlite3
import threading
import time

import pytest

from lib.client import dial
from lib.clock import jumping
from lib.gateway import program
from lib.messages import MESSAGES, assert_error, matches
from lib.ports import free_port
from lib.procs import run, wait_until
from lib.servers.targets import discard, flood, trickle

MIB = 1 << 20


def forward(gateway, client, target, name="Box", **limits):
    """A rule to `target` with limits, connected: (rule, local port)."""
    port = free_port()
    rule = gateway.add_rule(client.user, name, f"127.0.0.1:{target.port}", port,
                            **{k.replace("_", "-"): v for k, v in limits.items()})
    client.connect()
    client.wait_forward(name)
    return rule, port


def limit(gateway, user, **limits):
    gateway.admin("user", "limit", user, *[x for k, v in limits.items() for x in (f"--{k.replace('_', '-')}", v)])


def use(port):
    """A connection to an echo target that works; None if it was refused."""
    s = None
    try:
        s = dial(port)
        s.sendall(b"?")
        if s.recv(1) == b"?":
            return s
    except ConnectionError:
        pass
    if s:
        s.close()
    return None


def told(client, message, lang="en"):
    """The client tells of it in `error`, in both languages, and in System.log."""
    wait_until(lambda: (client.status()["error"] or {}).get("code") == MESSAGES[message].code, 5,
               f"{message} in status: {client.status()}")
    for each in ("en", "ja"):
        assert_error(client.status(lang=each)["error"], message, each)
    text = client.system_log()
    assert MESSAGES[message].code in text and matches(MESSAGES[message].cause[lang], text)


# --- bytes a second ---------------------------------------------------------------------------


def near(value, wanted, percent=10):
    assert wanted * (100 - percent) / 100 <= value <= wanted * (100 + percent) / 100, f"{value} is not about {wanted}"


def download(port, size):
    """Bytes per second with which nginx's large file comes, as far as `size`."""
    with dial(port) as s:
        s.sendall(b"GET /large.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-%d\r\nConnection: close\r\n\r\n" % (size - 1))
        got, began = len(s.recv(65536)), time.monotonic()
        while part := s.recv(65536):
            got += len(part)
        assert got > size
        return got / (time.monotonic() - began)


@pytest.mark.release_only
def test_a_download_from_nginx_runs_at_the_cap(gateway, client, company):
    _, port = forward(gateway, client, company.web, download="4M")
    near(download(port, 12 * MIB), 4 * MIB)
    told(client, "MSG_LIMIT_BANDWIDTH")
    event = gateway.wait_audit("limit")
    assert (event["reason"], event["detail"]) == ("download", "rule")
    assert len(gateway.audit("limit")) == 1, "once for a burst"


@pytest.mark.release_only
def test_an_upload_runs_at_the_cap_and_a_lifted_limit_lets_it_go(gateway, client, target):
    sink = target(discard)
    _, port = forward(gateway, client, sink)
    limit(gateway, client.user, upload="2M")
    with dial(port) as s:
        stop = threading.Event()

        def send():
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    s.sendall(bytes(65536))

        sender = threading.Thread(target=send)
        sender.start()
        wait_until(lambda: sink.received > MIB, 5, "the first data")
        before, began = sink.received, time.monotonic()
        wait_until(lambda: sink.received - before >= 5 * MIB, 10, "data")
        near((sink.received - before) / (time.monotonic() - began), 2 * MIB)
        limit(gateway, client.user, upload="none")
        before, began = sink.received, time.monotonic()
        wait_until(lambda: sink.received - before >= 20 * MIB, 5, "data without a limit")
        stop.set()
        s.shutdown(socket.SHUT_RDWR)
        sender.join()


class Drain:
    """Connections that take what comes, and count it."""

    def __init__(self, port, connections):
        self.got = 0
        self._socks = [dial(port) for _ in range(connections)]
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(s,)) for s in self._socks]
        for t in self._threads:
            t.start()

    def _run(self, s):
        with contextlib.suppress(OSError):
            while part := s.recv(65536):
                with self._lock:
                    self.got += len(part)

    def stop(self):
        for s in self._socks:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
        for t in self._threads:
            t.join()
        for s in self._socks:
            s.close()


@pytest.fixture
def shared(gateway, make_client):
    """Two PCs whose users are in one group; gives their local ports for a rule of it with limits."""

    def share(target, *limits):
        gateway.admin("group", "add", "sales")
        gateway.admin("rule", "add", "--group", "sales", "--name", "Box", "--target", f"127.0.0.1:{target.port}",
                      "--local", str(free_port()), "--fallback", str(free_port()), *limits)
        ports = []
        for user in ("suzuki", "tanaka"):
            c = make_client(user, user=user).enrol()
            gateway.admin("group", "member", "add", "sales", user)
            c.connect()
            c.wait_forward("Box")
            ports.append(c.local_port("Box"))
        return ports

    return share


@pytest.mark.release_only
@pytest.mark.parametrize("mib", [1, 4])
def test_users_of_one_rule_get_equal_shares_however_many_connections_they_have(shared, target, mib):
    one, ten = shared(target(flood), "--download", f"{mib}M")
    drains = [Drain(one, 1), Drain(ten, 10)]
    try:
        wait_until(lambda: all(d.got > MIB / 4 for d in drains), 10, "both to be under way")
        before, began = [d.got for d in drains], time.monotonic()
        wait_until(lambda: sum(d.got for d in drains) - sum(before) >= 3 * mib * MIB, 10, "data")
        took = time.monotonic() - began
        moved = [d.got - b for d, b in zip(drains, before, strict=True)]
        near(sum(moved) / took, mib * MIB)
        for each in moved:
            near(each, sum(moved) / 2)
    finally:
        for d in drains:
            d.stop()


# --- connections ------------------------------------------------------------------------------


def test_connections_at_once_through_a_rule_are_limited_and_given_back(gateway, client, target):
    _, port = forward(gateway, client, target(), max_connections=2)
    held = [use(port), use(port)]
    assert all(held)
    for _ in range(5):
        assert use(port) is None
    told(client, "MSG_LIMIT_CONNECTIONS")
    refused = gateway.wait_audit("channel-refused")
    assert refused["reason"] == "rule-connections"
    assert len(gateway.audit("channel-refused")) == 1, "once for a burst"
    held.pop().close()
    again = wait_until(lambda: use(port), 5, "the place that was given back")
    assert gateway.sessions()[0]["used"]["connections"] == 2
    for s in [again, *held]:
        s.close()


def test_opens_a_second_are_limited_behind_a_burst_for_a_group_and_lifted_for_one(gateway, client, target):
    _, port = forward(gateway, client, target())
    gateway.admin("group", "add", "sales")
    gateway.admin("group", "member", "add", "sales", client.user)
    gateway.admin("group", "limit", "sales", "--rate", "1", "--burst", "3")
    opened = [use(port) for _ in range(5)]
    assert all(opened[:3]) and not all(opened)
    told(client, "MSG_LIMIT_RATE")
    assert gateway.audit("channel-refused")[0]["reason"] == "user-rate"
    limit(gateway, client.user, rate="none")
    opened += [use(port) for _ in range(8)]
    assert all(opened[-8:])
    shown = gateway.admin("user", "limits", client.user)
    assert shown["own"] == {"rate": "none"} and shown["limits"]["burst"] == "3"
    assert gateway.sessions()[0]["limits"] == shown["limits"]
    for s in filter(None, opened):
        s.close()


# --- volume -----------------------------------------------------------------------------------


def stored(gateway):
    """What the database has of quotas."""
    with contextlib.closing(sqlite3.connect(f"file:{gateway.dir}/pra.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT coalesce(sum(bytes), 0) FROM quotas").fetchone()[0]


def test_a_quota_cuts_is_told_and_outlives_a_killed_gateway(gateway, client, target):
    _, port = forward(gateway, client, target(flood))
    limit(gateway, client.user, quota_day="1M")
    with dial(port) as s, contextlib.suppress(ConnectionError):
        while s.recv(1 << 18):
            pass
    told(client, "MSG_LIMIT_QUOTA")
    assert gateway.wait_audit("channel-cut")["reason"] == "quota-day"
    used = gateway.admin("user", "limits", client.user)["used"]["day"]
    assert used >= MIB
    wait_until(lambda: stored(gateway) >= used, 10, "the quota to be stored")
    gateway.kill()
    gateway.start()
    client.wait_state("connected", 30)
    assert use(port) is None
    assert gateway.wait_audit("channel-refused")["reason"] == "quota-day"
    assert gateway.admin("user", "limits", client.user)["used"]["day"] >= used
    limit(gateway, client.user, quota_day="")
    with dial(port) as s:
        assert s.recv(1)


@pytest.mark.release_only
def test_a_clock_that_was_a_day_ahead_for_a_while_gives_no_quota_back(make_gateway, make_client, target):
    gateway = make_gateway("clock", start=False)
    env, set_clock = jumping(gateway.dir)
    gateway.env.update(env)
    gateway.start()
    client = make_client("late", gateway=gateway).enrol()
    _, port = forward(gateway, client, target(flood))
    limit(gateway, client.user, quota_day="1M")
    with dial(port) as s, contextlib.suppress(ConnectionError):
        while s.recv(1 << 18):
            pass

    def used():
        return gateway.admin("user", "limits", client.user)["used"]["day"]

    wait_until(lambda: stored(gateway) >= MIB, 10, "the quota to be stored")
    set_clock(86400)
    wait_until(lambda: used() == 0, 10, "another day")
    set_clock(0)
    wait_until(lambda: used() >= MIB, 10, "what was used up today")
    assert use(port) is None


# --- time -------------------------------------------------------------------------------------


def test_an_idle_connection_is_closed_and_a_busy_one_is_not(gateway, client, target):
    _, port = forward(gateway, client, target(), channel_idle="1s")
    busy = free_port()
    gateway.add_rule(client.user, "Busy", f"127.0.0.1:{target(trickle).port}", busy)
    limit(gateway, client.user, channel_idle="1s")
    client.wait_forward("Busy")
    with dial(busy) as working:
        assert working.recv(1)
        idle = use(port)
        idle.settimeout(5)
        with pytest.raises(ConnectionError):
            while idle.recv(1):
                pass
        idle.close()
        told(client, "MSG_LIMIT_IDLE")
        assert gateway.wait_audit("channel-cut")["reason"] == "idle"
        working.settimeout(1)
        assert working.recv(1 << 16) and gateway.sessions()[0]["channels"] == 1


@pytest.mark.parametrize("what,message,lang", [("session-time", "MSG_SESSION_TIME", "ja"),
                                               ("session-idle", "MSG_SESSION_IDLE", "en")])
def test_a_session_is_ended_and_the_client_says_why_and_stays_away(gateway, make_client, target, what, message, lang):
    client = make_client(lang=lang).enrol()
    _, port = forward(gateway, client, target(trickle) if what == "session-time" else target())
    held = dial(port)
    limit(gateway, client.user, **{what.replace("-", "_"): "1s"})
    wait_until(lambda: client.status()["error"], 10, "the end")
    for each in ("en", "ja"):
        assert_error(client.status(lang=each)["error"], message, each)
    text = client.system_log()
    assert MESSAGES[message].code in text and matches(MESSAGES[message].cause[lang], text)
    held.close()
    event = gateway.wait_audit("session-cut")
    assert (event["reason"], event["detail"]) == (what, "1s")
    assert client.status()["state"] == "error" and gateway.admin("session", "list") == []


# --- sessions ---------------------------------------------------------------------------------


def test_sessions_of_a_key_and_of_a_user_are_limited(gateway, client, make_client, target):
    forward(gateway, client, target())
    limit(gateway, client.user, max_sessions="1")
    other = make_client("other", user=client.user).enrol()
    assert other.try_connect(3).status != 0
    for each in ("en", "ja"):
        assert_error(other.status(lang=each)["error"], "MSG_SESSIONS_MANY", each)
    assert gateway.wait_audit("login-refused")["reason"] == "session-limit"
    limit(gateway, client.user, max_sessions="", max_sessions_per_device="1")
    other.wait_state("connected", 40)
    assert len(gateway.sessions()) == 2


# --- what is set ------------------------------------------------------------------------------


def test_limits_are_kept_undone_exported_and_refused_by_name(make_gateway):
    gateway = make_gateway(start=False)
    gateway.add_user("suzuki")
    rule = gateway.add_rule("suzuki", "Box", "box:80", **{"max-connections": "5", "download": "1024K"})
    assert gateway.admin("rule", "list")[0]["limits"] == {"max-connections": "5", "download": "1M"}
    gateway.admin("rule", "set", str(rule), "--max-connections", "", "--rate", "3")
    assert gateway.admin("rule", "list")[0]["limits"] == {"rate": "3", "download": "1M"}
    change = gateway.admin("rule", "history", "--user", "suzuki")[0]
    gateway.admin("rule", "undo", str(change["id"]))
    assert gateway.admin("rule", "list")[0]["limits"] == {"max-connections": "5", "download": "1M"}
    gateway.admin_run("rule", "export", "-o", f"{gateway.dir}/rules.csv").ok()
    gateway.admin_run("rule", "import", f"{gateway.dir}/rules.csv", "--replace").ok()
    assert gateway.admin("rule", "list")[0]["limits"] == {"max-connections": "5", "download": "1M"}
    for bad in (["--rate", "-1"], ["--rate", "x"], ["--burst", "3"], ["--quota-day", "1P"], ["--session-time", "99999d"]):
        refused = gateway.admin_run("user", "limit", "suzuki", *bad)
        assert refused.status == 1 and bad[0].strip("-") in refused.err
    gateway.admin("user", "limit", "suzuki", "--rate", "7")
    shown = gateway.admin("user", "limits", "suzuki")  # no prad runs that would have the policy at hand
    assert (shown["limits"], shown["used"]) == ({"rate": "7"}, None)
    assert "\nlimits       rate 7\n" in gateway.admin_run("user", "limits", "suzuki").ok().out
    gateway.admin("user", "delete", "suzuki")
    with contextlib.closing(sqlite3.connect(f"{gateway.dir}/pra.db")) as db:
        assert db.execute("SELECT count(*) FROM limits").fetchone() == (0,)


def test_defaults_of_prad_ini_count_and_a_bad_one_is_named(gateway, client, target):
    _, port = forward(gateway, client, target())
    gateway.write_config("[limits]\nuser_max_connections = 1\nrule_rate = 50\n")
    gateway.reload()
    wait_until(lambda: "max-connections" in (gateway.admin("user", "limits", client.user)["limits"] or {}), 5, "the reload")
    with use(port):
        assert use(port) is None
        told(client, "MSG_LIMIT_CONNECTIONS")
        limit(gateway, client.user, max_connections="2")
        with use(port):
            assert use(port) is None
    for bad in ("rule_rate = fast", "session_time = 1y", "user_upload = -1"):
        gateway.write_config(f"[limits]\n{bad}\n")
        checked = run([program("prad"), "--config", gateway.config, "--check"])
        assert checked.status != 0 and "prad.ini:8" in checked.err and bad.split()[0] in checked.err
