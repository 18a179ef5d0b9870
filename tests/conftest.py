"""Fixtures of the process-level tests: a folder, a company network, a gateway, a client.

PRA_BUILD names the folder with the programs under test. A test's folder is kept when the test
fails (its path is in the report) or when PRA_TEST_KEEP is set.
"""

import os
import shutil
import signal
import tempfile

import pytest

from lib import ports, winclient
from lib.ports import free_port
from lib.client import Client
from lib.gateway import Gateway, program
from lib.servers.dovecot import Dovecot
from lib.servers.nginx import Nginx
from lib.servers.postfix import Postfix
from lib.servers.targets import Target, echo
from lib.servers.tinyproxy import Tinyproxy

# What only the Windows client has: nothing to say about another one.
collect_ignore = [] if winclient.WINDOWS else ["flow/test_windows_client.py"]


def pytest_configure(config):
    # The build for tests makes keys that cost 1 ms to open and not 500. The release knows no such word.
    os.environ.setdefault("PRA_TEST_LOG2_N", "10")
    # Ended from outside, a run still tidies up after itself.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", 143))
    config.addinivalue_line("markers", "release_only: measures what a sanitizer build changes")
    config.addinivalue_line("markers", "release_client: with the `pra` that is installed, where its build for tests would do")
    config.addinivalue_line("markers", "plain_build: asks of the release's build what a sanitizer's cannot do; measures nothing")
    config.addinivalue_line("markers", "soak: the full form of a test, minutes long; only `make soak` runs it")
    config.addinivalue_line("markers", "windows_full: the full form of a test of the Windows packages; only "
                            "`make test-windows` runs it")
    config.addinivalue_line("markers", "chromium: looks at pages in Chromium; set by itself")
    config.addinivalue_line("markers", "needs_root: needs what only root has (namespaces, other users)")


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config, items):
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("chromium")
    for name in ("soak", "windows_full"):
        if name in (config.option.markexpr or ""):
            continue
        left_out = [i for i in items if i.get_closest_marker(name)]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [i for i in items if i not in left_out]
    if winclient.WINDOWS:
        for item in items:
            reason = winclient.why_left_out(item.nodeid)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))
    if os.getuid() != 0:
        for item in items:
            if item.get_closest_marker("needs_root"):
                item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed_call = report.failed
    if report.failed and hasattr(item, "work_folder"):
        report.sections.append(("folder", item.work_folder))


def _make_folder():
    # Short, since socket paths are limited to 107 bytes; open to the servers' own users.
    path = tempfile.mkdtemp(prefix="pra-t-")
    os.chmod(path, 0o755)
    return path


@pytest.fixture(scope="session")
def programs():
    """Fails early, and with a sentence, when nothing was built."""
    missing = [p for p in ("pra", "prad", "pra-admin") if not os.access(program(p), os.X_OK)]
    if missing:
        pytest.exit(f"not built: {', '.join(missing)} in {program('')}; run make, or set PRA_BUILD", 2)
    if winclient.WINDOWS:
        winclient.make_prefix()


@pytest.fixture(autouse=True)
def test_ports():
    """A test's ports are given back after it; hundreds of them are descriptors, too."""
    before = ports.held()
    yield
    ports.release(ports.held() - before)


def _assert_no_race(path):
    """ThreadSanitizer ends a program with its report on stderr: show it, whatever the test made of the end."""
    for where, _, names in os.walk(path):
        for name in names:
            if name.endswith(".log"):
                with open(os.path.join(where, name), errors="replace") as f:
                    text = f.read()
                at = text.find("WARNING: ThreadSanitizer")
                assert at < 0, text[at:at + 8000]


@pytest.fixture
def folder(request):
    path = _make_folder()
    request.node.work_folder = path
    yield path
    if "TSAN_OPTIONS" in os.environ:
        _assert_no_race(path)
    if not getattr(request.node, "failed_call", True) and not os.environ.get("PRA_TEST_KEEP"):
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def company(tmp_path_factory):
    """The servers that every test may share: mail, web, proxy. They hold no state of a test."""
    path = _make_folder()
    started = []

    def start(server):
        started.append(server.start())
        return server

    class Company:
        pass

    c = Company()
    try:
        c.mail = start(Dovecot(f"{path}/dovecot"))
        c.smtp = start(Postfix(f"{path}/postfix", c.mail)) if os.getuid() == 0 else None
        c.web = start(Nginx(f"{path}/nginx", large=32 << 20))
        c.proxy = start(Tinyproxy(f"{path}/tinyproxy"))
        yield c
    finally:
        for server in reversed(started):
            server.stop()
        if not os.environ.get("PRA_TEST_KEEP"):
            shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def make_gateway(folder, programs):
    made = []

    def make(name="gw", start=True, **options):
        # Good and bad clients of most tests have one address: the bad would lock out the good.
        options.setdefault("penalties", False)
        gateway = Gateway(f"{folder}/{name}", **options).init()
        made.append(gateway)
        return gateway.start() if start else gateway

    yield make
    for gateway in made:
        gateway.stop()


@pytest.fixture
def gateway(make_gateway):
    """A running prad without users."""
    return make_gateway()


@pytest.fixture
def make_client(request, folder, gateway):
    made = []
    # A test of figures, or of what only the release's build does, is about what is installed.
    release = any(request.node.get_closest_marker(m) for m in ("release_client", "release_only", "plain_build"))

    def make(name="c", gateway=gateway, **options):
        options.setdefault("release", release)
        client = Client(f"{folder}/{name}", gateway, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client):
    """User suzuki: key made and registered, server set, not connected, no rules."""
    return make_client().enrol()


@pytest.fixture
def target():
    """Starts TCP targets; see lib/servers/targets.py for what they can do."""
    started = []

    def start(behave=echo, **options):
        t = Target(behave, **options).start()
        started.append(t)
        return t

    yield start
    for t in started:
        t.stop()


@pytest.fixture
def echo_forward(gateway, client, target):
    """Connected, with one forward named "Echo" to an echo target; returns its local port."""
    t = target(echo)
    local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{t.port}", local)
    client.connect()
    client.wait_forward("Echo")
    return local
