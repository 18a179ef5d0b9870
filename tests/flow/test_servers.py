"""The real servers answer without PRA: tells a broken test machine from a broken tunnel."""

import imaplib
import poplib
import smtplib
import urllib.request

import pytest


def test_dovecot_answers_pop3_and_imap(company):
    pop = poplib.POP3("127.0.0.1", company.mail.pop3)
    pop.user(company.mail.user)
    pop.pass_(company.mail.password)
    pop.quit()
    imap = imaplib.IMAP4("127.0.0.1", company.mail.imap)
    imap.login(company.mail.user, company.mail.password)
    imap.logout()


@pytest.mark.needs_root
def test_postfix_answers_smtp(company):
    with smtplib.SMTP("127.0.0.1", company.smtp.smtp) as smtp:
        assert smtp.noop()[0] == 250


def test_nginx_and_tinyproxy_answer(company):
    page = f"http://127.0.0.1:{company.web.port}/"
    proxy = urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{company.proxy.port}"})
    direct = urllib.request.urlopen(page).read()
    assert b"Company intranet" in direct
    assert urllib.request.build_opener(proxy).open(page).read() == direct
