"""The C policy and the oracle must agree on every one of many random questions (quality 10).

PRA_ORACLE_CASES sets how many (100,000 by default; 1,000,000 in `make soak`), PRA_ORACLE_SEED
where to start; a failure prints what to set to see it again.
"""
import json
import os
import random
import subprocess
import time
from pathlib import Path

from oracle import DAYS, Oracle, SPECIAL

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("PRA_BUILD", ROOT / "build"))
CASES = int(os.environ.get("PRA_ORACLE_CASES", "100000"))
SEED = int(os.environ.get("PRA_ORACLE_SEED", str(int(time.time()))))
QUESTIONS = 500  # asked of one snapshot
NOW = 1795000000  # a Tuesday in November 2026

NAMES = ["mail", "mail.example.com", "Mail.Example.com", "web.example.com", "localhost",
         "a-b.example.com", "x_y.example.com", "xn--wgv71a.example.com", "gw.example.com"]
ADDRESSES = ["10.0.0.5", "10.1.2.3", "10.1.2.4", "192.168.1.1", "192.0.2.7", "127.0.0.1",
             "127.8.9.1", "169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
             "2001:db8::1", "2001:db8::2", "::1", "::", "fe80::1", "ff02::1", "::ffff:10.0.0.5",
             "::ffff:127.0.0.1", "::10.0.0.5", "64:ff9b::a00:5", "64:ff9b:1::1", "2002:a00:5::",
             "198.51.100.9", "fd00::9"]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "0.0.0.0/0", "127.0.0.0/8",
            "127.8.0.0/16", "169.254.0.0/16", "192.168.0.0/16", "::/0", "2001:db8::/32",
            "2001:db8::1/128", "::/96", "::ffff:0:0/96", "::ffff:10.0.0.0/104", "fe80::/10",
            "64:ff9b::/96", "2002::/16", "224.0.0.0/4", "0.0.0.0/8", "10.0.0.4/31", "fd00::/8",
            "64:ff9b::/32", "::1/128"]
SOURCES = ["192.0.2.7", "192.0.2.200", "198.51.100.9", "::ffff:192.0.2.7", "2001:db8::77", "10.0.0.5"]
SOURCE_NETS = ["192.0.2.0/24", "192.0.2.0/25", "2001:db8::/32", "0.0.0.0/0", "10.0.0.5/32"]
PORTS = [22, 25, 80, 110, 443, 3389, 8000, 8050, 8099, 65535, 1]
OWN = ["192.0.2.7", "198.51.100.9", "fd00::9", "fe80::1", "127.0.0.1"]


def random_hours(rng):
    def clock(limit):
        return "24:00" if rng.random() < 0.05 else f"{rng.randrange(limit):02}:{rng.randrange(60):02}"

    spans = []
    for _ in range(rng.choice([1, 1, 2])):
        begin, end = f"{rng.randrange(24):02}:{rng.randrange(60):02}", clock(24)
        if begin == end:
            end = "24:00"
        days = rng.choice(["daily", rng.choice(DAYS).title(),
                           f"{rng.choice(DAYS).title()}-{rng.choice(DAYS)}",
                           f"{rng.choice(DAYS)},{rng.choice(DAYS)}"])
        spans.append(f"{days} {begin}-{end}")
    return ", ".join(spans)


def random_target(rng):
    pick = rng.random()
    if pick < 0.4:
        host = rng.choice(NAMES)
        if rng.random() < 0.1:
            host += "."
    elif pick < 0.65:
        host = rng.choice(ADDRESSES)
    else:
        host = rng.choice(NETWORKS)
    if ":" in host:
        host = f"[{host}]"
    port = rng.choice(PORTS)
    if rng.random() < 0.3:
        return f"{host}:{port}-{min(65535, port + rng.choice([1, 99, 60000]))}"
    return f"{host}:{port}"


def random_rule(rng, number, users, groups):
    group = rng.random() < 0.4
    target = random_target(rng)
    rule = {"id": number, "group": group, "owner": rng.choice(groups if group else users),
            "position": rng.randrange(1, 8), "action": rng.choice(["allow", "allow", "deny"]),
            "target": target}
    if rng.random() < 0.2:
        rule["from"] = rng.choice(SOURCE_NETS)
    if rng.random() < 0.2:
        rule["hours"] = random_hours(rng)
    if rng.random() < 0.2:
        rule["expires"] = NOW + rng.choice([-1, 0, 1, 3600, 10**6])
    if rng.random() < 0.5:
        rule["local"] = f"127.0.0.{rng.randrange(1, 3)}:{rng.randrange(100, 104)}"
    return rule


