"""Windows programs on a virtual screen under wine, and pra-tray.exe's windows driven through windrive.exe.

One Wine is one prefix: a registry, a screen (Xvfb) and the programs on it. Prefixes are made once per
build folder (700 MB) and are cheap to use again; each test gives its tray a PRA_HOME of its own.
"""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from lib import procs, wineprefix
from lib.procs import wait_until
from lib.wineprefix import WINE, windows_path

BUILD = Path(os.environ.get("PRA_BUILD", "build")).resolve()
SCREEN = "1024x768x24"

# Those that wine has no letters of Japanese in; Windows itself links fonts.
FONTS = ["Meiryo UI", "Yu Gothic UI", "Segoe UI", "Tahoma", "MS Shell Dlg", "MS Shell Dlg 2", "MS UI Gothic"]

VK = {"Tab": 0x09, "Return": 0x0D, "Shift": 0x10, "Control": 0x11, "Alt": 0x12, "Escape": 0x1B, "Space": 0x20,
      "Down": 0x28, "Up": 0x26, "Right": 0x27, "Left": 0x25, "Home": 0x24, "End": 0x23, "Delete": 0x2E, "F4": 0x73, "F10": 0x79}

WM_COMMAND, WM_CLOSE, WM_CONTEXTMENU, WM_APP = 0x111, 0x10, 0x7B, 0x8000
NOTIFY_ICON, NIN_SELECT, NIN_BALLOONUSERCLICK = WM_APP + 1, 0x400, 0x405
SS_NOPREFIX = 0x80
FIELDS = ("Edit", "ComboBox", "SysListView32", "msctls_progress32")


class Wine:
    """`desktop`: a virtual desktop with captions and a taskbar, for pictures; else bare windows."""

    def __init__(self, name="tray", desktop=True):
        self.prefix = BUILD / "wine" / name
        self.desktop = desktop
        self.screen = self.driver = None
        self.env = procs.environment(wineprefix.environment(self.prefix, LC_ALL="C.UTF-8"))

    def start(self):
        read, write = os.pipe()
        self.screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"],
                                       pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as f:
            self.env["DISPLAY"] = ":" + f.readline().strip()
        self.prepare()
        self.driver = subprocess.Popen(self._argv(BUILD / "windows" / "test" / "windrive.exe"), env=self.env,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       encoding="utf-8")
        return self

    def _argv(self, program, *args):
        return [WINE, str(program), *args]

    def run(self, *argv, timeout=60):
        return subprocess.run([WINE, *argv], env=self.env, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)

    def prepare(self):
        """Makes the prefix unless it was made: once per build folder, whoever comes first."""
        def prepare():
            lines = wineprefix.font_lines(FONTS) + ['"Consolas"="Noto Sans Mono CJK JP"']
            if self.desktop:
                lines += wineprefix.desktop_lines("shell", "1024x768")
            wineprefix.import_registry(self.env, self.prefix / "pra.reg", lines)
            wineprefix.end_server(self.env)

        wineprefix.make_once(self.prefix, prepare)

    def ask(self, line):
        self.driver.stdin.write(line + "\n")
        self.driver.stdin.flush()
        answer = self.driver.stdout.readline()
        assert answer, f"windrive.exe has ended at: {line[:80]}"
        answer = json.loads(answer)
        assert "error" not in answer, f"{line[:80]}: {answer}"
        return answer

    def stop(self):
        if self.driver is not None:
            self.driver.stdin.close()
            self.driver.wait(20)
        wineprefix.end_server(self.env)
        if self.screen is not None:
            self.screen.terminate()
            self.screen.wait(10)


