"""The Windows installers under wine: each kind installs, upgrades, refuses, and removes with and without data.

The programs inside are stand-ins (standin.c): what is tested here is what the installers do.
"""

import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from lib.installers import (BUILD, ENVIRONMENT, FINGERPRINT, NEW, OLD, OTHER_FINGERPRINT, PROGRAM, REFUSED, RUN, TOOLS,
                            Installer, make_packages, read)
from lib.procs import run, wait_until

CLIENT = f"{BUILD}/windows/pra.exe"
PROFILES = r"Software\Microsoft\Windows NT\CurrentVersion\ProfileList"


def test_silent_installation_sets_everything_up(installer):
    pc = installer.pc
    assert installer.install(OLD, SERVER="gw.example.com:10022", FINGERPRINT=FINGERPRINT) == 0
    assert pc.run(f"{PROGRAM}\\pra.exe").ok().out.strip() == f"stand-in {OLD}"
    assert {"pra.exe", "pra-tray.exe", "LICENSE.txt"} <= set(os.listdir(pc.unix_path(PROGRAM)))
    assert installer.remembered() == {"Server": "gw.example.com:10022", "Fingerprint": FINGERPRINT,
                                      "Autostart": "on1", "Desktop": "on"}
    assert pc.registry(RUN)["PRA"] == f'"{PROGRAM}\\pra-tray.exe" --autostart'
    assert pc.registry(r"Software\Classes\.pra") == {"": "PRA.Profile"}
    assert pc.registry(r"Software\Classes\PRA.Profile\shell\open\command") == {
        "": f'"{PROGRAM}\\pra-tray.exe" "%1"'}
    if installer.kind == "msi":
        assert pc.registry(r"Software\Classes\PRA.Profile") == {"": "PRA 接続プロファイル"}
    elements = pc.registry(ENVIRONMENT)["PATH"].split(";")
    assert [e.rstrip("\\") for e in elements].count(PROGRAM) == 1
    assert any(name == "PRA.lnk" for _, _, files in os.walk(pc.drive) for name in files)
    assert os.path.isdir(os.path.dirname(os.path.dirname(installer.log)))

    assert installer.remove(OLD) == 0
    assert installer.version() is None
    assert not os.path.exists(pc.unix_path(PROGRAM))
    assert "PRA" not in (pc.registry(RUN) or {})
    assert not pc.registry(r"Software\Classes\PRA.Profile")
    assert PROGRAM not in [e.rstrip("\\") for e in pc.registry(ENVIRONMENT)["PATH"].split(";")]
    assert not any(name == "PRA.lnk" for _, _, files in os.walk(pc.drive) for name in files)


def test_user_without_settings_has_the_installed_server(installer):
    """The client as it is built, on the PC where the package's stand-in was installed."""
    pc = installer.pc
    shown = lambda: json.loads(pc.run(CLIENT, "server", "show", "--json").ok().out)
    assert installer.install(OLD, SERVER="gw.example.com:10122", FINGERPRINT=FINGERPRINT) == 0
    assert (shown()["server"], shown()["fingerprint"]) == ("gw.example.com:10122", FINGERPRINT)
    pc.run(CLIENT, "server", "set", "own.example.com").ok()
    assert (shown()["server"], shown()["fingerprint"]) == ("own.example.com:10022", None)


@pytest.mark.needs_root
def test_logs_are_beside_the_settings_where_others_could_touch_them(windows_pc):
    """Without an installer ProgramData\\Pra is whose it is who came first."""
    shared, own = f"{windows_pc.drive}/ProgramData/Pra", f"{windows_pc.user_folder()}/AppData/Local/Pra"

    def logs():
        assert windows_pc.run(CLIENT, "status").status == 3
        found = [bool(glob.glob(f"{shared}/log/*")), os.path.isdir(f"{own}/log")]
        shutil.rmtree(own)
        for path in glob.glob(f"{shared}/log/*"):
            os.rmdir(path)
        return found
    try:
        assert logs() == [True, False]
        os.chmod(f"{shared}/log", 0o777)
        assert logs() == [False, True]
        os.chmod(f"{shared}/log", 0o755)
        os.chown(shared, 65534, 65534)
        assert logs() == [False, True]
        os.chown(shared, os.getuid(), -1)
        assert logs() == [True, False]
    finally:
        shutil.rmtree(shared, ignore_errors=True)
        shutil.rmtree(own, ignore_errors=True)


