"""The release build on machines made of namespaces: a copied key file is of no use elsewhere (A7)."""

import pytest

from lib import namespaces
from lib.messages import assert_shows
from lib.ports import free_port
from lib.procs import run, wait_until

pytestmark = [pytest.mark.needs_root, pytest.mark.release_client]

OFFICE = {"hostname": "sales-pc-07", "machine_id": "5b1c9f0e7d3a4c6b8e2f1a0d9c8b7a65",
          "uuid": "4c4c4544-0042-3510-8052-b4c04f573632", "board": "/7B5R6W2/CN1296314A00F3/",
          "bios": "1.21.0", "cpu": "Intel(R) Core(TM) i5-8365U CPU @ 1.60GHz"}
HOME = {"hostname": "home-pc", "machine_id": "e2d4c6b8a09182736455463728190abc",
        "uuid": "8a2f1c3e-91d0-4b6e-a7c5-3f0e2d1c4b5a", "board": "PF2K9XYZ1", "bios": "N2HET75W",
        "cpu": "AMD Ryzen 7 5700U with Radeon Graphics"}


@pytest.fixture
def office_client(make_client, gateway, target, folder):
    """Key made on the office machine and registered; not connected."""
    client = make_client(prefix=namespaces.machine(f"{folder}/office", **OFFICE)).enrol()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    return client


def test_namespaces_show_another_machine(folder):
    prefix = namespaces.machine(f"{folder}/home", **HOME)
    seen = run([*prefix, "sh", "-c", "uname -n; cat /etc/machine-id /sys/class/dmi/id/product_uuid; "
                                     "grep -m1 'model name' /proc/cpuinfo; ls /sys/class/net"]).ok().out
    for value in (HOME["hostname"], HOME["machine_id"], HOME["uuid"], HOME["cpu"], "lo"):
        assert value in seen


def test_key_opens_on_the_machine_it_was_made_on(office_client):
    office_client.connect()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_copied_key_does_not_open_on_another_machine(office_client, folder, lang):
    office_client.prefix = namespaces.machine(f"{folder}/home", **HOME)
    result = office_client.try_connect(lang=lang)
    assert result.status == 1
    assert_shows(result.err, "MSG_KEY_MACHINE", lang)
    if lang == "en":
        for word in ("UUID", "board", "computer name", "CPU"):
            assert word.lower() in result.err.lower(), f"{word} is not named in:\n{result.err}"


def test_renamed_machine_still_opens_and_the_change_is_logged(office_client, folder):
    renamed = {**OFFICE, "hostname": "sales-pc-99"}
    office_client.prefix = namespaces.machine(f"{folder}/renamed", **renamed)
    office_client.connect()
    wait_until(lambda: "computer name" in office_client.system_log(), 5, "the change in System.log")
