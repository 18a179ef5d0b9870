"""Hostile text in every argument of every operation, in every option of every command and in every setting (quality 22): a
clear error or harmless text, nothing lost, nothing executed. The lists are read from the sources and from --help: what is
added there is asked here, or fails here for want of a plausible value of what else it needs."""

import json
import os
import re
import socket
import subprocess

import pytest

from lib.gateway import program
from lib.procs import run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HUGE = 10 << 20

# Plausible values of arguments that an operation needs besides the hostile one. A new name has to be added.
PLAUSIBLE = {
    "account": "tanaka", "auth-data": "00", "channel": "1", "client-data": "00", "code": "123456", "credential": "00",
    "csv": "name\n", "days": 3, "ends": "2030-01-01T00:00:00Z", "fingerprint": "SHA256:" + "A" * 43, "format": "csv", "full-name": "Suzuki", "group": "sales",
    "host": "gw.example", "id": 1, "local": "127.0.0.1:8080", "line": "ssh-ed25519 AAAA x", "mail": "a@example.com", "minimum": "critical",
    "month": "2026-10", "name": "suzuki", "names": "corp.example", "network": "192.0.2.0/24", "new-proof": "0" * 64, "offset": 0,
    "position": 1, "proof": "0" * 64, "role": "admin", "salt": "0" * 32, "scopes": "read", "server": "gw.example",
    "severity": "warning", "signature": "00", "target": "mail:110", "until": "1h", "user": "suzuki", "address": "a@example.com", "after": "5s",
    "binding": "bound", "policy": "allow", "session": "0" * 32, "reason": "x", "hours": 1, "note": "x",
}
# Text that is an error wherever it stands, as it would be written into a line of JSON.
NEVER = {"invalid UTF-8": b'"\xff\xfe"', "half a letter": b'"\xe3\x81"', "a surrogate": b'"\xed\xa0\x80"', "NUL": b'"a\\u0000b"'}
# Text that may be somebody's, but must stay text.
TEXT = ["'; DROP TABLE users; --", '"', "$(touch {mark})", "`touch {mark}`", "a\nb", "\x1b[2J", "../../../etc/passwd", "%n%s%n", "\u202eabc"]


def operations():
    """{operation: {argument: (kind, needed)}} of server/admin/admin_table.c."""
    with open(f"{ROOT}/server/admin/admin_table.c") as f:
        text = f.read()
    table = text[text.index("operations[] = {"):]
    table = table[:table.index("\n};")]
    paged = re.findall(r'(TEXT|INT)\("([a-z-]+)"', text[text.index("#define PAGED"):text.index("/* Which audit")])
    filters = re.findall(r'(TEXT)\("([a-z-]+)"', text[text.index("#define AUDIT_FILTER"):text.index("#define PROOF_ARG")])
    found = {}
    for entry in re.split(r'\n    \{(?=")', table)[1:]:
        args = re.findall(r'\b([A-Z_]+)\("([a-z-]+)"', entry)
        args += paged * ("PAGED" in entry) + filters * ("AUDIT_FILTER" in entry)
        found[re.match(r'"([^"]+)"', entry)[1]] = {
            name: ("int" if "INT" in kind or "DAYS" in kind else "bool" if kind == "FLAG" else "list" if kind == "LIST" else "text",
                   kind.startswith("NEED") or kind == "HIDE") for kind, name in args}
    return found


class Socket:
    def __init__(self, gateway):
        self.gateway = gateway
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(os.path.join(gateway.dir, "admin.sock"))
        self.answers = self.socket.makefile("rb")

    def ask(self, line):
        self.socket.sendall(line + b"\n")
        answer = self.answers.readline()
        assert answer, f"no answer to {line[:100]!r}"
        return json.loads(answer)

    def with_value(self, op, args, name, raw):
        """The operation with plausible values of what it needs, and these bytes of JSON for one argument."""
        parts = [json.dumps(n).encode() + b":" + json.dumps(PLAUSIBLE[n]).encode() for n, (_, needed) in args.items()
                 if needed and n != name]
        parts.append(json.dumps(name).encode() + b":" + raw)
        return self.ask(b'{"op":' + json.dumps(op).encode() + b',"args":{' + b",".join(parts) + b"}}")


