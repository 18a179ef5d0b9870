"""A program of ours in the hands of somebody else: see tests/flow/takeover.c. As root."""

import os
import re

from lib.gateway import program
from lib.procs import run

AT_FDCWD = -100


def takeover(pid, call, *arguments):
    """What the kernel answers to a call that the program makes: a number, or the word of its end."""
    words = ["hex:" + a.hex() if isinstance(a, bytes) else str(a) for a in arguments]
    out = run([program("tests/flow/takeover"), str(pid), call, *words], timeout=20).ok().out.strip()
    return out if out.startswith("ended") else int(out)


def opened(pid, path, flags=os.O_RDONLY):
    """0, or the error with which the program was refused a file."""
    answer = takeover(pid, "openat", AT_FDCWD, path, flags, 0o600)
    return 0 if answer >= 0 else -answer


def held(pid):
    """What /proc says of every thread: the same for all of them."""
    found = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as f:
            status = dict(re.findall(r"^(\w+):\s*(.*)$", f.read(), re.M))
        found.add((status["NoNewPrivs"], status["Seccomp"]))
    return found
