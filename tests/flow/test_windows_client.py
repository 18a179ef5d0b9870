"""What only the Windows client has (PRA=pra.exe). Everything else is tested by the files that test the Linux client."""

import json
import os

from lib import winclient
from lib.client import exchange, is_cut
from lib.procs import run


def test_one_file_that_needs_windows_own_dlls_alone():
    dlls = {line.split()[-1].lower() for line in
            run(["x86_64-w64-mingw32-objdump", "-p", winclient.program("windows/pra.exe")]).ok().out.splitlines()
            if "DLL Name" in line}
    assert dlls <= {"advapi32.dll", "bcrypt.dll", "crypt32.dll", "dbghelp.dll", "iphlpapi.dll", "kernel32.dll",
                    "msvcrt.dll", "ole32.dll", "shell32.dll", "user32.dll", "userenv.dll", "ws2_32.dll"}, dlls


def test_the_release_holds_no_code_of_the_tests():
    with open(winclient.program("windows/pra.exe"), "rb") as f:
        content = f.read()
    for word in (b"PRA_TEST_FOREIGN_PEERS", b"PRA_TEST_MACHINE", b"PRA_TEST_LOG2_N"):
        assert word not in content


def test_identifiers_of_this_pc_bind_the_key(make_client):
    key = make_client()
    key.keygen()
    shown = key.json("key", "show")
    # What wine can tell; disk and board have no serial numbers there,
    # and the volume's is not always told.
    assert {"smbios_uuid", "machine_id", "computer_name", "cpu_model"} <= set(shown["identifiers"])
    assert shown["binding"] == "bound"


def test_requests_come_over_the_pipe_and_the_logs_tell_the_story(client, echo_forward):
    assert exchange(echo_forward, b"through a named pipe's tunnel") == b"through a named pipe's tunnel"
    info = client.agent_call(op="info")
    assert info["ok"] and info["version"]
    assert client.agent_call(op="note", log="user", text="書いた人")["ok"]
    assert "書いた人" in client.user_log()
    client.wait_log("state connecting -> connected")
    assert client.status()["state"] == "connected"
    assert client.disconnect().status == 0
    assert client.status()["state"] == "disconnected"


def test_a_release_serves_no_program_that_windows_does_not_know(client, echo_forward):
    """A program of Linux has no process and so no user there: the agent as it is installed resets it."""
    client.close()
    client.pra = winclient.program("windows/pra.exe")
    client.keygen("--force")  # the build for tests has made one that costs too little to open (conftest.py)
    client.register()
    client.connect()
    client.wait_forward("Echo")
    assert is_cut(echo_forward, timeout=60)  # wine looks at each connection of the PC
    client.wait_log("connection refused")


def test_a_port_that_another_program_of_windows_holds_is_a_conflict_until_it_is_free(gateway, client, make_client,
                                                                                     echo_forward):
    """Two agents on one PC, each the other's foreign program. Its pid is not asked for: wine's is always 0."""
    gateway.add_user("tanaka")
    gateway.add_rule("tanaka", "Same", "127.0.0.1:9", echo_forward)
    second = make_client(name="second", user="tanaka").enrol()
    second.connect()
    forward = second.wait_forward("Same", "conflict")
    assert "ERR(10301)" in forward["error"]
    client.disconnect()
    second.wait_forward("Same", "listening", timeout=15)


def test_japanese_names_of_folders_and_words(make_client):
    c = make_client(name="設定", lang="ja")
    c.keygen()
    assert os.path.exists(os.path.join(c.home, "id.prakey"))
    done = c.run("connect", "--passphrase-file", c.passphrase_file)
    assert done.status == 1 and "サーバ" in done.err, str(done)
    assert json.loads(c.run("status", "--json").out)["state"] == "disconnected"


def test_agent_hears_after_programs_that_came_and_were_gone_at_once(client, echo_forward):
    before = client.agent_call(op="info")
    knocked = winclient.run([winclient.WINE, winclient.program("windows/tests/agent_call.exe"), "--knock", "3000"],
                            client.env, timeout=60)
    assert knocked.status == 0, str(knocked)
    assert client.agent_call(op="info")["pid"] == before["pid"]


def test_other_programs_of_the_user_cannot_look_into_the_agent(client, echo_forward):
    pid = client.agent_call(op="info")["pid"]
    opened = winclient.run([winclient.WINE, winclient.program("windows/tests/agent_call.exe"), "--open", str(pid)],
                           client.env)
    assert opened.out.split() == ["look", "end", "wait"], str(opened)
