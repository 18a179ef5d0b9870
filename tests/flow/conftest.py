"""Fixtures of the tests that look at windows."""

import pytest

from lib.desktop import Desktop, Tray
from lib.machines import OFFICE_PC


@pytest.fixture(scope="module")
def desktop():
    d = Desktop()
    try:
        yield d.start()
    finally:
        d.stop()


@pytest.fixture
def make_tray(desktop):
    started = []

    def make(client, lang="en", options=(), **kwargs):
        started.append(Tray(desktop, client, lang, options, **kwargs))
        return started[-1]

    yield make
    for tray in started:
        tray.stop()


@pytest.fixture
def new_pc(make_client):
    """A PC on which nothing has been done."""
    return make_client(machine=OFFICE_PC)


@pytest.fixture
def pc(new_pc):
    """A PC with key, registration and server, not connected."""
    return new_pc.enrol()
