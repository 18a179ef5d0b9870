"""Hostile text in every member of every message that a client may send (quality 22). The messages are read from the table of
server/README.md: what is added there is asked here."""

import json
import os
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rawssh import Closed
from test_control import Control, hello

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Bytes that are text nowhere, as they would stand in a line of JSON, and a line that is too long.
NEVER = {"invalid UTF-8": b'"\xff\xfe"', "half a letter": b'"\xe3\x81"', "a surrogate": b'"\xed\xa0\x80"', "NUL": b'"a\\u0000b"',
         "ten megabytes": b'"' + b"x" * (10 << 20) + b'"'}
TEXT = ["'; DROP TABLE users; --", '"', "$(touch {mark})", "`touch {mark}`", "a\nb", "\x1b[2J", "%n%s%n", "\u202eabc", "x" * 60000, "", -1, 1e300,
        2 ** 63, True, None, [], {}, [[[]]] * 1000, {"a": {"b": []}}]


def messages():
    """{type: [member]}, with the members of what stands inside others."""
    with open(f"{ROOT}/server/README.md") as f:
        text = f.read()
    found = {}
    for begin, end in (("\nClient to gateway:\n", "\nGateway to client:\n"), ("| from | type | members | when |", "| gateway | `enroll` |")):
        table = text[text.index(begin):]
        for row in re.findall(r"^\| (?:client \| )?`([a-z_-]+)` \| (.*?) \|", table[:table.index(end)], re.MULTILINE):
            members = re.sub(r"\([^)]*\)", "", row[1])  # what may stand there
            found.setdefault(row[0], re.findall(r"`([a-z_0-9-]+)`", members))
    return found


def test_the_table_has_every_message_that_prad_reads():
    with open(f"{ROOT}/server/prad/control_in.c") as f:
        read = set(re.findall(r'\{"([a-z_-]+)", \w+\}', f.read()))
    assert len(read) > 6 and read <= messages().keys(), read - messages().keys()
    assert len(messages()) >= 11 and sum(map(len, messages().values())) > 30


def line(kind, member, raw):
    """A message with these bytes of JSON for one member, wherever it stands; the others are plausible."""
    whole = {"hello": hello(), "ports": {"version": 1, "ports": [{"rule": 1, "local": "127.0.0.1:1", "state": "conflict", "error": "x",
                                                                "holder": {"pid": 1, "program": "x"}}]},
             "log_heads": {"system": {"lines": 1, "hash": "0" * 64}, "user": {"lines": 1, "hash": "0" * 64}},
             "enroll": {"proto": 1, "version": "1", "os": "Test", "computer": "pc", "machine": "0" * 16, "binding": "bound"},
             "log-begin": {"id": 1, "size": 100, "sha256": "0" * 64}, "log-data": {"id": 1, "data": "AAAA"}}.get(kind, {"id": 1})
    mark = '"here"'

    def put(value):
        if isinstance(value, dict):
            return {k: "here" if k == member else put(v) for k, v in value.items()}
        return [put(v) for v in value] if isinstance(value, list) else value
    made = put(whole)
    if mark not in json.dumps(made):
        made[member] = "here"
    return json.dumps({**made, "type": kind}).encode().replace(mark.encode(), raw, 1) + b"\n"


def ended(control, seconds):
    try:
        control.c.drain(seconds)
        return False
    except Closed:
        return True


def greeted(user, kind):
    """A session in which a message of this kind may be said."""
    if kind == "enroll":
        code = user.gateway.admin("enroll", "code", user.name)["code"].replace("-", "")
        return Control(user.connect().login(f"enroll:{code}", Ed25519PrivateKey.generate()))
    control = Control(user.login())
    if kind not in ("hello", "join", "enroll"):
        control.say(hello())
        control.hear("welcome")
    return control


@pytest.fixture
def neighbour(gateway, user, target):
    """Somebody who is connected all the time, and well at the end."""
    t = target()
    user.allow(f"127.0.0.1:{t.port}")
    c = user.login()
    yield
    assert gateway.process.running(), gateway.log()[-3000:]
    assert c.direct("127.0.0.1", t.port).opened


@pytest.mark.parametrize("what, part", [*((what, 1) for what in NEVER if what != "ten megabytes"), ("ten megabytes", 8),
                                        pytest.param("ten megabytes", 1, marks=pytest.mark.soak)])
def test_text_that_is_none_ends_the_session_with_a_reason(gateway, user, neighbour, what, part):
    """Too long ones are cut while they come, which takes two seconds each: an eighth of them in the short form."""
    for kind, members in messages().items():
        for member in members[len(kind) % part::part]:
            control = greeted(user, kind)
            try:
                control.raw(line(kind, member, NEVER[what]))
                detail = control.hear("refused", reason="protocol")["detail"]
            except Closed:  # before all of it was taken
                detail = [m for m in control.messages() if m["type"] == "refused"][-1]["detail"]
            assert 0 < len(detail) < 1000, f"{kind} {member}: {detail[:2000]}"
            control.c.close()


def test_code_and_nonsense_stay_values_or_end_the_session(gateway, user, neighbour, folder):
    mark = os.path.join(folder, "executed")
    for kind, members in messages().items():
        for member in members:
            control = greeted(user, kind)
            for value in TEXT:
                if isinstance(value, str):
                    value = value.replace("{mark}", mark)
                try:
                    control.raw(line(kind, member, json.dumps(value).encode()))
                    over = ended(control, 0.02)
                except Closed:
                    over = True
                if over:
                    assert all(m["detail"] for m in control.messages() if m["type"] == "refused" and m["reason"] == "protocol")
                    control.c.close()
                    control = greeted(user, kind)
            control.c.close()
    assert not os.path.exists(mark)
    assert "\x1b" not in gateway.log()
