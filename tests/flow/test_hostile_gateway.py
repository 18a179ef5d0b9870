"""Servers that are no gateway, by mistake or on purpose: the client says so and lives on."""

import os
import struct

import pytest

from lib.gateway import sanitized
from lib.ports import free_port
from lib.procs import pss_kib
from lib.servers.targets import echo, reset, stall

BANNER = b"SSH-2.0-hostile\r\n"


def kexinit(kex):
    """An unencrypted SSH_MSG_KEXINIT that offers `kex` and otherwise what everybody has."""
    lists = [kex, b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256", b"hmac-sha2-256",
             b"none", b"none", b"", b""]
    payload = b"\x14" + bytes(16) + b"".join(struct.pack(">I", len(n)) + n for n in lists) + bytes(5)
    padding = 16 - (len(payload) + 5) % 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def offering(kex):
    def behave(sock, target):
        sock.sendall(BANNER + kexinit(kex))
        stall(sock, target)
    return behave


def mirror(sock, target):
    """Sends everything back: our own banner, our own KEXINIT."""
    echo(sock, target)


def greet_and_mirror(sock, target):
    sock.sendall(b"220 hello\r\n")
    echo(sock, target)


def endless_greeting(sock, target):
    while True:
        sock.sendall(b"not yet " * 8192)


def endless_lines(sock, target):
    while True:
        sock.sendall(b"not yet\r\n" * 8192)


def huge_packet(sock, target):
    sock.sendall(BANNER + struct.pack(">I", 0xFFFFFFF0) + bytes(1 << 20))
    stall(sock, target)


def rubbish(sock, target):
    sock.sendall(BANNER + os.urandom(1 << 16))
    stall(sock, target)


def reset_after_banner(sock, target):
    sock.sendall(BANNER)
    sock.recv(64)
    reset(sock)


def close_after_kexinit(sock, target):
    sock.sendall(BANNER + kexinit(b"curve25519-sha256"))


HOSTILE = {
    "mirror": mirror, "greet-and-mirror": greet_and_mirror,
    "strict-kex-only": offering(b"kex-strict-s-v00@openssh.com,kex-strict-c-v00@openssh.com"),
    "ext-info-only": offering(b"ext-info-s,ext-info-c"), "no-kex": offering(b""),
    "endless-greeting": endless_greeting, "endless-lines": endless_lines, "huge-packet": huge_packet,
    "rubbish": rubbish, "reset-after-banner": reset_after_banner,
    "close-after-kexinit": close_after_kexinit,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_server_is_told_and_harms_nobody(client, gateway, target, kind):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    client.set_server(f"127.0.0.1:{target(HOSTILE[kind]).port}")
    result = client.try_connect(23)
    assert result.status == 1, str(result)
    assert "ERR(10401)" not in result.err, "the agent is gone"
    error = client.status()["error"]
    assert error and error["code"] in ("ERR(10203)", "ERR(10209)", "WAR(10102)"), error
    if not sanitized("pra"):  # what was freed counts for a while there
        most_mib = 32 if client.windows else 20  # wine's own share
        assert pss_kib(client.agent_pids()[0]) < most_mib << 10
    # The same agent connects to the real gateway.
    client.set_server()
    client.connect()