def random_snapshot(rng):
    users = ["alice", "Alice", "bob", "off"]
    groups = ["sales", "dev", "alice"]
    return {"users": [[u, u != "off"] for u in users],
            "members": [[g, u] for g in groups for u in users if rng.random() < 0.5],
            "own": rng.sample(OWN, rng.randrange(len(OWN) + 1)), "zone": rng.choice([0, 540, -210]),
            "rules": [random_rule(rng, i + 1, users, groups)
                      for i in range(rng.choice([1, 3, 10, 40, 80]))]}


def changed_snapshot(rng, before):
    """Another snapshot, and whose rules differ; users and members may come and go without that."""
    other = random_snapshot(rng)
    owners = sorted({(r["group"], r["owner"]) for r in before["rules"] + other["rules"]})
    changed = rng.sample(owners, rng.randrange(min(4, len(owners) + 1)))
    kept = [r for r in before["rules"] if (r["group"], r["owner"]) not in changed]
    new = [dict(r, id=r["id"] + 1000) for r in other["rules"] if (r["group"], r["owner"]) in changed]
    rules = kept + new
    rng.shuffle(rules)
    gone = "bob" if rng.random() < 0.3 and (False, "bob") not in changed else None
    return dict(other, rules=[r for r in rules if r["group"] or r["owner"] != gone],
                users=[u for u in other["users"] if u[0] != gone],
                members=[m for m in other["members"] if m[1] != gone]), changed


def twisted(rng, host):
    """The same host, or what somebody might try so that it is taken for another one."""
    twist = rng.random()
    if twist < 0.7:
        return host
    if twist < 0.8:
        return rng.choice([host.upper(), host.title(), host + "."])
    numeric = host.count(".") == 3 and host.replace(".", "").isdigit()
    forms = [host + "..", "." + host, host + "\0", host + "\0.example.com",
             " " + host, host + " ", f"[{host}]", host.replace(".", "\u3002"), host + "%eth0",
             host + "/32", host + ":80", ""]
    if numeric:
        parts = [int(p) for p in host.split(".")]
        number = int.from_bytes(bytes(parts), "big")
        forms += [f"::ffff:{host}", str(number), hex(number), "%o.%d.%d.%d" % tuple(parts),
                  "0" + host, "0x%x.%d.%d.%d" % tuple(parts), ".".join(map(str, parts[:2])),
                  host + ".1", f"{parts[0]}.{number & 0xffffff}", f"::{host}"]
    return rng.choice(forms)


def random_question(rng, snapshot):
    user = rng.choice(["alice", "Alice", "bob"] * 5 + ["off", "nobody"])
    if rng.random() < 0.9:
        rule = rng.choice(snapshot["rules"])
        users = [m[1] for m in snapshot["members"] if m[0] == rule["owner"]]
        user = rng.choice([user] + (users if rule["group"] else [rule["owner"]]) * 2)
        target, _, ports = rule["target"].rpartition(":")
        host, port = target.strip("[]").split("/")[0], int(ports.split("-")[0])
        port += rng.choice([0] * 12 + [1, -1, 65536, 50])
    else:
        host = rng.choice(NAMES + ADDRESSES)
        port = rng.choice(PORTS + [0, 65536, 65558, 2**32 - 1])
    # A name may resolve to anything, and to something else the next time.
    ip = rng.choice(ADDRESSES) if rng.random() < 0.7 else None
    if rng.random() < 0.9 and not any(c.isalpha() and c not in "abcdef" for c in host):
        ip = None
    return {"user": user, "source": rng.choice(SOURCES), "host": twisted(rng, host).encode().hex(),
            "port": port, "ip": ip, "now": NOW + rng.choice([0, 0, -1, 1, 3600, 86400 * rng.randrange(7)])}