def test_upgrade_keeps_key_settings_and_choices(installer):
    assert installer.install(OLD, "ja", SERVER="gw.example.com", FINGERPRINT=FINGERPRINT, AUTOSTART=0, DESKTOP=1) == 0
    before = installer.remembered()
    assert before["Autostart"] == "on" and before["Desktop"] == "on1"
    installer.leave_data()
    # The other language's package, too, takes the place of the older one.
    assert installer.install(NEW, "en") == 0
    assert installer.version() == NEW
    assert installer.has_data() == [True, True]
    assert installer.remembered() == before
    assert "PRA" not in (installer.pc.registry(RUN) or {})
    assert any(name == "PRA.lnk" for _, _, files in os.walk(installer.pc.drive) for name in files)


def test_older_version_is_refused(installer):
    assert installer.install(NEW, SERVER="gw.example.com") == 0
    installer.leave_data()
    assert installer.install(OLD) == REFUSED[installer.kind]
    assert installer.version() == NEW
    assert installer.has_data() == [True, True]


def test_removal_keeps_data_and_the_next_installation_finds_it(installer):
    assert installer.install(OLD, SERVER="gw.example.com", FINGERPRINT=FINGERPRINT) == 0
    installer.leave_data()
    assert installer.remove(OLD) == 0
    assert installer.version() is None
    assert installer.has_data() == [True, True]
    assert installer.install(NEW) == 0
    assert installer.remembered()["Server"] == "gw.example.com"
    assert installer.remembered()["Fingerprint"] == FINGERPRINT
    # The fingerprint of one server is not that of another.
    assert installer.install(NEW, SERVER="other.example.com") == 0 or installer.kind == "msi"
    if installer.kind == "nsis":
        assert installer.remembered()["Fingerprint"] == ""


def test_removekeys_deletes_keys_logs_and_settings(installer):
    assert installer.install(OLD, SERVER="gw.example.com") == 0
    installer.leave_data()
    # Somebody else, whose account is of the cloud.
    other, key = f"{installer.pc.drive}/users/cloud/AppData/Local/Pra/id.prakey", PROFILES + r"\S-1-12-1-1-2-3-4"
    os.makedirs(os.path.dirname(other))
    open(other, "w").close()
    installer.pc.run("reg", "add", f"HKLM\\{key}", "/v", "ProfileImagePath", "/d", r"C:\users\cloud", "/f").ok()
    assert installer.remove(OLD, REMOVEKEYS=1) == 0
    installer.pc.run("reg", "delete", f"HKLM\\{key}", "/f")
    assert installer.has_data() == [False, False]
    assert not os.path.exists(os.path.dirname(other)) and os.path.exists(f"{installer.pc.drive}/users/cloud")
    shutil.rmtree(f"{installer.pc.drive}/users/cloud")
    assert not os.path.exists(os.path.dirname(installer.key))
    assert not os.path.exists(f"{installer.pc.drive}/ProgramData/Pra")
    assert installer.remembered() is None


@pytest.mark.parametrize("installer", ["msi"], indirect=True)
def test_repair_keeps_the_server_whatever_it_is_told(installer):
    """Windows lets every user of the PC repair it, as SYSTEM, with the properties that the package lets in."""
    assert installer.install(OLD, SERVER="gw.example.com", FINGERPRINT=FINGERPRINT) == 0
    before, setup = installer.remembered(), installer.pc.registry(r"Software\PRA\Setup")
    path = installer.pc.windows_path(installer.file(OLD, "ja"))
    assert installer.pc.run("msiexec", "/i", path, "/qn", "REINSTALL=ALL", "SERVER=evil.example.com",
                            f"FINGERPRINT={OTHER_FINGERPRINT}", r"INSTALLDIR=C:\evil").status == 0
    assert installer.remembered() == before
    assert installer.pc.registry(r"Software\PRA\Setup") == setup
    assert "evil" not in installer.pc.registry(r"Software\Classes\PRA.Profile\shell\open\command")[""]


