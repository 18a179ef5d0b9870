"""A tiny SSH client whose every byte the test decides: RFC 4253/4252/4254 with curve25519-sha256,
ssh-ed25519 host keys and aes128-gcm@openssh.com. It checks the gateway's signature, does nothing by
itself but answer a rekey, and sends whatever packet it is told to, at any time.
"""
import hashlib
import os
import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (Encoding, PublicFormat,
                                                          load_ssh_private_key)

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST, SERVICE_ACCEPT, EXT_INFO = range(1, 8)
KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31
AUTH_REQUEST, AUTH_FAILURE, AUTH_SUCCESS, AUTH_BANNER = range(50, 54)
AUTH_PK_OK = 60
GLOBAL_REQUEST, REQUEST_SUCCESS, REQUEST_FAILURE = 80, 81, 82
(OPEN, OPEN_OK, OPEN_FAILURE, ADJUST, DATA, EXTENDED, EOF, CLOSE, REQUEST, SUCCESS,
 FAILURE) = range(90, 101)


class Closed(Exception):
    """The gateway closed the connection (or said DISCONNECT; then the text is its reason)."""


def u32(n):
    return struct.pack(">I", n & 0xffffffff)


def string(b):
    b = b.encode() if isinstance(b, str) else b
    return u32(len(b)) + b


def mpint(b):
    b = b.lstrip(b"\0")
    return string((b"\0" if b and b[0] & 0x80 else b"") + b)


class Reader:
    """Takes a payload apart."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("short packet")
        self.at += n
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def string(self):
        return self.take(self.u32())


class _Keys:
    """One direction of aes128-gcm@openssh.com (RFC 5647 with the 32-bit length in the clear)."""

    def __init__(self, key, iv):
        self.gcm, self.fixed, self.counter = AESGCM(key), iv[:4], int.from_bytes(iv[4:12], "big")

    def nonce(self):
        n = self.fixed + self.counter.to_bytes(8, "big")
        self.counter = (self.counter + 1) & 0xffffffffffffffff
        return n


class Channel:
    """What the test needs to know about a channel; all moves are the test's."""

    def __init__(self, local, window):
        self.local, self.remote, self.window, self.max_packet = local, None, 0, 0
        self.granted = window
        self.data, self.errors = bytearray(), bytearray()
        self.opened = self.failure = None
        self.eof = self.closed = False
        self.replies = []


