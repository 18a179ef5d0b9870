"""The gateway goes away and comes back, asks for a reload, or is not the gateway it was."""

import shutil
import socket
import subprocess

import pytest

from lib.client import exchange
from lib.gateway import program
from lib.messages import assert_error, assert_shows
from lib.ports import free_port
from lib.procs import port_answers, wait_until
from lib.terminal import Terminal


def test_forward_survives_gateway_restart(gateway, client, echo_forward):
    gateway.kill()
    lost = client.wait_state("waiting")
    assert lost["retry_in"] is not None
    assert port_answers(echo_forward), "the listener must stay up"
    assert {f["state"] for f in lost["forwards"]} == {"listening"}
    gateway.start()
    client.wait_state("connected", 30)
    assert exchange(echo_forward, b"back", 4) == b"back"
    log = client.system_log()
    assert log.count("WAR(10103)") >= 1, "System.log tells the story"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_lost_gateway_is_told_with_a_countdown(gateway, client, echo_forward, lang):
    gateway.kill()
    client.wait_state("waiting")
    status = client.status(lang=lang)
    assert_error(status["error"], "MSG_GATEWAY_LOST", lang)
    assert str(status["server"]) == gateway.address


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_stopping_gateway_says_goodbye(gateway, client, echo_forward, lang):
    gateway.stop()
    client.wait_state("waiting")
    assert_error(client.status(lang=lang)["error"], "MSG_GATEWAY_SHUTDOWN", lang)
    gateway.start()
    client.wait_state("connected", 30)


def test_every_client_is_back_after_several_restarts(gateway, client, echo_forward):
    for _ in range(3):
        gateway.restart()
        client.wait_state("connected", 30)
        assert exchange(echo_forward, b"again", 5) == b"again"


def test_manual_disconnect_stays_disconnected(gateway, client, echo_forward):
    client.disconnect().ok()
    assert client.status()["state"] == "disconnected"
    assert not port_answers(echo_forward)
    gateway.restart()
    assert client.status()["state"] == "disconnected"
    assert gateway.sessions() == []


def test_disconnect_while_waiting_ends_the_waiting(gateway, client, echo_forward):
    gateway.kill()
    client.wait_state("waiting")
    client.disconnect().ok()
    gateway.start()
    assert client.status()["state"] == "disconnected"
    assert not port_answers(echo_forward)


def test_reload_keeps_sessions_and_listeners(gateway, client, echo_forward):
    with socket.create_connection(("127.0.0.1", echo_forward), timeout=5) as s:
        s.sendall(b"a")
        assert s.recv(1) == b"a"
        gateway.write_config("[log]\nlevel = debug\n")
        gateway.reload()
        wait_until(lambda: "reload" in gateway.log(), 5, "the reload in prad's log")
        s.sendall(b"b")
        assert s.recv(1) == b"b"


def test_reload_of_a_broken_file_keeps_the_old_settings_and_says_where(gateway, client, echo_forward):
    gateway.write_config("[log]\nlevel = loud\n")
    gateway.reload()
    wait_until(lambda: "prad.ini:8" in gateway.log(), 5, "file and line in prad's log")
    assert exchange(echo_forward, b"still", 5) == b"still"


def test_broken_configuration_does_not_start_and_names_the_line(make_gateway):
    gateway = make_gateway(start=False)
    for extra, line in (("[log]\nlevel = loud\n", 8), ("[gateway]\nlisten = 1.2.3.4:99999\n", 8),
                        ("[gatway]\nx = 1\n", 7), ("[log]\nlevle = info\n", 8)):
        gateway.write_config(extra)
        result = subprocess.run([*_prad(gateway), "--check"], capture_output=True, text=True, timeout=10)
        assert result.returncode != 0
        assert f"prad.ini:{line}" in result.stderr, result.stderr


def test_good_configuration_passes_the_check(gateway):
    result = subprocess.run([*_prad(gateway), "--check"], capture_output=True, text=True, timeout=10)
    assert result.returncode == 0, result.stderr


def _prad(gateway):
    return [program("prad"), "--config", gateway.config]


def test_acknowledged_changes_survive_kill(gateway, client, target):
    for round_number in range(10):
        name = f"user{round_number}"
        gateway.add_user(name)
        gateway.kill()
        gateway.start()
        assert name in [u["name"] for u in gateway.admin("user", "list")]


def test_second_gateway_on_the_same_store_is_refused(gateway):
    result = subprocess.run(_prad(gateway), capture_output=True, text=True, timeout=10)
    assert result.returncode == 1
    assert gateway.admin("user", "list") == []


def test_fresh_gateway_has_no_account_no_key_no_rule(gateway):
    for what in ("user", "group", "key", "rule", "session"):
        assert gateway.admin(what, "list") == []


# --- host keys ---------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_changed_host_key_is_a_plain_stop(gateway, client, echo_forward, make_gateway, lang):
    other = make_gateway("other", start=False)
    gateway.stop()
    shutil.copy(other.host_key, gateway.host_key)
    gateway.start()
    client.wait_state("error", 30)
    status = client.status(lang=lang)
    assert_error(status["error"], "MSG_HOSTKEY_CHANGED", lang)
    assert status["retry_in"] is None
    assert client.try_connect(5).status == 1
    assert gateway.sessions() == []


def test_wrong_fingerprint_never_connects(gateway, client, target):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    client.set_server(fingerprint="SHA256:" + "A" * 43)
    result = client.try_connect(5)
    assert result.status == 1
    assert_shows(result.err, "MSG_HOSTKEY_CHANGED")
    assert gateway.audit("login") == []


def test_malformed_fingerprint_is_refused_when_it_is_set(client, gateway):
    assert client.run("server", "set", gateway.address, "--fingerprint", "SHA256:short").status == 2


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_unknown_host_key_needs_a_person(gateway, make_client, target, lang):
    client = _without_fingerprint(gateway, make_client, target)
    result = client.try_connect(5, lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_HOSTKEY_UNKNOWN", lang)


def test_person_at_a_terminal_confirms_the_host_key_once(gateway, make_client, target):
    client = _without_fingerprint(gateway, make_client, target)
    shown = at_terminal(client, ["connect", "--passphrase-file", client.passphrase_file, "--wait", "10"],
                        "yes\n")
    assert gateway.fingerprint() in shown
    client.wait_state("connected")
    client.disconnect()
    client.connect()


def test_person_at_a_terminal_may_refuse_the_host_key(gateway, make_client, target):
    client = _without_fingerprint(gateway, make_client, target)
    at_terminal(client, ["connect", "--passphrase-file", client.passphrase_file, "--wait", "10"], "no\n")
    assert client.status()["state"] in ("disconnected", "error")
    assert client.try_connect(5).status == 1


def _without_fingerprint(gateway, make_client, target):
    client = make_client()
    client.keygen()
    gateway.add_user("suzuki")
    client.register()
    client.run("server", "set", gateway.address).ok()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    return client


def at_terminal(client, args, answer):
    """Runs a `pra` command on a pseudo terminal and answers its question; returns what it showed."""
    t = Terminal(client, *args)
    try:
        t.read_until("SHA256:")
        t.read_until("?")
        t.type(answer)
        t.read_until(None)
        return t.shown
    finally:
        t.close()
