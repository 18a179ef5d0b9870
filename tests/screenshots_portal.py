#!/usr/bin/python3
"""`make screenshots`: a picture of every page, dialog and state of the management tool, in both languages, light and dark.

    tests/screenshots_portal.py [FOLDER]

Real gateway, portal, clients, mail server (so it needs root) and Chromium. What the navigation names is visited by itself, so a
new page needs no line here; what opens on a click does. Names on the page are those of i18n.js. The pictures are for looking
at. ONLY=REGEX: those whose name matches; LANGS=ja, SCHEMES=light: one of two. KEEP=1 puts the one that README.md shows into
packaging/desktop.
"""

import contextlib
import datetime
import os
import re
import sys
import tempfile
import time
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib.furnished import Company, Furnished  # noqa: E402
from lib.portal import PASSWORD  # noqa: E402
from lib.procs import run, wait_until  # noqa: E402
from lib.webpage import WebPage  # noqa: E402

KEPT = "dashboard-ja-light.png"
README_PICTURE = os.path.join(os.path.dirname(__file__), "..", "packaging", "desktop", "dashboard.png")
LANGUAGES = {"ja": "ja-JP", "en": "en-GB"}
SCHEMES = os.environ.get("SCHEMES", "light dark").split()
DESK, WIDE, PHONE = 1280, 1920, 400
TRAFFIC_S = 40
ONLY = re.compile(os.environ.get("ONLY", ""))
BAD_USERS = "name,full-name,state\nabe,阿部 健,enabled\nsuzuki taro,鈴木 太郎,enabled\nwada,和田,off\n"
GOOD_USERS = "name,full-name,state,groups\nabe,阿部 健,enabled,営業\nsuzuki,鈴木 花子,enabled,営業\n"


