"""The policy once more, written from its description and not from its code.

Slow and simple on purpose: rules are read one after the other, addresses are whole numbers. What
policy.h, addr.h and the requirements say in words is what stands here; where the two programs
disagree one of them misreads the words.
"""
import ipaddress
import re

MINUTES_A_WEEK = 7 * 24 * 60
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

# Addresses that are no ordinary targets, in the order in which an address is classified.
SPECIAL = [
    ("loopback", ["127.0.0.0/8", "::1/128"]),
    ("unspecified", ["0.0.0.0/8", "::/128"]),
    ("link-local", ["169.254.0.0/16", "fe80::/10"]),
    ("multicast", ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"]),
    ("mapped", ["::ffff:0:0/96", "::/96"]),
    ("nat64", ["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"]),
]


class Net:
    """A network, or one address, as (version, number, prefix length)."""

    def __init__(self, text):
        net = ipaddress.ip_network(text, strict=True)
        self.version = net.version
        self.bits = 32 if net.version == 4 else 128
        self.prefix = net.prefixlen
        self.base = int(net.network_address)

    def has(self, ip):
        version, number = ip
        if version != self.version:
            return False
        shift = self.bits - self.prefix
        return number >> shift == self.base >> shift

    def within(self, other):
        return (self.version == other.version and self.prefix >= other.prefix
                and other.has((self.version, self.base)))


SPECIAL_NETS = [(kind, [Net(n) for n in nets]) for kind, nets in SPECIAL]


def kind_of(ip):
    for kind, nets in SPECIAL_NETS:
        if any(n.has(ip) for n in nets):
            return kind
    return "ordinary"


# --- what a client may write as a host -------------------------------------------------------


def read_ip4(text):
    if not re.fullmatch(r"(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}", text):
        return None
    number = 0
    for part in text.split("."):
        if int(part) > 255:
            return None
        number = number << 8 | int(part)
    return 4, number


def read_ip6(text):
    if ":" not in text or "%" in text:
        return None
    try:
        return 6, int(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def read_ip(text):
    return read_ip4(text) or read_ip6(text)


def read_host(raw):
    """Bytes from the wire: (version, number), a normal name, or None for what is refused."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if text.startswith("[") and text.endswith("]"):
        return read_ip6(text[1:-1])
    ip = read_ip(text)
    if ip:
        return ip
    if text.endswith("."):
        text = text[:-1]
    if not 1 <= len(text) <= 253:
        return None
    labels = text.lower().split(".")
    for label in labels:
        if not re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label):
            return None
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return None
    return ".".join(labels)


def unmap(ip):
    """A source address ::ffff:a.b.c.d is the IPv4 address that it carries."""
    version, number = ip
    if version == 6 and number >> 32 == 0xffff:
        return 4, number & 0xffffffff
    return ip


# --- rules ---------------------------------------------------------------------------------------


def read_hours(text):
    """The set of minutes of the week."""
    minutes = set()
    for days, begin, end in re.findall(r"([A-Za-z,-]+) (\d\d:\d\d)-(\d\d:\d\d)(?:, ?|$)", text):
        wanted = []
        if days.lower() == "daily":
            wanted = list(range(7))
        else:
            for item in days.lower().split(","):
                first, _, last = item.partition("-")
                day = DAYS.index(first)
                wanted.append(day)
                while last and DAYS[day] != last:
                    day = (day + 1) % 7
                    wanted.append(day)
        start, stop = (int(t[:2]) * 60 + int(t[3:]) for t in (begin, end))
        if stop < start:
            stop += 24 * 60
        for day in wanted:
            minutes.update((day * 1440 + m) % MINUTES_A_WEEK for m in range(start, stop))
    return minutes


class Rule:
    def __init__(self, given):
        self.id = given["id"]
        self.owner = (given["group"], given["owner"])
        self.order = (given["position"], given["id"])
        self.allow = given["action"] == "allow"
        host, _, ports = given["target"].rpartition(":")
        first, _, last = ports.partition("-")
        self.first, self.last = int(first), int(last or first)
        host = host.strip("[]")
        self.name = self.net = None
        self.is_network = "/" in host
        if self.is_network or read_ip(host):
            self.net = Net(host)
        else:
            self.name = read_host(host.encode())
        self.source = Net(given["from"]) if given.get("from") else None
        self.hours = read_hours(given["hours"]) if given.get("hours") else None
        self.expires = given.get("expires") or 0
        self.local = given.get("local")

    def in_force(self, source, now, minute):
        if self.expires and now >= self.expires:
            return False
        if self.source and not self.source.has(source):
            return False
        return self.hours is None or minute in self.hours

    def names(self, ip, own):
        """Whether this allow rule, which matched, may reach a special or own address."""
        if self.net and self.net.prefix == self.net.bits:
            return True
        kind = kind_of(ip)
        if kind == "loopback":
            if self.name == "localhost":
                return True
        elif ip in own:
            return False
        if kind == "ordinary":
            return True
        nets = next(nets for k, nets in SPECIAL_NETS if k == kind)
        return self.net is not None and any(self.net.within(n) and n.has(ip) for n in nets)


class Oracle:
    def __init__(self, snapshot):
        self.users = dict(snapshot["users"])
        self.groups = {}
        for group, user in snapshot["members"]:
            self.groups.setdefault(user, set()).add(group)
        self.rules = [Rule(r) for r in snapshot["rules"]]
        self.own = {unmap(read_ip(ip)) for ip in snapshot["own"]}
        self.zone = snapshot["zone"]
        self.merged = {u: self.order_for(u) for u in self.users}

    def order_for(self, user):
        mine = [r for r in self.rules if r.owner == (False, user)]
        groups = self.groups.get(user, ())
        theirs = [r for r in self.rules if r.owner[0] and r.owner[1] in groups]
        return sorted(mine, key=lambda r: r.order) + sorted(theirs, key=lambda r: r.order)

    def minute(self, now):
        return (now // 60 + self.zone + 3 * 1440) % MINUTES_A_WEEK

    def ask(self, q):
        host = read_host(bytes.fromhex(q["host"]))
        if host is None:
            return {"invalid": "host"}
        if not 1 <= q["port"] <= 65535:
            return {"invalid": "port"}
        resolved = read_ip(q["ip"]) if q["ip"] else None
        return self.decide(q["user"], unmap(read_ip(q["source"])), host, resolved, q["port"],
                           q["now"])

    def decide(self, user, source, host, resolved, port, now):
        def say(answer, reason, rule=None):
            return {"answer": answer, "reason": reason, "rule": rule.id if rule else None}

        if user not in self.users:
            return say("deny", "no-user")
        if not self.users[user]:
            return say("deny", "user-disabled")
        literal = isinstance(host, tuple)
        if literal and resolved and resolved != host:
            return say("deny", "default-deny")
        address = host if literal else resolved
        minute = self.minute(now)
        for rule in self.merged[user]:
            if not rule.first <= port <= rule.last or not rule.in_force(source, now, minute):
                continue
            if rule.name is not None:
                if literal or rule.name != host:
                    continue
            elif address is None:
                return say("needs", "needs-address", rule)
            elif not rule.net.has(address):
                continue
            if not rule.allow:
                return say("deny", "rule", rule)
            if address is None:
                return say("needs", "needs-address", rule)
            if not rule.names(address, self.own):
                return say("deny", "special-address", rule)
            return say("allow", "rule", rule)
        return say("deny", "default-deny")

    def forwards(self, user, source, now):
        taken, given = set(), []
        if not self.users.get(user):
            return given
        source = unmap(read_ip(source))
        for rule in self.merged[user]:
            if not rule.allow or not rule.local or rule.first != rule.last or rule.is_network:
                continue
            if not rule.in_force(source, now, self.minute(now)):
                continue
            host = rule.name or (rule.net.version, rule.net.base)
            if self.decide(user, source, host, None, rule.first, now)["answer"] == "deny":
                continue
            if rule.local in taken:
                continue
            taken.add(rule.local)
            given.append(rule.id)
        return given

    def state_of_time(self, now):
        """Which rules are in force as far as time goes: what next_change is about."""
        minute = self.minute(now)
        return [(not r.expires or now < r.expires, r.hours is None or minute in r.hours)
                for r in self.rules]
