"""Device tickets: shown at hello, replaced at each login, good until the next one is known to be stored (N2)."""

import json

import pytest

from lib.ports import free_port
from lib.procs import wait_until
from rawssh import Closed
from test_control import Control, hello


class Device:
    """A machine that keeps its ticket; `copy()` is everything of it on another one."""

    def __init__(self, user, ticket=None, machine="a" * 16):
        self.user, self.ticket, self.machine = user, ticket, machine

    def copy(self):
        return Device(self.user, self.ticket, self.machine)

    def hello(self, **changes):
        """A new connection that has said hello."""
        control = Control(self.user.login())
        control.say(hello(machine=self.machine, ticket=self.ticket, **changes))
        control.hear("welcome")
        return control

    def take(self, control):
        """Waits for the new ticket; it is kept, and not confirmed."""
        self.ticket = control.hear("ticket")["ticket"]
        assert len(self.ticket) == 64 and set(self.ticket) <= set("0123456789abcdef")
        return control

    def login(self, **changes):
        control = self.take(self.hello(**changes))
        control.say({"type": "ticket-stored", "stored": True})
        return control

    def visit(self, **changes):
        """Logs in and out."""
        leave(self.user.gateway, self.login(**changes))
        return self


def leave(gateway, control):
    control.say({"type": "bye"})
    assert control.c.closed_within(3)
    wait_until(lambda: not gateway.sessions(), 5)


def refusal(control):
    reason = control.hear("refused")["reason"]
    assert control.c.closed_within(4)
    return reason


@pytest.fixture
def device(user, target):
    user.allow("192.0.2.1:25", local=free_port())
    return Device(user)


def policy(gateway, word):
    gateway.write_config(f"[keys]\nclone = {word}\n")
    gateway.reload()
    wait_until(lambda: "reloaded" in gateway.log(), 5, "the settings to be read")


def clones(gateway, reason):
    return gateway.audit("clone", reason=reason)


def test_each_login_replaces_the_ticket_and_the_first_is_audited(gateway, device):
    seen = set()
    for _ in range(3):
        device.visit()
        seen.add(device.ticket)
    assert len(seen) == 3
    assert len(gateway.audit("ticket", reason="ticket-first")) == 1
    assert not gateway.audit("clone") and not gateway.audit("login-refused")
    assert gateway.admin("key", "list")[0]["ticket"]


def test_no_ticket_is_written_down_anywhere(gateway, device, folder):
    device.visit()
    found = gateway.log() + str(gateway.admin("audit", "list")) + str(gateway.admin("key", "show", device.user.fingerprint()))
    assert device.ticket not in found
    with open(f"{gateway.dir}/pra.db", "rb") as f:
        assert device.ticket.encode() not in f.read()


def test_a_copy_is_found_out_whichever_comes_first(gateway, device):
    for copy_comes_first in (False, True):
        copy = device.visit().copy()
        first, second = (copy, device) if copy_comes_first else (device, copy)
        first.visit()
        assert refusal(second.hello()) == "ticket-stale"
        gateway.admin("key", "release", device.user.fingerprint())
    alert = wait_until(lambda: gateway.admin("alert", "list", "--kind", "clone"), 5)[0]
    assert alert["device"] == device.user.fingerprint() and "ticket-stale" in alert["detail"]
    assert len(clones(gateway, "ticket-stale")) == 2


def test_what_a_refused_machine_asks_for_is_refused(gateway, device, target):
    copy = device.visit().copy()
    device.visit()
    control = copy.hello()
    assert control.hear("refused")["reason"] == "ticket-stale"
    assert control.c.direct("192.0.2.1", 25).failure
    assert not gateway.audit("channel-open")


@pytest.mark.parametrize("shown", ["0" * 64, "", "f" * 63, "zz" * 32], ids=["foreign", "empty", "short", "no hexadecimal"])
def test_a_ticket_that_was_never_given_is_refused(gateway, device, shown):
    device.visit()
    assert refusal(Device(device.user, shown).hello()) == "ticket-stale"


