"""A prad with its own folder: configuration, store, host key, admin socket, log."""

import functools
import json
import os
import signal
import time

from lib.ports import free_port
from lib.procs import Process, own_kib, port_answers, run, wait_until


def build_dir():
    """Folder of the programs under test."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.environ.get("PRA_BUILD") or os.path.join(here, "..", "..", "build")


def program(name, build=None):
    """The path of a program under test; of another build's, if that folder is given."""
    return os.path.abspath(os.path.join(build or build_dir(), name))


@functools.cache
def sanitized(name):
    """True if a program was built with a sanitizer, which keeps freed memory for a while."""
    with open(program(name), "rb") as f:
        content = f.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class Gateway:
    """prefix: words in front of prad's command line, to run it in namespaces.

    penalties: False = no source is ever refused for what came from it before.
    build: folder of another build's prad and pra-admin.
    """

    def __init__(self, folder, extra_config="", env=None, host="127.0.0.1", port=None, prefix=(), penalties=True,
                 build=None):
        self.dir = str(folder)
        self.host = host
        self.port = port or free_port()
        self.address = f"{host}:{self.port}"
        self.prefix = list(prefix)
        self.config = os.path.join(self.dir, "prad.ini")
        self.host_key = os.path.join(self.dir, "host_key")
        self.env = env or {}
        self.penalties = penalties
        self.build = build
        self.process = None
        self._runs = 0
        os.makedirs(self.dir, exist_ok=True)
        self.write_config(extra_config)

    def write_config(self, extra=""):
        """prad.ini; `extra` begins on line 7."""
        with open(self.config, "w") as f:
            f.write(f"[gateway]\nlisten = {self.address}\nhost_key = host_key\nworkers = 2\n"
                    f"[store]\nurl = sqlite:pra.db\n{extra}[limits]\ndrain_timeout = 1s\n" +
                    ("" if self.penalties else "penalty_max = 0\n"))

    def init(self):
        self.admin_run("init").ok()
        return self

    def start(self, timeout=15):
        self._runs += 1
        self.process = Process([*self.prefix, program("prad", self.build), "--config", self.config],
                               os.path.join(self.dir, f"prad-{self._runs}.log"), env=self.env)
        self.process.wait_port(self.port, self.host, timeout)
        return self

    def own_kib(self):
        """
        Memory that prad has filled itself, without the pages of the database that it keeps (32 MiB at most) and the
        fifth more that they take since they come one by one, with other memory in between.
        """
        return own_kib(self.pid) - self._settled()["store-cache"] * 5 // 4096

    def heap_kib(self):
        """What prad has in use of its heap, without those pages: exact, whatever lies free between."""
        status = self._settled()
        return (status["process"]["heap"] - status["store-cache"]) // 1024

    def _settled(self):
        time.sleep(1.5)  # prad counts its pages once a second
        return self.admin("status")

    def stop(self):
        """As systemd does: SIGTERM, and prad is given time to say goodbye."""
        if self.process and self.process.running():
            self.process.stop(timeout=15)

    def kill(self):
        self.process.kill()
        wait_until(lambda: not port_answers(self.port, self.host), 5, "the port to close")

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        self.process.signal(signal.SIGHUP)

    @property
    def pid(self):
        return self.process.pid

    def log(self):
        """Everything that every run of this prad logged."""
        text = ""
        for i in range(1, self._runs + 1):
            with open(os.path.join(self.dir, f"prad-{i}.log"), errors="replace") as f:
                text += f.read()
        return text

    # --- administration -----------------------------------------------------------------

    def admin_run(self, *args, **kwargs):
        """Runs pra-admin; returns the Result whatever it says."""
        return run([program("pra-admin", self.build), "--config", self.config, *args], env=self.env, **kwargs)

    def admin(self, *args):
        """Runs pra-admin --json, asserts success, returns what it printed."""
        out = self.admin_run(*args, "--json").ok().out
        return json.loads(out) if out.strip() else None

    def fingerprint(self):
        return self.admin("hostkey", "show")["fingerprint"]

    def add_user(self, name):
        self.admin("user", "add", name)

    def add_key(self, user, public_file, *options):
        return self.admin("key", "add", user, str(public_file), *options)

    def add_rule(self, user, name, target, local=None, **options):
        """Adds a rule for a user; returns its id. Options become --option value."""
        args = ["rule", "add", "--user", user, "--name", name, "--target", str(target)]
        if local is not None:
            args += ["--local", str(local)]
        for key, value in options.items():
            args += [f"--{key}"] if value is True else [f"--{key}", str(value)]
        added = self.admin(*args)
        return (added[0] if isinstance(added, list) else added)["id"]

    def delete_rule(self, rule):
        self.admin("rule", "delete", str(rule))

    def sessions(self):
        return self.admin("session", "list")

    def audit(self, kind=None, **members):
        """Audit records, narrowed to one kind and to members with given values."""
        found = []
        for event in self.admin("audit", "list"):
            if kind and event.get("kind") != kind:
                continue
            if all(event.get(k) == v for k, v in members.items()):
                found.append(event)
        return found

    def wait_audit(self, kind, timeout=5, **members):
        """The first matching record; events reach the store in batches, so it may take a moment."""
        def found():
            return self.audit(kind, **members)
        return wait_until(found, timeout, f"audit {kind} {members}", interval=0.1)[0]
