"""A PC that was copied whole, identifiers and all, is found out by its ticket; nobody else is (N2)."""

import os
import random
import shutil
import signal
import stat
import subprocess
import time

import pytest

from lib.machines import OFFICE_PC, OTHER_PC, changed
from lib.messages import assert_error, assert_shows
from lib.ports import free_port
from lib.procs import wait_until

ROUNDS = int(os.environ.get("PRA_CRASH_ROUNDS", "6"))


@pytest.fixture
def office(make_client, gateway, target):
    """Registered, with a rule, connected once and away again: it has its first ticket."""
    client = make_client(machine=OFFICE_PC).enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    return visit(gateway, client)


@pytest.fixture
def copy_of(make_client):
    """Another machine with everything of the first one: files, identifiers, ticket."""
    def make(client):
        copy = make_client("copy", machine=OFFICE_PC)
        shutil.copytree(client.home, copy.home, ignore=shutil.ignore_patterns("run", "log"), dirs_exist_ok=True)
        return copy
    return make


def ticket_file(client):
    return os.path.join(client.home, "id.prakey.tickets")


def content(client):
    with open(ticket_file(client), "rb") as f:
        return f.read()


def visit(gateway, client):
    """Connects, waits for the new ticket, and disconnects."""
    before = client.system_log().count("ticket-stored") if os.path.exists(f"{client.home}/log") else 0
    client.connect()
    wait_until(lambda: client.system_log().count("ticket-stored") > before, 5, "a new ticket")
    client.disconnect().ok()
    wait_until(lambda: not gateway.sessions(), 5)
    return client


def refused(client, name, lang="en"):
    result = client.try_connect(lang=lang)
    assert result.status == 1
    assert_shows(result.err, name, lang)
    assert_error(client.status(lang=lang)["error"], name, lang)


def release(gateway, client):
    gateway.admin("key", "release", client.key_fingerprint())


def policy(gateway, word):
    gateway.write_config(f"[keys]\nclone = {word}\n")
    gateway.reload()
    wait_until(lambda: "reloaded" in gateway.log(), 5, "the settings to be read")


def test_ticket_is_private_and_another_one_after_each_login(gateway, office):
    if not office.windows:
        assert stat.S_IMODE(os.stat(ticket_file(office)).st_mode) == 0o600
    before = content(office)
    visit(gateway, office)
    assert content(office) != before
    assert not gateway.audit("clone")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_copied_pc_is_refused_told_and_an_alert(gateway, office, copy_of, lang):
    copy = copy_of(office)
    visit(gateway, office)
    refused(copy, "MSG_KEY_TICKET_STALE", lang)
    assert "cause=ticket-stale" in copy.system_log()
    alert = wait_until(lambda: gateway.admin("alert", "list", "--kind", "clone"), 5)[0]
    assert alert["user"] == "suzuki" and alert["device"] == office.key_fingerprint()
    assert "ticket-stale" in str(gateway.admin("user", "trouble", "suzuki")) or gateway.audit("login-refused", reason="ticket-stale")
    visit(gateway, office)


def test_restored_pc_is_let_in_again_by_the_administrator(gateway, office):
    old = content(office)
    visit(gateway, office)
    with open(ticket_file(office), "wb") as f:
        f.write(old)
    refused(office, "MSG_KEY_TICKET_STALE")
    release(gateway, office)
    visit(gateway, office)
    os.unlink(ticket_file(office))
    refused(office, "MSG_KEY_TICKET_MISSING")
    release(gateway, office)
    visit(gateway, office)


