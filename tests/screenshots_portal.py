#!/usr/bin/python3
"""`make screenshots`: a picture of every page of the management tool, in both languages, light and dark.

    tests/screenshots_portal.py [FOLDER]

What the navigation names is visited by itself, so a new page needs no line here. Real gateway, portal, clients and
Chromium. The pictures are for looking at; KEEP=1 puts the one that README.md shows into packaging/desktop.
"""

import contextlib
import itertools
import math
import os
import re
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib.client import Client, dial, exchange  # noqa: E402
from lib.gateway import Gateway  # noqa: E402
from lib.machines import OFFICE_PC, OTHER_PC, changed  # noqa: E402
from lib.ports import free_port  # noqa: E402
from lib.portal import PASSWORD, Portal, new_port, portal_config  # noqa: E402
from lib.procs import run  # noqa: E402
from lib.servers.targets import Target, echo  # noqa: E402
from lib.webpage import WebPage  # noqa: E402

KEPT = "dashboard-ja-light.png"
README_PICTURE = os.path.join(os.path.dirname(__file__), "..", "packaging", "desktop", "dashboard.png")
LANGUAGES = {"ja": "ja-JP", "en": "en-GB"}
SCHEMES = ("light", "dark")
PHONE = 400
TRAFFIC_S = 40
# Users with their groups and the machine that is theirs; nothing is sent to the targets but what `talk()` sends.
USERS = (("suzuki", "鈴木 花子", "営業", OFFICE_PC),
         ("sato", "佐藤", "営業", changed(OTHER_PC, computer_name="SALES-PC-12")),
         ("kato", "", "経理", changed(OTHER_PC, computer_name="ACCOUNTS-PC-3", disk_serial="WD-WX11E4372820")))
WORDS = {"ja": {"id": "ユーザ ID", "password": "パスワード", "login": "ログイン", "logout": "ログアウト", "loading": "読み込み中…",
                "setup": "はじめての方(セットアップコードをお持ちの方)"},
         "en": {"id": "User id", "password": "Password", "login": "Log in", "logout": "Log out", "loading": "Loading…",
                "setup": "First time here, with a set-up code?"}}


class Company:
    """A gateway with users, rules, devices, people who are connected and something that went wrong."""

    def __init__(self, folder):
        self.folder = folder
        port = new_port()
        self.gateway = Gateway(f"{folder}/gw", extra_config=portal_config(port)).init().start()
        self.portal = Portal(self.gateway, port).start()
        self.portal.account("tanaka", "owner")
        self.target = Target(echo).start()
        self.clients, self.held = [], contextlib.ExitStack()

    def furnish(self):
        admin = self.gateway.admin
        for name in ("営業", "経理"):
            admin("group", "add", name)
        for user, full, group, machine in USERS:
            admin("user", "add", user, *(["--full-name", full] if full else []))
            admin("group", "member", "add", group, user)
            client = Client(f"{self.folder}/{user}", self.gateway, user=user, machine=machine)
            self.clients.append(client.enrol())
        admin("user", "add", "mori", "--disabled")
        self.write_rules()
        for client in self.clients:
            client.connect()
        self.talk()
        self.trouble()
        admin("account", "add", "kimura", "--role", "helpdesk", "--mail", "helpdesk@example.com")
        admin("account", "add", "audit", "--role", "auditor", "--expires", "2030-04-01")

    def write_rules(self):
        """Some local ports are those of the sheet, where this PC has them free."""
        taken = self.held.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        here = f"127.0.0.1:{self.target.port}"
        for user in ("suzuki", "sato"):
            self.gateway.add_rule(user, "メール (POP)", here, free_port())
            self.gateway.add_rule(user, "メール (SMTP)", "mail.example.com:25", taken.getsockname()[1])
        self.gateway.add_rule("suzuki", "リモートデスクトップ", "10.1.2.3:3389", free_port(), hours="Mon-Fri 08:00-19:00",
                              expires="2030-04-01T00:00:00Z")
        self.gateway.add_rule("suzuki", "ファイルサーバ", "10.1.0.0/16:445", action="deny", log=True)
        self.gateway.add_rule("suzuki", "経費", "10.1.2.9:445")
        self.gateway.add_rule("kato", "メール (POP)", here, free_port())
        for group in ("営業", "経理"):
            self.gateway.admin("rule", "add", "--group", group, "--name", "Web (proxy)", "--target", "proxy.example.com:8080",
                               "--local", str(free_port()), "--fallback", str(free_port()))

    def talk(self):
        for i, client in enumerate(self.clients):
            port = client.local_port("メール (POP)")
            exchange(port, bytes(100_000 * (i + 1)))
            threading.Thread(target=self.go_on, args=(self.held.enter_context(dial(port)), i + 1), daemon=True).start()

    def go_on(self, connection, weight):
        """Somebody works through it as long as it stands; more and less, so that the picture has something to show."""
        try:
            for turn in itertools.count():
                data = bytes(1 + int(3000 * weight * (1.2 + math.sin(turn * weight / 9))))
                connection.sendall(data)
                left = len(data)
                while left > 0 and (got := connection.recv(left)):
                    left -= len(got)
                time.sleep(0.05)
        except OSError:
            pass

    def trouble(self):
        """A PC whose key nobody registered, one that was lost, a rule that is not there."""
        stranger = Client(f"{self.folder}/stranger", self.gateway, user="suzuki", machine=changed(OTHER_PC, computer_name="HOME-PC"))
        self.clients.append(stranger)
        stranger.keygen()
        stranger.set_server()
        stranger.try_connect(wait=5)
        lost = Client(f"{self.folder}/lost", self.gateway, user="suzuki", machine=changed(OTHER_PC, computer_name="NOTE-PC-1"))
        self.clients.append(lost)
        lost.enrol()
        self.gateway.admin("key", "revoke", lost.key_fingerprint())

    def close(self):
        self.held.close()
        for client in self.clients:
            client.close()
        self.target.stop()
        self.portal.stop()
        self.gateway.stop()


