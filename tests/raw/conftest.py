"""Fixtures of the raw tests: a gateway with one user whose key any client may use."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib.procs import run  # noqa: E402
from rawssh import RawSsh, load_key  # noqa: E402


class User:
    """A registered key. `login()` gives connections that the fixture closes."""

    def __init__(self, folder, gateway, name="alice", any_client=True):
        self.gateway, self.name = gateway, name
        self.path = f"{folder}/{name}.key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@pc", "-f", self.path]).ok()
        self.key = load_key(self.path)
        if name not in [u["name"] for u in gateway.admin("user", "list")]:
            gateway.add_user(name)
        gateway.add_key(name, f"{self.path}.pub", *(["--any-client"] if any_client else []))
        self._open = []

    def fingerprint(self):
        return run(["ssh-keygen", "-lf", f"{self.path}.pub"]).ok().out.split()[1]

    def connect(self, **options):
        c = RawSsh(self.gateway.host, self.gateway.port, **options)
        self._open.append(c)
        return c

    def login(self, **options):
        return self.connect(**options).login(self.name, self.key)

    def allow(self, target, **options):
        return self.gateway.add_rule(self.name, options.pop("name", "rule"), target, **options)

    def close(self):
        for c in self._open:
            c.close()


@pytest.fixture
def make_user(folder):
    made = []

    def make(gateway, name="alice", **options):
        made.append(User(folder, gateway, name, **options))
        return made[-1]

    yield make
    for user in made:
        user.close()


@pytest.fixture
def user(make_user, gateway):
    return make_user(gateway)