@pytest.fixture
def kept(gateway):
    """A gateway with a user and a rule, which must be there, and as they were, at the end."""
    gateway.add_user("suzuki")
    gateway.admin("group", "add", "sales")
    rule = gateway.add_rule("suzuki", "POP", "pop.example:110", 110)
    yield gateway
    assert gateway.process.running(), gateway.log()[-3000:]
    assert [u["enabled"] for u in gateway.admin("user", "list") if u["name"] == "suzuki"] == [True]
    assert [r for r in gateway.admin("rule", "list") if r["id"] == rule][0]["target"] == "pop.example:110"


def test_every_operation_has_plausible_arguments():
    found = operations()
    assert len(found) > 100
    missing = {n for args in found.values() for n, (_, needed) in args.items() if needed} - PLAUSIBLE.keys()
    assert not missing, f"give these a value in PLAUSIBLE: {missing}"


def test_text_that_is_none_is_refused_in_every_argument_of_every_operation(kept):
    s = Socket(kept)
    for op, args in operations().items():
        for name in args:
            for what, raw in NEVER.items():
                answer = s.with_value(op, args, name, raw)
                assert answer["ok"] is False, f"{op} {name}: {what}"
                assert len(json.dumps(answer)) < 2000


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_ten_megabytes_are_refused_in_every_operation(kept, every):
    s = Socket(kept)
    raw = b'"' + b"x" * HUGE + b'"'
    for op, args in list(operations().items())[::1 if every else 16]:
        texts = [n for n, (kind, _) in args.items() if kind == "text" and n != "csv"]
        for name in texts:
            answer = s.with_value(op, args, name, raw)
            assert answer["ok"] is False and len(json.dumps(answer)) < 2000, f"{op} {name}"


# What takes something away, or ends something: asked with hostile text only where that names something else.
TAKES = re.compile(r"\.(delete|disable|remove|revoke|reset|reissue|retry|drop|clear|kill|close|expire)$|^init$")


def test_code_stays_text_in_every_argument_of_every_operation(kept, folder):
    mark = os.path.join(folder, "executed")
    s = Socket(kept)
    for op, args in operations().items():
        for name, (kind, needed) in args.items():
            # The plausible values name what has to be there at the end.
            if kind != "text" or (TAKES.search(op) and not needed) or (op, name) == ("rule.import", "csv"):
                continue
            for value in TEXT:
                s.with_value(op, {n: a for n, a in args.items() if n == name or a[1]}, name,
                             json.dumps(value.format(mark=mark) if "{mark}" in value else value).encode())
        kept.admin_run("user", "enable", "suzuki")
    assert not os.path.exists(mark)


def commands(binary, names):
    """Every command with its options that take a value, from --help."""
    for words in names:
        text = run([binary, *words, "--help"]).ok().out
        yield words, re.findall(r"^\s+(?:-\w, )?(--[a-z-]+) (?! )\S", text, re.MULTILINE)


CLI_VALUES = [b"\xff\xfe", b"x" * 100_000, b"a\nb\x1b[2J'; DROP TABLE users; -- $(touch MARK) `touch MARK` %n%s",
              b"a\nb", b"\x1b[2J", b"'; DROP TABLE users; --", b"$(touch MARK)", b"%n%s", b"", b"-", b"--"]
EVERY_VALUE = pytest.mark.parametrize("count", [3, pytest.param(len(CLI_VALUES), marks=pytest.mark.soak)])


def assert_every_option_survives(binary, before, names, folder, count, env=None):
    mark = os.path.join(folder, "executed").encode()
    asked = 0
    for words, options in commands(binary, names):
        for option in options:
            for value in CLI_VALUES[:count]:
                argv = [binary, *before, *words, option, value.replace(b"MARK", mark)]
                done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, cwd=folder,
                                      env={**os.environ, **(env or {})})
                assert done.returncode in (0, 1, 2, 3), (argv, done)
                assert done.returncode == 0 or done.stderr, argv
                assert len(done.stderr) < 4000 and b"\x1b" not in done.stderr, argv
                asked += 1
    assert asked > 40 and not os.path.exists(mark)