@pytest.mark.parametrize("shown", ["f" * 65, 7, ["a"], {"a": 1}, "a\0b"], ids=["long", "number", "list", "object", "NUL"])
def test_what_is_no_ticket_ends_the_session(device, shown):
    control = Control(device.user.login())
    control.say(hello(ticket=shown))
    with pytest.raises(Closed):
        control.c.drain(4)


def test_a_ticket_of_another_key_is_none(gateway, device, make_user):
    other = make_user(gateway, "bob")
    mine = Device(other).visit()
    device.visit()
    assert refusal(Device(device.user, mine.ticket).hello()) == "ticket-stale"


def test_none_where_there_was_one_is_refused(gateway, device):
    device.visit()
    assert refusal(Device(device.user, None).hello()) == "ticket-missing"


def test_an_old_client_works_until_its_key_has_had_a_ticket(gateway, device):
    for _ in range(2):
        control = Control(device.user.login())
        control.say(hello(machine=device.machine))
        control.hear("rules")
        leave(gateway, control)
    assert not gateway.audit("ticket")
    device.visit()
    control = Control(device.user.login())
    control.say(hello(machine=device.machine))
    assert refusal(control) == "ticket-missing"


def test_what_was_not_confirmed_leaves_both_good(gateway, device):
    device.visit()
    before = device.ticket
    leave(gateway, device.take(device.hello()))  # stored, and ended before it could say so
    after = device.ticket
    leave(gateway, device.take(device.hello()))
    assert not gateway.audit("clone") and device.ticket not in (before, after)
    assert refusal(Device(device.user, before).hello()) == "ticket-stale", "the new one was shown since"


def test_the_one_before_is_good_until_the_new_one_was_shown(gateway, device):
    device.visit()
    for _ in range(3):  # never stored: the disk of the PC is full
        control = device.hello()
        control.hear("ticket")
        control.say({"type": "ticket-stored", "stored": False})
        leave(gateway, control)
    assert len(gateway.audit("ticket", reason="ticket-not-stored")) == 3
    device.visit()
    assert not gateway.audit("clone")


def test_a_connection_that_is_not_known_to_be_gone_is_no_clone(gateway, device):
    device.visit()
    half_open = device.hello()  # the PC never heard of the ticket that is under way
    again = device.hello()
    again.hear("rules")
    third = device.hello()
    third.hear("rules")
    half_open.hear("ticket")
    assert not [m for m in again.messages() + third.messages() if m["type"] == "ticket"], "one at a time"
    half_open.c.close()
    wait_until(lambda: len(gateway.sessions()) == 2, 5)
    device.login()
    assert not gateway.audit("clone")


def test_stored_of_a_connection_that_has_none_changes_nothing(gateway, device):
    device.visit()
    first = device.hello()
    second = device.hello()
    second.hear("rules")
    for _ in range(3):
        second.say({"type": "ticket-stored", "stored": True})
    second.say({"type": "ticket-stored", "stored": "yes"})
    assert second.c.closed_within(4), "no truth value"
    device.take(first)
    first.say({"type": "ticket-stored"})
    leave(gateway, first)
    device.visit()
    assert not gateway.audit("clone")


def test_two_copies_at_the_same_time_leave_one_good(gateway, device):
    copy = device.visit().copy()
    first, second = device.hello(), copy.hello()
    for control in (first, second):
        control.hear("rules")
    device.take(first)
    first.say({"type": "ticket-stored", "stored": True})
    second.say({"type": "ticket-stored", "stored": True})
    for control in (second, first):
        control.c.close()
    wait_until(lambda: not gateway.sessions(), 5)
    device.visit()
    assert refusal(copy.hello()) == "ticket-stale"


def test_a_flood_of_logins_leaves_the_last_ticket_good(gateway, device):
    device.visit()
    for _ in range(40):
        control = device.hello()
        control.c.close()
    wait_until(lambda: not gateway.sessions(), 5)
    for _ in range(10):
        device.visit()
    assert not gateway.audit("clone")