class Photographer:
    def __init__(self, page, folder, lang, company):
        self.page, self.folder, self.lang, self.company = page, folder, lang, company
        self.page.portal = company.portal
        self.faults, self.words = [], {}

    # ---- the page's words and controls -------------------------------------------------------------

    def w(self, key, *values):
        """As the page says it."""
        if (key, values) not in self.words:
            self.words[key, values] = self.page.do("word", key=key, values=values)
        return self.words[key, values]

    def click(self, key, *values, role="button", name="", last=False):
        self.page.do("click", role=role, name=self.w(key, *values) + (f": {name}" if name else ""), last=last)

    def fill(self, key, value, section=None, last=False):
        if section:
            self.page.do("fill_in", section=self.w(section), label=self.w(key), value=value)
        else:
            self.page.do("fill", label=self.w(key), value=value, last=last)

    def open(self, key):
        self.page.do("open_details", name=self.w(key))

    def see(self, key, *values):
        self.page.see(self.w(key, *values))

    def still(self):
        """Until nothing is being fetched."""
        self.page.do("idle", text=self.w("loading"))

    def picture(self, name, loading=False):
        if not ONLY.search(name):
            return
        if not loading:
            self.still()
        for scheme in SCHEMES:
            self.page.do("scheme", scheme=scheme)
            path = f"{self.folder}/{name}-{self.lang}-{scheme}.png"
            self.page.do("shot", path=path)
            print(path, flush=True)
        self.faults += [f"{name} ({self.lang}) is wider than the window: {w}" for w in self.page.do("overflow")]

    def at(self, where, name=None):
        name = name or where.replace("/", "-")
        if ONLY.search(name):
            self.go(where)
            if name == "dashboard":
                time.sleep(TRAFFIC_S)  # its picture of the traffic grows while one watches
            self.picture(name)

    def go(self, where):
        self.page.do("goto", url="about:blank")  # what was open or typed before is gone
        self.page.goto("/#/" + quote(where, safe="/:?=&%"))
        self.still()

    def person(self, account="tanaka", width=DESK):
        self.page.person(locale=LANGUAGES[self.lang], width=width)
        self.page.log_in(account)

    # ---- scenes ------------------------------------------------------------------------------------

    def login(self):
        page = self.page
        page.person(locale=LANGUAGES[self.lang], width=DESK)
        page.goto()
        self.see("login")
        self.picture("login")
        self.click("setup")
        self.fill("account", "inoue")
        self.fill("setupCode", "AAAA-BBBB-CCCC-DDDD")
        self.fill("newPassword", PASSWORD)
        self.fill("again", PASSWORD + "!")
        self.click("next")
        self.see("different")
        self.picture("login-setup-different")
        self.fill("again", PASSWORD)
        self.click("next")
        self.see("e_wrong")
        self.picture("login-setup-wrong")
        self.click("back")
        self.click("forgotten")
        self.picture("login-forgotten")
        self.fill("account", "inoue")
        self.fill("mail", "inoue@pra.test")
        self.click("askCode")
        self.see("codeSent")
        self.picture("login-forgotten-sent")
        self.click("haveCode")
        self.picture("login-reset")
        page.person(locale=LANGUAGES[self.lang], width=DESK)
        page.goto()
        self.fill("account", "tanaka")
        self.fill("password", PASSWORD + "!")
        self.click("login")
        self.see("e_wrong")
        self.picture("login-wrong")
        self.fill("account", "yamada")
        self.fill("password", PASSWORD)
        self.click("login")
        self.see("codeLabel")
        self.picture("login-code")
        page.fill(self.w("codeLabel"), "000000")
        self.click("next")
        self.see("e_wrong")
        self.picture("login-code-wrong")

    def parts(self, prefix=""):
        """Every page that the navigation leads to."""
        for href in self.page.do("hrefs", selector="header a"):
            where = re.match(r"#/(\w+)", href)[1]
            self.at(where, prefix + where)

    def details(self):
        """What a list leads to."""
        c = self.company
        session = next(s["id"] for s in c.gateway.sessions() if s["user"] == "suzuki")
        suzuki = c.clients[0].key_fingerprint()
        for where, name in (("users/suzuki", "user"), ("users/sato", "user-factor"), ("users/ueda", "user-quarantine"), ("users/kato", "user-enrol"),
                            ("users/mori", "user-disabled"), ("groups/営業", "group"), ("accounts/kimura", "account"), ("accounts/tanaka", "account-own"),
                            (f"live/{session}", "session"), (f"live/{'0' * 32}", "session-ended"), ("sheet/suzuki", "sheet"),
                            (f"devices/suzuki%2F{quote(suzuki, safe='')}", "device"), (f"devices/ueda%2F{quote(c.copied, safe='')}", "device-quarantine"),
                            (f"logs/{c.whole}", "log-whole"), (f"logs/{c.broken}", "log-broken"), ("users/nobody", "user-none")):
            if ONLY.search(name):
                self.page.goto("/#/" + where)
                self.still()
                self.picture(name)

    def of_a_user(self):
        page = self.page
        self.go("users/suzuki")
        page.do("open_all")
        self.picture("user-open")
        self.go("users/suzuki")
        page.do("fill", label=self.w("target"), value="10.1.2.9:445")
        self.click("check")
        page.do("see_selector", selector="tr.marked")
        self.picture("rules-what-if")
        self.click("down", name="メール (POP)")
        self.see("didMove", "メール (POP)", 2)
        self.open("changeLog")
        self.picture("rules-moved")
        self.click("undo")
        page.gone(self.w("didMove", "メール (POP)", 2))
        self.click("changeRule", name="リモートデスクトップ")
        self.picture("rule-changed")
        page.click(self.w("cancel"))
        self.open("addRule")
        self.fill("ruleName", "古い FTP", last=True)
        page.do("fill", label=self.w("target"), value="ftp example", last=True)
        self.click("addRule")
        page.do("see_role", role="alert", name="")
        self.picture("rule-wrong")
        self.go("users/suzuki")
        self.open("addKey")
        self.fill("keyLine", "ssh-ed25519 nonsense")
        self.click("addKey")
        page.do("see_role", role="alert", name="")
        self.picture("key-wrong")
        self.go("users/kato")
        self.click("makeCode")
        page.do("see_selector", selector=".secret")
        self.picture("user-code")
        self.go("users/ueda")
        self.click("factorBegin")
        page.do("see_selector", selector=".qr")
        self.picture("user-factor-qr")

    def of_lists(self):
        page = self.page
        self.go("users")
        self.fill("search", "zzz")
        self.see("noMatch")
        self.picture("users-no-match")
        for name, table in (("import-wrong", BAD_USERS), ("import-right", GOOD_USERS)):
            path = f"{self.folder}/{name}.csv"
            with open(path, "w", encoding="utf-8") as f:
                f.write(table)
            self.go("users")
            self.open("importTable")
            page.do("choose", label=self.w("csvFile"), path=path)
            self.click("preview")
            page.do("see_selector", selector="div[role=status] h3")
            self.picture(name)
            os.remove(path)
        self.go("users")
        self.fill("name", "suzuki")
        self.click("addUser")
        page.do("see_role", role="alert", name="")
        self.picture("users-exists")
        self.go("alerts")
        page.do("open_all")
        self.picture("alerts-open")
        self.go("audit")
        page.do("see_selector", selector="tbody button")
        page.do("click_first", selector="tr:has(th.bad) button")
        self.picture("audit-record")
        self.page.goto("/#/audit/kind=login-refused&user=suzuki")
        page.do("see_selector", selector="tbody button")
        self.picture("audit-filtered")
        self.go("reports")
        self.fill("reportMonth", datetime.date.today().strftime("%Y-%m"))
        page.do("see_selector", selector=".chart")
        self.picture("report")
        self.fill("reportUser", "suzuki")
        self.click("reportShow")
        page.do("see_selector", selector=".chart")
        self.picture("report-user")
        self.printed("report-user")
        self.go("sheet/suzuki")
        self.printed("sheet")

    def printed(self, name):
        self.page.do("media", media="print")
        self.picture(name + "-print")
        self.page.do("media", media="screen")

    def of_accounts(self):
        page = self.page
        self.go("accounts")
        self.fill("account", f"new-{self.lang}")
        self.click("invite")
        page.do("see_selector", selector=".once")
        self.picture("account-invited")
        self.go("me")
        page.do("fill_in", section=self.w("twoStep"), label=self.w("password"), value=PASSWORD)
        self.click("turnOn")
        page.do("see_selector", selector=".qr")
        self.picture("me-two-step")
        self.go("users")
        self.go("me")
        self.open("addToken")
        self.fill("tokenName", f"backup-{self.lang}")
        page.do("fill_in", section=self.w("tokens"), label=self.w("password"), value=PASSWORD)
        self.click("addToken")
        page.do("see_selector", selector=".once")
        self.picture("me-token")
        self.go("me")
        page.do("fill_in", section=self.w("changePassword"), label=self.w("password"), value=PASSWORD)
        self.fill("newPassword", "short")
        self.fill("again", "short")
        self.click("changePassword")
        page.do("see_role", role="alert", name="")
        self.picture("me-password-short")
        self.person("engineer")
        self.picture("me-engineer")

    def passkeys(self):
        """Of an account that has none yet: a key that is part of the PC, codes, and the second step."""
        account = f"key-{self.lang}"
        self.company.portal.account(account, "admin")
        page = self.page
        page.person(locale=LANGUAGES[self.lang], width=DESK)
        page.do("authenticator")
        page.log_in(account)
        self.go("me")
        self.fill("passkeyName", "会社の PC")
        page.do("fill_in", section=self.w("passkeys"), label=self.w("password"), value=PASSWORD)
        self.click("addPasskey")
        wait_until(lambda: len(page.do("all", selector=".codes code")) == 10)
        self.picture("passkey-codes")
        self.click("written")
        page.see("localhost")
        self.click("rename", name="会社の PC")
        self.click("delete", name="会社の PC")
        self.picture("passkeys")
        self.click("logout")
        self.fill("account", account)
        self.fill("password", PASSWORD)
        self.click("login")
        self.see("usePasskey")
        page.do("verified", verified=False)
        self.click("usePasskey")
        self.see("e_NotAllowedError")
        self.picture("passkey-step")

    def roles(self):
        for account, role in (("kimura", "helpdesk"), ("audit", "auditor")):
            self.person(account)
            for where in ("dashboard", "live", "users", "users/suzuki", "alerts"):
                self.at(where, f"{role}-{where.replace('/', '-')}")

    def widths(self):
        self.person(width=WIDE)
        for where in ("dashboard", "live", "users/suzuki", "audit", "alerts"):
            self.at(where, "wide-" + where.replace("/", "-"))
        self.page.person(locale=LANGUAGES[self.lang], width=PHONE)
        self.page.goto()
        self.picture("phone-login")
        self.page.log_in("tanaka")
        self.parts("phone-")
        for where in ("users/suzuki", "users/sato", "groups/営業", "sheet/suzuki", f"logs/{self.company.broken}", "accounts/kimura",
                      f"devices/suzuki%2F{quote(self.company.clients[0].key_fingerprint(), safe='')}"):
            self.at(where, "phone-" + where.split("/", maxsplit=1)[0].rstrip("s") + ("-factor" if "sato" in where else ""))

    def states(self):
        """What is fetched, what does not come, and a gateway that is gone. For a company without anything."""
        page = self.page
        for where in ("dashboard", "users", "live", "audit"):
            page.do("hold", on=True)
            page.goto("/#/" + where)
            time.sleep(0.5)
            self.picture(f"loading-{where}", loading=True)
            page.do("hold", on=False)
            self.go(where)
        self.go("live")
        self.company.gateway.stop()
        try:
            self.see("away")
            self.picture("away-live")
            for where in ("dashboard", "users", "alerts"):
                page.goto("/#/" + where)
                self.see("e_not-running")
                self.picture(f"error-{where}", loading=True)  # what comes by events is still being waited for
        finally:
            self.company.gateway.start()


