"""Connections that end in every way, thousands of times: bytes whole, nothing left behind."""

import os
import random
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.client import dial, read_all
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import Farm, reset

# Further connections of the agent to the gateway, opened under load, are no leak.
SLACK = 16
BLOCK = random.Random(15).randbytes(1 << 17)
HEAD = struct.Struct(">cII")  # kind, offset into BLOCK, size


def ends(sock, target):
    """Ends a connection as its first bytes ask: echo, pour, reset, sink; query counts good sinks."""
    head = b""
    while len(head) < HEAD.size:
        part = sock.recv(HEAD.size - len(head))
        if not part:
            return
        head += part
    kind, offset, size = HEAD.unpack(head)
    if kind == b"P":
        sock.sendall(BLOCK[offset:offset + size])
    elif kind == b"R":
        sock.recv(1)
        reset(sock)
    elif kind == b"Q":
        sock.sendall(b"%10d" % target.received)
    else:
        got = bytearray()
        if kind == b"S":
            sock.sendall(b".")
        while part := sock.recv(1 << 16):
            got += part
            if kind == b"E":
                sock.sendall(part)
        if kind == b"S" and got == BLOCK[offset:offset + size]:
            with target._lock:
                target.received += 1


def half_close(s, data):
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert read_all(s) == data


def poured(s, data):
    assert read_all(s) == data


def reset_by_target(s, data):
    try:
        s.sendall(b"x")
        assert s.recv(1) == b"unreachable"
    except ConnectionError:
        pass


def reset_by_user(s, data):
    s.sendall(data[:100])
    reset(s)


def sunk(s, data):
    """Closed at once behind the last byte: all of it has to arrive.

    The byte before says that the agent has seen whose connection it is; of one that is closed
    earlier nobody can tell the owner, and it is refused.
    """
    assert s.recv(1) == b"."
    s.sendall(data)


KINDS = [(b"E", half_close), (b"P", poured), (b"R", reset_by_target), (b"E", reset_by_user), (b"S", sunk)]


def one_end(port, number):
    rng = random.Random(number)
    size = rng.choice((0, 1, 100, 4000, 70000))
    offset = rng.randrange(len(BLOCK) - size)
    kind, act = KINDS[number % len(KINDS)]
    with dial(port, timeout=30) as s:
        s.sendall(HEAD.pack(kind, offset, size))
        act(s, BLOCK[offset:offset + size])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize("count", [2000, pytest.param(100000, marks=pytest.mark.soak)])
def test_connections_that_end_in_all_ways_keep_their_bytes_and_leak_nothing(gateway, client, count):
    farm = Farm(ends, 1).start()
    try:
        port = free_port()
        gateway.add_rule("suzuki", "Ends", f"127.0.0.1:{farm.ports[0]}", port)
        client.connect()
        client.wait_forward("Ends")
        pids = (gateway.pid, client.agent_pid())
        for number in range(2 * len(KINDS)):
            one_end(port, number)
        before = [wait_until(lambda: descriptors(pid), 5) for pid in pids]
        begun = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda n: one_end(port, n), range(count)):
                pass  # raises what one_end() raised
        print(f"figure: {count} connections that end in all ways took {time.monotonic() - begun:.0f} s")

        seen = []

        def good_sinks():
            with dial(port) as s:
                s.sendall(HEAD.pack(b"Q", 0, 0))
                seen.append(int(read_all(s)))
            return seen[-1] == count // len(KINDS) + 2
        wait_until(good_sinks, 20, f"{count // len(KINDS) + 2} whole sinks; {seen[-3:]}", interval=0.2)
        for pid, least in zip(pids, before):
            wait_until(lambda: descriptors(pid) <= least + SLACK, 20, f"descriptors of {pid}")
        wait_until(lambda: sum(s["channels"] for s in gateway.sessions()) == 0, 10, "channels to close")
    finally:
        farm.stop()
