"""The portal's API: each operation that openapi.json names, for each role and with bad input."""

import http.client
import json
import socket
import subprocess

import pytest

from lib.client import dial
from lib.gateway import program
from lib.portal import PASSWORD, new_port, totp
from lib.procs import run, wait_until
from lib.servers.targets import echo

ROLES = ["owner", "admin", "helpdesk", "engineer", "auditor"]

# What each role may do is listed by hand in tests/unit/server/test_accounts.c; here only that the
# answers agree with what the role is told.
NEVER = {"account.add": {"admin", "helpdesk", "engineer", "auditor"}, "user.add": {"helpdesk", "engineer", "auditor"},
         "user.list": {"engineer"}, "session.kill": {"engineer", "auditor"}, "audit.list": {"engineer"}}


def operations(portal):
    """(method, path, description) of each operation."""
    document = portal.browser().get("/openapi.json").json
    assert document["openapi"].startswith("3.1")
    return [(method.upper(), path, o) for path, methods in document["paths"].items()
            for method, o in methods.items()]


def build(path, operation, values):
    """Path with query, and body, with a value for each argument that `values` (name, schema) gives."""
    query, has_body = [], "requestBody" in operation
    for p in operation["parameters"]:
        value = values(p["name"], p["schema"])
        if p["in"] == "path":
            path = path.replace("{%s}" % p["name"], str(value))
        elif value is not None:
            query.append(f"{p['name']}={str(value).lower()}")
    body = None
    if has_body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = {name: values(name, s) for name, s in schema["properties"].items()}
        body = {name: value for name, value in body.items() if value is not None}
    return path + ("?" + "&".join(query) if query else ""), body


def no_such(_name, schema):
    """Values of the right form for things that are not there."""
    return {"integer": 999999, "boolean": True}.get(schema["type"], "no-such-thing")


# They end the log-in or cost a second of a processor each; they have tests of their own.
APART = {"live.events", "status.ports", "audit.export", "user.table", "rule.table", "logout", "login.password", "setup", "password.change", "totp.begin", "totp.disable",
         "recovery.renew", "token.add", "passkey.begin", "passkey.remove"}


def test_each_role_gets_what_it_may_and_no_more(portal, owner):
    browsers = {"owner": owner, **{role: portal.account(role, role) for role in ROLES[1:]}}
    asked = 0
    for role, browser in browsers.items():
        may = set(browser.get("/me").result["may"])
        for method, path, o in operations(portal):
            op = o["operationId"]
            if o.get("security") == [] or op in APART:
                continue
            assert not (role in NEVER.get(op, ()) and op in may)
            target, body = build(path, o, no_such)
            answer = browser.ask(method, target, body)
            asked += 1
            if op == "login.code":
                assert answer.status == 403, "only while the second step is owed"
            elif op in may:
                assert answer.status in (200, 400, 404, 409, 403), (role, op, answer.body)
                assert answer.status != 403 or answer.code == "wrong", (role, op, answer.body)
            else:
                assert (answer.status, answer.code) == (403, "not-permitted"), (role, op, answer.body)
    assert asked > 5 * 30


def test_nothing_is_answered_without_a_log_in(portal):
    stranger = portal.browser()
    for cookie in (None, "0" * 64, "x" * 64, "short"):
        stranger.cookie = cookie
        for method, path, o in operations(portal):
            if o.get("security") == []:
                continue
            target, body = build(path, o, no_such)
            answer = stranger.ask(method, target, body)
            assert (answer.status, answer.code) == (401, "not-logged-in"), (method, path, answer.body)


def bad_values(schema):
    """For a member of a body: values that it cannot have."""
    wrong = {"string": [7, True, {}, [], "a\u0000b", "x" * 5000], "integer": ["x", -1, 1.5, {}, 2**63],
             "boolean": ["yes", 1, {}]}[schema["type"]]
    return [v for v in wrong if v is not None]