def test_quarantine_cuts_the_tunnel_and_ends_with_the_release(gateway, office, copy_of):
    policy(gateway, "quarantine")
    copy = copy_of(office)
    office.connect()
    office.wait_log("ticket-stored")
    wait_until(lambda: office.system_log().count("ticket-stored") == 2, 5)
    begun = time.monotonic()
    refused(copy, "MSG_KEY_QUARANTINED")
    status = office.wait_state("error", 5)
    assert status["error"]["code"] == "ERR(10217)"
    assert office.windows or time.monotonic() - begun < 8  # wine alone takes as long to start the copy's programs
    refused(office, "MSG_KEY_QUARANTINED", "ja")
    release(gateway, office)
    visit(gateway, office)
    refused(copy, "MSG_KEY_QUARANTINED")


def test_pc_that_left_its_dock_is_no_clone_of_the_connection_that_hangs(gateway, office, relay):
    office.set_server(f"127.0.0.1:{relay.port}")
    office.configure("dead_peer", delay="1s", timeout="2s", action="clear")
    office.connect()
    relay.go_silent()
    office.wait_state("error", 10)
    assert len(gateway.sessions()) == 1
    office.set_machine(changed(OFFICE_PC, mac=OTHER_PC["mac"]))
    relay.come_back()
    office.connect()
    assert not gateway.audit("clone")


def test_allow_lets_both_in(gateway, office, copy_of):
    policy(gateway, "allow")
    copy = copy_of(office)
    for client in (office, copy, office):
        visit(gateway, client)
    assert len(gateway.audit("clone", reason="ticket-stale")) == 2


def test_damaged_ticket_is_told_and_none(gateway, office):
    with open(ticket_file(office), "wb") as f:
        f.write(b"{\"tickets\": 7}")
    refused(office, "MSG_KEY_TICKET_MISSING")
    assert "ticket-not-read" in office.system_log()
    release(gateway, office)
    visit(gateway, office)


def test_a_pc_with_a_full_disk_keeps_its_ticket_and_goes_on(gateway, office):
    os.makedirs(ticket_file(office) + ".away")
    old = content(office)
    os.unlink(ticket_file(office))
    os.rename(ticket_file(office) + ".away", ticket_file(office))  # a folder: it can be neither read nor replaced
    release(gateway, office)
    for _ in range(2):
        office.connect()
        gateway.wait_audit("ticket", reason="ticket-not-stored")
        office.disconnect().ok()
        wait_until(lambda: not gateway.sessions(), 5)
    assert "ticket-not-stored" in office.system_log() and old
    os.rmdir(ticket_file(office))
    visit(gateway, office)
    assert not gateway.audit("clone")


def kill_all(client, sig=signal.SIGKILL):
    for pid in client.agent_pids():
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass
    wait_until(lambda: not client.agent_pids(), 5)


def begin_to_connect(client):
    return subprocess.Popen(client.command("connect", "--passphrase-file", client.passphrase_file, "--wait", "10"),
                            env={**os.environ, **{k: v for k, v in client.env.items() if v is not None}},
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_killed_at_any_moment_the_pc_gets_in_again(gateway, office):
    for _ in range(ROUNDS):
        said = gateway.log().count(" hello ")
        command = begin_to_connect(office)
        wait_until(lambda: gateway.log().count(" hello ") > said, 10, "hello", interval=0.005)
        time.sleep(random.uniform(0, 0.12))
        kill_all(office)
        command.kill()
        command.wait()
    visit(gateway, office)
    assert not gateway.audit("clone") and not gateway.audit("login-refused")


def test_a_gateway_that_is_killed_at_any_moment_lets_the_pc_in_again(gateway, office):
    office.connect()
    for _ in range(ROUNDS):
        said = gateway.log().count(" hello ")
        gateway.process.signal(signal.SIGKILL)
        gateway.process.wait(5)
        gateway.start()
        office.agent_call(op="connect", passphrase=office.passphrase)  # now, without the wait
        wait_until(lambda: gateway.log().count(" hello ") > said, 20, "hello", interval=0.005)
        time.sleep(random.uniform(0, 0.12))
    office.wait_state("connected", 20)
    office.disconnect()
    visit(gateway, office)
    assert not gateway.audit("clone") and not gateway.audit("login-refused")
