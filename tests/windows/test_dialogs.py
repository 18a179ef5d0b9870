"""The installers' windows in both languages (A1, A13): every page seen, every answer given.

Buttons are pressed by posted messages (press.c); one way through is by keyboard alone.
"""

import os

import pytest

from lib.installers import FINGERPRINT, NEW, OLD, PROGRAM, Installer, Wizard, walk_to_the_end, wizard_of
from lib.procs import run, wait_until
from lib.wineprefix import import_registry

full = pytest.mark.windows_full
LANGUAGES = ["ja", pytest.param("en", marks=full)]


@pytest.fixture
def wizard(installer):
    """Starts wizards; what a test leaves open is ended."""
    made = []

    def start(version, lang, *words):
        made.append(wizard_of(installer, version, lang, *words))
        return made[-1]

    yield start
    for w in made:
        w.stop()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_lead_to_an_installation(installer, wizard, lang):
    w = wizard(OLD, lang)
    walk_to_the_end(installer, w)
    assert "x" in w.windows.state(w.title, w.w["launch"])
    w.press("launch")
    w.press("close")
    assert w.ended() == 0
    installer.installed = (OLD, lang)
    assert installer.version() == OLD
    assert installer.remembered() == {"Server": "gw.example.com", "Fingerprint": FINGERPRINT, "Autostart": "on1",
                                      "Desktop": "on1"}


@pytest.mark.parametrize("answer", ["no", pytest.param("yes", marks=full)])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_run_again_it_removes_and_asks_about_the_data(installer, wizard, lang, answer):
    assert installer.install(OLD, lang, SERVER="gw.example.com") == 0
    installer.leave_data()
    w = wizard(OLD, lang)
    text = w.page(w.w["remove"], "8-maintain")
    assert w.w["finish"] in text
    w.press("remove")
    w.press("finish")
    if installer.kind == "nsis":
        w.title = w.w["uninstall_title"]
        w.page(w.w["uninstall"], "9-confirm")
        w.press("uninstall")
    text = w.page(w.w["ask"], "9-ask")
    assert w.w["again"] in text
    if installer.kind == "msi":
        assert "f" in w.windows.state(w.title, w.w["no"])  # Enter says no
    w.press(answer if installer.kind == "msi" else {"no": "No", "yes": "Yes"}[answer])
    if installer.kind == "msi":
        w.page(w.w["removed"], "10-removed")
        w.press("close")
    else:
        w.page(w.w["close"], "10-removed")
        w.press("close")
    assert w.ended() == 0
    assert installer.version() is None
    assert installer.has_data() == [answer == "no"] * 2


@full
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_run_again_it_repairs(installer, wizard, lang):
    assert installer.install(OLD, lang) == 0
    broken = installer.pc.unix_path(f"{PROGRAM}\\pra-tray.exe")
    with open(broken, "wb") as f:
        f.write(b"damaged")
    w = wizard(OLD, lang)
    w.page(w.w["remove"])
    w.press("repair")
    w.press("finish")
    w.page(w.w["close"])
    if installer.kind == "nsis":
        w.press("launch")
    w.press("close")
    assert w.ended() == 0
    assert os.path.getsize(broken) > 1000


@full
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_by_keyboard_alone(packages, windows_pc, lang):
    """Enter, Tab, blank and access keys, as xdotool types them into the screen."""
    installer = Installer("msi", packages, windows_pc)
    w = wizard_of(installer, OLD, lang)

    def keys(*names):
        for name in names:
            run(["xdotool", "key", "--clearmodifiers", name], env=windows_pc.env).ok()

    try:
        w.page(w.w["welcome"])
        keys("Return")
        w.page("Apache License")
        keys("alt+a")
        wait_until(lambda: "e" in w.windows.state(w.title, w.w["next"]), 10, "Next to be possible")
        keys("alt+n")
        w.page(w.w["options"])
        keys("alt+k", "alt+s")
        wait_until(lambda: "x" in w.windows.state(w.title, w.w["desktop"]), 10, "the shortcut to be chosen")
        wait_until(lambda: "x" not in w.windows.state(w.title, w.w["autostart"]), 10, "the start to be not")
        keys("alt+n")
        w.page(w.w["server"])
        run(["xdotool", "type", "gw.example.com:10022"], env=windows_pc.env).ok()
        keys("Tab")
        run(["xdotool", "type", FINGERPRINT], env=windows_pc.env).ok()
        keys("Return")
        w.page(w.w["install"])
        keys("Return")
        w.page(w.w["done"])
        keys("alt+l", "alt+c")
        assert w.ended() == 0
        assert installer.remembered() == {"Server": "gw.example.com:10022", "Fingerprint": FINGERPRINT,
                                          "Autostart": "on", "Desktop": "on1"}
    finally:
        w.stop()
        installer.remove(OLD, lang, REMOVEKEYS=1)


