"""Fixtures of the tests of the Windows packages: the packages, one PC with a screen, one installer."""

import concurrent.futures
import glob
import os
import shutil
import tempfile

import pytest

from lib import machines, windesk
from lib.installers import BUILD, NEW, OLD, ROOT, Installer, make_packages
from lib.procs import run
from lib.screen import Screen
from lib.wine import Wine


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    """Two PCs, two workers: one for the tray's windows, one for the installers."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("tray" if "wine" in item.fixturenames else "installers"))


def make(*targets):
    """Nothing to do where `make test` has built them; minutes where the libraries for Windows are missing, too."""
    # By the name that the makefile has for it: what depends on a header is noted by name.
    run(["make", "-s", "-j2", "-C", ROOT, f"BUILD={os.path.relpath(BUILD, ROOT)}", *targets], timeout=900,
        env={"MAKEFLAGS": None, "MAKELEVEL": None}).ok()


@pytest.fixture(scope="session")
def installer_parts():
    make("tests-windows", "windows-test-tools")


@pytest.fixture(scope="session")
def packages(installer_parts):
    """Both kinds in two versions; the newer ones are signed with a certificate made on the spot."""
    folder = tempfile.mkdtemp(prefix="pra-t-")
    make_packages(folder, "nsis", NEW, SIGN="test")  # makes the certificate

    def make_one(kind, version, **env):
        make_packages(f"{folder}/{kind}-{version}", kind, version, **env)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        made = [pool.submit(make_one, "msi", OLD), pool.submit(make_one, "nsis", OLD),
                pool.submit(make_one, "msi", NEW, SIGN="test", SIGN_WORK=folder)]
    for one in made:
        one.result()
    for path in glob.glob(f"{folder}/*/PRA-*"):
        os.rename(path, f"{folder}/{os.path.basename(path)}")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def windows_pc():
    folder = tempfile.mkdtemp(prefix="pra-t-")
    screen = Screen(folder, 1000, 700).start()
    wine = Wine(folder, screen.display)
    try:
        yield wine.start()
    finally:
        wine.stop()
        screen.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["msi", "nsis"])
def installer(request, packages, windows_pc):
    made = Installer(request.param, packages, windows_pc)
    yield made
    if made.version():  # whatever a test has left
        made.remove(*(made.installed or (OLD, "ja")), REMOVEKEYS=1)
    for path in (f"{windows_pc.user_folder()}/AppData/Local/Pra", f"{windows_pc.drive}/ProgramData/Pra"):
        shutil.rmtree(path, ignore_errors=True)
    windows_pc.run("reg", "delete", r"HKLM\Software\PRA", "/f")


@pytest.fixture(scope="session")
def wine():
    """The desktop of pra-tray.exe."""
    make("tests-windows")
    w = windesk.Wine()
    try:
        yield w.start()
    finally:
        w.stop()


@pytest.fixture
def home(folder):
    return f"{folder}/home"


@pytest.fixture
def make_tray(wine, home):
    trays = []

    def make(lang="en", options=(), **kwargs):
        os.makedirs(home, exist_ok=True)
        machines.write(f"{home}/machine.json", machines.OFFICE_PC)
        trays.append(windesk.WinTray(wine, home, lang, options, env={
            "PRA_TEST_MACHINE": windesk.windows_path(f"{home}/machine.json"), "PRA_TEST_FOREIGN_PEERS": "1"}, **kwargs))
        return trays[-1]
    yield make
    for t in trays:
        t.stop()
