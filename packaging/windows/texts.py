"""What both installers say, Japanese and English side by side. `text("next", "ja")`.

    texts.py VERSION FILE.nsh     writes them for NSIS

`&` marks the access key in MSI and NSIS alike. Japanese wording of A1 and A13 is the manual's own.
"""

import sys

LANGUAGES = {"ja": 1041, "en": 1033}
FONTS = {"ja": ("Yu Gothic UI", 9), "en": ("Segoe UI", 9)}

TEXTS = {
    # buttons
    "next": ("次へ(&N) >", "&Next >"),
    "back": ("< 戻る(&B)", "< &Back"),
    "cancel": ("キャンセル", "Cancel"),
    "install": ("インストール(&I)", "&Install"),
    "close": ("閉じる(&C)", "&Close"),
    "finish": ("完了(&F)", "&Finish"),
    "yes": ("はい(&Y)", "&Yes"),
    "no": ("いいえ(&N)", "&No"),
    "ok": ("OK", "OK"),
    "change": ("変更(&G)...", "Chan&ge..."),

    # pages
    "title": ("PRA セットアップ", "PRA Setup"),
    "welcome_head": ("PRA のインストールへようこそ", "Welcome to the setup of PRA"),
    "welcome_text": (
        "PRA {version} をこの PC にインストールします。\n\n以前のバージョンの設定と鍵は、そのまま引き継がれます。"
        "起動中の PRA は終了し、接続は切断されます。\n\n続けるには、「次へ」 をクリックしてください。",
        "This installs PRA {version} on this PC.\n\nSettings and keys of an earlier version stay as they "
        "are. PRA is closed if it is running, and its connection ends.\n\nClick Next to go on."),
    "licence_head": ("使用許諾契約", "Licence"),
    "licence_sub": ("内容をお読みの上、「同意する」 を選択してください。",
                    "Please read it, and choose whether you accept it."),
    "accept": ("同意する(&A)", "I &accept"),
    "reject": ("同意しない(&D)", "I &do not accept"),
    "options_head": ("インストールするオプション", "Options"),
    "options_sub": ("インストールするオプションを確認し、「次へ」 をクリックしてください。",
                    "Check what is to be installed, then click Next."),
    "folder": ("インストール先フォルダ(&O):", "F&older:"),
    "autostart": ("ログイン時に PRA を起動する(&S)", "&Start PRA at login"),
    "desktop": ("デスクトップにショートカットを作成する(&K)", "Put a shortcut on the des&ktop"),
    "always": ("スタートメニュー、.pra ファイルの関連付け、コマンド pra (PATH) も登録されます。",
               "The start menu, .pra files and the command pra (PATH) are set up as well."),
    "server_head": ("サーバ設定", "Server"),
    "server_sub": ("システム管理者さまから案内された値を入力してください。後から設定することもできます。",
                   "Enter what your administrator has told you. It can be entered later, too."),
    "server": ("SUS サーバアドレス(&S):", "&Server address:"),
    "server_hint": ("例: gw.example.com または gw.example.com:10022",
                    "For example gw.example.com or gw.example.com:10022"),
    "fingerprint": ("フィンガープリント(&P):", "Finger&print:"),
    "fingerprint_hint": ("SHA256: で始まる値です。空欄の場合は、最初の接続時に確認します。",
                         "It begins with SHA256:. If it is empty you will be asked at the first connection."),
    "server_bad": ("SUS サーバアドレスの形式が正しくありません。ホスト名または IP アドレスを、必要に応じて「:ポート番号」を付けて入力してください。",
                   "The server address is not valid. Enter a host name or an IP address, with \":port\" if needed."),
    "fingerprint_bad": ("フィンガープリントの形式が正しくありません。「SHA256:」に続く 43 文字を入力してください。",
                        "The fingerprint is not valid. Enter SHA256: and the 43 characters that follow it."),
    "fingerprint_alone": ("フィンガープリントには SUS サーバアドレスが必要です。",
                          "A fingerprint needs a server address."),
    "ready_head": ("インストールの準備完了", "Ready to install"),
    "ready_sub": ("「インストール」 をクリックすると、インストールを開始します。", "Click Install to begin."),
    "ready_text": ("設定を確認または変更するには、「戻る」 をクリックしてください。",
                   "To look at the choices again, or to change them, click Back."),
    "progress_head": ("PRA をセットアップしています", "Setting up PRA"),
    "progress_sub": ("しばらくお待ちください。", "Please wait."),
    "status": ("状況:", "Status:"),
    "done_head": ("完了しました", "Done"),
    "done_installed": (
        "PRA のインストールが完了しました。\n\nはじめて利用する PC では、PRA を起動して鍵を生成し、公開鍵を"
        "システム管理者さまへ渡してください。",
        "PRA is installed.\n\nOn a new PC, start PRA, make a key and hand the public key to your "
        "administrator."),
    "done_repaired": ("PRA の修復が完了しました。", "PRA is repaired."),
    "done_removed": ("PRA の削除が完了しました。", "PRA is removed."),
    "launch": ("PRA を起動する(&L)", "&Launch PRA"),
    "failed_head": ("完了できませんでした", "Setup could not be completed"),
    "failed_text": ("エラーのため、セットアップを完了できませんでした。PC は変更されていません。",
                    "Setup ended because of an error. Nothing on this PC was changed."),
    "cancelled_text": ("セットアップは中止されました。PC は変更されていません。",
                       "Setup was cancelled. Nothing on this PC was changed."),
    "ask_cancel": ("セットアップを中止しますか?", "Do you want to cancel the setup?"),
    "browse_head": ("インストール先フォルダの変更", "Change the folder"),
    "browse_sub": ("インストール先のフォルダを選択してください。", "Choose where to install."),
    "look_in": ("場所(&L):", "&Look in:"),
    "folder_name": ("フォルダ名(&F):", "&Folder name:"),

    # A13
    "maintain_head": ("PRA の変更または削除", "Change or remove PRA"),
    "maintain_sub": ("操作を選択し、「完了」 をクリックしてください。起動中の PRA は終了します。",
                     "Choose what to do, then click Finish. PRA is closed if it is running."),
    "repair": ("PRA の修復(&R)", "&Repair PRA"),
    "remove": ("PRA の削除(&M)", "Re&move PRA"),
    "uninstall": ("アンインストール(&U)", "&Uninstall"),
    "uninstall_text": ("この PC から PRA を削除します。起動中の PRA は終了し、接続は切断されます。",
                       "This removes PRA from this PC. PRA is closed if it is running, and its connection ends."),
    "ask_data_head": ("アプリケーションデータ", "Application data"),
    "ask_data": ("アプリケーションデータ(鍵ファイル、ログ)を完全に削除しますか?",
                 "Delete the application data (key files, logs) completely?"),
    "ask_data_note": (
        "「はい」 を選択すると、この PC のすべての利用者の鍵、設定、ログが削除され、次に PRA を使うときに公開鍵の"
        "再登録が必要になります。「いいえ」 を選択すると、新しいバージョンをインストールしたときにそのまま利用できます。",
        "Yes deletes keys, settings and logs of every user of this PC: to use PRA again, a new key has to be "
        "registered. No keeps them: a version that is installed later just works."),

    # refusals
    "older": (
        "以前のクライアントソフト「[OLDERCLIENT]」がインストールされています。先にアンインストールしてから、もう一度"
        "実行してください。",
        "An older client is installed: [OLDERCLIENT]. It must be removed first. Remove it, then run this again."),
    "newer": ("より新しいバージョンの PRA が既にインストールされています。このバージョンはインストールできません。",
              "A newer version of PRA is already installed. This version cannot be installed."),
    "windows_old": ("PRA を利用するには、Windows 10 または 11 (64 ビット) が必要です。",
                    "PRA needs Windows 10 or 11 (64 bit)."),
    "not_admin": ("PRA のインストールには管理者の権限が必要です。",
                  "Installing PRA needs the rights of an administrator."),
    "folder_bad": (
        "このフォルダにはインストールできません。Program Files の下か、管理者だけが変更できる場所にある新しい(または空の)"
        "フォルダを指定してください。",
        "PRA cannot go into this folder. Choose one below Program Files, or a new or empty one at a place that only "
        "administrators can change."),
    "data_error": ("ログのフォルダを安全に作成できません。", "The folder for logs cannot be made safe."),
    "purge_error": ("鍵またはログの一部を削除できませんでした。", "Some keys or logs could not be deleted."),

    # other
    "shortcut": ("社内ネットワークへ安全に接続します", "A secure way into the company's network"),
    "profile": ("PRA 接続プロファイル", "PRA profile"),
}

