"""Hostile and broken input through pra-admin and the admin socket: a clear error, nothing lost,
nothing executed (quality 22)."""

import json
import os
import socket

import pytest

from lib.gateway import program
from lib.procs import run

LONG = 10 << 20


def raw_run(gateway, *args):
    """pra-admin with arguments as bytes."""
    import subprocess
    argv = [program("pra-admin").encode(), b"--config", gateway.config.encode(), *args]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(params=["up", "down"])
def any_gateway(request, make_gateway):
    gateway = make_gateway(start=request.param == "up")
    gateway.add_user("suzuki")
    return gateway


def unchanged(gateway):
    assert [u["name"] for u in gateway.admin("user", "list")] == ["suzuki"]
    assert gateway.admin("rule", "list") == []
    assert gateway.admin("key", "list") == []


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\xc0\x80b", b"\xed\xa0\x80", b"a\x1b[31m", b"a\nb",
                                   b"$(touch x)\n", b"\xe2\x80\xae"])
def test_bytes_that_are_no_text_are_refused_by_name(any_gateway, value):
    for option, args in ((b"name", [b"user", b"add", value]), (b"name", [b"group", b"add", value]),
                         (b"name", [b"rule", b"add", b"--user", b"suzuki", b"--target", b"a:1",
                                    b"--name", value]),
                         (b"target", [b"rule", b"add", b"--user", b"suzuki", b"--name", b"x",
                                      b"--target", value + b":1"]),
                         (b"hours", [b"rule", b"add", b"--user", b"suzuki", b"--name", b"x",
                                     b"--target", b"a:1", b"--hours", value])):
        code, out, err = raw_run(any_gateway, *args)
        assert code == 1 and not out, (args, err)
        assert option in err
        # Nothing that steers a terminal gets through to it.
        assert not any(c < 32 and c != 10 for c in err) and b"\xe2\x80\xae" not in err
    unchanged(any_gateway)


@pytest.mark.parametrize("name", ["'; DROP TABLE users; --", "\"quoted\"", "x' OR '1'='1", "%n%s", "`id`"])
def test_quotes_and_code_are_only_text(any_gateway, name):
    rule = any_gateway.add_rule("suzuki", name, "mail:110", 110)
    assert any_gateway.admin("rule", "list")[0]["name"] == name
    any_gateway.delete_rule(rule)
    assert any_gateway.admin_run("user", "disable", name).status == 1
    unchanged(any_gateway)


def test_huge_key_files_are_refused(any_gateway, folder):
    for content in (b"ssh-ed25519 " + b"A" * LONG, b"\n" * LONG, b"\0" * LONG):
        with open(f"{folder}/huge.pub", "wb") as f:
            f.write(content)
        result = any_gateway.admin_run("key", "add", "suzuki", f"{folder}/huge.pub")
        assert result.status == 1 and "huge.pub" in result.err
    unchanged(any_gateway)


def test_huge_arguments_are_refused(any_gateway):
    huge = "x" * 100_000  # the system's limit for one argument is 128 KiB
    for args in (["user", "add", huge], ["user", "delete", huge], ["key", "revoke", huge],
                 ["rule", "add", "--user", "suzuki", "--name", huge, "--target", "a:1"],
                 ["rule", "add", "--user", "suzuki", "--name", "x", "--target", huge + ":1"],
                 ["audit", "list", "--user", huge], ["explain", "--user", huge, "--target", "a:1"]):
        result = any_gateway.admin_run(*args)
        assert result.status == 1 and len(result.err) < 2000, args
    unchanged(any_gateway)


@pytest.mark.parametrize("args", [["rule", "delete", "1x"], ["rule", "delete", "-1"], ["rule", "move", "1"],
                                  ["rule", "delete", "99999999999999999999"], ["rule", "list", "--bad"],
                                  ["user", "add"], ["user", "add", "a", "b"], ["nonsense"], [],
                                  ["user", "list", "--json=yes", "x"], ["rule", "list", "--user"],
                                  ["rule", "list", "--user", "a", "--user", "b"], ["explain"]])
def test_wrong_usage_ends_with_two(gateway, args):
    result = gateway.admin_run(*args)
    assert result.status == 2 and result.err and not result.out


