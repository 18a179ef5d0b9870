"""Bytes: complete, in order, ended as the other end ended them, and nobody waits for the dead."""

import hashlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.client import dial, exchange, is_cut, read_all
from lib.messages import MESSAGES, matches
from lib.ports import free_port
from lib.procs import wait_until
from lib.servers.targets import (BlackHole, Farm, digest, flood, greet, pattern, pour, reset,
                                 reset_after_byte, reset_midway, stall)


@pytest.fixture
def forward(gateway, client, target):
    """Connects a forward to a target of a given behaviour; returns (local port, target)."""
    count = 0

    def make(behave, **options):
        nonlocal count
        count += 1
        t = target(behave, **options)
        port = free_port()
        gateway.add_rule("suzuki", f"F{count}", f"127.0.0.1:{t.port}", port)
        if count == 1:
            client.connect()
        client.wait_forward(f"F{count}")
        return port, t

    return make


def test_half_closed_connection_still_carries_the_answer(forward):
    port, _ = forward(digest)
    data = pattern(5, 3 << 20)
    assert exchange(port, data) == hashlib.sha256(data).hexdigest().encode()


def test_server_that_speaks_first_is_heard(forward):
    port, _ = forward(greet)
    with dial(port) as s:
        assert s.recv(64) == b"220 hello\r\n"


def test_end_of_a_download_is_a_normal_end(forward):
    port, _ = forward(pour)
    assert exchange(port, b"3 1000000\n") == pattern(3, 1000000)


def test_reset_by_the_target_is_a_reset_for_the_user(gateway, forward):
    port, _ = forward(reset_after_byte)
    with dial(port) as s:
        s.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            s.recv(1)
    gateway.wait_audit("channel-close", reason="target-reset")


def test_reset_midway_comes_behind_the_data_and_is_no_normal_end(forward):
    port, _ = forward(reset_midway)
    with dial(port) as s:
        data = b""
        while len(data) < 1 << 20:
            data += s.recv(1 << 16)
        s.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            s.recv(1)


def test_reset_of_a_target_that_was_told_the_end_is_a_reset(forward):
    def reset_after_end(sock, t):
        while sock.recv(1 << 16):
            pass
        reset(sock)
    port, _ = forward(reset_after_end)
    with dial(port) as s:
        s.sendall(bytes(100000))
        s.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionResetError):
            s.recv(1)


def swallow(sock, t):
    while data := sock.recv(1 << 16):
        t.sent += len(data)


@pytest.mark.parametrize("before", [0, 1, 300000])
def test_reset_by_the_user_is_a_reset_for_the_target(gateway, forward, before):
    port, t = forward(swallow)
    s = dial(port)
    s.sendall(bytes(before))
    wait_until(lambda: t.accepted and t.sent == before, 5, "the data to arrive")
    reset(s)
    wait_until(lambda: t.endings, 5, "the target to notice")
    assert t.endings == ["ConnectionResetError"]
    gateway.wait_audit("channel-close", reason="client-reset")


def test_orderly_end_of_the_user_is_no_reset_for_the_target(forward):
    port, t = forward(swallow)
    with dial(port) as s:
        s.sendall(bytes(300000))
        wait_until(lambda: t.accepted, 5, "the connection to stand")
    wait_until(lambda: t.endings, 5, "the target to notice")
    assert t.endings == ["closed"] and t.sent == 300000


def test_reset_by_the_user_stops_a_target_that_sends(forward):
    port, t = forward(flood)
    s = dial(port)
    s.recv(4096)
    reset(s)
    wait_until(lambda: t.endings, 5, "the target to notice")
    assert t.open_connections() == 0 and t.endings != ["closed"]


def test_closing_while_the_target_still_sends_closes_the_target(forward):
    port, t = forward(flood)
    with dial(port) as s:
        s.recv(4096)
    wait_until(lambda: t.endings, 5, "the target to notice")


def test_slow_reader_stops_the_sender_and_memory_stays_flat(forward, gateway, client):
    """Back-pressure: what nobody reads must stay at the target, not in our memory."""
    port, t = forward(flood)
    with dial(port) as s:
        s.recv(1)

        def settled():
            before = t.sent
            time.sleep(0.3)
            return t.sent == before and t.sent > 0
        wait_until(settled, 20, "the sender to stop")
        assert t.sent < 64 << 20, f"{t.sent >> 20} MiB were taken from the target"
        # It goes on where it stopped.
        stopped_at = t.sent
        for _ in range(256):
            s.recv(1 << 20)
        wait_until(lambda: t.sent > stopped_at, 10, "the sender to go on")


