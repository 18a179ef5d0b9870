"""Memory of gateway and agent, and what only a client of our own making can ask for."""

import json

import pytest

from lib import crowd as crowds
from lib.client import exchange
from lib.ports import free_port
from lib.procs import pss_kib, wait_until
from lib.servers.targets import Farm, echo

CLIENTS = 1000
LIMITS = f"[keepalive]\ndelay = 10m\ntimeout = 20m\n[limits]\nmax_sessions_per_user = {CLIENTS + 10}\n"


@pytest.fixture
def sessions(folder):
    made = []

    def make(gateway):
        made.append(crowds.single(folder, gateway).start())
        return made[-1]

    yield make
    for s in made:
        s.stop()


@pytest.mark.release_only
def test_idle_client_costs_the_gateway_at_most_64_kib_before_and_after_traffic(make_gateway, sessions,
                                                                               folder, record_property):
    gateway = make_gateway(extra_config=LIMITS)
    farm = Farm(echo, 1).start()
    try:
        crowd = sessions(gateway)
        gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{farm.ports[0]}", free_port())
        crowd.command("login", 1)
        empty = pss_kib(gateway.pid)
        crowd.login(CLIENTS)
        idle = (pss_kib(gateway.pid) - empty) / CLIENTS
        assert crowd.command("echo", "127.0.0.1", farm.ports[0], 65536) == f"echoed {CLIENTS + 1}"
        wait_until(lambda: sum(s["channels"] for s in gateway.sessions()) == 0, 10,
                   "the channels to close")
        # Memory may be given back a moment after the last channel is gone.
        after = wait_until(lambda: _at_most(64, (pss_kib(gateway.pid) - empty) / CLIENTS), 10,
                           f"PSS to fall; it was {(pss_kib(gateway.pid) - empty) / CLIENTS:.1f} KiB")
    finally:
        farm.stop()
    figures = {"idle_kib": round(idle, 1), "after_traffic_kib": round(after, 1)}
    record_property("pss_per_client", json.dumps(figures))
    print(f"prad PSS per idle client: {figures}")
    assert idle <= 64


def _at_most(limit, value):
    return value if value <= limit else None


@pytest.mark.release_only
def test_agent_uses_at_most_10_mib(client, echo_forward):
    """Idle, after a key derivation of 128 MiB and after traffic."""
    agent = client.agent_pids()[0]
    fresh = pss_kib(agent)
    exchange(echo_forward, bytes(1 << 20), 1 << 20, timeout=30)
    after = wait_until(lambda: _at_most(10 << 10, pss_kib(agent)), 10,
                       f"the agent to shrink; PSS {pss_kib(agent)} KiB")
    print(f"agent PSS: {fresh} KiB fresh, {after} KiB after traffic")
    assert fresh <= 10 << 10


def test_port_65558_is_not_port_22(gateway, sessions, target):
    """A port of 32 bits must not be cut to 16: 65558 = 65536 + 22."""
    port = target().port
    crowd = sessions(gateway)
    gateway.add_rule("suzuki", "All", "127.0.0.0/8:1-65535")
    gateway.add_rule("suzuki", "Forward", f"127.0.0.1:{port}", free_port())
    crowd.command("login", 1)
    assert crowd.command("open", "127.0.0.1", port) == "opened"
    for wrong in (65536 + 22, 65536 + port, 0, 65536, 2**31 - 1):
        assert crowd.command("open", "127.0.0.1", wrong).startswith("refused"), wrong
    assert crowd.command("open", "127.0.0.1", port) == "opened", "the session must have survived"
    assert any("65558" in r["target"] for r in gateway.audit("channel-refused"))


def test_target_written_another_way_is_not_another_target(gateway, sessions, target):
    port = target().port
    crowd = sessions(gateway)
    gateway.add_rule("suzuki", "Stop", f"127.0.0.1:{port}", action="deny")
    gateway.add_rule("suzuki", "All", "127.0.0.0/8:1-65535")
    gateway.add_rule("suzuki", "Forward", "127.0.0.1:9", free_port())
    crowd.command("login", 1)
    for host in ("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "::ffff:127.0.0.1",
                 "[::ffff:127.0.0.1]", "127.0.0.1.", "localhost", "LOCALHOST.", "0.0.0.0", "::"):
        assert crowd.command("open", host, port).startswith("refused"), host


def test_refusal_tells_the_client_why(gateway, sessions, target):
    crowd = sessions(gateway)
    gateway.add_rule("suzuki", "Forward", f"127.0.0.1:{target().port}", free_port())
    crowd.command("login", 1)
    answer = crowd.command("open", "192.0.2.1", 80)
    assert answer.startswith("refused") and len(answer) > len("refused "), answer
