"""The management tool with 10,000 users, 100,000 rules and a million audit records: what an answer costs prad."""

import os
import statistics
import threading
import time

import pytest

from lib.bigstore import fill, user_name
from lib.client import dial
from lib.portal import Portal, new_port, portal_config
from lib.ports import free_port
from lib.procs import own_kib, wait_until
from lib.servers.targets import trickle

USERS, RULES = 10000, 100000
LIMIT_MS = 200
LISTS = [
    "/status", "/users?limit=50", "/users?limit=50&offset=9950", "/users?limit=50&sort=-rules&offset=5000",
    "/users?limit=50&search=99", "/users?name=user05000", "/users?group=group050", "/groups?limit=50",
    "/keys?limit=50&sort=-seen", "/keys?limit=50&search=pc0999", "/rules?limit=50", "/rules?limit=50&offset=50000",
    "/rules?limit=50&sort=-target&offset=99000", "/rules?limit=50&search=user0999",
    "/rules?user=user05000&effective=true", "/sessions?limit=50", "/audit?limit=50", "/audit?limit=50&user=user05000",
    "/audit?limit=50&kind=login", "/audit?limit=50&user=user05000&kind=login", "/audit?limit=50&offset=25000",
    "/audit?limit=50&since=80d&until=10d", "/audit?limit=50&kind=login&since=80d", "/audit?limit=50&source=192.0.2.8",
    "/audit?limit=50&target=server7.example.com:110", "/audit?limit=50&search=server77", "/audit?limit=50&search=no-such-thing",
    "/audit?limit=50&search=n%3D12&kind=login", "/audit?limit=50&user=user00077&device=SHA256:x", "/audit/counts",
]


