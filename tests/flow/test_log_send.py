"""`pra log send`: the client's logs at the gateway, checked line by line and joined with its audit."""

import os
import zipfile

import pytest

from lib import chain
from lib.client import exchange
from lib.clock import shifted
from lib.procs import run, wait_until


@pytest.fixture
def connected(client, echo_forward):
    exchange(echo_forward, b"hello", 5)
    return client


def send(client):
    return client.json("log", "send", timeout=60)["bundle"]


def verify(gateway, number):
    return gateway.admin_run("log", "verify", number)


def test_the_helpdesk_gets_the_logs_and_sees_both_sides(gateway, connected, folder):
    session = gateway.sessions()[0]["id"]
    number = send(connected)
    row = gateway.admin("log", "list", "--user", "suzuki")[0]
    assert row["id"] == number and row["whole"] and row["session"] == session
    assert row["device"] == connected.key_fingerprint() and row["lines"] > 10
    shown = gateway.admin("log", "show", number)
    assert shown["status"]["state"] == "connected" and shown["check"] and shown["sessions"][-1] == session
    assert all(log["confirmed"] > 0 for log in shown["logs"]), "the heads that the gateway was told"
    result = verify(gateway, number).ok()
    assert "System.log" in result.out and "User.log" in result.out and "whole" in result.out
    # Joined by session: the gateway's record of the channel stands between the client's lines.
    timeline = gateway.admin("log", "verify", number)["timeline"]
    assert {e["log"] for e in timeline} == {"System.log", "User.log", "gateway"}
    kinds = [e["kind"] for e in timeline if e["log"] == "gateway" and e["session"] == session]
    assert "login" in kinds and "channel-open" in kinds
    assert [e["at"] for e in timeline] == sorted(e["at"] for e in timeline)
    # As one file; what came is what was sent.
    path = os.path.join(folder, "saved.zip")
    gateway.admin_run("log", "export", number, "-o", path).ok()
    run(["unzip", "-tq", path]).ok()
    assert os.stat(path).st_mode & 0o077 == 0 and os.path.getsize(path) == row["size"]
    with zipfile.ZipFile(path) as z:
        assert "System.log" in z.namelist() and not any("prakey" in n for n in z.namelist())
    assert not any("log-" in n for n in os.listdir(connected.home)), "no copy stays on the PC"
    assert number in connected.system_log() and "log bundle sent" in connected.user_log()


def test_logs_are_deleted_after_90_days_and_so_are_files_that_belong_to_none(gateway, connected, folder):
    number = send(connected)
    files = os.path.join(gateway.dir, "bundles")
    stray = os.path.join(files, "left-by-a-crash.zip")
    connected.disconnect()
    for days, there in ((89, True), (91, False)):
        gateway.stop()
        with open(stray, "w"):
            os.utime(stray, (0, 0))
        gateway.env = shifted(folder, days * 86400)
        gateway.start()
        wait_until(lambda: not os.path.exists(stray), 20, "prad to look at what it keeps")
        assert [row["id"] for row in gateway.admin("log", "list")] == ([number] if there else [])
        assert sorted(os.listdir(files)) == ([f"{number}.json", f"{number}.zip"] if there else [])


def rewrite(path, change):
    """As somebody who knows the format: other lines, with a chain that fits."""
    import hashlib
    with open(path, encoding="utf-8") as f:
        lines = [chain.LINE.match(text)["text"] for text in f.read().splitlines()]
    start = chain.START.search(lines[0])
    number, digest, out = int(start["n"]), bytes.fromhex(start["chain"]), []
    for text in change(lines):
        number += 1
        digest = hashlib.sha256(digest + text.encode()).digest()
        out.append(f"{text} #{number} {digest[:16].hex()}\n")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(out)


def harm_line(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines(keepends=True)
    lines[3] = lines[3].replace(" ", "  ", 1)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(lines)


HARM = {"a line altered": (harm_line, "System.log.1:4: the line was altered"),
        "a line taken out, and the chain made anew": (
            lambda path: rewrite(path, lambda lines: lines[:3] + lines[4:]), "is not the line that the gateway was told of")}


@pytest.mark.parametrize("harm", HARM)
def test_what_was_done_to_the_log_is_pointed_out(gateway, connected, harm):
    change, words = HARM[harm]
    connected.close()
    connected.connect()  # a second head is told, behind what will be altered
    connected.close()
    # The agent will put a log aside in which it finds damage, and begin anew.
    path = os.path.join(connected.home, "log", "System.log")
    change(path)
    connected.connect()
    number = send(connected)
    result = verify(gateway, number)
    assert result.status == 1 and "NOT WHOLE" in result.out and words in result.out, result.out[:3000]
    row = gateway.admin("log", "list")[0]
    assert not row["whole"] and row["breaks"] >= 1
    gateway.wait_audit("log-bundle", reason="broken", detail=number)


def test_a_log_that_was_thrown_away_shows(gateway, connected):
    connected.close()
    for name in ("System.log", "User.log"):
        os.unlink(os.path.join(connected.home, "log", name))
    connected.connect()
    result = verify(gateway, send(connected))
    assert result.status == 1 and result.out.count("is not the line that the gateway was told of") >= 1, result.out


def test_who_is_not_connected_is_told_what_to_do(gateway, client):
    result = client.run("log", "send")
    assert result.status == 3 and "pra log collect" in result.err
    result = client.run("log", "send", lang="ja")
    assert result.status == 3 and "接続していません" in result.err
    assert gateway.admin("log", "list") == []


def test_a_long_log_is_cut_to_what_the_gateway_takes(gateway, connected):
    """The newest lines go; what is left out is the oldest, and that is no break."""
    folder = os.path.join(connected.home, "log")
    connected.close()
    path = os.path.join(folder, "System.log")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    filler = [f"2026-11-22T10:00:00.000Z info filler {os.urandom(40).hex()}" for _ in range(22000)]
    for number in range(9, 0, -1):
        with open(f"{path}.{number}", "w") as f:
            f.write("".join(f"{line} #{i + 1} {'0' * 32}\n" for i, line in enumerate(filler)))
    assert text
    connected.connect()
    number = send(connected)
    row = gateway.admin("log", "list")[0]
    assert row["id"] == number and row["size"] <= 8 << 20
    shown = gateway.admin("log", "show", number)
    names = [f["name"] for f in shown["files"]]
    assert "System.log" in names and "System.log.9" not in names and "manifest.txt" in names
