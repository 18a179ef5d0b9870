"""The command contract: help, versions, exit codes, what goes to stdout and what to stderr."""

import json
import os
import re
import signal

import pytest

from lib.client import exchange
from lib.gateway import program
from lib.messages import assert_shows
from lib.ports import free_port
from lib.procs import port_answers, run, wait_until

pytestmark = pytest.mark.release_client

CLIENT_COMMANDS = ["server set", "server show", "keygen", "key export", "key show", "connect",
                   "disconnect", "status", "rules", "explain", "check", "log collect", "pac"]
ADMIN_COMMANDS = ["init", "user add", "user list", "user enable", "user disable", "user delete",
                  "group add", "group list", "group member", "key add", "key list", "key revoke",
                  "rule add", "rule list", "rule move", "rule delete", "session list", "session kill",
                  "session show", "session close", "port list", "rule check", "key restore", "account reset",
                  "hostkey show", "audit list", "explain"]
STATUS_MEMBERS = {"state", "server", "user", "since", "error", "retry_in", "forwards"}
FORWARD_MEMBERS = {"name", "local", "target", "state", "error", "holder", "connections", "bytes_in",
                   "bytes_out"}


@pytest.mark.parametrize("name", ["pra", "prad", "pra-admin"])
def test_program_has_help_and_version_on_stdout(programs, name):
    for option in ("--help", "--version"):
        result = run([program(name), option]).ok()
        assert result.out and not result.err
    assert re.search(r"\d+\.\d+\.\d+", run([program(name), "--version"]).out)


@pytest.mark.parametrize("command", CLIENT_COMMANDS)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_client_command_has_help(make_client, command, lang):
    result = make_client().run(*command.split(), "--help", lang=lang).ok()
    assert f"pra {command}" in result.out and not result.err
    assert (re.search(r"[぀-ヿ]", result.out) is not None) == (lang == "ja")


@pytest.mark.parametrize("command", ADMIN_COMMANDS)
def test_admin_command_has_help(programs, command):
    result = run([program("pra-admin"), *command.split(), "--help"]).ok()
    assert result.out and not result.err


@pytest.mark.parametrize("args", [["nonsense"], ["connect", "--nonsense"], ["explain"], ["keygen"],
                                  ["connect", "--wait"], ["server", "set"], ["explain", "70000"],
                                  ["server", "set", "host:99999"], ["keygen", "--type", "rsa"]])
def test_wrong_usage_of_pra_exits_with_2(make_client, args):
    result = make_client().run(*args)
    assert result.status == 2
    assert result.err and not result.out


@pytest.mark.parametrize("args", [["nonsense"], ["user"], ["user", "add"], ["rule", "add"],
                                  ["rule", "add", "--user", "x", "--name", "n", "--target", "h:65558"],
                                  ["rule", "add", "--user", "x", "--name", "n", "--target", "h:1",
                                   "--hours", "Mon-Fri 25:00-26:00"],
                                  ["rule", "add", "--user", "x", "--name", "n", "--target", "h:1",
                                   "--from", "10.0.0.1/8"],
                                  ["explain", "--user", "x"]])
def test_wrong_usage_of_pra_admin_fails_and_says_why(gateway, args):
    gateway.add_user("x")
    result = gateway.admin_run(*args)
    assert result.status in (1, 2)
    assert result.err and not result.out


def test_commands_without_a_connection_exit_with_3(client):
    for args in (["status"], ["rules"], ["explain", "110"], ["disconnect"]):
        result = client.run(*args)
        assert result.status == 3, str(result)
    assert client.status()["state"] == "disconnected"


def test_status_has_exactly_the_members_of_the_contract(client, echo_forward):
    status = client.status()
    assert set(status) == STATUS_MEMBERS
    assert status["state"] == "connected" and status["error"] is None and status["retry_in"] is None
    assert status["user"] == "suzuki" and status["server"] == client.gateway.address
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", status["since"])
    assert [set(f) for f in status["forwards"]] == [FORWARD_MEMBERS]
    assert status["forwards"][0]["local"] == f"127.0.0.1:{echo_forward}"


def test_status_of_a_failure_has_code_message_cause_and_remedy(client, gateway):
    client.try_connect(3)
    error = client.status()["error"]
    assert set(error) == {"code", "message", "cause", "remedy"}
    assert error["code"] == "ERR(10203)"


def test_connect_lists_every_forward_and_says_that_forwarding_began(client, gateway, target):
    local = free_port()
    gateway.add_rule("suzuki", "POP", f"127.0.0.1:{target().port}", local)
    japanese = client.try_connect(10, lang="ja").ok()
    assert "接続が完了し、ポート転送を開始しました" in japanese.out
    assert "●" in japanese.out and f"127.0.0.1:{local}" in japanese.out
    assert "接続中" in client.run("status", lang="ja").out