def cpu_ms(pid):
    """Of all threads, in nanoseconds' resolution: ticks are too coarse for one answer."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            total += int(f.read().split()[0])
    return total / 1e6


@pytest.fixture
def make_big(make_gateway):
    """A portal over a large store, and a browser of its owner."""
    portals = []

    def make(records):
        port = new_port()
        gateway = make_gateway("big", start=False, extra_config=portal_config(port))
        fill(os.path.join(gateway.dir, "pra.db"), USERS, RULES, records)
        gateway.start(60)
        portals.append(Portal(gateway, port).start())
        return portals[0], portals[0].account("tanaka", "owner")
    yield make
    for portal in portals:
        portal.stop()


def medians(pid, act, rounds):
    """(median of the time, median of prad's processor time) in ms."""
    times, cpu = [], []
    for _ in range(rounds):
        before, begun = cpu_ms(pid), time.perf_counter()
        act()
        times.append((time.perf_counter() - begun) * 1000)
        cpu.append(cpu_ms(pid) - before)
    return statistics.median(times), statistics.median(cpu)


def change(owner):
    """Two changes: what one costs is half of it."""
    owner.post("/rules", {"user": user_name(77), "name": "new", "target": "new:1"}).result
    made = owner.get(f"/rules?user={user_name(77)}&sort=-id&limit=1").result[0]
    owner.ask("DELETE", f"/rules/{made['id']}").result


def measure(portal, owner, rounds, wall):
    """Processor time is asserted always; time that passed only on a machine that does nothing else."""
    pid, worst = portal.gateway.pid, {}
    for path in LISTS:
        took, cpu = medians(pid, lambda p=path: owner.get(p).result, rounds)
        worst[path] = (took, cpu)
        assert cpu < LIMIT_MS and (not wall or took < LIMIT_MS), (path, took, cpu)
    took, cpu = (v / 2 for v in medians(pid, lambda: change(owner), rounds))
    assert cpu < LIMIT_MS and (not wall or took < LIMIT_MS), ("change", took, cpu)
    slowest = max(worst, key=lambda p: worst[p][1])
    print(f"figure: {len(LISTS)} lists, slowest {slowest}: {worst[slowest][0]:.0f} ms, prad's processor "
          f"{worst[slowest][1]:.0f} ms; a change {took:.0f} ms, processor {cpu:.0f} ms")


@pytest.mark.release_only
def test_lists_and_changes_of_a_large_store_cost_little(make_big):
    portal, owner = make_big(30000)
    measure(portal, owner, 3, wall=False)


@pytest.mark.soak
@pytest.mark.release_only
def test_a_million_audit_records_answer_in_200_ms(make_big):
    portal, owner = make_big(1000000)
    measure(portal, owner, 9, wall=True)


@pytest.mark.release_only
def test_tables_of_a_large_store_leave_whole_and_hold_nothing_up(make_big):
    """10,000 users and 100,000 rules as files: every row, in bounded memory, while somebody else asks."""
    portal, owner = make_big(1000)
    other = portal.account("sato", "auditor")
    before = {p: own_kib(p) for p in (portal.process.pid, portal.gateway.pid)}
    slowest, waited = 0, 0
    for path, wanted in (("/users/table", USERS), ("/rules/table", RULES)):
        stream, lines, last, begun = owner.stream(path), 0, b"", time.monotonic()
        for chunk in iter(lambda: stream.read(1 << 18), b""):
            lines, last = lines + chunk.count(b"\r\n"), chunk
            asked = time.monotonic()
            other.get("/status").result
            waited = max(waited, time.monotonic() - asked)
        slowest = max(slowest, time.monotonic() - begun)
        assert lines == wanted + 1 and last.endswith(b"\r\n"), path
    grown = {p: own_kib(p) - kib for p, kib in before.items()}
    print(f"figure: largest table {slowest:.1f} s, another page at most {waited * 1000:.0f} ms, portal and prad +{max(grown.values())} KiB")
    assert max(grown.values()) < 16 * 1024 and waited < 1


@pytest.mark.release_only
def test_a_rule_is_revoked_within_a_second_while_others_list_everything(make_big, make_client, target):
    portal, owner = make_big(1000)
    gateway = portal.gateway
    client = make_client(gateway=gateway).enrol()
    port = free_port()
    rule = gateway.add_rule("suzuki", "Tick", f"127.0.0.1:{target(trickle).port}", port)
    client.connect()
    client.wait_forward("Tick")
    others = [portal.account(f"o{i}", "auditor") for i in range(2)]
    ended = threading.Event()

    def look(browser, path):
        while not ended.is_set():
            browser.get(path).result
    threads = [threading.Thread(target=look, args=(b, p))
               for b, p in zip(others, ("/rules?limit=1000&sort=target", "/users?limit=1000&search=user"))]
    threads.append(threading.Thread(target=gateway.admin, args=("rule", "list", "--limit", "10000")))
    for t in threads:
        t.start()
    try:
        with dial(port) as doomed:
            assert doomed.recv(1) == b"."
            owner.ask("DELETE", f"/rules/{rule}").result
            answered = time.monotonic()
            doomed.settimeout(10)
            with pytest.raises(ConnectionResetError):
                while doomed.recv(4096):
                    pass
            took = time.monotonic() - answered
    finally:
        ended.set()
        for t in threads:
            t.join(60)
    print(f"figure: cut {took * 1000:.0f} ms after the answer, with three lists under way")
    assert took <= 1.0


def longest_change(owner, ended):
    """Changes one after the other until `ended`; (how many, the longest in seconds)."""
    count, longest = 0, 0
    while not ended.is_set() or count == 0:
        begun = time.monotonic()
        owner.ask("PATCH", "/users/waits", {"full-name": f"n{count}"}).result
        longest, count = max(longest, time.monotonic() - begun), count + 1
    return count, longest


def meanwhile(owner, *acts):
    """What changes wait for while all of these run at once: (changes, longest, seconds that it took)."""
    ended, begun = threading.Event(), time.monotonic()
    threads = [threading.Thread(target=act) for act in acts]

    def wait():
        for t in threads:
            t.join()
        ended.set()
    watcher = threading.Thread(target=wait)
    for t in (*threads, watcher):
        t.start()
    count, longest = longest_change(owner, ended)
    return count, longest, time.monotonic() - begun


def log_in(portal, name):
    """The portal hashes at most four passwords of one address at once, and tells the others to come again."""
    wait_until(lambda: portal.browser().login(name).status == 200, 30, f"{name} to log in", interval=0.05)


@pytest.mark.release_only
def test_what_a_change_waits_for_while_a_table_is_imported_and_people_log_in(make_gateway):
    """An import of users is done in slices, and whoever changes something has his turn between them; log-ins hash in the portal."""
    port = new_port()
    gateway = make_gateway("wait", extra_config=portal_config(port))
    gateway.add_user("waits")
    portal = Portal(gateway, port).start()
    try:
        owner = portal.account("tanaka", "owner")
        portal.account("sato", "auditor")
        alone = meanwhile(owner, lambda: time.sleep(1))[1]
        table = f"{gateway.dir}/users.csv"
        with open(table, "w", encoding="utf-8") as f:
            f.write("name,full-name\n" + "".join(f"{user_name(i)},社員 {i}\n" for i in range(USERS)))
        login = meanwhile(owner, *[lambda: log_in(portal, "sato") for _ in range(8)])
        imported = meanwhile(owner, lambda: gateway.admin_run("user", "import", table, timeout=120).ok())
        print(f"figure: the longest change alone {alone * 1000:.0f} ms, while 8 log in {login[1] * 1000:.0f} ms, "
              f"while {USERS} users are imported {imported[1] * 1000:.0f} ms (the import took {imported[2]:.1f} s)")
        assert login[1] < 1 and imported[1] < 1 and imported[0] > 3
        assert gateway.admin("status")["users"] == USERS + 1
        # Others may ask while it goes on; a second import may not begin. A table with a problem changes nothing at all.
        with open(table, "a", encoding="utf-8") as f:
            f.write("new user,with a blank\n")
        refused = gateway.admin_run("user", "import", table, timeout=120)
        assert refused.status == 1 and "nothing was changed" in refused.err, str(refused)
        assert gateway.admin("status")["users"] == USERS + 1
    finally:
        portal.stop()
