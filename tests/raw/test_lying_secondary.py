"""Further connections of a tunnel to a gateway that says on them what is said on the first one only."""

import json
import threading
import time

import pytest

from lib.client import dial
from lib.ports import free_port
from test_lying_gateway import rule, stay


@pytest.mark.parametrize("message", [
    {"type": "welcome", "session": "f" * 32, "clock": "2026-01-01T00:00:00Z"}, {"type": "ticket", "ticket": "ab" * 32},
    {"type": "rules", "version": 1, "rules": []}, {"type": "notice", "kind": "killed"},
    {"type": "join-token", "id": 1, "token": "ab" * 32}, {"type": "explained", "id": 1},
    {"type": "log", "id": 1, "state": "go"}, {"type": "joined", "session": "f" * 32},
], ids=lambda m: m["type"])
def test_what_belongs_to_the_primary_costs_a_secondary_at_most_itself(pc, liar, message):
    port, said = free_port(), threading.Event()

    def primary(s):
        s.handshake().login()
        s.start_control()
        s.say(type="welcome", session="f" * 32, version="raw", user=s.user, source="127.0.0.1", connections=2,
              clock=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        s.say(type="rules", version=1, rules=[rule(port)])
        s.pump(lambda: b'"join-token"' in s.lines and s.lines.endswith(b"\n"))
        asked = [json.loads(line) for line in s.lines.split(b"\n")[:-1]]
        number = next(m["id"] for m in asked if m["type"] == "join-token")
        s.say(type="join-token", id=number, token="cd" * 32, seconds=30)
        stay(s)

    def secondary(s):
        s.handshake().login()
        assert s.start_control()["type"] == "join"
        s.say(type="joined", session="f" * 32)
        s.say(**message)
        said.set()
        stay(s)

    g = liar(lambda s: primary(s) if g.clients == 1 else secondary(s))
    pc.connect()
    pid = pc.agent_pid()
    waiting = [dial(port) for _ in range(3)]  # opens that nobody answers: more than one connection has to do
    assert said.wait(15)
    time.sleep(0.5)
    assert pc.agent_call(op="info")["ok"] and pc.agent_pid() == pid
    assert pc.status()["state"] == "connected"
    for c in waiting:
        c.close()
