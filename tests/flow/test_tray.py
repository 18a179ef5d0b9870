"""The tray's real windows on a virtual desktop, driven as a screen reader drives them."""

import os
import re
import socket
import stat

import pytest

from lib.client import PASSPHRASE, exchange
from lib.desktop import Item, Panel
from lib.machines import OFFICE_PC, OTHER_PC
from lib.messages import MESSAGES
from lib.ports import free_port
from lib.procs import wait_until
from lib.windows import LANGS, WORDS, cancel_question, connect, give_passphrase

@pytest.mark.parametrize("lang", LANGS)
def test_new_pc_gets_from_nothing_to_connected(gateway, new_pc, make_tray, target, lang):
    w = WORDS[lang]
    local = free_port()
    tray = make_tray(new_pc, lang)
    tray.press(w["set server"], "push button")
    tray.fill(w["address"], gateway.address)
    tray.press(w["set"], "push button")
    tray.gone("dialog")

    tray.press(w["make key"], "push button")
    tray.fill(w["user"], "suzuki")
    tray.fill(w["again"], PASSPHRASE)
    tray.fill(w["passphrase"], PASSPHRASE)
    assert not tray.find("push button", w["generate"]).sensitive  # the pool is empty yet
    feed = tray.move_mouse if lang == "en" else lambda: tray.keys_on_top(*["Shift_L"] * 20)
    wait_until(lambda: feed() or tray.find("push button", w["generate"]).sensitive, 60, "the pool to fill")
    tray.press(w["generate"], "push button")
    tray.wait_text(w["key ready"], w["waiting"])
    tray.wait_text(new_pc.key_fingerprint())
    tray.press(w["close"], "push button")

    gateway.add_user("suzuki")
    new_pc.register()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", local)
    connect(tray, w)
    tray.wait_text(w["compare"], gateway.fingerprint())
    # Not confirmed is not trusted: the next attempt asks again.
    if lang == "en":
        tray.keys_on_top("Return")  # the default is no
        tray.gone("alert")
    else:
        cancel_question(tray, w)
    give_passphrase(tray, w, PASSPHRASE)
    tray.wait_text(w["compare"], gateway.fingerprint())
    tray.press(w["same"], "push button")
    tray.wait_text(w["begun"])
    tray.press(w["ok"], "push button")
    tray.gone("dialog")
    tray.wait_text(w["all ready"], w["on"], "● " + w["ready"], "Echo", f"127.0.0.1:{local}")
    assert exchange(local, b"hello", 5) == b"hello"
    tray.find("icon", "on")

    tray.press(w["disconnect"], "push button")
    tray.wait_text(w["ask off"])
    tray.find("alert", w["ask off"])
    tray.press(w["disconnect"], "push button")
    new_pc.wait_state("disconnected")
    tray.wait_text(w["off"])


@pytest.mark.parametrize("lang", LANGS)
def test_wrong_passphrase_is_told_in_the_dialog_and_the_next_try_connects(gateway, pc, make_tray, target,
                                                                         lang):
    w = WORDS[lang]
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    tray = make_tray(pc, lang)
    connect(tray, w, "not the right one")
    tray.wait_message("MSG_KEY_PASSPHRASE", lang)
    give_passphrase(tray, w, PASSPHRASE)
    tray.wait_text(w["begun"])


