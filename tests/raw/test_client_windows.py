"""What the client lets a gateway send, and so has to hold when its programs do not read."""

import contextlib
import select
import threading
import time

import pytest

from lib.client import dial
from lib.ports import free_port
from lib.procs import wait_until
from rawssh import OPEN, REQUEST
from test_lying_gateway import rule


@pytest.mark.release_only
def test_what_all_channels_are_granted_stays_bounded_when_flows_become_slow(pc, liar):
    """Each flow is fast and far until its window is large, then slow, so that the client makes the
    window small again; but what was granted can still be sent."""
    port, flows, sent, left = free_port(), [], {}, []

    def fast(s, channel, patience):
        begun = time.monotonic()
        while (s.granted[channel] - sent[channel] < 20 << 20 and
               time.monotonic() < begun + patience):
            for _ in range(32):
                if sent[channel] + 32000 <= s.granted[channel]:
                    s.give(channel, bytes(32000))
                    sent[channel] += 32000
            take_all(s)

    def slow(s, channel):
        for _ in range(120):
            s.give(channel, b"x")
            sent[channel] += 1
            time.sleep(0.02)
            take_all(s)

    def take_all(s):
        while s.buffer or select.select([s.sock], [], [], 0)[0]:
            s.take(s.recv())

    def script(s):
        far, take = True, s.take

        def take_later(p):
            if far and p[0] in (OPEN, REQUEST):
                time.sleep(0.25)
            take(p)
        s.take = take_later
        s.up(rule(port))
        far = False
        for _ in range(4):
            channel = s.next_open()[0]
            s.confirm(channel)
            sent[channel] = 0
            fast(s, channel, 2.5 if left else 10)
            slow(s, channel)
            left.append(sum(s.granted[c] - sent[c] for c in sent))

    def drain():
        with dial(port) as sock:
            flows.append(sock)
            with contextlib.suppress(OSError):
                while sock.recv(1 << 20):
                    pass
    g = liar(script)
    pc.connect()
    for i in range(4):
        threading.Thread(target=drain, daemon=True).start()
        wait_until(lambda: len(left) == i + 1 or g.done.is_set(), 30, "the flow to become slow")
    assert len(left) == 4 and left[0] > 8 << 20, left
    assert max(left) <= (96 << 20) + 4 * (64 << 10), [n >> 20 for n in left]
