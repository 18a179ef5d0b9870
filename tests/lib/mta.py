"""
A real mail server for what PRA sends: Postfix with TLS and AUTH (asked of Dovecot), and a mailbox to look into.
Needs root, as Postfix does.

    mta = Mta(folder).start()
    gateway = make_gateway(extra_config=mta.config())   # [mail] of prad.ini
    mail = mta.wait_mail(to="hanako@pra.test", subject="...")
    mail.text, mail.html, mail.files
"""

import datetime
import email
import email.policy
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.dovecot import Dovecot
from lib.servers.postfix import Postfix

MAIN = """
smtpd_tls_cert_file = {dir}/server.pem
smtpd_tls_key_file = {dir}/server.key
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dovecot}/auth-smtp
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtp_tls_security_level = none
"""
MASTER = """
127.0.0.1:{starttls} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt
127.0.0.1:{implicit} inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o smtpd_tls_wrappermode=yes
tlsmgr    unix  - - n 1000? 1 tlsmgr
"""
USERS = ("suzuki", "tanaka", "sato", "site")


def _certificate(name, issuer, issuer_key, key, ca):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
               .issuer_name(issuer).public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True))
    if not ca:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def make_certificates(folder):
    """ca.pem, and server.pem with server.key for localhost and 127.0.0.1."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PRA test authority")])
    ca = _certificate("PRA test authority", ca_name, ca_key, ca_key, True)
    server = _certificate("localhost", ca_name, ca_key, key, False)
    for name, certificate in (("ca.pem", ca), ("server.pem", server)):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(certificate.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, "server.key"), "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                  serialization.NoEncryption()))
    os.chmod(os.path.join(folder, "server.key"), 0o600)


class Mail:
    """One mail of the mailbox, taken apart."""

    def __init__(self, raw):
        self.raw = raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        self.subject, self.to = self.message["Subject"], self.message["To"]

    def _body(self, kind):
        part = self.message.get_body((kind,))
        return part.get_content().replace("\r\n", "\n") if part else None

    @property
    def text(self):
        return self._body("plain")

    @property
    def html(self):
        return self._body("html")

    @property
    def files(self):
        """Attachments by name, as bytes."""
        return {p.get_filename(): p.get_payload(decode=True) for p in self.message.iter_attachments()}


class Mta:
    user, password = Dovecot.user, Dovecot.password

    def __init__(self, folder):
        self.dir = str(folder)
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        self.starttls, self.implicit = free_port(), free_port()
        self.dovecot = Dovecot(f"{self.dir}/dovecot")
        self.postfix = Postfix(f"{self.dir}/postfix", self.dovecot,
                               main=MAIN.format(dir=self.dir, dovecot=self.dovecot.dir),
                               master=MASTER.format(starttls=self.starttls, implicit=self.implicit), users=USERS)
        make_certificates(self.dir)
        self.ca = os.path.join(self.dir, "ca.pem")
        self.password_file = os.path.join(self.dir, "password")
        with open(self.password_file, "w") as f:
            f.write(self.password + "\n")
        os.chmod(self.password_file, 0o600)

    def start(self):
        self.dovecot.start()
        return self.start_smtp()

    def start_smtp(self):
        self.postfix.start()
        self.postfix.process.wait_port(self.starttls)
        return self

    def stop_smtp(self):
        self.postfix.stop()
        self.postfix.process = None

    def stop(self):
        self.stop_smtp()
        self.dovecot.stop()

    def config(self, **changes):
        """[mail] of prad.ini; a change to None leaves the key out."""
        keys = {"server": "127.0.0.1", "port": self.starttls, "tls": "starttls", "user": self.user,
                "password_file": self.password_file, "ca_file": self.ca, "from": "pra@pra.test", "retry": "1s",
                "timeout": "10s"}
        keys.update(changes)
        return "[mail]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None)

    def mails(self, to=None, subject=None):
        """What has arrived, oldest first; `subject` is a part of it."""
        found = []
        new = os.path.join(self.dovecot.maildir, "new")
        for name in sorted(os.listdir(new)):
            with open(os.path.join(new, name), "rb") as f:
                mail = Mail(f.read())
            if (to is None or mail.to == to) and (subject is None or subject in mail.subject):
                found.append(mail)
        return found

    def wait_mail(self, to=None, subject=None, count=1, timeout=20):
        """The newest of at least `count` such mails."""
        return wait_until(lambda: len(self.mails(to, subject)) >= count and self.mails(to, subject), timeout,
                          f"{count} mail(s) to {to} with {subject!r}", interval=0.1)[-1]
