"""The tray's dialog for the code of an authenticator app, with the real agent and gateway."""

import os

import pytest

from lib.client import exchange
from lib.factor import Authenticator
from lib.ports import free_port
from lib.windows import LANGS, WORDS, connect

CODES = {
    "en": {"title": "Code of the authenticator app", "code": "Code", "needed": "Action needed: type the code",
           "type": "Type the code ..."},
    "ja": {"title": "認証アプリのコード", "code": "コード", "needed": "要操作: 認証アプリのコードを入力してください",
           "type": "コードの入力"},
}


@pytest.fixture
def app(gateway, pc, target):
    pc.local = free_port()
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", pc.local)
    return Authenticator(gateway)


def give(tray, w, c, code):
    dialog = tray.find("dialog", c["title"])
    tray.fill(c["code"], code)
    button = [n for n, role, name in dialog.walk(True) if role == "push button" and name.startswith(w["connect"])]
    button[0].atspi("Action", "DoAction", "(i)", 0)


def picture(tray, name):
    """For who wants to look: PRA_TRAY_PICTURES=folder."""
    folder = os.environ.get("PRA_TRAY_PICTURES")
    if folder:
        tray.desktop.screen.picture().save_png(f"{folder}/{name}.png")


@pytest.mark.parametrize("lang", LANGS)
def test_code_is_asked_for_after_the_passphrase_and_a_wrong_one_told(gateway, pc, make_tray, app, lang):
    w, c = WORDS[lang], CODES[lang]
    tray = make_tray(pc, lang)
    connect(tray, w)
    tray.find("dialog", c["title"])
    tray.gone("dialog", w["connect"])
    picture(tray, f"code-{lang}")
    give(tray, w, c, app.wrong())
    tray.wait_message("MSG_CODE_WRONG", lang)
    picture(tray, f"code-wrong-{lang}")
    give(tray, w, c, app.code())
    tray.wait_text(w["begun"])
    assert exchange(pc.local, b"hello", 5) == b"hello"
    tray.press(w["ok"], "push button")
    tray.gone("dialog")

    # Later nobody is there when the tunnel comes back: the window leads on.
    gateway.admin("factor", "forget", "suzuki")
    gateway.restart()
    tray.wait_text(c["needed"])
    tray.find("icon", "action")
    picture(tray, f"code-needed-{lang}")
    tray.press(c["type"], "push button")
    give(tray, w, c, app.code())
    tray.wait_text(w["begun"])
    assert [e["reason"] for e in gateway.audit("login")] == ["code", "code"]
