"""The Windows installers: made as the Makefile makes them, run silently or as a person does."""

import glob
import os

from lib.procs import run, wait_until
from lib.wine import Windows

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("PRA_BUILD", f"{ROOT}/build"))
TOOLS = f"{BUILD}/windows/tests"
OLD, NEW = "0.0.1", "0.0.2"
FINGERPRINT = "SHA256:" + "abcdefghijklmnopqrstuvwxyz0123456789+/ABCDE"
OTHER_FINGERPRINT = "SHA256:" + "Z" * 43
PROGRAM = r"C:\Program Files\PRA"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
ENVIRONMENT = r"System\CurrentControlSet\Control\Session Manager\Environment"
LCID = {"ja": 1041, "en": 1033}
REFUSED = {"msi": 1603 & 255, "nsis": 3}


def make_packages(folder, kind, version, **env):
    """Runs packaging/windows/build.sh as the Makefile does."""
    program = f"{TOOLS}/standin-{version}.exe"
    run([f"{ROOT}/packaging/windows/build.sh", kind, folder], timeout=120,
        env={"VERSION": version, "PRA": program, "TRAY": program, "SETUP_DLL": f"{BUILD}/windows/prasetup.dll",
             "SIGN": None, "ART": f"{BUILD}/windows/art", **env}).ok()


