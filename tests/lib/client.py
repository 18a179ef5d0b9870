"""A `pra` with a PRA_HOME of its own: one user on one PC."""

import collections
import json
import os
import signal
import socket

from lib import machines, winclient
from lib.gateway import program, sanitized
from lib.procs import Process, Timeout, pids_with_env, run, wait_until

PASSPHRASE = "correct horse battery staple 7"

# Key files that enrol() has made in this process, by what they were made of, in the order in which the clients of
# one test ask for them: making one costs half a second of a processor, and hundreds of tests want the same.
_made_keys = {}
_clients_of = collections.Counter()


class Client:
    """
    user: name at the gateway. machine: a dict for the test provider, or None for this PC. windows: pra.exe, by wine,
    which takes network cards for the PC's that other tests make and remove: it gets a machine if none is given.
    release: the program that is installed, whose keys cost half a second of a processor to open, also where cheap
    keys are asked for (PRA_TEST_LOG2_N): then it is its build for tests otherwise, all of it the same but for that.
    """

    def __init__(self, folder, gateway, user="suzuki", machine=None, lang="en", env=None,
                 prefix=(), binary=None, windows=winclient.WINDOWS, release=False):
        self.dir = str(folder)
        self.home = os.path.join(self.dir, "h")
        self.gateway = gateway
        self.user = user
        self.passphrase = PASSPHRASE
        self.prefix = list(prefix)  # e.g. unshare or setpriv and their options
        cheap = sanitized("pra") or "PRA_TEST_LOG2_N" in os.environ and not release
        self.pra = binary or program("test/pra" if machine or cheap else "pra")
        self.plain = not (env or prefix or binary)
        self.env = {"PRA_HOME": self.home, "NO_COLOR": "1", **locale_env(lang), **(env or {})}
        self.windows = windows and not binary
        self.loader = []
        if self.windows:
            self.pra = program("windows/test/pra.exe")
            self.loader = [winclient.WINE]
            self.env = {**winclient.environment(), **self.env}
            machine = machine or machines.OFFICE_PC
        os.makedirs(self.dir, exist_ok=True)
        self.machine_file = os.path.join(self.dir, "machine.json")
        if machine:
            self.set_machine(machine)
        self.passphrase_file = os.path.join(self.dir, "passphrase")
        self.set_passphrase(PASSPHRASE)

    def set_machine(self, machine):
        machines.write(self.machine_file, machine)
        self.env["PRA_TEST_MACHINE"] = self.machine_file

    def machine_text(self):
        with open(self.machine_file) as f:
            return f.read()

    def set_passphrase(self, text):
        self.passphrase = text
        with open(self.passphrase_file, "w") as f:
            f.write(text + "\n")
        os.chmod(self.passphrase_file, 0o600)

    # --- commands -----------------------------------------------------------------------

    def command(self, *args):
        return [*self.prefix, *self.loader, self.pra, *args]

    def run(self, *args, lang=None, env=None, **kwargs):
        """Runs one `pra` command; returns the Result whatever it says."""
        merged = {**self.env, **(locale_env(lang) if lang else {}), **(env or {})}
        call = winclient.run if self.windows else run
        return call(self.command(*args), env=merged, **kwargs)

    def json(self, *args, **kwargs):
        result = self.run(*args, "--json", **kwargs)
        assert result.out, str(result)
        return json.loads(result.out)

    def keygen(self, *options):
        """Makes the key. --allow-weak: a virtual machine may have too few identifiers."""
        return self.run("keygen", "--user", self.user, "--passphrase-file", self.passphrase_file,
                        "--allow-weak", *options).ok()

    def export(self):
        path = os.path.join(self.dir, f"{self.user}.pub")
        self.run("key", "export", "-o", path).ok()
        return path

    def register(self, *options):
        """What an administrator does with the exported key."""
        return self.gateway.add_key(self.user, self.export(), *options)

    def configure(self, section, **values):
        """Adds a section to config.ini, as a user with an editor would."""
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        with open(os.path.join(self.home, "config.ini"), "a") as f:
            f.write(f"\n[{section}]\n" + "".join(f"{k} = {v}\n" for k, v in values.items()))

    def set_server(self, address=None, fingerprint=None):
        self.run("server", "set", address or self.gateway.address, "--fingerprint",
                 fingerprint or self.gateway.fingerprint()).ok()

    def key_fingerprint(self):
        return self.json("key", "show")["fingerprint"]

    def _place_key(self):
        """A key as keygen() makes it, another one for each client of a test; tests share them."""
        path = os.path.join(self.home, "id.prakey")
        test = os.path.dirname(self.dir)
        if not self.plain or self.windows or os.path.exists(path):
            self.keygen()
            return
        made_of = (self.pra, self.user, self.passphrase, self.env.get("PRA_TEST_MACHINE") and self.machine_text(),
                   os.environ.get("PRA_TEST_LOG2_N"), _clients_of[test])
        _clients_of[test] += 1
        if made_of not in _made_keys:
            self.keygen()
            with open(path, "rb") as f:
                _made_keys[made_of] = f.read()
            return
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as f:
            f.write(_made_keys[made_of])

    def enrol(self):
        """Key, registration and server address: everything before the first connect."""
        self._place_key()
        if self.user not in [u["name"] for u in self.gateway.admin("user", "list")]:
            self.gateway.add_user(self.user)
        self.register()
        self.set_server()
        return self

    def try_connect(self, wait=10, **kwargs):
        return self.run("connect", "--passphrase-file", self.passphrase_file, "--wait", str(wait),
                        timeout=wait + 20, **kwargs)

    def connect(self, wait=10):
        self.try_connect(wait).ok()
        return self

    def disconnect(self):
        return self.run("disconnect")

    def status(self, **kwargs):
        return self.json("status", **kwargs)

    def forwards(self):
        return {f["name"]: f for f in self.status()["forwards"]}

    # --- waiting ------------------------------------------------------------------------

    def wait_state(self, state, timeout=15):
        def reached():
            now = self.status()
            return now if now["state"] == state else None
        return wait_until(reached, timeout, f"state {state}; now {self.status()}", 0.1)

    def wait_forward(self, name, state="listening", timeout=5):
        def reached():
            forward = self.forwards().get(name)
            return forward if forward and forward["state"] == state else None
        return wait_until(reached, timeout, f"forward {name} to be {state}; now {self.status()}", 0.05)

    def wait_no_forward(self, name, timeout=5):
        wait_until(lambda: name not in self.forwards(), timeout, f"forward {name} to go", 0.05)

    def local_port(self, name):
        return int(self.forwards()[name]["local"].rpartition(":")[2])

    # --- the agent and its files --------------------------------------------------------

    def agent_pids(self):
        """Every process of this PRA_HOME: the agent, and commands that still run."""
        return pids_with_env("PRA_HOME", self.home)

    def agent_pid(self):
        return wait_until(self.agent_pids, 5, "an agent")[0]

    def log_text(self, name):
        """A log with its rotated files, oldest first."""
        folder = os.path.join(self.home, "log")
        files = [f for f in os.listdir(folder) if f == name or f.startswith(name + ".")]
        files.sort(key=lambda f: -int(f.rpartition(".")[2]) if f != name else 1)
        text = ""
        for f in files:
            with open(os.path.join(folder, f), encoding="utf-8") as handle:
                text += handle.read()
        return text

    def system_log(self):
        return self.log_text("System.log")

    def user_log(self):
        return self.log_text("User.log")

    def wait_log(self, text, timeout=5):
        wait_until(lambda: text in self.system_log(), timeout, f"{text!r} in System.log")

    def foreground(self, *options):
        """`pra connect --foreground` as a Process."""
        return Process(self.command("connect", "--foreground", "--passphrase-file", self.passphrase_file,
                                    *options), os.path.join(self.dir, "foreground.log"),
                       env=self.env)

    def agent_call(self, **request):
        """One request on the agent's own socket (client/README.md); its answer, or None."""
        if self.windows:
            return winclient.agent_call(self.env, request)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            try:
                s.connect(os.path.join(self.home, "run", "agent.sock"))
                s.sendall(json.dumps(request).encode() + b"\n")
                return json.loads(s.makefile().readline() or "null")
            except OSError:
                return None

    def close(self):
        """Ends the agent; by force if it does not go."""
        answer = self.agent_call(op="shutdown")
        if not answer or not answer.get("ok"):  # an agent of another user does not obey this one
            for pid in self.agent_pids():
                os.kill(pid, signal.SIGTERM)
        try:
            wait_until(lambda: not self.agent_pids(), 5, "the agent to end")
        except Timeout:
            for pid in self.agent_pids():
                os.kill(pid, signal.SIGKILL)