def photograph(p, scenes):
    """What goes wrong in one scene is told at the end; the pictures of the others are of use."""
    for scene, names in scenes:
        if not names or any(ONLY.search(name) for name in names.split()):
            try:
                scene()
                p.page.check()
            except AssertionError as e:
                print(f"{scene.__name__} ({p.lang}): {e}", flush=True)
                p.faults.append(f"{scene.__name__} ({p.lang}): {e}")


def furnished(p):
    p.page.person(locale=LANGUAGES[p.lang], width=DESK)
    photograph(p, ((p.login, "login"),))
    p.person()
    photograph(p, ((p.parts, ""), (p.details, "")))
    photograph(p, ((p.of_a_user, "user-open rules-what-if rules-moved rule-changed rule-wrong key-wrong user-code user-factor-qr"),
                   (p.of_lists, "users-no-match import-wrong import-right users-exists alerts-open audit-record audit-filtered report sheet"),
                   (p.of_accounts, "account-invited me-two-step me-token me-password me-engineer"), (p.passkeys, "passkey passkeys"),
                   (p.roles, "helpdesk auditor"), (p.widths, "wide phone")))
    return p.faults


def empty(p):
    p.person()
    p.parts("empty-")
    photograph(p, ((p.states, "loading error away"),))
    return p.faults


def main():
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else tempfile.mkdtemp(prefix="pra-screenshots-"))
    os.makedirs(folder, exist_ok=True)
    work = tempfile.mkdtemp(prefix="pra-t-")
    os.chmod(work, 0o755)  # the mail server has users of its own
    faults = []
    with contextlib.ExitStack() as stack:
        company, new = Furnished(f"{work}/c"), Company(f"{work}/n")
        stack.callback(company.close)
        stack.callback(new.close)
        for lang in os.environ.get("LANGS", " ".join(LANGUAGES)).split():
            for act, where in ((furnished, company), (empty, new)):
                page = WebPage(where.portal, home=where.home)
                with contextlib.closing(page):
                    faults += act(Photographer(page, folder, lang, where))
    if os.environ.get("KEEP"):
        run(["convert", f"{folder}/{KEPT}", "-strip", "+dither", "-colors", "128", README_PICTURE]).ok()
    print(f"pictures are in {folder}", *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