def install_at(installer, folder):
    """The exit status of a silent installation into `folder`."""
    path = installer.pc.windows_path(installer.file(OLD, "ja"))
    words = ["msiexec", "/i", path, "/qn", f"INSTALLDIR={folder}"] if installer.kind == "msi" else [path, "/S", f"/D={folder}"]
    return installer.pc.run(*words).status


def test_folder_that_everybody_could_change_is_refused(installer):
    """A drive as a whole, somebody's folder, one below a folder that its owner can rename."""
    pc = installer.pc
    os.makedirs(f"{pc.drive}/shared")
    with open(f"{pc.drive}/shared/somebodys", "w") as f:
        f.write("data")
    try:
        # NSIS itself takes no drive as a whole, and goes below Program Files.
        for folder in [*(["C:\\"] if installer.kind == "msi" else []), r"C:\shared", r"C:\shared\PRA"]:
            assert install_at(installer, folder) == REFUSED[installer.kind], folder
        assert os.listdir(f"{pc.drive}/shared") == ["somebodys"]
        assert not os.path.exists(f"{pc.drive}/pra.exe")
    finally:
        shutil.rmtree(f"{pc.drive}/shared")


def test_folder_of_its_own_elsewhere_is_closed_to_others(installer):
    """wine makes modes of Linux of the access list: others do not write (the group stands for administrators)."""
    pc = installer.pc
    folder = f"{pc.drive}/PRA-here"
    os.makedirs(folder)
    os.chmod(folder, 0o777)
    assert install_at(installer, r"C:\PRA-here") == 0
    try:
        assert os.path.exists(f"{folder}/pra.exe")
        assert os.stat(folder).st_mode & 0o002 == 0
        assert install_at(installer, r"C:\PRA-here") == 0  # again, with its own files in it
    finally:
        if installer.kind == "msi":
            pc.run("msiexec", "/x", pc.windows_path(installer.file(OLD, "ja")), "/qn").ok()
        else:
            pc.run(r"C:\PRA-here\Uninstall.exe", "/S").ok()
            wait_until(lambda: not installer.uninstallers(), 20, "the uninstaller to end")
        shutil.rmtree(folder, ignore_errors=True)


full = pytest.mark.windows_full
INVALID_COMMAND_LINE = 1639


@pytest.mark.parametrize("options", [
    {"SERVER": "a b"}, {"FINGERPRINT": FINGERPRINT}, {"SERVER": "gw.example.com", "FINGERPRINT": "SHA256:short"},
    pytest.param({"SERVER": "gw.example.com:0"}, marks=full),
    pytest.param({"SERVER": "gw.example.com:65536"}, marks=full),
    pytest.param({"SERVER": "[::1"}, marks=full), pytest.param({"SERVER": "x" * 254}, marks=full),
    pytest.param({"SERVER": "x" * 600}, marks=full),
    pytest.param({"SERVER": "gw.example.com", "FINGERPRINT": "MD5:" + "a" * 46}, marks=full),
    pytest.param({"SERVER": 'gw.example.com" & calc'}, marks=full),
], ids=lambda o: "-".join(o.values())[:20])
def test_value_that_the_client_would_refuse_is_refused(installer, options):
    status = installer.install(OLD, **options)
    # msiexec of newer wines (Debian 13) does not even read a word with a space or a quote.
    unread = installer.kind == "msi" and re.search('[ "]', options.get("SERVER", ""))
    assert status == REFUSED[installer.kind] or (unread and status == INVALID_COMMAND_LINE & 255)
    assert installer.version() is None
    assert installer.remembered() is None


@full
@pytest.mark.parametrize("server", ["192.0.2.7", "[2001:db8::7]:10022", "2001:db8::7"])
def test_addresses_are_taken_as_they_are(installer, server):
    assert installer.install(OLD, SERVER=server) == 0
    assert installer.remembered()["Server"] == server


