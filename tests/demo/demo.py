"""PRA from nothing to a mail read through the tunnel, step by step, on this machine.

Starts real servers (Dovecot, nginx, tinyproxy) and a gateway in a temporary folder, makes and
registers a key, connects, reads a mail and a page through 127.0.0.1. On a terminal everything stays
up until Ctrl-C; without one the demo ends by itself. Nothing is left behind either way.
"""

import os
import poplib
import shutil
import signal
import socket
import sys
import tempfile
import threading
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from text import command, good, heading, output, say, table, tr  # noqa: E402
from lib import ports  # noqa: E402
from lib.client import Client  # noqa: E402
from lib.gateway import Gateway, program  # noqa: E402
from lib.procs import run  # noqa: E402
from lib.servers.dovecot import Dovecot  # noqa: E402
from lib.servers.nginx import Nginx  # noqa: E402
from lib.servers.tinyproxy import Tinyproxy  # noqa: E402

USER = "suzuki"
PASSPHRASE = "tea at four in the garden"


def locally(wanted, address="127.0.0.1"):
    """The wanted port if this user may listen on it now, else a free one; says so if it differs."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, wanted))
            return wanted
        except PermissionError:
            why = tr("ports below 1024 need a right that make install gives",
                     "1024 未満のポートには make install が与える権限が必要です")
        except OSError:
            why = tr("it is taken", "使用中です")
    port = wanted + 10000 if ports.is_free(wanted + 10000) else ports.free_port()
    say(tr(f"  Port {wanted} cannot be used here ({why}); the demo takes {port}.",
           f"  ポート {wanted} は使えないため({why})、{port} を使います。"))
    return port


class Demo:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="pra-demo-")
        os.chmod(self.dir, 0o755)
        self.started = []
        self.client = None

    def start(self, server):
        self.started.append(server)
        return server.start()

    # --- commands, shown as a person would type them ---------------------------------------

    def shown(self, result, words):
        command(words)
        output(result.err + result.out)
        if result.status != 0:
            raise SystemExit(tr(f"demo: this command failed with exit code {result.status}",
                                f"demo: このコマンドは終了コード {result.status} で失敗しました"))
        return result

    def admin(self, *args):
        words = " ".join(_quote(a) for a in args)
        return self.shown(self.gateway.admin_run(*args), f"pra-admin {words}")

    def pra(self, *args, **kwargs):
        return self.shown(self.client.run(*args, **kwargs), "pra " + " ".join(_quote(a) for a in args))

    # --- the steps --------------------------------------------------------------------------

    def company(self):
        heading(tr("1. The company: a mail server, a web server, a web proxy",
                   "1. 社内: メールサーバ、Web サーバ、Web プロキシ"))
        self.mail = self.start(Dovecot(f"{self.dir}/mail"))
        self.mail.put_mail(
            "Welcome to PRA", tr("If you can read this, your mail program could, too.",
                                 "このメールが読めたら、メールソフトでも読めます。"),
            sender="helpdesk@pra.test", name="welcome")
        self.web = self.start(Nginx(f"{self.dir}/web"))
        self.proxy = self.start(Tinyproxy(f"{self.dir}/proxy"))
        table([["Dovecot", f"127.0.0.1:{self.mail.pop3}", "POP3"],
               ["Dovecot", f"127.0.0.1:{self.mail.imap}", "IMAP"],
               ["nginx", f"127.0.0.1:{self.web.port}", "HTTP"],
               ["tinyproxy", f"127.0.0.1:{self.proxy.port}", tr("HTTP proxy", "HTTP プロキシ")]])
        say(tr("Real servers, started for this demo only, playing the inside of a company.",
               "このデモのためだけに起動した本物のサーバです。社内ネットワークの役をします。"))

    def gateway_up(self):
        heading(tr("2. The administrator sets up the gateway", "2. 管理者がゲートウェイを用意します"))
        self.gateway = Gateway(f"{self.dir}/gateway", port=locally(10022))
        self.admin("init")
        command(f"prad --config {self.gateway.config}")
        self.start(self.gateway)
        good(tr(f"The gateway listens on {self.gateway.address}; a browser sees 10022 OK! there.",
                f"ゲートウェイは {self.gateway.address} で待ち受けています"
                "(ブラウザで開くと 10022 OK! と表示されます)。"))

    def key(self):
        heading(tr("3. The employee makes a key that works on this machine only",
                   "3. 利用者が、この PC でだけ使える鍵を作ります"))
        self.client = Client(f"{self.dir}/pc", self.gateway, user=USER,
                             lang=tr("en", "ja"), env={"NO_COLOR": os.environ.get("NO_COLOR", "1")})
        self.client.set_passphrase(PASSPHRASE)
        self.pra("server", "set", self.gateway.address, "--fingerprint", self.gateway.fingerprint())
        keygen = ["keygen", "--user", USER, "--passphrase-file", self.client.passphrase_file]
        first = self.client.run(*keygen)
        if first.status != 0 and "--allow-weak" in first.err:
            command("pra " + " ".join(keygen))
            output(first.err)
            say(tr("A virtual machine has few identifiers to bind a key to; the demo accepts that.",
                   "仮想マシンには鍵を結び付ける識別情報が少ないため、デモではこれを許可します。"))
            keygen.append("--allow-weak")
            self.pra(*keygen)
        else:
            self.shown(first, "pra " + " ".join(keygen))
        self.public = f"{self.dir}/{USER}.pub"
        self.pra("key", "export", "-o", self.public)

    def rules(self):
        heading(tr("4. The administrator registers the key and says what it may reach",
                   "4. 管理者が鍵を登録し、利用できる転送先を決めます"))
        self.local = {"POP": locally(110), "IMAP": locally(143), "Proxy": locally(10080)}
        say(tr("Here the company is this very machine, so pra-admin warns that the targets are on the "
               "gateway itself.",
               "このデモでは社内サーバも同じマシンにあるため、転送先がゲートウェイ自身であるという警告が出ます。"))
        self.admin("user", "add", USER)
        self.admin("key", "add", USER, self.public)
        for name, target in (("POP", self.mail.pop3), ("IMAP", self.mail.imap),
                             ("Proxy", self.proxy.port)):
            self.admin("rule", "add", "--user", USER, "--name", name, "--target",
                       f"127.0.0.1:{target}", "--local", str(self.local[name]))

    def connect(self):
        heading(tr("5. The employee connects", "5. 利用者が接続します"))
        self.pra("connect", "--passphrase-file", self.client.passphrase_file, timeout=60)

    def read_mail(self):
        heading(tr("6. A mail, read by POP3 through 127.0.0.1", "6. 127.0.0.1 経由の POP3 でメールを読みます"))
        port = self.local["POP"]
        command(f"curl pop3://127.0.0.1:{port}/1 --user {self.mail.user}:{self.mail.password}")
        pop = poplib.POP3("127.0.0.1", port, timeout=15)
        pop.user(self.mail.user)
        pop.pass_(self.mail.password)
        output(b"\n".join(pop.retr(1)[1]).decode())
        pop.quit()
        good(tr("The mail came through the tunnel.", "メールはトンネルを通って届きました。"))

    def read_page(self):
        heading(tr("7. A page, fetched through the company's proxy",
                   "7. 社内プロキシ経由でページを開きます"))
        proxy, page = f"http://127.0.0.1:{self.local['Proxy']}", f"http://127.0.0.1:{self.web.port}/"
        command(f"curl --noproxy '' --proxy {proxy} {page}")
        opener = urllib.request.build_opener(_Proxied(proxy))
        output(opener.open(page, timeout=15).read().decode())
        good(tr("The page came through the tunnel.", "ページはトンネルを通って届きました。"))
        self.pra("status")

    def any_client(self):
        """A key for `ssh -L`, so that what is printed next can be typed as it stands."""
        self.ssh_key = f"{self.dir}/ssh-id"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{USER}@ssh", "-f",
             self.ssh_key]).ok()
        self.gateway.add_key(USER, self.ssh_key + ".pub", "--any-client")

    def what_next(self):
        heading(tr("What to try now", "次に試せること"))
        bin_dir = os.path.dirname(program("pra"))
        say(tr("In another terminal:", "別の端末で:"))
        command(f"export PATH={bin_dir}:$PATH PRA_HOME={self.client.home}")
        command("pra status        pra rules        pra check        pra log collect -o /tmp/pra-log.zip")
        command(f"pra explain {self.local['POP']}")
        say(tr("As the administrator, for example cut a rule and watch 'pra status --watch':",
               "管理者として、例えばルールを削除し「pra status --watch」で変化を見ます:"))
        command(f"alias gw='pra-admin --config {self.gateway.config}'")
        command("gw rule list        gw rule delete 1        gw session list        gw audit list")
        say(tr("Mail program:", "メールソフトの設定:"))
        table([[tr("incoming (POP)", "受信 (POP)"), f"127.0.0.1:{self.local['POP']}"],
               [tr("incoming (IMAP)", "受信 (IMAP)"), f"127.0.0.1:{self.local['IMAP']}"],
               [tr("user name", "ユーザ名"), self.mail.user],
               [tr("password, no encryption", "パスワード(暗号化なし)"), self.mail.password]])
        say(tr(f"Browser: HTTP proxy 127.0.0.1, port {self.local['Proxy']} (also for 127.0.0.1), then "
               f"http://127.0.0.1:{self.web.port}/",
               f"ブラウザ: HTTP プロキシ 127.0.0.1 ポート {self.local['Proxy']}(127.0.0.1 も対象)にして\n"
               f"http://127.0.0.1:{self.web.port}/ を開きます。"))
        say(tr("A standard SSH client under the same rules:", "同じルールで一般の SSH クライアントも使えます:"))
        command(f"ssh -N -p {self.gateway.port} -i {self.ssh_key} -o IdentitiesOnly=yes "
                f"-L 8110:127.0.0.1:{self.mail.pop3} {USER}@127.0.0.1")
        say(tr("Logs:", "ログ:"))
        table([["System.log, User.log", f"{self.client.home}/log/"],
               ["prad", self.gateway.process.log_path],
               [tr("passphrase of the demo", "デモのパスフレーズ"), PASSPHRASE]])

    def wait(self):
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return
        print()
        say(tr("Everything stays up until you press Ctrl-C; then all of it is removed.",
               "Ctrl-C を押すまで動き続けます。押すとすべて片付けます。"))
        threading.Event().wait()

    def clean_up(self):
        if self.client:
            self.client.close()
        for server in reversed(self.started):
            server.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self):
        say(tr("PRA: the company's servers on ports of this PC. This demo shows both sides.",
               "PRA: 会社のサーバを、この PC のポートで使えるようにします。両側を順に示します。"))
        for step in (self.company, self.gateway_up, self.key, self.rules, self.connect,
                     self.read_mail, self.read_page, self.any_client, self.what_next, self.wait):
            step()


class _Proxied(urllib.request.ProxyHandler):
    """Uses the proxy for 127.0.0.1 too, whatever the environment says."""

    def __init__(self, proxy):
        super().__init__({"http": proxy})

    def proxy_open(self, request, proxy, kind):
        request.set_proxy(proxy.removeprefix("http://"), "http")


def _quote(word):
    return f"'{word}'" if any(c in word for c in " *?$") else word


def main():
    # A hang-up or a kill removes everything as Ctrl-C does.
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit(1))
    demo = Demo()
    try:
        demo.run()
    except KeyboardInterrupt:
        print()
    finally:
        say(tr("Removing everything ...", "片付けています ..."))
        demo.clean_up()
    return 0


if __name__ == "__main__":
    sys.exit(main())
