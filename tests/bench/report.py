"""What the figures mean: medians, ratios, the aims of the Speed table, the change since last time.

figures: {row title: {figure: {path: [value of each round]}}}. Ratios are medians of the ratios of
single rounds, since the paths of one round were measured one right after the other.
"""
import statistics

MARK_CHANGE = 0.10  # a figure of PRA's that got worse by more than this stands out
HIGHER_IS_BETTER = ("MB/s", "logins/s")

UP, DOWN = "up, {} stream{}", "down, {} stream{}"


def _bulk_titles(suffix=""):
    return [t.format(n, "s" * (n > 1)) + suffix for n in (1, 4) for t in (UP, DOWN)]


class Aim:
    """One line of the Speed table. peer: PRA's figure is divided by this path's first."""

    def __init__(self, title, figure, sign, limit, peer=None, path="pra"):
        self.title, self.figure, self.sign, self.limit, self.peer = title, figure, sign, limit, peer
        self.path = path

    def judge(self, figures):
        """(value, met), or None when it was not measured."""
        values = figures.get(self.title, {}).get(self.figure, {})
        if not values.get(self.path) or (self.peer and not values.get(self.peer)):
            return None
        value = ratio(values, self.peer, self.path) if self.peer else statistics.median(values[self.path])
        return value, value <= self.limit if self.sign == "<=" else value >= self.limit

    def text(self):
        of = f" x {self.peer}" if self.peer else ""
        return f"{self.title}, {self.figure}: {self.sign} {self.limit:.3g}{of}"


AIMS = [
    *[Aim(t, "cpu s/GiB", "<=", 0.5, "openssh") for t in _bulk_titles()],
    *[Aim(t, "MB/s", ">=", 0.7, "relay2") for t in _bulk_titles()],
    *[Aim(t, "MB/s", ">=", 1.3 if t.startswith("up") else 1.7, "openssh") for t in _bulk_titles()],
    *[Aim(t, "MB/s", ">=", 8, "openssh") for t in _bulk_titles(", 100 ms")],
    Aim("1-byte round trip", "p50 us", "<=", 1, "openssh"),
    Aim("1-byte round trip", "p99 us", "<=", 1, "openssh"),
    Aim("new connection", "p50 us", "<=", 1, "openssh"),
    Aim("login", "logins/s", ">=", 12, "openssh"),
    Aim("login", "cpu ms per login", "<=", 1 / 12, "openssh"),
    Aim("idle client", "PSS KiB", "<=", 64),
    Aim("idle client", "PSS KiB", "<=", 1 / 30, "openssh"),
    Aim("idle client", "PSS KiB after a burst", "<=", 64),
    Aim("10,000 clients", "held", ">=", 10000),
    Aim("10,000 clients", "idle cpu %", "<=", 5),
    *[Aim("10,000 clients", f"{what}, {sources}", "<=", limit) for sources in ("many sources", "3 sources")
      for what, limit in (("all back s", 60), ("not back", 0))],
    Aim("agent", "RSS MiB", "<=", 10),
    Aim("agent", "connect ms beyond the KDF", "<=", 300),
    Aim("rule lookup, 100,000 rules", "us per answer", "<=", 5),
]


def ratio(values, peer, path="pra"):
    """Median of path/peer over the rounds that both have; None if there is none."""
    pairs = [a / b for a, b in zip(values.get(path, []), values.get(peer, [])) if b]
    return statistics.median(pairs) if pairs else None


def change(values, old, path):
    """How far a path's median moved since `old`, as a fraction; None if either is missing."""
    if not values.get(path) or not old.get(path):
        return None
    before = statistics.median(old[path])
    return statistics.median(values[path]) / before - 1 if before else None


def _cell(values):
    if not values:
        return ""
    spread = (max(values) - min(values)) / 2
    return f"{statistics.median(values):.4g}" + (f" ±{spread:.2g}" if len(values) > 1 else "")


def _ratio_cell(values, peer):
    r = ratio(values, peer)
    return f"{r:.2f}" if r else ""


def _moved(figure, moved):
    """A change as text, and whether it is one for the worse that stands out."""
    worse = -moved if figure in HIGHER_IS_BETTER else moved
    return f"{moved * 100:+.0f} %" + (" << WORSE" if worse > MARK_CHANGE else ""), worse > MARK_CHANGE


def _before_cell(figure, values):
    """Beside another build of PRA in the same rounds, which says more than a kept figure of another day."""
    r = ratio(values, "before")
    return _moved(figure, r - 1)[0] if r else ""


def _change_cell(figure, values, old):
    moved = change(values, old, "pra")
    if moved is None:
        return ""
    text, stands_out = _moved(figure, moved)
    if stands_out:
        peer = change(values, old, "openssh")
        text += f" (openssh {peer * 100:+.0f} %)" if peer is not None else ""
    return text


def _columns(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return ["  ".join(c.ljust(w) for c, w in zip(r, widths)).rstrip() for r in rows]


def table(figures, kept):
    """Lines: one per figure, a column per path, then PRA beside its peers and beside the kept run."""
    names = list(dict.fromkeys(p for row in figures.values() for f in row.values() for p in f))
    older = ["pra/before"] if "before" in names else []
    rows = [["", *names, "pra/openssh", "pra/relay2", *older, "since kept"]]
    for title, row in figures.items():
        for figure, values in row.items():
            old = kept.get(title, {}).get(figure, {})
            rows.append([f"{title}, {figure}", *(_cell(values.get(n)) for n in names),
                         _ratio_cell(values, "openssh"), _ratio_cell(values, "relay2"),
                         *([_before_cell(figure, values)] if older else []),
                         _change_cell(figure, values, old)])
    return _columns(rows)


def aims(figures):
    """Lines: every aim that was measured, met or missed, with its number."""
    rows, met = [], 0
    for aim in AIMS:
        judged = aim.judge(figures)
        if judged is None:
            continue
        value, good = judged
        met += good
        rows.append(["met" if good else "MISSED", f"{value:.3g}", aim.text()])
    return [f"{met} of {len(rows)} aims met", *_columns(rows)] if rows else []


def text(result, kept):
    """The whole table as text."""
    facts = [f"{k}: {v}" for k, v in result["machine"].items()]
    lines = [*facts, "", *table(result["figures"], kept.get("figures", {})), "", *aims(result["figures"])]
    return "\n".join(lines) + "\n"
