"""`pra keygen` on a terminal: the passphrase is asked for twice, never shown, and the wait is shown."""

import os
import pty
import select
import signal
import time

import pytest

from lib.machines import OFFICE_PC

GOOD = "river Lantern 42 copper"


class Terminal:
    """A `pra` command on a pseudo terminal of its own."""

    def __init__(self, client, *args, lang="C.UTF-8"):
        self.shown = ""
        self.seen = 0  # up to where read_until() has looked
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            env = {k: v for k, v in {**os.environ, **client.env}.items() if v is not None}
            env |= {"LC_ALL": lang, "TERM": "xterm"}
            os.execvpe(client.pra, [client.pra, *args], env)

    def read_until(self, word, timeout=20):
        """Reads until `word` was shown behind the last one (None: until the end)."""
        deadline = time.monotonic() + timeout
        while word is None or word not in self.shown[self.seen:]:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], f"no {word!r} in:\n{self.shown}"
            try:
                part = os.read(self.fd, 4096).decode(errors="replace")
            except OSError:
                part = ""
            if not part:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                assert word is None, f"ended with {self.status} before {word!r}:\n{self.shown}"
                return
            self.shown += part
        self.seen = self.shown.index(word, self.seen) + len(word)

    def type(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def terminal(make_client):
    opened = []
    client = make_client(machine=OFFICE_PC)

    def start(*args, **kwargs):
        opened.append(Terminal(client, "keygen", "--user", "suzuki", *args, **kwargs))
        return opened[-1]

    start.client = client
    yield start
    for t in opened:
        t.close()


def test_passphrase_is_asked_for_twice_judged_and_never_shown(terminal):
    t = terminal()
    t.read_until("new key: ")
    t.type(GOOD + "\n")
    t.read_until("Strength: ")
    t.read_until("once more: ")
    t.type(GOOD + "\n")
    t.read_until(None)
    assert t.status == 0
    assert "strong" in t.shown and "Lantern" not in t.shown
    assert "Making the key" in t.shown and " s of about " in t.shown
    assert "6 of 8 identifiers" in t.shown
    assert terminal.client.key_fingerprint() in t.shown


def test_two_that_differ_are_asked_for_again_three_times(terminal):
    t = terminal()
    for _ in range(3):
        t.read_until("new key: ")
        t.type(GOOD + "\n")
        t.read_until("once more: ")
        t.type("another\n")
        t.read_until("differ")
    t.read_until(None)
    assert t.status == 1
    assert not os.path.exists(os.path.join(terminal.client.home, "id.prakey"))


def test_ctrl_c_at_the_prompt_stops_without_a_key(terminal):
    t = terminal()
    t.read_until("new key: ")
    t.type("half\x03")
    t.read_until(None)
    assert t.status == 1
    assert not os.path.exists(os.path.join(terminal.client.home, "id.prakey"))


def test_japanese_prompts(terminal):
    t = terminal(lang="ja_JP.UTF-8")
    t.read_until("新しい鍵のパスフレーズ: ")
    t.type(GOOD + "\n")
    t.read_until("もう一度入力してください: ")
    t.type(GOOD + "\n")
    t.read_until(None)
    assert t.status == 0
    assert "強度" in t.shown and "エクスポートした公開鍵" in t.shown


def test_existing_key_is_told_before_a_passphrase_is_thought_up(terminal):
    terminal.client.keygen()
    t = terminal()
    t.read_until(None)
    assert t.status == 1
    assert "ERR(10194)" in t.shown and "Passphrase" not in t.shown
