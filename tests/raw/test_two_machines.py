"""One key on two machines at the same time."""

from lib.procs import wait_until
from test_control import Control, hello


def alerts(gateway):
    return gateway.admin("alert", "list", "--kind", "clone")


def test_one_key_that_two_machines_use_is_an_alert_and_both_stay_where_that_is_allowed(gateway, user):
    gateway.write_config("[keys]\nclone = allow\n")
    gateway.reload()
    wait_until(lambda: "reloaded" in gateway.log(), 5, "the settings to be read")
    first = Control(user.login())
    first.say(hello(machine="a" * 16))
    first.hear("welcome")
    again = Control(user.login())
    again.say(hello(machine="a" * 16))
    again.hear("welcome")
    assert not gateway.audit("clone"), "the same PC twice is none"
    other = Control(user.login())
    other.say(hello(machine="b" * 16))
    other.hear("welcome")
    event = gateway.wait_audit("clone")
    assert f"machine={'b' * 16} other={'a' * 16} at=127.0.0.1" in event["detail"]
    alert = wait_until(lambda: alerts(gateway), 5)[0]
    assert (alert["severity"], alert["user"], alert["device"]) == (None, user.name, user.fingerprint())
    assert len(gateway.sessions()) == 3


def test_a_key_that_moves_to_another_machine_is_none(gateway, user):
    for machine in ("a", "b"):
        control = Control(user.login())
        control.say(hello(machine=machine * 16))
        control.hear("welcome")
        control.c.close()
        wait_until(lambda: not gateway.sessions(), 5)
    assert not alerts(gateway) and not gateway.audit("clone")
