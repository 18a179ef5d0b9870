"""pra-tray.exe's real windows under wine, each state and message of the agent, by buttons and by keyboard alone.

What the agent says comes from fake_agent.exe, over the same pipe, so that every state can be shown; the way
from nothing to a forward with the real agent and a real gateway is at the end.
"""

import os
import re
import subprocess

import pytest

from lib.client import exchange
from lib.messages import MESSAGES, assert_shows
from lib.ports import free_port
from lib.procs import wait_until
from lib.windesk import NIN_BALLOONUSERCLICK, NIN_SELECT, WM_CONTEXTMENU, FakeAgent, configure, windows_path

# `make test` speaks Japanese where that is quick; `make test-windows` everywhere.
BOTH = ["en", "ja"]
LANGS = ["en", pytest.param("ja", marks=pytest.mark.windows_full)]
FINGERPRINT = "SHA256:" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
PASSPHRASE = "correct horse battery staple"
# Entries of the menu bar: 200 and the number in enum tray_command.
CONNECT, DISCONNECT, COPY, SERVER, KEYGEN, EXPORT, COLLECT, SETTINGS, QUIT, PROFILE, ABOUT, CODE, ENROLL = range(204, 217)

WORDS = {
    "en": {"server": "Server", "address": "Server address", "fingerprint": "Fingerprint", "set": "Set", "cancel": "Cancel",
           "connect": "Connect", "disconnect": "Disconnect", "user": "User name", "passphrase": "Passphrase", "ok": "OK",
           "again": "Once more", "generate": "Generate", "keygen": "Make a key", "export": "Export the public key",
           "ready": "The key of this PC is ready", "copy": "Copy", "close": "Close", "options": "Options",
           "proxy": "HTTP proxy", "notices": "Notices", "language": "Language", "autostart": "Start PRA at login",
           "at start": "Ask for the passphrase at start", "collect": "Collect logs", "retry": "Retry now",
           "replace": "Replace", "same": "Same, connect", "compare": "Is this your company's gateway?",
           "begun": "Connected; port forwarding has begun", "copied": "Copied: ", "copy address": "Copy address",
           "free": "Free on this PC: 127.0.0.1:", "opening": "Opening the key ...", "quit": "Quit",
           "make weak": "Make it all the same"},
    "ja": {"server": "サーバ設定", "address": "SUS サーバアドレス", "fingerprint": "指紋", "set": "設定", "cancel": "キャンセル",
           "connect": "接続", "disconnect": "切断", "user": "ユーザ名", "passphrase": "パスフレーズ", "ok": "OK",
           "again": "パスフレーズ(確認)", "generate": "生成", "keygen": "鍵生成", "export": "公開鍵のエクスポート",
           "ready": "この PC の鍵の準備ができました", "copy": "コピー", "close": "閉じる", "options": "オプション",
           "proxy": "プロキシサーバアドレス", "notices": "通知", "language": "言語",
           "autostart": "ログイン時に PRA を起動する", "at start": "起動時に接続する(パスフレーズを入力)",
           "collect": "ログの収集", "retry": "今すぐ再接続", "replace": "置き換える", "same": "同じなので接続",
           "compare": "このゲートウェイに接続しますか?", "begun": "接続が完了し、ポート転送を開始しました",
           "copied": "コピーしました: ", "copy address": "アドレスをコピー", "free": "この PC で空いているアドレス: 127.0.0.1:",
           "opening": "鍵を読み込んでいます ...", "quit": "終了", "make weak": "このまま生成"},
}


def forward(name="POP", port=110, state="listening", **more):
    row = {"name": name, "local": f"127.0.0.1:{port}", "target": f"mail:{port}", "state": state, "error": None,
           "holder": None, "connections": 2, "bytes_in": 2048, "bytes_out": 10}
    return {**row, **more}


TAKEN = forward("SMTP", 2525, "conflict", error="ERR(10301) busy", holder={"pid": 4711, "program": "smtpd.exe"})


