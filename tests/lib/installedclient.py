"""The client as an installer of real programs leaves it on a PC of wine: no PRA_HOME, no build for tests."""

import glob
import json
import os
import poplib
import re
import subprocess
import threading

from lib.client import PASSPHRASE, locale_env
from lib.installers import BUILD, PROGRAM, ROOT, TOOLS, Installer, make_packages, read
from lib.procs import environment
from lib.wineprefix import WINE

with open(f"{ROOT}/Makefile", encoding="utf-8") as makefile:
    VERSION = re.search(r"^VERSION := (.*)$", makefile.read(), re.M)[1]
# As long as the other, so that it can take its place.
NEXT = "9" + VERSION[1:]
TALK_LIMIT_S = 60


def make_real_packages(folder, kind, lang, version):
    """The programs of `make windows`; for NEXT with only their version exchanged, in texts and resources."""
    programs = {}
    os.makedirs(folder)
    for name, variable in (("pra.exe", "PRA"), ("pra-tray.exe", "TRAY")):
        content = read(f"{BUILD}/windows/{name}")
        assert VERSION.encode() in content, f"{BUILD}/windows/{name} is not of version {VERSION}"
        for code in ("ascii", "utf-16-le"):
            content = content.replace(VERSION.encode(code), version.encode(code))
        programs[variable] = f"{folder}/{version}-{name}"
        with open(programs[variable], "wb") as f:
            f.write(content)
    make_packages(folder, kind, version, LANGS=lang, QUICK="1", **programs)


class RealInstaller(Installer):
    def version(self):
        program = read(self.pc.unix_path(f"{PROGRAM}\\pra.exe"))
        return next((v for v in (VERSION, NEXT) if f"SSH-2.0-PRA_{v}".encode() in program), None)


class Talk:
    """What poplib takes for its socket: a program of Windows that speaks to a port of the PC."""

    def __init__(self, pc, port):
        self.process = subprocess.Popen([WINE, f"{TOOLS}/talk.exe", str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=environment(pc.env))
        self.limit = threading.Timer(TALK_LIMIT_S, self.process.kill)
        self.limit.start()

    def makefile(self, _mode):
        return self.process.stdout

    def sendall(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def shutdown(self, _how):
        self.process.stdin.close()

    def close(self):
        self.process.wait(TALK_LIMIT_S)
        self.limit.cancel()


class Pop3(poplib.POP3):
    def __init__(self, pc, port):
        self.pc = pc
        super().__init__("127.0.0.1", port)

    def _create_socket(self, _timeout):
        return Talk(self.pc, self.port)


class InstalledClient:
    """The one user of the PC, with the programs where they were installed."""

    def __init__(self, pc, lang, folder):
        self.pc, self.folder = pc, folder
        self.env = {**locale_env(lang), "LC_ALL": None}
        self.data = f"{pc.user_folder()}/AppData/Local/Pra"
        self.key_file = f"{self.data}/id.prakey"
        self.passphrase_file = f"{folder}/passphrase"
        with open(self.passphrase_file, "w", encoding="utf-8") as f:
            f.write(PASSPHRASE + "\n")

    def run(self, *words):
        return self.pc.run(f"{PROGRAM}\\pra.exe", *words, env=self.env)

    def json(self, *words):
        return json.loads(self.run(*words, "--json").out)

    def make_key(self, user):
        """Returns the file with the public key."""
        public = f"{self.folder}/{user}.pub"
        words = ["--passphrase-file", self.pc.windows_path(self.passphrase_file)]
        self.run("keygen", "--user", user, "--allow-weak", *words).ok()
        self.run("key", "export", "-o", self.pc.windows_path(public)).ok()
        return public

    def connect(self):
        return self.run("connect", "--wait", "30", "--passphrase-file", self.pc.windows_path(self.passphrase_file)).ok()

    def mail(self, mail, port):
        """The newest mail, read by POP3 through the forward."""
        pop = Pop3(self.pc, port)
        pop.user(mail.user)
        pop.pass_(mail.password)
        lines = pop.retr(pop.stat()[0])[1]
        pop.quit()
        return b"\n".join(lines).decode()

    def logs(self):
        return glob.glob(f"{self.pc.drive}/ProgramData/Pra/log/*/System.log")

    def system_log(self):
        path, = self.logs()
        return read(path).decode()

    def own_settings(self):
        return read(f"{self.data}/config.ini")

    def set_own_settings(self, text):
        os.makedirs(self.data, exist_ok=True)
        with open(f"{self.data}/config.ini", "w", encoding="utf-8") as f:
            f.write(text)
