"""`pra enroll`: a PC hands in its key with a code, and works once an administrator has approved it."""

import os

import pytest

from lib.client import exchange
from lib.messages import assert_shows
from lib.ports import free_port
from lib.procs import Process, run, wait_until
from lib.servers.targets import echo

WAITING = "Waiting for your administrator"


@pytest.fixture
def new_pc(make_client, gateway):
    """PCs with a key that nobody has registered, of the user suzuki."""
    gateway.add_user("suzuki")

    def make(name="c", **options):
        client = make_client(name, **options)
        client.keygen()
        client.set_server()
        return client
    return make


def code_for(gateway, user="suzuki", *options):
    return gateway.admin("enroll", "code", user, *options)["code"]


def enroll(client, code, **kwargs):
    return client.run("enroll", "--code", code, "--passphrase-file", client.passphrase_file, timeout=30, **kwargs)


class Waiting:
    """`pra enroll` in the background, as a person leaves it standing."""

    def __init__(self, client, code):
        self.log = os.path.join(client.dir, f"enroll-{len(os.listdir(client.dir))}.log")
        self.process = Process([*client.command("enroll", "--code", code, "--passphrase-file"), client.passphrase_file],
                               self.log, env=client.env)

    def text(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def see(self, text, times=1, timeout=20):
        wait_until(lambda: self.text().count(text) >= times, timeout, f"{text!r} in {self.log}")
        return self

    def ends(self, status):
        assert self.process.wait(15) == status, self.text()
        return self.text()


def waiting_one(gateway):
    return wait_until(lambda: gateway.admin("enroll", "list", "--state", "waiting"), 5, "somebody to wait")[0]


def approve(gateway):
    gateway.admin("enroll", "approve", str(waiting_one(gateway)["id"]))


def test_a_pc_hands_in_its_key_and_works_once_it_is_approved(gateway, new_pc, target):
    client = new_pc()
    local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target(echo).port}", local)
    waits = Waiting(client, code_for(gateway)).see(WAITING)
    row = waiting_one(gateway)
    assert row["fingerprint"] == client.key_fingerprint() and row["fingerprint"] in waits.text()
    assert row["user"] == "suzuki" and row["source"] == "127.0.0.1" and row["computer"] and row["os"]
    assert client.try_connect(3).status == 1, "a key that waits is not registered"
    client.disconnect()
    approve(gateway)
    assert "Next: pra connect" in waits.ends(0)
    client.connect()
    client.wait_forward("Echo")
    assert exchange(local, b"hello", 5) == b"hello"
    key = gateway.admin("key", "list", "--user", "suzuki")[0]
    assert key["comment"].startswith("suzuki@") and key["state"] == "active"
    assert gateway.audit("admin", reason="done", device=row["fingerprint"])
    for state in ("request", "waiting", "approved"):
        gateway.wait_audit("enroll", reason=state, user="suzuki")
    # A lost laptop: one command, or one click, and its session is gone, too.
    gateway.admin("key", "revoke", row["fingerprint"])
    client.wait_state("error")
    assert client.status()["error"]["code"] == "ERR(10205)"


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_what_goes_wrong_is_said_in_words_of_its_own(gateway, new_pc, lang):
    client, other = new_pc("one", lang=lang), new_pc("two", lang=lang)
    assert_shows(enroll(client, "AAAA-BBBB-CCCC-DDDD").err, "MSG_ENROLL_CODE", lang)
    # Refused.
    code = code_for(gateway)
    waits = Waiting(client, code).see(client.key_fingerprint())
    gateway.admin("enroll", "deny", str(waiting_one(gateway)["id"]))
    assert_shows(waits.ends(1), "MSG_ENROLL_DENIED", lang)
    # Used: whoever comes second with a code gets nowhere, before the decision and after it.
    code = code_for(gateway)
    waits = Waiting(client, code).see(client.key_fingerprint())
    waiting_one(gateway)
    assert_shows(enroll(other, code.lower().replace("-", " ")).err, "MSG_ENROLL_USED", lang)
    approve(gateway)
    waits.ends(0)
    assert_shows(enroll(other, code).err, "MSG_ENROLL_USED", lang)
    # Taken back before anybody came.
    made = gateway.admin("enroll", "code", "suzuki")
    gateway.admin("enroll", "deny", str(made["id"]))
    assert_shows(enroll(other, made["code"]).err, "MSG_ENROLL_EXPIRED", lang)
    # What is no code is not sent anywhere; neither is one without a key or with a wrong passphrase.
    assert enroll(other, "no code").status == 2
    told = other.run("enroll", "--code", code, "--accept", "SHA256:short")
    assert told.status == 2 and "'SHA256:short' is not a fingerprint" in told.err
    told = other.run("enroll", "--code", code)  # and there is no terminal to ask at
    assert told.status != 0 and "pra enroll [--code" in told.err
    other.set_passphrase("something else")
    told = enroll(other, code).err
    assert_shows(told, "MSG_KEY_PASSPHRASE", lang)
    assert f"pra keygen --user {other.user} --force" in told


