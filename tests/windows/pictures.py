#!/usr/bin/python3
"""`make screenshots`: a picture of every page of the Windows installers, both kinds, both languages.

    tests/windows/pictures.py [FOLDER]

For looking at; they do not belong into the tree.
"""

import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.installers import OLD, Installer, make_packages, walk_to_the_end, wizard_of  # noqa: E402
from lib.screen import Screen  # noqa: E402
from lib.wine import Wine  # noqa: E402


def photographer(pc, folder, kind, lang):
    def photo(name):
        pc.windows.picture(f"{folder}/{kind}-{lang}-{name}.png")
    return photo


def one_kind(installer, lang, folder):
    pc = installer.pc
    w = wizard_of(installer, OLD, lang)
    pc.windows = w.windows
    w.photo = photographer(pc, folder, installer.kind, lang)
    walk_to_the_end(installer, w)
    w.press("launch")
    w.press("close")
    w.ended()
    w.stop()

    w = wizard_of(installer, OLD, lang)
    w.photo = photographer(pc, folder, installer.kind, lang)
    w.page(w.w["remove"], "8-maintain")
    w.press("remove")
    w.press("finish")
    if installer.kind == "nsis":
        w.title = w.w["uninstall_title"]
        w.page(w.w["uninstall"], "9-confirm")
        w.press("uninstall")
    w.page(w.w["ask"], "9-question")
    w.press("yes" if installer.kind == "msi" else "Yes")
    w.page(w.w["close"], "10-removed")
    w.press("close")
    w.ended()
    w.stop()


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="pra-pictures-")
    os.makedirs(folder, exist_ok=True)
    work = tempfile.mkdtemp(prefix="pra-t-")
    screen = Screen(work, 1000, 700).start()
    pc = Wine(work, screen.display)
    try:
        pc.start()
        for kind in ("msi", "nsis"):
            make_packages(f"{work}/packages", kind, OLD)
            for lang in ("ja", "en"):
                one_kind(Installer(kind, f"{work}/packages", pc), lang, folder)
    finally:
        pc.stop()
        screen.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(f"{len(os.listdir(folder))} pictures in {folder}")


if __name__ == "__main__":
    main()
