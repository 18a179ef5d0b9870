"""The dialogs of pra-tray.exe that test_tray_windows.py leaves out, and the way of a new employee, click by click."""

import os
import zipfile

import pytest

from lib import machines, wineprefix
from lib.client import exchange
from lib.messages import MESSAGES
from lib.ports import free_port
from lib.procs import wait_until
from lib.windesk import BUILD, WINE, configure, windows_path
from test_tray_windows import (ABOUT, COLLECT, ENROLL, EXPORT, FINGERPRINT, KEYGEN, LANGS, PASSPHRASE, PROFILE, QUIT, WORDS,
                               agent, error_of, forward, shape, status)

__all__ = ["agent"]  # a fixture

WORDS_HERE = {
    "en": {"profile": "Connection profile", "use": "Use", "saved": "Saved: ",
           "enroll": "Register the key with a code", "code": "Enrollment code", "register": "Register",
           "bad code": "That is no enrollment code", "waits": "Waiting for the administrator ...",
           "approved": "The key is registered", "send": "Send", "sent": "Sent. Tell your helpdesk this number: ",
           "offline": "Not sent: not connected. Save the file"},
    "ja": {"profile": "接続プロファイル", "use": "使用する", "saved": "保存しました: ",
           "enroll": "登録コードで登録", "code": "登録コード", "register": "登録",
           "bad code": "登録コードが正しくありません", "waits": "システム管理者さまの承認を待っています",
           "approved": "承認されました", "send": "送信", "sent": "送信しました。問い合わせ先に受付番号をお伝えください: ",
           "offline": "送信できませんでした: 接続していません。「保存」"},
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
    if lang == "en":
        tray.main()
        tray.keys("Alt+C", "T")
    else:
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


def waiting(gateway):
    return wait_until(lambda: gateway.admin("enroll", "list", "--state", "waiting"), 60, "the request")[0]


@pytest.fixture
def pra(wine, home):
    """pra.exe on the PC of the tray, for what a test has to have done before."""
    os.makedirs(home, exist_ok=True)
    machines.write(f"{home}/machine.json", machines.OFFICE_PC)
    with open(f"{home}/passphrase", "w", encoding="utf-8") as f:
        f.write(PASSPHRASE + "\n")
    env = dict(wine.env, PRA_HOME=windows_path(home), PRA_TEST_MACHINE=windows_path(f"{home}/machine.json"),
               PRA_TEST_FOREIGN_PEERS="1")
    secret = ["--passphrase-file", windows_path(f"{home}/passphrase")]

    def run(*args):
        return wineprefix.run([WINE, BUILD / "windows" / "test" / "pra.exe", *args], env, timeout=120)
    run("keygen", "--user", "suzuki", *secret).ok()
    run.connect = lambda: run("connect", *secret).ok()
    return run


@pytest.mark.parametrize("lang", LANGS)
def test_key_is_handed_in_with_a_code_and_the_way_leads_on_to_the_connection(gateway, pra, make_tray, lang):
    w = {**WORDS[lang], **WORDS_HERE[lang]}
    gateway.add_user("suzuki")
    pra("server", "set", gateway.address).ok()  # its fingerprint is compared by the person

    def hand_in(code):
        tray.fill(w["code"], code, w["enroll"])
        tray.fill(w["passphrase"], PASSPHRASE, w["enroll"])
        tray.press(w["register"], w["enroll"])

    tray = make_tray(lang)
    tray.menu(ENROLL)
    tray.wait_title(w["enroll"])
    hand_in("12345")
    tray.wait_text(w["bad code"])
    hand_in("AAAA-BBBB-CCCC-DDDD")
    tray.wait_text(w["compare"], gateway.fingerprint(), timeout=60)
    tray.press(w["same"])
    tray.wait_text(MESSAGES["MSG_ENROLL_CODE"].code + " " + MESSAGES["MSG_ENROLL_CODE"].title[lang], timeout=60)
    hand_in(gateway.admin("enroll", "code", "suzuki")["code"])
    request = waiting(gateway)
    tray.wait_text(w["waits"], request["fingerprint"], "suzuki")
    gateway.admin("enroll", "approve", str(request["id"]))
    tray.wait_text(w["approved"])
    tray.gone(w["enroll"])
    tray.keys("Return")
    tray.wait_title(w["connect"])


def test_key_is_handed_in_by_keyboard_alone_and_a_wait_may_be_left_and_taken_up(gateway, pra, make_tray):
    title = WORDS_HERE["en"]["enroll"]
    gateway.add_user("suzuki")
    pra("server", "set", gateway.address, "--fingerprint", gateway.fingerprint()).ok()
    code = gateway.admin("enroll", "code", "suzuki")["code"]
    tray = make_tray()
    tray.main()
    tray.keys("Alt+K", "R")
    tray.wait_title(title)
    tray.type(code)
    tray.keys("Tab")
    tray.type("wrong")
    tray.keys("Return")
    tray.wait_text(MESSAGES["MSG_KEY_PASSPHRASE"].code, timeout=60)
    tray.keys("Alt+P", "Home", *["Delete"] * 5)
    tray.type(PASSPHRASE)
    tray.keys("Return")
    request = waiting(gateway)
    tray.wait_text(request["fingerprint"])
    tray.keys("Escape")
    tray.gone(title)
    assert waiting(gateway)["id"] == request["id"], "the request stays"
    tray.keys("Alt+K", "R")
    tray.wait_title(title)
    tray.type(code)
    tray.keys("Tab")
    tray.type(PASSPHRASE)
    tray.keys("Return")
    tray.wait_text(request["fingerprint"], timeout=60)
    gateway.admin("enroll", "deny", str(request["id"]))
    tray.wait_text(MESSAGES["MSG_ENROLL_DENIED"].code, MESSAGES["MSG_ENROLL_DENIED"].title["en"])


@pytest.mark.parametrize("lang", LANGS)
def test_logs_are_sent_from_the_window_and_their_number_is_shown(gateway, pra, make_tray, home, lang):
    w = {**WORDS[lang], **WORDS_HERE[lang]}
    gateway.add_user("suzuki")
    pra("server", "set", gateway.address, "--fingerprint", gateway.fingerprint()).ok()
    pra("key", "export", "-o", windows_path(f"{home}/suzuki.pub")).ok()
    gateway.add_key("suzuki", f"{home}/suzuki.pub")
    gateway.add_rule("suzuki", "Echo", "127.0.0.1:9", free_port())
    tray = make_tray(lang)
    tray.menu(COLLECT)
    tray.wait_title(w["collect"])
    tray.wait_text("manifest.txt", timeout=60)
    tray.press(w["send"], w["collect"])
    tray.wait_text(w["offline"])
    pra.connect()
    try:
        if lang == "en":
            tray.keys("Alt+D")
        else:
            tray.press(w["send"], w["collect"])
        row = wait_until(lambda: gateway.admin("log", "list", "--user", "suzuki"), 60, "the logs at the gateway")[0]
        tray.wait_text(w["sent"] + row["id"])
        assert row["whole"]
        assert not any("log-" in name for name in os.listdir(home)), "no copy stays on the PC"
    finally:
        pra("disconnect")