def test_a_wait_that_was_cut_off_goes_on(gateway, new_pc):
    client = new_pc()
    code = code_for(gateway)
    waits = Waiting(client, code).see(WAITING)
    waiting_one(gateway)
    gateway.kill()
    waits.see("The request stays")
    gateway.start()
    waits.see(WAITING, times=2)
    waits.process.kill()
    again = Waiting(client, code).see(WAITING)
    approve(gateway)
    assert "Next: pra connect" in again.ends(0)
    assert "Next: pra connect" in enroll(client, code).ok().err, "who missed the decision learns it"


def test_the_newest_of_two_waits(gateway, new_pc):
    client = new_pc()
    code = code_for(gateway)
    first = Waiting(client, code).see(WAITING)
    second = Waiting(client, code).see(WAITING)
    assert "another 'pra enroll'" in first.ends(1)
    approve(gateway)
    second.ends(0)


def test_a_deleted_user_takes_his_codes_with_him(gateway, new_pc):
    client = new_pc()
    waits = Waiting(client, code_for(gateway)).see(WAITING)
    waiting_one(gateway)
    gateway.admin("user", "delete", "suzuki")
    assert_shows(waits.ends(1), "MSG_ENROLL_EXPIRED")
    assert gateway.admin("enroll", "list") == []


def test_an_older_gateway_is_named(new_pc):
    """A gateway that knows nothing of enrollment refuses the key without a word, as sshd does."""
    client = new_pc()
    key, port = os.path.join(client.dir, "sshd_key"), free_port()
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).ok()
    sshd = Process(["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-h", key, "-p", str(port), "-o",
                    "ListenAddress=127.0.0.1", "-o", "PidFile=none", "-o", "UsePAM=no"], key + ".log")
    sshd.wait_port(port)
    client.set_server(f"127.0.0.1:{port}", run(["ssh-keygen", "-lf", f"{key}.pub"]).ok().out.split()[1])
    assert_shows(enroll(client, "AAAA-BBBB-CCCC-DDDD").err, "MSG_ENROLL_OLD")
    sshd.stop()


def test_codes_are_limited_and_leave_no_trace(gateway, new_pc):
    client = new_pc()
    made = gateway.admin("enroll", "code", "suzuki", "--hours", "1")
    assert gateway.admin_run("enroll", "code", "suzuki", "--hours", "337").status == 1
    assert gateway.admin_run("enroll", "code", "nobody").status == 1
    assert gateway.admin_run("enroll", "approve", str(made["id"])).status == 1, "nobody has come yet"
    waits = Waiting(client, made["code"]).see(WAITING)
    approve(gateway)
    waits.ends(0)
    assert gateway.admin_run("enroll", "deny", str(made["id"])).status == 1, "decided already"
    bare = made["code"].replace("-", "")
    with open(os.path.join(gateway.dir, "pra.db"), "rb") as f:
        kept = f.read()
    for text in (gateway.log(), str(gateway.audit()), kept.decode("latin-1")):
        assert made["code"] not in text and bare not in text
