"""Postfix: SMTP that delivers into a Dovecot Maildir. Needs root, as Postfix's master does."""

import os
import pwd
import shutil
import subprocess

from lib.ports import free_port
from lib.procs import Process, wait_until

MAIN = """
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/mail.log
maillog_file_prefixes = {dir}
myhostname = mail.pra.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_transport = error:no local delivery
virtual_transport = virtual
virtual_mailbox_domains = pra.test
virtual_mailbox_base = {maildir}
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_banner = mail.pra.test ESMTP
{more}"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog   unix-dgram n - n - 1 postlogd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
{more}"""


class Postfix:
    """main, master: more lines of main.cf and master.cf; users: whose mail is taken besides Dovecot's user's."""

    def __init__(self, folder, dovecot, main="", master="", users=()):
        self.dir = str(folder)
        self.dovecot = dovecot
        self.main, self.master = main, master
        self.users = [dovecot.user, *users]
        self.smtp = free_port()
        self.process = None

    def start(self):
        config = os.path.join(self.dir, "etc")
        for path in (config, os.path.join(self.dir, "queue"), os.path.join(self.dir, "data")):
            os.makedirs(path, exist_ok=True)
        os.chown(os.path.join(self.dir, "data"), pwd.getpwnam("postfix").pw_uid, -1)
        with open(os.path.join(config, "main.cf"), "w") as f:
            f.write(MAIN.format(dir=self.dir, maildir=self.dovecot.maildir,
                                mailboxes=", ".join(f"{{ {u}@pra.test=/ }}" for u in self.users),
                                uid=self.dovecot.mail_uid, gid=self.dovecot.mail_gid, more=self.main))
        with open(os.path.join(config, "master.cf"), "w") as f:
            f.write(MASTER.format(port=self.smtp, more=self.master))
        program = shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin")
        self.process = Process([program, "-c", config, "start-fg"],
                               os.path.join(self.dir, "out.log"), name="postfix")
        self.process.wait_port(self.smtp)
        return self

    def stop(self):
        if not self.process:
            return
        # master leaves the group it was started in, so it is ended by the pid in its own lock.
        pid_file = os.path.join(self.dir, "queue", "pid", "master.pid")
        with open(pid_file) as f:
            master = int(f.read())
        subprocess.run(["kill", "-TERM", "--", str(master)], check=False)
        wait_until(lambda: not os.path.exists(f"/proc/{master}") or not self.process.running(), 10,
                   "postfix to end")
        self.process.stop()
