"""Who is let in: penalties of sources, and places for those that have not logged in.

127.0.0.0/8 is full of addresses; each stands for a network of its own.
"""

import os
import socket
import statistics
import time

import pytest

from rawssh import AUTH_FAILURE, Closed, load_key
from lib.procs import run, wait_until

OFFICE, HOTEL, STRANGER = "127.0.3.1", "127.0.3.2", "127.0.3.3"
SETTINGS = "[limits]\nlogin_grace = 2s\n"


@pytest.fixture
def gateway(make_gateway):
    return make_gateway(penalties=True, extra_config=SETTINGS)


@pytest.fixture
def bad_key(folder):
    path = f"{folder}/bad.key"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]).ok()
    return load_key(path)


def login(user, source):
    c = user.connect(source=source)
    c.login(user.name, user.key)
    return c


def guess(user, key, source):
    """One connection with one wrong key. False: it was not let in at all."""
    try:
        c = user.connect(source=source)
        c.versions()
        c.exchange().service()
        answer = c.offer(user.name, key)
    except (Closed, ConnectionError):
        return False
    assert answer == AUTH_FAILURE
    c.close()
    return True


def door(gateway):
    return gateway.admin("status")["door"]


def penalised(gateway):
    return {p["source"]: p for p in gateway.admin("penalty", "list")}


def until_penalised(gateway, source):
    return wait_until(lambda: penalised(gateway).get(source), 5, f"a penalty of {source}")


def guess_until_penalised(gateway, user, key, source):
    """Three are enough, unless this machine is so slow that a penalty runs off between them."""
    def is_penalised():
        guess(user, key, source)
        return penalised(gateway).get(source)
    for _ in range(2):
        assert guess(user, key, source)
    return wait_until(is_penalised, 20, f"a penalty of {source}")


def test_guessing_is_refused_and_the_penalty_is_seen_kept_and_forgiven(gateway, user, bad_key):
    guess_until_penalised(gateway, user, bad_key, STRANGER)
    assert not guess(user, bad_key, STRANGER)
    login(user, HOTEL)
    with pytest.raises((Closed, ConnectionError)):
        login(user, STRANGER)
    assert gateway.wait_audit("login-refused", reason="penalty")["source"] == STRANGER
    assert door(gateway)["penalties"] == 1 and door(gateway)["refused"] >= 2

    gateway.restart()
    assert penalised(gateway)[STRANGER]["known"] is False
    assert not guess(user, bad_key, STRANGER)
    said = gateway.admin_run("penalty", "clear", "--source", STRANGER).ok().err
    assert said == f"{STRANGER} may connect again\n"
    login(user, STRANGER)


def test_a_burst_of_refused_connections_is_one_audit_record_a_second(gateway, user, bad_key):
    guess_until_penalised(gateway, user, bad_key, STRANGER)
    begun = time.monotonic()
    for _ in range(300):
        assert not guess(user, bad_key, STRANGER)
    seconds = time.monotonic() - begun
    records = [e for e in gateway.audit("login-refused") if e["reason"] == "penalty"]
    assert 1 <= len(records) <= seconds + 3
    assert door(gateway)["refused"] >= 300


def test_one_broken_laptop_does_not_lock_out_its_office(gateway, user, bad_key):
    login(user, OFFICE).close()
    assert guess_until_penalised(gateway, user, bad_key, OFFICE)["known"] is True
    login(user, OFFICE)
    # Let in on probation: the first key has to be a registered one.
    c = user.connect(source=OFFICE)
    c.versions()
    c.exchange().service()
    with pytest.raises(Closed):
        c.offer(user.name, bad_key)
        c.offer(user.name, user.key)
    gateway.restart()
    login(user, OFFICE)


def test_port_checks_cost_nothing(gateway, user):
    for _ in range(40):
        with socket.create_connection((gateway.host, gateway.port), source_address=(STRANGER, 0)) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"10022 OK!" in s.makefile("rb").read()
    login(user, STRANGER)
    assert not penalised(gateway)


def test_silence_costs(gateway, user):
    held = [socket.create_connection((gateway.host, gateway.port), source_address=(STRANGER, 0)) for _ in range(3)]
    until_penalised(gateway, STRANGER)  # after login_grace
    with pytest.raises((Closed, ConnectionError)):
        login(user, STRANGER)
    login(user, HOTEL)
    for s in held:
        s.close()


@pytest.mark.parametrize("file", ["198.51.100.7 x 0\n", "\x00\xff" * 100, ""], ids=["words", "noise", "empty"])
def test_a_damaged_file_of_sources_is_told_and_stops_nothing(gateway, user, file):
    gateway.stop()
    with open(os.path.join(gateway.dir, "sources"), "w", encoding="latin1") as f:
        f.write(file)
    gateway.start()
    login(user, STRANGER)
    assert ("sources-not-read" in gateway.log()) == bool(file)
    if file:
        assert "sources:1: " in gateway.log() or "sources: is not text" in gateway.log()


@pytest.mark.parametrize("count", [600, pytest.param(5000, marks=pytest.mark.soak)])
def test_silent_connections_do_not_keep_a_good_login_waiting(make_gateway, make_user, count):
    """From 25 networks, one of them the user's own; places are fewer than connections."""
    gateway = make_gateway(penalties=True, extra_config=(
        f"[limits]\nlogin_grace = 120s\nmax_startups = {count * 4 // 5}\nmax_startups_per_source = {count // 50}\n"))
    user = make_user(gateway)
    held, took = [], []
    try:
        for n in range(count):
            s = socket.socket()
            s.bind((f"127.0.4.{n % 25 + 1}", 0))
            s.setblocking(False)
            s.connect_ex((gateway.host, gateway.port))
            held.append(s)
        assert wait_until(lambda: door(gateway)["waiting"] > count // 4, 10, "places to be taken")
        time.sleep(1.1)  # until then all of them might be people
        for n in range(40):
            begun = time.monotonic()
            login(user, ("127.0.4.1", "127.0.5.1")[n % 2]).close()
            took.append(time.monotonic() - begun)
        assert door(gateway)["waiting"] > count // 4
    finally:
        for s in held:
            s.close()
    p99 = max(took)
    print(f"figure: login beside {count} silent connections: median {statistics.median(took) * 1000:.0f} ms, "
          f"longest of 40 {p99 * 1000:.0f} ms")
    assert p99 < 1
