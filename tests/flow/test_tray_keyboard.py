"""Every window of the tray by the keyboard alone, and every state of the agent by its shape and words; what the
agent says comes from a program in its place."""

import os

from lib.client import PASSPHRASE
from lib.desktop import Item, Panel
from lib.fakeagent import agent, error
from lib.messages import MESSAGES
from lib.procs import wait_until

__all__ = ["agent"]  # a fixture

FINGERPRINT = "SHA256:" + "A" * 43
ARGS = {"server": "gw.example.com:10022", "user": "suzuki", "detail": "what was found", "seconds": "30"}


def forward(name, state="listening"):
    return {"name": name, "local": "127.0.0.1:110", "target": "mail:110", "state": state,
            "error": None if state == "listening" else "ERR(10301) busy",
            "holder": None if state == "listening" else {"pid": 1, "program": "smtpd"},
            "connections": 0, "bytes_in": 0, "bytes_out": 0}


def asked(agent, op, count=1):
    def came():
        return [r for r in agent.requests if r["op"] == op][count - 1:]
    return wait_until(came, 20, f"request {op!r}", 0.05)[0]


STATES = [
    ("off", "Not connected", {"state": "disconnected"}),
    ("connecting", "Connecting ...", {"state": "connecting"}),
    ("on", "Connected, all 1 forwards ready", {"state": "connected", "forwards": [forward("POP")]}),
    ("partly", "Connected, 1 of 2 forwards ready",
     {"state": "connected", "forwards": [forward("POP"), forward("SMTP", "conflict")]}),
    ("error", "Connected, 0 of 1 forwards ready", {"state": "connected", "forwards": [forward("SMTP", "conflict")]}),
    ("connecting", "next try in 60 s", {"state": "waiting", "retry_in": 60,
                                        "error": error(MESSAGES["MSG_GATEWAY_LOST"], "en", **ARGS)}),
    ("action", "type the passphrase again", {"state": "error",
                                             "error": error(MESSAGES["MSG_KEY_PASSPHRASE"], "en", **ARGS)}),
    ("action", "compare the gateway's fingerprint", {"state": "error",
                                                     "error": error(MESSAGES["MSG_HOSTKEY_UNKNOWN"], "en", **ARGS)}),
    ("action", "make a key for this PC", {"state": "error", "error": error(MESSAGES["MSG_KEY_REVOKED"], "en", **ARGS)}),
    ("action", "Waiting for the administrator to register the key",
     {"state": "error", "error": error(MESSAGES["MSG_KEY_UNREGISTERED"], "en", **ARGS)}),
    ("action", "type the code of your authenticator app",
     {"state": "code", "error": error(MESSAGES["MSG_CODE_NEEDED"], "en", **ARGS)}),
    ("error", "Not connected: ERR(10203)", {"state": "error", "error": error(MESSAGES["MSG_RULES_NONE"], "en", **ARGS)}),
]


def test_each_state_has_its_shape_and_words_in_window_and_tray(desktop, agent, new_pc, make_tray):
    panel = Panel(desktop, new_pc.dir)
    try:
        tray = make_tray(new_pc)
        item = Item(desktop, panel.wait("item")[0])
        tray.find("frame", "PRA")
        drawn = {}
        for shape, headline, said in STATES:
            agent.say(**said)
            tray.find("icon", shape)
            tray.wait_text(headline)
            wait_until(lambda headline=headline: headline in item.menu()[0][1], 20, f"{headline!r} in the tray's menu")
            pixels = bytes(item.get("IconPixmap")[0][2])
            assert drawn.setdefault(shape, pixels) == pixels
        assert len(set(drawn.values())) == len(drawn) == 6
    finally:
        panel.stop()


def test_connection_is_made_and_ended_by_keyboard_alone(agent, new_pc, make_tray):
    agent.refusal = error(MESSAGES["MSG_HOSTKEY_UNKNOWN"], "en", detail=FINGERPRINT)
    tray = make_tray(new_pc)
    tray.find("frame", "PRA")
    tray.keys("PRA", "alt+c")
    tray.find("menu item", "Connect")
    tray.keys("PRA", "c")
    tray.find("dialog", "Connect")
    tray.type("Connect", PASSPHRASE)
    tray.keys("Connect", "Return")
    tray.find("alert", "Is this your company's gateway?")
    tray.keys_on_top("Return")  # the default is no
    tray.gone("alert")
    tray.keys("Connect", "Return")
    tray.find("alert", "Is this your company's gateway?")
    agent.refusal = None
    tray.keys_on_top("alt+s")
    assert asked(agent, "connect", 3)["accept_host_key"] == FINGERPRINT
    agent.say(state="connecting")
    agent.say(state="connected", forwards=[forward("POP")])
    tray.find("alert", "Connected; port forwarding has begun")
    tray.keys_on_top("Return")
    tray.gone("alert")
    tray.keys("PRA", "alt+c")
    tray.find("menu item", "Disconnect")
    tray.keys("PRA", "d")
    tray.find("alert", "Disconnect?")
    tray.keys_on_top("Escape")
    tray.gone("alert")
    assert all(r["op"] != "disconnect" for r in agent.requests[-2:])
    tray.keys("PRA", "alt+d")
    tray.find("alert", "Disconnect?")
    before = sum(r["op"] == "disconnect" for r in agent.requests)
    tray.keys_on_top("Return")
    asked(agent, "disconnect", before + 1)


