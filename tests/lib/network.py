"""A network with one other host, made of a namespace and a pair of virtual interfaces. Needs root.

Addresses come from 198.18.0.0/15, which is set aside for tests (RFC 2544), one /30 a network.
"""

import ctypes
import os
import random

from lib.procs import Process, run, wait_until

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """`here` is our end's address, `there` the other host's."""

    def __init__(self, folder):
        self._log = os.path.join(str(folder), "network.log")
        block = random.SystemRandom().randrange(0, 1 << 15) * 4
        base = (198 << 24) + (18 << 16) + block
        self.here, self.there = (".".join(str((base + i) >> s & 255) for s in (24, 16, 8, 0))
                                 for i in (1, 2))
        self._link = f"pra{block:x}"
        self._holder = None

    def start(self):
        self._holder = Process(["unshare", "--net", "sleep", "infinity"], self._log, name="namespace")
        own = os.stat("/proc/self/ns/net").st_ino
        wait_until(lambda: os.stat(f"/proc/{self.pid}/ns/net").st_ino != own, 5, "the namespace")
        ip = ["ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.pid]
        run(ip).ok()
        run(["ip", "address", "add", f"{self.here}/30", "dev", self._link]).ok()
        run(["ip", "link", "set", self._link, "up"]).ok()
        for words in (["address", "add", f"{self.there}/30", "dev", "eth0"],
                      ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"]):
            run([*self.prefix(), "ip", *words]).ok()
        return self

    @property
    def pid(self):
        return self._holder.pid

    def prefix(self):
        """Words in front of a command that shall run on the other host."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]

    def on_other_host(self, make):
        """Calls make() with this thread's new sockets on the other host; returns its result."""
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        theirs = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            _setns(theirs)
            return make()
        finally:
            _setns(ours)
            os.close(ours)
            os.close(theirs)

    def cut(self):
        """Pulls the cable."""
        run([*self.prefix(), "ip", "link", "set", "eth0", "down"]).ok()

    def mend(self):
        run([*self.prefix(), "ip", "link", "set", "eth0", "up"]).ok()

    def stop(self):
        if self._holder:
            run(["ip", "link", "delete", self._link])
            self._holder.stop()


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def with_hosts(folder, names):
    """Prefix that runs a program with an /etc/hosts of its own; the file may be rewritten later.

    names: {"mail.corp": "198.18.0.2"}. Returns (prefix, path of the file).
    """
    path = os.path.join(str(folder), "hosts")
    write_hosts(path, names)
    script = 'mount --bind "$1" /etc/hosts; shift; exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, "sh", path], path


def write_hosts(path, names):
    # In place: the mount shows this inode.
    with open(path, "w") as f:
        f.write("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in names.items()))