def test_tickets_outlive_the_gateway(gateway, device):
    device.visit()
    gateway.restart()
    device.visit()
    stale = device.copy()
    device.visit()
    gateway.restart()
    assert refusal(stale.hello()) == "ticket-stale"
    device.visit()


def test_quarantine_cuts_both_until_an_administrator_has_decided(gateway, device):
    policy(gateway, "quarantine")
    copy = device.visit().copy()
    device.visit()
    genuine = device.login()
    assert refusal(copy.hello()) == "quarantined"
    genuine.hear("notice", kind="key-quarantined")
    assert genuine.c.closed_within(4)
    assert gateway.admin("key", "list")[0]["state"] == "quarantined"
    assert gateway.admin("key", "list", "--state", "quarantined")
    for machine in (device, copy):
        assert refusal(machine.hello()) == "quarantined"
    gateway.restart()
    assert refusal(device.hello()) == "quarantined"
    gateway.admin("key", "release", device.user.fingerprint())
    device.ticket = None  # what it shows does not matter now
    device.visit()
    assert gateway.admin("key", "list")[0]["state"] == "active"
    assert refusal(copy.hello()) == "quarantined", "and found out again"


def test_quarantine_takes_standard_clients_along(gateway, device):
    policy(gateway, "quarantine")
    copy = device.visit().copy()
    device.visit()
    assert refusal(copy.hello()) == "quarantined"
    wait_until(lambda: gateway.admin("key", "list")[0]["state"] == "quarantined", 5)
    assert device.user.login().direct("192.0.2.1", 25).failure
    assert gateway.wait_audit("channel-refused", reason="quarantined")


def test_allow_lets_both_in_and_raises_the_alert(gateway, device):
    policy(gateway, "allow")
    copy = device.visit().copy()
    device.visit()
    copy.login().hear("rules")
    device.login().hear("rules")
    assert len(clones(gateway, "ticket-stale")) == 2
    assert wait_until(lambda: gateway.admin("alert", "list", "--kind", "clone"), 5)


def test_policy_of_the_key_is_before_that_of_the_user_and_that_before_the_gateways(gateway, device):
    name, key = device.user.name, device.user.fingerprint()
    copy = device.visit().copy()
    device.visit()
    assert refusal(copy.hello()) == "ticket-stale"
    gateway.admin("user", "set", name, "--clone", "allow")
    leave(gateway, copy.login())
    gateway.admin("key", "set", key, "--clone", "refuse")
    assert refusal(device.hello()) == "ticket-stale"
    gateway.admin("key", "set", key, "--clone", "default")
    leave(gateway, device.login())
    assert gateway.admin_run("key", "set", key, "--clone", "perhaps").status == 1
    assert gateway.admin("key", "list")[0]["clone"] == "default"
    assert gateway.admin("user", "list")[0]["clone"] == "allow"


def test_release_all_after_an_older_database_was_put_back(gateway, device):
    device.visit()
    device.ticket = "0" * 64  # what the PC has is newer than the database
    assert refusal(device.hello()) == "ticket-stale"
    gateway.admin("key", "release-all")
    device.visit().visit()


def test_release_that_came_to_nothing_forgets_no_ticket(gateway, device, folder):
    copy = device.visit().copy()
    device.visit()
    path = f"{folder}/batch"
    with open(path, "w") as f:
        print(json.dumps({"op": "key.release", "args": {"fingerprint": device.user.fingerprint()}}), file=f)
        print(json.dumps({"op": "key.release.all", "args": {}}), file=f)
        print(json.dumps({"op": "user.enable", "args": {"name": "nobody"}}), file=f)
    assert gateway.admin_run("batch", path).status != 0
    assert refusal(copy.hello()) == "ticket-stale"
    device.visit()


def test_two_machines_at_once_are_refused_by_their_tags_as_well(gateway, device):
    first = device.login()
    assert refusal(Device(device.user, device.ticket, "b" * 16).hello()) == "two-machines"
    first.say({"type": "bye"})
    assert first.c.closed_within(3)
    device.machine = "b" * 16  # the same PC with another mainboard
    device.visit()
    assert len(clones(gateway, "two-machines")) == 1
