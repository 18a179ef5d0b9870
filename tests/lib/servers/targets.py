"""TCP targets that do one thing each: echo, swallow, pour, stall, reset, never answer.

A Target runs in threads of this process. Farm runs many of them in a process of its own, so that
moving a lot of data does not share this interpreter's lock with the clients.
"""

import hashlib
import multiprocessing
import random
import select
import socket
import struct
import threading
import time

from lib.ports import free_port

CHUNK = 1 << 18


def pattern(seed, size):
    """Bytes that both ends of a test can make without talking to each other."""
    return random.Random(seed).randbytes(size)


def reset(sock):
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def echo(sock, target):
    while data := sock.recv(CHUNK):
        sock.sendall(data)


def discard(sock, target):
    while data := sock.recv(CHUNK):
        target.received += len(data)


def digest(sock, target):
    """Reads to the end of input, then answers the SHA-256: needs half close to work."""
    h = hashlib.sha256()
    while data := sock.recv(CHUNK):
        h.update(data)
    sock.sendall(h.hexdigest().encode())


def pour(sock, target):
    """A line "SEED SIZE\\n" in, SIZE bytes of pattern(SEED) out."""
    line = b""
    while not line.endswith(b"\n"):
        got = sock.recv(64)
        if not got:
            return
        line += got
    seed, size = map(int, line.split())
    sock.sendall(pattern(seed, size))


def flood(sock, target):
    """Sends zeros for as long as the other side takes them; counts them."""
    block = bytes(CHUNK)
    while True:
        target.sent += sock.send(block)


def trickle(sock, target):
    """One byte every 50 ms until the other side goes: a transfer that is always under way."""
    sock.settimeout(0.05)
    while True:
        sock.sendall(b".")
        try:
            if not sock.recv(CHUNK):
                return
        except TimeoutError:
            pass


def greet(sock, target):
    """Speaks first, as SMTP and POP3 servers do."""
    sock.sendall(b"220 hello\r\n")
    echo(sock, target)


def stall(sock, target):
    """Accepts, reads nothing, says nothing, until the target stops."""
    target.stopping.wait()


def reset_after_byte(sock, target):
    """Answers the first bytes with RST."""
    sock.recv(1)
    reset(sock)


def reset_midway(sock, target):
    """1 MiB of data, then RST once the other side asks for it with a byte."""
    sock.sendall(bytes(1 << 20))
    sock.recv(1)
    reset(sock)


class Target:
    """One listener on 127.0.0.1 whose connections are each given to `behave`."""

    def __init__(self, behave, address="127.0.0.1", rcvbuf=None):
        self.behave = behave
        self.address = address
        self.port = free_port()
        self.received = self.sent = self.accepted = 0
        self.endings = []  # how connections ended, as seen here: "closed" or the error's name
        self.stopping = threading.Event()
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if rcvbuf:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self._listener.bind((address, self.port))
        self._listener.listen(512)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        ending = "closed"
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.behave(sock, self)
        except OSError as e:
            ending = type(e).__name__
        finally:
            with self._lock:
                self._open.discard(sock)
                self.endings.append(ending)
            sock.close()

    def open_connections(self):
        with self._lock:
            return len(self._open)

    def stop(self):
        self.stopping.set()
        self._listener.close()
        with self._lock:
            for sock in self._open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class BlackHole:
    """An address whose connection attempts are never answered: a listener with a full backlog."""

    def __init__(self):
        self.port = free_port()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(0)
        self._fill = []

    def start(self):
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self._fill.append(s)
        # The backlog is full when one attempt stays unanswered.
        time.sleep(0.05)
        _, writable, _ = select.select([], self._fill, [], 0)
        assert len(writable) < len(self._fill), "the backlog took every connection"
        return self

    def stop(self):
        for s in self._fill:
            s.close()
        self._listener.close()


def _farm(behave, count, ready, stop):
    targets = [Target(behave).start() for _ in range(count)]
    ready.put([t.port for t in targets])
    stop.wait()


class Farm:
    """`count` targets of one kind in a process of their own; `ports` tells where."""

    def __init__(self, behave, count):
        context = multiprocessing.get_context("fork")
        self._ready, self._stop = context.Queue(), context.Event()
        self._process = context.Process(target=_farm, daemon=True,
                                        args=(behave, count, self._ready, self._stop))
        self.ports = []

    def start(self):
        self._process.start()
        self.ports = self._ready.get(timeout=20)
        return self

    def stop(self):
        self._stop.set()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()


class Relay:
    """A TCP relay between two programs that can go silent (a dead network) and come back.

    Silent means: what arrives is swallowed unread in the kernel, nothing is closed, and new
    connections are accepted by the kernel but never served.
    """

    def __init__(self, to_port):
        self.port = free_port()
        self._to = to_port
        self._silent = threading.Event()
        self._stopping = threading.Event()
        self._pairs = []
        self._held = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(64)

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._silent.is_set():
                self._held.append(near)
                continue
            far = socket.socket()
            if far.connect_ex(("127.0.0.1", self._to)) != 0:
                reset(near)
                continue
            for s in (near, far):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(a, b), daemon=True).start()

    def _pump(self, a, b):
        try:
            while data := a.recv(CHUNK):
                if self._silent.is_set():
                    # What was on its way when the network died is lost with it.
                    self._stopping.wait()
                    return
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            for s in (a, b):
                try:
                    reset(s)
                except OSError:
                    pass

    def go_silent(self):
        self._silent.set()

    def come_back(self):
        """New connections work again; those that died in the silence stay dead."""
        self._silent.clear()

    def cut(self):
        """Resets every connection at once."""
        for pair in self._pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self._pairs.clear()

    def stop(self):
        self._stopping.set()
        self._listener.close()
        self.cut()
        for s in self._held:
            s.close()
