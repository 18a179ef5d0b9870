"""The portal's page in Chromium, found and driven as a person would: by labels, roles and names."""

import json
import os
import shutil
import subprocess

from lib.gateway import sanitized

PICTURES = os.environ.get("PRA_PORTAL_PICTURES")
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


class WebPage:
    def __init__(self, portal, locale="ja-JP", **options):
        web = os.path.join(ROOT, "packaging", "deps", "web.sh")
        paths = []
        for name in ("playwright", "axe"):
            subprocess.run([web, "fetch", name], check=True)
            paths.append(subprocess.run([web, "--path", name], check=True, capture_output=True, text=True).stdout.strip())
        chromium = shutil.which("chromium")
        assert chromium, "chromium is missing: packaging/deps/install-packages.sh test"
        self.portal = portal
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
        self.do("person", locale=locale, **options)

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
            found = self.do("axe")
            assert found == [], f"{name}, {scheme}: {found}"

    def text(self, selector="body"):
        return self.do("text", selector=selector)

    def close(self):
        """Fails if the page complained: scripts, or what its own security policy forbids."""
        try:
            assert self.do("errors") == []
        finally:
            self._node.stdin.close()
            try:
                self._node.wait(15)
            except subprocess.TimeoutExpired:
                self._node.kill()
