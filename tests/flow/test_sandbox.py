"""What holds the gateway's programs when somebody has taken them over: system calls, files, ports, memory.

`takeover` (tests/flow/takeover.c) makes a running program of ours, the release's, call the kernel with arguments
of an attacker's choice. What refuses is what would refuse him.
"""

import base64
import errno
import os
import re
import signal
import socket
import struct

import pytest
from cryptography.hazmat.primitives import serialization

from lib.gateway import program
from lib.ports import free_port
from lib.procs import Process, run, wait_until
from lib.servers.targets import echo
from lib.takeover import AT_FDCWD, held, opened, takeover

pytestmark = [pytest.mark.needs_root,
              # The leak check of a sanitizer build needs calls that the release has not.
              pytest.mark.plain_build]

O_CREAT_WRONLY = 0o101
NOBODY = 65534
MSG_FASTOPEN = 0x20000000
ENDED = "ended by SYS"

# What gets somebody out of his place: the end of the process, whichever program it is.
FORBIDDEN = {
    "another program": ("execve", "/bin/true", 0, 0),
    "a process": ("clone", 17, 0),
    "another process's memory": ("process_vm_readv", 1, 0, 0, 0, 0, 0),
    "another process's registers": ("ptrace", 16, 1, 0, 0),
    "namespaces": ("unshare", 0x10000000),
    "mounts": ("mount", "none", "/tmp", "tmpfs", 0, 0),
    "programs in the kernel": ("bpf", 0, 0, 0),
    "the kernel's keys": ("keyctl", 0, -3),
    "calls past the filter": ("io_uring_setup", 4, 0),
    "page faults": ("userfaultfd", 0),
    "kernel modules": ("init_module", 0, 0, 0),
    "another user": ("setuid", 0),
    "raw packets": ("socket", socket.AF_PACKET, 3, 0),
    "the kernel's ciphers": ("socket", socket.AF_ALG, 5, 0),
}
# What nobody needs here fails, and the program goes on.
REFUSED = {
    "memory that is written and run": ("mmap", 0, 4096, 7, 0x22, -1, 0),
    "being read by others again": ("prctl", 4, 1, 0, 0, 0),
    "an end that is put off": ("rt_sigaction", signal.SIGSYS, 0, 0, 8),
    "signals to others": ("kill", 1, 0),
    "a limit raised": ("prlimit64", 0, 4, struct.pack("<QQ", 1 << 30, 1 << 30), 0),
    "something that is in no list": ("inotify_init1", 0),
    "a port that no one bound": ("listen", 0, 1),
    "TCP that is none for Landlock": ("socket", socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP),
    "packets of one's own making": ("socket", socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
    "other talks with the kernel": ("socket", socket.AF_NETLINK, socket.SOCK_RAW, 4),
}


def address(port):
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)


def bind_and_connect(pid, bind, connect):
    """The errors of binding one port and connecting to another."""
    found = []
    for call, port in (("bind", bind), ("connect", connect)):
        fd = takeover(pid, "socket", socket.AF_INET, socket.SOCK_STREAM, 0)
        assert fd >= 0
        found.append(-takeover(pid, call, fd, address(port), 16))
    return found


