"""Words of the demo on a terminal: two languages, headings, commands and what they printed."""

import os
import sys
import textwrap
import unicodedata


def _japanese():
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return os.environ[name].startswith("ja")
    return False


JAPANESE = _japanese()
COLOUR = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
WIDTH = 96


def tr(en, ja):
    return ja if JAPANESE else en


def _paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def heading(text):
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    print("\n" + _paint("1", f"── {text} " + "─" * max(3, WIDTH - 4 - width)), flush=True)


def say(text):
    if JAPANESE:  # Japanese has no blanks to wrap at; its lines are broken by hand
        print(text, flush=True)
    else:
        indent = " " * (len(text) - len(text.lstrip()))
        print(textwrap.fill(text, WIDTH, subsequent_indent=indent), flush=True)


def command(words):
    print(_paint("36", "  $ " + words), flush=True)


def output(text):
    for line in text.rstrip().splitlines():
        print(_paint("2", "    " + line), flush=True)


def good(text):
    print(_paint("32", "  ✓ " + text), flush=True)


def table(rows):
    def width(cell):
        return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in cell)
    columns = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("    " + "   ".join(c + " " * (w - width(c)) for c, w in zip(row, columns)).rstrip(),
              flush=True)
