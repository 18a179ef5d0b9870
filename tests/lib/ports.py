"""Free TCP ports on loopback that two test runs side by side never pick both.

A port is ours while this process holds an abstract Unix socket named after it; the kernel drops
that when the process ends, however it ends. The range lies below the ephemeral ports, so that no
outgoing connection of the machine takes a port between the choice and its use.
"""

import random
import socket

FIRST, LAST = 20000, 29999
_held = {}


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


def free_port(first=FIRST, last=LAST):
    """A port that nobody listens on and no other test run holds."""
    candidates = list(range(first, last + 1))
    random.SystemRandom().shuffle(candidates)
    for port in candidates:
        if port in _held:
            continue
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0pra-test-port-{port}")
        except OSError:
            claim.close()
            continue
        if is_free(port, "0.0.0.0"):
            _held[port] = claim
            return port
        claim.close()
    raise RuntimeError(f"no free port in {first}-{last}")


def held():
    """The ports that are ours now."""
    return set(_held)


def release(numbers):
    """Gives up ports; whoever listens on them keeps doing so."""
    for port in numbers:
        _held.pop(port).close()
