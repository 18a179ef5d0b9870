#!/usr/bin/python3
"""Rules of the house that no tool knows: who may include whom, banned calls, sizes, left-overs.

    packaging/check/lint.py              check the tree
    packaging/check/lint.py --self-test  check that each rule finds what it is for

Prints "file:line: what" for each finding; exit 1 if there is any.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FILE_LINES_MAX = 600

# --- who may include whom ------------------------------------------------------------------
# Folders of ours that a folder may include from; tests may include anything.
MAY_INCLUDE = {
    "common": ["common"],
    "keys": ["common", "keys"],
    "client": ["common", "keys", "client"],
    "server": ["common", "keys", "server"],
    "packaging": ["common", "packaging"],
}

# Third-party headers and the only files that may include them (regular expressions).
ONLY_IN = {
    r"libssh2": r"client/(session|channel)[a-z0-9_]*\.[ch]",
    r"libssh/": r"server/prad/[a-z0-9_]+\.[ch]",
    r"sqlite3\.h": r"server/store/store_sqlite[a-z0-9_]*\.[ch]",
    r"openssl/": r"(common/crypto[a-z0-9_]*|server/portal/tls|server/passkey/main)\.[ch]",
    r"fido(/|\.h)": r"server/passkey/passkey\.c",
    r"ini\.h": r"common/conf\.c",
    r"uv\.h": r"client/[a-z0-9_]+\.[ch]",
    r"(gtk|gdk|gio|glib|cairo|libdbusmenu)[a-z0-9-]*[/.]": r"client/tray/[a-z0-9_]+_gtk\.[ch]",
    r"qrencode\.h": r"server/(portal/qr|pra-admin_factor)\.c",
    r"liboath/": r"server/admin/admin_totp\.c",
    r"zlib\.h": r"(client/archive|server/bundle/unzip)\.c",
    r"seccomp\.h": r"server/sandbox/calls\.c",
    r"curl/": r"server/mailer/[a-z0-9_]+\.[ch]",
    r"event2/": r"server/[a-z0-9_/]+\.[ch]",
}

# policy answers from its arguments alone: no I/O, no clock, no environment, no other module.
POLICY = r"server/policy/"
POLICY_SYSTEM = {"ctype.h", "inttypes.h", "limits.h", "stdarg.h", "stdatomic.h", "stdbool.h",
                 "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h"}
POLICY_OURS = {"common/addr.h", "common/err.h"}
POLICY_CALLS = r"(?:v?f?printf|f?puts|putchar|fopen|fread|fwrite|fclose|getenv|setenv|time|clock_gettime)"

# The tray is a thin client: it knows the agent by its socket only. What tray_state.c computes is the
# same on every system.
TRAY = r"client/tray/"
TRAY_NEVER = re.compile(r"client/(agent|session|channel|forward|control|dial|check)[a-z_]*\.h")
TRAY_PURE = re.compile(r"client/tray/(tray_state|texts|words|attempt|follow|pool_state|prefs)\.[ch]")
TRAY_PURE_NEVER = re.compile(r"gtk/|gdk/|gio/|glib|cairo|unistd\.h|time\.h|sys/")

# --- banned calls --------------------------------------------------------------------------
BANNED = {
    "strcpy": "snprintf", "strcat": "snprintf", "sprintf": "snprintf", "vsprintf": "vsnprintf",
    "strncpy": "memcpy or snprintf", "strncat": "snprintf", "stpcpy": "memcpy",
    "strtok": "strcspn or strtok_r", "atoi": "strtol with checks", "atol": "strtol with checks",
    "atoll": "strtoll with checks", "atof": "strtod with checks", "gets": "getline",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "ctime": "timefmt", "asctime": "timefmt",
    "system": "posix_spawn", "popen": "posix_spawn", "tmpnam": "mkstemp", "tempnam": "mkstemp",
    "mktemp": "mkstemp", "rand": "crypto_random", "srand": "crypto_random",
    "random": "crypto_random", "alloca": "malloc", "gethostbyname": "getaddrinfo",
    "inet_addr": "addr_parse_ip", "inet_aton": "addr_parse_ip", "inet_ntoa": "addr_format_ip",
    "bzero": "memset or crypto_wipe", "vfork": "posix_spawn",
}
# Tests that roll dice must be able to roll the same ones again.
BANNED_IN_TESTS = set(BANNED) - {"rand", "srand", "random"}
BANNED_RE = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")

# --- left-overs ----------------------------------------------------------------------------
# Built from pieces, so that this file does not find itself.
LEFTOVER_RE = re.compile(r"\b(" + "TO" "DO|FIX" "ME|XX" r"X)\b")
MACHINE_RE = re.compile(r"/wo" r"rk/(?:main|shared|\.library)|/tmp/" r"pra/|/root/\.|/home/\w+/")
REGISTRY_RE = re.compile(r"\b(?:deb|security)\.debian" r"\.org|pypi" r"\.org|registry\.npmjs" r"\.org")

SOURCE = {".c", ".h"}
SIZED = {".c", ".h", ".py", ".sh", ".js", ".css", ".html"}
TEXT = SOURCE | SIZED | {".md", ".def", ".ini", ".example", ".service", ".socket", ".txt", ".1",
                         ".5", ".8", ".patch", ".yml", ""}

INCLUDE_RE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def without_comments_and_strings(text):
    """The same text with comments and literals blanked; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_include(path, kind, name):
    """What is wrong with one #include of `path`, or None."""
    area = path.split("/", 1)[0]
    if path.startswith(POLICY):
        if kind == "<" and name not in POLICY_SYSTEM:
            return f"policy is pure: it may not include <{name}>"
        if kind == '"' and name not in POLICY_OURS and not name.startswith(POLICY):
            return f'policy is pure: it may not include "{name}"'
    if path.startswith(TRAY) and TRAY_NEVER.match(name):
        return f'the tray is a client of the agent: it may not include "{name}"'
    if TRAY_PURE.fullmatch(path) and TRAY_PURE_NEVER.match(name):
        return f"what both systems' windows share may not include <{name}>"
    if kind == '"':
        if area != "tests" and not (ROOT / name).is_file():
            return f'"{name}" is not written from the root of the tree'
        if area in MAY_INCLUDE and name.split("/", 1)[0] not in MAY_INCLUDE[area]:
            return f'{area} may not include "{name}"'
    if area != "tests":
        for header, allowed in ONLY_IN.items():
            if re.match(header, name) and not re.fullmatch(allowed, path):
                return f"<{name}> may be included by {allowed} only"
    return None