def status(state, error=None, forwards=(), retry_in=None):
    return {"state": state, "server": "gw.example.com:10022", "user": "suzuki", "since": None, "error": error,
            "retry_in": retry_in, "forwards": list(forwards)}


def error_of(message_id, **args):
    m = MESSAGES[message_id]
    filled = {"server": "gw.example.com:10022", "user": "suzuki", "port": "127.0.0.1:110", "program": "a.exe", "pid": "1",
              "target": "mail:110", "detail": "details", "seconds": "9", "name": "a name", **args}
    return {"code": m.code, "message": m.title["en"], "cause": "?", "remedy": "?", "id": message_id, "args": filled}


@pytest.fixture
def agent(wine, home):
    a = FakeAgent(wine, home)
    a.say(status("disconnected"))
    try:
        yield a.start()
    finally:
        a.stop()


def shape(tray):
    return next(c["text"].split(": ")[1] for c in tray.main()["children"] if c["class"] == "PraPicture")


# --- states and messages --------------------------------------------------------------------------

def test_icon_window_and_buttons_follow_every_state(agent, make_tray):
    tray = make_tray()
    w = WORDS["en"]
    both = [forward(), TAKEN]
    cases = [
        (status("disconnected"), "action", "Action needed: set the server address", set()),
        (status("connecting"), "connecting", "Connecting ...", {"disconnect"}),
        (status("connected", forwards=[forward()]), "on", "Connected, all 1 forwards ready", {"disconnect"}),
        (status("connected", forwards=both), "partly", "Connected, 1 of 2 forwards ready", {"disconnect"}),
        (status("connected", forwards=[TAKEN]), "error", "Connected, 0 of 1 forwards ready", {"disconnect"}),
        (status("waiting", error_of("MSG_SERVER_UNREACHABLE") if "MSG_SERVER_UNREACHABLE" in MESSAGES else None,
                retry_in=600), "connecting", "Not connected, next try in", {"disconnect", "retry"}),
        (status("error", error_of("MSG_KEY_PASSPHRASE")), "action", "type the passphrase again", {"connect"}),
        (status("error", error_of("MSG_HOSTKEY_UNKNOWN")), "action", "compare the gateway's fingerprint", {"connect"}),
        (status("error", error_of("MSG_KEY_REVOKED")), "action", "make a key for this PC", {"connect"}),
        (status("error", error_of("MSG_KEY_UNREGISTERED")), "action", "Waiting for the administrator to register", {"connect"}),
        (status("code", error_of("MSG_CODE_NEEDED")), "action", "type the code of your authenticator app", {"disconnect"}),
        (status("error", error_of("MSG_RULES_NONE")), "error", "Not connected: ERR(10203)", {"connect", "disconnect"}),
    ]
    for said, word, headline, on in cases:
        agent.say(said)
        tray.wait_text(headline)
        wait_until(lambda word=word: shape(tray) == word, 10, f"shape {word}", 0.05)
        assert headline in tray.hidden()["text"]  # the tool tip
        for button in ("connect", "disconnect", "retry"):
            c = tray.control(w[button], "PRA")
            assert bool(c and c["enabled"]) == (button in on), (headline, button)


@pytest.mark.parametrize("lang", BOTH)
def test_every_message_is_shown_whole(agent, make_tray, lang):
    tray = make_tray(lang)
    for message_id in MESSAGES:
        agent.say(status("error", error_of(message_id)))
        tray.wait_text(MESSAGES[message_id].code + " " + MESSAGES[message_id].title[lang])
        wait_until(lambda m=message_id: not shows_not(tray, m, lang), 10, message_id, 0.05)
        assert_shows(tray.text(), message_id, lang)


def shows_not(tray, message_id, lang):
    try:
        assert_shows(tray.text(), message_id, lang)
    except AssertionError as e:
        return e
    return None


