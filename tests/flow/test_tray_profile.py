"""A profile (*.pra) that is double-clicked: shown, taken after a yes, and from there to the connection."""

import os

import pytest

from lib.client import PASSPHRASE, exchange
from lib.ports import free_port
from lib.windows import LANGS, WORDS


@pytest.fixture
def profile(gateway, new_pc):
    gateway.add_user("suzuki")

    def make(name="suzuki.pra", **changes):
        folder = os.path.join(new_pc.dir, "stick")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        gateway.admin("profile", "suzuki", "--server", gateway.address, "--name", "本社", "-o", path)
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        for key, value in changes.items():
            lines = [f"{key} = {value}" if line.startswith(key + " ") else line for line in lines]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return path
    return make


class Clicks:
    """Presses buttons and counts; everything else in these tests is typing or waiting."""

    def __init__(self, tray, words):
        self.tray, self.words, self.count = tray, words, 0

    def press(self, word, inside=("dialog", None)):
        role, title = inside
        box = self.tray.find(role, title)
        button = [n for n, its, name in box.walk(True)
                  if its == "push button" and name.startswith(self.words[word]) and n.sensitive]
        assert button, f"no {self.words[word]!r} in\n{self.tray.dump()}"
        button[0].atspi("Action", "DoAction", "(i)", 0)
        self.count += 1


@pytest.mark.parametrize("lang", LANGS)
def test_profile_and_passphrase_connect_a_new_pc_in_four_clicks(gateway, new_pc, make_tray, target, profile,
                                                                lang):
    """The key is made on the way, and its public half lands beside the profile for the administrator."""
    w = WORDS[lang]
    local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", local)
    tray = make_tray(new_pc, lang, options=[profile()])  # as the file manager starts it
    clicks = Clicks(tray, w)
    tray.find("dialog", w["profile"])
    tray.wait_text("本社", gateway.address, gateway.fingerprint(), "suzuki")
    if lang == "en":
        tray.keys_on_top("Return")  # the default is no: nothing is taken without a yes
        tray.gone("dialog")
        assert new_pc.json("server", "show")["server"] is None
        make_tray(new_pc, lang, options=[profile()])
        tray.find("dialog", w["profile"])
    clicks.press("use")
    tray.find("dialog", w["make key"])
    assert tray.entry_text(w["user"]) == "suzuki"
    tray.type_on_top(PASSPHRASE + "\t" + PASSPHRASE)
    tray.find("push button", w["generate"], condition=lambda n: n.sensitive)
    clicks.press("generate")
    public = os.path.join(new_pc.dir, "stick", "suzuki.pub")
    tray.wait_text(w["key ready"], w["saved"] + public)
    gateway.add_key("suzuki", public)  # the administrator's part
    clicks.press("connect")
    tray.find("dialog", w["connect"])
    tray.wait_text("本社")
    tray.fill(w["passphrase"], PASSPHRASE)
    tray.find("push button", w["connect"], condition=lambda n: n.sensitive)
    clicks.press("connect", ("dialog", w["connect"]))
    tray.wait_text(w["begun"])
    assert exchange(local, b"hello", 5) == b"hello"
    assert clicks.count <= 4


@pytest.mark.parametrize("lang", LANGS)
def test_profile_of_a_registered_pc_connects_in_two_clicks(gateway, new_pc, make_tray, target, profile, lang):
    w = WORDS[lang]
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    new_pc.keygen()
    new_pc.register()
    tray = make_tray(new_pc, lang, options=[profile()])
    clicks = Clicks(tray, w)
    tray.find("dialog", w["profile"])
    clicks.press("use")
    tray.find("dialog", w["connect"])
    tray.fill(w["passphrase"], PASSPHRASE)
    tray.find("push button", w["connect"], condition=lambda n: n.sensitive)
    clicks.press("connect", ("dialog", w["connect"]))
    tray.wait_text(w["begun"])
    assert clicks.count == 2


@pytest.mark.parametrize("lang", LANGS)
def test_profile_that_replaces_what_was_trusted_is_shown_beside_it(gateway, new_pc, make_tray, profile, lang):
    w = WORDS[lang]
    new_pc.run("profile", "import", profile()).ok()
    before = new_pc.json("server", "show")
    other = profile("other.pra", server="evil.example.com:10022", fingerprint="SHA256:" + "A" * 43)
    tray = make_tray(new_pc, lang)
    tray.find("frame", "PRA")
    second = make_tray(new_pc, lang, options=[other])  # the first instance takes it
    assert second.process.wait(25) == 0
    tray.find("dialog", w["profile"])
    tray.wait_text("evil.example.com:10022", w["until now"] + gateway.address,
                   w["until now"] + gateway.fingerprint())
    tray.keys_on_top("Return")  # the default is no
    tray.gone("dialog")
    assert new_pc.json("server", "show") == before


@pytest.mark.parametrize("lang", LANGS)
def test_damaged_profile_is_told_with_file_and_line(new_pc, make_tray, profile, lang):
    path = profile("damaged.pra", fingerprint="SHA256:short")
    tray = make_tray(new_pc, lang, options=[path])
    tray.wait_text(WORDS[lang]["bad profile"], f"{path}:4: [profile] fingerprint",
                   {"en": "Ask your administrator for a new one.", "ja": "システム管理者さまに再発行を依頼してください。"}[lang])
    assert new_pc.json("server", "show")["server"] is None


def test_profile_that_changes_nothing_goes_on_at_once(new_pc, make_tray, profile):
    new_pc.run("profile", "import", profile()).ok()
    new_pc.keygen()
    tray = make_tray(new_pc, options=[profile()])
    tray.find("dialog", "Connect")
    assert not tray.count("dialog", "Connection profile")


def test_autostart_entry_of_the_package_starts_only_what_is_set_up(new_pc, make_tray):
    tray = make_tray(new_pc, options=["--background", "--if-set-up"])
    assert tray.process.wait(25) == 0
    new_pc.set_server()
    make_tray(new_pc, options=["--background", "--if-set-up"]).find("frame", "PRA")
