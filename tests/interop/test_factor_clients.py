"""A code asked of standard clients: ssh, plink and dbclient at a terminal, after their key has signed."""

import os
import pty
import select
import signal
import time

import pytest

from lib.client import exchange
from lib.factor import Authenticator
from lib.ports import free_port
from lib.procs import environment, port_answers, wait_until
from lib.standard import ALL, OpenSSH

PROMPT = "Code of your authenticator app: "


class Typed:
    """A standard client on a terminal of its own: what it shows, and what a person types."""

    def __init__(self, client, *forwarding):
        client.batch = False
        argv = [str(a) for a in client.command(forwarding)]
        env = environment({"HOME": client.dir, "SSH_AUTH_SOCK": None, "TERM": "xterm"})
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)

    def read(self, word, timeout=15):
        """Reads until `word` (None: until the end), and gives what stood before it."""
        deadline = time.monotonic() + timeout
        while word is None or word not in self.shown:
            assert time.monotonic() < deadline, f"no {word!r} in:\n{self.shown}"
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                part = os.read(self.fd, 4096)
            except OSError:
                part = b""
            if not part:
                assert word is None, f"ended before {word!r}:\n{self.shown}"
                return self.shown
            self.shown += part.decode(errors="replace")
        before, _, self.shown = self.shown.partition(word)
        return before

    def shows(self, word):
        """Is it there by now?"""
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.shown += os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                break
        return word in self.shown

    def type(self, text):
        os.write(self.fd, f"{text}\n".encode())

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def typed():
    made = []

    def make(*args):
        made.append(Typed(*args))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(params=ALL, ids=[c.program for c in ALL])
def peer(request, gateway, folder):
    """A registered standard client."""
    client = request.param(f"{folder}/{request.param.program}", gateway).register()
    client.trust_host()
    return client


@pytest.fixture
def ssh(gateway, folder):
    client = OpenSSH(f"{folder}/ssh", gateway).register()
    client.trust_host()
    return client


def forward_to(gateway, target):
    """A rule, and -L for it: (options, local port)."""
    where = f"127.0.0.1:{target().port}"
    gateway.add_rule("suzuki", "Echo", where)
    local = free_port()
    return ("-L", f"127.0.0.1:{local}:{where}"), local


def test_a_code_is_asked_for_once_and_opens_the_forward(peer, gateway, target, typed):
    app = Authenticator(gateway)
    forwarding, local = forward_to(gateway, target)
    person = typed(peer, *forwarding)
    person.read(PROMPT)
    assert not port_answers(local) and gateway.sessions() == []
    person.type(app.code())
    wait_until(lambda: port_answers(local), 10)
    assert exchange(local, b"hello", 5) == b"hello"
    assert gateway.wait_audit("login", reason="code")["device"] == peer.fingerprint()


def test_a_wrong_code_is_asked_for_again_on_the_same_connection(peer, gateway, target, typed):
    app = Authenticator(gateway)
    forwarding, local = forward_to(gateway, target)
    person = typed(peer, *forwarding)
    person.read(PROMPT)
    person.type(app.wrong())
    person.read(PROMPT)
    person.type(app.code())
    wait_until(lambda: port_answers(local), 10)
    assert len(gateway.audit("login-refused", reason="factor-wrong")) == 1


def test_nobody_is_asked_where_nothing_wants_it(ssh, gateway, target, typed):
    """Off by default; a user's own word stands above his groups', the strictest group above the others."""
    Authenticator(gateway, required=False)
    gateway.admin("group", "add", "sales")
    gateway.admin("group", "add", "field")
    gateway.admin("group", "member", "add", "sales", "suzuki")
    gateway.admin("group", "member", "add", "field", "suzuki")

    def asked():
        before = len(gateway.audit("login"))
        person = typed(ssh, *forward_to(gateway, target)[0])
        wait_until(lambda: person.shows(PROMPT) or len(gateway.audit("login")) > before, 10)
        return person.shows(PROMPT)

    for words, wanted in ((None, False), (("group", "factor", "sales", "required"), True),
                          (("group", "factor", "field", "off"), True),
                          (("user", "factor", "suzuki", "off"), False),
                          (("user", "factor", "suzuki", "inherit"), True),
                          (("group", "member", "remove", "sales", "suzuki"), False)):
        if words:
            gateway.admin(*words)
        assert asked() == wanted, words
