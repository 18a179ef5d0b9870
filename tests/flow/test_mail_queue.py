"""Mail that PRA sends, through a real Postfix with TLS and AUTH: queued, sent, tried again, given up, shown."""

import os
import re

import pytest

from lib.mta import Mta
from lib.procs import wait_until

pytestmark = pytest.mark.needs_root


def mail(gateway, number):
    return gateway.admin("mail", "list", "--id", str(number))[0]


def wait_state(gateway, number, state, timeout=20):
    return wait_until(lambda: mail(gateway, number)["state"] == state and mail(gateway, number), timeout,
                      f"mail {number} to be {state}", interval=0.1)


def test_test_mail_arrives_and_the_command_says_so(make_gateway, mta):
    gateway = make_gateway(extra_config=mta.config())
    result = gateway.admin_run("mail", "test", "suzuki@pra.test").ok()
    assert "sent" in result.err
    got = mta.wait_mail(to="suzuki@pra.test", subject="テストメール")
    assert got.subject == "PRA: テストメール / test mail"
    assert "メール設定を確認" in got.text and got.message["From"] == "pra@pra.test"
    assert re.fullmatch(r"<[0-9a-f]{32}@pra\.test>", got.message["Message-ID"])
    assert got.message["Date"].datetime and got.message["Auto-Submitted"] == "auto-generated"
    for line in got.raw.split(b"\n"):
        assert len(line) <= 998
        line.decode("ascii")  # what is not ASCII is encoded, in headers as well
    assert b"with ESMTPSA" in got.raw  # TLS and AUTH, as Postfix saw it
    assert gateway.wait_audit("mail-sent", reason="test")


def test_implicit_tls_works_too(make_gateway, mta):
    gateway = make_gateway(extra_config=mta.config(tls="implicit", port=mta.implicit))
    gateway.admin_run("mail", "test", "tanaka@pra.test").ok()
    assert b"with ESMTPSA" in mta.wait_mail(to="tanaka@pra.test").raw


def test_mail_waits_for_a_server_that_is_down_and_across_a_restart(make_gateway, folder):
    server = Mta(f"{folder}/mta").start()
    try:
        server.stop_smtp()
        gateway = make_gateway(extra_config=server.config())
        first = gateway.admin("mail", "test", "suzuki@pra.test", "--no-wait")["id"]
        waiting = wait_until(lambda: mail(gateway, first)["tries"] >= 2 and mail(gateway, first), 20, "two tries")
        assert waiting["state"] in ("waiting", "sending") and "connect" in waiting["error"].lower()
        gateway.restart()
        assert mail(gateway, first)["tries"] >= 2
        server.start_smtp()
        gateway.admin("mail", "retry")
        sent = wait_state(gateway, first, "sent")
        assert sent["error"] is None and sent["finished"]
        assert len(server.mails(to="suzuki@pra.test")) == 1
        gateway.stop()  # with prad down a mail is put into the queue, and prad sends it when it is back
        second = gateway.admin("mail", "test", "sato@pra.test", "--no-wait")["id"]
        gateway.start()
        wait_state(gateway, second, "sent")
    finally:
        server.stop()


def test_wrong_password_is_shown_and_mended_by_a_reload(make_gateway, mta):
    gateway = make_gateway(start=False)
    wrong = os.path.join(gateway.dir, "password")
    with open(wrong, "w") as f:
        f.write("not the password\n")
    os.chmod(wrong, 0o600)
    gateway.write_config(mta.config(password_file=wrong))
    gateway.start()
    result = gateway.admin_run("mail", "test", "sato@pra.test")
    assert result.status == 1 and "535" in result.err, str(result)
    number = gateway.admin("mail", "list")[0]["id"]
    assert mail(gateway, number)["state"] in ("waiting", "sending")
    assert "not the password" not in gateway.log()
    with open(wrong, "w") as f:
        f.write(mta.password + "\n")
    # While an attempt with the old password is under way there is nothing to try again.
    wait_until(lambda: gateway.admin_run("mail", "retry", "--id", str(number)).status == 0 or
               mail(gateway, number)["state"] == "sent", 20, "the mail to be tried again")
    wait_state(gateway, number, "sent")


