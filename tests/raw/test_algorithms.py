"""What both ends offer for a connection, and what they refuse: nothing without a known weakness's cure,
nothing that prefix truncation (Terrapin, CVE-2023-48795) works on without strict key exchange."""

import pytest

from lib.client import Client
from lib.messages import assert_error
from lib.processor import NO_AES, has_aes
from lib.procs import wait_until
from rawgateway import RawGateway
from rawssh import ECDH_INIT, ECDH_REPLY, KEXINIT, NEWKEYS, Closed, RawSsh, Reader, string, u32

CHACHA, GCM = "chacha20-poly1305@openssh.com", ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]
STRICT_CLIENT, STRICT_SERVER = "kex-strict-c-v00@openssh.com", "kex-strict-s-v00@openssh.com"
WEAK = ("cbc", "arcfour", "3des", "blowfish", "sha1", "md5", "ripemd", "umac", "group1-", "group14-sha1", "dss",
        "none")


def lists(payload):
    """The ten name lists of a KEXINIT."""
    r = Reader(payload[17:])
    return [[n for n in r.string().decode().split(",") if n] for _ in range(10)]


def assert_nothing_weak(offered):
    kex, host_keys, *ciphers_and_macs = offered[:6]
    for name in [*kex, *host_keys, *sum(ciphers_and_macs, [])]:
        assert not any(w in name for w in WEAK), name
    assert "ssh-rsa" not in host_keys
    for macs in offered[4:6]:
        assert macs and all(m.endswith("-etm@openssh.com") for m in macs)
    assert offered[6] == offered[7] == ["none"], "no compression"


def offer(cipher, strict):
    kex = "curve25519-sha256" + ("," + STRICT_CLIENT if strict else "")
    names = [kex, "ssh-ed25519", cipher, cipher, *["hmac-sha2-256-etm@openssh.com"] * 2, "none", "none", "", ""]
    return bytes([KEXINIT]) + bytes(16) + b"".join(map(string, names)) + b"\0" + u32(0)


def serves(gateway, cipher, strict):
    """Does the gateway go on after NEWKEYS of this cipher? It must show its host key in any case."""
    c = RawSsh(gateway.host, gateway.port)
    try:
        c.versions()
        c.send(offer(cipher, strict))
        c.send(bytes([ECDH_INIT]) + string(b"\t" + bytes(31)))
        while c.recv()[0] != NEWKEYS:
            pass
        assert ECDH_REPLY in c.seen
        c.send(bytes([NEWKEYS]))
        c.sock.settimeout(0.5)
        try:
            while c.sock.recv(4096):  # EXT_INFO, encrypted
                pass
            return False
        except TimeoutError:
            return True
    finally:
        c.close()


def test_gateway_offers_nothing_weak_and_strict_key_exchange(gateway):
    c = RawSsh(gateway.host, gateway.port)
    c.versions()
    offered = lists(c.recv())
    c.close()
    assert_nothing_weak(offered)
    assert STRICT_SERVER in offered[0]
    assert offered[2] == offered[3]
    assert set(offered[2]) == {*GCM, CHACHA, "aes128-ctr", "aes256-ctr"}


@pytest.mark.parametrize("cipher", [CHACHA, "aes128-ctr", "aes256-ctr"])
def test_gateway_refuses_what_terrapin_works_on_without_strict_key_exchange(gateway, cipher):
    assert not serves(gateway, cipher, strict=False)
    assert serves(gateway, cipher, strict=True)


@pytest.mark.parametrize("cipher", GCM)
def test_gateway_takes_aes_gcm_from_a_client_without_strict_key_exchange(gateway, cipher):
    assert serves(gateway, cipher, strict=False)


@pytest.fixture(scope="module")
def pcs(programs, tmp_path_factory):
    """Two PCs: one whose processor has instructions for AES, as far as libcrypto is told, and one without."""
    import shutil
    import tempfile
    folder = tempfile.mkdtemp(prefix="pra-t-")
    made = {aes: Client(f"{folder}/{aes}", None, env=None if aes else NO_AES) for aes in (True, False)}
    for pc in made.values():
        pc.keygen()
    yield made
    for pc in made.values():
        pc.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("aes", [True, False], ids=["aes", "no-aes"])
def test_client_offers_the_fastest_first_and_nothing_weak(pcs, aes):
    pc, seen = pcs[aes], []

    def script(s):
        s.versions(b"SSH-2.0-looks")
        seen.append(lists(s.recv()))

    g = RawGateway(script)
    try:
        pc.gateway = g
        pc.set_server()
        pc.try_connect(wait=1)
        wait_until(lambda: seen, 10, "the client's lists")
    finally:
        pc.disconnect()
        g.close()
    assert g.failure is None, repr(g.failure)
    assert_nothing_weak(seen[0])
    assert STRICT_CLIENT in seen[0][0]
    expected = [*GCM, CHACHA] if aes and has_aes() else [CHACHA, *GCM]
    assert seen[0][2] == seen[0][3] == expected


def test_client_goes_no_further_with_chacha20_and_a_server_without_strict_key_exchange(pcs):
    pc, seen = pcs[False], []

    def script(s):
        s.versions()
        names = ["curve25519-sha256", "ssh-ed25519", CHACHA, CHACHA, *["hmac-sha2-256-etm@openssh.com"] * 2,
                 "none", "none", "", ""]
        s.send(bytes([KEXINIT]) + bytes(16) + b"".join(map(string, names)) + b"\0" + u32(0))
        try:
            while True:
                seen.append(s.recv()[0])
        except Closed:
            pass

    g = RawGateway(script)
    try:
        pc.gateway = g
        pc.set_server()
        pc.try_connect(wait=1)
        now = wait_until(lambda: (s := pc.status())["error"] and s, 10, "an error")
        assert_error(now["error"], "MSG_PROTOCOL")
    finally:
        pc.disconnect()
        g.close()
    assert g.failure is None, repr(g.failure)
    assert ECDH_INIT not in seen and KEXINIT in seen