def test_target_that_reads_nothing_stops_the_user(forward):
    port, _ = forward(stall)
    with dial(port) as s:
        s.settimeout(1.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 256 << 20:
                sent += s.send(bytes(1 << 16))
        assert sent < 128 << 20


def test_slow_reader_does_not_hold_up_its_neighbours(forward):
    slow, _ = forward(flood)
    quick, _ = forward(pour)
    with dial(slow) as s:
        s.recv(1)
        start = time.monotonic()
        assert exchange(quick, b"9 8388608\n", timeout=30) == pattern(9, 8 << 20)
        assert time.monotonic() - start < 15


def test_dead_target_fails_with_a_sentence_and_live_ones_do_not_wait(gateway, client, target, forward):
    live, _ = forward(lambda sock, t: sock.sendall(sock.recv(16)))
    hole = BlackHole().start()
    try:
        dead = free_port()
        gateway.add_rule("suzuki", "Dead", f"127.0.0.1:{hole.port}", dead)
        client.wait_forward("Dead")
        waiting = [dial(dead) for _ in range(20)]
        for s in waiting:
            s.sendall(b"anybody there?")
        times = []
        for _ in range(50):
            start = time.monotonic()
            assert exchange(live, b"hello", 5) == b"hello"
            times.append(time.monotonic() - start)
        assert sorted(times)[-3] < 0.5, f"live opens took up to {max(times):.3f} s"
        start = time.monotonic()
        for s in waiting:
            s.settimeout(10)
            try:
                assert s.recv(1) == b""
            except ConnectionResetError:
                pass
            s.close()
        assert time.monotonic() - start < 8
    finally:
        hole.stop()
    assert_target_told(client, "en")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_target_that_refuses_is_told(gateway, make_client, lang):
    client = make_client(lang=lang).enrol()
    port = free_port()
    gateway.add_rule("suzuki", "Nobody", f"127.0.0.1:{free_port()}", port)
    client.connect()
    assert is_cut(port), "a refused target must not look like a normal end"
    assert_target_told(client, lang)
    assert gateway.wait_audit("channel-failed")["user"] == "suzuki"


def assert_target_told(client, lang):
    message = MESSAGES["MSG_TARGET_UNREACHABLE"]

    def told():
        logs = client.user_log() + client.system_log()
        return message.code in logs and matches(message.cause[lang], logs)
    wait_until(told, 3, "the cause in the logs")


def test_user_who_leaves_before_the_target_answers_leaves_nothing_behind(gateway, client, forward):
    forward(greet)
    hole = BlackHole().start()
    try:
        port = free_port()
        gateway.add_rule("suzuki", "Dead", f"127.0.0.1:{hole.port}", port)
        client.wait_forward("Dead")
        before = open_files(gateway.pid)
        for _ in range(20):
            reset(dial(port))
        wait_until(lambda: open_files(gateway.pid) <= before, 15, "prad to close its sockets")
    finally:
        hole.stop()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_thousand_short_connections_leak_no_descriptor(gateway, client, forward):
    port, _ = forward(lambda sock, t: sock.sendall(sock.recv(64)))
    agent = client.agent_pids()[0]
    exchange(port, b"warm up", 7)
    wait_until(lambda: client.forwards()["F1"]["connections"] == 0, 5, "the first to close")
    before = open_files(gateway.pid), open_files(agent)

    def one(i):
        text = b"%08d" % i
        assert exchange(port, text, 8) == text
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(1000)))
    wait_until(lambda: open_files(gateway.pid) <= before[0] and open_files(agent) <= before[1], 10,
               f"open files to fall back to {before}")


def test_close_right_after_the_last_byte_loses_nothing(forward):
    port, _ = forward(pour)
    for size in (1, 17, 32767, 32768, 32769, 65536, 1 << 20):
        assert exchange(port, b"4 %d\n" % size) == pattern(4, size)


@pytest.mark.parametrize("size", [0, 1])
def test_connections_that_carry_next_to_nothing(forward, size):
    port, _ = forward(digest)
    data = bytes(size)
    assert exchange(port, data) == hashlib.sha256(data).hexdigest().encode()


def test_two_hundred_connections_over_ten_forwards_move_a_gibibyte(gateway, client):
    """100 uploads and 100 downloads at once; the hash of each is checked at its far end."""
    each = (1 << 30) // 200
    up, down = Farm(digest, 5).start(), Farm(pour, 5).start()
    blocks = [pattern(seed, each) for seed in range(4)]
    hashes = [hashlib.sha256(b).hexdigest() for b in blocks]
    try:
        local = []
        for i, port in enumerate(up.ports + down.ports):
            local.append(free_port())
            gateway.add_rule("suzuki", f"F{i}", f"127.0.0.1:{port}", local[-1])
        client.connect()
        assert len(client.forwards()) == 10
        gate = threading.Barrier(200)

        def upload(i):
            with dial(local[i % 5], timeout=120) as s:
                gate.wait(60)
                s.sendall(blocks[i % 4])
                s.shutdown(socket.SHUT_WR)
                return read_all(s).decode() == hashes[i % 4]

        def download(i):
            h = hashlib.sha256()
            with dial(local[5 + i % 5], timeout=120) as s:
                gate.wait(60)
                s.sendall(b"%d %d\n" % (i % 4, each))
                while part := s.recv(1 << 18):
                    h.update(part)
            return h.hexdigest() == hashes[i % 4]

        with ThreadPoolExecutor(200) as pool:
            results = [pool.submit(work, i) for i in range(100) for work in (upload, download)]
            good = sum(r.result(300) for r in results)
        assert good == 200
    finally:
        up.stop()
        down.stop()
