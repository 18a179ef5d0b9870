"""Rows about many clients, and about one client that does nothing: logins, memory, ten thousand, agent.

Logins are made by crowd.c on both sides: by the whole protocol to prad (login, control channel,
hello, rules), by key exchange and publickey alone to sshd.
"""
import json
import time

from lib import crowd
from lib.gateway import Gateway, program
from lib.procs import Process, pss_kib, run, wait_until
from lib.servers.targets import Farm, echo
from stand import cpu_seconds, descendants

PRA_LOGINS, SSHD_LOGINS, AT_ONCE = 2000, 60, 16
MEMORY_CLIENTS, SSHD_MEMORY_CLIENTS = 1000, 40
CROWD, CROWD_PROCESSES, IDLE_SECONDS, STORM_LIMIT_S = 10000, 2, 30, 60
STORM_CLIENTS = 4000
MANY_SOURCES, FEW_SOURCES = 500, 3
ECHO_BYTES = 65536
PING_COUNT = 100000


class Crowds:
    """A prad with the crowd's users, and the crowd. One at a time; ended by close()."""

    def __init__(self, stand, name, clients, mode, processes=1):
        self.gateway = Gateway(stand.path(name), extra_config="[limits]\nmax_sessions_per_user = 100000\n")
        self.gateway.init().start()
        self.farm = Farm(echo, 1).start()
        target = f"127.0.0.1:{self.farm.ports[0]}"
        crowd.register(self.gateway, name, name, clients if mode == "many" else 1, target)
        user = name if mode == "many" else f"{name}0"
        share = clients // processes
        self.crowds = [crowd.Crowd(stand.dir, self.gateway.port, name, user, mode,
                                   i * share if mode == "many" else 0).start() for i in range(processes)]
        self.share = share

    def all(self, *words):
        """One command to every process at once; their answers."""
        for c in self.crowds:
            c.send(*words)
        return [c.answer(*words) for c in self.crowds]

    def close(self):
        for c in self.crowds:
            c.stop()
        self.gateway.stop()
        self.farm.stop()


def sshd_crowd(stand):
    """Logins to the stand's sshd by the same program."""
    stand.sshd()
    key = crowd.public_keys("sshd", 0, 1)[0]
    with open(stand.path("id.pub"), "r+") as f:
        if key not in f.read():
            f.write(key + "\n")
    return crowd.Crowd(stand.dir, stand.sshd_port, "sshd", stand.user, "plain").start()


def one_user(stand, user):
    """A crowd that is one user of the stand's gateway, who has one rule."""
    def register():
        gateway = stand.gateway()
        crowd.register(gateway, user, user, 1, "127.0.0.1:7")
        return gateway.port
    return crowd.Crowd(stand.dir, stand.once(f"_crowd_{user}", register), user, f"{user}0").start()


def _sshd_alone(stand):
    wait_until(lambda: len(descendants(stand.sshd().pid)) <= 1 + stand.sshd_sessions, 30,
               "sshd's children to end")


# ---- logins ---------------------------------------------------------------------------------

def logins_sshd(stand):
    people = sshd_crowd(stand)
    stand.sshd_sessions = len(descendants(stand.sshd().pid)) - 1
    before = cpu_seconds([stand.sshd().pid], with_children=True)
    try:
        took = people.login(SSHD_LOGINS, AT_ONCE)
        people.command("drop")
        _sshd_alone(stand)
    finally:
        people.stop()
    cpu = cpu_seconds([stand.sshd().pid], with_children=True) - before
    return {"logins/s": SSHD_LOGINS / took, "cpu ms per login": cpu / SSHD_LOGINS * 1e3}


def logins_pra(stand):
    gateway = stand.gateway()
    people = one_user(stand, "logins")
    before = cpu_seconds([gateway.pid])
    try:
        took = people.login(PRA_LOGINS, AT_ONCE)
        cpu = cpu_seconds([gateway.pid]) - before
        people.command("drop")
    finally:
        people.stop()
    wait_until(lambda: len(gateway.sessions()) < 10, 30, "sessions to end")
    return {"logins/s": PRA_LOGINS / took, "cpu ms per login": cpu / PRA_LOGINS * 1e3}


# ---- memory ---------------------------------------------------------------------------------

def _lasting(pid):
    """The processes below it once none comes or goes: sshd's helpers of a login end a moment behind it."""
    seen = []

    def settled():
        seen.append(set(descendants(pid)))
        return len(seen) > 1 and seen[-1] == seen[-2]
    wait_until(settled, 30, "sshd's helpers to end", interval=0.3)
    return seen[-1]


def memory_sshd(stand):
    people = sshd_crowd(stand)
    stand.sshd_sessions = len(descendants(stand.sshd().pid)) - 1
    known = set(descendants(stand.sshd().pid))
    try:
        people.login(SSHD_MEMORY_CLIENTS, AT_ONCE)
        fresh = _lasting(stand.sshd().pid) - known
        kib = sum(pss_kib(p) for p in fresh) / SSHD_MEMORY_CLIENTS
        people.command("drop")
        _sshd_alone(stand)
    finally:
        people.stop()
    return {"PSS KiB": kib}


