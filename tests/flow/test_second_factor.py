"""`pra connect` with a second factor: asked once for a tunnel, not again over reconnects, every way it goes wrong."""

import ctypes

import pytest

from lib.client import exchange
from lib.factor import Authenticator
from lib.messages import assert_shows
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import echo
from lib.terminal import Terminal

PROMPT = "Code of your authenticator app: "


@pytest.fixture
def pc(client, gateway, target):
    """A registered PC whose user has an authenticator, and a forward."""
    client.app = Authenticator(gateway)
    client.local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", local=client.local)
    return client


@pytest.fixture
def terminal():
    made = []

    def make(*args, **options):
        made.append(Terminal(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def file_with(client, text):
    path = f"{client.dir}/code"
    with open(path, "w") as f:
        f.write(f"{text}\n")
    return path


def connect(client, code, **options):
    return client.run("connect", "--passphrase-file", client.passphrase_file, "--code-file",
                      file_with(client, code), "--wait", "10", timeout=40, **options)


def works(client):
    return exchange(client.local, b"hello", 5) == b"hello"


def test_connect_asks_once_and_a_reconnect_does_not(pc, gateway, terminal):
    t = terminal(pc, "connect", "--passphrase-file", pc.passphrase_file)
    t.read_until(PROMPT)
    t.type(f"{pc.app.code()}\n")
    t.read_until("Connected; port forwarding has begun")
    assert works(pc)
    gateway.wait_audit("login", reason="code")
    gateway.kill()
    pc.wait_state("waiting")
    gateway.start()
    pc.wait_state("connected")
    assert works(pc)
    assert [e["reason"] for e in gateway.audit("login")] == ["code", "lease"]
    assert pc.app.secret not in pc.system_log() and "lease " not in pc.system_log()


def test_wrong_code_is_told_and_asked_for_again_without_the_passphrase(pc, gateway, terminal):
    t = terminal(pc, "connect", "--passphrase-file", pc.passphrase_file)
    t.read_until(PROMPT)
    t.type(f"{pc.app.wrong()}\n")
    t.read_until("ERR(10214)")
    t.read_until(PROMPT)
    t.type(f"{pc.app.code()}\n")
    t.read_until("Connected; port forwarding has begun")
    assert len(gateway.audit("login-refused", reason="factor-wrong")) == 1


def test_code_from_a_file_and_none_at_all(pc, gateway):
    told = pc.try_connect()
    assert told.status == 1
    assert_shows(told.err, "MSG_CODE_NEEDED", "en")
    assert pc.status()["state"] == "code" and pc.run("status").status == 3
    connect(pc, pc.app.code()).ok()  # the key is open: only the code was missing
    assert works(pc)
    pc.disconnect().ok()
    told = connect(pc, pc.app.wrong())
    assert told.status == 1
    assert_shows(told.err, "MSG_CODE_WRONG", "en")
    # Who brings a right one now is not told of the wrong one before.
    told = connect(pc, pc.app.code()).ok()
    assert "ERR(" not in told.err


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_what_is_wrong_is_told_in_both_languages(pc, gateway, lang):
    code = pc.app.code()
    connect(pc, code).ok()
    pc.disconnect().ok()
    told = connect(pc, code, lang=lang)
    assert_shows(told.err, "MSG_CODE_USED", lang)
    for _ in range(4):
        told = connect(pc, pc.app.wrong(), lang=lang)
    assert_shows(told.err, "MSG_CODE_WRONG", lang)
    told = connect(pc, pc.app.code(), lang=lang)
    assert told.status == 1
    assert_shows(told.err, "MSG_CODE_PAUSED", lang)
    gateway.admin("factor", "reset", "suzuki")
    pc.disconnect()
    told = connect(pc, "123456", lang=lang)
    assert_shows(told.err, "MSG_CODE_MISSING", lang)
    assert pc.status()["state"] == "error"


def test_revoked_lease_lets_the_tunnel_wait_for_a_code(pc, gateway, terminal):
    """While it reconnects in the background nobody is there: it says so and waits, and the listeners stay."""
    connect(pc, pc.app.code()).ok()
    gateway.admin("factor", "forget", "suzuki")
    gateway.restart()
    status = pc.wait_state("code")
    assert status["error"]["code"] == "ERR(10214)" and status["forwards"]
    t = terminal(pc, "connect")
    t.read_until(PROMPT)  # and no passphrase
    t.type(f"{pc.app.code()}\n")
    t.read_until("Connected; port forwarding has begun")
    assert works(pc)


def test_disconnect_ends_the_lease(pc, gateway):
    connect(pc, pc.app.code()).ok()
    wait_until(lambda: gateway.admin("factor", "show", "suzuki")["leases"])
    pc.disconnect().ok()
    wait_until(lambda: gateway.admin("factor", "show", "suzuki")["leases"] == [])
    assert_shows(pc.try_connect().err, "MSG_CODE_NEEDED", "en")
    pc.disconnect().ok()
    assert pc.status()["state"] == "disconnected"


def test_in_the_foreground_a_person_is_asked_too(pc, gateway, terminal):
    t = terminal(pc, "connect", "--foreground", "--passphrase-file", pc.passphrase_file)
    t.read_until(PROMPT)
    t.type(f"{pc.app.wrong()}\n")
    t.read_until("ERR(10214)")
    t.read_until(PROMPT)
    t.type(f"{pc.app.code()}\n")
    t.read_until("Connected; port forwarding has begun")
    assert works(pc)


def test_policy_that_begins_leaves_what_stands(pc, gateway):
    gateway.admin("user", "factor", "suzuki", "off")
    pc.connect()
    gateway.admin("user", "factor", "suzuki", "required")
    assert works(pc)
    gateway.restart()
    pc.wait_state("code")


# --- enrolment by pra-admin -----------------------------------------------------------------------


def module_rows(text):
    """Half blocks as rows of what is drawn."""
    upper_lower = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}
    rows = []
    for line in text.splitlines():
        cells = [upper_lower[c] for c in line]
        rows += [[u for u, _ in cells], [low for _, low in cells]]
    return rows


class QrCode(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]


def modules_of(text):
    """What libqrencode makes of it."""
    library = ctypes.CDLL("libqrencode.so.4")
    library.QRcode_encodeString8bit.restype = ctypes.POINTER(QrCode)
    qr = library.QRcode_encodeString8bit(text.encode(), 0, 0).contents
    return [[bool(qr.data[y * qr.width + x] & 1) for x in range(qr.width)] for y in range(qr.width)]


def framed(modules, quiet):
    """With so many light modules around."""
    width = len(modules) + 2 * quiet
    sides = [[False] * quiet + row + [False] * quiet for row in modules]
    return [[False] * width] * quiet + sides + [[False] * width] * quiet


def test_qr_code_of_the_terminal_is_the_uri(gateway, folder):
    """Without colours light modules are drawn, for a terminal that is dark."""
    gateway.add_user("suzuki")
    shown = gateway.admin_run("factor", "begin", "suzuki", "--uri").ok().out
    *picture, uri = shown.strip("\n").splitlines()
    assert uri.startswith("otpauth://totp/PRA:suzuki%20%28tunnel%29?secret=")
    drawn = [[not light for light in row] for row in module_rows("\n".join(picture))]
    size = len(drawn[0])
    assert drawn[:size] == framed(modules_of(uri), 4) and not any(any(row) for row in drawn[size:])


def test_enrolment_step_by_step(gateway):
    gateway.add_user("suzuki")
    assert gateway.admin("factor", "show", "suzuki")["state"] == "none"
    secret = gateway.admin("factor", "begin", "suzuki")["secret"]
    assert gateway.admin("factor", "show", "suzuki")["state"] == "unconfirmed"
    wrong = gateway.admin_run("factor", "confirm", "suzuki", "--code-file", "-", input="000000\n")
    assert wrong.status == 1 and "ERR(wrong)" in wrong.err
    app = Authenticator(gateway, "suzuki", required=False)
    assert app.secret != secret and len(set(app.recovery)) == 10
    shown = gateway.admin("factor", "show", "suzuki")
    assert shown["state"] == "on" and shown["recovery-codes"] == 10 and shown["effective"] == "off"
    assert gateway.admin_run("factor", "begin", "suzuki").status == 1  # not over a good one
    again = gateway.admin("factor", "recovery", "suzuki")["recovery-codes"]
    assert not set(again) & set(app.recovery)
    gateway.admin("factor", "reset", "suzuki")
    assert gateway.admin("factor", "show", "suzuki")["state"] == "none"
    assert app.secret not in gateway.log() and app.secret not in str(gateway.audit())