def past_landlock(pid, port):
    """The errors of the ways to a port that Landlock does not see: MPTCP, and data that opens a connection."""
    fd = takeover(pid, "socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    assert fd >= 0
    return (-takeover(pid, "socket", socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP),
            -takeover(pid, "sendto", fd, "x", 1, MSG_FASTOPEN, address(port), 16))


def core_limit(pid):
    with open(f"/proc/{pid}/limits") as f:
        return re.search(r"Max core file size\s+(\S+)\s+(\S+)", f.read()).groups()


@pytest.fixture
def secret(folder):
    """A file that everybody may read, outside of what is PRA's."""
    path = f"{folder}/secret"
    with open(path, "w") as f:
        f.write("of somebody else\n")
    os.chmod(path, 0o644)
    return path


# ---- prad ---------------------------------------------------------------------------------------


def test_prad_says_what_holds_it_and_every_thread_is_held(gateway):
    process = gateway.admin("status")["process"]
    assert process.pop("heap") > 0
    assert process == {"uid": 0, "seccomp": True, "landlock": process["landlock"], "no-new-privs": True, "dumpable": False}
    assert process["landlock"] >= 1, "this kernel has no Landlock: nothing here says how prad holds with one"
    assert held(gateway.pid) == {("1", "2")}
    assert core_limit(gateway.pid) == ("0", "0")
    assert re.search(r"info sandbox state=on landlock=\d+ uid=0", gateway.log())


def test_a_prad_that_was_taken_over_is_ended_and_the_audit_says_so(gateway):
    for what, call in FORBIDDEN.items():
        assert takeover(gateway.pid, *call) == ENDED, what
        gateway.process.wait(5)
        gateway.start()
    told = [r["reason"] for r in gateway.audit("sandbox-violation")]
    assert told == [call[0] for call in FORBIDDEN.values()]
    assert "error sandbox-violation call=execve" in gateway.log()
    alerts = [a for a in gateway.admin("alert", "list") if a["kind"] == "sandbox-violation"]
    assert alerts and alerts[0]["severity"] == "critical"
    gateway.restart()  # told once
    assert len(gateway.audit("sandbox-violation")) == len(FORBIDDEN)


def test_prad_reaches_its_own_files_and_no_others_and_goes_on(gateway, echo_forward, secret):
    pid, folder = gateway.pid, os.path.dirname(secret)
    for what, call in REFUSED.items():
        assert takeover(pid, *call) in (-errno.ENOSYS, -errno.EPERM), what
    for path in (secret, "/root", folder, "/home", "/var/log/dpkg.log"):
        assert opened(pid, path) == errno.EACCES, path
    for path in (f"{folder}/new", "/etc/new", "/tmp/new", "/etc/passwd", "/var/tmp/new"):
        assert opened(pid, path, O_CREAT_WRONLY) == errno.EACCES, path
    assert takeover(pid, "unlinkat", AT_FDCWD, secret, 0) == -errno.EACCES
    for path in ("/etc/resolv.conf", "/etc/hosts", gateway.config, f"{gateway.dir}/pra.db"):
        assert opened(pid, path) == 0, path
    assert opened(pid, f"{gateway.dir}/new", O_CREAT_WRONLY) == 0
    bound, connected = bind_and_connect(pid, free_port(), gateway.port)
    assert (bound, connected) == (errno.EACCES, 0)
    with socket.create_connection(("127.0.0.1", echo_forward)) as s:
        s.sendall(b"still here")
        assert s.recv(100) == b"still here"


def test_names_logs_reload_and_signals_work_inside(make_gateway, make_client, target, folder):
    """What opens files while prad runs: name service, the log after it was moved, prad.ini replaced."""
    os.mkdir(f"{folder}/log")
    log = f"{folder}/log/prad.log"
    gateway = make_gateway("logs", extra_config=f"[log]\nfile = {log}\n")
    client = make_client(gateway=gateway).enrol()
    t, local = target(echo), free_port()
    gateway.add_rule("suzuki", "Echo", f"localhost:{t.port}", local)
    client.connect()
    client.wait_forward("Echo")
    with socket.create_connection(("127.0.0.1", local)) as s:
        s.sendall(b"by name")
        assert s.recv(100) == b"by name"
    os.rename(log, log + ".1")
    with open(gateway.config) as f:
        text = f.read()
    with open(gateway.config + ".new", "w") as f:
        f.write(text.replace("drain_timeout = 1s", "drain_timeout = 2s"))
    os.rename(gateway.config + ".new", gateway.config)
    gateway.reload()
    wait_until(lambda: os.path.exists(log) and "reloaded" in open(log).read(), 5, "the new log")
    gateway.stop()
    assert gateway.process.wait() == 0 and "gateway-stop" in open(log).read()


def test_the_sandbox_can_be_switched_off_and_says_so(make_gateway):
    gateway = make_gateway(start=False)
    with open(gateway.config) as f:
        text = f.read()
    with open(gateway.config, "w") as f:
        f.write(text.replace("[gateway]\n", "[gateway]\nsandbox = off\n"))
    gateway.start()
    process = gateway.admin("status")["process"]
    assert not process["seccomp"] and process["landlock"] == 0 and not process["dumpable"]
    assert "warn sandbox state=off" in gateway.log()
    with open(gateway.config, "w") as f:
        f.write(text.replace("[gateway]\n", "[gateway]\nsandbox = perhaps\n"))
    result = run([program("prad"), "--config", gateway.config, "--check"])
    assert result.status == 1 and f"{gateway.config}:2" in result.err and "neither on nor off" in result.err


def test_nobody_reads_prads_memory_not_even_as_the_same_user(make_gateway, folder):
    """No core file, no debugger, no /proc/PID/mem for whoever has prad's uid; root is another matter."""
    gateway = make_gateway(start=False)
    for path, _, files in os.walk(gateway.dir):
        for name in [path, *(os.path.join(path, f) for f in files)]:
            os.chown(name, NOBODY, NOBODY)
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    gateway.prefix = as_nobody
    gateway.start()
    assert gateway.admin("status")["process"]["uid"] == NOBODY
    pid = gateway.pid
    assert os.stat(f"/proc/{pid}/mem").st_uid == 0  # as the kernel has it for what is not dumpable
    refused = run([*as_nobody, program("tests/flow/takeover"), str(pid), "getpid"])
    assert refused.status == 2 and "Operation not permitted" in refused.err
    for name in ("mem", "environ", "maps"):
        refused = run([*as_nobody, "cat", f"/proc/{pid}/{name}"])
        assert refused.status != 0 and "denied" in refused.err, name


# ---- the portal, pra-mailer, pra-passkey --------------------------------------------------------


def test_the_portal_is_held(portal, secret):
    gateway, pid = portal.gateway, portal.process.pid
    assert held(pid) == {("1", "2")} and core_limit(pid) == ("0", "0")
    for path in (gateway.host_key + ".x", secret, "/root", "/var/log/dpkg.log"):
        assert opened(pid, path) in (errno.EACCES, errno.ENOENT), path
    for path in ("/etc/new", f"{gateway.dir}/new", portal.certificate):
        assert opened(pid, path, O_CREAT_WRONLY) == errno.EACCES, path
    bound, connected = bind_and_connect(pid, free_port(), free_port())
    assert (bound, connected) == (errno.EACCES, errno.EACCES)
    assert past_landlock(pid, gateway.port) == (errno.ENOSYS, errno.ENOSYS)
    for what, call in REFUSED.items():
        assert takeover(pid, *call) in (-errno.ENOSYS, -errno.EPERM), what
    browser = portal.account("sato", "owner")
    assert browser.get("/status").result["running"]
    portal.process.signal(1)
    wait_until(lambda: portal.log().count("info certificate") >= 2, 5, "the certificate to be read again")
    for what, call in FORBIDDEN.items():
        assert takeover(portal.process.pid, *call) == ENDED, what
        portal.process.wait(5)
        portal.start()


def test_the_mailer_is_held_and_does_not_reach_the_database(make_gateway):
    """A mail server that never answers, so that there is time to look."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        gateway = make_gateway(extra_config=f"[mail]\nserver = 127.0.0.1\nport = {port}\ntls = none\n"
                                            "from = pra@pra.test\ntimeout = 60s\n")
        gateway.admin("mail", "test", "suzuki@pra.test", "--no-wait")
        silent.settimeout(10)
        connection, _ = silent.accept()
        mailer = wait_until(lambda: child_of_spawner(gateway.pid, "pra-mailer"), 5, "pra-mailer")
        assert held(mailer) == {("1", "2")} and core_limit(mailer) == ("0", "0")
        for name in ("pra.db", "host_key", "prad.ini"):
            assert opened(mailer, f"{gateway.dir}/{name}") == errno.EACCES, name
        assert opened(mailer, "/tmp/new", O_CREAT_WRONLY) == errno.EACCES
        assert opened(mailer, "/etc/resolv.conf") == 0
        bound, connected = bind_and_connect(mailer, free_port(), gateway.port)
        assert (bound, connected) == (errno.EACCES, errno.EACCES)
        assert past_landlock(mailer, gateway.port) == (errno.ENOSYS, errno.ENOSYS)
        # Of prad's uid, it would be an administrator at prad's socket, which Landlock does not guard.
        assert takeover(mailer, "socket", socket.AF_UNIX, socket.SOCK_STREAM, 0) == -errno.ENOSYS
        assert takeover(mailer, "execve", "/bin/true", 0, 0) == ENDED
        connection.close()
        # prad hears how it ended, and tries again.
        found = wait_until(lambda: [m for m in gateway.admin("mail", "list") if m["error"]], 10, "the mail's error")
        assert "signal 31" in found[0]["error"], found


def test_the_program_for_passkeys_opens_and_starts_nothing():
    read, write = os.pipe()
    for what, call in (("a file", ("openat", AT_FDCWD, "/etc/passwd", 0, 0)), ("a socket", ("socket", 1, 1, 0)),
                       ("another program", FORBIDDEN["another program"]), ("a process", FORBIDDEN["a process"])):
        process = Process([program("pra-passkey")], os.devnull, stdin=read)
        try:
            wait_until(lambda: held(process.pid) == {("1", "2")}, 5, "its filter")
            answer = takeover(process.pid, *call)
            assert answer in (-errno.ENOSYS, ENDED), (what, answer)
            assert (answer == ENDED) == (call[0] in ("execve", "clone"))
        finally:
            process.kill()
    os.close(read)
    os.close(write)


# ---- who starts programs ------------------------------------------------------------------------


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def child_of_spawner(pid, name):
    for spawner in children(pid):
        for child in children(spawner):
            if name_of(child) == name:
                return child
    return None


def test_the_spawner_holds_nothing_of_prads_and_ends_with_it(gateway):
    (spawner,) = children(gateway.pid)
    assert name_of(spawner) == "prad-spawner"
    links = [os.readlink(f"/proc/{spawner}/fd/{fd}") for fd in os.listdir(f"/proc/{spawner}/fd")]
    assert len(links) == 4 and sum(link.startswith("socket:") for link in links) == 1, links
    gateway.process.signal(15)
    gateway.process.wait(10)
    wait_until(lambda: not os.path.exists(f"/proc/{spawner}") or name_of(spawner) == "", 5, "the spawner to end")
    gateway.start()
    (spawner,) = children(gateway.pid)
    gateway.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{spawner}"), 5, "the spawner to end after a kill")


# ---- the host key -------------------------------------------------------------------------------


def writable_memory(pid):
    """(start, content, is it locked) of everything that the process can write to."""
    with open(f"/proc/{pid}/smaps") as f:
        parts = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", f.read(), flags=re.M)
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for part in parts:
            area = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", part)
            if area:
                start, end = (int(word, 16) for word in area.groups())
                try:
                    content = os.pread(memory.fileno(), end - start, start)
                except OSError:
                    continue
                yield start, content, " lo" in re.search(r"VmFlags:(.*)", part).group(1)


def pieces_of(host_key):
    """The key as it could be found: its seed, and pieces of its file with the seed in base64."""
    with open(host_key) as f:
        text = f.read()
    key = serialization.load_ssh_private_key(text.encode(), None)
    seed = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    joined = "".join(text.split("\n")[1:-2]).encode()
    # In base64 the seed has one of three forms, which hangs on what is before it.
    forms = [base64.b64encode(bytes(i) + seed)[8:32] for i in range(3)]
    (encoded,) = [form for form in forms if form in joined]
    return {"seed": seed, "base64": encoded[:12], "other base64": encoded[12:]}


def test_the_host_key_is_in_locked_memory_only(gateway, make_client, target):
    """However many sessions there are: one copy for all of them, in no swap and in no core."""
    clients = [make_client(f"c{i}", user=f"user{i}").enrol() for i in range(3)]
    for client in clients:
        gateway.add_rule(client.user, "Echo", f"127.0.0.1:{target(echo).port}", free_port())
        client.connect()
        client.wait_forward("Echo")
    gateway.admin("hostkey", "show")
    gateway.reload()
    wait_until(lambda: "reloaded" in gateway.log(), 5, "a reload")
    pieces = pieces_of(gateway.host_key)
    found = {name: [] for name in pieces}
    for start, content, locked in writable_memory(gateway.pid):
        for name, piece in pieces.items():
            found[name] += [(hex(start + m.start()), locked) for m in re.finditer(re.escape(piece), content)]
    assert len(found["seed"]) == 1 and found["seed"][0][1], found
    assert not found["base64"] and not found["other base64"], found
    assert "keys-not-locked" not in gateway.log()
