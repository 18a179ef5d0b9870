"""The portal's page in Chromium, found and driven as a person would: by labels, roles and names."""

import json
import os
import shutil
import subprocess

from lib.gateway import sanitized
from lib.portal import PASSWORD

PICTURES = os.environ.get("PRA_PORTAL_PICTURES")
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


# Of the log-in page: user id, password, the button; and the button that only who has logged in sees.
LOG_IN = {"ja-JP": ("ユーザ ID", "パスワード", "ログイン", "ログアウト"), "en-GB": ("User id", "Password", "Log in", "Log out")}


class WebPage:
    """
    A Chromium with one person in front of it. Starting one takes seconds of the processor: tests share it (fixture
    `page_of`), and each person has cookies and storage of their own.
    whole: with the windows of a browser around the page, which cost more than all that happens in it; otherwise
    the same Chromium without them, where Debian has that.
    """

    def __init__(self, portal=None, locale="ja-JP", whole=False, **options):
        web = os.path.join(ROOT, "packaging", "deps", "web.sh")
        paths = []
        for name in ("playwright", "axe"):
            subprocess.run([web, "fetch", name], check=True)
            paths.append(subprocess.run([web, "--path", name], check=True, capture_output=True, text=True).stdout.strip())
        chromium = (None if whole else shutil.which("chromium-headless-shell")) or shutil.which("chromium")
        assert chromium, "chromium is missing: packaging/deps/install-packages.sh test"
        self.portal, self.locale = portal, locale
        self._node = subprocess.Popen(["node", os.path.join(ROOT, "tests", "lib", "browser.js"), paths[0], chromium, paths[1]],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.do("open", locale=locale, **options)

    def do(self, what, **arguments):
        self._node.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        assert answer["ok"], f"{what} {arguments}: {answer['error']}"
        return answer["result"]

    def person(self, locale="ja-JP", **options):
        """Somebody else at another browser, from here on."""
        self.locale = locale
        self.do("person", locale=locale, **options)

    def visit(self, portal, **options):
        """The first person at another portal; whoever was there before has left."""
        self.portal = portal
        self.do("leave")
        self.person(**options)
        return self

    def log_in(self, account, password=PASSWORD):
        """By password alone, up to the page behind it."""
        user, secret, button, end = LOG_IN[self.locale]
        self.goto()
        self.fill(user, account)
        self.fill(secret, password)
        self.click(button)
        self.do("see_role", role="button", name=end)

    def goto(self, path="/"):
        self.do("goto", url=self.portal.url + path)

    def fill(self, label, value):
        self.do("fill", label=label, value=value)

    def click(self, name, role="button"):
        self.do("click", role=role, name=name)

    def see(self, text):
        self.do("see", text=text)

    def gone(self, text):
        self.do("gone", text=text)

    def look(self, name):
        """
        The page as it is has nothing that axe complains about, in light and in dark. A picture of both, if
        somebody wants to look (PRA_PORTAL_PICTURES: a folder). What axe says does not depend on how prad was built.
        """
        if sanitized("prad"):
            return
        for scheme in ("dark", "light"):
            self.do("scheme", scheme=scheme)
            if PICTURES:
                self.do("shot", path=f"{PICTURES}/{name}-{scheme}.png")
            # Nothing but colours differs between the two (page.css).
            found = self.do("axe", colours=scheme == "dark")
            assert found == [], f"{name}, {scheme}: {found}"

    def text(self, selector="body"):
        return self.do("text", selector=selector)

    def check(self):
        """Fails if the page complained since the last time: scripts, or what its own security policy forbids."""
        assert self.do("errors") == []

    def close(self):
        try:
            self.check()
        finally:
            self._node.stdin.close()
            try:
                self._node.wait(15)
            except subprocess.TimeoutExpired:
                self._node.kill()
