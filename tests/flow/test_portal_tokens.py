"""API tokens as a program uses them, with every role and scope; and where the portal may be used from."""

import datetime
import http.client
import json


from lib.portal import PASSWORD, Answer
from test_portal_api import ROLES, build, no_such, operations

SCOPES = ["read", "users", "rules", "sessions"]
# Ways in and one's own account: in no scope.
PERSONAL = ("login", "logout", "setup", "password.", "totp.", "recovery.", "passkey.", "token.", "me.set")


class Program:
    """Asks with a token: no cookie, no Origin, no X-PRA."""

    def __init__(self, portal, token):
        self.portal, self.token = portal, token
        self._connection = http.client.HTTPSConnection(portal.host, portal.port, timeout=20, context=portal.context())

    def ask(self, method, path, body=None, headers=None):
        sent = {"Authorization": "Bearer " + self.token, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), sent)
        return Answer(self._connection.getresponse())


def make(browser, name, scopes, days=30):
    return browser.post("/me/tokens", {"name": name, "scopes": scopes, "days": days, "password": PASSWORD})


def test_each_role_with_each_scope_gets_what_both_hold(portal):
    browsers = {role: portal.account(role, role) for role in ROLES}
    everything = operations(portal)
    asked = made = 0
    for role, browser in browsers.items():
        for scope in SCOPES:
            answer = make(browser, scope, scope)
            if answer.status == 400:
                assert answer.json["error"]["message"].startswith("scopes:") and scope != "read"
                continue
            made += 1
            program = Program(portal, answer.result["token"])
            may = set(program.ask("GET", "/me").result["may"]) if scope == "read" else None
            for method, path, o in everything:
                op = o["operationId"]
                if o.get("security") == [] or op in ("live.events", "audit.export", "user.table", "rule.table"):
                    continue
                target, body = build(path, o, no_such)
                answer = program.ask(method, target, body)
                asked += 1
                if op.startswith(PERSONAL):
                    assert answer.status in (400, 403), (role, scope, op, answer.body)
                    assert answer.status == 400 or answer.code == "not-permitted", (role, scope, op, answer.body)
                elif scope == "read":
                    assert (answer.code == "not-permitted" if answer.status == 403 else None) is not (op in may), (role, op)
                elif answer.status not in (403,):
                    assert op.split(".")[0] in {"users": ("user", "group", "key"), "rules": ("rule",),
                                                "sessions": ("session", "channel")}[scope], (role, scope, op, answer.body)
                    assert op.split(".")[1] not in ("list", "show"), "reading is a scope of its own"
    assert made == 5 + 2 * 3 + 1 and asked > 12 * 30


def test_a_token_from_its_making_to_its_end(portal):
    owner = portal.account("tanaka", "owner")
    answer = make(owner, "nightly", "read users", 365)
    made = answer.result
    assert made["token"].startswith("pra_") and len(made["token"]) == 68 and made["scopes"] == ["read", "users"]
    expires = datetime.datetime.fromisoformat(made["expires"].replace("Z", "+00:00"))
    assert datetime.timedelta(364) < expires - datetime.datetime.now(datetime.timezone.utc) <= datetime.timedelta(365)
    assert make(owner, "nightly", "read").status == 409
    assert make(owner, "longer", "read", 366).status == 400
    wrong = owner.post("/me/tokens", {"name": "x", "scopes": "read", "days": 1, "password": "wrong horse battery"})
    assert wrong.status == 403

    program = Program(portal, made["token"])
    assert program.ask("POST", "/users", {"name": "suzuki"}).result["name"] == "suzuki"
    assert program.ask("POST", "/rules", {"user": "suzuki", "name": "x", "target": "a:1"}).code == "not-permitted"
    assert make_me_more(program).status == 403
    listed = owner.get("/me/tokens").result
    assert [t["name"] for t in listed] == ["nightly"] and "token" not in listed[0]
    assert listed[0]["used"] and listed[0]["source"] == "127.0.0.1"
    events = owner.get("/audit?kind=admin&limit=100").result
    mine = [e for e in events if e["detail"].startswith("user.add token=nightly name=suzuki")]
    assert len(mine) == 1 and mine[0]["user"] == "tanaka" and mine[0]["source"] == "127.0.0.1"

    # The header makes it, and nothing else: not in a cookie, and a log-in's token is none.
    thief = portal.browser()
    thief.cookie = made["token"]
    assert thief.get("/me").status == 401
    assert Program(portal, owner.cookie).ask("GET", "/me").status == 401
    both = program.ask("GET", "/me", headers={"Cookie": "__Host-pra=" + owner.cookie, "Authorization": "Bearer x" * 40})
    assert both.status == 401, "a broken token is not made up for by a cookie"
    assert program.ask("POST", "/users", {"name": "x"}, {"Sec-Fetch-Site": "cross-site"}).status == 403

    # The console sees and ends it.
    rows = portal.gateway.admin("token", "list")
    assert [(t["account"], t["name"]) for t in rows] == [("tanaka", "nightly")]
    portal.gateway.admin("token", "revoke", str(rows[0]["id"]))
    assert program.ask("GET", "/me").status == 401
    assert made["token"] not in portal.log() and made["token"][4:] not in portal.gateway.log()


def make_me_more(program):
    return program.ask("POST", "/me/tokens", {"name": "more", "scopes": "read", "days": 1, "password": PASSWORD})


def test_openapi_names_both_ways_in(portal):
    document = portal.browser().get("/openapi.json").json
    assert document["security"] == [{"cookie": []}, {"bearer": []}]
    schemes = document["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert schemes["cookie"]["name"] == "__Host-pra"


def test_the_portal_is_used_from_listed_networks_and_the_console_is_the_way_back(portal):
    owner = portal.account("tanaka", "owner")
    gateway = portal.gateway
    locked = owner.post("/access", {"network": "192.0.2.0/24"})
    assert (locked.status, locked.code) == (409, "would-lock-out")
    here = owner.post("/access", {"network": "127.0.0.1", "comment": "本社"}).result
    owner.post("/access", {"network": "192.0.2.0/24"}).result
    assert [r["network"] for r in owner.get("/access").result] == ["127.0.0.1/32", "192.0.2.0/24"]
    answer = owner.ask("DELETE", f"/access/{here['id']}")
    assert (answer.status, answer.code) == (409, "would-lock-out")
    assert owner.get("/me").status == 200
    owner.ask("DELETE", f"/access/{here['id']}?confirm=true").result
    for answer in (owner.get("/me"), portal.browser().login("tanaka"), portal.browser().login("nobody")):
        assert (answer.status, answer.code) == (403, "address-refused")
    # The way back takes these rules, and nothing else.
    gateway.add_user("suzuki")
    assert gateway.admin("access", "reset")["removed"] == 1
    assert gateway.admin("access", "list") == []
    assert owner.get("/users").result[0]["name"] == "suzuki"
    assert [a["name"] for a in gateway.admin("account", "list")] == ["tanaka"]
    assert "0 access rules removed" in gateway.admin_run("access", "reset").ok().err