def _settled(pid, wait_s=5):
    """The least PSS seen within some seconds: memory is given back a moment after a burst."""
    least, end = pss_kib(pid), time.monotonic() + wait_s
    while time.monotonic() < end:
        time.sleep(0.25)
        least = min(least, pss_kib(pid))
    return least


def memory_pra(stand):
    people = Crowds(stand, f"memory{time.monotonic_ns()}", MEMORY_CLIENTS, "one")
    try:
        pid = people.gateway.pid
        people.all("login", 1)
        empty = pss_kib(pid)
        people.all("login", MEMORY_CLIENTS)
        idle = (pss_kib(pid) - empty) / MEMORY_CLIENTS
        people.all("echo", "127.0.0.1", people.farm.ports[0], ECHO_BYTES)
        after = (_settled(pid) - empty) / MEMORY_CLIENTS
    finally:
        people.close()
    return {"PSS KiB": idle, "PSS KiB after a burst": after}


# ---- ten thousand ---------------------------------------------------------------------------

def _storm(people, sources):
    """Seconds from the loss until everybody is back, after kill -9 and restart of prad."""
    people.all("sources", sources)
    people.gateway.kill()
    people.gateway.start()
    answers = [a.split() for a in people.all("wait", STORM_LIMIT_S)]
    back = sum(int(a[1]) for a in answers)
    return max(float(a[2]) for a in answers), CROWD - back, sum(int(a[3]) for a in answers)


def _ping_beside(stand, port, what):
    """[p50, p99, longest, count] of a live 1-byte echo while `what` goes on, five seconds at most."""
    ping = Process([stand.bulk, "ping", port, PING_COUNT, 5], stand.path("ping.log"))
    try:
        what()
        ping.wait(30)
    finally:
        ping.stop()
    return [float(w) for w in ping.output().splitlines()[-1].split()]


def ten_thousand(stand):
    people = Crowds(stand, "crowd", CROWD, "many", CROWD_PROCESSES)
    seen = {}
    try:
        gateway = people.gateway
        empty = pss_kib(gateway.pid)
        people.all("sources", MANY_SOURCES)
        people.all("login", people.share, 64)
        seen["held"] = sum(int(a.split()[1]) for a in people.all("stats"))
        seen["PSS KiB per client"] = (pss_kib(gateway.pid) - empty) / CROWD
        before, begun = cpu_seconds([gateway.pid]), time.monotonic()
        time.sleep(IDLE_SECONDS)
        seen["idle cpu %"] = (cpu_seconds([gateway.pid]) - before) / (time.monotonic() - begun) * 100
        for name, sources in (("many sources", MANY_SOURCES), ("3 sources", FEW_SOURCES)):
            took, missing, again = _storm(people, sources)
            seen[f"all back s, {name}"] = took
            seen[f"not back, {name}"] = missing
            seen[f"attempts lost, {name}"] = again
    finally:
        people.close()
    return seen


def live_pra(stand):
    """A live echo through PRA while 4,000 clients of the same gateway come back at once."""
    gateway, way = stand.gateway(), stand.way("pra")
    people = one_user(stand, "storm")
    try:
        people.command("sources", MANY_SOURCES)
        people.login(STORM_CLIENTS, 64)

        def storm():
            people.command("lose")
            people.command("wait", STORM_LIMIT_S)
        p50, p99, longest, _ = _ping_beside(stand, way.port, storm)
    finally:
        people.stop()
    wait_until(lambda: len(gateway.sessions()) < 10, 30, "sessions to end")
    return {"p50 us": p50, "p99 us": p99, "longest us": longest}


def live_sshd(stand):
    """The same through OpenSSH while sshd takes logins for as long."""
    way, people = stand.way("openssh"), sshd_crowd(stand)
    stand.sshd_sessions = len(descendants(stand.sshd().pid)) - 1

    def storm():
        end = time.monotonic() + 4
        while time.monotonic() < end:
            people.login(30, AT_ONCE)
            people.command("drop")
    try:
        p50, p99, longest, _ = _ping_beside(stand, way.port, storm)
        _sshd_alone(stand)
    finally:
        people.stop()
    return {"p50 us": p50, "p99 us": p99, "longest us": longest}


# ---- one agent, one policy ------------------------------------------------------------------

def kdf_seconds():
    """The key derivation alone, by the same library."""
    return float(run([program("tests/bench/kdf")]).ok().out)


def agent(stand):
    """Memory of an idle agent, and `pra connect` from no agent to the listeners."""
    stand.way("pra")
    client = stand.client
    client.close()
    begun = time.monotonic()
    client.connect()
    whole = time.monotonic() - begun
    assert client.forwards()["bench"]["state"] == "listening"
    pid = client.agent_pid()
    with open(f"/proc/{pid}/status") as f:
        rss = next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))
    return {"RSS MiB": rss / 1024, "PSS MiB": pss_kib(pid) / 1024,
            "connect ms beyond the KDF": (whole - kdf_seconds()) * 1e3}


def lookup(stand):
    """The slowest of three shapes of 100,000 rules."""
    out = run([program("tests/policy/policy_bench"), "--json"], timeout=120).ok().out
    return {"us per answer": max(json.loads(line)["answer_us"] for line in out.splitlines())}
