"""Standard SSH clients as a user of the same rules: OpenSSH's ssh, PuTTY's plink, Dropbear's dbclient."""

import os

from lib.procs import Process, run


class StandardClient:
    """One key, registered with --any-client unless said otherwise."""

    program = None
    batch = True  # False: it may ask a person at its terminal

    def __init__(self, folder, gateway, user="suzuki"):
        self.dir = str(folder)
        self.gateway = gateway
        self.user = user
        os.makedirs(self.dir, exist_ok=True)
        self.key = os.path.join(self.dir, "id")
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{user}@{self.program}", "-f",
             self.key]).ok()
        self.known_hosts = os.path.join(self.dir, "known_hosts")
        self._processes = []

    def register(self, any_client=True):
        if self.user not in [u["name"] for u in self.gateway.admin("user", "list")]:
            self.gateway.add_user(self.user)
        self.gateway.add_key(self.user, f"{self.key}.pub", *(["--any-client"] if any_client else []))
        return self

    def fingerprint(self):
        return run(["ssh-keygen", "-lf", f"{self.key}.pub"]).ok().out.split()[1]

    def trust_host(self):
        """Writes known_hosts after the host key was compared with the gateway's own word."""
        port = str(self.gateway.port)
        keys = run(["ssh-keyscan", "-p", port, "-t", "ed25519", "127.0.0.1"]).ok().out
        with open(self.known_hosts, "w") as f:
            f.write(keys)
        shown = run(["ssh-keygen", "-lf", self.known_hosts]).ok().out
        assert self.gateway.fingerprint() in shown

    def command(self, forwarding, more=()):
        """argv of the client; `forwarding` is like ["-L", "..."]."""
        raise NotImplementedError

    def start(self, *forwarding):
        number = len(self._processes)
        process = Process(self.command(forwarding), os.path.join(self.dir, f"out-{number}.log"),
                          env={"HOME": self.dir, "SSH_AUTH_SOCK": None}, name=self.program)
        self._processes.append(process)
        return process

    def forward(self, local, target):
        """-L local:target, returned when the client listens."""
        return self.start("-L", f"127.0.0.1:{local}:{target}").wait_port(local)

    def stop(self):
        for process in self._processes:
            process.stop(timeout=1)  # ssh may wait for a connection that nobody ends


class OpenSSH(StandardClient):
    program = "ssh"

    def options(self):
        return ["-F", "none", "-i", self.key, "-p", self.gateway.port, "-o", "IdentitiesOnly=yes",
                "-o", f"BatchMode={'yes' if self.batch else 'no'}", "-o", f"UserKnownHostsFile={self.known_hosts}",
                "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"]

    def command(self, forwarding, more=()):
        return ["ssh", *self.options(), "-N", *forwarding, f"{self.user}@127.0.0.1", *more]

    def run(self, *args, timeout=20):
        """Runs ssh to its end with options of the test's own (a shell, -A, -X ...)."""
        return run(["ssh", *self.options(), *args], env={"HOME": self.dir}, timeout=timeout)


class Plink(StandardClient):
    program = "plink"

    def command(self, forwarding, more=()):
        ppk = f"{self.key}.ppk"
        if not os.path.exists(ppk):
            run(["puttygen", self.key, "-O", "private", "-o", ppk]).ok()
        return ["plink", "-ssh", "-batch" if self.batch else "-no-antispoof", "-N", "-P", self.gateway.port, "-l", self.user, "-i", ppk,
                "-hostkey", self.gateway.fingerprint(), *forwarding, "127.0.0.1"]


class Dbclient(StandardClient):
    program = "dbclient"

    def command(self, forwarding, more=()):
        own = f"{self.key}.dropbear"
        if not os.path.exists(own):
            run(["dropbearconvert", "openssh", "dropbear", self.key, own]).ok()
        # dbclient reads known hosts from ~/.ssh only; -y takes the first key it sees there.
        return ["dbclient", "-y", "-N", "-p", self.gateway.port, "-l", self.user, "-i", own,
                *forwarding, "127.0.0.1"]


ALL = (OpenSSH, Plink, Dbclient)
