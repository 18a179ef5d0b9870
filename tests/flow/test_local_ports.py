"""Local ports: taken, freed, with a fallback, not permitted."""

import os
import socket

import pytest

from lib.client import as_user, exchange, hand_over
from lib.messages import assert_shows
from lib.ports import free_port
from lib.procs import run

NOBODY = 65534


@pytest.fixture
def occupy():
    """Listens on a port, as another program on the PC would."""
    held = []

    def hold(port, address="127.0.0.1"):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.listen(5)
        held.append(s)
        return s

    yield hold
    for s in held:
        s.close()


@pytest.fixture
def two_forwards(gateway, client, target):
    """Rules "A" and "B" to one echo target; returns their local ports. Not connected."""
    t = target()
    ports = free_port(), free_port()
    for name, port in zip("AB", ports):
        gateway.add_rule("suzuki", name, f"127.0.0.1:{t.port}", port)
    return ports


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_busy_port_names_its_holder_and_leaves_the_others_alone(client, two_forwards, occupy, address):
    a, b = two_forwards
    occupy(a, address)
    client.connect()
    forwards = client.forwards()
    assert forwards["A"]["state"] == "conflict"
    assert forwards["A"]["holder"]["pid"] == os.getpid()
    assert "python" in forwards["A"]["holder"]["program"]
    assert forwards["B"]["state"] == "listening" and forwards["B"]["holder"] is None
    assert exchange(b, b"hello", 5) == b"hello"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_busy_port_is_told_with_code_cause_and_remedy(client, two_forwards, occupy, lang):
    occupy(two_forwards[0])
    client.connect()
    shown = client.run("status", lang=lang)
    assert_shows(shown.out + shown.err, "MSG_PORT_BUSY", lang, title=False)
    assert str(os.getpid()) in shown.out


def test_freed_port_is_taken_without_disturbing_the_others(client, two_forwards, occupy):
    a, b = two_forwards
    holder = occupy(a)
    client.connect()
    client.wait_forward("A", "conflict")
    with socket.create_connection(("127.0.0.1", b), timeout=5) as undisturbed:
        undisturbed.sendall(b"before")
        assert undisturbed.recv(6) == b"before"
        holder.close()
        client.wait_forward("A", "listening", timeout=15)
        assert client.forwards()["A"]["holder"] is None
        assert exchange(a, b"hello", 5) == b"hello"
        undisturbed.sendall(b"after")
        assert undisturbed.recv(5) == b"after"


def test_port_taken_again_after_a_disconnect_is_a_conflict_again(client, two_forwards, occupy):
    client.connect()
    client.disconnect()
    occupy(two_forwards[0])
    client.connect()
    client.wait_forward("A", "conflict")


def test_fallback_port_is_used_while_the_wanted_one_is_taken(gateway, client, target, occupy):
    wanted, fallback = free_port(), free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", wanted, fallback=fallback)
    occupy(wanted)
    client.connect()
    forward = client.wait_forward("Echo")
    assert forward["local"] == f"127.0.0.1:{fallback}"
    assert exchange(fallback, b"hello", 5) == b"hello"


def test_fallback_address_is_used_while_the_wanted_one_is_taken(gateway, client, target, occupy):
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port,
                     fallback=f"127.0.0.5:{port}")
    occupy(port)
    client.connect()
    assert client.wait_forward("Echo")["local"] == f"127.0.0.5:{port}"
    assert exchange(port, b"hello", 5, address="127.0.0.5") == b"hello"


def test_forward_listens_on_another_loopback_address(gateway, client, target):
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", f"127.0.0.9:{port}")
    client.connect()
    assert client.wait_forward("Echo")["local"] == f"127.0.0.9:{port}"
    assert exchange(port, b"hello", 5, address="127.0.0.9") == b"hello"
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_all_ports_taken_is_a_warning_of_its_own(client, two_forwards, occupy, lang):
    for port in two_forwards:
        occupy(port)
    result = client.try_connect(lang=lang)
    shown = client.run("status", lang=lang)
    assert_shows(result.err + shown.out + shown.err, "MSG_NO_LOCAL_PORT", lang)


def test_gateway_hears_which_port_is_taken_by_what(gateway, client, two_forwards, occupy):
    occupy(two_forwards[0])
    client.connect()
    record = gateway.wait_audit("port-report")
    assert str(two_forwards[0]) in str(record) and "python" in str(record)


@pytest.mark.needs_root
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_port_below_1024_without_the_right_is_denied_and_told(gateway, client, target, lang):
    low = free_port(600, 1023)
    gateway.add_rule("suzuki", "Low", f"127.0.0.1:{target().port}", low)
    gateway.add_rule("suzuki", "High", f"127.0.0.1:{target().port}", free_port())
    hand_over(client, NOBODY)
    client.connect()
    client.wait_forward("Low", "denied")
    client.wait_forward("High", "listening")
    shown = client.run("status", lang=lang)
    assert_shows(shown.out + shown.err, "MSG_PORT_DENIED", lang, title=False)


@pytest.mark.needs_root
def test_port_below_1024_works_with_the_right_alone(gateway, make_client, target, folder):
    low = free_port(600, 1023)
    client = make_client().enrol()
    gateway.add_rule("suzuki", "Low", f"127.0.0.1:{target().port}", low)
    hand_over(client, NOBODY)
    # What the package's file capability gives, without changing the file.
    client.prefix = [*as_user(NOBODY)[:-1], "--inh-caps=-all,+net_bind_service",
                     "--ambient-caps=-all,+net_bind_service"]
    client.connect()
    client.wait_forward("Low", "listening")
    # The listener serves its owner, who is not this process's user.
    answer = run([*as_user(NOBODY), "/usr/bin/python3", "-c",
                  "import socket; s = socket.create_connection(('127.0.0.1', %d), 5); "
                  "s.sendall(b'hello'); print(s.recv(5).decode())" % low]).ok()
    assert answer.out.strip() == "hello"


def test_local_address_that_does_not_exist_is_refused_by_the_rule_editor(gateway, client):
    refused = gateway.admin_run("rule", "add", "--user", "suzuki", "--name", "X", "--target",
                                "127.0.0.1:9", "--local", "192.0.2.1:110")
    assert refused.status in (1, 2)
    assert "127." in refused.err