def test_code_is_given_by_keyboard_alone(agent, new_pc, make_tray):
    title = "Code of the authenticator app"
    agent.say(state="code", error=error(MESSAGES["MSG_CODE_NEEDED"], "en", **ARGS))
    tray = make_tray(new_pc)
    tray.wait_text("type the code of your authenticator app")
    tray.keys("PRA", "alt+c")
    tray.find("menu item", "Type the code")
    tray.keys("PRA", "t")
    tray.find("dialog", title)
    tray.type(title, "123456")
    tray.keys(title, "Return")
    assert asked(agent, "code")["code"] == "123456"
    agent.say(state="connecting")
    tray.find("icon", "connecting")
    agent.say(state="connected", forwards=[forward("POP")])
    tray.find("alert", "Connected; port forwarding has begun")
    tray.keys_on_top("Return")
    tray.gone("dialog")


def test_server_options_and_key_are_reached_by_keyboard_alone(agent, new_pc, make_tray):
    tray = make_tray(new_pc)
    tray.find("frame", "PRA")
    tray.keys("PRA", "alt+t")
    tray.find("menu item", "Server")
    tray.keys("PRA", "s")
    tray.find("dialog", "Server")
    tray.keys("Server", "ctrl+a")
    tray.type("Server", "two words")
    tray.keys("Server", "Return")
    tray.wait_text("The address cannot be used")
    tray.keys("Server", "ctrl+a")
    tray.type("Server", "other.example.com")
    tray.keys("Server", "alt+f", "ctrl+a")
    tray.type("Server", "SHA256:short")
    tray.wait_text("× not complete")
    tray.keys("Server", "Return")
    tray.wait_text("The fingerprint is not complete")
    tray.keys("Server", "ctrl+a")
    tray.type("Server", FINGERPRINT)
    tray.keys("Server", "Return")
    tray.gone("dialog")
    assert new_pc.json("server", "show")["fingerprint"] == FINGERPRINT
    tray.keys("PRA", "alt+t", "o")
    tray.find("dialog", "Options")
    tray.keys("Options", "alt+p")
    tray.type("Options", "proxy.example.com:8080")
    tray.keys("Options", "Return")
    tray.gone("dialog")
    assert new_pc.json("server", "show")["proxy"] == "proxy.example.com:8080"
    tray.keys("PRA", "alt+k", "e")
    tray.find("dialog", "Export the public key")
    tray.keys("Export the public key", "alt+c")
    tray.wait_text("Copied.")
    tray.keys("Export the public key", "alt+l")
    tray.gone("dialog")
    # Once there is a key, another one is a decision, and Enter does not take it.
    tray.keys("PRA", "alt+k", "m")
    tray.find("alert", "Replace the key of this PC?")
    tray.keys_on_top("Return")
    tray.gone("alert")
    assert not tray.count("dialog")
    tray.keys("PRA", "alt+k", "m")
    tray.find("alert", "Replace the key of this PC?")
    tray.keys_on_top("alt+r")
    tray.find("dialog", "Make a key")
    tray.keys("Make a key", "Escape")
    tray.gone("dialog")


def test_logs_version_profile_and_end_are_reached_by_keyboard_alone(agent, new_pc, make_tray):
    agent.say(state="connected", forwards=[forward("POP")])
    tray = make_tray(new_pc)
    tray.wait_text("all 1 forwards ready")
    tray.keys("PRA", "alt+h")
    tray.find("menu item", "Collect logs")
    tray.keys("PRA", "l")
    tray.find("dialog", "Collect logs")
    tray.find("push button", "Save", condition=lambda n: n.sensitive)
    tray.wait_text("manifest.txt")
    tray.keys("Collect logs", "Escape")
    tray.gone("dialog")
    tray.keys("PRA", "alt+h", "v")
    tray.wait_text("Apache-2.0")
    tray.keys_on_top("Return")
    tray.gone("alert")
    path = os.path.join(new_pc.dir, "new.pra")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"[profile]\nserver = new.example.com\nfingerprint = {FINGERPRINT}\nuser = suzuki\n")
    tray.keys("PRA", "alt+t", "p")
    tray.find("file chooser", "Open a profile")
    tray.type_path("Open a profile", path)
    tray.keys_on_top("Return")
    tray.find("dialog", "Connection profile")
    tray.keys("Connection profile", "alt+u")
    tray.wait_text("The connection that stands keeps the old settings")
    tray.keys_on_top("Return")
    tray.gone("alert")
    assert new_pc.json("server", "show")["server"] == "new.example.com:10022"
    tray.keys("PRA", "alt+c", "q")
    tray.find("alert", "Quit?")
    tray.keys_on_top("Return")
    assert tray.process.wait(25) == 0
