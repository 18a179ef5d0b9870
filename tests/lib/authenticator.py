"""An authenticator (WebAuthn) and the browser before it, in as many words as a test needs to lie."""

import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

UP, UV, AT = 0x01, 0x04, 0x40


def cbor(value):
    """Integers, bytes and maps of them (RFC 8949): what a COSE key is made of."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        size = 1 if n < 256 else 2 if n < 65536 else 4
        return bytes([major << 5 | {1: 24, 2: 25, 4: 26}[size]]) + n.to_bytes(size, "big")
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    return head(0, value) if value >= 0 else head(1, -1 - value)


def big_endian(number, size):
    return number.to_bytes(size, "big")


class Authenticator:
    def __init__(self, kind="es256", counts=True):
        self.kind, self.counts = kind, counts
        self.credential = os.urandom(32)
        self.counter = 0
        self.key = {"es256": lambda: ec.generate_private_key(ec.SECP256R1()),
                    "eddsa": ed25519.Ed25519PrivateKey.generate,
                    "rs256": lambda: rsa.generate_private_key(65537, 2048)}[kind]()

    def cose(self):
        public = self.key.public_key()
        if self.kind == "es256":
            n = public.public_numbers()
            return cbor({1: 2, 3: -7, -1: 1, -2: big_endian(n.x, 32), -3: big_endian(n.y, 32)})
        if self.kind == "eddsa":
            return cbor({1: 1, 3: -8, -1: 6, -2: public.public_bytes(Encoding.Raw, PublicFormat.Raw)})
        n = public.public_numbers()
        return cbor({1: 3, 3: -257, -1: big_endian(n.n, 256), -2: big_endian(n.e, 3)})

    def sign(self, message):
        if self.kind == "es256":
            return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        if self.kind == "eddsa":
            return self.key.sign(message)
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def auth_data(self, rp, flags=UP | UV, attested=None):
        self.counter += self.counts
        data = hashlib.sha256(rp.encode()).digest() + bytes([flags | (AT if attested is not None else 0)])
        return data + struct.pack(">I", self.counter) + (attested or b"")

    def attested(self):
        return bytes(16) + struct.pack(">H", len(self.credential)) + self.credential + self.cose()


def client_data(kind, challenge, origin, **more):
    """What the browser says; `challenge` in hexadecimal."""
    text = base64.urlsafe_b64encode(bytes.fromhex(challenge)).rstrip(b"=").decode()
    return json.dumps({"type": kind, "challenge": text, "origin": origin, "crossOrigin": False, **more}).encode()
