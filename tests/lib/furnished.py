"""A company in which everything has happened that a page of the management tool can show, for pictures of it."""

import contextlib
import itertools
import math
import os
import shutil
import socket
import threading
import time

from lib.client import Client, dial, exchange
from lib.factor import Authenticator
from lib.gateway import Gateway
from lib.machines import OFFICE_PC, OTHER_PC, changed
from lib.mta import Mta
from lib.ports import free_port
from lib.portal import PASSWORD, Portal, new_port, portal_config, totp, trusted
from lib.procs import Process, run, wait_until
from lib.servers.targets import Target, echo

# Users with their groups and the machine that is theirs; nothing is sent to the targets but what `talk()` sends.
USERS = (("suzuki", "鈴木 花子", "営業", OFFICE_PC),
         ("sato", "佐藤", "営業", changed(OTHER_PC, computer_name="SALES-PC-12")),
         ("kato", "", "経理", changed(OTHER_PC, computer_name="ACCOUNTS-PC-3", disk_serial="WD-WX11E4372820")))
# 127.0.0.0/8 is full of addresses; each stands for a network of its own.
GUESSERS = ("127.0.0.77", "127.0.3.9")
SETTINGS = "[alerts]\nfailures = 3\n[limits]\npenalty_authfail = 1200s\npenalty_max = 3600s\n"


class Company:
    """A gateway with users, rules, devices, people who are connected and something that went wrong."""

    def __init__(self, folder, settings="", certificate=False):
        self.folder = folder
        port = new_port()
        os.makedirs(folder, exist_ok=True)
        self.gateway = Gateway(f"{folder}/gw", extra_config=portal_config(port) + settings).init().start()
        self.portal = Portal(self.gateway, port)
        self.home = trusted(self.portal, folder) if certificate else None
        self.portal.start()
        if certificate:
            self.portal.certificate = f"{folder}/ca.crt"
            self.portal.host, self.portal.url = "localhost", f"https://localhost:{port}"
        self.owner = self.portal.account("tanaka", "owner")
        self.clients, self.held, self.mta = [], contextlib.ExitStack(), None

    def close(self):
        self.held.close()
        for client in self.clients:
            client.close()
        if self.mta:
            self.mta.stop()
        self.portal.stop()
        self.gateway.stop()


def downloads(folder):
    """What looks like installers, by name and size."""
    path = f"{folder}/downloads"
    os.makedirs(path)
    for name, size in (("pra-1.0.0-x64.msi", 2_600_000), ("pra_1.0.0_amd64.deb", 1_400_000)):
        with open(f"{path}/{name}", "wb") as f:
            f.write(bytes(size))
    return path


