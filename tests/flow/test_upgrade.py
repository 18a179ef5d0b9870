"""The program is replaced under a running agent, as an upgrade of the package does it."""

import os
import shutil

import pytest

from lib.client import exchange
from lib.procs import wait_until

pytestmark = pytest.mark.release_client

TOLD = {"en": "PRA was updated", "ja": "PRA は更新されています"}


@pytest.fixture
def installed(folder, client):
    """The client's programs in a folder of their own; like a package's upgrade: a new file in the place of the old."""
    original, path = client.pra, f"{folder}/bin/pra"
    os.mkdir(f"{folder}/bin")
    shutil.copy2(original, path)
    client.pra = path

    def replace():
        shutil.copy2(original, f"{path}.new")
        os.rename(f"{path}.new", path)
    return replace


def program_of(client):
    return os.readlink(f"/proc/{client.agent_pid()}/exe")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_connection_goes_on_over_an_upgrade_and_the_next_one_is_the_new_programs(installed, client, echo_forward, lang):
    before = client.agent_pid()
    assert TOLD[lang] not in client.run("status", lang=lang).ok().err
    installed()
    assert exchange(echo_forward, b"as before") == b"as before"
    for said in (client.run("status", lang=lang), client.try_connect(lang=lang)):
        assert said.status == 0 and TOLD[lang] in said.err, said
    assert client.run("status", "--json").err == ""
    assert client.agent_pid() == before
    client.disconnect()
    said = client.try_connect(lang=lang).ok()
    assert TOLD[lang] not in said.err
    after = wait_until(lambda: [p for p in client.agent_pids() if p != before], 5, "the new agent")
    assert client.agent_pids() == after and program_of(client) == client.pra
    client.wait_forward("Echo")
    assert exchange(echo_forward, b"and after") == b"and after"
    assert TOLD[lang] not in client.run("status", lang=lang).ok().err


def test_agent_that_tries_in_vain_is_the_new_program_after_the_next_connect(installed, gateway, client, echo_forward):
    before = client.agent_pid()
    gateway.stop()
    client.wait_state("waiting")
    installed()
    client.try_connect(wait=0).ok()
    wait_until(lambda: before not in client.agent_pids() and client.agent_pids(), 5, "the new agent alone")
    gateway.start()
    client.wait_forward("Echo", timeout=15)
    assert exchange(echo_forward, b"by the new one") == b"by the new one"


def test_agent_stays_where_nothing_was_replaced_or_no_program_is_left(installed, client, echo_forward):
    before = client.agent_pid()
    client.disconnect()
    client.connect()
    assert client.agent_pid() == before
    # Removed by hand: there is nothing to start.
    os.rename(client.pra, client.pra + ".moved")
    client.pra += ".moved"
    client.disconnect()
    client.connect()
    assert client.agent_pid() == before
    client.wait_forward("Echo")
    assert exchange(echo_forward, b"still") == b"still"
