"""The life of the packages on one machine: installed, used, upgraded, removed, installed again, purged.

Run as root in a root folder of its own (flow/test_packages.py makes one), with a network and processes of its
own:   python3 package_story.py how FOLDER-OF-PACKAGES FOLDER-OF-A-HIGHER-VERSION

how: "dpkg" where everything that the packages depend on is there already, "apt" where apt fetches it. Prints a line
for each thing that was seen; the first that is not so ends it.
"""

import glob
import json
import os
import pwd
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib.procs import Process, port_answers, wait_until  # noqa: E402
from lib.servers.dovecot import Dovecot  # noqa: E402

ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
       "HOME": "/root"}
USER, HOME = "suzuki", "/home/suzuki"
PASSPHRASE = "correct horse battery staple 7"
DATA = "/var/lib/pra"
NAMES = ("pra", "pra-tray", "prad")


def say(text):
    print(text, flush=True)


def run(*argv, user=None, ok=True, data=None):
    """A command, also as an ordinary user with a home; returns its output, errors included."""
    env = dict(ENV)
    prefix = []
    if user:
        ids = pwd.getpwnam(user)
        prefix = ["setpriv", f"--reuid={ids.pw_uid}", f"--regid={ids.pw_gid}", "--clear-groups"]
        env["HOME"] = ids.pw_dir
    done = subprocess.run([*prefix, *argv], env=env, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=600, cwd="/")
    assert not ok or done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout}"
    return done.stdout


def admin(*argv):
    out = run("pra-admin", *argv, "--json")
    return json.loads(out[min(i for i in (out.find("["), out.find("{")) if i >= 0):])


def pra(*argv, **kwargs):
    return run("pra", *argv, user=USER, **kwargs)


def install(how, folder):
    debs = sorted(glob.glob(f"{folder}/*.deb"))
    assert len(debs) == 3, debs
    if how == "apt":
        return run("apt-get", "-q", "-y", "--no-install-recommends", "install", *debs)
    return run("dpkg", "-i", *debs)


def versions():
    out = run("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", *NAMES, ok=False)
    return {line.split()[0]: tuple(line.split()[1:]) for line in out.splitlines() if line.split()[0] in NAMES}


class Gateway:
    """prad as its unit runs it: its own user, no rights."""

    def start(self):
        self.process = Process(["setpriv", "--reuid=pra", "--regid=pra", "--clear-groups", "--no-new-privs",
                                "--bounding-set=-all", "/usr/sbin/prad", "--config", "/etc/pra/prad.ini"],
                               "/tmp/prad.log", env=ENV)
        self.process.wait_port(10022)
        return self

    def restart(self):
        self.process.stop()
        self.start()


READ = """
import poplib, sys
pop = poplib.POP3("127.0.0.1", 110, timeout=10)
pop.user(sys.argv[1])
pop.pass_(sys.argv[2])
assert b"Subject: story" in pop.retr(1)[1]
pop.quit()
"""


def read_mail(mail):
    """At a port that only root may open, and as the user, to whom alone the agent listens."""
    run("/usr/bin/python3", "-c", READ, mail.user, mail.password, user=USER)


def connect():
    pra("connect", "--passphrase-file", "-", data=PASSPHRASE + "\n")


def check_fresh(said):
    fingerprint = admin("hostkey", "show")["fingerprint"]
    assert fingerprint in said, said
    assert admin("user", "list") == [] and admin("rule", "list") == []
    assert not port_answers(10022)
    state = os.stat(DATA)
    assert (state.st_mode & 0o7777, pwd.getpwuid(state.st_uid).pw_name) == (0o750, "pra")
    for unit in ("multi-user.target.wants/prad.service", "sockets.target.wants/pra-keyhelper.socket"):
        assert os.path.islink(f"/etc/systemd/system/{unit}"), unit
    assert "cap_net_bind_service" in run("getcap", "/usr/bin/pra")
    assert run("pra-tray", "--version").startswith("pra-tray ")
    for page in ("man1/pra.1", "man1/pra-tray.1", "man5/pra.ini.5", "man5/prad.ini.5", "man8/prad.8", "man8/pra-admin.8", "man8/pra-portal.8"):
        # A root without manual pages (dpkg's path-exclude) has none of ours either.
        assert os.path.exists(f"/usr/share/man/{page}.gz") or not os.path.exists("/usr/share/man/man1/ls.1.gz"), page
    say("installed: no account, no listener, capability, user, units enabled")
    return fingerprint