class Furnished(Company):
    def __init__(self, folder):
        os.makedirs(folder)
        mta = Mta(f"{folder}/mta")
        super().__init__(folder, f"downloads = {downloads(folder)}\n" + mta.config() + SETTINGS, certificate=True)
        self.target = Target(echo).start()
        try:
            self.mta = mta.start()
            self.furnish()
        except BaseException:
            self.close()
            raise

    def close(self):
        super().close()
        self.target.stop()

    def furnish(self):
        admin = self.gateway.admin
        for name in ("営業", "経理"):
            admin("group", "add", name)
        for user, full, group, machine in USERS:
            admin("user", "add", user, *(["--full-name", full] if full else []))
            admin("group", "member", "add", group, user)
            client = Client(f"{self.folder}/{user}", self.gateway, user=user, machine=machine)
            self.clients.append(client.enrol())
        admin("user", "add", "mori", "--disabled")
        admin("user", "add", "ueda", "--full-name", "上田")
        admin("key", "set", self.clients[0].key_fingerprint(), "--name", "営業ノート 1", "--place", "本社 3F", "--mail", "suzuki@pra.test")
        self.write_rules()
        for client in self.clients:
            client.connect()
        self.talk()
        self.account_people()
        self.mail()
        self.limits_and_factors()
        self.logs()
        self.watched()
        self.quarantine()
        self.enrolments()
        self.trouble()

    def write_rules(self):
        """Some local ports are those of the sheet, where this PC has them free."""
        taken = self.held.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        here = f"127.0.0.1:{self.target.port}"
        for user in ("suzuki", "sato"):
            self.gateway.add_rule(user, "メール (POP)", here, free_port())
            self.gateway.add_rule(user, "メール (SMTP)", "mail.example.com:25", taken.getsockname()[1])
        self.gateway.add_rule("suzuki", "リモートデスクトップ", "10.1.2.3:3389", free_port(), hours="Mon-Fri 08:00-19:00",
                              expires="2030-04-01T00:00:00Z", download="4M")
        self.gateway.add_rule("suzuki", "ファイルサーバ", "10.1.0.0/16:445", action="deny", log=True)
        self.gateway.add_rule("suzuki", "経費", "10.1.2.9:445")
        wrong = self.gateway.add_rule("suzuki", "試験用", "10.9.9.9:80")
        self.gateway.delete_rule(wrong)
        for user in ("kato", "ueda"):
            self.gateway.add_rule(user, "メール (POP)", here, free_port())
        for group in ("営業", "経理"):
            self.gateway.admin("rule", "add", "--group", group, "--name", "Web (proxy)", "--target", "proxy.example.com:8080",
                               "--local", str(free_port()), "--fallback", str(free_port()))

    def talk(self):
        for i, client in enumerate(self.clients):
            port = client.local_port("メール (POP)")
            exchange(port, bytes(100_000 * (i + 1)))
            threading.Thread(target=self.go_on, args=(self.held.enter_context(dial(port)), i + 1), daemon=True).start()

    def go_on(self, connection, weight):
        """Somebody works through it as long as it stands; more and less, so that the picture has something to show."""
        try:
            for turn in itertools.count():
                data = bytes(1 + int(3000 * weight * (1.2 + math.sin(turn * weight / 9))))
                connection.sendall(data)
                left = len(data)
                while left > 0 and (got := connection.recv(left)):
                    left -= len(got)
                time.sleep(0.05)
        except OSError:
            pass

    def account_people(self):
        """One of each role and state; `yamada` has two steps."""
        admin = self.gateway.admin
        admin("account", "set", "tanaka", "--full-name", "田中 一郎", "--mail", "tanaka@pra.test")
        self.portal.account("kimura", "helpdesk")
        admin("account", "set", "kimura", "--mail", "helpdesk@pra.test")
        self.portal.account("audit", "auditor")
        self.portal.account("engineer", "engineer")
        admin("account", "add", "inoue", "--role", "admin", "--expires", "2030-04-01")
        self.portal.account("hara", "admin")
        admin("account", "disable", "hara")
        yamada = self.portal.account("yamada", "admin")
        secret = yamada.post("/me/totp", {"password": PASSWORD}).result["secret"]
        yamada.post("/me/totp/confirm", {"code": totp(secret)}).result
        self.owner.post("/me/tokens", {"name": "zabbix", "scopes": "read", "days": 90, "password": PASSWORD}).result
        self.owner.post("/access", {"network": "127.0.0.0/8", "comment": "本社"}).result
        self.owner.post("/access", {"network": "192.0.2.0/24", "comment": "データセンター"}).result
        self.owner.post("/report/subscribe", {"lang": "ja"}).result

    def mail(self):
        """One that arrived, one that the server does not take, and one that waits for it."""
        admin = self.gateway.admin
        self.gateway.admin_run("mail", "test", "tanaka@pra.test")
        self.gateway.admin_run("mail", "test", "nobody@elsewhere.invalid")
        self.mta.stop_smtp()
        admin("mail", "test", "sato@pra.test", "--no-wait")

    def limits_and_factors(self):
        admin = self.gateway.admin
        admin("group", "limit", "営業", "--max-sessions", "3", "--quota-month", "20G", "--session-idle", "2h")
        admin("user", "limit", "suzuki", "--download", "2M", "--quota-day", "1G", "--max-connections", "200")
        Authenticator(self.gateway, "sato", required=False)
        admin("user", "factor", "sato", "required")
        admin("user", "factor", "mori", "required")
        admin("user", "set", "sato", "--clone", "quarantine")

    def logs(self):
        """A bundle that is whole, and one in which somebody wrote."""
        suzuki = self.clients[0]
        self.whole = suzuki.json("log", "send", timeout=60)["bundle"]
        kato = self.clients[2]
        path = os.path.join(kato.home, "log", "System.log")
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines(keepends=True)
        lines[3] = lines[3].replace(" ", "  ", 1)
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(lines)
        self.broken = kato.json("log", "send", timeout=60)["bundle"]

    def pc(self, name, user, computer, enrol=True):
        client = Client(f"{self.folder}/{name}", self.gateway, user=user, machine=changed(OTHER_PC, computer_name=computer))
        self.clients.append(client)
        if enrol:
            client.enrol()
        else:
            client.keygen()
            client.set_server()
        return client

    def watched(self):
        """A PC that is there, one that went away, and outages before, now and later."""
        admin = self.gateway.admin
        away = self.pc("away", "ueda", "FACTORY-PC-1")
        away.connect()
        for client, user in ((self.clients[0], "suzuki"), (away, "ueda")):
            admin("watch", "set", user, client.key_fingerprint(), "--after", "5s")
        away.disconnect()
        wait_until(lambda: admin("alert", "list", "--kind", "device-offline"), 60, "the alert of a device that is away")
        admin("outage", "add", "--since", "2h", "--until", "4h", "--note", "名古屋 電源工事")
        admin("outage", "add", "--until", "1h", "--user", "kato", "--note", "PC 入れ替え")

    def quarantine(self):
        """A copy of a PC comes with what that PC had before."""
        client = self.pc("copied", "ueda", "NOTE-PC-7")
        ticket, old = f"{client.home}/id.prakey.tickets", f"{self.folder}/old.tickets"
        admin = self.gateway.admin
        admin("user", "set", "ueda", "--clone", "quarantine")
        client.connect()
        wait_until(lambda: "ticket-stored" in client.system_log(), 10)
        client.disconnect()
        shutil.copyfile(ticket, old)
        client.connect()
        wait_until(lambda: client.system_log().count("ticket-stored") == 2, 10)
        client.disconnect()
        shutil.copyfile(old, ticket)
        client.try_connect()
        self.copied = client.key_fingerprint()
        wait_until(lambda: any(k["state"] == "quarantined" for k in admin("key", "list", "--user", "ueda")), 10)

    def enrolments(self):
        """A code that nobody has used, and a PC that waits."""
        admin = self.gateway.admin
        admin("enroll", "code", "kato")
        client = self.pc("comes", "kato", "ACCOUNTS-PC-8", enrol=False)
        code = admin("enroll", "code", "kato")["code"]
        waits = Process([*client.command("enroll", "--code", code, "--passphrase-file"), client.passphrase_file],
                        f"{self.folder}/enroll.log", env=client.env)
        self.held.callback(waits.stop)
        wait_until(lambda: admin("enroll", "list", "--state", "waiting"), 20)

    def trouble(self):
        """A PC whose key nobody registered, one that was lost, guesses from elsewhere, alerts that somebody looked at."""
        admin = self.gateway.admin
        self.pc("stranger", "suzuki", "HOME-PC", enrol=False).try_connect(wait=5)
        lost = self.pc("lost", "suzuki", "NOTE-PC-1")
        admin("key", "revoke", lost.key_fingerprint())
        key = f"{self.folder}/guess"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).ok()
        for source in (*GUESSERS, "127.0.0.1"):
            for _ in range(3):
                run(["ssh", "-F", "none", "-N", "-i", key, "-b", source, "-p", str(self.gateway.port), "-o", "BatchMode=yes", "-o",
                     "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "suzuki@127.0.0.1"])
        wait_until(lambda: admin("penalty", "list"), 10, "a penalty")
        alerts = wait_until(lambda: len(admin("alert", "list")) >= 4 and admin("alert", "list"), 30, "alerts")
        clone = next(a for a in alerts if a["kind"] == "clone")
        admin("alert", "judge", str(clone["id"]), "critical", "--note", "PC を回収して調査")
        away = next(a for a in alerts if a["kind"] == "device-offline")
        admin("alert", "ack", str(away["id"]), "--note", "計画どおり")