def test_data_goes_to_stdout_and_text_to_stderr(client, echo_forward):
    for args in (["status"], ["rules"], ["key", "show"], ["server", "show"], ["check"]):
        json.loads(client.run(*args, "--json").out)
    failed = client.run("connect", "--passphrase-file", "/nonexistent")
    assert failed.status == 1 and failed.err and not failed.out


def test_failures_have_a_code_on_stderr(client):
    client.set_passphrase("wrong")
    result = client.try_connect(3)
    assert result.status == 1
    assert re.search(r"(ERR|WAR)\(\d{5}\)", result.err) and not result.out


def test_rules_lists_what_the_gateway_delivered(client, echo_forward):
    rules = client.json("rules")
    assert [r["name"] for r in rules] == ["Echo"]
    assert rules[0]["local"] == f"127.0.0.1:{echo_forward}"
    assert "Echo" in client.run("rules").ok().out


def test_server_show_tells_what_was_set(client, gateway):
    shown = client.run("server", "show").ok().out
    assert gateway.address in shown and gateway.fingerprint() in shown


def test_explain_names_the_deciding_rule_and_tests_the_target(client, echo_forward, gateway, target):
    answer = client.json("explain", str(echo_forward))
    assert answer["decision"] == "allow" and answer["name"] == "Echo"
    assert answer["connect"]["ok"] is True and answer["dns"]["ok"] is True
    assert answer["key"]["state"] == "active"
    dead = free_port()
    gateway.add_rule("suzuki", "Dead", f"127.0.0.1:{free_port()}", dead)
    client.wait_forward("Dead")
    answer = client.json("explain", str(dead))
    assert answer["decision"] == "allow" and answer["connect"]["ok"] is False
    assert "Dead" in client.run("explain", str(dead)).out


def test_explain_of_a_port_without_a_rule_fails(client, echo_forward):
    result = client.run("explain", str(free_port()))
    assert result.status == 1 and result.err


def test_foreground_keeps_the_connection_until_it_is_interrupted(client, gateway, target):
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port)
    process = client.foreground()
    try:
        process.wait_port(port)
        assert exchange(port, b"hello", 5) == b"hello"
        process.signal(2)
        assert process.wait(10) == 0
        assert not port_answers(port)
        wait_until(lambda: gateway.sessions() == [], 5, "the session to end")
    finally:
        process.stop()


def test_foreground_ends_with_the_cause_when_a_person_must_act(client, gateway):
    client.set_passphrase("wrong")
    process = client.foreground()
    assert process.wait(15) == 1
    assert "ERR(10193)" in process.output()
    process.stop()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_dead_agent_is_noticed(client, echo_forward, lang):
    for pid in client.agent_pids():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not client.agent_pids(), 5, "the agent to die")
    assert client.run("status", lang=lang).status == 3
    client.connect()
    assert exchange(echo_forward, b"again", 5) == b"again"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_agent_that_does_not_answer_is_told(client, echo_forward, lang):
    pid = client.agent_pids()[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        result = client.run("status", lang=lang, timeout=30)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert result.status == 1
    assert_shows(result.err, "MSG_AGENT", lang)


def test_no_secret_in_any_argument_list(client, gateway, target):
    """Everything that runs for a connection, while it stands."""
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    client.connect()
    for pid in client.agent_pids() + [gateway.pid]:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            assert client.passphrase.encode() not in f.read()
        with open(f"/proc/{pid}/environ", "rb") as f:
            assert client.passphrase.encode() not in f.read()


# --- pra check ---------------------------------------------------------------------------


def test_check_finds_everything_in_order(client, echo_forward):
    report = client.json("check")
    text = client.run("check").out
    assert "10022 OK!" in text
    for word in ("gateway", "DNS", "proxy"):
        assert word.lower() in text.lower()
    assert str(echo_forward) in json.dumps(report)


def test_check_in_japanese_has_the_table_of_ports(client, echo_forward):
    text = client.run("check", lang="ja").out
    for word in ("ポート", "方向", "プロトコル", "詳細"):
        assert word in text
    assert "※" in text


def test_check_says_what_is_in_the_way(client, gateway):
    gateway.stop()
    result = client.run("check")
    assert result.status == 1
    assert "ERR(10203)" in result.out + result.err


def test_check_without_a_server_address_still_reports(make_client):
    result = make_client().run("check", "--json")
    assert result.status == 1
    json.loads(result.out)