@pytest.fixture
def taken_port():
    """A port that this process holds."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(1)
        yield s.getsockname()[1]


@pytest.mark.parametrize("lang", LANGS)
def test_busy_port_names_its_holder_and_an_address_is_copied_by_a_click(gateway, pc, make_tray, target,
                                                                        taken_port, lang):
    w = WORDS[lang]
    port, free = target().port, free_port()
    gateway.add_rule("suzuki", "Busy", f"127.0.0.1:{port}", taken_port)
    gateway.add_rule("suzuki", "Free", f"127.0.0.1:{port}", free)
    pc.connect()
    tray = make_tray(pc, lang)
    tray.wait_text("× " + w["taken"], "● " + w["ready"], str(os.getpid()))
    tray.wait_message("MSG_PORT_BUSY", lang, title=False)
    tray.wait_text(w["free"])
    tray.find("icon", "partly")
    address = f"127.0.0.1:{free}"
    copy = f"Copy {address}" if lang == "en" else f"{address} をコピー"
    tray.press(copy, "push button")
    tray.wait_text(w["copied"] + address)


def test_countdown_runs_and_retry_now_connects_at_once(gateway, pc, make_tray, target):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    pc.connect()
    tray = make_tray(pc)
    tray.wait_text("Connected, all 1")
    gateway.kill()
    # Later attempts are further apart: a wait that is long enough to be seen and cut short.
    wait_until(lambda: (pc.status()["retry_in"] or 0) >= 6, 60, "a longer wait", 0.2)
    tray.wait_text("next try in ", MESSAGES["MSG_GATEWAY_LOST"].code)
    seen = set()
    wait_until(lambda: len(seen.update(re.findall(r"next try in (\d+) s", tray.text())) or seen) > 2, 25,
               "the countdown to go on")
    gateway.start()
    tray.press("Retry now", "push button")
    tray.wait_text("Connected, all 1")


def test_second_start_brings_the_window_of_the_first(desktop, make_tray, pc):
    panel = Panel(desktop, pc.dir)
    try:
        first = make_tray(pc, options=["--background"])
        panel.wait("item")
        assert not first.count("frame")
        second = make_tray(pc)
        assert second.process.wait(25) == 0
        first.find("frame", "PRA")
    finally:
        panel.stop()


def test_panel_shows_icon_menu_and_one_notice_per_change_and_may_be_restarted(desktop, gateway, make_tray, pc,
                                                                              target):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    panel = Panel(desktop, pc.dir)
    again = None
    try:
        tray = make_tray(pc, options=["--background"])
        item = Item(desktop, panel.wait("item")[0])
        assert item.menu()[0][1] == "Not connected" and item.get("Status") == "Active"
        pc.connect()
        panel.wait("notice")
        assert "Connected; port forwarding has begun" in panel.lines("notice")[0]
        assert "all 1 forwards ready" in item.menu()[0][1]
        assert item.get("IconPixmap")[0][:2] == (16, 16)
        item.activate()
        tray.find("frame", "PRA")
        item.click("Options")
        tray.find("dialog", "Options")
        panel.stop()
        again = Panel(desktop, pc.dir, "panel-2")
        assert again.wait("item") == [item.service]
        gateway.kill()
        again.wait("notice")
        wait_until(lambda: (pc.status()["retry_in"] or 0) >= 4, 60, "some attempts", 0.2)
        assert len(again.lines("notice")) == 1, again.lines("notice")
        assert any("Retry now" in label for _, label, _ in item.menu())
    finally:
        (again or panel).stop()


def test_window_opens_by_itself_where_no_panel_shows_icons(make_tray, pc):
    tray = make_tray(pc, options=["--background"])
    tray.find("frame", "PRA")


def test_everything_is_reached_by_the_keyboard_and_typing_feeds_the_pool(gateway, new_pc, make_tray):
    new_pc.set_server()
    tray = make_tray(new_pc)
    tray.find("frame", "PRA")
    tray.keys("PRA", "alt+k")
    tray.find("menu item", "Make a key")
    tray.keys("PRA", "m")
    tray.find("dialog", "Make a key")
    tray.type("Make a key", "suzuki\t" + PASSPHRASE + "\t" + PASSPHRASE)
    tray.find("push button", "Generate", condition=lambda n: n.sensitive)
    tray.keys("Make a key", "Return")
    tray.wait_text("The key of this PC is ready")
    assert new_pc.json("key", "show")["user"] == "suzuki"


def test_public_key_is_saved_by_the_dialog(new_pc, make_tray):
    new_pc.set_server()
    new_pc.keygen()
    tray = make_tray(new_pc)
    tray.menu("Export the public key")
    tray.press("Save to a file", "push button")
    path = os.path.join(new_pc.dir, "from-the-window.pub")
    tray.find("file chooser")
    tray.fill("", path)
    tray.press("Save", "push button")
    wait_until(lambda: os.path.exists(path), 25, "the file")
    with open(path) as saved, open(new_pc.export()) as exported:
        assert saved.read() == exported.read()


def test_options_change_language_at_once_and_are_kept(desktop, pc, make_tray):
    tray = make_tray(pc)
    tray.menu("Options")
    tray.press("Start PRA at login", "check box")
    tray.choose("Language", "日本語")
    tray.choose("Notices", "Errors only")
    tray.fill("HTTP proxy", "proxy.example.com")
    tray.press("OK", "push button")
    tray.wait_text("The proxy cannot be used")
    tray.fill("HTTP proxy", "proxy.example.com:8080")
    tray.press("OK", "push button")
    tray.wait_text("ステータス", "未接続")
    assert pc.json("server", "show")["proxy"] == "proxy.example.com:8080"
    entry = os.path.join(desktop.env["XDG_CONFIG_HOME"], "autostart", "pra-tray.desktop")
    with open(entry) as f:
        assert f'Exec="{tray.argv[0]}" --background' in f.read()
    os.unlink(entry)
    tray.stop()
    make_tray(pc).wait_text("未接続")


def test_logs_are_shown_before_they_are_saved(pc, make_tray):
    tray = make_tray(pc)
    tray.menu("Collect logs")
    tray.find("push button", "Save", condition=lambda n: n.sensitive)
    tray.wait_text("manifest.txt", "check.json", "It holds no passphrase and no key.")
    tray.press("Save", "push button")
    path = os.path.join(pc.dir, "logs.zip")
    tray.find("file chooser")
    tray.fill("", path)
    wait_until(lambda: tray.count("push button", "Save") > 1, 25, "the file dialog")
    tray.press("Save", "push button")
    wait_until(lambda: os.path.exists(path), 25, "the file")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_damaged_settings_of_the_tray_do_not_keep_it_from_starting(pc, make_tray):
    with open(os.path.join(pc.home, "tray.ini"), "w") as f:
        f.write("[tray]\nnotices = loud\n")
    make_tray(pc).wait_text("Not connected")


def test_passphrase_is_asked_for_at_the_start_where_a_user_wants_it(pc, make_tray, gateway, target):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    with open(os.path.join(pc.home, "tray.ini"), "w") as f:
        f.write("[tray]\nconnect_at_start = yes\n")
    tray = make_tray(pc)
    give_passphrase(tray, WORDS["en"], PASSPHRASE)
    tray.wait_text(WORDS["en"]["begun"])
    tray.stop()
    again = make_tray(pc)  # connected already: nothing to ask
    again.wait_text("all 1 forwards ready")
    assert not again.count("dialog")


def _unregistered(gateway, pc):
    gateway.admin("key", "revoke", pc.key_fingerprint())


def _disabled(gateway, pc):
    gateway.admin("user", "disable", "suzuki")


def _unreachable(gateway, pc):
    gateway.stop()


def _other_host_key(gateway, pc):
    pc.set_server(fingerprint="SHA256:" + "A" * 43)


def _other_machine(gateway, pc):
    pc.set_machine(OTHER_PC)


def _nothing(gateway, pc):
    """A new user has no rules."""


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("arrange,message,icon", [
    (_unregistered, "MSG_KEY_UNREGISTERED", "action"),
    (_disabled, "MSG_RULES_ACCOUNT", "error"),
    (_unreachable, "MSG_RULES_PORT", "connecting"),
    (_other_host_key, "MSG_HOSTKEY_CHANGED", "error"),
    (_other_machine, "MSG_KEY_MACHINE", "action"),
    (_nothing, "MSG_RULES_NONE", "error"),
])
def test_failure_is_shown_with_code_cause_and_remedy(gateway, pc, make_tray, arrange, message, icon, lang):
    w = WORDS[lang]
    arrange(gateway, pc)
    tray = make_tray(pc, lang)
    connect(tray, w)
    tray.wait_message(message, lang)
    tray.find("icon", icon)
    tray.press(w["cancel"], "push button")
    tray.gone("dialog")


def test_weakly_bound_key_is_made_only_after_a_yes(make_client, make_tray):
    few = {"computer_name": OFFICE_PC["computer_name"], "cpu_model": OFFICE_PC["cpu_model"],
           "volume_id": OFFICE_PC["volume_id"]}
    pc = make_client(machine=few)
    pc.set_server()
    tray = make_tray(pc)
    tray.press("Make a key", "push button")
    tray.type("Make a key", "suzuki\t" + PASSPHRASE + "\t" + PASSPHRASE)
    tray.press("Generate", "push button")
    tray.wait_text(MESSAGES["MSG_KEYGEN_WEAK"].code)
    tray.keys_on_top("Return")  # the default is no
    tray.gone("alert")
    tray.press("Generate", "push button")
    tray.wait_text(MESSAGES["MSG_KEYGEN_WEAK"].code)
    assert not os.path.exists(os.path.join(pc.home, "id.prakey"))
    tray.press("Make it all the same", "push button")
    tray.wait_text("The key of this PC is ready", "weakly bound")