def check_source(path, text):
    """Findings of one C file as (line, what)."""
    code = without_comments_and_strings(text)
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE_RE.match(line)
        if include:
            wrong = check_include(path, include.group(1), include.group(2))
            if wrong:
                yield number, wrong
    for number, line in enumerate(code.splitlines(), 1):
        for call in BANNED_RE.finditer(line):
            if path.startswith("tests/") and call.group(1) not in BANNED_IN_TESTS:
                continue
            yield number, f"{call.group(1)}() is banned: use {BANNED[call.group(1)]}"
        if re.match(r"\s*#\s*if\s+0\b", line):
            yield number, "code that is never compiled"
        if path.startswith(POLICY) and re.search(rf"(?<!\w){POLICY_CALLS}\s*\(", line):
            yield number, "policy is pure: no I/O, clock or environment"


def check_text(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if path.endswith(".patch") and line[:1] in (" ", "-"):
            continue  # what a library's own authors left over, moved or removed by us
        if LEFTOVER_RE.search(line):
            yield number, "left-over mark: finish it or file an issue"
        if MACHINE_RE.search(line):
            yield number, "names a path of one machine"
        if REGISTRY_RE.search(line):
            yield number, "names a registry host"
        if line.startswith(("<<<<<<< ", ">>>>>>> ")):
            yield number, "conflict mark"


def check_file(path, text):
    suffix = Path(path).suffix
    findings = []
    if suffix in SOURCE:
        findings += check_source(path, text)
    findings += check_text(path, text)
    lines = text.count("\n")
    if suffix in SIZED and lines > FILE_LINES_MAX:
        findings.append((lines, f"{lines} lines; a file is a sitting, at most {FILE_LINES_MAX}"))
    return findings


# --- modules of the page: there is no bundler that would see a name that nobody exports -----
IMPORT_RE = re.compile(r"^import \{([^}]*)\} from '\./([\w-]+\.js)'", re.M)
EXPORT_RE = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) ([\w$]+)", re.M)


def check_imports(modules):
    """modules: name -> text. What is imported from a module that is not among them is not looked at."""
    exported = {name: set(EXPORT_RE.findall(text)) for name, text in modules.items()}
    for name, text in modules.items():
        for found in IMPORT_RE.finditer(text):
            for word in found[1].replace("\n", " ").split(","):
                word = word.split(" as ")[0].strip()
                if word and found[2] in exported and word not in exported[found[2]]:
                    yield name, text.count("\n", 0, found.start()) + 1, f"{found[2]} exports no '{word}'"


WORD_RE = re.compile(r"^  '?([\w$-]+)'?: \[", re.M)


def check_words(modules):
    """modules: name -> text of those that hold words; the later of two with one key would hide the other."""
    seen = {}
    for name, text in modules.items():
        for found in WORD_RE.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            if found[1] in seen:
                yield name, line, f"'{found[1]}' stands in {seen[found[1]]} already"
            seen[found[1]] = f"{name}:{line}"