def check_desktop():
    with open("/usr/share/mime/globs2") as f:
        assert "application/x-pra-profile:*.pra" in f.read()
    if os.path.exists("/usr/bin/update-desktop-database"):
        with open("/usr/share/applications/mimeinfo.cache") as f:
            assert "application/x-pra-profile=jp.pra.Tray.desktop" in f.read()
    say("a double click on *.pra opens pra-tray")


def enrol(mail):
    run("useradd", "--create-home", "--home-dir", HOME, USER)
    admin("user", "add", USER)
    run("pra-admin", "profile", USER, "--server", "127.0.0.1", "-o", "/tmp/suzuki.pra")
    pra("profile", "import", "/tmp/suzuki.pra")
    pra("keygen", "--user", USER, "--allow-weak", "--passphrase-file", "-", data=PASSPHRASE + "\n")
    pra("key", "export", "-o", f"{HOME}/suzuki.pub")
    admin("key", "add", USER, f"{HOME}/suzuki.pub")
    admin("rule", "add", "--user", USER, "--name", "POP", "--target", f"127.0.0.1:{mail.pop3}", "--local", "110")
    connect()
    read_mail(mail)
    say("profile, key, registration, connection, mail by POP3 at port 110 as an ordinary user")


def key_file():
    with open(f"{HOME}/.local/share/pra/id.prakey", "rb") as f:
        return f.read()


def agent_programs():
    """What the agents on this machine run."""
    out = run("sh", "-c", "for p in /proc/[0-9]*; do readlink $p/exe; done", ok=False)
    return [line for line in out.splitlines() if line.startswith("/usr/bin/pra") and "tray" not in line]


def upgrade(how, folder, gateway, mail):
    key, before = key_file(), versions()
    said = install(how, folder)
    after = versions()
    assert all(after[n][0] != before[n][0] for n in NAMES), (before, after)
    read_mail(mail)  # the tunnel stood all the while
    assert "PRA was updated" in pra("status") and agent_programs() == ["/usr/bin/pra (deleted)"]
    assert "run the former program" in said, said
    gateway.restart()
    pra("disconnect")
    connect()
    read_mail(mail)
    wait_until(lambda: agent_programs() == ["/usr/bin/pra"], 10, "the agent to be the new program")
    assert key_file() == key and "cap_net_bind_service" in run("getcap", "/usr/bin/pra")
    say(f"upgraded to {after['pra'][0]}: tunnel kept and told, key kept, connected again by the new program")


def remove():
    key = key_file()
    run("dpkg", "--remove", "pra-tray", "pra", "prad")
    wait_until(lambda: "/usr/bin/pra" not in run("sh", "-c", "readlink /proc/[0-9]*/exe", ok=False), 10,
               "the agent to end")
    assert not glob.glob("/usr/bin/pra*") and not glob.glob("/usr/sbin/pra*")
    assert os.path.exists(f"{DATA}/pra.db") and os.path.exists("/etc/pra/prad.ini") and key_file() == key
    say("removed: programs gone, the agent ended, keys, database and configuration kept")


def purge(answer):
    run("debconf-set-selections", data=f"prad prad/delete-data boolean {answer}\n")
    out = run("dpkg", "--purge", *NAMES)
    assert not os.path.exists("/etc/pra/prad.ini")
    assert os.path.exists(DATA) == (answer == "false"), out
    assert answer == "true" or DATA in out
    assert os.path.exists(f"{HOME}/.local/share/pra/id.prakey")  # of a person, not of the package
    assert not glob.glob("/etc/systemd/system/*.wants/pra*")
    say(f"purged, delete-data = {answer}")


def main():
    how, first, second = sys.argv[1:]
    said = install(how, first)
    fingerprint = check_fresh(said)
    check_desktop()
    mail = Dovecot("/tmp/story-mail").start()
    mail.put_mail("story", "Hello.")
    gateway = Gateway().start()
    enrol(mail)
    upgrade(how, second, gateway, mail)
    gateway.process.stop()
    remove()
    install(how, second)
    assert admin("hostkey", "show")["fingerprint"] == fingerprint
    gateway.start()
    connect()
    read_mail(mail)
    pra("disconnect")
    gateway.process.stop()
    say("installed again: same host key, users, rules; connected with the old key")
    purge("false")
    install(how, second)
    assert admin("hostkey", "show")["fingerprint"] == fingerprint
    purge("true")
    install(how, second)
    assert admin("hostkey", "show")["fingerprint"] != fingerprint and admin("user", "list") == []
    run("dpkg", "--purge", *NAMES)
    mail.stop()
    say("the story is told")


if __name__ == "__main__":
    main()
