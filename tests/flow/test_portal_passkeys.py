"""Passkeys: with Chromium and its virtual authenticator, and with authenticators and browsers that lie."""

import hashlib

import pytest

from lib.authenticator import AT, UP, UV, Authenticator, client_data
from lib.portal import PASSWORD, Portal, new_port, portal_config, trusted
from lib.procs import wait_until
from lib.webpage import WebPage


class Person:
    """A browser at the portal's name, with authenticators."""

    def __init__(self, portal, browser=None):
        self.portal = portal
        self.browser = browser or portal.browser()
        self.host = f"localhost:{portal.port}"
        self.origin = "https://" + self.host

    def post(self, path, body=None, **kwargs):
        return self.browser.post(path, body, headers={"Host": self.host, "Origin": self.origin}, **kwargs)

    def begin(self):
        return self.post("/me/passkeys/begin", {"password": PASSWORD}).result

    def register(self, key, name="office PC", origin=None, rp=None, flags=UP | UV, kind="webauthn.create",
                 challenge=None, attested=None):
        asked = self.begin()
        data = client_data(kind, challenge or asked["challenge"], origin or self.origin)
        return self.post("/me/passkeys", {
            "name": name, "client-data": data.hex(),
            "auth-data": key.auth_data(rp or asked["rp"], flags, key.attested() if attested is None else attested).hex()})

    def password(self, account="tanaka"):
        return self.post("/login", {"account": account, "password": PASSWORD})

    def answer(self, key, asked, **changes):
        """The body of the second step."""
        origin, kind = changes.pop("origin", self.origin), changes.pop("kind", "webauthn.get")
        data = client_data(kind, changes.pop("challenge", asked["challenge"]), origin, **changes.pop("more", {}))
        auth = key.auth_data(changes.pop("rp", asked["rp"]), changes.pop("flags", UP | UV))
        signature = key.sign(auth + hashlib.sha256(data).digest())
        assert not changes
        return {"credential": key.credential.hex(), "client-data": data.hex(), "auth-data": auth.hex(),
                "signature": signature.hex()}

    def login(self, key, **changes):
        """Both steps; the answer of the second."""
        assert self.password().result["step"] == "code"
        asked = self.post("/login/passkey/begin").result
        return self.post("/login/passkey", self.answer(key, asked, **changes))


@pytest.fixture
def tanaka(portal):
    return Person(portal, portal.account("tanaka", "owner"))


@pytest.mark.parametrize("kind", ["es256", "eddsa", "rs256"])
def test_a_passkey_is_registered_used_named_and_removed(portal, tanaka, kind):
    key = Authenticator(kind, counts=kind != "eddsa")
    made = tanaka.register(key).result
    assert made["passkey"]["name"] == "office PC" and made["passkey"]["host"] == "localhost"
    assert len(made["recovery-codes"]) == 10, "it is the first second step"
    assert "recovery-codes" not in tanaka.register(Authenticator(), "phone").result
    again = Person(portal)
    first = again.password().result
    assert (first["step"], first["totp"], first["passkey"]) == ("code", False, True)
    assert again.browser.get("/me").status == 401
    asked = again.post("/login/passkey/begin").result
    assert len(asked["known"]) == 2 and key.credential.hex() in asked["known"]
    assert again.post("/login/passkey", again.answer(key, asked)).result["step"] == "done"
    me = again.browser.get("/me").result
    assert me["two-step"] and me["passkeys"] == 2 and not me["totp"]
    # A recovery code works, too, and an authenticator's code does not: none was confirmed.
    lost = Person(portal)
    lost.password().result
    assert lost.post("/login/code", {"code": made["recovery-codes"][0]}).result["step"] == "done"
    listed = again.browser.get("/me/passkeys").result
    assert [p["name"] for p in listed] == ["office PC", "phone"] and listed[0]["used"] and not listed[1]["used"]
    renamed = again.browser.ask("PATCH", f"/me/passkeys/{listed[0]['id']}", {"name": "会社の PC"}).result
    assert renamed["name"] == "会社の PC"
    assert again.browser.ask("PATCH", f"/me/passkeys/{listed[0]['id']}", {"name": "phone"}).status == 409
    assert again.browser.post(f"/me/passkeys/{listed[0]['id']}/remove", {"password": "wrong horse battery"}).status == 403
    for p in listed:
        again.browser.post(f"/me/passkeys/{p['id']}/remove", {"password": PASSWORD}).result
    assert Person(portal).password().result["step"] == "done", "the last one took the second step with it"
    assert again.browser.get("/me").result["recovery-codes"] == 0


