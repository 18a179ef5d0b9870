"""A disk that is full, takes no writes or answers with errors, and no descriptors left (quality 19): changes are refused
with a sentence, what is connected goes on, the helpdesk can read why, and all is well again when the disk is."""

import errno
import os
import urllib.error
import urllib.request

import pytest

from lib import faults as f
from lib.client import dial, exchange
from lib.faults import ALWAYS, FILES, Faults
from lib.gateway import Gateway, program
from lib.ports import free_port
from lib.procs import Process, run, wait_until
from lib.servers.targets import echo

NO_WRITE = f.WRITE | f.SYNC | f.TRUNCATE | f.RENAME


class Disk:
    """A disk of a few MiB in a mount namespace of its own; `path` is where programs in there see it."""

    def __init__(self, folder, size):
        self.path = os.path.join(folder, "disk")
        os.makedirs(self.path)
        self._holder = Process(["unshare", "--mount", "--propagation", "private", "sh", "-ec",
                                'mount -t tmpfs -o mode=755,size="$2" tmpfs "$1"; echo mounted; exec sleep infinity', "sh",
                                self.path, size], os.path.join(folder, "disk.log"), name="disk")
        self._holder.wait_output("mounted")
        self.prefix = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]
        self.inside = f"/proc/{self._holder.pid}/root{self.path}"  # the same folder, as seen from here

    def fill(self):
        with open(f"{self.inside}/filler", "wb", buffering=0) as filler:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        filler.write(b"x" * size)
                except OSError as e:
                    assert e.errno == errno.ENOSPC

    def free(self):
        os.unlink(f"{self.inside}/filler")

    def stop(self):
        self._holder.stop()


class DiskGateway(Gateway):
    """A prad whose store lies on a Disk; pra-admin sees that disk, too."""

    def __init__(self, folder, disk, **options):
        self.disk = disk
        super().__init__(folder, prefix=disk.prefix, **options)

    def write_config(self, extra=""):
        super().write_config(extra)
        with open(self.config) as config:
            text = config.read()
        with open(self.config, "w") as config:
            config.write(text.replace("sqlite:pra.db", f"sqlite:{self.disk.path}/pra.db"))

    def admin_run(self, *args, **kwargs):
        return run([*self.prefix, program("pra-admin"), "--config", self.config, *args], env=self.env, **kwargs)


class Health:
    def __init__(self, port):
        self.port = port
        self.config = f"[metrics]\nlisten = 127.0.0.1:{port}\n"

    def ask(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()


@pytest.fixture
def health():
    return Health(free_port())


def tunnel(gateway, make_client, target):
    """A client with a forward through which bytes go: its port."""
    client = make_client(gateway=gateway).enrol()
    local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", local)
    client.connect()
    client.wait_forward("Echo")
    return local


def assert_fails_closed_and_heals(gateway, health, local, break_disk, mend_disk):
    """The story of a disk that goes and comes back, with a connection that lives through it."""
    fingerprint = gateway.admin("key", "list")[0]["fingerprint"]
    with dial(local) as living:
        living.sendall(b"before")
        assert living.recv(6) == b"before"
        break_disk()
        refused = gateway.admin_run("user", "add", "sato")
        assert refused.status == 1, "a change that cannot be kept must not be acknowledged"
        assert "ERR(store) database: " in refused.err, str(refused)
        assert [u["name"] for u in gateway.admin("user", "list")] == ["suzuki"], "what was refused must not be there"
        assert [k["state"] for k in gateway.admin("key", "list")] == ["active"]
        # Live tunnels go on, and so do new connections through them.
        living.sendall(b"during")
        assert living.recv(6) == b"during"
        assert exchange(local, b"a new one", 9) == b"a new one"
        # The helpdesk reads why.
        wait_until(lambda: health.ask()[0] == 503, 30, "/healthz to be bad", 0.2)
        assert health.ask()[1] == "the store cannot be written\n"
        assert gateway.admin("status")["trouble"] == ["the store cannot be written"]
        assert "store" in gateway.log()
        mend_disk()
        wait_until(lambda: health.ask()[0] == 200, 30, "/healthz to be good again", 0.2)
        gateway.add_user("sato")
        # What somebody should look at is told as soon as it can be kept.
        alert = wait_until(lambda: gateway.admin("alert", "list", "--kind", "store"), 10, "the alert", 0.2)[0]
        assert alert["severity"] == "critical" and alert["detail"].startswith("from=2") and " until=2" in alert["detail"]
        living.sendall(b"after!")
        assert living.recv(6) == b"after!"
    # What happened meanwhile is on record.
    gateway.wait_audit("channel-close", timeout=10)
    gateway.admin("key", "revoke", fingerprint)
    gateway.restart()
    assert {u["name"] for u in gateway.admin("user", "list")} == {"suzuki", "sato"}
    assert [k["state"] for k in gateway.admin("key", "list")] == ["revoked"]


@pytest.mark.needs_root
def test_full_disk_stops_changes_and_nothing_else(folder, programs, make_client, target, health):
    disk = Disk(folder, "12m")
    gateway = DiskGateway(f"{folder}/full", disk, extra_config=health.config, penalties=False).init()
    try:
        gateway.start()
        assert_fails_closed_and_heals(gateway, health, tunnel(gateway, make_client, target), disk.fill, disk.free)
        alert = wait_until(lambda: gateway.admin("alert", "list", "--kind", "disk"), 10, "the alert", 0.2)[0]
        assert alert["severity"] == "critical"
    finally:
        gateway.stop()
        disk.stop()


@pytest.mark.parametrize("error", ["EIO", "EROFS"])
def test_disk_that_takes_no_writes_stops_changes_and_nothing_else(folder, make_gateway, make_client, target, health,
                                                                  error):
    faults = Faults(folder)
    gateway = make_gateway("disk", env=faults.env, extra_config=health.config)
    assert_fails_closed_and_heals(
        gateway, health, tunnel(gateway, make_client, target),
        lambda: faults.arm(NO_WRITE, at=1, error=getattr(errno, error), times=ALWAYS, places=FILES), faults.disarm)


def test_prad_does_not_begin_on_a_disk_that_cannot_be_read(folder, make_gateway):
    faults = Faults(folder)
    gateway = make_gateway("disk", start=False, env=faults.env)
    with faults.armed(f.READ, at=1, error=errno.EIO, times=ALWAYS, places=FILES):
        done = run([program("prad"), "--config", gateway.config], env=gateway.env, timeout=20)
    assert done.status == 1 and done.err.strip(), str(done)
    gateway.start()


def test_disk_that_takes_no_writes_hands_out_no_ticket_and_the_old_one_stays_good(folder, make_gateway, make_client):
    faults = Faults(folder)
    gateway = make_gateway("disk", env=faults.env)
    client = make_client(gateway=gateway).enrol()
    gateway.add_rule("suzuki", "Echo", "127.0.0.1:7", free_port())
    stored = lambda: client.system_log().count("ticket-stored")  # noqa: E731

    def visit(tickets):
        client.connect()
        wait_until(lambda: stored() >= tickets, 5)
        client.disconnect().ok()
        wait_until(lambda: not gateway.sessions(), 5)

    visit(1)
    with faults.armed(NO_WRITE, at=1, error=errno.ENOSPC, times=ALWAYS, places=FILES):
        for _ in range(2):
            client.connect()
            wait_until(lambda: "tickets-not-stored" in gateway.log(), 5)
            client.disconnect().ok()
            wait_until(lambda: not gateway.sessions(), 5)
        assert stored() == 1
    visit(2)
    gateway.restart()
    visit(3)
    assert not gateway.audit("clone")
