"""Windows made of wine: its environment, programs run in it, and prefixes.

A prefix is a folder with a registry and a C: drive, served by one wineserver. A fresh Windows 10 is made once a build
folder (10 s of a processor) and copied for whoever needs one (1 s).
"""

import fcntl
import glob
import os
import shutil
import subprocess
import tempfile

from lib import procs
from lib.gateway import program
from lib.procs import Result

WINE = "/usr/lib/wine/wine64"
SERVER = "/usr/lib/wine/wineserver"
# Neither .NET nor a browser is asked for, and the host's menus are left alone.
OVERRIDES = "mscoree=;mshtml=;winemenubuilder.exe=d"
TEMPLATE = "windows/wine-template"
LIMIT_S = 180
# Windows' fonts for our languages, drawn with one that has the letters.
FONTS = ("Meiryo UI", "Yu Gothic UI", "Segoe UI", "Tahoma", "MS Shell Dlg", "MS Shell Dlg 2", "MS UI Gothic",
         "MS Sans Serif", "System", "Arial")
REPLACEMENT = "Noto Sans CJK JP"


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


def environment(prefix, **more):
    """What a program needs to run in a prefix. None takes away."""
    return {
        "WINEPREFIX": str(prefix), "WINEARCH": "win64", "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        "WINEDLLOVERRIDES": OVERRIDES, "DISPLAY": None, **more,
    }


def windows_path(path):
    """A file of the host, as programs of Windows see it."""
    return "Z:" + str(path).replace("/", "\\")


def run(argv, env, input=None, timeout=60, cwd=None):
    """
    As procs.run(). Output goes to files: wine's services, which the first program starts, inherit it, and a pipe
    would not end before they do. An exit status is cut to 8 bits.
    """
    argv = [str(a) for a in argv]
    stdin = {"input": input.encode()} if input is not None else {"stdin": subprocess.DEVNULL}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        done = subprocess.run(argv, stdout=out, stderr=err, env=procs.environment(env), timeout=timeout, cwd=cwd,
                              **stdin)
        out.seek(0)
        err.seek(0)
        done.stdout, done.stderr = out.read(), err.read()
    return Result(argv, done)


def make_once(prefix, prepare=None):
    """A prefix that stays, unless it is there already. Of several at a time one makes it, the others wait."""
    prefix = str(prefix)
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    with open(f"{prefix}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(f"{prefix}/.ready"):
            return
        shutil.rmtree(prefix, ignore_errors=True)
        copy_fresh_prefix(prefix)
        if prepare:
            prepare()
        open(f"{prefix}/.ready", "w").close()


def import_registry(env, path, lines):
    """Writes `lines` into the registry, by the file `path`."""
    with open(path, "w", encoding="utf-16") as f:
        f.write("\r\n".join(["Windows Registry Editor Version 5.00", *lines]) + "\r\n")
    run([WINE, "regedit", windows_path(path)], env).ok()


def font_lines(fonts=FONTS, replacement=REPLACEMENT):
    return [r"[HKEY_CURRENT_USER\Software\Wine\Fonts\Replacements]"] + [f'"{name}"="{replacement}"' for name in fonts]


def desktop_lines(name, size):
    """A desktop of wine's own: captions, taskbar, and one place for all programs."""
    return [r"[HKEY_CURRENT_USER\Software\Wine\Explorer]", f'"Desktop"="{name}"',
            r"[HKEY_CURRENT_USER\Software\Wine\Explorer\Desktops]", f'"{name}"="{size}"']


def end_server(env):
    """Ends all that runs in a prefix, and waits until the registry is written."""
    procs.run([SERVER, "-k"], env=env)
    procs.run([SERVER, "-w"], env=env, timeout=60)
