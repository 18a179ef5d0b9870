"""The gateway's name leads to another address while the client is connected (dynamic DNS)."""

import os

import pytest

from lib.client import dial, exchange
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import Relay, echo

pytestmark = pytest.mark.needs_root

OLD, NEW, NOBODY = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Names:
    """An /etc/hosts of the client's own, which can be written anew while it runs."""

    def __init__(self, folder):
        self.path = os.path.join(str(folder), "hosts")
        self.lead_to(OLD)

    def lead_to(self, *addresses):
        # In place: what is mounted over /etc/hosts is this very file.
        with open(self.path, "w") as f:
            f.write("".join(f"{a} gw.test\n" for a in addresses) + "127.0.0.1 localhost\n")

    def prefix(self):
        return ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', self.path]


@pytest.fixture
def names(folder):
    return Names(folder)


def listen_on(gateway, *addresses):
    """prad listens on several addresses."""
    own, gateway.address = gateway.address, ", ".join(addresses)
    gateway.write_config()
    gateway.address = own
    gateway.restart()


@pytest.fixture
def moving(gateway, make_client, names, target):
    """A client that knows the gateway by name, and the local port of an echo."""
    listen_on(gateway, f"{OLD}:{gateway.port}", f"{NEW}:{gateway.port}")
    client = make_client(prefix=names.prefix())
    client.configure("server", address=f"gw.test:{gateway.port}", fingerprint=gateway.fingerprint(),
                     lookup_interval="1s")
    client.keygen()
    gateway.add_user("suzuki")
    client.register()
    port = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", port)
    return client, port


def stands_at(client, address):
    """True once the latest connection goes to `address` and is up."""
    lines = [line for line in client.system_log().splitlines() if ": connect " in line]
    return f": connect {address}:" in lines[-1] and client.status()["state"] == "connected"


def test_idle_client_follows_the_name_and_keeps_its_listeners(moving, names):
    client, port = moving
    client.connect()
    assert stands_at(client, OLD)
    names.lead_to(NEW)
    wait_until(lambda: stands_at(client, NEW), 20, "the client to follow")
    assert "gateway-moved name=gw.test" in client.system_log()
    assert exchange(port, b"hello", 5) == b"hello"
    assert client.system_log().count("gateway-moved name") == 1


def test_living_transfer_is_not_cut_and_the_client_follows_after_it(moving, names, gateway):
    client, port = moving
    client.connect()
    session = gateway.sessions()[0]["id"]
    with dial(port) as s:
        names.lead_to(NEW)
        client.wait_log("gateway-moved", 20)
        for _ in range(30):  # over several lookups
            s.sendall(b"still there")
            assert s.recv(100) == b"still there"
            assert [x["id"] for x in gateway.sessions()] == [session]
            assert stands_at(client, OLD)
    wait_until(lambda: stands_at(client, NEW), 20, "the client to follow")


def test_address_that_does_not_answer_is_not_followed(moving, names, gateway):
    client, port = moving
    client.connect()
    session = gateway.sessions()[0]["id"]
    names.lead_to(NOBODY)
    client.wait_log("answers=no", 20)
    assert exchange(port, b"hello", 5) == b"hello"
    names.lead_to(OLD, NOBODY)
    assert exchange(port, b"hello", 5) == b"hello"
    assert [x["id"] for x in gateway.sessions()] == [session]


def test_name_that_is_not_resolved_any_more_changes_nothing(moving, names, gateway):
    client, port = moving
    client.connect()
    session = gateway.sessions()[0]["id"]
    names.lead_to()
    with dial(port) as s:
        for _ in range(20):
            s.sendall(b"x")
            assert s.recv(1) == b"x"
    assert [x["id"] for x in gateway.sessions()] == [session]
    assert "gateway-moved" not in client.system_log()


def test_dead_old_address_is_left_although_a_transfer_hangs_on_it(gateway, make_client, names, target):
    relay = Relay(gateway.port).start()
    listen_on(gateway, f"{OLD}:{gateway.port}", f"{NEW}:{relay.port}")
    try:
        client = make_client(prefix=names.prefix())
        client.configure("server", address=f"gw.test:{relay.port}",
                         fingerprint=gateway.fingerprint(), lookup_interval="1s")
        client.keygen()
        gateway.add_user("suzuki")
        client.register()
        port = free_port()
        gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", port)
        client.connect()
        with dial(port) as s:
            s.sendall(b"x")
            assert s.recv(1) == b"x"
            relay.go_silent()
            names.lead_to(NEW)
            # Without the move, silence would have to last two minutes.
            wait_until(lambda: stands_at(client, NEW), 40, "the client to follow")
        assert exchange(port, b"hello", 5) == b"hello"
    finally:
        relay.stop()