class FakeAgent:
    """fake_agent.exe: what the agent says is in its files."""

    def __init__(self, wine, home):
        self.wine, self.home = wine, Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.process = None

    def start(self):
        env = dict(self.wine.env, PRA_HOME=windows_path(self.home))
        self.process = subprocess.Popen([WINE, str(BUILD / "windows" / "test" / "fake_agent.exe")], env=env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout.readline().strip() == b"ready"
        return self

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(20)
            self.process = None

    def _write(self, name, text):
        new = self.home / (name + ".new")
        new.write_text(text, encoding="utf-8")
        new.rename(self.home / name)

    def say(self, status):
        self._write("status.json", json.dumps(status, ensure_ascii=False))

    def answer(self, op, reply):
        self._write(f"reply-{op}.json", json.dumps(reply, ensure_ascii=False))

    def requests(self):
        file = self.home / "requests.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def wait_request(self, op, count=1):
        def came():
            return [r for r in self.requests() if r["op"] == op][count - 1:]
        return wait_until(came, 20, f"request '{op}'", 0.05)[0]


def configure(home):
    """Settings of a user who has only to connect."""
    os.makedirs(home, exist_ok=True)
    with open(f"{home}/config.ini", "w", encoding="utf-8") as f:
        f.write("[server]\naddress = gw.example.com\nuser = suzuki\n")


class WinTray:
    """One running pra-tray.exe."""

    def __init__(self, wine, home, lang="en", options=(), program=None, env=None):
        self.wine, self.home = wine, Path(home)
        self.program = program or BUILD / "windows" / "test" / "pra-tray.exe"
        self.home.mkdir(parents=True, exist_ok=True)
        ini = self.home / "tray.ini"
        if not ini.exists():
            ini.write_text(f"[tray]\nlanguage = {lang}\n")
        self.env = dict(wine.env, PRA_HOME=windows_path(self.home), **(env or {}))
        self.process = self.launch(*options)

    def launch(self, *options):
        return subprocess.Popen([WINE, str(self.program), *options], env=self.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        for w in self.dump()["windows"]:
            if w["class"] == "PraTray":
                self.wine.ask(f"post {w['hwnd']} {WM_CLOSE} 0 0")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
        wait_until(lambda: not self.dump()["windows"], 10, "the tray to end")

    # --- looking ---

    def dump(self):
        return self.wine.ask("dump")

    def hidden(self):
        """The window behind the icon: its title is the tool tip."""
        return wait_until(lambda: next((w for w in self.dump()["windows"] if w["class"] == "PraTray"), None), 20,
                          "the tray to start", 0.05)

    def windows(self):
        return [w for w in self.dump()["windows"] if w["visible"] and w["class"] in ("PraTrayWindow", "#32770")]

    @staticmethod
    def shown(window):
        return [c for c in window["children"] if c["visible"]]

    @staticmethod
    def unlabelled(control):
        """A control's text without the marks of mnemonics, where it has such."""
        text = control["text"].replace("\r\n", "\n")
        if control["class"] != "Button" and not (control["class"] == "Static" and not control["style"] & SS_NOPREFIX):
            return text
        return text.replace("&&", "\0").replace("&", "").replace("\0", "&")

    def text(self):
        """Everything that is shown, a line a control."""
        lines = []
        for w in self.windows():
            lines.append(w["text"])
            for c in self.shown(w):
                lines.append(self.unlabelled(c))
                lines += ["  ".join(row) for row in c.get("rows", [])]
        return "\n".join(lines)

    def wait_text(self, *texts, timeout=20):
        for t in texts:
            try:
                wait_until(lambda t=t: t in self.text(), timeout, f"'{t}'", 0.05)
            except AssertionError as e:
                raise AssertionError(f"'{t}' is not shown in:\n{self.text()}") from e

    def wait_no_text(self, text):
        wait_until(lambda: text not in self.text(), 20, f"'{text}' to go", 0.05)

    def wait_title(self, title):
        """A window of this title; gives it."""
        found = []

        def there():
            found[:] = [w for w in self.windows() if w["text"] == title]
            return found
        try:
            wait_until(there, 20, f"a window '{title}'", 0.05)
        except AssertionError as e:
            raise AssertionError(f"no window '{title}' among:\n{self.text()}") from e
        return found[0]

    def gone(self, title):
        wait_until(lambda: all(w["text"] != title for w in self.windows()), 20, f"'{title}' to close", 0.05)

    @staticmethod
    def plain(text):
        return re.sub(r"\(?&(.)\)?|\(_.\)", lambda m: m[1] or "" if not m[0].startswith("(") else "", text).strip()

    def control(self, label, window=None, classes=("Button",)):
        """A button (or other control) by its label without mnemonic, in the topmost window that has it."""
        for w in self.windows():
            if window is not None and w["text"] != window:
                continue
            for c in self.shown(w):
                if c["class"] in classes and self.plain(c["text"]) == label:
                    return c
        return None

    def field(self, label, window=None):
        """A field by its name for screen readers, which is the text right before it (wine 8 has no names itself)."""
        for w in self.windows():
            if window is not None and w["text"] != window:
                continue
            before = None
            for c in w["children"]:
                if c["visible"] and before and before["class"] == "Static" and c["class"] in FIELDS \
                        and self.plain(before["text"]).rstrip(":") == label:
                    return c
                before = c
        return None

    def _wait(self, question, what):
        found = []

        def there():
            found[:] = [question()]
            return found[0]
        try:
            wait_until(there, 20, what, 0.05)
        except AssertionError as e:
            raise AssertionError(f"no {what} in:\n{self.text()}") from e
        return found[0]

    # --- doing ---

    def press(self, label, window=None):
        c = self._wait(lambda: (lambda b: b and b["enabled"] and b)(self.control(label, window)), f"button '{label}'")
        self.wine.ask(f"click {c['hwnd']}")

    def fill(self, label, text, window=None):
        c = self._wait(lambda: self.field(label, window), f"field '{label}'")
        self.wine.ask(f"set {c['hwnd']} {text}")

    def choose(self, label, index, window=None):
        c = self._wait(lambda: self.field(label, window), f"list '{label}'")
        self.wine.ask(f"send {c['hwnd']} 0x14E {index} 0")

    def check(self, label, on=True):
        c = self._wait(lambda: self.control(label), f"check box '{label}'")
        self.wine.ask(f"send {c['hwnd']} 0xF1 {int(on)} 0")

    def checked(self, label):
        c = self._wait(lambda: self.control(label), f"check box '{label}'")
        return self.wine.ask(f"send {c['hwnd']} 0xF0 0 0")["result"] == 1

    def main(self):
        return self._wait(lambda: next((w for w in self.windows() if w["class"] == "PraTrayWindow"), None), "main window")

    def menu(self, command):
        """An entry of the menu bar by its number, which is that of enum tray_command behind 200."""
        self.wine.ask(f"post {self.main()['hwnd']} {WM_COMMAND} {command} 0")

    def icon(self, event, x=0, y=0):
        self.wine.ask(f"post {self.hidden()['hwnd']} {NOTIFY_ICON} {x | y << 16} {event | 1 << 16}")

    def keys(self, *chords):
        """"Tab", "Alt+C", "a": at the keyboard, to whoever has the focus."""
        for chord in chords:
            parts = chord.split("+")
            codes = [VK.get(p) or ord(p.upper()) for p in reversed(parts)]
            self.wine.ask("key " + " ".join(str(c) for c in codes))

    def type(self, text):
        self.wine.ask("type " + text)

    def focus(self):
        d = self.dump()
        for w in d["windows"]:
            for c in w["children"]:
                if c["hwnd"] == d["focus"]:
                    return c
        return None

    def move_mouse(self, window, steps=260):
        """About over a window, as a hand does."""
        left, top, right, bottom = window["rect"]
        for i in range(steps):
            x = left + 10 + (i * 37) % max(1, right - left - 20)
            y = top + 40 + (i * 23) % max(1, bottom - top - 60)
            self.wine.ask(f"mouse {x} {y}")