def test_bad_input_gets_an_error_in_json(portal, owner):
    for method, path, o in operations(portal):
        if o["operationId"] == "logout":
            continue
        good, body = build(path, o, no_such)
        tries = [(good + ("&" if "?" in good else "?") + "no-such=1", body)]
        if body is not None:
            tries += [(good, {**body, "no-such": 1})]
            schema = o["requestBody"]["content"]["application/json"]["schema"]
            for name, s in schema["properties"].items():
                # What is wrong with a table is the answer of who looks at it.
                tries += [(good, {**body, name: v}) for v in bad_values(s) if not (name == "csv" and path.endswith("/check") and isinstance(v, str))]
            tries += [(good, {k: v for k, v in body.items() if k != name}) for name in schema["required"]]
        for parameter in o["parameters"]:
            for value in ("%00", "%ff", "a%00b", "x" * 5000, "%e2%80%ae"):
                tries.append((build(path, o, lambda n, s, v=value, p=parameter: v if n == p["name"] else no_such(n, s))[0],
                              body))
        for target, wrong in tries:
            answer = owner.ask(method, target, wrong)
            assert 400 <= answer.status < 500, (method, target[:80], str(wrong)[:80], answer.body[:200])
            assert isinstance(answer.json["error"]["message"], str)
    assert owner.get("/me").status == 200


NO_OBJECTS = [(b"{", "application/json"), (b"[1]", "application/json"), (b'{"name":"a","name":"b"}', "application/json"),
              (b"\xff\xfe{}", "application/json"), (b"{}" * 10, "application/json"),
              (b"[" * 100000, "application/json"), (b'{"name":' + b'{"a":' * 5000, "application/json"),
              (b'{"name":"x"}', "text/plain"), (b'{"name":"x"}', None),
              (b"name=x", "application/x-www-form-urlencoded")]


def test_a_body_that_is_no_json_object_is_refused(owner):
    for raw, kind in NO_OBJECTS:
        answer = owner.ask("POST", "/users", raw=raw, headers={"Content-Type": kind} if kind else {})
        assert (answer.status, answer.code) == (400, "invalid"), (raw[:40], kind)
    assert owner.get("/users").result == []


def test_users_keys_and_rules_are_managed(portal, owner, folder):
    assert owner.post("/users", {"name": "suzuki", "full-name": "鈴木 花子"}).result["enabled"]
    assert owner.post("/users", {"name": "suzuki"}).status == 409
    path = f"{folder}/id"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "suzuki@pc", "-f", path]).ok()
    with open(path + ".pub") as f:
        key = owner.post("/keys", {"user": "suzuki", "line": f.read().strip()}).result
    assert owner.get("/keys?user=suzuki").result[0]["fingerprint"] == key["fingerprint"]
    first = owner.post("/rules", {"user": "suzuki", "name": "POP", "target": "127.0.0.1:110", "local": "1110"}).result
    second = owner.post("/rules", {"user": "suzuki", "name": "SMTP", "target": "127.0.0.1:25"}).result
    owner.post(f"/rules/{second['id']}/move", {"position": 1}).result
    assert [r["name"] for r in owner.get("/rules?user=suzuki&effective=true").result] == ["SMTP", "POP"]
    explained = owner.get("/explain?user=suzuki&target=127.0.0.1:110").result
    assert (explained["decision"], explained["rule"]) == ("allow", first["id"])
    owner.ask("DELETE", f"/rules/{first['id']}").result
    owner.post("/keys/revoke", {"fingerprint": key["fingerprint"]}).result
    assert owner.get("/keys").result[0]["state"] == "revoked"
    owner.ask("PUT", "/groups/sales/members/suzuki").status == 404
    owner.post("/groups", {"name": "営業"}).result
    owner.ask("PUT", "/groups/%E5%96%B6%E6%A5%AD/members/suzuki").result
    assert owner.get("/groups").result[0]["members"] == ["suzuki"]
    owner.ask("DELETE", "/users/suzuki").result
    assert owner.get("/users").result == [] and owner.get("/sessions").result == []
    events = owner.get("/audit?kind=admin&limit=1000").result
    mine = [e for e in events if e["user"] == "tanaka" and e["source"] == "127.0.0.1"]
    assert any("user.delete name=suzuki" in e["detail"] for e in mine)