@pytest.mark.parametrize("lang", LANGS)
def test_list_shows_marks_words_holder_and_a_free_port(agent, make_tray, lang):
    w = WORDS[lang]
    tray = make_tray(lang)
    agent.say(status("connected", forwards=[forward(), TAKEN]))
    tray.wait_text("● ", "× ", "POP", "127.0.0.1:110", "mail:110", "↓ 2.0 KiB", "smtpd.exe", "4711", w["free"])
    lists = [c for c in tray.main()["children"] if c["class"] == "SysListView32"]
    assert [r[1] for r in lists[0]["rows"]] == ["POP", "SMTP"]
    # What a click copies, by the keyboard: the list, its second row, Enter.
    tray.wine.ask(f"send {tray.main()['hwnd']} 0x28 {lists[0]['hwnd']} 1")
    tray.keys("Home", "Down", "Return")
    tray.wait_text(w["copied"] + "127.0.0.1:2525")
    assert tray.wine.ask("clip")["text"] == "127.0.0.1:2525"
    tray.keys("Up")
    tray.wait_no_text("smtpd.exe")
    tray.press(w["copy address"])
    tray.wait_text(w["copied"] + "127.0.0.1:110")


def test_countdown_counts_and_retry_asks_the_agent(agent, make_tray):
    tray = make_tray()
    agent.say(status("waiting", error_of("MSG_KEY_PASSPHRASE"), retry_in=100))
    tray.wait_text("next try in 100 s")
    tray.wait_text("next try in 98 s")
    tray.press("Retry now")
    assert agent.wait_request("connect") == {"op": "connect"}


def test_hostile_texts_are_only_texts(agent, make_tray):
    tray = make_tray()
    name = "a&b\u202e\x07\n" + "長" * 300
    agent.say(status("connected", forwards=[forward(name), forward("%s%n" * 50, 111, "no such state", error="x" * 4000)]))
    tray.wait_text("a&b??", "%s%n%s%n", "no such state")
    assert shape(tray) == "partly"


def test_agent_that_ends_or_comes_back_is_seen(agent, make_tray, home):
    configure(home)
    agent.say(status("connected", forwards=[forward()]))
    tray = make_tray()
    tray.wait_text("all 1 forwards ready")
    agent.stop()
    tray.wait_text("make a key")  # of the files, since nobody is there to ask
    agent.start()
    tray.wait_text("all 1 forwards ready")


# --- dialogs --------------------------------------------------------------------------------------

@pytest.mark.parametrize("lang", LANGS)
def test_server_is_set_and_its_fingerprint_judged(make_tray, home, lang):
    w = WORDS[lang]
    tray = make_tray(lang)
    tray.menu(SERVER)
    tray.wait_title(w["server"])
    tray.fill(w["address"], "two words")
    tray.press(w["set"], w["server"])
    tray.wait_text({"en": "The address cannot be used", "ja": "アドレスが使用できません"}[lang])
    tray.fill(w["address"], "gw.example.com:10443")
    tray.fill(w["fingerprint"], "SHA256:short")
    tray.wait_text("× ")
    tray.press(w["set"], w["server"])
    tray.wait_text({"en": "The fingerprint is not complete", "ja": "指紋が正しくありません"}[lang])
    tray.fill(w["fingerprint"], FINGERPRINT)
    tray.wait_text("● ")
    tray.press(w["set"], w["server"])
    tray.gone(w["server"])
    with open(f"{home}/config.ini", encoding="utf-8") as f:
        text = f.read()
    assert "gw.example.com:10443" in text and FINGERPRINT in text
    tray.wait_text({"en": "make a key", "ja": "この PC の鍵を生成してください"}[lang])


