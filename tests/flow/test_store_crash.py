"""Killed at any moment, the store keeps every change that was acknowledged (quality 18)."""

import base64
import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import struct
import subprocess
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lib.gateway import program
from lib.procs import run

ROUNDS = pytest.mark.parametrize("rounds", [15, pytest.param(300, marks=pytest.mark.soak)])


def names(gateway):
    return {u["name"] for u in gateway.admin("user", "list")}


def integrity(gateway):
    database = sqlite3.connect(os.path.join(gateway.dir, "pra.db"))
    try:
        return database.execute("PRAGMA integrity_check").fetchall(), \
            database.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        database.close()


def public_key():
    """A line of a public key that nobody has."""
    raw = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (b"ssh-ed25519", raw))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} pc"


class Store:
    """What is in it, by what was acknowledged; of the change under way when prad died nobody knows."""

    def __init__(self):
        self.known, self.open = {}, {}
        self.changes = 0  # acknowledged

    def check(self, gateway):
        found = {("user", u["name"]): u["enabled"] for u in gateway.admin("user", "list")}
        found |= {("key", k["fingerprint"]): k["state"] for k in gateway.admin("key", "list")}
        found |= {("rule", r["name"]): r["target"] for r in gateway.admin("rule", "list")}
        for thing in self.known.keys() | found.keys():
            value = found.get(thing)
            assert value == self.known.get(thing) or (thing in self.open and value == self.open[thing]), \
                f"{thing}: {value}, acknowledged: {self.known.get(thing)}, asked: {self.open.get(thing)}"
        self.known, self.open = found, {}
        # Each acknowledged change stands in the audit as well.
        with sqlite3.connect(os.path.join(gateway.dir, "pra.db")) as database:
            assert database.execute("SELECT count(*) FROM audit WHERE kind = 'admin'").fetchone()[0] >= self.changes


class Writer:
    """Makes changes of all kinds, one after the other, over prad's socket until prad dies."""

    def __init__(self, gateway, store, prefix):
        self.store, self.prefix = store, prefix
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(os.path.join(gateway.dir, "admin.sock"))
        self.answers = self.socket.makefile("r")

    def ask(self, thing, value, op, **args):
        """One change, after which `thing` is `value` (None: a thing that has no name yet is not known)."""
        self.store.open = {thing: value}
        self.socket.sendall((json.dumps({"op": op, "args": args}) + "\n").encode())
        line = self.answers.readline()
        if not line:
            raise ConnectionError("prad is gone")
        answer = json.loads(line)
        assert answer["ok"], answer
        self.store.known[thing], self.store.open = value, {}
        self.store.changes += 1
        return answer["result"]

    def changes(self):
        """Adds a user with a key and a rule and changes each; yields between two changes."""
        number = 0
        while True:
            user, line, number = f"{self.prefix}-{number}", public_key(), number + 1
            self.ask(("user", user), True, "user.add", name=user)
            yield
            fingerprint = fingerprint_of(line)
            self.ask(("key", fingerprint), "active", "key.add", user=user, line=line)
            yield
            rule = self.ask(("rule", user), "mail:110", "rule.add", user=user, name=user, target="mail:110")
            yield
            self.ask(("rule", user), "web:80", "rule.set", id=rule["id"], target="web:80")
            yield
            self.ask(("key", fingerprint), "revoked", "key.revoke", fingerprint=fingerprint, user=user)
            yield
            self.ask(("user", user), False, "user.disable", name=user)
            yield

    def write_until(self, deadline, kill):
        killed = False
        try:
            for _ in self.changes():
                if not killed and time.monotonic() >= deadline:
                    kill()
                    killed = True
        except OSError:
            pass


def fingerprint_of(line):
    digest = hashlib.sha256(base64.b64decode(line.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@ROUNDS
def test_no_acknowledged_change_is_lost_when_prad_is_killed(make_gateway, rounds):
    gateway, store = make_gateway(start=False), Store()
    for number in range(rounds):
        gateway.start()
        writer = Writer(gateway, store, f"u{number}")
        writer.write_until(time.monotonic() + random.uniform(0.0, 0.08),
                           lambda: os.kill(gateway.pid, signal.SIGKILL))
        gateway.kill()
        store.check(gateway)
        assert integrity(gateway) == ([("ok",)], [])
    assert store.changes > rounds, "the writer must have been at work when it was cut off"
    print(f"figure: prad killed {rounds} times, {store.changes} acknowledged changes, none lost")


@ROUNDS
def test_no_acknowledged_change_is_lost_when_pra_admin_is_killed(make_gateway, rounds):
    gateway = make_gateway(start=False)
    acknowledged, asked = set(), set()
    for number in range(rounds):
        requests = "".join(
            json.dumps({"op": "user.add", "args": {"name": f"u{number}-{i}"}}) + "\n"
            for i in range(200))
        asked |= {f"u{number}-{i}" for i in range(200)}
        writer = subprocess.Popen([program("pra-admin"), "--config", gateway.config, "batch", "-"],
                                  stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            writer.stdin.write(requests.encode())
            writer.stdin.close()
            time.sleep(random.uniform(0, 0.03))
        except BrokenPipeError:
            pass
        writer.kill()
        if writer.wait() == 0:
            acknowledged |= {f"u{number}-{i}" for i in range(200)}
        found = names(gateway)
        assert acknowledged <= found
        # A batch is there as a whole or not at all.
        assert sum(name.startswith(f"u{number}-") for name in found) in (0, 200)
    assert integrity(gateway) == ([("ok",)], [])


def test_second_writer_waits_for_the_first_and_then_gives_up_with_a_sentence(make_gateway):
    gateway = make_gateway(start=False)
    lock = open(os.path.join(gateway.dir, "pra.db.lock"), "r+")
    import fcntl
    fcntl.flock(lock, fcntl.LOCK_EX)
    refused = gateway.admin_run("user", "add", "suzuki")
    assert refused.status == 1 and "admin.sock" in refused.err
    lock.close()
    gateway.add_user("suzuki")


@pytest.mark.needs_root
def test_files_belong_to_the_owner_of_the_folder_when_root_administers(folder, programs):
    os.mkdir(f"{folder}/state", 0o750)
    os.chown(f"{folder}/state", 65534, 65534)
    config = f"{folder}/prad.ini"
    with open(config, "w") as f:
        f.write("[store]\nurl = sqlite:state/pra.db\n")
    batch = f"{folder}/batch"
    with open(batch, "w") as f:
        f.write('{"op":"group.add","args":{"name":"sales"}}')
    os.chmod(batch, 0o600)  # root's own file, read before root becomes the owner
    for command in (["init"], ["user", "add", "suzuki"], ["hostkey", "show"], ["batch", batch]):
        run([program("pra-admin"), "--config", config, *command]).ok()
    for name in os.listdir(f"{folder}/state"):
        status = os.stat(f"{folder}/state/{name}")
        assert (status.st_uid, status.st_mode & 0o077) == (65534, 0), name
