"""Killed at any moment, the store keeps every change that was acknowledged (quality 18)."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from lib.gateway import program
from lib.procs import run

ROUNDS = int(os.environ.get("PRA_CRASH_ROUNDS", "100"))


def names(gateway):
    return {u["name"] for u in gateway.admin("user", "list")}


def integrity(gateway):
    database = sqlite3.connect(os.path.join(gateway.dir, "pra.db"))
    try:
        return database.execute("PRAGMA integrity_check").fetchall(), \
            database.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        database.close()


class Writer:
    """Adds users one after the other over prad's socket until prad dies."""

    def __init__(self, gateway, prefix):
        import socket
        self.acknowledged, self.asked = set(), set()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(os.path.join(gateway.dir, "admin.sock"))
        self.answers = self.socket.makefile("r")
        self.prefix = prefix

    def write_until(self, deadline, kill):
        killed, number = False, 0
        while True:
            if not killed and time.monotonic() >= deadline:
                kill()
                killed = True
            name = f"{self.prefix}-{number}"
            number += 1
            self.asked.add(name)
            request = {"op": "user.add", "args": {"name": name}}
            try:
                self.socket.sendall((json.dumps(request) + "\n").encode())
                line = self.answers.readline()
            except OSError:
                return
            if not line:
                return
            assert json.loads(line)["ok"], line
            self.acknowledged.add(name)


def test_no_acknowledged_change_is_lost_when_prad_is_killed(make_gateway):
    gateway, expected, asked = make_gateway(start=False), set(), set()
    for number in range(ROUNDS):
        gateway.start()
        writer = Writer(gateway, f"u{number}")
        writer.write_until(time.monotonic() + random.uniform(0.0, 0.08),
                           lambda: os.kill(gateway.pid, signal.SIGKILL))
        gateway.kill()
        expected |= writer.acknowledged
        asked |= writer.asked
        if number % 10 == 9:
            found = names(gateway)
            assert expected <= found, f"lost: {sorted(expected - found)}"
            assert found <= asked
            assert integrity(gateway) == ([("ok",)], [])
    assert len(expected) > ROUNDS, "the writer must have been at work when it was cut off"


def test_no_acknowledged_change_is_lost_when_pra_admin_is_killed(make_gateway):
    gateway = make_gateway(start=False)
    acknowledged, asked = set(), set()
    for number in range(ROUNDS):
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
