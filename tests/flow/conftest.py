"""Fixtures that several files share: portal, mail server, windows, pages."""

import os
import shutil
import tempfile

import pytest

from lib.desktop import Desktop, Tray
from lib.machines import OFFICE_PC
from lib.mta import Mta
from lib.portal import Portal, new_port, portal_config
from lib.servers.targets import Relay
from lib.webpage import WebPage


@pytest.fixture
def portal(make_gateway):
    """A portal beside a gateway of its own, without accounts."""
    port = new_port()
    p = Portal(make_gateway(name="pgw", extra_config=portal_config(port)), port).start()
    yield p
    p.stop()


@pytest.fixture
def relay(gateway):
    """A way to the gateway that can fall silent."""
    r = Relay(gateway.port).start()
    yield r
    r.stop()


@pytest.fixture
def owner(portal):
    return portal.account("tanaka", "owner")


@pytest.fixture(scope="module")
def mta():
    """Postfix with a mailbox, which the tests of one file share; not below pytest's own folder, which each pytest that
    starts closes to other users again."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    folder = tempfile.mkdtemp(prefix="pra-mta-")
    os.chmod(folder, 0o755)
    server = Mta(folder).start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium():
    page = WebPage()
    yield page
    page.close()


@pytest.fixture
def page_of(chromium):
    """page_of(portal): somebody new in front of that portal's page; fails if the page complained."""
    yield chromium.visit
    chromium.check()


@pytest.fixture
def page(portal, page_of):
    return page_of(portal)


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
