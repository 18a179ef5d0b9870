"""The rows of the table: what is asked of which paths, and how much of it.

A row measures one path once and returns {figure: value}: `ask` is a function of (stand, way), or
{path: function of stand} where it is no way that is measured. bench.py asks every row of every path
in turn, round after round.
"""
import rows_crowd
from lib.procs import run
from stand import FAR, NEAR, cpu_seconds

NEAR_SECONDS, FAR_SECONDS = 1.0, 3.0  # how long one transfer shall last
LATENCY_TURNS = 5  # p99 of 3,000 round trips, a third of a second, varies by a third
FIRST_BYTES, BYTES_MAX = 32 << 20, 4 << 30


class Row:
    """rounds: how many make a median; None = as many as asked for. turns: how often all paths are
    measured in one round; more than once where a measurement is short and varies."""

    def __init__(self, group, title, paths, ask, far=False, rounds=None, turns=1):
        self.group, self.title, self.paths, self.ask = group, title, paths, ask
        self.far, self.rounds, self.turns = far, rounds, turns

    def measure(self, stand, path):
        if isinstance(self.ask, dict):
            return self.ask[path](stand)
        way = stand.way(path, self.far)
        return self.ask(stand, way) if way else {}


def transfer(stand, way, direction, streams, size):
    """Moves `size` bytes; (seconds, CPU seconds of client and gateway)."""
    before = cpu_seconds(way.pids())
    out = run([stand.bulk, direction, way.port, streams, size], timeout=120).ok().out
    return float(out), cpu_seconds(way.pids()) - before


def bulk(direction, streams, seconds):
    """Every path is kept busy for about as long: the size follows what it last did."""
    def ask(stand, way):
        own, any_ = (way.name, seconds, direction, streams), (way.name, seconds)
        size = stand.memory.get(own) or stand.memory.get(any_) or FIRST_BYTES
        took, cpu = transfer(stand, way, direction, streams, size)
        while took < seconds / 2 and size < BYTES_MAX:  # too short to count
            size = min(BYTES_MAX, int(size * min(16, seconds / took)))
            took, cpu = transfer(stand, way, direction, streams, size)
        stand.memory[own] = stand.memory[any_] = min(BYTES_MAX, max(FIRST_BYTES, int(size * seconds / took)))
        return {"MB/s": size / took / 1e6, "cpu s/GiB": cpu / (size / (1 << 30))}
    return ask


def times(what, count):
    def ask(stand, way):
        p50, p99, _, _ = run([stand.bulk, what, way.port, count], timeout=120).ok().out.split()
        return {"p50 us": float(p50), "p99 us": float(p99)}
    return ask


def _bulk_rows(group, suffix, paths, seconds, far):
    return [Row(group, f"{direction}, {streams} stream{'s' * (streams > 1)}{suffix}", paths,
                bulk(direction, streams, seconds), far)
            for streams in (1, 4) for direction in ("up", "down")]


def _on(path, ask):
    """`ask` of another path than the column's."""
    def asked(stand):
        way = stand.way(path)
        return ask(stand, way) if way else {}
    return asked


def _many(group, title, rounds=None, **ask):
    return Row(group, title, tuple(ask), ask, rounds=rounds)


ROWS = [
    *_bulk_rows("bulk", "", NEAR, NEAR_SECONDS, False),
    *_bulk_rows("far", ", 100 ms", FAR, FAR_SECONDS, True),
    *[Row("chacha", f"{direction}, 1 stream, ChaCha20", ("openssh", "pra"),
          {path: _on(f"{path}+chacha", bulk(direction, 1, NEAR_SECONDS)) for path in ("openssh", "pra")})
      for direction in ("up", "down")],
    Row("latency", "1-byte round trip", NEAR, times("ping", 3000), turns=LATENCY_TURNS),
    Row("latency", "new connection", NEAR, times("open", 500), turns=LATENCY_TURNS),
    # Of its own titles, which no aim knows.
    *[Row("windows", f"{direction}, 1 stream, wine", ("pra.exe",), bulk(direction, 1, NEAR_SECONDS))
      for direction in ("up", "down")],
    Row("windows", "1-byte round trip, wine", ("pra.exe",), times("ping", 1000)),
    Row("windows", "new connection, wine", ("pra.exe",), times("open", 50)),
    _many("login", "login", openssh=rows_crowd.logins_sshd, pra=rows_crowd.logins_pra),
    _many("live", "1-byte round trip in a storm", openssh=rows_crowd.live_sshd, pra=rows_crowd.live_pra),
    _many("memory", "idle client", openssh=rows_crowd.memory_sshd, pra=rows_crowd.memory_pra),
    _many("crowd", "10,000 clients", rounds=1, pra=rows_crowd.ten_thousand),
    _many("agent", "agent", pra=rows_crowd.agent),
    _many("lookup", "rule lookup, 100,000 rules", pra=rows_crowd.lookup),
]


def choose(words):
    """The rows of the named groups, or whose titles begin with the word; all when none is named."""
    chosen = [r for r in ROWS if not words or any(w == r.group or r.title.startswith(w) for w in words)]
    if not chosen:
        groups = dict.fromkeys(r.group for r in ROWS)
        raise SystemExit(f"bench: no row is called that; groups: {', '.join(groups)}")
    return chosen