def test_server_that_nobody_vouches_for_gets_neither_password_nor_mail(make_gateway, mta):
    gateway = make_gateway(extra_config=mta.config(ca_file=None))
    before = len(mta.mails())
    result = gateway.admin_run("mail", "test", "sato@pra.test")
    assert result.status == 1 and "certificate" in result.err.lower(), str(result)
    assert len(mta.mails()) == before
    gateway.write_config(mta.config())
    gateway.reload()
    number = gateway.admin("mail", "list")[0]["id"]

    def sent():
        if mail(gateway, number)["state"] == "waiting":
            gateway.admin_run("mail", "retry", "--id", str(number))
        return mail(gateway, number)["state"] == "sent"
    wait_until(sent, 20, "the mail to be sent after the reload", interval=0.3)


def test_recipient_that_the_server_refuses_is_given_up_at_once_and_holds_up_nobody(make_gateway, mta):
    gateway = make_gateway(extra_config=mta.config())
    bad = gateway.admin("mail", "test", "nobody-here@pra.test", "--no-wait")["id"]
    good = gateway.admin("mail", "test", "hanako@pra.test", "--no-wait")["id"]
    wait_state(gateway, good, "sent")
    failed = wait_state(gateway, bad, "failed")
    assert failed["tries"] == 1 and "550" in failed["error"] and "nobody-here" in failed["error"]
    assert gateway.wait_audit("mail-failed", reason="failed")
    assert gateway.admin("mail", "drop", str(bad))["id"] == bad
    assert bad not in [m["id"] for m in gateway.admin("mail", "list")]


@pytest.mark.parametrize("address", ["a@b\r\nBcc: c@d", "a@b\n", "a b@c", "a@b,c@d", "<a@b>", "a", "@b", "-f@b", "ä@b"])
def test_addresses_that_could_be_more_than_one_are_refused(make_gateway, mta, address):
    gateway = make_gateway(extra_config=mta.config(), start=False)
    result = gateway.admin_run("mail", "test", "--no-wait", "--", address)
    assert result.status == 1 and "ERR(invalid) address" in result.err, str(result)


@pytest.mark.parametrize("config, words", [
    ("[mail]\nserver = smtp.example.com\n", "prad.ini: [mail] from is missing"),
    ("[mail]\nserver = smtp.example.com:25\n", "prad.ini:8: [mail] server"),
    ("[mail]\nfrom = pra@example.com\n", "prad.ini: [mail] server is missing"),
    ("[mail]\ntls = maybe\n", "prad.ini:8: [mail] tls"),
    ("[mail]\nfrom = pra@example.com, x@example.com\n", "prad.ini:8: [mail] from"),
    ("[mail]\npassword_file = /nowhere/password\n", "prad.ini:8: [mail] password_file"),
    ("[mail]\nserver = s\nfrom = a@b\nuser = u\n", "user and password_file go together"),
    ("[portal]\nurl = http://gw.example.com\n", "prad.ini:8: [portal] url"),
])
def test_settings_that_cannot_work_are_told_with_file_and_line(make_gateway, config, words):
    gateway = make_gateway(start=False)
    gateway.write_config(config)
    result = gateway.admin_run("status")
    assert result.status == 1 and words in result.err, str(result)


def test_password_file_that_others_may_read_and_a_password_without_tls_are_refused(make_gateway, mta):
    gateway = make_gateway(start=False)
    open_file = os.path.join(gateway.dir, "open")
    with open(open_file, "w") as f:
        f.write("x\n")
    os.chmod(open_file, 0o644)
    gateway.write_config(mta.config(password_file=open_file))
    assert "others may read" in gateway.admin_run("status").err
    gateway.write_config(mta.config(tls="none"))
    assert "is not sent without TLS" in gateway.admin_run("status").err


def test_without_settings_mail_is_refused_with_a_sentence(gateway):
    result = gateway.admin_run("mail", "test", "hanako@pra.test")
    assert result.status == 1 and "[mail] in prad.ini" in result.err