def test_registrations_that_are_not_what_was_asked_are_refused(portal, tanaka):
    key = Authenticator()
    for changes in ({"origin": "https://evil.example"}, {"origin": "https://localhost"},
                    {"origin": tanaka.origin.replace("https", "http")}, {"kind": "webauthn.get"},
                    {"challenge": "00" * 32}, {"rp": "evil.example"}, {"flags": UP}, {"flags": UV},
                    {"attested": b""}, {"attested": key.attested()[:-1]},
                    {"attested": bytes(16) + b"\xff\xff" + bytes(100)}):
        answer = tanaka.register(key, **changes)
        assert answer.status in (400, 403) and answer.code in ("invalid", "wrong"), (changes, answer.body)
    # The challenge is good once, whatever came of it; and only that of this log-in.
    asked = tanaka.begin()
    data = client_data("webauthn.create", asked["challenge"], tanaka.origin)
    body = {"name": "x", "client-data": data.hex(), "auth-data": key.auth_data("localhost", UP | UV, key.attested()).hex()}
    other = Person(portal, portal.account("sato", "auditor"))
    other.begin()
    assert other.post("/me/passkeys", body).status == 403
    assert tanaka.post("/me/passkeys", {**body, "auth-data": "00"}).status == 400
    assert tanaka.post("/me/passkeys", body).status == 403
    assert tanaka.browser.get("/me/passkeys").result == []
    assert tanaka.register(key).status == 200
    # The same credential for somebody else.
    assert other.register(key).status == 409
    by_address = tanaka.browser.post("/me/passkeys/begin", {"password": PASSWORD})
    assert by_address.status == 400 and "name" in by_address.json["error"]["message"]


def test_huge_and_hostile_cbor_is_refused_in_time(portal, tanaka):
    head = Authenticator().auth_data("localhost", UP | UV | AT)
    credential = bytes(16) + b"\x00\x10" + bytes(16)
    bombs = [b"\x9f" * 1900, b"\xbf" * 1900, b"\xa5" + b"\x81" * 1900, b"\x5b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8,
             b"\xd8\x40" * 900, b"\xa1\x01" * 900, b"\xfb" * 1900]
    for bomb in bombs:
        asked = tanaka.begin()
        data = client_data("webauthn.create", asked["challenge"], tanaka.origin)
        answer = tanaka.post("/me/passkeys", {"name": "x", "client-data": data.hex(),
                                              "auth-data": (head + credential + bomb).hex()})
        assert (answer.status, answer.code) == (400, "invalid"), answer.body
    tanaka.begin()
    too_long = {"name": "x", "client-data": "7b" * 3000, "auth-data": "00"}
    assert tanaka.post("/me/passkeys", too_long).status == 400
    assert tanaka.post("/me/passkeys", {"name": "x", "client-data": "7b7d", "auth-data": "00" * 300000}).status == 400
    assert tanaka.browser.get("/me").status == 200
    assert "passkey-check-failed" not in portal.gateway.log()


LIES = [{"origin": "https://evil.example"}, {"challenge": "11" * 32}, {"kind": "webauthn.create"},
        {"rp": "evil.example"}, {"flags": UP}, {"flags": 0}, {"more": {"crossOrigin": True}}]


def test_an_answer_to_another_question_is_refused(portal, tanaka):
    key = Authenticator()
    tanaka.register(key).result
    person = Person(portal)
    for lie in LIES:
        assert (person.login(key, **lie).status, person.browser.get("/me").status) == (403, 401), lie
    assert person.login(key).status == 200


