"""A Windows PC made of wine: a prefix of its own below the test's folder, with or without a screen.

Nothing of it reaches the host's home or menus, and its wineserver is ended with the test.
"""

import os
import re
import subprocess
import time

from lib import procs
from lib.procs import Process, Timeout, wait_until
from lib.wineprefix import (WINE, copy_fresh_prefix, desktop_lines, end_server, environment, font_lines, import_registry,
                            run, windows_path)

EXPLORER = r"C:\windows\system32\explorer.exe"
DESKTOP = "1000x700"


class Wine:
    def __init__(self, folder, display=None):
        self.folder = str(folder)
        self.prefix = f"{self.folder}/prefix"
        self.drive = f"{self.prefix}/drive_c"
        home = f"{self.folder}/home"
        os.makedirs(home, exist_ok=True)
        self.env = environment(self.prefix, HOME=home, LC_ALL="C.UTF-8", LANG=None, DISPLAY=display,
                               XDG_DATA_HOME=f"{home}/data", XDG_CONFIG_HOME=f"{home}/config")
        self.screen = display is not None
        self.holder = None

    def start(self):
        """Windows 10, 700 MB."""
        copy_fresh_prefix(self.prefix)
        if self.screen:
            import_registry(self.env, f"{self.folder}/import.reg", font_lines() + desktop_lines("pra", DESKTOP))
            end_server(self.env)  # it reads its fonts once
        self.stay_up()
        return self

    def stay_up(self):
        """As long as a program runs the PC stays up; every start from nothing takes seconds."""
        if not self.screen:
            self.holder = self.process("cmd", log="holder.log", stdin=subprocess.PIPE)
            wait_until(lambda: "Microsoft" in self.holder.output(), 60, "the PC to be up")
            return
        # The desktop is there before anybody comes: two who find none make one each, and lose one another.
        # wine's explorer sometimes hangs before it has shown anything, on a busy machine; then once more.
        for _ in range(5):
            self.holder = self.process(EXPLORER, f"/desktop=pra,{DESKTOP}", log="holder.log")
            try:
                wait_until(lambda: procs.run(["xdotool", "search", "--name", "Wine desktop"], env=self.env).out, 20,
                           "the desktop to be up", interval=0.1)
                return
            except Timeout:
                self.stop()
        raise Timeout("wine's desktop does not come up")

    def run(self, *argv, timeout=60, env=None):
        """Runs a Windows program to its end."""
        return run([WINE, *argv], {**self.env, **(env or {})}, timeout=timeout)

    def process(self, *argv, log="wine.log", env=None, **options):
        return Process([WINE, *argv], f"{self.folder}/{log}", env={**self.env, **(env or {})}, name=str(argv[0]),
                       **options)

    windows_path = staticmethod(windows_path)

    def unix_path(self, path):
        assert path[:2] == "C:", path
        return self.drive + path[2:].replace("\\", "/")

    def user_folder(self):
        """The one user's profile."""
        users = [u for u in os.listdir(f"{self.drive}/users") if u != "Public"]
        assert len(users) == 1, users
        return f"{self.drive}/users/{users[0]}"

    def registry(self, key):
        """{name: text} of a key of HKLM, None where there is none. "" is the default value."""
        path = f"{self.folder}/export.reg"
        if os.path.exists(path):
            os.unlink(path)
        self.run("reg", "export", f"HKLM\\{key}", self.windows_path(path), "/y")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-16") as f:
            section = f.read().partition(f"[HKEY_LOCAL_MACHINE\\{key}]")[2].partition("\n[")[0]
        values = {}
        for line in section.replace("\\\n  ", "").splitlines():
            found = re.fullmatch(r'(?:"((?:[^"\\]|\\.)*)"|@)=(?:"(.*)"|hex\(2\):([0-9a-f,]*))', line)
            if found and found[3] is not None:
                values[found[1] or ""] = bytes.fromhex(found[3].replace(",", "")).decode("utf-16-le").rstrip("\0")
            elif found:
                values[found[1] or ""] = re.sub(r"\\(.)", r"\1", found[2])
        return values

    def stop(self):
        end_server(self.env)
        if self.holder:
            self.holder.stop()


class Windows:
    """What is on a wine desktop, seen and pressed by tests/windows/press.c."""

    def __init__(self, wine, press):
        self.wine, self.press = wine, press

    def list(self):
        """[(title, [(class, state, text), ...]), ...] of all visible windows."""
        windows = []
        for line in self.wine.run(self.press, "list").out.splitlines():
            depth, kind, state, text = line.split("\t", 3)
            if depth == "0":
                windows.append((text, []))
            elif windows:
                windows[-1][1].append((kind, state, text))
        return windows

    def controls(self, title):
        return [c for name, controls in self.list() if name == title for c in controls]

    def texts(self, title):
        return "\n".join(text for _, _, text in self.controls(title))

    def wait_text(self, title, text, timeout=20):
        seen = []

        def there():
            seen[:] = [self.texts(title)]
            return text in seen[0]
        try:
            wait_until(there, timeout, f"{text!r} in {title!r}", interval=0.1)
        except AssertionError:
            raise AssertionError(f"no {text!r} in {title!r}, but:\n{seen[0]}\n{self.list()}") from None
        return seen[0]

    def state(self, title, text):
        return next(state for _, state, t in self.controls(title) if t == text)

    def click(self, title, text):
        wait_until(lambda: self.wine.run(self.press, "click", title, text).status == 0, 10,
                   f"the button {text!r} in {title!r}", interval=0.1)

    def type(self, title, number, text):
        assert self.wine.run(self.press, "type", title, str(number), text).status == 0

    def wait_gone(self, title, timeout=20):
        wait_until(lambda: title not in [name for name, _ in self.list()], timeout, f"{title!r} to go", interval=0.1)

    def picture(self, path, settle=10):
        """A PNG of the screen when it has stopped changing."""
        def take():
            procs.run(["import", "-window", "root", path], env=self.wine.env).ok()
            with open(path, "rb") as f:
                return f.read()
        last, deadline = take(), time.monotonic() + settle
        wait = 0
        while wait < 2 and time.monotonic() < deadline:
            now = take()
            wait = wait + 1 if now == last else 0
            last = now
        return path
