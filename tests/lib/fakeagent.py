"""A program in the place of the agent that says what a test wants to be seen: states and causes that would take minutes,
or broken machines, to bring about. Where each cause arises is shown by tests with the real agent.
"""

import json
import os
import socket
import threading

import pytest

BASE = {"state": "disconnected", "server": "gw.example.com:10022", "user": "suzuki", "since": None, "error": None,
        "retry_in": None, "forwards": []}


class FakeAgent:
    """Listens at the agent's socket of a PRA_HOME; `refusal` is the error that answers "connect". `requests` is what
    was asked for."""

    def __init__(self, home):
        folder = os.path.join(home, "run")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(home, 0o700)
        self.path = os.path.join(folder, "agent.sock")
        self.refusal = None
        self.lock = threading.Lock()
        self.status = dict(BASE)
        self.followers = []
        self.requests = []
        self.open = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            for line in connection.makefile():
                with self.lock:
                    self._answer(connection, json.loads(line))
        except OSError:
            pass

    def _answer(self, connection, request):
        op = request["op"]
        self.requests.append(request)
        if op == "connect" and self.refusal:
            self._send(connection, {"ok": False, "error": self.refusal})
        elif op == "status":
            self._send(connection, {"ok": True, "status": self.status})
        else:
            self._send(connection, {"ok": True})
        if op == "subscribe":
            self.followers.append(connection)
            self._send(connection, {"event": "status", "status": self.status})

    @staticmethod
    def _send(connection, message):
        connection.sendall(json.dumps(message).encode() + b"\n")

    def say(self, **members):
        """Another status; it goes to all who follow."""
        with self.lock:
            self.status = {**BASE, **members}
            for connection in self.followers:
                self._send(connection, {"event": "status", "status": self.status})

    def stop(self):
        self.listener.close()
        for connection in self.open:
            connection.close()
        os.unlink(self.path)


@pytest.fixture
def agent(new_pc):
    """In the place of the agent of a PC that has a server and a key; for test files to import."""
    new_pc.set_server()
    new_pc.keygen()
    fake = FakeAgent(new_pc.home)
    yield fake
    fake.stop()


def error(message, lang, **args):
    """An error object of the agent about a message of the table. The words are another language's on purpose: the
    window has to make its own from `id` and `args`."""
    other = "en" if lang == "ja" else "ja"
    return {"code": message.code, "message": message.title[other], "cause": message.cause[other],
            "remedy": message.remedy[other], "id": message.id, "args": args}