@pytest.mark.parametrize("lang", LANGS)
def test_options_are_kept_and_language_changes_at_once(make_tray, home, lang):
    w = WORDS[lang]
    other = WORDS["ja" if lang == "en" else "en"]
    tray = make_tray(lang)
    tray.menu(SETTINGS)
    tray.wait_title(w["options"])
    tray.fill(w["proxy"], "no port")
    tray.press(w["ok"], w["options"])
    tray.wait_text({"en": "The proxy cannot be used", "ja": "プロキシが使用できません"}[lang])
    tray.fill(w["proxy"], "proxy.example.com:8080")
    tray.choose(w["notices"], 1)
    tray.choose(w["language"], 1 if lang == "en" else 2)
    tray.check(w["autostart"])
    tray.check(w["at start"])
    tray.press(w["ok"], w["options"])
    tray.gone(w["options"])
    tray.wait_text(other["connect"])
    with open(f"{home}/tray.ini", encoding="utf-8") as f:
        ini = f.read()
    assert "notices = errors" in ini and "connect_at_start = yes" in ini
    with open(f"{home}/config.ini", encoding="utf-8") as f:
        assert "proxy.example.com:8080" in f.read()
    run_key = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run"
    kept = tray.wine.run("reg", "query", run_key, "/v", "PRA").stdout.decode("utf-8", "replace")
    assert "pra-tray.exe" in kept and "--background" in kept
    tray.menu(SETTINGS)
    tray.wait_title(other["options"])
    tray.check(other["autostart"], False)
    tray.press(other["ok"], other["options"])
    tray.gone(other["options"])
    assert b"--background" not in tray.wine.run("reg", "query", run_key, "/v", "PRA").stdout


def ready_to_connect(agent, make_tray, home, lang):
    """Server and user are known and the key's file is not: the agent's word decides what can be done."""
    configure(home)
    agent.say(status("error", error_of("MSG_KEY_PASSPHRASE")))
    tray = make_tray(lang)
    tray.wait_text(MESSAGES["MSG_KEY_PASSPHRASE"].code)
    return tray


def give_passphrase(tray, w, passphrase=PASSPHRASE):
    tray.fill(w["passphrase"], passphrase, w["connect"])
    tray.press(w["connect"], w["connect"])


@pytest.mark.parametrize("lang", LANGS)
def test_connect_asks_and_ends_with_the_words_of_a8(agent, make_tray, home, lang):
    w = WORDS[lang]
    tray = ready_to_connect(agent, make_tray, home, lang)
    tray.press(w["connect"], "PRA")
    tray.wait_title(w["connect"])
    assert tray.field(w["user"])["text"] == "suzuki"
    assert not tray.control(w["connect"], w["connect"])["enabled"]  # no passphrase yet
    give_passphrase(tray, w)
    asked = agent.wait_request("connect")
    assert asked["user"] == "suzuki" and asked["passphrase"] == PASSPHRASE and asked["accept_host_key"] is None
    agent.say(status("connecting"))
    agent.say(status("connected", forwards=[forward()]))
    tray.wait_text(w["begun"])
    tray.gone(w["connect"])
    tray.press(w["ok"])
    tray.wait_no_text(w["begun"])


@pytest.mark.parametrize("lang", LANGS)
def test_connect_shows_what_is_wrong_and_tries_again(agent, make_tray, home, lang):
    w = WORDS[lang]
    tray = ready_to_connect(agent, make_tray, home, lang)
    agent.answer("connect", {"ok": False, "error": error_of("MSG_KEY_MACHINE")})
    tray.press(w["connect"], "PRA")
    give_passphrase(tray, w)
    title = MESSAGES["MSG_KEY_MACHINE"].title[lang]
    wait_until(lambda: title in "\n".join(c["text"] for c in TrayWindow(tray, w["connect"])), 20, title, 0.05)
    agent.answer("connect", {"ok": True})
    give_passphrase(tray, w)
    agent.wait_request("connect", 2)
    agent.say(status("waiting", error_of("MSG_KEY_PASSPHRASE"), retry_in=30))
    tray.wait_title(w["connect"])
    tray.press(w["cancel"], w["connect"])  # means the attempt, not only its window
    agent.wait_request("disconnect")
    tray.gone(w["connect"])


def TrayWindow(tray, title):
    return [c for win in tray.windows() if win["text"] == title for c in win["children"] if c["visible"]]