def test_every_command_explains_itself(gateway):
    commands = [line.split("  ")[1].split()[1:] for line in
                gateway.admin_run("--help").ok().out.splitlines() if line.startswith("  pra-admin ")]
    assert len(commands) > 20
    for words in commands:
        words = [w for w in words if w.islower()]
        text = gateway.admin_run(*words, "--help").ok().out
        assert text.startswith("Usage: pra-admin " + " ".join(words)) and "Example" in text


NONSENSE = {
    "half": b"{", "list": b"[]", "bytes": b"\xff\xff", "null": b"null",
    "nul": b'{"op":"user.add","args":{"name":"a\\u0000b"}}',
    "twice": b'{"op":"user.add","op":"user.list"}', "unknown": b'{"op":"user.list","args":{"x":1}}',
    "deep": b"[" * 100000, "long-op": b'{"op":"' + b"x" * LONG + b'"}',
    "long-name": b'{"op":"user.add","args":{"name":"' + b"x" * LONG + b'"}}',
    "long-key": b'{"op":"key.add","args":{"user":"suzuki","line":"' + b"x" * LONG + b'"}}',
    "deep-args": b'{"op":"user.add","args":' + b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"}",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_admin_socket_answers_nonsense_with_an_error(make_gateway, name):
    gateway = make_gateway()
    gateway.add_user("suzuki")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(os.path.join(gateway.dir, "admin.sock"))
        s.sendall(NONSENSE[name] + b"\n")
        answer = json.loads(s.makefile("rb").readline())
        assert answer["ok"] is False and answer["error"]["code"] == "invalid"
        assert len(answer["error"]["message"]) < 1000
    unchanged(gateway)


def test_batch_errors_name_file_and_line(any_gateway, folder):
    path = f"{folder}/batch"
    for text, where in (('{"op":"user.add","args":{"name":"a"}}\n\n{nonsense\n', "batch:3"),
                        ('{"op":"user.add","args":{"name":"a"}}\n{"op":"user.add"}\n', "request 2"),
                        ('{"op":"user.add","args":{"name":"a"}}\n{"op":"session.kill"}\n', "request 2")):
        with open(path, "w") as f:
            f.write(text)
        result = any_gateway.admin_run("batch", path)
        assert result.status == 1 and where in result.err
    unchanged(any_gateway)


def test_batch_makes_many_changes_at_once(any_gateway, folder):
    path = f"{folder}/batch"
    with open(path, "w") as f:
        for i in range(3000):
            f.write(json.dumps({"op": "user.add", "args": {"name": f"u{i}"}}) + "\n")
            f.write(json.dumps({"op": "rule.add", "args": {
                "user": f"u{i}", "name": "Web", "target": "web:80", "local": "8080"}}) + "\n")
    any_gateway.admin_run("batch", path).ok()
    assert len(any_gateway.admin("user", "list")) == 3001
    assert len(any_gateway.admin("rule", "list")) == 3000


def test_output_to_a_full_disk_is_an_error(gateway):
    with open("/dev/full", "w") as full:
        import subprocess
        done = subprocess.run([program("pra-admin"), "--config", gateway.config, "status", "--json"],
                              stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == 1 and b"output" in done.stderr


def test_only_prads_user_may_offer_the_admin_socket(make_gateway):
    """Somebody else's socket in prad's place gets no request (the folder would have to be open)."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    gateway = make_gateway(start=False)
    path = os.path.join(gateway.dir, "admin.sock")
    os.chmod(gateway.dir, 0o777)
    trap = ("import socket, os; os.setuid(65534); s = socket.socket(socket.AF_UNIX); s.bind(%r); s.listen();"
            "print('up', flush=True); c, _ = s.accept(); print(c.recv(100))" % path)
    import subprocess
    with subprocess.Popen(["/usr/bin/python3", "-c", trap], stdout=subprocess.PIPE) as p:
        assert p.stdout.readline() == b"up\n"
        refused = run([program("pra-admin"), "--config", gateway.config, "user", "add", "suzuki"])
        assert refused.status == 1 and "65534" in refused.err
        assert p.stdout.readline() == b"b''\n"
