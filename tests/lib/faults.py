"""Faults on purpose: a program whose N-th allocation or system call fails (faults.c, which is preloaded)."""

import mmap
import os
import re
import struct
from contextlib import contextmanager

from lib.procs import run

# The names of faults.c, in its order.
MEMORY, READ, WRITE, SYNC, OPEN, ACCEPT, CONNECT, SOCKET, POLL, TRUNCATE, RENAME = (1 << n for n in range(11))
FILES, SOCKETS, OTHERS = 1, 2, 4
ANYWHERE = FILES | SOCKETS | OTHERS
ALWAYS = (1 << 64) - 1
_ORDERS = struct.Struct("=IIQQiIQQ")


class Faults:
    """`env` is for the program; from then on `arm()` says what fails in it, while it runs."""

    def __init__(self, folder, name="faults"):
        library = os.path.join(folder, f"{name}.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults.c")
        run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"]).ok()
        self.path = os.path.join(folder, f"{name}.orders")
        with open(self.path, "wb") as f:
            f.write(bytes(_ORDERS.size))
        with open(self.path, "r+b") as f:
            self._map = mmap.mmap(f.fileno(), _ORDERS.size)
        # A sanitizer's runtime wants to be first; it works behind this library as well, but then takes for a leak what
        # the loader got through it.
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.env = {"LD_PRELOAD": library, "PRA_FAULTS": self.path,
                    "ASAN_OPTIONS": f"{asan}:verify_asan_link_order=0:allocator_may_return_null=1:detect_leaks=0"}

    def arm(self, calls, at=0, error=0, times=1, places=ANYWHERE, thread=0):
        """From the `at`-th of these calls on `times` fail; at = 0: they are only counted."""
        self.disarm()
        self._map[:] = _ORDERS.pack(0, places, at, times, error, thread, 0, 0)
        self._map[:4] = struct.pack("=I", calls)  # last: it is what starts the count

    def disarm(self):
        self._map[:4] = bytes(4)

    @contextmanager
    def armed(self, *args, **options):
        self.arm(*args, **options)
        try:
            yield self
        finally:
            self.disarm()

    @property
    def counted(self):
        return _ORDERS.unpack(self._map[:])[6]

    @property
    def failed(self):
        return _ORDERS.unpack(self._map[:])[7]

    def where(self):
        """The stack of the last failure: functions and lines."""
        try:
            with open(self.path + ".trace") as f:
                program = f.readline().strip()
                frames = re.findall(r"^(.*)\((.*?)\+(0x[0-9a-f]+)\)", f.read(), re.MULTILINE)
        except FileNotFoundError:
            return ""
        # The program itself is called what it calls itself ("pra agent").
        return "\n".join(_line_of(path if "/" in path else program, *rest) for path, *rest in frames if not path.endswith(".so"))


def _line_of(program, name, offset):
    if name:  # of a library: the symbol is as good as it gets
        return f"  {name} ({os.path.basename(program)})"
    out = run(["addr2line", "-f", "-s", "-e", program, offset]).out.split()
    return "  " + " ".join(out)


def spread(total, count):
    """`count` numbers from 1 to `total`: all of the first ones, where most is set up, and then fewer."""
    if count >= total:
        return list(range(1, total + 1))
    return sorted({1 + round(i * (total - 1) / (count - 1)) for i in range(count)})