@pytest.mark.parametrize("lang", LANGS)
def test_unknown_gateway_is_trusted_only_after_a_person_compared(agent, make_tray, home, lang):
    w = WORDS[lang]
    tray = ready_to_connect(agent, make_tray, home, lang)
    agent.answer("connect", {"ok": False, "error": error_of("MSG_HOSTKEY_UNKNOWN", detail=FINGERPRINT)})
    tray.press(w["connect"], "PRA")
    give_passphrase(tray, w)
    tray.wait_text(w["compare"], FINGERPRINT)
    tray.keys("Return")  # the default is no
    tray.wait_no_text(w["compare"])
    assert agent.wait_request("connect")["accept_host_key"] is None
    give_passphrase(tray, w)
    tray.wait_text(w["compare"])
    assert agent.wait_request("connect", 2)["accept_host_key"] is None
    agent.answer("connect", {"ok": True})
    tray.press(w["same"])
    assert agent.wait_request("connect", 3)["accept_host_key"] == FINGERPRINT


def test_answer_is_about_the_key_that_its_question_shows(agent, make_tray, home):
    """Somebody in between who comes after the first question must not be trusted by the answer to it. Enter is no."""
    w = WORDS["en"]
    tray = ready_to_connect(agent, make_tray, home, "en")
    tray.press(w["connect"], "PRA")
    keys = ["SHA256:" + letter * 43 for letter in "ABC"]
    for n, key in enumerate(keys, 1):
        agent.answer("connect", {"ok": False, "error": error_of("MSG_HOSTKEY_UNKNOWN", detail=key)})
        give_passphrase(tray, w)
        agent.wait_request("connect", n)
        tray.wait_text(key)
    tray.keys("Return")
    tray.wait_no_text(keys[2])
    agent.answer("connect", {"ok": True})
    question = next(win for win in tray.windows() if any(keys[0] in c["text"] for c in win["children"]))
    same = next(c for c in question["children"] if tray.plain(c["text"]) == w["same"])
    tray.wine.ask(f"click {same['hwnd']}")
    assert agent.wait_request("connect", 4)["accept_host_key"] == keys[0]


@pytest.mark.parametrize("lang", LANGS)
def test_disconnect_asks_first(agent, make_tray, lang):
    w = WORDS[lang]
    agent.say(status("connected", forwards=[forward()]))
    tray = make_tray(lang)
    tray.press(w["disconnect"], "PRA")
    question = {"en": "Disconnect?", "ja": "切断しますか?"}[lang]
    tray.wait_text(question)
    tray.keys("Escape")
    tray.wait_no_text(question)
    assert all(r["op"] != "disconnect" for r in agent.requests())
    tray.press(w["disconnect"], "PRA")
    tray.wait_text(question)
    tray.keys("Return")
    agent.wait_request("disconnect")


def test_about_names_version_and_licence(make_tray):
    tray = make_tray()
    tray.wine.ask(f"post {tray.main()['hwnd']} 0x111 {ABOUT} 0")
    tray.wait_text("Version 0.", "Apache-2.0")
    tray.keys("Return")
    tray.wait_no_text("Apache-2.0")


# --- the icon -------------------------------------------------------------------------------------

def test_left_click_and_notice_open_the_window_and_closing_hides_it(agent, make_tray):
    tray = make_tray(options=["--background"])
    wait_until(lambda: "set the server" in tray.hidden()["text"], 20, "the tool tip")
    assert not tray.windows()
    for event in (NIN_SELECT, NIN_BALLOONUSERCLICK):
        tray.icon(event)
        main = tray.main()
        tray.wine.ask(f"post {main['hwnd']} 0x10 0 0")
        wait_until(lambda: not tray.windows(), 10, "the window to hide")
    assert tray.hidden()  # it lives on in the tray


