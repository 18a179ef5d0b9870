"""Log bundles as a hostile client would send them: bombs, lies, tricks with names, floods."""

import base64
import hashlib
import io
import os
import sqlite3
import stat
import struct
import zipfile

import pytest

from lib.procs import own_kib, wait_until
from test_control import Control, hello

PIECE = 45000


def log(lines, before=0, chain=bytes(32)):
    """A chained log as the client writes it (common/README.md)."""
    out, n = [], before
    for text in [f"2026-11-22T10:00:00.000Z info log-start lines={before} chain={chain.hex()}", *lines]:
        n += 1
        chain = hashlib.sha256(chain + text.encode()).digest()
        out.append(f"{text} #{n} {chain[:16].hex()}\n")
    return "".join(out)


def line(text, second=0):
    return f"2026-11-22T10:00:{second:02}.123Z info {text}"


GOOD = {"System.log": log([line("started"), line("session " + "ab" * 16, 1)]), "User.log": log([line("connect")])}


def bundle(files=None, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in (GOOD if files is None else files).items():
            z.writestr(name, text, **options)
    return buffer.getvalue()


@pytest.fixture
def control(user):
    c = Control(user.login())
    c.say(hello())
    assert c.hear("welcome")["logs"] == 8 << 20
    return c


_ids = iter(range(1, 10000))


def send(control, data, size=None, sha256=None):
    """The gateway's last word on a bundle."""
    number = next(_ids)
    control.say({"type": "log-begin", "id": number, "size": len(data) if size is None else size,
                 "sha256": sha256 or hashlib.sha256(data).hexdigest()})

    def last():
        return control.hear("log", 20, id=number)
    answer = last()
    for at in range(0, len(data), PIECE):
        if answer["state"] not in ("go", "more"):
            return answer
        heard = len(control.messages())
        control.say({"type": "log-data", "id": number, "data": base64.b64encode(data[at:at + PIECE]).decode()})
        control.c.until(lambda h=heard: len(control.messages()) > h, 20)
        answer = last()
    return answer


def test_a_good_one_is_kept_and_told_of(gateway, user, control):
    answer = send(control, bundle())
    assert answer["state"] == "done"
    row = gateway.admin("log", "list", "--user", user.name)[0]
    assert row["id"] == answer["bundle"] and row["whole"] and row["lines"] == 5
    shown = gateway.admin("log", "show", row["id"])
    assert [entry["name"] for entry in shown["files"]] == ["System.log", "User.log"] and shown["sessions"] == ["ab" * 16]
    folder = os.path.join(gateway.dir, "bundles")
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert sorted(os.listdir(folder)) == [row["id"] + ".json", row["id"] + ".zip"]
    for name in os.listdir(folder):
        assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600
    gateway.wait_audit("log-bundle", reason="whole", detail=row["id"])
    gateway.admin("log", "delete", row["id"])
    assert os.listdir(folder) == [] and gateway.admin("log", "list") == []


BROKEN = {
    "removed": ([0, 1, 3, 4], "missing", 3), "altered": ([0, 1, "x", 3, 4], "altered", 3),
    "swapped": ([0, 1, 3, 2, 4], "missing", 3), "noise": ([0, 1, "noise", 2, 3, 4], "unreadable", 3),
    "beginning": ([1, 2, 3, 4], "not-joined", 1)}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_done_to_a_log_is_found_with_its_line(gateway, control, name):
    order, kind, number = BROKEN[name]
    whole = log([line(f"event {i}", i) for i in range(4)]).splitlines(keepends=True)
    text = "".join({"x": whole[2].replace("event 1", "event 9"), "noise": "something else\n"}.get(i) or whole[i]
                   for i in order)
    answer = send(control, bundle({"System.log": text}))
    report = gateway.admin("log", "show", answer["bundle"])
    found = report["logs"][0]["breaks"]
    assert not report["whole"] and found[0]["kind"] == kind and found[0]["line"] == number, found


def lie(data, at_central, fmt, value):
    """Another number in the first record of the directory."""
    at = data.index(b"PK\1\2") + at_central
    return data[:at] + struct.pack(fmt, value) + data[at + struct.calcsize(fmt):]


def hostile():
    good = bundle()
    yield "no zip", os.urandom(5000)
    yield "nothing in it", bundle({})
    yield "no log in it", bundle({"readme.txt": "hello"})
    yield "cut off", good[:-30]
    yield "padded", good + b"x"
    yield "bytes changed", good[:40] + bytes(20) + good[60:]
    yield "too many files", bundle({**GOOD, **{f"f{i}": "" for i in range(70)}})
    for name in ("../x", "/etc/passwd", "a/b", "..", ".", "a\\b", "con:", "ф", "System.log\n", "n" * 200):
        yield f"name {name[:12]!r}", bundle({**GOOD, name: "x"})
    yield "size understated", lie(good, 24, "<I", 10)
    yield "size overstated", lie(good, 24, "<I", 30 << 20)
    yield "4 GiB", lie(good, 24, "<I", 0xfffffffe)
    yield "packed size", lie(good, 20, "<I", 0x7fffffff)
    yield "offset", lie(good, 42, "<I", 0x7fffff00)
    yield "checksum", lie(good, 16, "<I", 1)
    yield "method", lie(good, 10, "<H", 12)
    yield "encrypted", lie(good, 8, "<H", 1)
    yield "bomb of one", bundle({"System.log": "x" * (33 << 20)})
    yield "bomb of many", bundle({**GOOD, **{f"System.log.{i}": bytes(8 << 20) for i in range(1, 10)}})


HOSTILE = dict(hostile())


@pytest.mark.parametrize("names", [list(HOSTILE)[i::6] for i in range(6)], ids=range(6))
def test_what_is_no_bundle_is_refused_and_leaves_nothing(gateway, control, names):
    before = sorted(os.listdir(gateway.dir))
    for name in names:
        assert send(control, HOSTILE[name])["reason"] == "damaged", name
    assert gateway.admin("log", "list") == []
    assert sorted(os.listdir(gateway.dir)) == before and gateway.process.running()


@pytest.mark.release_only
def test_a_bomb_takes_no_more_memory_than_it_may(gateway, control):
    """A thousand to one, as large as is taken: it is examined, and the memory comes back."""
    send(control, bundle())
    before = own_kib(gateway.pid)
    text = (line("x" * 3000) + " #1 " + "0" * 32 + "\n") * 10000
    data = bundle({"System.log": text[:31 << 20], "User.log": "y" * (31 << 20)})
    assert len(data) < 200000
    assert send(control, data)["state"] == "done"
    assert own_kib(gateway.pid) - before < 20 << 10


def test_lies_about_the_bytes(gateway, user, control):
    assert send(control, bundle(), sha256="0" * 64)["reason"] == "damaged"
    assert send(control, b"", size=(8 << 20) + 1)["reason"] == "size"
    number = next(_ids)
    control.say({"type": "log-begin", "id": number, "size": 10, "sha256": "0" * 64})
    control.say({"type": "log-begin", "id": number + 5000, "size": 10, "sha256": "0" * 64})
    assert control.hear("log", id=number + 5000)["reason"] == "busy"
    control.say({"type": "log-data", "id": number + 1, "data": "AAAA"})  # of none that is under way
    control.say({"type": "log-data", "id": number, "data": base64.b64encode(bytes(11)).decode()})
    assert control.hear("refused", reason="protocol")
    assert control.c.closed_within(5)
    for bad in ({"size": 0}, {"size": -1}, {"size": "1"}, {"sha256": "x" * 64}, {"sha256": None}, {"id": None}):
        c = Control(user.login())
        c.say(hello())
        c.say({"type": "log-begin", "id": 1, "size": 10, "sha256": "0" * 64, **bad})
        assert c.hear("refused", reason="protocol"), bad
        c.c.close()


def test_nobody_sends_without_end(gateway, user, control):
    answers = [send(control, bundle()) for _ in range(7)]
    assert [a["state"] for a in answers] == ["done"] * 6 + ["refused"] and answers[6]["reason"] == "often"
    assert len(gateway.admin("log", "list", "--user", user.name)) == 6


def test_only_the_newest_are_kept_and_not_for_ever(gateway, user):
    for _ in range(2):
        c = Control(user.login())
        c.say(hello())
        for _ in range(6):
            assert send(c, bundle())["state"] == "done"
        gateway.restart()
    rows = gateway.admin("log", "list")
    assert len(rows) == 10
    folder = os.path.join(gateway.dir, "bundles")
    assert {n.split(".")[0] for n in os.listdir(folder)} == {r["id"] for r in rows}
    gateway.stop()
    with sqlite3.connect(os.path.join(gateway.dir, "pra.db")) as db:
        db.execute("UPDATE bundles SET at = at - 91 * 86400 WHERE public_id <> ?", (rows[0]["id"],))
    db.close()
    gateway.start()
    wait_until(lambda: [r["id"] for r in gateway.admin("log", "list")] == [rows[0]["id"]], 10)
    assert len(os.listdir(folder)) == 2


def test_places_come_back_when_a_client_goes(gateway, user, make_user):
    """Four at a time, from whoever it is; one that goes in the middle of it makes room."""
    halves = []
    for i in range(4):
        u = make_user(gateway, f"bob{i}")
        c = Control(u.login())
        c.say(hello())
        c.say({"type": "log-begin", "id": 1, "size": 100, "sha256": "0" * 64})
        assert c.hear("log")["state"] == "go"
        halves.append(c)
    c = Control(user.login())
    c.say(hello())
    assert send(c, bundle())["reason"] == "busy"
    halves[0].c.close()

    def taken():
        return send(c, bundle())["state"] == "done"
    wait_until(taken, 10, "a place", interval=0.2)