def locale_env(lang):
    """Environment of a Japanese or an English user."""
    name = {"ja": "ja_JP.UTF-8", "en": "en_US.UTF-8"}[lang]
    return {"LANG": name, "LC_ALL": None, "LC_MESSAGES": None}


def dial(port, address="127.0.0.1", timeout=10):
    """A TCP connection to a forward."""
    return socket.create_connection((address, port), timeout=timeout)


def is_cut(port, **kwargs):
    """True if a connection to a forward breaks with a reset; False if it ends as if all was well.

    The reset may come as early as connect() returns.
    """
    try:
        with dial(port, **kwargs) as s:
            s.sendall(b"hello")
            assert s.recv(1) == b"", "data came"
            return False
    except (ConnectionResetError, BrokenPipeError):
        return True


def read_all(sock):
    data = bytearray()
    while part := sock.recv(1 << 18):
        data += part
    return bytes(data)


def exchange(port, request, size=None, **kwargs):
    """Sends `request` and reads `size` bytes (None: to the end)."""
    with dial(port, **kwargs) as s:
        s.sendall(request)
        if size is None:
            s.shutdown(socket.SHUT_WR)
            return read_all(s)
        data = bytearray()
        while len(data) < size:
            part = s.recv(size - len(data))
            if not part:
                break
            data += part
        return bytes(data)


def hand_over(client, uid):
    """Gives a client's files to another user and runs it as that user from now on."""
    for root, folders, files in os.walk(client.dir):
        for name in [".", *folders, *files]:
            os.chown(os.path.join(root, name), uid, uid)
    client.prefix = as_user(uid)


def as_user(uid):
    """Command prefix that runs a program as another user without privileges. Needs root."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
