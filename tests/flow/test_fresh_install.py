"""Line 6 of the quality document: what `pra-admin init` and a start make lets nobody in and listens at one port."""

import os
import sqlite3
import subprocess

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lib.gateway import program
from lib.procs import run

# What people and products set up as a first password.
GUESSES = ("", "admin", "password", "pra", "root", "changeme", "pra-admin", "12345678", "correct horse battery")
NAMES = ("admin", "root", "pra", "owner", "administrator", "operator", "suzuki")


def listeners(pids):
    """(protocol, address) of every socket of these processes that waits for others."""
    found = set()
    for option, protocol in (("-tlnp", "tcp"), ("-ulnp", "udp"), ("-wlnp", "raw"), ("-xlnp", "unix")):
        for line in subprocess.run(["ss", "-H", option], capture_output=True, text=True, check=True).stdout.splitlines():
            if any(f"pid={pid}," in line for pid in pids):
                words = line.split()
                found.add((protocol, words[4] if protocol == "unix" else words[3]))
    return found


def of_session(pid):
    """The process and what it has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [pid, *map(int, f.read().split())]


def test_one_port_and_two_sockets_listen(gateway):
    assert listeners(of_session(gateway.pid)) == {
        ("tcp", gateway.address), ("unix", f"{gateway.dir}/admin.sock"), ("unix", f"{gateway.dir}/portal.sock")}
    for name in ("admin.sock", "portal.sock", "pra.db", "host_key"):
        assert os.stat(f"{gateway.dir}/{name}").st_mode & 0o077 == 0, name


def test_no_account_no_key_no_rule_is_in_the_store(gateway):
    for what in ("user", "group", "key", "rule", "session", "account", "enroll"):
        assert gateway.admin(what, "list") == [], what
    gateway.stop()
    with sqlite3.connect(f"file:{gateway.dir}/pra.db?mode=ro", uri=True) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        filled = {t: db.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0] for t in tables if not t.startswith("sqlite_")}
    # Of what happened, of the gateway itself, what it keys its digests with, and how the tables are written.
    allowed = {"audit", "audit_counts", "facts", "meta", "schema", "secrets"}
    assert {t for t, n in filled.items() if n > 0} <= allowed, filled


def test_no_key_and_no_password_gets_in_by_ssh(gateway, folder):
    key = ed25519.Ed25519PrivateKey.generate()
    path = os.path.join(folder, "key")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    for name in NAMES:
        result = run(["ssh", "-F", "none", "-v", "-p", str(gateway.port), "-i", path, "-o", "IdentitiesOnly=yes",
                      "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                      "-N", f"{name}@{gateway.host}"])
        assert result.status == 255 and "Permission denied (publickey)" in result.err, (name, result.err)
    assert gateway.admin("user", "list") == [] and not gateway.audit("login")


def test_the_portal_has_one_port_and_no_password_that_is_good(portal):
    """It is not started by an installation; here it is, and nobody has an account."""
    assert listeners(of_session(portal.process.pid)) == {("tcp", f"127.0.0.1:{portal.port}")}
    for name in NAMES[:4]:
        for guess in GUESSES[:4]:
            browser = portal.browser()
            assert browser.login(name, guess).status in (400, 401, 403, 429), (name, guess)
            assert browser.get("/users").status == 401
    assert portal.browser().post("/setup", {"account": "admin", "code": "A" * 16, "password": GUESSES[-1]}).status >= 400


def test_no_secret_is_the_same_in_two_installations(make_gateway):
    made = [make_gateway(name) for name in ("one", "two")]
    keys, secrets = [], []
    for gateway in made:
        gateway.stop()
        with open(gateway.host_key) as f:
            keys.append(f.read())
        with sqlite3.connect(f"file:{gateway.dir}/pra.db?mode=ro", uri=True) as db:
            secrets.append({v for row in db.execute("SELECT * FROM secrets") for v in row if isinstance(v, bytes)})
    assert keys[0] != keys[1] and secrets[0] and not secrets[0] & secrets[1]
    for name in ("prad", "pra-admin", "pra-portal"):
        with open(program(name), "rb") as f:
            program_text = f.read()
        assert b"BEGIN OPENSSH PRIVATE KEY-----\nb3" not in program_text and b"BEGIN PRIVATE KEY-----\nM" not in program_text, name
