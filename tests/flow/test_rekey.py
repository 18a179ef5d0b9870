"""Keys are exchanged again and again under load, asked for by the gateway: nothing is lost, nobody stands."""

import hashlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.client import Client, dial
from lib.ports import free_port
from lib.servers.targets import Farm, echo, pattern

STALL_MAX_S = 5


@pytest.fixture
def often_rekeyed(make_gateway):
    """A gateway that wants new keys after every 256 KiB, either way."""
    gateway = make_gateway()
    with open(gateway.config, "a") as f:
        f.write("rekey_data = 256K\n")  # its last section is [limits]
    gateway.restart()
    return gateway


def carry(port, data, gate):
    """Sends `data` and reads it back at the same time; (its hash, the longest time without a byte)."""
    with dial(port, timeout=60) as s:
        gate.wait(60)

        def send():
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        seen, longest, last = hashlib.sha256(), 0, time.monotonic()
        while part := s.recv(1 << 16):
            now = time.monotonic()
            longest, last = max(longest, now - last), now
            seen.update(part)
        sender.join()
    return seen.digest(), longest


@pytest.mark.parametrize("channels, size", [(16, 256 << 10), pytest.param(64, 4 << 20, marks=pytest.mark.soak)])
def test_new_keys_every_256_kib_lose_nothing_and_let_nobody_stand(folder, often_rekeyed, programs, channels, size):
    farm = Farm(echo, 1).start()
    client = Client(f"{folder}/c", often_rekeyed).enrol()
    local = free_port()
    often_rekeyed.add_rule("suzuki", "Echo", f"127.0.0.1:{farm.ports[0]}", local)
    try:
        client.connect()
        client.wait_forward("Echo")
        blocks = [pattern(seed, size) for seed in range(channels)]
        gate = threading.Barrier(channels)
        begun = time.monotonic()
        with ThreadPoolExecutor(channels) as pool:
            done = [f.result(300) for f in [pool.submit(carry, local, b, gate) for b in blocks]]
        took = time.monotonic() - begun
    finally:
        client.close()
        farm.stop()
    longest = max(gap for _, gap in done)
    print(f"figure: {channels} channels, {2 * channels * size >> 20} MiB in {took:.1f} s, longest without a byte {longest:.2f} s")
    assert [h for h, _ in done] == [hashlib.sha256(b).digest() for b in blocks]
    assert longest <= STALL_MAX_S
