"""The dialogs of pra-tray.exe that test_tray_windows.py leaves out, and the way of a new employee, click by click."""

import os
import zipfile

import pytest

from lib import machines
from lib.client import exchange
from lib.messages import MESSAGES
from lib.ports import free_port
from lib.procs import wait_until
from lib.windesk import configure, windows_path
from test_tray_windows import (ABOUT, EXPORT, FINGERPRINT, KEYGEN, LANGS, PASSPHRASE, PROFILE, QUIT, WORDS,
                               agent, error_of, forward, shape, status)

__all__ = ["agent"]  # a fixture

WORDS_HERE = {
    "en": {"profile": "Connection profile", "use": "Use", "saved": "Saved: "},
    "ja": {"profile": "接続プロファイル", "use": "使用する", "saved": "保存しました: "},
}


def feed_pool(tray, button):
    wait_until(lambda: tray.keys(*["Shift"] * 20) or tray.control(button)["enabled"], 60, "the pool to fill")


def type_name(tray, path):
    """Types a file's name into the system's dialog, whose field has the focus and is marked."""
    tray.type(windows_path(path))
    tray.keys("Return")
    wait_until(lambda: os.path.exists(path), 20, path)


@pytest.mark.parametrize("lang", LANGS)
def test_profile_and_passphrase_connect_a_new_pc_in_four_clicks(gateway, target, make_tray, home, folder, lang):
    """The key is made on the way, and its public half lands beside the profile for the administrator."""
    w = {**WORDS[lang], **WORDS_HERE[lang]}
    local = free_port()
    os.makedirs(f"{folder}/stick")
    gateway.add_user("suzuki")
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", local)
    gateway.admin("profile", "suzuki", "--server", gateway.address, "--name", "本社", "-o", f"{folder}/stick/suzuki.pra")
    tray = make_tray(lang, [windows_path(f"{folder}/stick/suzuki.pra")])  # as Explorer starts it
    clicks = 0

    def click(label, window):
        nonlocal clicks
        tray.press(label, window)
        clicks += 1

    tray.wait_title(w["profile"])
    tray.wait_text("本社", gateway.address, gateway.fingerprint(), "suzuki")
    click(w["use"], w["profile"])
    tray.wait_title(w["keygen"])
    tray.type(PASSPHRASE)
    tray.keys("Tab")
    tray.type(PASSPHRASE)
    feed_pool(tray, w["generate"])  # the mouse would do as well: no click
    click(w["generate"], w["keygen"])
    public = f"{folder}/stick/suzuki.pub"
    tray.wait_text(w["ready"], w["saved"] + windows_path(public), timeout=60)
    gateway.add_key("suzuki", public)  # the administrator's part
    click(w["connect"], w["export"])
    tray.wait_title(w["connect"])
    tray.type(PASSPHRASE)
    # A click is faster than letters that are on their way.
    wait_until(lambda: tray.field(w["passphrase"], w["connect"])["text"] == PASSPHRASE, 20, "the passphrase", 0.05)
    click(w["connect"], w["connect"])
    tray.wait_text(w["begun"], timeout=60)
    assert exchange(local, b"hello", 5) == b"hello"
    assert clicks <= 4


def test_state_off_has_a_shape_of_its_own(agent, make_tray, home):
    """With server and key, and nothing wrong: the one state that needs both."""
    configure(home)
    tray = make_tray()
    tray.menu(KEYGEN)
    tray.wait_title("Make a key")
    tray.type(PASSPHRASE)
    tray.keys("Tab")
    tray.type(PASSPHRASE)
    feed_pool(tray, "Generate")
    tray.keys("Return")
    tray.wait_text("The key of this PC is ready", timeout=60)
    tray.keys("Escape")
    tray.gone("Export the public key")
    agent.say(status("disconnected"))
    tray.wait_text("Not connected")
    wait_until(lambda: shape(tray) == "off", 10, "the ring", 0.05)
    # While there is a key, another one is a decision, and Enter does not take it.
    tray.menu(KEYGEN)
    tray.wait_text("Replace the key of this PC?")
    tray.keys("Return")
    tray.wait_no_text("Replace the key of this PC?")
    assert tray.control("Generate") is None
    # The public key as a file, through the system's own dialog.
    tray.menu(EXPORT)
    tray.wait_title("Export the public key")
    tray.keys("Alt+S")
    path = f"{home}/from-the-window.pub"
    wait_until(lambda: sum(w["text"] == "Export the public key" for w in tray.windows()) == 2, 20, "the system's dialog")
    type_name(tray, path)
    tray.wait_text("Saved: " + windows_path(path))
    with open(path, encoding="utf-8") as f:
        assert f.read().startswith("ssh-ed25519 ")


def test_logs_are_shown_before_they_are_saved_by_keyboard(make_tray, home, folder):
    configure(home)
    tray = make_tray()
    tray.main()
    tray.keys("Alt+H", "L")
    tray.wait_title("Collect logs")
    tray.wait_text("manifest.txt", "It holds no passphrase and no key.", timeout=60)
    files = next(c for w in tray.windows() for c in w["children"] if c["visible"] and c["class"] == "SysListView32"
                 and any("manifest.txt" in row[0] for row in c["rows"]))
    shown = next(c for w in tray.windows() for c in w["children"] if c["visible"] and c["class"] == "Edit")
    first = shown["text"]
    tray.wine.ask(f"send {tray.wait_title('Collect logs')['hwnd']} 0x28 {files['hwnd']} 1")
    tray.keys("End")
    wait_until(lambda: next(c for w in tray.windows() for c in w["children"] if c["visible"]
                            and c["class"] == "Edit")["text"] != first, 20, "another file's content")
    tray.keys("Alt+S")
    path = f"{folder}/logs.zip"
    tray.wait_title("Save the logs")
    type_name(tray, path)
    tray.wait_text("Written: " + windows_path(path))
    with zipfile.ZipFile(path) as z:
        assert "manifest.txt" in " ".join(z.namelist())
    tray.keys("Escape")
    tray.gone("Collect logs")


