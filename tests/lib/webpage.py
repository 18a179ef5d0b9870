"""The portal's page in Chromium, found and driven as a person would: by labels, roles and names."""

import json
import os
import shutil
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


class WebPage:
    def __init__(self, portal, locale="ja-JP", **options):
        web = os.path.join(ROOT, "packaging", "deps", "web.sh")
        subprocess.run([web, "fetch", "playwright"], check=True)
        playwright = subprocess.run([web, "--path", "playwright"], check=True, capture_output=True, text=True).stdout.strip()
        chromium = shutil.which("chromium")
        assert chromium, "chromium is missing: packaging/deps/install-packages.sh test"
        self.portal = portal
        self._node = subprocess.Popen(["node", os.path.join(ROOT, "tests", "lib", "browser.js"), playwright, chromium],
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
