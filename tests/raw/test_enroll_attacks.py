"""The way in for keys that nobody has registered, and that it leads nowhere else."""

import itertools
import json
import threading
import time

import pytest

from rawssh import AUTH_PK_OK, OPEN, Closed, string, u32
from test_control import Control, hello
from lib.gateway import sanitized
from lib.procs import own_kib, wait_until

REQUEST = {"type": "enroll", "proto": 1, "version": "1.0", "os": "Test", "computer": "pc", "machine": "0" * 16,
           "binding": "bound"}


@pytest.fixture
def code(gateway, user):
    return gateway.admin("enroll", "code", user.name)["code"]


@pytest.fixture
def stranger(make_user, gateway):
    """A key that nobody has registered."""
    u = make_user(gateway, "mallory")
    gateway.admin("user", "delete", "mallory")
    return u


def enter(stranger, code):
    return Control(stranger.connect().login(f"enroll:{code}", stranger.key))


def refusal(c, name, key):
    """How the gateway ends a connection that logs in like that."""
    c.versions()
    c.exchange()
    c.service()
    with pytest.raises(Closed) as ended:
        c.send(c.sign_request(name, key))
        c.recv()
        c.recv()
    return str(ended.value)


def test_with_a_code_one_can_wait_and_nothing_else(gateway, user, stranger, code, target):
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    control = enter(stranger, code)
    assert control.c.direct("127.0.0.1", t.port).failure[0] == 1
    control.say(REQUEST)
    heard = control.hear("enroll", state="waiting")
    assert heard["user"] == user.name and heard["fingerprint"] == stranger.fingerprint()
    assert control.c.direct("127.0.0.1", t.port).failure[0] == 1
    assert not control.c.open("session").opened
    assert not control.c.open("x11", string("a") + u32(1)).opened
    for name in ("shell", "pty-req", "exec"):
        control.c.request(control.ch, name, string("id"))
    control.c.send(bytes([80]) + string("tcpip-forward") + b"\1" + string("") + u32(0))
    control.c.until(lambda: control.c.global_replies)
    assert control.c.global_replies == [82] and set(control.ch.replies[1:]) <= {100}
    assert t.accepted == 0 and gateway.sessions() == []
    gateway.admin("enroll", "approve", str(gateway.admin("enroll", "list", "--state", "waiting")[0]["id"]))
    assert control.hear("enroll", state="approved")
    assert control.c.closed_within(5), "the way in is no way to stay"
    assert stranger.connect().login(user.name, stranger.key)


@pytest.mark.parametrize("message", [
    hello(), {"type": "ports", "version": 1, "ports": []}, {"type": "join", "session": "0" * 32, "token": "0" * 64},
    {"type": "explain", "id": 1, "rule": 1}, {"type": "enroll"}, {**REQUEST, "proto": 2}, {**REQUEST, "computer": 7},
    {**REQUEST, "computer": "a" * 65}, {**REQUEST, "binding": "none"}, {**REQUEST, "os": "a\0b"}, [], {"type": 1}],
    ids=lambda m: json.dumps(m)[:40])
def test_any_other_message_ends_the_connection(gateway, stranger, code, message):
    control = enter(stranger, code)
    control.say(message)
    assert control.hear("refused")["reason"] == "protocol"
    assert control.c.closed_within(5)
    assert gateway.admin("enroll", "list", "--state", "waiting") == []


def test_who_says_nothing_is_sent_away(make_gateway, make_user):
    gateway = make_gateway("slow", extra_config="[limits]\nhello_timeout = 1s\n[keys]\n")
    user = make_user(gateway, "alice")
    code = gateway.admin("enroll", "code", "alice")["code"]
    c = user.connect().login(f"enroll:{code}", user.key)
    assert c.closed_within(5)


def test_what_a_pc_says_of_itself_is_made_harmless(gateway, stranger, code):
    control = enter(stranger, code)
    control.say({**REQUEST, "computer": "\x1b[2J\n\u202epc", "os": "<b>\"';--"})
    control.hear("enroll", state="waiting")
    shown = gateway.admin("enroll", "list")[0]
    assert shown["computer"].isprintable() and "\x1b" not in gateway.log()
    gateway.admin("enroll", "approve", str(shown["id"]))


def test_a_code_without_the_key_is_nothing(gateway, user, stranger, code):
    c = stranger.connect()
    c.versions()
    c.exchange()
    c.service()
    assert c.offer(f"enroll:{code}", stranger.key) == AUTH_PK_OK
    c.send(c.sign_request(f"enroll:{code}", stranger.key, sign_key=user.key))
    c.recv()
    c.send(bytes([OPEN]) + string("session") + u32(0) + u32(1 << 20) + u32(32768))
    assert c.closed_within(3)
    assert gateway.audit("login-refused", reason="wrong-signature", user="enroll")
    assert gateway.admin("enroll", "list", "--state", "waiting") == []


