"""A fresh Windows 10 of wine: made once a build folder (10 s of a processor), copied for whoever needs one (1 s)."""

import fcntl
import glob
import os
import shutil
import subprocess

from lib.gateway import program

WINE = "/usr/lib/wine/wine64"
SERVER = "/usr/lib/wine/wineserver"
# Neither .NET nor a browser is asked for, and the host's menus are left alone.
OVERRIDES = "mscoree=;mshtml=;winemenubuilder.exe=d"
TEMPLATE = "windows/wine-template"
LIMIT_S = 180


def _make(prefix):
    home = f"{prefix}.home"
    os.makedirs(home, exist_ok=True)
    env = {**os.environ, "WINEPREFIX": prefix, "WINEARCH": "win64", "WINEDEBUG": "-all", "WINEDLLOVERRIDES": OVERRIDES,
           "LC_ALL": "C.UTF-8", "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
    env.pop("DISPLAY", None)
    for argv in ([WINE, "wineboot", "-i"], [WINE, "winecfg", "-v", "win10"], [SERVER, "-w"]):
        subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=LIMIT_S, check=True)
    # Desktop, Documents and the like lead to $HOME: each copy shall have its own.
    for path in glob.glob(f"{prefix}/drive_c/users/*/*"):
        if os.path.islink(path):
            os.unlink(path)
            os.mkdir(path)


def copy_fresh_prefix(prefix):
    """`prefix` is a folder that is not there yet. No program of it runs afterwards."""
    template = program(TEMPLATE)
    os.makedirs(os.path.dirname(template), exist_ok=True)
    with open(f"{template}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(template):
            shutil.rmtree(f"{template}.new", ignore_errors=True)
            _make(f"{template}.new")
            os.rename(f"{template}.new", template)
    # Whole in its place or not at all, however a run ends.
    shutil.rmtree(f"{prefix}.new", ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", template, f"{prefix}.new"], timeout=LIMIT_S, check=True)
    os.rename(f"{prefix}.new", prefix)
