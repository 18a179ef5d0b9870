"""`pra keygen` on a terminal: the passphrase is asked for twice, never shown, and the wait is shown."""

import os

import pytest

from lib.machines import OFFICE_PC
from lib.terminal import Terminal

GOOD = "river Lantern 42 copper"


@pytest.fixture
def terminal(make_client):
    opened = []
    client = make_client(machine=OFFICE_PC)

    def start(*args, lang="C.UTF-8"):
        opened.append(Terminal(client, "keygen", "--user", "suzuki", *args, lang=lang))
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
