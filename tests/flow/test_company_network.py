"""Targets by name and network on another host, made of namespaces: names, links, own addresses."""

import pytest

from lib import network
from lib.client import dial, exchange, is_cut
from lib.messages import MESSAGES, matches
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import Target, echo
from lib import crowd

pytestmark = pytest.mark.needs_root


@pytest.fixture
def net(folder):
    n = network.Network(folder).start()
    yield n
    n.stop()


@pytest.fixture
def mail_host(net):
    """An echo target on the other host; `port` tells where."""
    t = net.on_other_host(lambda: Target(echo, address=net.there)).start()
    yield t
    t.stop()


@pytest.fixture
def corp(make_gateway, folder, net):
    """A gateway that knows mail.corp and trap.corp; (gateway, path of its hosts file)."""
    prefix, hosts = network.with_hosts(folder, {"mail.corp": net.there, "trap.corp": "127.0.0.1"})
    return make_gateway("corp", prefix=prefix), hosts


@pytest.fixture
def corp_client(corp, make_client):
    return make_client(gateway=corp[0]).enrol()


def told(client, message_id):
    message = MESSAGES[message_id]
    logs = client.user_log() + client.system_log()
    return message.code in logs and matches(message.cause["en"], logs)


def test_target_is_reached_by_its_name(corp, corp_client, mail_host):
    local = free_port()
    corp[0].add_rule("suzuki", "Mail", f"mail.corp:{mail_host.port}", local)
    corp_client.connect()
    assert exchange(local, b"hello", 5) == b"hello"
    assert corp_client.forwards()["Mail"]["target"] == f"mail.corp:{mail_host.port}"


def test_name_that_leads_into_the_gateway_itself_is_denied_and_told(corp, corp_client, target):
    """A name under somebody else's control must not open the gateway's own loopback."""
    t, local = target(), free_port()
    corp[0].add_rule("suzuki", "Trap", f"trap.corp:{t.port}", local)
    corp_client.connect()
    assert is_cut(local), "a refusal must not look like a normal end"
    assert t.accepted == 0
    assert corp[0].wait_audit("channel-refused")["reason"] == "special-address"
    wait_until(lambda: told(corp_client, "MSG_TARGET_DENIED"), 3, "the cause in the logs")


def test_name_is_looked_up_anew_for_each_connection(corp, corp_client, mail_host, net):
    gateway, hosts = corp
    local = free_port()
    gateway.add_rule("suzuki", "Mail", f"mail.corp:{mail_host.port}", local)
    corp_client.connect()
    assert exchange(local, b"one", 3) == b"one"
    network.write_hosts(hosts, {"mail.corp": "127.0.0.1"})
    assert is_cut(local)
    network.write_hosts(hosts, {"mail.corp": net.there})
    assert exchange(local, b"three", 5) == b"three"


def test_unknown_name_at_the_company_is_told(corp, corp_client):
    local = free_port()
    corp[0].add_rule("suzuki", "Gone", "gone.corp.invalid:110", local)
    corp_client.connect()
    assert is_cut(local, timeout=15)
    wait_until(lambda: told(corp_client, "MSG_TARGET_UNREACHABLE"), 3, "the cause in the logs")


def test_host_that_is_cut_off_fails_alone_and_comes_back(corp, corp_client, mail_host, net, target):
    gateway, _ = corp
    mail, live = free_port(), free_port()
    gateway.add_rule("suzuki", "Mail", f"mail.corp:{mail_host.port}", mail)
    gateway.add_rule("suzuki", "Live", f"127.0.0.1:{target().port}", live)
    corp_client.connect()
    assert exchange(mail, b"hello", 5) == b"hello"
    net.cut()
    with dial(mail, timeout=10) as s:
        assert exchange(live, b"hello", 5) == b"hello"
        with pytest.raises(ConnectionResetError):
            s.sendall(b"hello")
            assert s.recv(1) != b""
    net.mend()
    wait_until(lambda: _echoes(mail), 15, "the host to be back")


def _echoes(port):
    try:
        return exchange(port, b"hello", 5) == b"hello"
    except OSError:
        return False


def test_network_rule_reaches_hosts_but_not_the_gateways_own_address(make_gateway, folder, net, mail_host,
                                                                     target):
    gateway = make_gateway("wide")
    own = Target(echo, address=net.here).start()
    clients = crowd.single(folder, gateway).start()
    try:
        gateway.add_rule("suzuki", "Any", "0.0.0.0/0:1-65535")
        gateway.add_rule("suzuki", "Forward", f"{net.there}:{mail_host.port}", free_port())
        clients.command("login", 1)
        assert clients.command("open", net.there, mail_host.port) == "opened"
        assert clients.command("open", net.here, own.port).startswith("refused")
        assert clients.command("open", "127.0.0.1", target().port).startswith("refused")
        assert own.accepted == 0
    finally:
        clients.stop()
        own.stop()


def test_pulled_cable_is_noticed_and_the_client_is_back_when_it_is_plugged_in(make_gateway, make_client,
                                                                              net, target):
    """A real dead peer: the PC's own interface goes down and no packet says so."""
    gateway = make_gateway("far", host=net.here)
    client = make_client(gateway=gateway, prefix=net.prefix()).enrol()
    client.configure("dead_peer", delay="1s", timeout="3s")
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    client.connect()
    net.cut()
    client.wait_state("waiting", 12)
    assert client.forwards()["Echo"]["state"] == "listening"
    net.mend()
    client.wait_state("connected", 60)