def test_what_was_said_once_is_worth_nothing_again(portal, tanaka):
    key, stranger, other = Authenticator(), Authenticator(), Authenticator()
    tanaka.register(key).result
    sato = Person(portal, portal.account("sato", "auditor"))
    sato.register(other).result
    person = Person(portal)
    person.password().result
    asked = person.post("/login/passkey/begin").result
    body = person.answer(key, asked)
    assert person.post("/login/passkey", body).status == 200
    # Replayed: in another log-in with and without a challenge of its own.
    thief = Person(portal)
    thief.password().result
    assert thief.post("/login/passkey", body).status == 403
    thief.post("/login/passkey/begin").result
    assert thief.post("/login/passkey", body).status == 403
    # An altered signature, another key behind the same name, somebody else's passkey.
    asked = thief.post("/login/passkey/begin").result
    good = thief.answer(key, asked)
    assert thief.post("/login/passkey", {**good, "signature": good["signature"][:-2] + "00"}).status == 403
    assert thief.browser.get("/me").status == 401
    thief.password().result
    stranger.credential = key.credential
    for liar in (stranger, other):
        asked = thief.post("/login/passkey/begin").result
        assert thief.post("/login/passkey", thief.answer(liar, asked)).status == 403
    # The right answer after the challenge was used up by a wrong one.
    asked = thief.post("/login/passkey/begin").result
    good = thief.answer(key, asked)
    assert thief.post("/login/passkey", {**good, "signature": "3000"}).status == 403
    assert thief.post("/login/passkey", good).status == 403
    # A few wrong ones end the log-in; the audit has the reasons.
    assert thief.post("/login/passkey/begin").status in (200, 401)
    for reason in ("passkey", "passkey-challenge", "passkey-unknown"):
        portal.gateway.wait_audit("account-refused", reason=reason)


def test_a_counter_that_does_not_go_on_is_a_copy(portal, tanaka):
    key = Authenticator()
    tanaka.register(key).result
    person = Person(portal)
    assert person.login(key).status == 200
    key.counter -= 1
    assert Person(portal).login(key).status == 403
    portal.gateway.wait_audit("account-refused", reason="passkey-counter")
    key.counter -= 2
    assert Person(portal).login(key).status == 403
    key.counter += 5
    assert Person(portal).login(key).status == 200


def test_the_console_takes_the_step_away_when_the_key_is_lost(portal, tanaka):
    tanaka.register(Authenticator()).result
    assert Person(portal).password().result["step"] == "code"
    portal.gateway.admin("account", "reset", "tanaka")
    assert Person(portal).password().result["step"] == "done"


# ---- with a real browser ----------------------------------------------------------------------------


def test_chromium_registers_a_passkey_and_logs_in_with_it(make_gateway, folder):
    port = new_port()
    gateway = make_gateway(name="pgw", extra_config=portal_config(port))
    portal = Portal(gateway, port)
    home = trusted(portal, folder)
    portal.start()
    portal.certificate = f"{folder}/ca.crt"
    portal.account("tanaka", "owner")
    portal.url = f"https://localhost:{port}"
    page = WebPage(portal, whole=True, home=home)
    try:
        page.do("authenticator")
        page.log_in("tanaka")
        page.click("アカウント", role="link")
        page.see("パスキーはまだ登録されていません。")
        page.look("passkeys-empty")
        page.fill("パスキーの名前", "会社の PC")
        page.do("fill_in", section="パスキー", label="パスワード", value=PASSWORD)
        page.click("パスキーを登録")
        wait_until(lambda: len(page.do("all", selector=".codes code")) == 10)
        page.look("passkey-codes")
        page.click("控えました")
        page.see("localhost")
        page.look("passkeys")
        # The same authenticator is not registered twice.
        page.fill("パスキーの名前", "もう一つ")
        page.do("fill_in", section="パスキー", label="パスワード", value=PASSWORD)
        page.click("パスキーを登録")
        page.see("この認証器はすでに登録されています。")
        page.click("ログアウト")
        page.fill("ユーザ ID", "tanaka")
        page.fill("パスワード", PASSWORD)
        page.click("ログイン")
        page.see("パスキーで確認")
        page.look("passkey-step")
        # Who does not show himself does not get in.
        page.do("verified", verified=False)
        page.click("パスキーで確認")
        page.see("パスキーの確認が取り消されたか、時間切れになりました。")
        page.do("verified", verified=True)
        page.click("パスキーで確認")
        page.see("接続中のユーザはいません。")
        page.click("アカウント", role="link")
        page.see("localhost")
        assert "なし" not in page.text(".entries"), "its last use is noted"
    finally:
        page.close()
        portal.stop()
