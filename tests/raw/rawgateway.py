"""A gateway whose every byte the test decides: the server's side of rawssh.py, with a host key of its
own, for a client that must survive whatever a gateway or somebody on the way does to it.
"""
import base64
import hashlib
import json
import socket
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rawssh import (ADJUST, AUTH_FAILURE, AUTH_PK_OK, AUTH_REQUEST, AUTH_SUCCESS, CLOSE, DATA,
                    ECDH_INIT, ECDH_REPLY, GLOBAL_REQUEST, KEXINIT, NEWKEYS, OPEN, OPEN_FAILURE,
                    OPEN_OK, REQUEST, REQUEST_FAILURE, SERVICE_ACCEPT, SERVICE_REQUEST, SUCCESS, Closed,
                    RawSsh, Reader, _Keys, mpint, string, u32)


class Session(RawSsh):
    """One client's connection, seen by the gateway. `control` is the client's channel number."""

    def __init__(self, sock, host_key):
        self.sock = sock
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.out = self.into = None
        self.session_id = None
        self.seen = []
        self.host_key = host_key
        self.control = None
        self.lines = bytearray()
        self.said = 0            # bytes on the control channel
        self.opens = []          # (client's channel, window, host, port, origin port)
        self.data = {}           # by our channel number: what the client sent
        self.granted = {}        # by our channel number: window the client has granted in all
        self.closed = set()
        self.keepalives = 0
        self.refused_opens = 0   # of opens that we sent

    def exchange(self, theirs=None):
        mine = self.kexinit()
        self.send(mine)
        while theirs is None or theirs[0] != KEXINIT:
            theirs = self.recv()
        p = self.recv()
        while p[0] != ECDH_INIT:
            p = self.recv()
        client_public = Reader(p[1:]).string()
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        secret = mpint(private.exchange(X25519PublicKey.from_public_bytes(client_public)))
        blob = self.host_key.blob
        h = hashlib.sha256(string(self.theirs) + string(self.ours) + string(theirs) + string(mine) +
                           string(blob) + string(client_public) + string(public) + secret).digest()
        self.session_id = self.session_id or h
        signature = string("ssh-ed25519") + string(self.host_key.sign(h))
        self.send(bytes([ECDH_REPLY]) + string(blob) + string(public) + string(signature))
        self.send(bytes([NEWKEYS]))

        def derive(letter, n):
            return hashlib.sha256(secret + h + letter + self.session_id).digest()[:n]
        self.out = _Keys(derive(b"D", 16), derive(b"B", 12))
        while self.recv()[0] != NEWKEYS:
            pass
        self.into = _Keys(derive(b"C", 16), derive(b"A", 12))
        return self

    def handshake(self, version=b"SSH-2.0-raw_gateway"):
        self.versions(version)
        self.exchange()
        return self

    def login(self, accept=True):
        """Takes any key of any user, or refuses all; tells what was signed with."""
        while True:
            p = self.recv()
            if p[0] == SERVICE_REQUEST:
                self.send(bytes([SERVICE_ACCEPT]) + string("ssh-userauth"))
            elif p[0] == AUTH_REQUEST:
                r = Reader(p[1:])
                self.user = r.string().decode()
                r.string(), r.string()
                signed, kind, blob = r.byte(), r.string(), r.string()
                if not accept:
                    self.send(bytes([AUTH_FAILURE]) + string("publickey") + b"\0")
                elif signed:
                    self.send(bytes([AUTH_SUCCESS]))
                    return self
                else:
                    self.send(bytes([AUTH_PK_OK]) + string(kind) + string(blob))

    def start_control(self):
        """Until the client has its subsystem and has said hello; returns the hello."""
        self.pump(lambda: self.control is not None and b"\n" in self.lines)
        return json.loads(self.lines.split(b"\n")[0])

    def up(self, *rules):
        """Everything that an honest gateway does until forwarding has begun."""
        self.handshake().login()
        hello = self.start_control()
        self.say(type="welcome", session="f" * 32, version="raw", user=self.user, source="127.0.0.1",
                 clock=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        self.say(type="rules", version=1, rules=list(rules))
        return hello

    # --- connection protocol -------------------------------------------------------------

    def say(self, **message):
        self.say_raw(json.dumps(message).encode() + b"\n")

    def say_raw(self, data, size=16384):
        """On the control channel, as fast as the client's window lets."""
        for i in range(0, len(data), size):
            part = data[i:i + size]
            while self.said + len(part) > self.granted[self.control]:
                self.take(self.recv())
            self.said += len(part)
            self.send(bytes([DATA]) + u32(self.control) + string(part))

    def give(self, channel, data):
        self.send(bytes([DATA]) + u32(channel) + string(data))

    def confirm(self, channel, window=1 << 20, max_packet=32768):
        """Opens `channel` (the client's number); ours is the same number."""
        self.send(bytes([OPEN_OK]) + u32(channel) + u32(channel) + u32(window) + u32(max_packet))

    def take(self, p):
        """The books of one packet; answers what an honest gateway would answer at once."""
        r = Reader(p[1:])
        if p[0] == OPEN:
            kind, channel, window, _ = r.string(), r.u32(), r.u32(), r.u32()
            self.granted[channel] = window
            self.data[channel] = bytearray()
            if kind == b"session":
                self.control = channel
                self.confirm(channel)
            else:
                host, port = r.string().decode(), r.u32()
                r.string()
                self.opens.append((channel, window, host, port, r.u32()))
        elif p[0] == REQUEST:
            self.send(bytes([SUCCESS]) + p[1:5])
        elif p[0] == DATA:
            channel, data = r.u32(), r.string()
            if channel == self.control:
                self.lines += data
            self.data[channel] += data
        elif p[0] == ADJUST:
            channel = r.u32()
            self.granted[channel] = self.granted.get(channel, 0) + r.u32()
        elif p[0] == CLOSE:
            self.closed.add(r.u32())
        elif p[0] == GLOBAL_REQUEST:
            self.keepalives += 1
            self.send(bytes([REQUEST_FAILURE]))
        elif p[0] == OPEN_FAILURE:
            self.refused_opens += 1
        elif p[0] == KEXINIT:
            self.exchange(p)

    def pump(self, until, timeout=20):
        end = time.monotonic() + timeout
        while not until():
            assert time.monotonic() < end, "the client did not do what it should"
            self.take(self.recv())

    def next_open(self):
        self.pump(lambda: self.opens)
        return self.opens.pop(0)


class HostKey:
    def __init__(self):
        key = Ed25519PrivateKey.generate()
        self.sign = key.sign
        self.blob = string("ssh-ed25519") + string(
            key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def fingerprint(self):
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


class RawGateway:
    """Listens and runs `script(session)` for every client in a thread; the last failure is kept."""

    def __init__(self, script):
        self.script, self.key, self.failure = script, HostKey(), None
        self.clients = 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.done = threading.Event()
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def fingerprint(self):
        return self.key.fingerprint()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.clients += 1
            self._open.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            self.script(Session(sock, self.key))
        except (Closed, OSError):
            pass  # the client may leave at any time
        except Exception as e:  # told by the test, which runs in another thread
            self.failure = e
        finally:
            sock.close()
            self.done.set()

    def close(self):
        self.listener.close()
        for sock in self._open:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
