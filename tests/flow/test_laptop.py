"""A laptop on its way (quality 20): the cable is pulled, it sleeps, it comes back with another address or another time of
day. The client is back by itself, its listeners stay, and System.log tells what happened. Needs root (namespaces)."""

import os
import random
import signal
import socket
import time

import pytest

from lib import network
from lib.client import exchange
from lib.clock import jumping
from lib.ports import free_port
from lib.procs import port_answers, run, wait_until
from lib.servers.targets import echo

pytestmark = pytest.mark.needs_root
QUICK = "[keepalive]\ndelay = 1s\ntimeout = 3s\n"


@pytest.fixture
def net(folder):
    n = network.Network(folder).start()
    yield n
    n.stop()


@pytest.fixture
def office(make_gateway, net):
    return make_gateway("office", host=net.here, extra_config=QUICK)


class Laptop:
    """A client in the other host's network, connected, with a forward; its clock can be set."""

    def __init__(self, folder, net, gateway, make_client, target):
        env, self.set_clock = jumping(folder)
        self.net, self.gateway, self.local = net, gateway, free_port()
        self.client = make_client(gateway=gateway, prefix=net.prefix(), env=env).enrol()
        self.client.configure("dead_peer", delay="1s", timeout="3s")
        gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", self.local)
        self.client.connect()
        assert self.answer(b"before") == b"before"
        self.pid = self.client.agent_pid()
        self.read = len(self.client.system_log())

    def here(self, make):
        return self.net.on_other_host(make)

    def answer(self, data):
        return self.here(lambda: exchange(self.local, data, len(data)))

    def listens(self):
        return self.here(lambda: port_answers(self.local))

    def told(self):
        """What System.log says since the laptop was well."""
        return self.client.system_log()[self.read:]

    def wait_gone(self):
        wait_until(lambda: not self.gateway.sessions(), 15, "the gateway to give up the session", 0.1)

    def is_back(self, *story):
        """The same agent, by itself, with its listener; the log has the story, in this order."""
        wait_until(lambda: "state connecting -> connected" in self.told(), 40, "the client to be back", 0.1)
        assert self.answer(b"again") == b"again"
        assert self.client.agent_pid() == self.pid
        told, at = self.told(), 0
        for words in story:
            assert words in told[at:], f"{words!r} is missing, or out of order:\n{told}"
            at = told.index(words, at) + len(words)


@pytest.fixture
def laptop(folder, net, office, make_client, target):
    made = Laptop(folder, net, office, make_client, target)
    yield made
    os.kill(made.pid, signal.SIGCONT)


def test_cable_is_pulled_and_back(laptop):
    laptop.net.cut()
    laptop.client.wait_state("waiting", 15)
    assert laptop.listens()
    laptop.wait_gone()
    # Not when the countdown is over, but at once.
    wait_until(lambda: (laptop.client.status()["retry_in"] or 0) >= 3, 20, "a longer countdown", 0.1)
    mended = time.monotonic()
    laptop.net.mend()
    laptop.is_back("WAR(10103)", "state connected -> waiting", "the network has changed: trying again now",
                   "state waiting -> connecting", "state connecting -> connected")
    assert time.monotonic() - mended < 3


def test_address_has_changed(laptop):
    """As in another building: the old address is gone, the new one works at once."""
    block = random.SystemRandom().randrange(1, 1 << 14) * 4
    new = ".".join(str((198 << 24) + (19 << 16) + block + 1 >> s & 255) for s in (24, 16, 8, 0))
    link = laptop.net._link
    run(["ip", "route", "add", f"{new}/32", "dev", link]).ok()
    for words in (["address", "delete", f"{laptop.net.there}/30", "dev", "eth0"],
                  ["address", "add", f"{new}/32", "dev", "eth0"],
                  ["route", "add", f"{laptop.net.here}/32", "dev", "eth0", "src", new]):
        run([*laptop.net.prefix(), "ip", *words]).ok()
    laptop.is_back("the network has changed: is the gateway still there?", "state connected -> waiting",
                   "state connecting -> connected")
    assert new in laptop.told(), "the gateway says where it sees this PC"
    wait_until(lambda: [s["source"].split(":")[0] for s in laptop.gateway.sessions()] == [new], 10, "the old session to end", 0.1)


def test_laptop_was_asleep(laptop):
    """The agent stands still until the gateway has given it up; then its clocks are hours later."""
    os.kill(laptop.pid, signal.SIGSTOP)
    laptop.wait_gone()
    laptop.set_clock(8 * 3600)
    os.kill(laptop.pid, signal.SIGCONT)
    laptop.is_back("state connected -> waiting", "state connecting -> connected")
    # Eight hours later than the gateway, this PC is told so.
    laptop.client.wait_log("the clock of this PC is")


@pytest.mark.parametrize("seconds", [86400, pytest.param(-86400, marks=pytest.mark.soak)])
def test_time_of_day_that_jumps_costs_nothing(laptop, seconds):
    with laptop.here(lambda: socket.create_connection(("127.0.0.1", laptop.local))) as living:
        living.settimeout(10)
        session = laptop.gateway.sessions()[0]["id"]
        laptop.set_clock(seconds)
        for _ in range(3):
            living.sendall(b"on")
            assert living.recv(2) == b"on"
            assert laptop.answer(b"new") == b"new"
        # Longer than both ends wait for a sign of life.
        end = time.monotonic() + 4
        wait_until(lambda: time.monotonic() > end, 5, "time to pass", 0.2)
        living.sendall(b"on")
        assert living.recv(2) == b"on"
    assert [s["id"] for s in laptop.gateway.sessions()] == [session]