# What the progress page says while Windows Installer's own actions run.
ACTIONS = {
    "InstallValidate": ("確認しています", "Checking"),
    "InstallInitialize": ("準備しています", "Preparing"),
    "RemoveExistingProducts": ("以前のバージョンを削除しています", "Removing the earlier version"),
    "PraCloseAll": ("起動中の PRA を終了しています", "Closing PRA"),
    "InstallFiles": ("ファイルをコピーしています", "Copying files"),
    "RemoveFiles": ("ファイルを削除しています", "Removing files"),
    "WriteRegistryValues": ("設定を登録しています", "Writing settings"),
    "RemoveRegistryValues": ("登録を解除しています", "Removing settings"),
    "CreateShortcuts": ("ショートカットを作成しています", "Making shortcuts"),
    "RemoveShortcuts": ("ショートカットを削除しています", "Removing shortcuts"),
    "PraPurge": ("鍵とログを削除しています", "Deleting keys and logs"),
}


def text(key, lang):
    return TEXTS[key][list(LANGUAGES).index(lang)]


def nsh(version):
    """The texts as NSIS's own: LangString lines for texts.nsh."""
    lines = []
    for key, words in TEXTS.items():
        for number, value in zip(LANGUAGES.values(), words):
            value = value.replace("$", "$$").replace('"', '$\\"').replace("\n", "$\\r$\\n")
            value = value.replace("{version}", version).replace("[OLDERCLIENT]", "$Older")
            lines.append(f'LangString {key} {number} "{value}"')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with open(sys.argv[2], "w", encoding="utf-8-sig") as out:  # NSIS wants the mark to see UTF-8
        out.write(nsh(sys.argv[1]))