class Photographer:
    def __init__(self, page, folder, lang):
        self.page, self.folder, self.lang, self.w = page, folder, lang, WORDS[lang]
        self.faults = []

    def still(self):
        """Until nothing is being fetched."""
        self.page.do("idle", text=self.w["loading"])

    def picture(self, name):
        self.still()
        for scheme in SCHEMES:
            self.page.do("scheme", scheme=scheme)
            path = f"{self.folder}/{name}-{self.lang}-{scheme}.png"
            self.page.do("shot", path=path)
            print(path, flush=True)
        self.faults += [f"{name} ({self.lang}) is wider than the window: {w}" for w in self.page.do("overflow")]

    def at(self, where, name=None):
        self.page.goto("/#/" + where)
        if name == "dashboard":
            time.sleep(TRAFFIC_S)  # its picture of the traffic grows while one watches
        self.picture(name or where.replace("/", "-"))

    def login(self):
        self.page.goto()
        self.page.see(self.w["login"])
        self.picture("login")
        self.page.click(self.w["setup"])
        self.picture("login-setup")
        self.page.goto("/")
        self.page.fill(self.w["id"], "tanaka")
        self.page.fill(self.w["password"], PASSWORD + "!")
        self.page.click(self.w["login"])
        self.page.do("see_role", role="alert", name="")
        self.picture("login-wrong")
        self.page.fill(self.w["password"], PASSWORD)
        self.page.click(self.w["login"])
        self.page.do("see_role", role="button", name=self.w["logout"])

    def parts(self, prefix=""):
        """Every page that the navigation leads to."""
        for href in self.page.do("hrefs", selector="header a"):
            where = re.match(r"#/(\w+)", href)[1]
            self.at(where, prefix + where)

    def details(self, session):
        """What a list leads to, and what opens on a click."""
        for where, name in (("users/suzuki", "user"), ("groups/営業", "group"), ("accounts/kimura", "account"),
                            (f"live/{session}", "session"), ("sheet/suzuki", "sheet")):
            self.at(where, name)
        self.page.goto("/#/users/suzuki")
        self.still()
        self.page.do("open_all")
        self.picture("user-open")


def photograph(page, folder, portal, lang, furnished, session=None):
    page.portal = portal
    page.person(locale=LANGUAGES[lang], width=1280)
    p = Photographer(page, folder, lang)
    if not furnished:
        page.goto()
        page.fill(p.w["id"], "tanaka")
        page.fill(p.w["password"], PASSWORD)
        page.click(p.w["login"])
        page.do("see_role", role="button", name=p.w["logout"])
        p.parts("empty-")
        return p.faults
    p.login()
    p.parts()
    p.details(session)
    page.person(locale=LANGUAGES[lang], width=PHONE)
    page.goto()
    page.fill(p.w["id"], "tanaka")
    page.fill(p.w["password"], PASSWORD)
    page.click(p.w["login"])
    page.do("see_role", role="button", name=p.w["logout"])
    p.parts("phone-")
    p.at("users/suzuki", "phone-user")
    return p.faults


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="pra-screenshots-")
    os.makedirs(folder, exist_ok=True)
    work = tempfile.mkdtemp(prefix="pra-t-")
    faults = []
    with contextlib.ExitStack() as stack:
        company, new = Company(f"{work}/c"), Company(f"{work}/n")
        stack.callback(company.close)
        stack.callback(new.close)
        company.furnish()
        session = next(s["id"] for s in company.gateway.sessions() if s["user"] == "suzuki")
        page = WebPage(company.portal)
        stack.callback(page.close)
        for lang in LANGUAGES:
            faults += photograph(page, folder, company.portal, lang, True, session)
            faults += photograph(page, folder, new.portal, lang, False)
    if os.environ.get("KEEP"):
        run(["convert", f"{folder}/{KEPT}", "-strip", "+dither", "-colors", "128", README_PICTURE]).ok()
    print(f"pictures are in {folder}", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
