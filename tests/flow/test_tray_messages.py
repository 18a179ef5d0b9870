"""Every message of common/msg.def in a window of the tray, in both languages: code, title, cause and remedy (A14)."""

import pytest

from lib.client import PASSPHRASE
from lib.desktop import Item, Panel
from lib.fakeagent import agent, error
from lib.messages import MESSAGES, shows
from lib.procs import wait_until
from lib.windows import LANGS, WORDS, give_passphrase

__all__ = ["agent"]  # a fixture

ARGS = {"server": "gw.example.com:10022", "user": "suzuki", "port": "127.0.0.1:110", "program": "mailer", "pid": "42",
        "target": "mail.example.com:110", "detail": "what was found", "seconds": "30", "name": "disk-serial"}

# What a person has to do something about shows a triangle; what is tried again, dots; else it is a cross.
ACTION = {"MSG_KEY_PASSPHRASE", "MSG_KEY_MACHINE", "MSG_KEY_DISK", "MSG_KEY_DAMAGED", "MSG_KEY_MISSING",
          "MSG_KEY_UNREGISTERED", "MSG_KEY_REVOKED", "MSG_HOSTKEY_UNKNOWN"}


@pytest.mark.parametrize("lang", LANGS)
def test_every_message_is_shown_in_the_window_with_its_remedy(agent, new_pc, make_tray, lang):
    tray = make_tray(new_pc, lang)
    tray.find("frame", "PRA")
    for name, message in MESSAGES.items():
        agent.say(state="error", error=error(message, lang, **ARGS))
        tray.wait_message(name, lang)
        assert "mailer" in tray.text() or "{program}" not in message.cause[lang]
        if name in ACTION:
            tray.find("icon", "action")
    agent.say(state="disconnected")
    tray._wait(lambda: MESSAGES["MSG_AGENT"].code not in tray.text(), "the last message to go")


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_tried_again_is_shown_with_its_countdown(agent, new_pc, make_tray, lang):
    tray = make_tray(new_pc, lang)
    tray.find("frame", "PRA")
    for name in ("MSG_RULES_PORT", "MSG_LINK_BLOCKED", "MSG_GATEWAY_LOST", "MSG_GATEWAY_SHUTDOWN", "MSG_PROXY_FAILED",
                 "MSG_TURNED_AWAY"):
        agent.say(state="waiting", retry_in=90, error=error(MESSAGES[name], lang, **ARGS))
        tray.wait_message(name, lang)
        tray.find("icon", "connecting")


@pytest.mark.parametrize("lang", LANGS)
def test_every_refusal_is_shown_in_the_connect_dialog(agent, new_pc, make_tray, lang):
    w = WORDS[lang]
    tray = make_tray(new_pc, lang)
    tray.press(w["connect"], "push button")
    dialog = tray.find("dialog", w["connect"])
    for name in ("MSG_KEY_PASSPHRASE", "MSG_KEY_MACHINE", "MSG_KEY_DISK", "MSG_KEY_DAMAGED", "MSG_KEY_MISSING",
                 "MSG_RULES_ADDRESS", "MSG_AGENT"):
        agent.refusal = error(MESSAGES[name], lang, **ARGS)
        give_passphrase(tray, w, PASSPHRASE)
        tray._wait(lambda: not shows("\n".join(text for _, _, text in dialog.walk(True)), name, lang),
                   f"{name} in the dialog")


def test_answer_is_about_the_key_that_its_question_shows(agent, new_pc, make_tray):
    """Somebody in between who comes after the first question must not be trusted by the answer to it."""
    w = WORDS["en"]
    tray = make_tray(new_pc, "en")
    tray.press(w["connect"], "push button")
    first, second = ("SHA256:" + letter * 43 for letter in "AB")
    for key in (first, second):
        agent.refusal = error(MESSAGES["MSG_HOSTKEY_UNKNOWN"], "en", detail=key)
        give_passphrase(tray, w, PASSPHRASE)
        tray.wait_text(key)
    question = next(node for node in tray.all("alert")
                    if any(first in text for _, _, text in node.walk(True)))
    same = next(node for node, role, text in question.walk(True) if role == "push button" and text == w["same"])
    assert same.atspi("Action", "DoAction", "(i)", 0)

    def accepted():
        return [r["accept_host_key"] for r in agent.requests if r["op"] == "connect" and r.get("accept_host_key")]
    wait_until(accepted, 20, "the answer")
    assert accepted() == [first]


def test_what_a_gateway_says_is_no_markup_in_a_panel(agent, new_pc, make_tray, desktop):
    """Panels draw markup in tool tips and notices, pictures from the network too (KDE's)."""
    panel = Panel(desktop, new_pc.dir)
    words = '<img src="http://192.0.2.1/x"><b>now</b>'
    try:
        tray = make_tray(new_pc, "en", options=["--background"])
        item = Item(desktop, panel.wait("item")[0])
        wait_until(lambda: item.get("ToolTip")[2] == "Not connected", 20, "the first state, which is no news")
        agent.say(state="error", server=words, error=error(MESSAGES["MSG_RULES_ADDRESS"], "en", server=words, detail=words))
        wait_until(lambda: "img src" in item.get("ToolTip")[3], 20, "the tool tip")
        assert "img src" in panel.wait("notice")[0]
        for shown in (*item.get("ToolTip")[2:], *panel.lines("notice")):
            assert "<" not in shown
        assert tray.process.running()
    finally:
        panel.stop()