def test_quit_asks_while_connected_and_enter_on_the_question_ends(agent, make_tray):
    agent.say(status("connected", forwards=[forward()]))
    tray = make_tray()
    tray.wait_text("all 1 forwards ready")
    tray.menu(QUIT)
    tray.wait_text("Quit?")
    tray.keys("Escape")
    tray.wait_no_text("Quit?")
    assert tray.process.poll() is None
    tray.keys("Alt+C", "Q")
    tray.wait_text("Quit?")
    tray.keys("Return")
    assert tray.process.wait(20) == 0


def test_weakly_bound_key_is_made_only_after_a_yes_that_is_meant(make_tray, home):
    configure(home)
    tray = make_tray()
    few = {name: machines.OFFICE_PC[name] for name in ("computer_name", "cpu_model", "volume_id")}
    machines.write(f"{home}/machine.json", few)  # read when the key is made
    tray.menu(KEYGEN)
    tray.wait_title("Make a key")
    tray.type(PASSPHRASE)
    tray.keys("Tab")
    tray.type(PASSPHRASE)
    feed_pool(tray, "Generate")
    code = MESSAGES["MSG_KEYGEN_WEAK"].code
    tray.keys("Return")
    tray.wait_text(code, timeout=60)
    tray.keys("Return")  # the default is no
    tray.wait_no_text(code)
    assert not os.path.exists(f"{home}/id.prakey")
    tray.press("Generate", "Make a key")
    tray.wait_text(code, timeout=60)
    tray.press("Make it all the same")
    tray.wait_text("The key of this PC is ready", "weakly bound", timeout=60)


def test_damaged_profile_is_told_and_a_good_one_is_opened_by_the_menu(make_tray, home, folder):
    bad, good = f"{folder}/bad.pra", f"{folder}/good.pra"
    for path, fingerprint in ((bad, "SHA256:short"), (good, FINGERPRINT)):
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"[profile]\nserver = gw.example.com\nfingerprint = {fingerprint}\nuser = suzuki\n")
    tray = make_tray(options=[windows_path(bad)])
    tray.wait_text("The profile cannot be used", "bad.pra:3: [profile] fingerprint")
    tray.keys("Return")
    tray.wait_no_text("The profile cannot be used")
    tray.menu(PROFILE)
    tray.wait_title("Open a profile")
    tray.type(windows_path(good))
    tray.keys("Return")
    tray.wait_title("Connection profile")
    tray.keys("Alt+U")
    tray.wait_title("Make a key")
    with open(f"{home}/config.ini", encoding="utf-8") as f:
        assert FINGERPRINT in f.read()


def test_connection_is_made_and_ended_by_keyboard_alone(agent, make_tray, home):
    configure(home)
    agent.say(status("error", error_of("MSG_KEY_PASSPHRASE")))
    agent.answer("connect", {"ok": False, "error": error_of("MSG_HOSTKEY_UNKNOWN", detail=FINGERPRINT)})
    tray = make_tray()
    tray.wait_text(MESSAGES["MSG_KEY_PASSPHRASE"].code)
    tray.keys("Alt+C", "C")
    tray.wait_title("Connect")
    tray.type(PASSPHRASE)
    tray.keys("Return")
    tray.wait_text("Is this your company's gateway?")
    agent.answer("connect", {"ok": True})
    tray.keys("Alt+S")
    assert agent.wait_request("connect", 2)["accept_host_key"] == FINGERPRINT
    agent.say(status("connecting"))
    agent.say(status("connected", forwards=[forward()]))
    tray.wait_text("Connected; port forwarding has begun")
    tray.keys("Return")
    tray.wait_no_text("port forwarding has begun")
    tray.keys("Alt+C", "D")
    tray.wait_text("Disconnect?")
    tray.keys("Return")
    agent.wait_request("disconnect")
    tray.menu(ABOUT)
    tray.wait_text("Apache-2.0")
    tray.keys("Return")
    tray.wait_no_text("Apache-2.0")


@pytest.mark.parametrize("lang", LANGS)
def test_code_of_the_authenticator_app_is_typed_and_a_wrong_one_told(agent, make_tray, lang):
    title = {"en": "Code of the authenticator app", "ja": "認証アプリのコード"}[lang]
    needed = {"en": "Action needed: type the code", "ja": "要操作: 認証アプリのコードを入力してください"}[lang]
    button = {"en": "Type the code ...", "ja": "コードの入力 ..."}[lang]
    tray = make_tray(lang)
    agent.say(status("code", error_of("MSG_CODE_NEEDED")))
    tray.wait_text(needed)
    assert shape(tray) == "action"
    tray.press(button, "PRA")
    tray.wait_title(title)
    tray.type("123456")
    tray.keys("Return")
    assert agent.wait_request("code") == {"op": "code", "code": "123456"}
    agent.say(status("connecting"))  # the fake agent's file: what is overwritten before it was read was never said
    wait_until(lambda: shape(tray) == "connecting", 10, "the attempt to show")
    agent.say(status("code", error_of("MSG_CODE_WRONG")))
    tray.wait_text(MESSAGES["MSG_CODE_WRONG"].code + " " + MESSAGES["MSG_CODE_WRONG"].title[lang])
    tray.type("654321")
    tray.keys("Return")
    agent.wait_request("code", 2)
    agent.say(status("connecting"))
    agent.say(status("connected", forwards=[forward()]))
    tray.wait_text(WORDS[lang]["begun"])
    tray.gone(title)