class Driver:
    def __init__(self):
        self.process = subprocess.Popen([BUILD / "tests/policy/policy_driver"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *questions):
        """Answers to all questions; few enough that they fit into the pipes."""
        self.process.stdin.write("".join(json.dumps(q) + "\n" for q in questions))
        self.process.stdin.flush()
        return [json.loads(self.process.stdout.readline()) for _ in questions]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def test_policy_agrees_with_the_oracle():
    driver, asked, answers = Driver(), 0, {}
    for number in range(CASES // QUESTIONS):
        seed = SEED * 1000003 + number
        rng = random.Random(seed)
        snapshot = random_snapshot(rng)
        assert driver.ask({"snapshot": snapshot}) == [{"ok": True}], (seed, snapshot)
        oracle = Oracle(snapshot)
        for _ in range(QUESTIONS // 50):
            questions = [random_question(rng, snapshot) for _ in range(50)]
            for q, got in zip(questions, driver.ask(*questions)):
                wanted = oracle.ask(q)
                assert got == wanted, (f"PRA_ORACLE_SEED={SEED} snapshot {number}", snapshot, q)
                word = got.get("reason") or got["invalid"]
                answers[word] = answers.get(word, 0) + 1
                asked += 1
    driver.close()
    print(f"{asked} questions, seed {SEED}: {answers}")
    if CASES >= 10000:  # the questions reach every kind of answer
        assert set(answers) == {"rule", "default-deny", "no-user", "user-disabled",
                                "special-address", "needs-address", "host", "port"}


def test_rules_taken_over_from_the_snapshot_before_agree_with_the_oracle():
    driver = Driver()
    for number in range(max(20, CASES // 1000)):
        rng = random.Random(SEED + number)
        snapshot = random_snapshot(rng)
        driver.ask({"snapshot": snapshot})
        for step in range(5):
            snapshot, changed = changed_snapshot(rng, snapshot)
            where = (SEED, number, step, snapshot, changed)
            assert driver.ask({"snapshot": dict(snapshot, changed=changed)}) == [{"ok": True}], where
            oracle = Oracle(snapshot)
            if snapshot["rules"]:
                questions = [random_question(rng, snapshot) for _ in range(40)]
                assert driver.ask(*questions) == [oracle.ask(q) for q in questions], where
            for user in ("alice", "Alice", "bob", "off"):
                got = driver.ask({"forwards": user, "source": "192.0.2.7", "now": NOW})[0]["rules"]
                assert got == oracle.forwards(user, "192.0.2.7", NOW), (where, user)
            then = driver.ask({"next": NOW})[0]["next"]
            if then is not None and then - NOW > 60:
                assert oracle.state_of_time(then - 1) == oracle.state_of_time(NOW), where
    driver.close()


def test_forwards_agree_with_the_oracle():
    driver = Driver()
    for number in range(300):
        rng = random.Random(SEED + number)
        snapshot = random_snapshot(rng)
        driver.ask({"snapshot": snapshot})
        oracle = Oracle(snapshot)
        for user in ("alice", "Alice", "bob", "off", "nobody"):
            source, now = rng.choice(SOURCES), NOW + rng.randrange(7 * 86400)
            got = driver.ask({"forwards": user, "source": source, "now": now})[0]["rules"]
            assert got == oracle.forwards(user, source, now), (SEED, number, snapshot, user, now)
    driver.close()


def test_next_change_is_the_first_moment_at_which_a_rule_comes_or_goes():
    driver = Driver()
    for number in range(200):
        rng = random.Random(SEED + number)
        snapshot = random_snapshot(rng)
        driver.ask({"snapshot": snapshot})
        oracle = Oracle(snapshot)
        now = NOW + rng.randrange(7 * 86400)
        then = driver.ask({"next": now})[0]["next"]
        before = oracle.state_of_time(now)
        horizon = min(then or now + 8 * 86400, now + 8 * 86400)
        for moment in range(now, horizon, 60):
            assert oracle.state_of_time(moment) == before, (SEED, number, now, then, moment)
        if then is not None:
            assert then > now
            assert oracle.state_of_time(then - 1) == before
    driver.close()


def test_special_ranges_are_all_asked_about():
    import ipaddress
    for kind, nets in SPECIAL:
        assert any(ipaddress.ip_address(a) in ipaddress.ip_network(n)
                   for a in ADDRESSES for n in nets
                   if ipaddress.ip_address(a).version == ipaddress.ip_network(n).version), kind
