"""System.log and User.log: what they tell, their chain, rotation, and the bundle for the helpdesk."""

import os
import re
import zipfile

import pytest

from lib import chain
from lib.client import PASSPHRASE, exchange
from lib.ports import free_port
from lib.procs import run, wait_until


@pytest.fixture
def logs(client, echo_forward):
    """The folder of a connected client's logs."""
    exchange(echo_forward, b"hello", 5)
    return os.path.join(client.home, "log")


def test_both_logs_are_written_and_their_chains_hold(logs):
    for name in ("System.log", "User.log"):
        lines, _ = chain.verify(logs, name)
        assert lines > 1, name


def test_user_log_tells_what_the_user_did_and_system_log_what_the_system_did(logs, client, gateway):
    client.disconnect()
    assert "connect" in client.user_log() and "disconnect" in client.user_log()
    system = client.system_log()
    assert gateway.address in system and gateway.fingerprint() in system
    for line in system.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) \S+", line), line


def test_errors_stand_in_the_log_with_code(client):
    client.set_passphrase("wrong")
    client.try_connect(3)
    wait_until(lambda: "ERR(10193)" in client.system_log() + client.user_log(), 3, "the code")


def test_chain_goes_on_over_agents_and_restarts(logs, client):
    before, _ = chain.verify(logs, "System.log")
    client.close()
    client.connect()
    after, _ = chain.verify(logs, "System.log")
    assert after > before


@pytest.mark.parametrize("harm", ["remove", "change", "swap"])
def test_tampered_log_shows_in_the_check(logs, client, harm):
    client.close()
    path = os.path.join(logs, "System.log")
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines(keepends=True)
    assert len(lines) > 5
    if harm == "remove":
        del lines[3]
    elif harm == "change":
        lines[3] = lines[3].replace("info", "warn", 1) if "info" in lines[3] else "x" + lines[3]
    else:
        lines[2], lines[3] = lines[3], lines[2]
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(lines)
    with pytest.raises(AssertionError):
        chain.verify(logs, "System.log")
    bundle = os.path.join(client.dir, "b.zip")
    result = client.run("log", "collect", "-o", bundle)
    shown = result.out + result.err + _all_text(bundle)
    assert "System.log:" in shown and ("chain" in shown.lower() or "damaged" in shown.lower())


def test_rotated_logs_carry_on_the_chain(client, gateway, target):
    client.configure("log", size="64K", keep="3")
    gateway.add_rule("suzuki", "Nobody", f"127.0.0.1:{free_port()}", port := free_port())
    client.connect()
    folder = os.path.join(client.home, "log")

    def rotated():
        # Each refused connection leaves lines.
        for _ in range(50):
            try:
                exchange(port, b"x")
            except OSError:
                pass
        return len(chain.files(folder, "System.log")) > 2 or len(chain.files(folder, "User.log")) > 2
    wait_until(rotated, 60, "two rotations", interval=0)
    for name in ("System.log", "User.log"):
        chain.verify(folder, name)
        for path in chain.files(folder, name):
            assert os.path.getsize(path) <= (64 << 10) + 4096


def test_gateway_holds_the_head_of_the_chain(logs, gateway):
    record = gateway.wait_audit("log-head", user="suzuki")
    with open(os.path.join(logs, "System.log")) as f:
        text = f.read()
    hashes = re.findall(r"[0-9a-f]{32,64}", str(record))
    assert any(h[:32] in text for h in hashes), record


def _all_text(path):
    if not os.path.exists(path):
        return ""
    with zipfile.ZipFile(path) as z:
        return "\n".join(z.read(n).decode("utf-8", "replace") for n in z.namelist())


def test_bundle_holds_everything_for_the_helpdesk_and_lists_it(logs, client, gateway):
    bundle = os.path.join(client.dir, "bundle.zip")
    listed = client.run("log", "collect", "-o", bundle).ok()
    with zipfile.ZipFile(bundle) as z:
        assert z.testzip() is None
        names = z.namelist()
    run(["unzip", "-tq", bundle]).ok()
    for wanted in ("System.log", "User.log"):
        assert any(wanted in n for n in names), names
    assert any("check" in n for n in names), names
    assert any("env" in n for n in names), names
    for name in names:
        assert name in listed.out, f"{name} is in the bundle and not in the list"
    assert os.stat(bundle).st_mode & 0o077 == 0
    session = gateway.sessions()[0]["id"]
    assert session in _all_text(bundle), "the audit reference"


def test_bundle_holds_no_secret(logs, client):
    bundle = os.path.join(client.dir, "bundle.zip")
    client.env["SECRET_TOKEN"] = "do-not-collect-me"
    client.run("log", "collect", "-o", bundle).ok()
    text = _all_text(bundle)
    assert PASSPHRASE not in text
    assert "do-not-collect-me" not in text
    with open(os.path.join(client.home, "id.prakey"), "rb") as f:
        sealed = f.read()
    assert not any(line and len(line) > 40 and line.decode(errors="replace") in text
                   for line in sealed.splitlines()), "the key file"
    with zipfile.ZipFile(bundle) as z:
        assert not any("prakey" in n for n in z.namelist())


def test_bundle_is_not_written_over_an_existing_file_by_accident(logs, client):
    path = os.path.join(client.dir, "mine.zip")
    with open(path, "w") as f:
        f.write("mine")
    result = client.run("log", "collect", "-o", path)
    assert result.status == 1
    with open(path) as f:
        assert f.read() == "mine"


def test_peer_text_cannot_forge_log_lines(gateway, client, target):
    """A rule's name with newlines and control characters stays on one line, or is refused."""
    name = "POP\n2026-01-01T00:00:00.000Z info forged"
    result = gateway.admin_run("rule", "add", "--user", "suzuki", "--name", name, "--target",
                               f"127.0.0.1:{target().port}", "--local", str(free_port()))
    if result.status == 0:
        client.connect()
        chain.verify(os.path.join(client.home, "log"), "System.log")
    assert "\n2026-01-01T00:00:00.000Z info forged" not in gateway.log()
