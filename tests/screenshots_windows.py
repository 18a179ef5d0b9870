#!/usr/bin/python3
"""`make screenshots`, the part for Windows: a picture of every window of pra-tray.exe under wine, in both
languages, and of the main ones in dark.

    tests/screenshots_windows.py [FOLDER]

The pictures are for looking at; they do not belong into the tree. What the agent says is fake_agent.exe's.
"""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "windows"))
import test_tray_windows as t  # noqa: E402
from lib import machines  # noqa: E402
from lib.procs import wait_until  # noqa: E402
from lib.windesk import WM_CONTEXTMENU, FakeAgent, WinTray, Wine, windows_path  # noqa: E402

THEME = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"

ENROLL = {"en": "Register the key with a code", "ja": "登録コードで登録"}
CODE = {"en": "Code of the authenticator app", "ja": "認証アプリのコード"}


class Photographer:
    def __init__(self, wine, folder, lang, theme):
        self.wine, self.folder, self.lang, self.theme = wine, folder, lang, theme
        self.w = t.WORDS[lang]
        self.home = tempfile.mkdtemp(prefix="pra-t-")
        machines.write(f"{self.home}/machine.json", machines.OFFICE_PC)
        self.agent = FakeAgent(wine, self.home)
        self.agent.say(t.status("disconnected"))
        self.agent.start()
        wine.run("reg", "add", THEME, "/v", "AppsUseLightTheme", "/t", "REG_DWORD", "/d", str(int(theme == "light")), "/f")
        self.tray = WinTray(wine, self.home, lang,
                            env={"PRA_TEST_MACHINE": windows_path(f"{self.home}/machine.json")})
        self.tray.main()

    def take(self):
        return subprocess.run(["import", "-window", "root", "png:-"], env=self.wine.env, stdout=subprocess.PIPE,
                              check=True).stdout

    def picture(self, name):
        """Waits until the screen stands still, then keeps it."""
        last = [b""]

        def stands():
            now = self.take()
            same, last[0] = now == last[0], now
            return same
        try:
            wait_until(stands, 4, "the screen to stand still", 0.3)
        except AssertionError:
            pass  # a picture of something that moves is a picture, too
        path = f"{self.folder}/windows-{name}-{self.lang}-{self.theme}.png"
        with open(path, "wb") as f:
            f.write(last[0])
        print(path, flush=True)

    def dialog(self, name, command, title, *, after=None):
        self.tray.menu(command)
        self.tray.wait_title(title)
        if after:
            after()
        self.picture(name)
        self.tray.keys("Escape")
        self.tray.gone(title)

    def all(self):
        w, tray, agent = self.w, self.tray, self.agent
        self.picture("1-new-pc")
        self.dialog("2-server", t.SERVER, w["server"], after=lambda: tray.fill(w["fingerprint"], "SHA256:short"))
        t.configure(self.home)
        tray.menu(t.KEYGEN)
        t.make_key(tray, w, self.half_then_full)
        self.picture("4-export")
        tray.keys("Escape")
        self.dialog("5-options", t.SETTINGS, w["options"])
        tray.menu(t.ENROLL)
        tray.wait_title(ENROLL[self.lang])
        self.picture("e-enroll")
        tray.keys("Escape")
        tray.gone(ENROLL[self.lang])
        tray.menu(t.COLLECT)
        tray.wait_text("manifest.txt", timeout=60)
        self.picture("6-logs")
        tray.keys("Escape")
        agent.answer("connect", {"ok": False, "error": t.error_of("MSG_KEY_PASSPHRASE")})
        tray.menu(t.CONNECT)
        t.give_passphrase(tray, w)
        agent.wait_request("connect")
        self.picture("7-connect")
        agent.answer("connect", {"ok": False, "error": t.error_of("MSG_HOSTKEY_UNKNOWN", detail=t.FINGERPRINT)})
        t.give_passphrase(tray, w)
        tray.wait_text(w["compare"])
        self.picture("8-compare")
        tray.keys("Escape")
        tray.wait_no_text(w["compare"])
        tray.press(w["cancel"], w["connect"])
        agent.say(t.status("code", t.error_of("MSG_CODE_NEEDED")))
        wait_until(lambda: t.shape(tray) == "action", 10, "the state")
        tray.menu(t.CODE)
        tray.wait_title(CODE[self.lang])
        self.picture("f-code")
        tray.type("123456")
        tray.keys("Return")
        agent.wait_request("code")
        agent.say(t.status("connecting"))
        wait_until(lambda: t.shape(tray) == "connecting", 10, "the attempt")
        self.picture("g-code-on-the-way")
        agent.say(t.status("code", t.error_of("MSG_CODE_WRONG")))
        tray.wait_text("ERR(10214)")
        self.picture("h-code-wrong")
        tray.keys("Escape")
        tray.gone(CODE[self.lang])
        self.states()

    def half_then_full(self):
        if not getattr(self, "begun", False):
            self.begun = True
            self.tray.keys(*["Shift"] * 20)
            self.picture("3-keygen")
        self.tray.keys(*["Shift"] * 20)

    def states(self):
        w, tray, agent = self.w, self.tray, self.agent
        agent.say(t.status("connected", forwards=[t.forward(), t.TAKEN, t.forward("Web", 10080)]))
        tray.wait_text("smtpd.exe")
        self.picture("9-connected")
        tray.press(w["disconnect"], "PRA")
        self.picture("a-disconnect")
        tray.keys("Escape")
        tray.icon(WM_CONTEXTMENU, 500, 300)
        wait_until(lambda: tray.dump()["menu"], 10, "the menu")
        self.picture("b-menu")
        tray.keys("Escape")
        agent.say(t.status("waiting", t.error_of("MSG_RULES_NONE"), retry_in=100))
        tray.wait_text(w["retry"])
        self.picture("c-waiting")

    def stop(self):
        self.tray.stop()
        self.agent.stop()


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else tempfile.mkdtemp(prefix="pra-screenshots-")
    os.makedirs(folder, exist_ok=True)
    wine = Wine().start()
    try:
        for lang in ("ja", "en"):
            for theme in ("light", "dark"):
                p = Photographer(wine, folder, lang, theme)
                try:
                    p.all()
                finally:
                    p.stop()
    finally:
        wine.run("reg", "delete", THEME, "/v", "AppsUseLightTheme", "/f")
        wine.stop()


if __name__ == "__main__":
    main()