@full
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_bad_server_is_told_at_once(installer, wizard, lang):
    w = wizard(OLD, lang)
    w.page(w.w["welcome"])
    w.press("next")
    w.page(w.w["accept"])
    w.press("accept")
    for page in (["options"] if installer.kind == "msi" else [None, "options"]):
        wait_until(lambda: "e" in w.windows.state(w.title, w.w["next"]), 10, "Next to be possible")
        w.press("next")
        w.page(w.w[page] if page else PROGRAM)
    w.press("next")
    w.page(w.w["server"])
    w.windows.type(w.title, 0, "gw.example.com:notaport")
    w.press("next" if installer.kind == "msi" else "install")
    w.page(w.w["bad"])
    w.press("OK")
    w.page(w.w["server"])
    w.windows.type(w.title, 0, "gw.example.com")
    w.press("cancel")
    wait_until(lambda: len([1 for title, _ in w.windows.list() if title == w.title]) > 1, 10, "the question")
    w.press("yes" if installer.kind == "msi" else "Yes")
    if installer.kind == "msi":
        w.page(w.w["close"])
        w.press("close")
    w.ended()
    assert installer.version() is None
    assert installer.remembered() is None


@full
@pytest.mark.parametrize("answer", ["Yes", "No"])
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_list_of_programs_asks_about_the_data(packages, windows_pc, lang, answer):
    """What Windows runs for "uninstall" there: basic windows only, so no page of ours, but the question."""
    installer = Installer("msi", packages, windows_pc)
    assert installer.install(OLD, lang) == 0
    installer.leave_data()
    path = windows_pc.windows_path(installer.file(OLD, lang))
    w = Wizard(windows_pc, lang, "msiexec", "/x", path, "/qb")
    try:
        def question():
            return [(title, controls) for title, controls in w.windows.list()
                    if any(w.w["ask"] in text for _, _, text in controls)]
        title, controls = wait_until(question, 30, "the question")[0]
        assert "f" in next(state for _, state, text in controls if text == "No")  # Enter says no
        w.windows.click(title, answer)
        assert w.ended() == 0
        assert installer.version() is None
        assert installer.has_data() == [answer == "No"] * 2
    finally:
        w.stop()
        windows_pc.run("reg", "delete", r"HKLM\Software\PRA", "/f")


@full
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_refusals_are_said_in_words(installer, wizard, lang):
    pc, key = installer.pc, r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\Old"
    assert installer.install(NEW, lang) == 0
    for version, word, before in ((OLD, "newer", None), (NEW, "older", "PRA ポートフォワード")):
        if before:
            assert installer.remove(NEW, lang) == 0
            import_registry(pc.env, f"{pc.folder}/import.reg",
                            [key.replace("HKLM", "[HKEY_LOCAL_MACHINE") + "]", f'"DisplayName"="{before}"'])
        w = wizard(version, lang)
        try:
            def said():
                return [(title, text) for title, controls in w.windows.list() for _, _, text in controls
                        if w.w[word] in text]
            title, text = wait_until(said, 30, w.w[word])[0]
            assert not before or before in text
            w.windows.click(title, "OK")
            if installer.kind == "msi":
                w.page(w.w["close"])
                w.press("close")
            w.ended()
        finally:
            if before:
                pc.run("reg", "delete", key, "/f")
    assert installer.version() is None
