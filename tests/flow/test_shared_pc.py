"""Two people on one PC: forwards, agent and files of one are closed to the other."""

import os
import platform
import stat

import pytest

from lib.client import as_user, exchange, hand_over
from lib.gateway import sanitized
from lib.ports import free_port
from lib.procs import run, wait_until
from lib.servers.targets import discard

pytestmark = [pytest.mark.needs_root, pytest.mark.release_client]

NOBODY, DAEMON = 65534, 1

TRY = """
import socket, sys
try:
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
    s.sendall(b"hello")
    print("got", s.recv(5))
except OSError as e:
    print("refused", type(e).__name__)
"""


def try_as(uid, port):
    return run([*as_user(uid), "/usr/bin/python3", "-c", TRY, port]).ok().out


def test_another_user_of_the_pc_is_refused_and_logged(client, echo_forward):
    assert "hello" not in try_as(NOBODY, echo_forward)
    wait_until(lambda: str(NOBODY) in client.system_log() or "nobody" in client.system_log(), 5,
               "the refusal in System.log")
    assert exchange(echo_forward, b"owner", 5) == b"owner"


def test_not_even_root_uses_the_forward_of_another_user(gateway, client, target):
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port)
    hand_over(client, NOBODY)
    client.connect()
    assert "hello" in try_as(NOBODY, port)
    assert "hello" not in try_as(DAEMON, port)
    assert "hello" not in run(["/usr/bin/python3", "-c", TRY, port]).ok().out


HIT_AND_RUN = """
import socket, sys
for _ in range(20):
    with socket.socket() as s:
        try:
            s.connect(("127.0.0.1", int(sys.argv[1])))
            s.sendall(b"hello")
        except ConnectionError:
            pass  # who is refused may see it this early
"""


def kernel_names_orphans():
    """Who has closed a connection is told by Linux 6.17 and newer."""
    return tuple(int(n) for n in platform.release().split("-")[0].split(".")[:2]) >= (6, 17)


def test_program_that_sends_and_is_gone_is_served_or_told_and_a_stranger_never_is(gateway, client, target):
    """On a machine so busy that the agent comes 40 ms late nobody is named any more: that is told."""
    port, sink = free_port(), target(discard)
    gateway.add_rule("suzuki", "Sink", f"127.0.0.1:{sink.port}", port)
    hand_over(client, DAEMON)
    client.connect()

    def lost():
        return client.system_log().count("what it sent is lost")

    run([*as_user(DAEMON), "/usr/bin/python3", "-c", HIT_AND_RUN, port]).ok()
    wait_until(lambda: sink.received + 5 * lost() == 100, 10, "every connection served or told")
    assert (sink.received > 0) == kernel_names_orphans()
    served, before = sink.received, lost()
    run([*as_user(NOBODY), "/usr/bin/python3", "-c", HIT_AND_RUN, port]).ok()
    wait_until(lambda: lost() - before + client.system_log().count(f"another user (uid {NOBODY}) refused") == 20,
               10, "every connection of the stranger refused and told")
    assert sink.received == served


def test_files_and_socket_are_private(client, echo_forward):
    for name in ("run", "log"):
        path = os.path.join(client.home, name)
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path
    for name in ("id.prakey", "config.ini", "log/System.log", "log/User.log"):
        path = os.path.join(client.home, name)
        assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0, path


def test_another_user_cannot_command_the_agent(client, echo_forward):
    stranger = run([*as_user(NOBODY), client.pra, "disconnect"], env={"PRA_HOME": client.home})
    assert stranger.status != 0
    assert client.status()["state"] == "connected"


def test_two_users_of_one_pc_have_their_own_tunnels(gateway, make_client, target):
    ports = {}
    for name, uid in (("suzuki", NOBODY), ("tanaka", DAEMON)):
        c = make_client(name, user=name).enrol()
        ports[uid] = free_port()
        gateway.add_rule(name, "Echo", f"127.0.0.1:{target().port}", ports[uid])
        hand_over(c, uid)
        c.connect()
    assert "hello" in try_as(NOBODY, ports[NOBODY])
    assert "hello" in try_as(DAEMON, ports[DAEMON])
    assert "hello" not in try_as(NOBODY, ports[DAEMON])
    assert len(gateway.sessions()) == 2


def test_second_connect_does_not_start_a_second_agent(client, echo_forward):
    agents = client.agent_pids()
    client.try_connect(5)
    assert client.agent_pids() == agents


@pytest.mark.parametrize("limit", [0, None])
def test_refused_memory_lock_is_told_once_and_nothing_else_changes(gateway, client, target, limit):
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", port)
    hand_over(client, NOBODY)
    if limit is not None:
        client.prefix = ["prlimit", f"--memlock={limit}", *client.prefix]
    for _ in range(2):
        client.connect()
        assert "hello" in try_as(NOBODY, port)
        client.disconnect()
    # A sanitizer turns mlock() into nothing.
    expected = 1 if limit == 0 and not sanitized(os.path.basename(client.pra)) else 0
    assert client.system_log().count("memory-lock-refused") == expected
