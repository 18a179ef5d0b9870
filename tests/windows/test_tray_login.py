"""Starting at login: the user's own entry, the installer's for everybody, and the switch of Windows' own settings."""

import pytest

from lib.windesk import configure

SETTINGS = 211  # in the menu bar (test_tray_windows.py)
BOX = "Start PRA at login"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"


def registry_value(tray, key):
    """Its text as reg shows it, "" where there is none."""
    done = tray.wine.run("reg", "query", key, "/v", "PRA")
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


@pytest.fixture
def run_entries(make_tray, home):
    """A tray that is set up, on a PC whose installer has written the entry for everybody."""
    configure(home)
    tray = make_tray()
    tray.wine.run("reg", "add", rf"HKLM\{RUN}", "/v", "PRA", "/d", r"C:\PRA\pra-tray.exe --autostart", "/f")
    yield tray
    for root, key in (("HKLM", RUN), ("HKCU", RUN), ("HKLM", APPROVED), ("HKCU", APPROVED)):
        tray.wine.run("reg", "delete", rf"{root}\{key}", "/v", "PRA", "/f")


def change_autostart(tray, was, on):
    """Finds the box as it `was`, sets it; both in the options."""
    tray.menu(SETTINGS)
    tray.wait_title("Options")
    assert tray.checked(BOX) == was
    tray.check(BOX, on)
    tray.press("OK", "Options")
    tray.gone("Options")


def test_start_at_everybodys_login_is_shown_and_each_user_switches_it(run_entries):
    tray = run_entries
    change_autostart(tray, was=True, on=False)
    assert "REG_BINARY    03000000" in registry_value(tray, rf"HKCU\{APPROVED}")  # as Task Manager does it
    assert "--autostart" in registry_value(tray, rf"HKLM\{RUN}")  # of everybody
    tray.stop()
    assert tray.launch("--autostart").wait(20) == 0  # though the entry is still there
    tray.process = tray.launch()
    change_autostart(tray, was=False, on=True)
    # It is everybody's entry again, not a second one.
    assert registry_value(tray, rf"HKCU\{APPROVED}") == registry_value(tray, rf"HKCU\{RUN}") == ""
    change_autostart(tray, was=True, on=True)


@pytest.mark.parametrize("root", ["HKCU", "HKLM"])
def test_start_at_login_that_was_switched_off_in_task_manager_is_shown_and_switched_on(run_entries, root):
    tray = run_entries
    tray.wine.run("reg", "add", rf"{root}\{APPROVED}", "/v", "PRA", "/t", "REG_BINARY", "/d", "0700000001", "/f")
    change_autostart(tray, was=False, on=True)
    # What an administrator has switched off for everybody a user has by an entry of his own.
    assert ("--background" in registry_value(tray, rf"HKCU\{RUN}")) == (root == "HKLM")
    change_autostart(tray, was=True, on=False)
    assert registry_value(tray, rf"HKCU\{RUN}") == ""


def test_start_at_login_waits_for_settings(make_tray, home):
    tray = make_tray(options=["--autostart"])
    assert tray.process.wait(20) == 0
    configure(home)
    tray.process = tray.launch("--autostart")
    assert "PRA" in tray.hidden()["text"]
    assert not tray.windows()
