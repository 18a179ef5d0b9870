#!/usr/bin/python3
"""`make screenshots`: a picture of every window of the tray, in both languages, light and dark.

    tests/screenshots.py [FOLDER]

The pictures are for looking at; they do not belong into the tree, but for the one that README.md shows: KEEP=1 puts
that into packaging/desktop. Real gateway, agent and windows.
"""

import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib.client import PASSPHRASE, Client  # noqa: E402
from lib.desktop import Desktop, Tray  # noqa: E402
from lib.gateway import Gateway  # noqa: E402
from lib.machines import OFFICE_PC  # noqa: E402
from lib.ports import free_port  # noqa: E402
from lib.procs import run, wait_until  # noqa: E402

KEPT = "a-connected-ja-light.png"
README_PICTURE = os.path.join(os.path.dirname(__file__), "..", "packaging", "desktop", "window.png")
# What the list shows; nothing is sent to the targets.
RULES = (("メール (POP)", "mail.example.com:110", 110), ("メール (SMTP)", "mail.example.com:25", 2525),
         ("Web (proxy)", "proxy.example.com:8080", 10080), ("リモートデスクトップ", "10.1.2.3:3389", 3389))
TAKEN = 2525
THEMES = {"light": "Adwaita", "dark": "Adwaita:dark"}
WORDS = {
    "en": {"server": "Server ...", "make": "Make a key ...", "export": "Export the public key ...",
           "options": "Options ...", "logs": "Collect logs ...", "version": "Version",
           "connect": "Connect ...", "disconnect": "Disconnect ...", "replace": "Replace",
           "enroll": "Register with a code"},
    "ja": {"server": "サーバ設定", "make": "鍵生成(G)", "export": "公開鍵のエクスポート",
           "options": "オプション", "logs": "ログの収集", "version": "バージョン情報",
           "connect": "接続(C)", "disconnect": "切断(D)", "replace": "置き換える",
           "enroll": "登録コードで登録"},
}


class Photographer:
    def __init__(self, desktop, folder, client, lang, theme):
        self.desktop, self.folder = desktop, folder
        self.w = WORDS[lang]
        self.suffix = f"{lang}-{theme}"
        self.tray = Tray(desktop, client, lang, env={"GTK_THEME": THEMES[theme]})
        self.tray.find("frame", "PRA")
        self.still = None

    def take(self):
        """PNG of the topmost window; of the whole screen the dialogs, which have a visual of their own,
        would be black."""
        path = f"{self.folder}/.taken.png"
        self.desktop_run("import", "-window", self.tray.top_window(), path)
        with open(path, "rb") as f:
            return f.read()

    def desktop_run(self, *argv):
        run(argv, env=self.tray.env).ok()

    def picture(self, name):
        """Waits until the screen stands still (a bar that moves never does), then keeps it."""
        def stands():
            now = self.take()
            same = self.still == now
            self.still = now
            return same
        try:
            wait_until(stands, 3, "the window to stand still", 0.2)
        except AssertionError:
            pass  # a picture of something that moves is a picture, too
        with open(f"{self.folder}/{name}-{self.suffix}.png", "wb") as f:
            f.write(self.still)
        print(f"{self.folder}/{name}-{self.suffix}.png", flush=True)

    def close(self):
        """Closes every dialog by its first button that closes."""
        for words in ("Cancel", "キャンセル", "Close", "閉じる", "OK"):
            try:
                for button in self.tray.all("push button", words):
                    button.atspi("Action", "DoAction", "(i)", 0)
                    return self.tray.gone("push button", words)
            except AssertionError:
                continue
        return None

    def dialog(self, name, entry, wait=None):
        self.tray.menu(self.w[entry])
        self.tray.find(("dialog", "alert"))
        if wait:
            self.tray.wait_text(wait)
        self.picture(name)


def new_pc(p):
    p.picture("1-new-pc")
    p.dialog("2-server", "server")
    p.close()


def with_profile(p):
    path = os.path.join(p.tray.client.dir, "suzuki.pra")
    p.tray.client.gateway.admin("profile", "suzuki", "--server", "gw.example.com", "--name", "Example 株式会社", "-o", path)
    run([p.tray.argv[0], path], env=p.tray.env).ok()
    p.tray.find("dialog")
    p.picture("e-profile")
    p.close()


def with_key(p):
    p.dialog("3-replace", "make")
    p.tray.press(p.w["replace"], "push button")
    p.tray.find(("password text",))
    for entry in p.tray.all("password text"):
        entry.atspi("EditableText", "SetTextContents", "(s)", PASSPHRASE)
    p.tray.move_mouse()
    p.picture("4-keygen")
    p.close()
    p.dialog("5-export", "export")
    p.close()
    p.dialog("f-enroll", "enroll")
    p.close()
    p.dialog("6-options", "options")
    p.close()
    p.dialog("7-version", "version")
    p.close()


def connecting(p):
    p.tray.menu(p.w["connect"])
    p.tray.find("password text").atspi("EditableText", "SetTextContents", "(s)", "wrong")
    p.picture("8-connect")
    p.tray.keys_on_top("Return")
    p.tray.wait_text("ERR(10193)")
    p.picture("9-wrong-passphrase")
    p.close()


def connected(p):
    p.picture("a-connected")
    p.dialog("b-disconnect", "disconnect")
    p.close()
    p.dialog("c-logs", "logs", "manifest.txt")
    p.close()


def photograph(desktop, folder, gateway, lang, theme):
    home = tempfile.mkdtemp(prefix="pra-t-")
    client = Client(f"{home}/pc", gateway, lang=lang, machine=OFFICE_PC)

    def session(what):
        p = Photographer(desktop, folder, client, lang, theme)
        try:
            what(p)
        finally:
            p.tray.stop()
    try:
        session(new_pc)
        client.keygen()
        client.set_server()
        client.register()
        session(lambda p: (with_profile(p), with_key(p), connecting(p)))
        client.connect()
        session(connected)
        gateway.kill()
        client.wait_state("waiting")
        session(lambda p: p.picture("d-waiting"))
        gateway.start()
    finally:
        client.close()
        gateway.admin_run("key", "revoke", client.key_fingerprint())


def is_free(port):
    """Whether this user may listen there."""
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="pra-screenshots-")
    os.makedirs(folder, exist_ok=True)
    work = tempfile.mkdtemp(prefix="pra-t-")
    gateway = Gateway(f"{work}/gw").init().start()
    desktop = Desktop().start()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", TAKEN if is_free(TAKEN) else 0))
        taken.listen(1)
        try:
            gateway.add_user("suzuki")
            for name, target, local in RULES:
                if local == TAKEN:
                    local = taken.getsockname()[1]
                gateway.add_rule("suzuki", name, target, local if name == RULES[1][0] or is_free(local) else free_port())
            for lang in WORDS:
                for theme in THEMES:
                    photograph(desktop, folder, gateway, lang, theme)
        finally:
            desktop.stop()
            gateway.stop()
    if os.environ.get("KEEP"):
        run(["convert", f"{folder}/{KEPT}", "-strip", "-colors", "96", README_PICTURE]).ok()
    print(f"pictures are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