@EVERY_VALUE
def test_every_option_of_pra_admin_survives(kept, folder, count):
    listed = [line.split("  ")[1].split()[1:] for line in kept.admin_run("--help").ok().out.splitlines()
              if line.startswith("  pra-admin ")]
    names = [[w for w in words if w.islower()] for words in listed]
    assert_every_option_survives(program("pra-admin"), ["--config", kept.config], names, folder, count)


@EVERY_VALUE
def test_every_option_of_pra_survives(folder, programs, count):
    text = run([program("pra"), "--help"]).ok().out
    names = [m.split() for m in re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", text, re.MULTILINE)]
    assert len(names) > 15
    assert_every_option_survives(program("pra"), [], names, folder, count, {"PRA_HOME": f"{folder}/h", "LC_ALL": "C.UTF-8"})


def settings():
    """[(section, key)] of prad.ini."""
    with open(f"{ROOT}/server/config.h") as f:
        return re.findall(r'^\s*X\("([a-z]+)", "([a-z_]+)"', f.read(), re.MULTILINE)


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\x00", b"-1", b"1e9", b"0x10", b"99999999999999999999", b"x" * HUGE, b"5 6", b"'5'"],
                         ids=lambda v: repr(v[:20]))
def test_every_number_of_prad_ini_names_file_and_line(make_gateway, value):
    gateway = make_gateway(start=False)
    assert len(settings()) > 30
    for section, key in settings() if len(value) < 100 else settings()[:3]:
        with open(gateway.config, "wb") as f:
            f.write(b"[store]\nurl = sqlite:pra.db\n[%s]\n%s = %s\n" % (section.encode(), key.encode(), value))
        done = subprocess.run([program("prad"), "--config", gateway.config, "--check"], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=30)
        assert done.returncode == 1, (section, key, done)
        assert b"prad.ini:" in done.stderr and len(done.stderr) < 2000, (section, key, done.stderr[:300])


def text_settings():
    """[(section, key)] of prad.ini whose values are no numbers, from the table of server/config.c."""
    with open(f"{ROOT}/server/config.c") as f:
        return re.findall(r'^\s*\{"([a-z]+)", "([a-z_]+)", set_\w+\},', f.read(), re.MULTILINE)


INI_NEVER = {"invalid UTF-8": b"\xff\xfe", "half a letter": b"a\xe3\x81", "NUL": b"a\x00b", "an escape": b"a\x1b[2Jb",
             "a long line": b"x" * 100_000, "ten megabytes": b"x" * HUGE}


@pytest.mark.parametrize("what", INI_NEVER)
def test_text_that_is_none_in_any_setting_of_prad_ini_names_file_and_line(folder, programs, what):
    assert len(text_settings()) > 25
    path = os.path.join(folder, "prad.ini")
    for section, key in text_settings():
        with open(path, "wb") as f:
            f.write(b"[%s]\n%s = %s\n" % (section.encode(), key.encode(), INI_NEVER[what]))
        for name in ("prad", "pra-portal"):
            done = subprocess.run([program(name), "--config", path, "--check"], stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=30, cwd=folder)
            assert done.returncode == 1, (name, section, key, done)
            where = b"prad.ini: is larger" if what == "ten megabytes" else b"prad.ini:2: "
            assert where in done.stderr and len(done.stderr) < 2000, (name, section, key, done.stderr[:300])
            assert b"\x1b" not in done.stderr and done.stderr.decode(), (name, section, key)


def test_code_stays_text_in_every_setting_of_prad_ini(folder, programs):
    """Some of it may be a path or a name; what it is not is named with its line."""
    mark = os.path.join(folder, "executed").encode()
    path = os.path.join(folder, "prad.ini")
    for section, key in text_settings():
        for value in (b"'; DROP TABLE users; --", b'"', b"$(touch MARK)", b"`touch MARK`", b"| touch MARK", b"%n%s%n", "\u202eabc".encode()):
            with open(path, "wb") as f:
                f.write(b"[%s]\n%s = %s\n" % (section.encode(), key.encode(), value.replace(b"MARK", mark)))
            for name in ("prad", "pra-portal"):
                done = subprocess.run([program(name), "--config", path, "--check"], stdin=subprocess.DEVNULL, capture_output=True,
                                      timeout=30, cwd=folder)
                assert done.returncode == 0 or done.returncode == 1 and b"prad.ini:" in done.stderr, (name, section, key, done)
    assert not os.path.exists(mark)