def test_menu_of_the_icon_works_by_keyboard(agent, make_tray):
    tray = make_tray(options=["--background"])
    wait_until(lambda: "set the server" in tray.hidden()["text"], 20, "the tool tip")
    tray.icon(WM_CONTEXTMENU, 300, 300)
    wait_until(lambda: tray.dump()["menu"], 10, "the menu")
    tray.keys("Down", "Return")  # the first line is the status, and opens the window
    tray.main()
    assert "set the server" in tray.text()


def test_second_start_opens_the_window_of_the_first(agent, make_tray):
    tray = make_tray(options=["--background"])
    wait_until(lambda: "set the server" in tray.hidden()["text"], 20, "the tool tip")
    second = tray.launch()
    assert second.wait(20) == 0
    tray.main()
    third = tray.launch("--background")
    assert third.wait(20) == 0


def test_icon_comes_back_with_a_new_taskbar(agent, make_tray):
    tray = make_tray(options=["--background"])
    wait_until(lambda: "set the server" in tray.hidden()["text"], 20, "the tool tip")
    tray.wine.ask("taskbar")
    tray.icon(NIN_SELECT)
    tray.main()


# --- keys -----------------------------------------------------------------------------------------

def make_key(tray, w, feed):
    tray.wait_title(w["keygen"])
    tray.fill(w["user"], "suzuki", w["keygen"])
    tray.fill(w["passphrase"], PASSPHRASE, w["keygen"])
    assert not tray.control(w["generate"])["enabled"]
    tray.fill(w["again"], PASSPHRASE, w["keygen"])
    wait_until(lambda: feed() or tray.control(w["generate"])["enabled"], 60, "the pool to fill")
    tray.press(w["generate"])
    tray.wait_text(w["ready"], "suzuki@", timeout=60)


@pytest.mark.parametrize("lang", BOTH)
def test_key_is_made_fed_by_mouse_or_keys_and_exported(make_tray, home, lang):
    w = WORDS[lang]
    configure(home)
    tray = make_tray(lang)
    tray.menu(KEYGEN)
    feed = (lambda: tray.move_mouse(tray.wait_title(w["keygen"]), 60)) if lang == "en" else \
        (lambda: tray.keys(*["Shift"] * 20))
    make_key(tray, w, feed)
    tray.press(w["copy"], w["export"])
    tray.wait_text({"en": "Copied. ", "ja": "コピーしました。"}[lang])
    line = tray.wine.ask("clip")["text"]
    key_file = f"{home}/suzuki.pub"
    with open(key_file, "w", encoding="utf-8") as f:
        f.write(line)
    shown = subprocess.run(["ssh-keygen", "-lf", key_file], stdout=subprocess.PIPE, check=True).stdout.decode()
    assert re.search(r"SHA256:\S+", shown)[0] in tray.text()
    tray.press(w["close"], w["export"])
    tray.gone(w["export"])
    # Once there is a key, another one is a decision.
    tray.menu(KEYGEN)
    tray.press(w["replace"])
    tray.wait_title(w["keygen"])


def test_new_pc_is_set_up_by_keyboard_alone(make_tray, home):
    tray = make_tray()
    tray.main()
    wait_until(lambda: (tray.focus() or {}).get("text") == "&Set the server ...", 10, "the button that leads on")
    tray.keys("Space")
    tray.wait_title("Server")
    tray.type("gw.example.com")
    tray.keys("Alt+F")
    tray.type(FINGERPRINT)
    tray.keys("Return")
    tray.gone("Server")
    tray.wait_text("make a key")
    tray.keys("Alt+K", "M")
    tray.wait_title("Make a key")
    for text, key in (("suzuki", "Tab"), (PASSPHRASE, "Tab"), (PASSPHRASE, None)):
        tray.type(text)
        if key:
            tray.keys(key)
    wait_until(lambda: tray.keys(*["Shift"] * 10) or tray.control("Generate")["enabled"], 60, "the pool to fill")
    tray.keys("Return")
    tray.wait_text("The key of this PC is ready", timeout=60)
    tray.keys("Alt+C")
    tray.wait_text("Copied.")
    assert "ssh-ed25519" in tray.wine.ask("clip")["text"]
    tray.keys("Alt+L")
    tray.gone("Export the public key")
    tray.keys("Alt+T", "O")
    tray.wait_title("Options")
    tray.keys("Alt+P")
    tray.type("proxy.example.com:8080")
    tray.keys("Return")
    tray.gone("Options")
    tray.keys("Alt+C", "C")
    tray.wait_title("Connect")
    tray.keys("Escape")
    tray.gone("Connect")
    tray.keys("Alt+H", "V")
    tray.wait_text("Apache-2.0")
    tray.keys("Space")
    tray.wait_no_text("Apache-2.0")


