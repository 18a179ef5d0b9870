"""Driver of tests/bench/crowd.c: many protocol clients in one process."""

import json
import os
import subprocess
import time

from lib.gateway import program
from lib.procs import run

_number = 0


def public_keys(seed, first, count):
    """Public key lines of clients first, first + 1, ..."""
    return run([program("tests/bench/crowd"), "keys", seed, first, count]).ok().out.splitlines()


def register(gateway, seed, prefix, count, target, first=0):
    """Users prefix0, prefix1 ... with a key each and one rule of their group, in one change."""
    changes = [{"op": "group.add", "args": {"name": prefix}},
               {"op": "rule.add", "args": {"group": prefix, "name": "Echo", "target": target, "local": "7777"}}]
    for i, line in enumerate(public_keys(seed, first, count), first):
        user = f"{prefix}{i}"
        changes += [{"op": "user.add", "args": {"name": user}},
                    {"op": "key.add", "args": {"user": user, "line": line}},
                    {"op": "group.member.add", "args": {"group": prefix, "user": user}}]
    text = "\n".join(map(json.dumps, changes))
    gateway.admin_run("batch", "-", input=text, timeout=120).ok()


class Crowd:
    """mode: "one" (all are `user`), "many" (user0, user1 ... from `first`), "plain" (SSH only)."""

    def __init__(self, folder, port, seed, user, mode="one", first=0):
        global _number
        _number += 1
        self.seed = seed
        self.argv = [program("tests/bench/crowd"), mode, "127.0.0.1", str(port), seed, user, str(first)]
        self._errors = open(os.path.join(str(folder), f"crowd-{_number}.log"), "w+")
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, stderr=self._errors)
        return self

    @property
    def pid(self):
        return self._process.pid

    def send(self, *words):
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()

    def answer(self, *words):
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith(("failed", "unknown")):
            self._errors.seek(0)
            raise AssertionError(f"crowd: {words} -> {answer}: {self._errors.read()[-2000:]}")
        return answer

    def command(self, *words):
        """Sends one command and returns its answer."""
        self.send(*words)
        return self.answer(*words)

    def login(self, count, parallel=64):
        """Seconds that `count` more logins took."""
        return float(self.command("login", count, parallel).split()[2])

    def stop(self):
        if self._process:
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
        self._errors.close()


def single(folder, gateway, user="suzuki"):
    """A crowd that is one registered user; not started."""
    seed = f"{user}-{time.time_ns()}"
    if user not in [u["name"] for u in gateway.admin("user", "list")]:
        gateway.add_user(user)
    public = os.path.join(str(folder), f"{seed}.pub")
    with open(public, "w") as f:
        f.write(public_keys(seed, 0, 1)[0] + "\n")
    gateway.add_key(user, public)
    return Crowd(folder, gateway.port, seed, user)
