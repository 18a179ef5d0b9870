"""Fixtures of the raw tests: a gateway with one user whose key any client may use, and gateways that lie to a client."""

import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib.client import Client  # noqa: E402
from lib.procs import run  # noqa: E402
from rawgateway import RawGateway  # noqa: E402
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


@pytest.fixture(scope="module")
def pc(programs):
    """One PC with a key, for all tests of a file: making the key takes longer than most of them."""
    folder = tempfile.mkdtemp(prefix="pra-t-")
    client = Client(f"{folder}/c", None)
    client.keygen()
    yield client
    client.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def liar(pc):
    """liar(script) starts a gateway that plays that script, and points the client at it."""
    made = []

    def start(script):
        g = RawGateway(script)
        made.append(g)
        pc.gateway = g
        pc.set_server()
        return g

    yield start
    pc.disconnect()
    for g in made:
        g.close()
        assert g.failure is None, repr(g.failure)
    assert pc.agent_call(op="info")["ok"], "the agent must have survived"
