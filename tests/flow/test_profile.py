"""Connection profiles (*.pra) on the command line: made by pra-admin, taken by pra, and what a damaged or
hostile one is told."""

import os
import stat

import pytest

from lib.ports import free_port
from lib.procs import run
from lib.terminal import Terminal

OTHER_KEY = "SHA256:" + "A" * 43


@pytest.fixture
def profile(gateway, folder):
    """Makes a profile of the gateway; returns its path. Keywords replace lines."""
    gateway.add_user("suzuki")

    def make(**changes):
        path = os.path.join(str(folder), "suzuki.pra")
        gateway.admin("profile", "suzuki", "--server", gateway.address, "--name", "本社", "-o", path)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        for key, value in changes.items():
            lines = [f"{key} = {value}" if line.startswith(key + " ") else line for line in lines]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return path
    return make


def test_profile_and_passphrase_are_all_a_new_pc_needs(gateway, make_client, profile, target):
    pc = make_client()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    path = profile()
    taken = pc.run("profile", "import", path).ok()
    assert gateway.address in taken.err and "本社" in taken.err and "pra keygen --user suzuki" in taken.err
    pc.keygen()
    pc.register()
    result = pc.run("connect", path, "--passphrase-file", pc.passphrase_file, timeout=40).ok()
    assert "Echo" in result.out
    assert pc.json("server", "show") == {"server": gateway.address, "fingerprint": gateway.fingerprint(),
                                         "user": "suzuki", "proxy": None, "name": "本社"}


def test_connect_takes_a_profile_first(gateway, make_client, profile, target):
    pc = make_client()
    pc.keygen()
    path = profile()
    pc.register()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    pc.run("connect", path, "--passphrase-file", pc.passphrase_file, timeout=40).ok()
    assert pc.status()["state"] == "connected"
    other = profile(server="gw.example.com")
    refused = pc.run("connect", other, "--passphrase-file", pc.passphrase_file)
    assert refused.status == 1 and "another server" in refused.err
    assert pc.json("server", "show")["server"] == gateway.address


@pytest.mark.parametrize("changes, says", [
    ({"fingerprint": OTHER_KEY}, "another key of this server"),
    ({"server": "evil.example.com:10022"}, "another server is set"),
    ({"user": "Suzuki"}, "Another user name"),
])
def test_what_was_trusted_is_never_replaced_without_a_yes(make_client, profile, changes, says):
    pc = make_client()
    pc.run("profile", "import", profile()).ok()
    before = pc.json("server", "show")
    path = profile(**changes)
    refused = pc.run("profile", "import", path)
    assert refused.status == 1 and says in refused.err and "--yes" in refused.err
    assert pc.json("server", "show") == before
    assert "no" in answer(pc, path, "no")
    assert pc.json("server", "show") == before
    answer(pc, path, "yes")
    after = pc.json("server", "show")
    assert all(after[key] == value for key, value in changes.items()) and after != before


def answer(pc, path, word):
    """`pra profile import` at a terminal, where somebody types a word."""
    t = Terminal(pc, "profile", "import", path)
    try:
        t.read_until("yes / no")
        t.type(word + "\n")
        t.read_until(None)
        return t.shown
    finally:
        t.close()


def test_confirmed_key_stands_against_a_profile_with_another(gateway, make_client):
    """A key pinned at the first connection counts as much as one that was set."""
    pc = make_client().enrol()
    with open(os.path.join(pc.home, "config.ini")) as f:
        kept = [line for line in f if not line.startswith("fingerprint")]
    with open(os.path.join(pc.home, "config.ini"), "w") as f:
        f.writelines(kept)
    with open(os.path.join(pc.home, "known_host"), "w") as f:
        host, _, port = gateway.address.rpartition(":")
        f.write(f"[{host}]:{port} {host_key_line(gateway)}\n")
    refused = pc.run("profile", "import", profile_of(pc, gateway, OTHER_KEY))
    assert refused.status == 1 and "another key of this server" in refused.err
    pc.run("profile", "import", profile_of(pc, gateway, gateway.fingerprint())).ok()


