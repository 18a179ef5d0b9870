#!/usr/bin/python3
"""Measures PRA beside its peers on this machine; prints a table and keeps it in results/.

Paths, all from a generator to a target on loopback:
    direct   no tunnel
    relay2   two hops of a relay that only copies: what two user-space programs can reach at best
    openssh  ssh -L to sshd, AES-128-GCM
    pra      pra agent to prad
    ssh+prad ssh -L to prad

Rounds are interleaved, so that a noisy moment hits every path; the table shows medians and spread.
CPU seconds per GiB count client and gateway, not generator and target. A benchmark never fails
the build; it compares with the last kept result and prints the change.
"""
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lib.client import Client  # noqa: E402
from lib.gateway import Gateway, program  # noqa: E402
from lib.ports import free_port  # noqa: E402
from lib.procs import Process, pss_kib, run  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "3"))
BYTES = int(os.environ.get("BENCH_BYTES", str(1 << 30)))
TICK = os.sysconf("SC_CLK_TCK")
CIPHER = "aes128-gcm@openssh.com"
RESULTS = HERE / "results"


def cpu_seconds(pids):
    """User and system time of processes, children that ended not counted."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def descendants(pid):
    """The process and everything below it: sshd works in children."""
    found = [pid]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid:
                found += descendants(int(entry))
    return found


class Path_:
    """One way from generator to target: a local port, and the processes that carry the bytes."""

    def __init__(self, name, port, pids):
        self.name, self.port, self.pids = name, port, pids


class Stand:
    """Starts target, relays, sshd, prad and the clients in one temporary folder."""

    def __init__(self, folder):
        self.dir = folder
        self.started = []
        self.bulk = program("tests/bench/bulk")
        self.target = free_port()
        self.start([self.bulk, "serve", self.target], self.target)
        self.paths = [Path_("direct", self.target, lambda: []), self.relay2(), self.openssh()]
        self.paths += self.pra()

    def start(self, argv, port, **kwargs):
        process = Process(argv, os.path.join(self.dir, f"out-{len(self.started)}.log"), **kwargs)
        self.started.append(process)
        process.wait_port(port)
        return process

    def relay2(self):
        middle, front = free_port(), free_port()
        a = self.start([self.bulk, "relay", middle, self.target], middle)
        b = self.start([self.bulk, "relay", front, middle], front)
        return Path_("relay2", front, lambda: [a.pid, b.pid])

    def ssh_client(self, port, user, key, known, local):
        return self.start(
            ["/usr/bin/ssh", "-F", "none", "-N", "-p", port, "-i", key, "-c", CIPHER,
             "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=accept-new",
             "-o", "IdentitiesOnly=yes", "-o", "ExitOnForwardFailure=yes",
             "-L", f"{local}:127.0.0.1:{self.target}", f"{user}@127.0.0.1"], local)

    def openssh(self):
        key, host = os.path.join(self.dir, "id"), os.path.join(self.dir, "sshd_host")
        for path in (key, host):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]).ok()
        port, local = free_port(), free_port()
        os.makedirs("/run/sshd", exist_ok=True)
        config = os.path.join(self.dir, "sshd_config")
        with open(config, "w") as f:
            f.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nUsePAM no\n"
                    f"PidFile none\nStrictModes no\nAuthorizedKeysFile {key}.pub\n")
        sshd = self.start(["/usr/sbin/sshd", "-D", "-e", "-f", config], port)
        user = os.environ.get("USER") or run(["id", "-un"]).ok().out.strip()
        client = self.ssh_client(port, user, key, os.path.join(self.dir, "kh1"), local)
        return Path_("openssh", local, lambda: [client.pid, *descendants(sshd.pid)])

    def pra(self):
        gateway = self.gateway = Gateway(os.path.join(self.dir, "gw")).init().start()
        client = self.client = Client(os.path.join(self.dir, "c"), gateway)
        gateway.add_user(client.user)
        local, ssh_local = free_port(), free_port()
        gateway.add_rule(client.user, "bench", f"127.0.0.1:{self.target}", local)
        client.enrol().connect()
        agent = client.agent_pid()
        key = os.path.join(self.dir, "id")
        gateway.add_key(client.user, key + ".pub", "--any-client")
        ssh = self.ssh_client(gateway.port, client.user, key, os.path.join(self.dir, "kh2"),
                              ssh_local)
        return [Path_("pra", local, lambda: [agent, gateway.pid]),
                Path_("ssh+prad", ssh_local, lambda: [ssh.pid, gateway.pid])]

    def close(self):
        self.client.close()
        for process in reversed(self.started):
            process.stop()
        self.gateway.stop()


def measure_bulk(stand, path, direction, streams):
    before = cpu_seconds(path.pids())
    out = run([stand.bulk, direction, path.port, streams, BYTES], timeout=300).ok().out
    cpu = cpu_seconds(path.pids()) - before
    return {"MB/s": BYTES / float(out) / 1e6, "cpu s/GiB": cpu / (BYTES / (1 << 30))}


def measure_times(stand, path, what, count):
    p50, p99 = run([stand.bulk, what, path.port, count], timeout=120).ok().out.split()
    return {"p50 us": float(p50), "p99 us": float(p99)}


TESTS = {
    "up, 1 stream": lambda s, p: measure_bulk(s, p, "up", 1),
    "down, 1 stream": lambda s, p: measure_bulk(s, p, "down", 1),
    "up, 4 streams": lambda s, p: measure_bulk(s, p, "up", 4),
    "down, 4 streams": lambda s, p: measure_bulk(s, p, "down", 4),
    "1-byte round trip": lambda s, p: measure_times(s, p, "ping", 3000),
    "new connection": lambda s, p: measure_times(s, p, "open", 500),
}


def measure(stand):
    """{test: {figure: {path: [value of each round]}}}"""
    seen = {}
    for number in range(ROUNDS):
        for test, ask in TESTS.items():
            for path in stand.paths:
                for figure, value in ask(stand, path).items():
                    seen.setdefault(test, {}).setdefault(figure, {}).setdefault(path.name, []).append(value)
        print(f"round {number + 1} of {ROUNDS} done", file=sys.stderr)
    return seen


def version(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def describe(stand):
    with open("/proc/cpuinfo") as f:
        cpu = next((l.partition(":")[2].strip() for l in f if l.startswith("model name")), "?")
    return {
        "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
        "openssh": version(["/usr/bin/ssh", "-V"]), "prad": version([program("prad"), "--version"]),
        "bytes": BYTES, "rounds": ROUNDS, "openssh cipher": CIPHER,
        "prad PSS KiB": pss_kib(stand.gateway.pid),
        "agent PSS KiB": pss_kib(stand.client.agent_pid()),
    }


def table(result, previous):
    """Rows: test and figure; columns: paths; then PRA beside OpenSSH and beside the last run."""
    names = list(next(iter(next(iter(result["figures"].values())).values())))
    rows = [["", *names, "pra/openssh", "pra/relay2", "pra/last"]]
    for test, figures in result["figures"].items():
        for figure, values in figures.items():
            median = {n: statistics.median(values[n]) for n in names}
            spread = {n: (max(values[n]) - min(values[n])) / 2 for n in names}
            last = previous.get("figures", {}).get(test, {}).get(figure, {}).get("pra")

            def ratio(of):
                return f"{median['pra'] / of:.2f}" if of else "-"
            rows.append([f"{test}, {figure}"] +
                        [f"{median[n]:.4g} ±{spread[n]:.2g}" for n in names] +
                        [ratio(median["openssh"]), ratio(median["relay2"]),
                         ratio(statistics.median(last)) if last else "-"])
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows]
    return "\n".join([*(f"{k}: {v}" for k, v in result["machine"].items()), "", *lines]) + "\n"


def main():
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / "latest.json"
    previous = json.loads(kept.read_text()) if kept.exists() else {}
    with tempfile.TemporaryDirectory(prefix="pra-bench-") as folder:
        stand = Stand(folder)
        try:
            figures = measure(stand)
            result = {"machine": describe(stand), "figures": figures}
        finally:
            stand.close()
    text = table(result, previous)
    print(text)
    kept.write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "latest.txt").write_text(text)


if __name__ == "__main__":
    main()
