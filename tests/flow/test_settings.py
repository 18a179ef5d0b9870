"""Line 7 of the quality document, for prad.ini: every setting is read, documented, used and tested, or start-up fails.

The settings are taken from the tables of server/config.[ch] themselves, so a new one without its part here fails.
"""

import datetime
import glob
import os
import re
import socket
import time

import pytest

from lib.gateway import program
from lib.ports import free_port
from lib.procs import run, wait_until
from lib.servers.targets import BlackHole

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def text_of(*names):
    text = ""
    for name in names:
        with open(os.path.join(TOP, name)) as f:
            text += f.read()
    return text


def settings():
    """[(section, key, member of struct config or "")] in the order of the tables."""
    tables = re.findall(r'X\("(\w+)", "(\w+)", (\w+),', text_of("server/config.h"))
    rows = re.findall(r'\{"(\w+)", "(\w+)", set_\w+\},', text_of("server/config.c"))
    assert len(tables) > 20 and len(rows) > 20, "the tables have another form now"
    return tables + [(section, key, "") for section, key in rows]


ALL = settings()
NAMES = [f"{section}.{key}" for section, key, _ in ALL]
# Members that are not named as their key is.
MEMBERS = {"gateway.listen": "listen", "gateway.host_key": "host_key", "gateway.workers": "workers",
           "gateway.public_address": "public_address", "gateway.user": "user", "gateway.sandbox": "sandbox",
           "store.url": "store_url", "keys.weak": "refuse_weak_keys", "keys.clone": "clone", "login.second_factor": "second_factor"}

# A value that is none, by setting; the others are numbers with limits, or paths and names, which may be anything but
# empty.
WRONG = {"gateway.listen": "mail:10022", "gateway.workers": "65", "gateway.public_address": "a b", "gateway.sandbox": "perhaps",
         "store.url": "mysql:x", "keys.weak": "maybe", "keys.clone": "maybe", "log.level": "loud", "metrics.listen": "x",
         "portal.listen": "x", "portal.url": "http://x", "audit.enterprise": "32473", "mail.server": "a b", "mail.tls": "some",
         "mail.password_file": "/nonexistent", "mail.ca_file": "/nonexistent", "mail.from": "nobody"}


def test_every_setting_is_documented_and_its_line_is_in_the_manual_once():
    manual = text_of("packaging/man/prad.ini.5.scd")
    sections = {m[1]: m[2] for m in re.finditer(r"^## \[(\w+)\]$(.*?)(?=^## |^# |\Z)", manual, re.M | re.S)}
    for section, key, _ in ALL:
        assert re.search(rf"\*{key}\*", sections.get(section, "")), f"[{section}] {key} is not in prad.ini(5)"


def test_every_setting_is_used_by_a_program():
    """What is read and then forgotten has no effect."""
    sources = [f for f in glob.glob(f"{TOP}/server/**/*.[ch]", recursive=True) if not re.search(r"/config\.[ch]$", f)]
    code = text_of(*(os.path.relpath(f, TOP) for f in sources))
    for section, key, member in ALL:
        member = member or MEMBERS.get(f"{section}.{key}") or f"{section}_{key}"
        assert re.search(rf"(->|\.){member}\b", code), f"[{section}] {key}: nothing reads {member}"


# What no test sets by that word, and why.
NOT_BY_NAME = {"limits.rekey_time": "its least value is a minute; that prad asks for new keys: flow/test_rekey.py, by rekey_data",
               "alerts.failures_window": "unit/server/test_alerts.c sets it, as .failures_s",
               "login.second_factor": "raw/test_second_factor.py requires it of users and groups",
               "limits.session_buffer": "raw/test_load.py sees the default: a slow reader costs no more"}
# flow/test_limits.py sets limits of this kind for a user or a rule by pra-admin, and some as a default by prad.ini; all of
# them go one way from there (prad/bounds_default.c).
NOT_BY_NAME.update({f"limits.{key}": "flow/test_limits.py" for key in (
    "user_rate", "user_burst", "user_download", "user_quota_day", "user_quota_month", "rule_max_connections", "rule_burst",
    "rule_upload", "rule_download", "session_idle")})