def write_profile(folder, address="gw.example.com:10022"):
    path = f"{folder}/会社.pra"
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"[profile]\nserver = {address}\nfingerprint = {FINGERPRINT}\nuser = suzuki\n")
    return windows_path(path)


def test_profile_is_shown_taken_and_leads_on(make_tray, home, folder):
    profile = write_profile(folder)
    tray = make_tray(options=[profile])
    tray.wait_title("Connection profile")
    tray.wait_text("gw.example.com:10022", FINGERPRINT, "suzuki")
    assert not os.path.exists(f"{home}/config.ini")  # nothing before the yes
    tray.keys("Return")  # the default is no
    tray.gone("Connection profile")
    assert not os.path.exists(f"{home}/config.ini")
    assert tray.launch(profile).wait(20) == 0
    tray.wait_title("Connection profile")
    tray.press("Use")
    tray.wait_title("Make a key")
    assert tray.field("User name", "Make a key")["text"] == "suzuki"
    with open(f"{home}/config.ini", encoding="utf-8") as f:
        assert FINGERPRINT in f.read()
    # Another one, double-clicked while this one runs: never without a person.
    other = write_profile(folder, "other.example.com:10022")
    assert tray.launch(other).wait(20) == 0
    tray.wait_text("other.example.com:10022", "until now: gw.example.com:10022")
    tray.press("Cancel", "Connection profile")
    tray.gone("Connection profile")
    with open(f"{home}/config.ini", encoding="utf-8") as f:
        assert "other.example.com" not in f.read()


# --- the real agent -------------------------------------------------------------------------------

def test_new_pc_gets_from_nothing_to_a_forward(gateway, target, make_tray, home):
    w = WORDS["en"]
    local = free_port()
    tray = make_tray()
    tray.press("Set the server ...")
    tray.fill(w["address"], gateway.address, w["server"])
    tray.press(w["set"], w["server"])
    tray.gone(w["server"])
    tray.press("Make a key ...", "PRA")
    make_key(tray, w, lambda: tray.keys(*["Shift"] * 20))
    tray.press(w["copy"], w["export"])
    tray.wait_text("Copied. ")
    with open(f"{home}/suzuki.pub", "w", encoding="utf-8") as f:
        f.write(tray.wine.ask("clip")["text"])
    tray.press(w["close"], w["export"])
    gateway.add_user("suzuki")
    gateway.add_key("suzuki", f"{home}/suzuki.pub")
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", local)
    tray.press(w["connect"], "PRA")
    give_passphrase(tray, w, "wrong")
    tray.wait_text("ERR(10193)", MESSAGES["MSG_KEY_PASSPHRASE"].title["en"], timeout=60)
    give_passphrase(tray, w)
    tray.wait_text(w["compare"], gateway.fingerprint(), timeout=60)
    tray.press(w["same"])
    tray.wait_text(w["begun"], timeout=60)
    tray.press(w["ok"])
    tray.wait_text("all 1 forwards ready", "● ready", "Echo", f"127.0.0.1:{local}")
    assert exchange(local, b"hello", 5) == b"hello"
    tray.press(w["disconnect"], "PRA")
    tray.wait_text("Disconnect?")
    tray.keys("Return")
    tray.wait_text("Not connected")