def test_guessing_is_stopped_and_hinders_nobody_else(gateway, user, stranger, code):
    """Hundreds of guesses at the same time: ten are looked at; who is registered logs in as ever."""
    answers = []

    def guess(number):
        for i in range(25):
            try:
                answers.append(refusal(stranger.connect(), f"enroll:{number:08d}{i:08d}", stranger.key))
            except (OSError, Closed) as e:
                answers.append(str(e))
    threads = [threading.Thread(target=guess, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for _ in range(5):
        user.login().close()
    for t in threads:
        t.join()
    assert sum("enroll-code" in a for a in answers) == 10 and "enroll-many" in answers[-1]
    assert "enroll-many" in refusal(stranger.connect(), f"enroll:{code}", stranger.key), "not even the right one"
    user.login()
    wait_until(lambda: len(gateway.audit("login-refused", reason="enroll-code")) == 10, 5)


def test_only_so_many_wait_from_one_place(gateway, user, stranger):
    """Codes are cheap for an administrator; places to wait are not."""
    codes = [gateway.admin("enroll", "code", user.name)["code"] for _ in range(17)]
    waiting = [enter(stranger, c) for c in codes[:16]]
    assert "enroll-many" in refusal(stranger.connect(), f"enroll:{codes[16]}", stranger.key)
    waiting[0].c.close()

    def place_is_free():
        try:
            return enter(stranger, codes[16])
        except (Closed, AssertionError):
            return None
    wait_until(place_is_free, 5, "the place to be free")


def test_one_code_takes_few_places(gateway, user, stranger, code):
    """Whoever has somebody's code cannot fill the places of all others with it."""
    def place(n):
        return Control(stranger.connect(source=f"127.7.0.{n}").login(f"enroll:{code}", stranger.key))
    held = [place(n) for n in range(1, 5)]
    c = stranger.connect(source="127.7.0.9")
    assert "enroll-many" in refusal(c, f"enroll:{code}", stranger.key)
    other = gateway.admin("enroll", "code", user.name)["code"]
    assert enter(stranger, other)
    held[0].c.close()
    wait_until(lambda: still_a_place(place), 5, "the place to be free")


def still_a_place(place):
    try:
        return place(10)
    except (Closed, AssertionError):
        return None


@pytest.mark.parametrize("guesses, waiting", [(300, 40), pytest.param(10_000, 900, marks=pytest.mark.soak)])
def test_a_flood_of_guesses_and_of_requests_takes_no_memory_and_keeps_no_pc_out(gateway, user, stranger, guesses, waiting):
    """Guesses from many addresses, and many PCs that wait with codes of their own; a PC that comes meanwhile gets in."""
    sources = [f"127.{8 + i // 250}.1.{1 + i % 250}" for i in range(max(20, guesses // 20))]
    codes = [gateway.admin("enroll", "code", user.name)["code"] for _ in range(waiting + 6)]
    number, answers, lock = itertools.count(), [], threading.Lock()

    def guess():
        while (n := next(number)) < guesses:
            try:
                end = refusal(stranger.connect(source=sources[n % len(sources)]), f"enroll:{n:016d}", stranger.key)
            except (OSError, Closed) as e:
                end = str(e)
            with lock:
                answers.append(end)
    held = []
    for i, code in enumerate(codes[:waiting]):
        held.append(Control(stranger.connect(source=f"127.6.{i // 250}.{1 + i % 250}").login(f"enroll:{code}", stranger.key)))
        held[-1].say(REQUEST)
    for control in held:
        assert control.hear("enroll", state="waiting")
    before, times, honest = own_kib(gateway.pid), [], iter(codes[waiting:])
    threads = [threading.Thread(target=guess) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(5):
        begun = time.monotonic()
        control = Control(stranger.connect(source=f"127.5.0.{1 + i}").login(f"enroll:{next(honest)}", stranger.key))
        control.say(REQUEST)
        assert control.hear("enroll", state="waiting")
        times.append(time.monotonic() - begun)
        user.login().close()
    for t in threads:
        t.join()
    grown = own_kib(gateway.pid) - before
    print(f"figure: {len(answers)} guesses from {len(sources)} addresses, {waiting} wait, an honest PC waits after "
          f"{max(times) * 1000:.0f} ms at most, memory +{grown} KiB")
    assert len(answers) == guesses and sum("enroll-code" in a for a in answers) <= 10 * len(sources)
    assert grown < 8 * 1024 or sanitized("prad")
    assert max(times) < 10
    assert len(gateway.admin("enroll", "list", "--state", "waiting")) == waiting + 5
    # The last honest one is approved as ever, while the others still wait.
    newest = max(gateway.admin("enroll", "list", "--state", "waiting"), key=lambda e: e["id"])
    gateway.admin("enroll", "deny", str(newest["id"]))
    assert control.hear("enroll", state="denied")