def test_every_setting_is_set_to_another_value_by_some_test():
    """Beside that of reading (unit/server/test_config.c); by key, or by member where that is a unit test."""
    files = [f for folder in ("flow", "raw", "interop", "unit/server", "lib", "bench")
             for f in glob.glob(f"{TOP}/tests/{folder}/*.[pch]*")
             if not f.endswith("test_config.c")]
    text = text_of(*(os.path.relpath(f, TOP) for f in files if os.path.isfile(f)))
    for section, key, member in ALL:
        found = re.search(rf'(\\n|[\s"\'{{(,;]){key}"? ?[=:]', text) or (member and re.search(rf"\.{member}\b", text))
        assert found or f"{section}.{key}" in NOT_BY_NAME, f"[{section}] {key}: no test sets it"


@pytest.mark.parametrize("number", range(len(ALL)), ids=NAMES)
def test_a_wrong_value_names_file_and_line(folder, number):
    section, key, member = ALL[number]
    for value in [WRONG.get(f"{section}.{key}", "-1" if member else ""), ""]:
        path = os.path.join(folder, "prad.ini")
        with open(path, "w") as f:
            f.write(f"; a comment\n[{section}]\n{key} = {value}\n")
        for name in ("prad", "pra-portal"):
            result = run([program(name), "--config", path, "--check"])
            assert result.status == 1 and f"{path}:3: " in result.err, (name, result.err)
    with open(path, "w") as f:
        f.write(f"[{section}]\n{key}x = 1\n")
    result = run([program("prad"), "--config", path])
    assert result.status == 1 and f"{path}:2: " in result.err and not os.path.exists(f"{folder}/pra.db")


# ---- settings that no other test sets -----------------------------------------------------------


def seconds_refused(gateway):
    """How long this machine's address is to be refused, as prad says; 0 = it is not."""
    listed = gateway.admin("penalty", "list")
    if not listed:
        return 0
    until = datetime.datetime.fromisoformat(listed[0]["until"].replace("Z", "+00:00"))
    return (until - datetime.datetime.now(datetime.timezone.utc)).total_seconds()


def come_and_go(gateway):
    with socket.create_connection((gateway.host, gateway.port)) as s:
        s.sendall(b"SSH-2.0-nobody\r\n")
        s.recv(1000)


def test_a_source_that_only_comes_and_goes_is_refused_as_long_as_is_set(make_gateway):
    settings = "[limits]\npenalty_noauth = 300s\npenalty_min = 100s\npenalty_max = 1000s\n[log]\nlevel = info\n"
    gateway = make_gateway(extra_config=settings, penalties=True)
    come_and_go(gateway)
    # What waits for its port to open may come and go as well.
    assert 250 < wait_until(lambda: seconds_refused(gateway), 5, "a penalty") <= 600
    gentle = make_gateway("gentle", extra_config=settings.replace("penalty_min = 100s", "penalty_min = 900s"), penalties=True)
    come_and_go(gentle)
    assert seconds_refused(gentle) == 0, "300 s, or 600, are below what counts"
    come_and_go(gentle)
    come_and_go(gentle)
    assert wait_until(lambda: seconds_refused(gentle), 5, "a penalty") > 850


def test_a_source_that_stays_silent_is_refused_as_long_as_is_set(make_gateway):
    gateway = make_gateway(extra_config="[limits]\nlogin_grace = 1s\npenalty_grace_exceeded = 400s\npenalty_max = 1000s\n",
                           penalties=True)
    with socket.create_connection((gateway.host, gateway.port)) as s:
        s.settimeout(10)
        while s.recv(1000):
            pass
    assert 350 < wait_until(lambda: seconds_refused(gateway), 5, "a penalty") <= 400


def test_a_target_that_does_not_answer_is_given_up_as_soon_as_is_set(make_gateway, make_client):
    gateway = make_gateway("patient", extra_config="[limits]\nconnect_timeout = 1s\n")
    client, hole, local = make_client(gateway=gateway).enrol(), BlackHole().start(), free_port()
    gateway.add_rule("suzuki", "Hole", f"127.0.0.1:{hole.port}", local)
    client.connect()
    client.wait_forward("Hole")
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", local)) as s:
        s.settimeout(10)
        try:
            assert s.recv(1) == b""
        except ConnectionResetError:
            pass
    assert 0.9 < time.monotonic() - begun < 4
    hole.stop()