def test_an_account_lives_from_set_up_to_end(portal, owner):
    made = owner.post("/accounts", {"name": "sato", "role": "auditor", "mail": "sato@example.com"}).result
    sato = portal.browser()
    assert sato.post("/setup", {"account": "sato", "code": made["setup-code"], "password": "short"}).status == 400
    sato.post("/setup", {"account": "sato", "code": made["setup-code"], "password": PASSWORD}).result
    assert sato.get("/me").result["role"] == "auditor"
    answer = sato.post("/me/password", {"password": PASSWORD, "new-password": "another good passphrase"})
    assert answer.result["name"] == "sato"
    assert portal.browser().login("sato").status == 403
    assert sato.ask("PATCH", "/me", {"full-name": "佐藤"}).result["full-name"] == "佐藤"
    owner.post("/accounts/sato/disable").result
    assert sato.get("/me").status == 401
    assert portal.browser().login("sato", "another good passphrase").status == 403
    owner.ask("DELETE", "/accounts/sato").result
    assert [a["name"] for a in owner.get("/accounts").result] == ["tanaka"]
    assert owner.ask("DELETE", "/accounts/tanaka").status == 400, "the last owner stays"
    assert owner.post("/logout").status == 200 and owner.cookie is None
    assert owner.get("/me").status == 401


def test_prad_away_and_back(portal, owner):
    portal.gateway.stop()
    assert owner.get("/users").status == 503
    health = portal.browser().get("/health")
    assert (health.status, health.json) == (503, {"portal": True, "gateway": False})
    portal.gateway.start()
    assert wait_until(lambda: owner.get("/users").status == 200, 10)


def test_the_certificate_is_made_once_and_its_fingerprint_is_shown(portal):
    out = run(["openssl", "x509", "-in", portal.certificate, "-noout", "-fingerprint", "-sha256"]).ok().out
    fingerprint = out.strip().split("=")[1]
    assert fingerprint in portal.log()
    assert run([program("pra-portal"), "--config", portal.gateway.config, "--fingerprint"]).ok().out.strip() == fingerprint
    portal.stop()
    portal.start()
    assert portal.log().count(fingerprint) == 2 and portal.log().count("certificate-made") == 1
    assert "Strict-Transport-Security" not in portal.browser().get("/health").headers


def test_an_own_certificate_is_used_and_read_again(portal, folder):
    first = portal.browser().get("/health")
    assert first.status == 200
    key, crt = f"{portal.gateway.dir}/portal.key", portal.certificate
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/ca.key", "-out",
         f"{folder}/ca.crt", "-days", "2", "-subj", "/CN=test authority"]).ok()
    run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", f"{folder}/p.csr",
         "-subj", "/CN=portal"]).ok()
    with open(f"{folder}/ext", "w") as f:
        f.write("subjectAltName=IP:127.0.0.1")
    run(["openssl", "x509", "-req", "-in", f"{folder}/p.csr", "-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key",
         "-CAcreateserial", "-out", crt, "-days", "2", "-extfile", f"{folder}/ext"]).ok()
    portal.process.signal(1)
    portal.certificate = f"{folder}/ca.crt"

    def trusted():
        try:
            return portal.browser().get("/health")
        except OSError:
            return None
    answer = wait_until(trusted, 5)
    assert answer.headers["Strict-Transport-Security"]
    portal.stop()
    subprocess.run(["rm", key], check=True)
    failed = run([program("pra-portal"), "--config", portal.gateway.config])
    assert failed.status == 1 and "[portal] key" in failed.err


def test_two_steps_from_qr_code_to_recovery(portal, owner):
    secret = owner.post("/me/totp", {"password": PASSWORD}).result
    assert secret["uri"].startswith("otpauth://totp/PRA:tanaka?secret=" + secret["secret"])
    assert secret["qr"]["size"] >= 21 and secret["qr"]["path"].startswith("M")
    codes = owner.post("/me/totp/confirm", {"code": totp(secret["secret"])}).result["recovery-codes"]
    again = portal.browser()
    assert again.login("tanaka").result["step"] == "code"
    assert again.get("/me").status == 401, "the first step alone opens nothing"
    assert again.post("/login/code", {"code": totp(secret["secret"], 1)}).result["step"] == "done"
    assert again.get("/me").result["two-step"] is True
    lost = portal.browser()
    lost.login("tanaka").result
    assert lost.post("/login/code", {"code": codes[0].lower().replace("-", " ")}).result["step"] == "done"
    renewed = lost.post("/me/recovery-codes", {"password": PASSWORD}).result["recovery-codes"]
    assert len(renewed) == 10 and not set(renewed) & set(codes)
    lost.post("/me/totp/disable", {"password": PASSWORD}).result
    assert json.loads(json.dumps(lost.get("/me").result))["two-step"] is False


