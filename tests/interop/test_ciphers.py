"""Every cipher that PRA offers, with OpenSSH at the other end: the agent through sshd, and ssh through prad."""

import getpass
import hashlib
import json
import os
import sys

import pytest

from lib.client import Client, exchange
from lib.ports import free_port
from lib.processor import NO_AES, has_aes
from lib.procs import Process, run
from lib.servers.targets import digest, pattern, pour
from lib.standard import OpenSSH

CHACHA, GCM = "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"
FASTEST = GCM if has_aes() else CHACHA
SIZE = 3 << 20

# What a gateway says on the control channel, and no more: for an sshd that takes prad's place.
SUBSYSTEM = """
sys.stdin.readline()
clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
for message in ({"type": "welcome", "session": "f" * 32, "version": "sshd", "user": USER,
                 "source": "127.0.0.1", "clock": clock}, {"type": "rules", "version": 1, "rules": RULES}):
    print(json.dumps(message), flush=True)
sys.stdin.read()
"""


class Sshd:
    """OpenSSH's sshd with the control subsystem of a gateway; for lib.client a gateway like another."""

    def __init__(self, folder, rules, ciphers):
        self.dir, self.port = str(folder), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.host_key = os.path.join(self.dir, "host")
        os.makedirs(self.dir)
        os.makedirs("/run/sshd", exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.host_key]).ok()
        script = os.path.join(self.dir, "control.py")
        with open(script, "w") as f:
            f.write("import json, sys, time\n"
                    f"USER, RULES = {getpass.getuser()!r}, json.loads({json.dumps(rules)!r})\n{SUBSYSTEM}")
        self.keys = os.path.join(self.dir, "authorized_keys")
        self.config = os.path.join(self.dir, "sshd_config")
        with open(self.config, "w") as f:
            f.write(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\nUsePAM no\nPidFile none\n"
                    f"StrictModes no\nAuthorizedKeysFile {self.keys}\nCiphers {ciphers}\n"
                    f"Subsystem pra@v1 {sys.executable} {script}\n")

    def start(self, key):
        with open(key) as source, open(self.keys, "w") as f:
            f.write(source.read())
        self.process = Process(["/usr/sbin/sshd", "-D", "-e", "-f", self.config], os.path.join(self.dir, "log"))
        self.process.wait_port(self.port)

    def fingerprint(self):
        return run(["ssh-keygen", "-lf", f"{self.host_key}.pub"]).ok().out.split()[1]

    def stop(self):
        self.process.stop(timeout=2)


def carry_both_ways(up, down):
    """3 MiB through the forward to `digest`, and as much through the one to `pour`."""
    data = pattern(7, SIZE)
    assert exchange(up, data).decode() == hashlib.sha256(data).hexdigest()
    assert exchange(down, f"7 {SIZE}\n".encode(), SIZE) == data


@pytest.mark.parametrize("cipher, ciphers, env", [
    (FASTEST, f"{CHACHA},aes256-gcm@openssh.com,{GCM}", None),
    ("aes256-gcm@openssh.com", "aes256-gcm@openssh.com", None),
    (CHACHA, f"{GCM},{CHACHA}", NO_AES),
    (CHACHA, CHACHA, None),
], ids=["aes", "aes256-only", "no-aes", "chacha20-only"])
def test_agent_and_sshd(folder, programs, target, cipher, ciphers, env):
    up, down = free_port(), free_port()
    rules = [{"id": i, "name": f"R{i}", "local": f"127.0.0.1:{port}", "fallback": None,
              "target": f"127.0.0.1:{target(what).port}"} for i, port, what in ((1, up, digest), (2, down, pour))]
    sshd = Sshd(f"{folder}/sshd", rules, ciphers)
    client = Client(f"{folder}/c", sshd, user=getpass.getuser(), env=env)
    client.keygen()
    sshd.start(client.export())
    try:
        client.set_server()
        client.connect()
        client.wait_forward("R2")
        assert f"login cipher={cipher}" in client.system_log()
        carry_both_ways(up, down)
    finally:
        client.close()
        sshd.stop()


@pytest.mark.parametrize("env, cipher", [(None, FASTEST), (NO_AES, CHACHA)], ids=["aes", "no-aes"])
def test_agent_and_prad(make_gateway, make_client, target, env, cipher):
    gateway = make_gateway("other", env=env)
    client = make_client(gateway=gateway, env=env).enrol()
    up, down = free_port(), free_port()
    gateway.add_rule("suzuki", "Up", f"127.0.0.1:{target(digest).port}", up)
    gateway.add_rule("suzuki", "Down", f"127.0.0.1:{target(pour).port}", down)
    client.connect()
    client.wait_forward("Down")
    assert f"login cipher={cipher}" in client.system_log()
    carry_both_ways(up, down)


@pytest.mark.parametrize("cipher", [GCM, "aes256-gcm@openssh.com", CHACHA, "aes128-ctr", "aes256-ctr"])
def test_ssh_and_prad(folder, gateway, target, cipher):
    ssh = OpenSSH(f"{folder}/ssh", gateway).register()
    ssh.trust_host()
    ends = [f"127.0.0.1:{target(what).port}" for what in (digest, pour)]
    for where in ends:
        gateway.add_rule("suzuki", "T", where)
    up, down = free_port(), free_port()
    try:
        ssh.start("-c", cipher, "-L", f"127.0.0.1:{up}:{ends[0]}", "-L", f"127.0.0.1:{down}:{ends[1]}").wait_port(down)
        carry_both_ways(up, down)
    finally:
        ssh.stop()