class Installer:
    """One kind of installer on one PC."""

    def __init__(self, kind, packages, pc):
        self.kind, self.packages, self.pc = kind, packages, pc
        self.installed = None  # (version, language)
        self.key = f"{pc.user_folder()}/AppData/Local/Pra/id.prakey"
        self.log = f"{pc.drive}/ProgramData/Pra/log/someone/System.log"

    def file(self, version, lang):
        return f"{self.packages}/PRA-{version}-" + (f"{lang}.msi" if self.kind == "msi" else "setup.exe")

    def install(self, version, lang="ja", **options):
        """Silently; returns the exit status."""
        path = self.pc.windows_path(self.file(version, lang))
        if self.kind == "msi":
            words = ["msiexec", "/i", path, "/qn", "/l*v", self.pc.windows_path(f"{self.pc.folder}/msi.log")]
            words += [f"{name}={value}" for name, value in options.items()]
        else:
            words = [path, "/S"] + [f"/{name}={value}" for name, value in options.items()]
        status = self.pc.run(*words).status
        if status == 0:
            self.installed = (version, lang)
        return status

    def remove(self, version, lang="ja", **options):
        if self.kind == "msi":
            words = [f"{name}={value}" for name, value in options.items()]
            path = self.pc.windows_path(self.file(version, lang))
            status = self.pc.run("msiexec", "/x", path, "/qn", *words).status
        else:
            words = [f"/{name}={value}" for name, value in options.items()]
            status = self.pc.run(f"{PROGRAM}\\Uninstall.exe", "/S", *words).status
            # It goes on as a copy of itself, since it deletes itself.
            wait_until(lambda: self.version() is None and not self.uninstallers(), 20, "the uninstaller to end")
        return status

    def uninstallers(self):
        """Of this PC; other tests have theirs."""
        return [p for p in glob.glob("/proc/[0-9]*/cmdline")
                if b"~nsu" in read(p) and f"{self.pc.prefix}\0".encode() in read(p.replace("cmdline", "environ"))]

    def version(self):
        """What is installed, by what the program would say."""
        program = read(self.pc.unix_path(f"{PROGRAM}\\pra.exe"))
        return next((v for v in (OLD, NEW) if f"stand-in {v}".encode() in program), None)

    def leave_data(self):
        """Key, settings and logs, as a user leaves them."""
        for path in (self.key, self.key.replace("id.prakey", "config.ini"), self.log,
                     os.path.dirname(self.key) + "/kept/deeper/file"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write("data of a user")
        os.chmod(self.key, 0o400)  # read-only to Windows

    def read_key(self):
        return read(self.key)

    def has_data(self):
        return [os.path.exists(p) for p in (self.key, self.log)]

    def remembered(self):
        return self.pc.registry(r"Software\PRA")


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


# What stands on the buttons and pages (A1, A13), without access keys.
WORDS = {
    "ja": {"title": "PRA セットアップ", "next": "次へ(N) >", "accept": "同意する(A)", "install": "インストール(I)",
           "close": "閉じる(C)", "finish": "完了(F)", "remove": "PRA の削除(M)", "repair": "PRA の修復(R)", "yes": "はい(Y)", "no": "いいえ(N)",
           "cancel": "キャンセル", "welcome": "PRA のインストールへようこそ", "options": "インストールするオプション",
           "autostart": "ログイン時に PRA を起動する(S)", "desktop": "デスクトップにショートカットを作成する(K)",
           "launch": "PRA を起動する(L)", "server": "SUS サーバアドレス", "bad": "形式が正しくありません",
           "done": "PRA のインストールが完了しました。", "removed": "PRA の削除が完了しました。",
           "ask": "アプリケーションデータ(鍵ファイル、ログ)を完全に削除しますか?", "again": "再登録",
           "older": "先にアンインストール", "newer": "より新しいバージョン", "uninstall": "アンインストール(U)",
           "uninstall_title": "PRA アンインストール"},
    "en": {"title": "PRA Setup", "next": "Next >", "accept": "I accept", "install": "Install", "close": "Close",
           "finish": "Finish", "remove": "Remove PRA", "repair": "Repair PRA", "yes": "Yes", "no": "No", "cancel": "Cancel",
           "welcome": "Welcome to the setup of PRA", "options": "Options", "autostart": "Start PRA at login",
           "desktop": "Put a shortcut on the desktop", "launch": "Launch PRA", "server": "Server address",
           "bad": "is not valid", "done": "PRA is installed.", "removed": "PRA is removed.",
           "ask": "Delete the application data (key files, logs) completely?", "again": "has to be registered",
           "older": "must be removed first", "newer": "A newer version", "uninstall": "Uninstall",
           "uninstall_title": "PRA Uninstall"},
}


class Wizard:
    """A person before an installer's windows. Each step says what is read, then what is pressed."""

    def __init__(self, pc, lang, *command):
        self.pc, self.w = pc, WORDS[lang]
        self.windows = Windows(pc, f"{TOOLS}/press.exe")
        self.title = self.w["title"]
        self.photo = None  # (name) -> None: called on every page
        self.process = pc.process(*command, log="wizard.log")

    def page(self, text, name=None):
        """Waits for a page that says `text`; returns everything on it."""
        seen = self.windows.wait_text(self.title, text)
        if self.photo and name:
            self.photo(name)
        return seen

    def press(self, key):
        self.windows.click(self.title, self.w.get(key, key))

    def ended(self, timeout=60):
        return self.process.wait(timeout)

    def stop(self):
        self.process.stop()


def wizard_of(installer, version, lang, *words):
    """The installer as a double click starts it."""
    path = installer.pc.windows_path(installer.file(version, lang))
    if installer.kind == "msi":
        return Wizard(installer.pc, lang, "msiexec", "/i", path, *words)
    return Wizard(installer.pc, lang, path, f"/LANG={LCID[lang]}", *words)


def walk_to_the_end(installer, w, server="gw.example.com", fingerprint=FINGERPRINT):
    """From the first page to the last: what the pages offer is there, and what is entered is taken."""
    w.page(w.w["welcome"], "1-welcome")
    w.press("next")
    text = w.page("Apache License" if installer.kind == "msi" else w.w["accept"], "2-licence")
    assert w.w["accept"] in text
    assert "e" not in w.windows.state(w.title, w.w["next"])  # nothing goes on before it is accepted
    w.press("accept")
    wait_until(lambda: "e" in w.windows.state(w.title, w.w["next"]), 10, "Next to be possible")
    w.press("next")
    if installer.kind == "nsis":
        w.page(PROGRAM, "3-folder")
        w.press("next")
    text = w.page(w.w["options"], "4-options")
    if installer.kind == "msi":
        assert PROGRAM in text
    assert "x" in w.windows.state(w.title, w.w["autostart"])
    assert "x" not in w.windows.state(w.title, w.w["desktop"])
    w.press("desktop")
    w.press("next")
    w.page(w.w["server"], "5-server")
    w.windows.type(w.title, 0, server)
    w.windows.type(w.title, 1, fingerprint)
    if installer.kind == "msi":
        w.press("next")
        w.page(w.w["install"], "6-ready")
    w.press("install")
    w.page(w.w["done"], "7-done")