class Events:
    """Server-sent events, as they come."""

    def __init__(self, browser, path):
        self._connection = http.client.HTTPSConnection(browser.portal.host, browser.portal.port, timeout=10,
                                                       context=browser.portal.context())
        self._connection.request("GET", "/api/v1" + path, headers={"Cookie": "__Host-pra=" + browser.cookie})
        self.response = self._connection.getresponse()

    def next(self):
        """(kind, data) of the next one."""
        kind = "message"
        while line := self.response.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            else:
                data = json.loads(value)
        return kind, data

    def ended(self):
        return self.response.read() == b""

    def close(self):
        self._connection.close()


def test_who_is_connected_is_told_by_events_until_the_log_in_is_over(portal, owner, make_client, target):
    watching = Events(owner, "/live/events?search=suzu")
    assert watching.response.status == 200
    assert watching.response.headers["Content-Type"] == "text/event-stream"
    assert "default-src 'none'" in watching.response.headers["Content-Security-Policy"]
    kind, data = watching.next()
    assert (kind, data["sessions"], data["total"]) == ("message", [], 0)
    client = make_client(gateway=portal.gateway).enrol()
    t = target(echo)
    local = new_port()
    portal.gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{t.port}", local)
    client.connect()
    client.wait_forward("Echo")
    with dial(local) as s:
        s.sendall(b"hello")
        assert s.recv(5, socket.MSG_WAITALL) == b"hello"
        wait_until(lambda: watching.next()[1]["channels"] == 1, 10, "the session in an event")
        session, = owner.get("/live").result["sessions"]
        channel, = owner.get("/sessions/" + session["id"]).result["open"]
        assert (channel["name"], channel["address"], channel["bytes_in"]) == ("Echo", "127.0.0.1", 5)
        auditor = portal.account("sato", "auditor")
        assert auditor.get("/sessions/" + session["id"]).status == 200
        path = f"/sessions/{session['id']}/channels/"
        assert auditor.ask("DELETE", path + channel["id"]).code == "not-permitted"
        assert owner.ask("DELETE", path + "1-2-3").code == "not-found"
        owner.ask("DELETE", path + channel["id"]).result
        with pytest.raises(ConnectionResetError):
            s.recv(1)
        assert owner.ask("DELETE", path + channel["id"]).code == "not-found"
    portal.gateway.wait_audit("channel-cut", reason="closed")
    assert portal.gateway.wait_audit("admin", reason="done")
    portal.gateway.kill()
    wait_until(lambda: watching.next()[0] == "away", 10, "the page to be told that prad is away")
    portal.gateway.start()
    wait_until(lambda: watching.next()[0] == "message", 10, "prad to be seen again")
    portal.gateway.admin("account", "delete", "sato")
    assert auditor.get("/live").status == 401
    owner.post("/logout").result
    wait_until(lambda: watching.next()[0] == "over", 10, "the end of the log-in to be told")
    assert watching.ended()


def test_pages_that_watch_are_bounded_and_leave_no_trace(portal, owner):
    watching = [Events(owner, "/live/events") for _ in range(8)]
    assert all(e.next()[0] == "message" for e in watching)
    refused = owner.get("/live/events")
    assert (refused.status, refused.code) == (503, "busy")
    watching.pop().close()  # one that goes makes room for another
    def again():
        e = Events(owner, "/live/events")
        watching.append(e)
        return e.response.status == 200
    wait_until(again, 10, "room for another page", 0.2)
    # The portal ends while pages watch.
    portal.stop()
    assert portal.process.wait() == 0


def test_what_a_page_asks_by_itself_does_not_keep_a_log_in_alive(portal, owner):
    def seen():
        return owner.get("/me/logins", headers={"X-PRA-Background": "1"}).result[0]["seen"]
    before = seen()
    # An hour later by the gateway's clock would take a test of its own (test_account_login.c); here: nothing is written.
    for _ in range(3):
        owner.get("/live", headers={"X-PRA-Background": "1"}).result
    assert seen() == before
