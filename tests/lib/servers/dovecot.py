"""Dovecot: POP3 and IMAP over one Maildir."""

import grp
import os
import pwd
import shutil
import time

from lib.ports import free_port
from lib.procs import Process, run

# What both generations of Dovecot's configuration share.
COMMON = """
protocols = pop3 imap
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
listen = 127.0.0.1
ssl = no
auth_mechanisms = plain login
default_login_user = {login_user}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
first_valid_uid = 1
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service auth {{
  unix_listener {dir}/auth-smtp {{
    mode = 0666
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""

# Debian 12 has Dovecot 2.3, Debian 13 has 2.4.
CONFIG_2_3 = COMMON + """
disable_plaintext_auth = no
default_vsz_limit = 0
mail_location = maildir:{maildir}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={dir}/home
}}
"""
CONFIG_2_4 = """dovecot_config_version = {version}
dovecot_storage_version = {version}
""" + COMMON + """
auth_allow_cleartext = yes
default_vsz_limit = unlimited
mail_driver = maildir
mail_path = {maildir}
passdb passwd-file {{
  passwd_file_path = {dir}/users
  default_password_scheme = PLAIN
}}
userdb static {{
  fields {{
    uid = {mail_uid}
    gid = {mail_gid}
    home = {dir}/home
  }}
}}
"""

MAIL = """From: {sender}
To: {user}@pra.test
Subject: {subject}
Date: {date}
Message-ID: <{id}@pra.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{body}
"""


class Dovecot:
    user = "hanako"
    password = "mail-password"

    def __init__(self, folder):
        self.dir = str(folder)
        self.maildir = os.path.join(self.dir, "Maildir")
        self.pop3 = free_port()
        self.imap = free_port()
        self.process = None
        as_root = os.getuid() == 0
        me = pwd.getpwuid(os.getuid())
        mail = pwd.getpwnam("mail") if as_root else me
        self.mail_uid, self.mail_gid = mail.pw_uid, mail.pw_gid
        self._users = {
            "login_user": "dovenull" if as_root else me.pw_name,
            "internal_user": "dovecot" if as_root else me.pw_name,
            "internal_group": "dovecot" if as_root else grp.getgrgid(me.pw_gid).gr_name,
        }

    def _make_owned(self, path):
        os.makedirs(path, exist_ok=True)
        os.chown(path, self.mail_uid, self.mail_gid)

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o755)
        os.makedirs(os.path.join(self.dir, "state"), exist_ok=True)
        for sub in ("home", "Maildir", "Maildir/new", "Maildir/cur", "Maildir/tmp"):
            self._make_owned(os.path.join(self.dir, sub))
        with open(os.path.join(self.dir, "users"), "w") as f:
            f.write(f"{self.user}:{self.password}\n")
        program = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
        version = run([program, "--version"]).ok().out.split()[0]
        template = CONFIG_2_3 if version.startswith("2.3.") else CONFIG_2_4
        config = os.path.join(self.dir, "dovecot.conf")
        with open(config, "w") as f:
            f.write(template.format(version=version.split("-")[0], dir=self.dir,
                                    maildir=self.maildir, pop3=self.pop3,
                                    imap=self.imap, mail_uid=self.mail_uid,
                                    mail_gid=self.mail_gid, **self._users))
        self.process = Process([program, "-F", "-c", config], os.path.join(self.dir, "out.log"),
                               name="dovecot")
        self.process.wait_port(self.pop3)
        self.process.wait_port(self.imap)
        return self

    def put_mail(self, subject, body, sender="taro@pra.test", name="1"):
        """Lays a mail into the mailbox as a delivery agent would."""
        text = MAIL.format(sender=sender, user=self.user, subject=subject, id=name, body=body,
                           date=time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()))
        tmp = os.path.join(self.maildir, "tmp", f"{time.time_ns()}.{name}.pra")
        with open(tmp, "w", encoding="utf-8") as f:
            f.write(text)
        os.chown(tmp, self.mail_uid, self.mail_gid)
        os.rename(tmp, os.path.join(self.maildir, "new", os.path.basename(tmp)))

    def stop(self):
        if self.process:
            self.process.stop()