def host_key_line(gateway):
    host, _, port = gateway.address.rpartition(":")
    line = run(["ssh-keyscan", "-p", port, "-t", "ed25519", host]).out.splitlines()[-1]
    return line.partition(" ")[2]


def profile_of(pc, gateway, fingerprint):
    path = os.path.join(pc.dir, "p.pra")
    with open(path, "w") as f:
        f.write(f"[profile]\nserver = {gateway.address}\nfingerprint = {fingerprint}\nuser = suzuki\n")
    return path


@pytest.mark.parametrize("text, place", [
    (b"[profile]\nserver = http://x/\n", ":2: "),
    (b"[profile]\nserver = gw\nfingerprint = SHA256:x\n", ":3: "),
    (b"[profile]\nserver = gw\n[proxy]\naddress = evil:1\n", ":3: "),
    (b"PK\x03\x04\x00\x00", ":1: "),
    (b"[profile]\nname = \xff\n", ":2: "),
    (b"[profile]\nname = " + b"x" * 2000 + b"\n", ":2: "),
    (b"", ": "),
])
def test_damaged_profile_names_file_and_line_and_changes_nothing(make_client, text, place):
    pc = make_client()
    path = os.path.join(pc.dir, "damaged.pra")
    with open(path, "wb") as f:
        f.write(text)
    for command in (["profile", "import", path, "--yes"],
                    ["connect", path, "--passphrase-file", pc.passphrase_file]):
        refused = pc.run(*command)
        assert refused.status == 1 and path + place in refused.err, str(refused)
    assert pc.json("server", "show")["server"] is None
    huge = os.path.join(pc.dir, "huge.pra")
    with open(huge, "wb") as f:
        f.truncate(1 << 30)
    assert pc.run("profile", "import", huge).status == 1
    assert pc.run("profile", "import", pc.dir).status == 1


def test_pra_admin_writes_profiles(gateway, folder):
    gateway.add_user("suzuki")
    path = os.path.join(str(folder), "x.pra")
    answered = gateway.admin("profile", "suzuki", "--server", "[2001:db8::1]:443", "-o", path)
    assert answered == {"server": "2001:db8::1", "port": 443, "fingerprint": gateway.fingerprint(),
                        "user": "suzuki", "name": None, "file": path}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    with open(path) as f:
        written = f.read()
    assert "server = [2001:db8::1]:443\n" in written and "name" not in written
    printed = gateway.admin_run("profile", "suzuki", "--server", "[2001:db8::1]:443").ok()
    assert printed.out == written
    for arguments, says in ((["nobody", "--server", "gw"], "no user 'nobody'"),
                            (["suzuki", "--server", "http://gw"], "HOST"),
                            (["suzuki", "--server", "gw", "--name", "a ; b"], "cannot stand"),
                            (["suzuki", "--server", "gw", "--name", "\u202ex"], "direction")):
        left = os.path.join(str(folder), "left.pra")
        refused = gateway.admin_run("profile", *arguments, "-o", left)
        assert refused.status == 1 and says in refused.err, str(refused)
        assert not os.path.exists(left)
    refused = gateway.admin_run("profile", "suzuki")
    assert refused.status == 1 and "public_address" in refused.err
    gateway.stop()  # pra-admin does it by itself; and the configured address is used
    gateway.write_config()
    with open(gateway.config) as f:
        text = f.read()
    with open(gateway.config, "w") as f:
        f.write(text.replace("[gateway]\n", "[gateway]\npublic_address = gw.example.com\n"))
    assert "server = gw.example.com:10022\n" in gateway.admin_run("profile", "suzuki").ok().out
    with open(gateway.config, "w") as f:
        f.write(text.replace("[gateway]\n", "[gateway]\npublic_address = http://gw\n"))
    refused = gateway.admin_run("profile", "suzuki")
    assert refused.status == 1 and "prad.ini:2: [gateway] public_address" in refused.err
