"""What the windows of the tray say, and ways through them that several tests take."""

from lib.client import PASSPHRASE
from lib.procs import wait_until

LANGS = ["en", "ja"]

WORDS = {
    "en": {"set server": "Set the server", "address": "Server address", "fingerprint": "Fingerprint",
           "set": "Set", "make key": "Make a key", "user": "User name", "passphrase": "Passphrase",
           "again": "Passphrase once more", "generate": "Generate", "close": "Close",
           "connect": "Connect", "disconnect": "Disconnect", "ok": "OK", "cancel": "Cancel",
           "key ready": "The key of this PC is ready", "waiting": "Waiting for the administrator",
           "begun": "Connected; port forwarding has begun", "on": "Connected", "off": "Not connected",
           "ready": "ready", "taken": "port taken", "copied": "Copied: ",
           "free": "Free on this PC: 127.0.0.1:",
           "same": "Same, connect", "compare": "Is this your company's gateway?",
           "ask off": "Disconnect?", "all ready": "all 1 forwards ready",
           "use": "Use", "profile": "Connection profile", "bad profile": "The profile cannot be used",
           "saved": "Saved: ", "until now": "until now: "},
    "ja": {"set server": "サーバ設定", "address": "SUS サーバアドレス", "fingerprint": "指紋",
           "set": "設定", "make key": "鍵生成", "user": "ユーザ名", "passphrase": "パスフレーズ",
           "again": "パスフレーズ(確認)", "generate": "生成", "close": "閉じる",
           "connect": "接続", "disconnect": "切断", "ok": "OK", "cancel": "キャンセル",
           "key ready": "この PC の鍵の準備ができました", "waiting": "システム管理者さまの登録待ちです",
           "begun": "接続が完了し、ポート転送を開始しました", "on": "接続中", "off": "未接続",
           "ready": "使用できます", "taken": "ポート使用中", "copied": "コピーしました: ",
           "free": "この PC で空いているアドレス: 127.0.0.1:",
           "same": "同じなので接続", "compare": "このゲートウェイに接続しますか?",
           "ask off": "切断しますか?", "all ready": "1 件すべて使用可",
           "use": "使用する", "profile": "接続プロファイル", "bad profile": "接続プロファイルを使用できません",
           "saved": "保存しました: ", "until now": "現在の設定: "},
}


def connect(tray, words, passphrase=PASSPHRASE):
    """Through the connect dialog; what comes of it is the caller's business."""
    tray.press(words["connect"], "push button")
    give_passphrase(tray, words, passphrase)


def give_passphrase(tray, words, passphrase):
    dialog = tray.find("dialog", words["connect"])
    tray.fill(words["passphrase"], passphrase)

    def button():
        found = [n for n, role, name in dialog.walk(True) if role == "push button" and name.startswith(words["connect"])]
        return found and found[0].sensitive and found[0]
    wait_until(button, 20, "the dialog's button").atspi("Action", "DoAction", "(i)", 0)


def cancel_question(tray, words):
    question = tray.find("alert", words["compare"])
    button = [n for n, role, name in question.walk(True)
              if role == "push button" and name.startswith(words["cancel"])]
    button[0].atspi("Action", "DoAction", "(i)", 0)
    tray.gone("alert")
