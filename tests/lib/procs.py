"""Own processes: started with their output in files, waited for with deadlines, ended by pid.

A process started here leads its own process group and is killed by the kernel when the test
runner dies, so that nothing outlives a run, not even an interrupted one.
"""

import ctypes
import os
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Timeout(AssertionError):
    """A condition did not come true within its deadline."""


def wait_until(question, timeout=10.0, what=None, interval=0.02):
    """Asks `question` until it answers something true; returns that. Fails after `timeout` s."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise Timeout(f"waited {timeout} s for {what or question.__name__}; last answer: {answer!r}")
        time.sleep(interval)


def port_answers(port, address="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((address, port)) == 0


def alive(pid):
    """True while the process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_group(pid, sig):
    try:
        os.killpg(pid, sig)
    except ProcessLookupError:
        pass


def pids_with_env(name, value):
    """Pids of processes whose environment holds name=value: how a detached agent is found."""
    wanted = f"{name}={value}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as f:
                if wanted in f.read().split(b"\0") and alive(int(entry)):
                    found.append(int(entry))
        except OSError:
            continue
    return found


def name_of(pid):
    """The kernel's name of a process, cut at 15 bytes; "" if it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def pss_kib(pid):
    """Memory of a process, its share of what others map as well included."""
    return _rollup_kib(pid, "Pss:")


def own_kib(pid):
    """
    Memory that a process has filled itself. Unlike PSS it does not change with code that is run for the
    first time, nor when another process of the same program ends.
    """
    return _rollup_kib(pid, "Pss_Anon:")


def _rollup_kib(pid, member):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith(member):
                return int(line.split()[1])
    raise RuntimeError(f"no {member} line for pid {pid}")


def environment(changes):
    """This process's environment with changes; entries set to None are removed."""
    merged = {**os.environ, **(changes or {})}
    return {k: v for k, v in merged.items() if v is not None}


class Process:
    """A daemon or client program under test."""

    def __init__(self, argv, log, env=None, stdin=subprocess.DEVNULL, cwd=None, name=None):
        self.argv = [str(a) for a in argv]
        self.name = name or os.path.basename(self.argv[0])
        self.log_path = str(log)
        self._log = open(self.log_path, "ab")
        self._popen = subprocess.Popen(
            self.argv, stdin=stdin, stdout=self._log, stderr=subprocess.STDOUT, cwd=cwd,
            env=environment(env), start_new_session=True,
            preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL))
        self.pid = self._popen.pid
        self.stdin = self._popen.stdin

    def running(self):
        return self._popen.poll() is None

    def signal(self, sig):
        if self.running():
            self._popen.send_signal(sig)

    def wait(self, timeout=10):
        """Exit status (negative: signal); Timeout if it does not end."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} (pid {self.pid}) did not end in {timeout} s\n{self.tail()}")

    def stop(self, timeout=10):
        """SIGTERM, then SIGKILL for it and whatever it started."""
        self.signal(signal.SIGTERM)
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        kill_group(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self.stdin:
            self.stdin.close()
        self._log.close()

    def kill(self):
        """What a power cut does to it."""
        kill_group(self.pid, signal.SIGKILL)
        self._popen.wait()
        self._log.close()

    def output(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def tail(self, lines=30):
        return "\n".join(self.output().splitlines()[-lines:])

    def wait_port(self, port, address="127.0.0.1", timeout=15):
        """Waits until address:port accepts; fails at once when the process ends first."""
        def up():
            if not self.running():
                raise AssertionError(
                    f"{self.name} ended with status {self._popen.returncode}:\n{self.tail()}")
            return port_answers(port, address)
        try:
            wait_until(up, timeout, f"{self.name} to listen on {address}:{port}")
        except Timeout as e:
            raise Timeout(f"{e}\n{self.tail()}") from None
        return self

    def wait_output(self, text, timeout=10):
        wait_until(lambda: text in self.output(), timeout, f"{text!r} in the output of {self.name}")


class Result:
    """What a finished command left: exit status, stdout, stderr."""

    def __init__(self, argv, completed):
        self.argv = argv
        self.status = completed.returncode
        self.out = completed.stdout.decode("utf-8", "replace")
        self.err = completed.stderr.decode("utf-8", "replace")

    def ok(self):
        assert self.status == 0, f"{self}\n"
        return self

    def __str__(self):
        return (f"{' '.join(self.argv)} -> {self.status}\n--- stdout\n{self.out}"
                f"--- stderr\n{self.err}")


def run(argv, env=None, input=None, timeout=30, cwd=None):
    """Runs a command to its end. `env` entries set to None are removed."""
    argv = [str(a) for a in argv]
    stdin = {"input": input.encode()} if input is not None else {"stdin": subprocess.DEVNULL}
    completed = subprocess.run(argv, capture_output=True, env=environment(env), timeout=timeout, cwd=cwd,
                               **stdin)
    return Result(argv, completed)
