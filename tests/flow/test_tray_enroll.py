"""The tray's dialogs for handing in the key with a code, and for sending the logs; real agent, gateway and windows."""

import os

import pytest

from lib.client import PASSPHRASE
from lib.messages import MESSAGES
from lib.ports import free_port
from lib.procs import run, wait_until
from lib.windows import LANGS, WORDS

ENROLL = {
    "en": {"title": "Register the key with a code", "menu": "Register with a code", "code": "Enrollment code",
           "register": "Register", "waits": "The key was handed in.", "done": "The key is registered",
           "bad": "That is no enrollment code"},
    "ja": {"title": "登録コードで登録", "menu": "登録コードで登録", "code": "登録コード",
           "register": "登録", "waits": "公開鍵を送信しました。", "done": "承認されました",
           "bad": "登録コードが正しくありません"},
}
LOGS = {
    "en": {"menu": "Collect logs", "send": "Send", "sent": "Sent. Tell your helpdesk this number: ",
           "offline": "Not sent: not connected. Save the file"},
    "ja": {"menu": "ログの収集", "send": "送信", "sent": "送信しました。問い合わせ先に受付番号をお伝えください: ",
           "offline": "送信できませんでした: 接続していません。「保存」"},
}


def picture(tray, name):
    """For who wants to look: PRA_TRAY_PICTURES=folder."""
    folder = os.environ.get("PRA_TRAY_PICTURES")
    if folder:
        # The window itself: on the whole screen dialogs, which have a visual of their own, are black.
        run(["import", "-window", tray.top_window(), f"{folder}/{name}.png"], env=tray.env).ok()


def press_in(tray, dialog, word):
    def button():
        found = [n for n, role, name in tray.find(("dialog", "alert"), dialog).walk(True)
                 if role == "push button" and name.startswith(word)]
        return found and found[0].sensitive and found[0]
    wait_until(button, 20, f"the button {word!r}").atspi("Action", "DoAction", "(i)", 0)


@pytest.fixture
def keyed(gateway, new_pc):
    """A PC with a key that nobody has registered."""
    gateway.add_user("suzuki")
    new_pc.keygen()
    new_pc.set_server()
    return new_pc


def waiting(gateway):
    return wait_until(lambda: gateway.admin("enroll", "list", "--state", "waiting"), 20, "the request")[0]


def hand_in(tray, w, e, code):
    tray.fill(e["code"], code)
    tray.fill(w["passphrase"], PASSPHRASE)
    press_in(tray, e["title"], e["register"])


@pytest.mark.parametrize("lang", LANGS)
def test_key_is_handed_in_with_a_code_and_the_way_leads_on_to_the_connection(gateway, keyed, make_tray, lang):
    w, e = WORDS[lang], ENROLL[lang]
    tray = make_tray(keyed, lang)
    tray.find("frame", "PRA")
    tray.menu(e["menu"])
    tray.find("dialog", e["title"])
    picture(tray, f"enroll-{lang}")
    # What is no code goes nowhere; one that nobody has made is refused by the gateway.
    hand_in(tray, w, e, "12345")
    tray.wait_text(e["bad"])
    hand_in(tray, w, e, "AAAA-BBBB-CCCC-DDDD")
    tray.wait_message("MSG_ENROLL_CODE", lang)
    picture(tray, f"enroll-refused-{lang}")
    hand_in(tray, w, e, gateway.admin("enroll", "code", "suzuki")["code"])
    request = waiting(gateway)
    tray.wait_text(e["waits"], request["fingerprint"], "suzuki")
    assert request["fingerprint"] == keyed.key_fingerprint()
    picture(tray, f"enroll-waits-{lang}")
    gateway.admin("enroll", "approve", str(request["id"]))
    tray.find("alert", e["done"])
    picture(tray, f"enroll-approved-{lang}")
    tray.gone("dialog", e["title"])
    press_in(tray, e["done"], w["connect"])
    tray.find("dialog", w["connect"])


def test_key_is_handed_in_by_keyboard_alone_and_a_wait_may_be_left_and_taken_up(gateway, keyed, make_tray):
    title = ENROLL["en"]["title"]
    code = gateway.admin("enroll", "code", "suzuki")["code"]
    tray = make_tray(keyed)
    tray.find("frame", "PRA")
    tray.keys("PRA", "alt+k")
    tray.find("menu item", "Register with a code")
    tray.keys("PRA", "r")
    tray.find("dialog", title)
    tray.type(title, code + "\twrong")
    tray.keys(title, "Return")
    tray.wait_text(MESSAGES["MSG_KEY_PASSPHRASE"].code)
    tray.keys(title, "alt+p", "ctrl+a")
    tray.type(title, PASSPHRASE)
    tray.keys(title, "Return")
    request = waiting(gateway)
    tray.wait_text(request["fingerprint"])
    tray.keys(title, "Escape")
    tray.gone("dialog")
    assert waiting(gateway)["id"] == request["id"], "the request stays"
    tray.keys("PRA", "alt+k", "r")
    tray.find("dialog", title)
    tray.type(title, code + "\t" + PASSPHRASE)
    tray.keys(title, "Return")
    tray.wait_text(request["fingerprint"])
    gateway.admin("enroll", "deny", str(request["id"]))
    tray.wait_message("MSG_ENROLL_DENIED", "en")


def test_gateway_of_unknown_fingerprint_gets_the_key_only_after_a_yes(gateway, new_pc, make_tray):
    gateway.add_user("suzuki")
    new_pc.keygen()
    new_pc.run("server", "set", gateway.address).ok()
    w, e = WORDS["en"], ENROLL["en"]
    tray = make_tray(new_pc)
    tray.find("frame", "PRA")
    tray.menu(e["menu"])
    code = gateway.admin("enroll", "code", "suzuki")["code"]
    hand_in(tray, w, e, code)
    tray.find("alert", w["compare"])
    tray.wait_text(gateway.fingerprint())
    tray.keys_on_top("Return")  # the default is no
    tray.gone("alert")
    assert not gateway.admin("enroll", "list", "--state", "waiting")
    press_in(tray, e["title"], e["register"])
    press_in(tray, w["compare"], w["same"])
    tray.wait_text(waiting(gateway)["fingerprint"])


@pytest.mark.parametrize("lang", LANGS)
def test_logs_are_sent_from_the_window_and_their_number_is_shown(gateway, pc, make_tray, lang):
    w = LOGS[lang]
    gateway.add_rule("suzuki", "Echo", "127.0.0.1:9", free_port())
    tray = make_tray(pc, lang)
    tray.find("frame", "PRA")
    tray.menu(w["menu"])
    tray.wait_text("manifest.txt")
    press_in(tray, w["menu"], w["send"])
    tray.wait_text(w["offline"])
    picture(tray, f"logs-offline-{lang}")
    pc.connect()
    if lang == "en":
        tray.keys("Collect logs", "alt+d")
    else:
        press_in(tray, w["menu"], w["send"])
    row = wait_until(lambda: gateway.admin("log", "list", "--user", "suzuki"), 30, "the logs at the gateway")[0]
    tray.wait_text(w["sent"] + row["id"])
    picture(tray, f"logs-sent-{lang}")
    assert row["whole"]
    assert not any("log-" in name for name in os.listdir(pc.home)), "no copy stays on the PC"
