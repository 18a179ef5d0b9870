#!/usr/bin/python3
"""Measures PRA beside its peers on this machine and prints a table; `make bench` starts it.

    ROWS=bulk,latency    only these groups of rows, or rows whose titles begin so (rows.py)
    PATHS=pra,openssh    only these paths (stand.py)
    BEFORE=FOLDER        another build of PRA, measured beside this one (make bench BEFORE=COMMIT builds it)
    ROUNDS=3             rounds, interleaved over all paths
    KEEP=1               the result becomes the one that later runs are compared with

A benchmark never fails the build because of a figure. Every result is written below the build
folder; KEEP=1 writes to results/ as well, where rows that were not measured stay as they were.
"""
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import picture  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
from lib.gateway import build_dir, program  # noqa: E402
from stand import BEFORE, CIPHER, DELAY_US, SSHD_LIMITS, Stand  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS") or "3")
RESULTS = HERE / "results"
KEPT = RESULTS / "latest.json"


def words(name):
    return [w.strip() for w in os.environ.get(name, "").split(",") if w.strip()]


def measure(stand, chosen, paths):
    """{row title: {figure: {path: [value of each round]}}}"""
    seen = {}
    for number in range(ROUNDS):
        for row in chosen:
            if row.rounds is not None and number >= row.rounds:
                continue
            for path in row.turns * [p for p in row.paths if not paths or p in paths]:
                for figure, value in row.measure(stand, path).items():
                    seen.setdefault(row.title, {}).setdefault(figure, {}).setdefault(path, []).append(value)
        print(f"round {number + 1} of {ROUNDS} done", file=sys.stderr)
    return seen


def version(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "not installed"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "?"


def describe(stand):
    with open("/proc/cpuinfo") as f:
        cpu = next((l.partition(":")[2].strip() for l in f if l.startswith("model name")), "?")
    commit = version("git", "-C", str(HERE), "describe", "--always", "--dirty")
    facts = {
        "commit": commit, "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release(),
        "prad": version(program("prad"), "--version"),
        "openssh": version("/usr/bin/ssh", "-V"), "openssh cipher": CIPHER,
        "sshd settings": "UsePAM no; " + SSHD_LIMITS.strip().replace("\n", "; "),
        "dropbear": version("/usr/sbin/dropbear", "-V"), "plink": version("plink", "-V"),
        "stunnel": version("dpkg-query", "-W", "stunnel4"), "rounds": ROUNDS,
        "far": f"round trip {DELAY_US * 2 / 1000:g} ms, no limit of rate",
    }
    if BEFORE:
        facts["before"] = Path(BEFORE, "../commit").read_text()[:7]
    facts.update({f"{name} left out": why for name, why in stand.missing.items()})
    return facts


def load_kept():
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def keep(result, kept):
    """Rows measured now replace the kept ones; each remembers its commit."""
    order = [r.title for r in rows.ROWS]
    merged = {**kept.get("figures", {}), **result["figures"]}
    merged = {t: merged[t] for t in sorted(merged, key=lambda t: order.index(t) if t in order else 99)}
    commits = {**kept.get("commits", {}), **{t: result["machine"]["commit"] for t in result["figures"]}}
    kept = {"machine": result["machine"], "commits": {t: commits.get(t) for t in merged}, "figures": merged}
    RESULTS.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    (RESULTS / "latest.txt").write_text(report.text(kept, {}))
    facts = kept["machine"]
    (RESULTS / "latest.svg").write_text(picture.draw(
        kept["figures"], f"{facts['prad']}; {facts['openssh']}; {facts['cores']} cores, {facts['cpu']}"))


def main():
    chosen, kept, begun = rows.choose(words("ROWS")), load_kept(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pra-bench-") as folder:
        stand = Stand(folder)
        try:
            figures = measure(stand, chosen, words("PATHS"))
            result = {"machine": describe(stand), "figures": figures}
        finally:
            stand.close()
    result["machine"]["seconds"] = round(time.monotonic() - begun)
    text = report.text(result, kept)
    print(text)
    out = Path(build_dir()) / "bench"
    out.mkdir(parents=True, exist_ok=True)
    (out / "last.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "last.txt").write_text(text)
    if os.environ.get("KEEP"):
        keep(result, kept)


if __name__ == "__main__":
    main()