class RawSsh:
    def __init__(self, host, port, timeout=10, rcvbuf=None, source=None):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.out = self.into = None
        self.session_id = None
        self.channels = {}
        self.seen = []           # every packet type that arrived
        self.global_replies = []
        self.rekeys = 0
        self._pending_kexinit = None

    # --- bytes ---------------------------------------------------------------------------

    def _recv(self, n):
        while len(self.buffer) < n:
            try:
                more = self.sock.recv(1 << 16)
            except ConnectionError as e:
                raise Closed(str(e)) from e
            if not more:
                raise Closed("end of stream")
            self.buffer += more
        out = bytes(self.buffer[:n])
        del self.buffer[:n]
        return out

    def versions(self, ours=b"SSH-2.0-raw_test"):
        self.ours = ours
        self._send(ours + b"\r\n")
        line = bytearray()
        while not line.endswith(b"\n"):
            line += self._recv(1)
        self.theirs = bytes(line).rstrip(b"\r\n")

    def _send(self, data):
        try:
            self.sock.sendall(data)
        except ConnectionError as e:
            raise Closed(str(e)) from e

    def pack(self, payload):
        """The bytes of one packet on the wire."""
        block = 16 if self.out else 8
        used = 1 + len(payload) + (0 if self.out else 4)
        padding = block - used % block
        padding += block if padding < 4 else 0
        body = bytes([padding]) + payload + os.urandom(padding)
        head = u32(len(body))
        return head + (self.out.gcm.encrypt(self.out.nonce(), body, head) if self.out else body)

    def send(self, payload):
        self._send(self.pack(payload))

    def send_raw(self, data):
        self._send(data)

    def recv(self):
        """The next packet's payload, after keeping the books of channels and rekeys."""
        head = self._recv(4)
        length = struct.unpack(">I", head)[0]
        assert length < 300000, "absurd packet length"
        if self.into:
            sealed = self._recv(length + 16)
            body = self.into.gcm.decrypt(self.into.nonce(), sealed, head)
        else:
            body = self._recv(length)
        payload = body[1:len(body) - body[0]]
        self.seen.append(payload[0])
        if payload[0] == DISCONNECT:
            r = Reader(payload[1:])
            r.u32()
            raise Closed("disconnect: " + r.string().decode(errors="replace"))
        return payload

    # --- key exchange --------------------------------------------------------------------

    def kexinit(self):
        lists = ["curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com",
                 "aes128-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com",
                 "hmac-sha2-256-etm@openssh.com", "none", "none", "", ""]
        return bytes([KEXINIT]) + os.urandom(16) + b"".join(map(string, lists)) + b"\0" + u32(0)

    def exchange(self, theirs=None):
        """A whole key exchange; `theirs` is the gateway's KEXINIT if it came already."""
        mine = self.kexinit()
        self.send(mine)
        while theirs is None:
            p = self.recv()
            if p[0] == KEXINIT:
                theirs = p
            else:
                self.account(p)
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.send(bytes([ECDH_INIT]) + string(public))
        while True:
            p = self.recv()
            if p[0] == ECDH_REPLY:
                break
            assert p[0] in (IGNORE, DEBUG, UNIMPLEMENTED), f"packet {p[0]} inside a key exchange"
        r = Reader(p[1:])
        host_key, server_public, signature = r.string(), r.string(), r.string()
        secret = mpint(private.exchange(X25519PublicKey.from_public_bytes(server_public)))
        h = hashlib.sha256(string(self.ours) + string(self.theirs) + string(mine) + string(theirs) +
                           string(host_key) + string(public) + string(server_public) +
                           secret).digest()
        key, sig = Reader(host_key), Reader(signature)
        assert key.string() == b"ssh-ed25519" and sig.string() == b"ssh-ed25519"
        Ed25519PublicKey.from_public_bytes(key.string()).verify(sig.string(), h)
        self.session_id = self.session_id or h
        self.send(bytes([NEWKEYS]))

        def derive(letter, n):
            return hashlib.sha256(secret + h + letter + self.session_id).digest()[:n]
        self.out = _Keys(derive(b"C", 16), derive(b"A", 12))
        while self.recv()[0] != NEWKEYS:
            pass
        self.into = _Keys(derive(b"D", 16), derive(b"B", 12))
        return self

    # --- login ---------------------------------------------------------------------------

    def service(self):
        self.send(bytes([SERVICE_REQUEST]) + string("ssh-userauth"))
        while self.recv()[0] != SERVICE_ACCEPT:
            pass

    def sign_request(self, user, key, sign_as=None, sign_key=None, blob=None):
        """AUTH_REQUEST with a signature; the sign_... arguments make it lie."""
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        blob = blob or string("ssh-ed25519") + string(public)

        def request(name):
            return (bytes([AUTH_REQUEST]) + string(name) + string("ssh-connection") +
                    string("publickey") + b"\1" + string("ssh-ed25519") + string(blob))
        signature = (sign_key or key).sign(string(self.session_id) + request(sign_as or user))
        return request(user) + string(string("ssh-ed25519") + string(signature))

    def offer(self, user, key):
        """AUTH_REQUEST without a signature: would this key do? Returns the answer's type."""
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        blob = string("ssh-ed25519") + string(public)
        self.send(bytes([AUTH_REQUEST]) + string(user) + string("ssh-connection") +
                  string("publickey") + b"\0" + string("ssh-ed25519") + string(blob))
        return self.recv()[0]

    def login(self, user, key):
        self.versions()
        self.exchange()
        self.service()
        self.send(self.sign_request(user, key))
        answer = self.recv()
        assert answer[0] == AUTH_SUCCESS, f"login refused: {answer[:60]!r}"
        return self

    # --- connection protocol -------------------------------------------------------------

    def open(self, kind, extra=b"", window=1 << 20, max_packet=32768, wait=True):
        c = Channel(len(self.channels), window)
        self.channels[c.local] = c
        self.send(bytes([OPEN]) + string(kind) + u32(c.local) + u32(window) + u32(max_packet) +
                  extra)
        if wait:
            self.until(lambda: c.opened is not None)
        return c

    def direct(self, host, port, origin_port=1234, **options):
        extra = string(host) + u32(port) + string("127.0.0.1") + u32(origin_port)
        return self.open("direct-tcpip", extra, **options)

    def write(self, c, data):
        """Sends data as the window allows; never more."""
        while data:
            self.until(lambda: c.window > 0 or c.closed)
            if c.closed:
                return
            n = min(len(data), c.window, c.max_packet, 32768)
            self.send(bytes([DATA]) + u32(c.remote) + string(data[:n]))
            c.window -= n
            data = data[n:]

    def adjust(self, c, n):
        self.send(bytes([ADJUST]) + u32(c.remote) + u32(n))
        c.granted += n

    def eof(self, c):
        self.send(bytes([EOF]) + u32(c.remote))

    def close_channel(self, c):
        self.send(bytes([CLOSE]) + u32(c.remote))

    def request(self, c, name, extra=b"", want_reply=True):
        self.send(bytes([REQUEST]) + u32(c.remote) + string(name) + bytes([want_reply]) + extra)

    def account(self, p):
        """Keeps the books of one packet. Answers keepalives and rekeys."""
        kind, r = p[0], Reader(p[1:])
        if kind == KEXINIT:
            self.rekeys += 1
            self.exchange(p)
        elif kind == GLOBAL_REQUEST:
            r.string()
            if r.byte():
                self.send(bytes([REQUEST_FAILURE]))
        elif kind in (REQUEST_SUCCESS, REQUEST_FAILURE):
            self.global_replies.append(kind)
        elif kind in (OPEN_OK, OPEN_FAILURE, ADJUST, DATA, EXTENDED, EOF, CLOSE, SUCCESS, FAILURE):
            self._account_channel(kind, self.channels[r.u32()], r)

    def _account_channel(self, kind, c, r):
        if kind == OPEN_OK:
            c.remote, c.window, c.max_packet = r.u32(), r.u32(), r.u32()
            c.opened = True
        elif kind == OPEN_FAILURE:
            c.failure = (r.u32(), r.string().decode())
            c.opened = False
        elif kind == ADJUST:
            c.window += r.u32()
        elif kind == DATA:
            data = r.string()
            c.granted -= len(data)
            assert c.granted >= 0, "the gateway exceeded the window"
            c.data += data
        elif kind == EXTENDED:
            r.u32()
            c.errors += r.string()
        elif kind == EOF:
            c.eof = True
        elif kind == CLOSE:
            c.closed = True
        else:
            c.replies.append(kind)

    def until(self, question, timeout=10):
        """Handles packets until `question()` is true."""
        deadline = time.monotonic() + timeout
        while not question():
            left = deadline - time.monotonic()
            assert left > 0, "took too long"
            self.sock.settimeout(left)
            try:
                self.account(self.recv())
            except (socket.timeout, TimeoutError):
                raise AssertionError("took too long") from None

    def drain(self, seconds):
        """Handles whatever comes within that time."""
        end = time.monotonic() + seconds
        try:
            self.until(lambda: time.monotonic() >= end, seconds)
        except AssertionError as e:
            if "too long" not in str(e):
                raise

    def closed_within(self, seconds):
        """True if the gateway ends the connection in that time."""
        try:
            self.drain(seconds)
            return False
        except Closed:
            return True

    def close(self):
        self.sock.close()


def load_key(path):
    with open(path, "rb") as f:
        return load_ssh_private_key(f.read(), None)
