"""The company's real servers, reached only through the tunnel."""

import hashlib
import imaplib
import poplib
import smtplib
import urllib.request
import uuid

import pytest

from lib.ports import free_port
from lib.procs import wait_until

pytestmark = pytest.mark.release_client


@pytest.fixture
def office(gateway, client, company):
    """Forwards to every server of the company; attributes are local ports."""
    class Office:
        pop3, imap, smtp, web, proxy = (free_port() for _ in range(5))

    for name, port, target in (("POP", Office.pop3, company.mail.pop3),
                               ("IMAP", Office.imap, company.mail.imap),
                               ("Web", Office.web, company.web.port),
                               ("Proxy", Office.proxy, company.proxy.port)):
        gateway.add_rule("suzuki", name, f"127.0.0.1:{target}", port)
    if company.smtp:
        gateway.add_rule("suzuki", "SMTP", f"127.0.0.1:{company.smtp.smtp}", Office.smtp)
    client.connect()
    assert {f["state"] for f in client.status()["forwards"]} == {"listening"}
    return Office


def pop_login(port, mail):
    pop = poplib.POP3("127.0.0.1", port, timeout=10)
    pop.user(mail.user)
    pop.pass_(mail.password)
    return pop


def find_mail(port, mail, subject):
    """The lines of the mail with this subject, or None."""
    pop = pop_login(port, mail)
    try:
        for number in range(1, pop.stat()[0] + 1):
            lines = pop.retr(number)[1]
            if f"Subject: {subject}".encode() in lines:
                return lines
    finally:
        pop.quit()
    return None


def test_mail_is_read_by_pop3_through_the_tunnel(office, company):
    subject = f"pop {uuid.uuid4()}"
    company.mail.put_mail(subject, "お世話になっております。", name="pop")
    lines = find_mail(office.pop3, company.mail, subject)
    assert "お世話になっております。".encode() in lines


def test_mail_is_read_by_imap_through_the_tunnel(office, company):
    subject = f"imap {uuid.uuid4()}"
    company.mail.put_mail(subject, "Hello by IMAP.", name="imap")
    imap = imaplib.IMAP4("127.0.0.1", office.imap, timeout=10)
    imap.login(company.mail.user, company.mail.password)
    imap.select()
    _, found = imap.search(None, "SUBJECT", f'"{subject}"')
    _, parts = imap.fetch(found[0].split()[-1], "(BODY[TEXT])")
    imap.logout()
    assert b"Hello by IMAP." in parts[0][1]


@pytest.mark.needs_root
def test_mail_sent_by_smtp_through_the_tunnel_arrives(office, company):
    subject = f"smtp {uuid.uuid4()}"
    with smtplib.SMTP("127.0.0.1", office.smtp, timeout=10) as smtp:
        smtp.sendmail("suzuki@pra.test", [f"{company.mail.user}@pra.test"],
                      f"Subject: {subject}\r\n\r\nSent from home.\r\n")
    lines = wait_until(lambda: find_mail(office.pop3, company.mail, subject), 10, "the mail")
    assert b"Sent from home." in lines


def test_page_is_fetched_through_the_tunnel(office):
    page = urllib.request.urlopen(f"http://127.0.0.1:{office.web}/", timeout=10)
    assert page.status == 200
    assert "社内ポータル" in page.read().decode()


def test_large_file_arrives_unchanged(office, company):
    body = urllib.request.urlopen(f"http://127.0.0.1:{office.web}/large.bin", timeout=60).read()
    assert hashlib.sha256(body).hexdigest() == company.web.large_sha256


def test_page_is_fetched_through_the_company_http_proxy(office, company):
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{office.proxy}"})
    page = urllib.request.build_opener(proxy).open(f"http://127.0.0.1:{company.web.port}/", timeout=10)
    assert "社内ポータル" in page.read().decode()
    assert "pra-test" in page.headers["Via"]


def test_status_counts_connections_and_bytes(office, client, company):
    body = urllib.request.urlopen(f"http://127.0.0.1:{office.web}/large.bin", timeout=60).read()

    def counted():
        web = client.forwards()["Web"]
        return web if web["connections"] == 0 and web["bytes_in"] >= len(body) else None
    web = wait_until(counted, 5, "the bytes to be counted and the connection to be gone")
    assert 0 < web["bytes_out"] < 4096
    pop = pop_login(office.pop3, company.mail)
    assert client.forwards()["POP"]["connections"] == 1
    pop.quit()
