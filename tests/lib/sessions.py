"""Driver of tests/flow/sessions.c: many protocol clients in one process."""

import os
import subprocess

from lib.gateway import program
from lib.procs import run


class Sessions:
    def __init__(self, folder, gateway, user="suzuki"):
        self.key = os.path.join(str(folder), "sessions-id")
        self.gateway = gateway
        self.user = user
        self._process = None
        self._errors = open(f"{self.key}.log", "w+")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "suzuki@sessions", "-f",
             self.key]).ok()
        if user not in [u["name"] for u in gateway.admin("user", "list")]:
            gateway.add_user(user)
        gateway.add_key(user, f"{self.key}.pub")

    def start(self):
        self._process = subprocess.Popen(
            [program("tests/flow/sessions"), "127.0.0.1", str(self.gateway.port), self.user, self.key,
             f"{self.key}.pub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=self._errors)
        return self

    def command(self, *words):
        """Sends one command and returns its answer."""
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer:
            self._errors.seek(0)
            raise AssertionError(f"{words} failed: {self._errors.read()}")
        return answer

    def stop(self):
        if self._process:
            self._process.stdin.close()
            self._process.wait(30)
            self._process.stdout.close()
        self._errors.close()