def files():
    """Tracked files and new ones that are not ignored; without git, every file."""
    try:
        out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], cwd=ROOT, check=True,
                             capture_output=True).stdout
        names = sorted({os.fsdecode(name) for name in out.split(b"\0") if name})
    except (OSError, subprocess.CalledProcessError):
        names = sorted(str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                       if p.is_file() and not p.relative_to(ROOT).parts[0].startswith("build"))
    return [n for n in names if Path(n).suffix in TEXT and (ROOT / n).is_file()
            and not n.startswith(("tests/fuzz/corpus/", "LICENSE"))]


def self_test():
    """Each rule on a line that breaks it, and on one that does not."""
    broken = [
        ("common/a.c", '#include "keys/key.h"'), ("keys/a.c", '#include "client/agent.h"'),
        ("client/a.c", '#include "server/README.md"'), ("server/a.c", '#include "client/agent.h"'),
        ("client/a.c", '#include "agent.h"'), ("client/agent.c", "#include <libssh2.h>"),
        ("server/store/store.c", "#include <sqlite3.h>"), ("keys/a.c", "#include <openssl/evp.h>"),
        ("server/audit/a.c", "#include <libssh/server.h>"),
        ("client/cli.c", "#include <gtk/gtk.h>"), ("client/tray/app.c", "#include <glib.h>"),
        ("client/tray/window_gtk.c", "#include <libssh2.h>"), ("client/tray/window_gtk.c", "#include <uv.h>"),
        ("client/tray/window_gtk.c", '#include "client/session.h"'),
        ("server/policy/p.c", "#include <time.h>"), ("server/policy/p.c", '#include "common/os.h"'),
        ("server/policy/p.c", "x = time(NULL);"), ("common/a.c", "  strcpy(a, b);"),
        ("common/a.c", "x = (atoi (s));"), ("common/a.c", "#if 0"),
        ("common/a.c", "x = rand();"), ("tests/unit/a.c", "strcpy(a, b);"),
        ("common/a.c", "/* TO" "DO */"), ("a.patch", "+/* TO" "DO */"), ("a.md", "see /wo" "rk/main/x"),
        ("a.py", "x\n" * (FILE_LINES_MAX + 1)),
    ]
    clean = [
        ("common/a.c", '#include "common/err.h"'), ("client/session.c", "#include <libssh2.h>"),
        ("client/channel_pump.c", "#include <libssh2.h>"), ("tests/raw/a.c", "#include <libssh2.h>"),
        ("server/prad/a.c", "#include <libssh/server.h>"),
        ("server/store/store_sqlite_x.h", "#include <sqlite3.h>"),
        ("client/tray/window_gtk.c", "#include <gtk/gtk.h>"), ("client/tray/link.c", '#include "client/ipc.h"'),
        ("server/policy/p.c", "#include <string.h>"), ("server/policy/p.c", "n = snprintf(d, 9, f);"),
        ("server/policy/p.c", "x = next_time(q);"), ("common/a.c", "snprintf(a, 3, b);"),
        ("common/a.c", 'log("strcpy(a, b)"); /* strcpy(a) */'), ("common/a.c", "my_system(x);"),
        ("common/a.c", "s->random(x);"), ("tests/unit/a.c", "srand(1);"), ("common/a.c", 'mkstemp("XXXXXX");'),
        ("a.py", "x\n" * FILE_LINES_MAX), ("a.patch", "-/* TO" "DO */"),
    ]
    wrong = [f"not found: {p}: {t[:60]}" for p, t in broken if not check_file(p, t)]
    wrong += [f"found: {p}: {t[:60]}: {check_file(p, t)}" for p, t in clean if check_file(p, t)]
    modules = {"a.js": "export const x = 1;\nexport async function y() {\n",
               "b.js": "import {x, y as z} from './a.js';\nimport {html} from './preact.js';\n",
               "c.js": "\nimport {x, y2} from './a.js';\n"}
    if list(check_imports(modules)) != [("c.js", 2, "a.js exports no 'y2'")]:
        wrong.append(f"imports: {list(check_imports(modules))}")
    if list(check_words({"a.js": "  x: ['', ''],\n  'y-z': ['', ''],\n", "b.js": "\n  'y-z': ['',\n"})) != [
            ("b.js", 2, "'y-z' stands in a.js:2 already")]:
        wrong.append("words with one key")
    print("\n".join(wrong) if wrong else f"{len(broken) + len(clean) + 5} cases of the rules passed")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    count = 0
    for name in files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            print(f"{name}:1: is not UTF-8")
            count += 1
            continue
        for line, what in check_file(name, text):
            print(f"{name}:{line}: {what}")
            count += 1
    page = {p.name: p.read_text(encoding="utf-8") for p in sorted((ROOT / "server/portal/page").glob("*.js"))}
    words = {name: text for name, text in page.items() if name.startswith(("i18n", "words_"))}
    for name, line, what in [*check_imports(page), *check_words(words)]:
        print(f"server/portal/page/{name}:{line}: {what}")
        count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
