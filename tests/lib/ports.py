"""Free TCP ports on loopback that two test runs side by side never pick both.

A port is ours while this process holds the lock on its file; the kernel drops the lock when the
process ends, however it ends. The range lies below the ephemeral ports, so that no outgoing
connection of the machine takes a port between the choice and its use.
"""

import fcntl
import os
import random
import socket
import tempfile

FIRST, LAST = 20000, 29999
_held = {}


def _lock_dir():
    path = os.path.join(tempfile.gettempdir(), "pra-test-ports")
    os.makedirs(path, mode=0o1777, exist_ok=True)
    return path


def is_free(port, address="127.0.0.1"):
    """True if nothing listens on address:port and we may bind it."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((address, port))
            s.listen(1)
        except OSError:
            return False
    return True


def free_port():
    """A port that nobody listens on and no other test run holds."""
    candidates = list(range(FIRST, LAST + 1))
    random.SystemRandom().shuffle(candidates)
    for port in candidates:
        if port in _held:
            continue
        fd = os.open(os.path.join(_lock_dir(), f"{os.getuid()}-{port}"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            continue
        if is_free(port, "0.0.0.0"):
            _held[port] = fd
            return port
        os.close(fd)
    raise RuntimeError(f"no free port in {FIRST}-{LAST}")


def release_all():
    """Gives up every lock and removes its file."""
    for port, fd in _held.items():
        os.unlink(os.path.join(_lock_dir(), f"{os.getuid()}-{port}"))
        os.close(fd)
    _held.clear()