def test_predecessor_has_to_go_first(installer):
    pc, key = installer.pc, r"HKLM\Software\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{1234}"
    pc.run("reg", "add", key, "/v", "DisplayName", "/d", "PRA PLUS Client", "/f").ok()
    try:
        assert installer.install(OLD) == REFUSED[installer.kind]
        assert installer.version() is None
        if installer.kind == "msi":
            assert b"OLDERCLIENT = PRA PLUS Client" in read(f"{pc.folder}/msi.log").replace(b"\0", b"")
    finally:
        pc.run("reg", "delete", key, "/f")
    assert installer.install(OLD) == 0


@full
def test_one_kind_does_not_install_over_the_other(installer):
    other = Installer("nsis" if installer.kind == "msi" else "msi", installer.packages, installer.pc)
    assert other.install(OLD) == 0
    try:
        assert installer.install(NEW) == REFUSED[installer.kind]
        assert installer.version() == OLD
    finally:
        other.remove(OLD)
    assert installer.install(NEW) == 0


def test_running_client_is_closed_first(installer):
    pc = installer.pc
    assert installer.install(OLD) == 0
    for step in (lambda: installer.install(NEW), lambda: installer.remove(NEW)):
        sign = f"{pc.folder}/stays"
        client = pc.process(f"{PROGRAM}\\pra.exe", "stay", pc.windows_path(sign))
        bystander = pc.process(f"Z:{TOOLS}/standin-{OLD}.exe".replace("/", "\\"), "stay", pc.windows_path(sign + "2"))
        try:
            wait_until(lambda: os.path.exists(sign) and os.path.exists(sign + "2"), 10, "both to run")
            assert step() == 0
            assert not client.running()
            assert bystander.running()  # only what runs from the folder of the installation
        finally:
            client.stop()
            bystander.stop()
            os.unlink(sign)
            os.unlink(sign + "2")


# --- the packages as files ------------------------------------------------------------------------
def verify(packages, path):
    return subprocess.run(["osslsigncode", "verify", "-CAfile", f"{packages}/test-sign.pem", "-in", path],
                          capture_output=True).returncode


@pytest.mark.parametrize("name", [f"PRA-{NEW}-ja.msi", pytest.param(f"PRA-{NEW}-en.msi", marks=full),
                                  f"PRA-{NEW}-setup.exe"])
def test_signature_holds_and_a_changed_byte_breaks_it(packages, name, folder):
    assert verify(packages, f"{packages}/{name}") == 0
    data = bytearray(read(f"{packages}/{name}"))
    data[len(data) // 3] ^= 1
    with open(f"{folder}/{name}", "wb") as f:
        f.write(data)
    assert verify(packages, f"{folder}/{name}") != 0
    assert verify(packages, f"{packages}/{name.replace(NEW, OLD)}") != 0  # not signed at all


def test_programs_inside_are_signed_as_well(packages, windows_pc):
    installer = Installer("msi", packages, windows_pc)
    assert installer.install(NEW) == 0
    try:
        for name in ("pra.exe", "pra-tray.exe"):
            assert verify(packages, windows_pc.unix_path(f"{PROGRAM}\\{name}")) == 0
    finally:
        installer.remove(NEW, REMOVEKEYS=1)


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_keys_and_logs_are_in_no_table(packages, lang):
    path = f"{packages}/PRA-{NEW}-{lang}.msi"
    for table in ("File", "Directory", "Component", "Registry"):
        content = run(["msiinfo", "export", path, table]).ok().out.lower()
        for word in ("prakey", "localappdata", "commonappdata", "config.ini", "system.log"):
            assert word not in content, (table, word)


@full
def test_the_same_programs_make_the_same_product(packages, folder):
    """Product codes are made of the content, so a package that is built again installs over itself."""
    make_packages(folder, "msi", OLD)
    codes = [run(["msiinfo", "export", f"{where}/PRA-{OLD}-ja.msi", "Property"]).ok().out for where in (folder, packages)]
    assert codes[0] == codes[1]
