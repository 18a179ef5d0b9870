#!/usr/bin/python3
"""Runs PRA's tests stage by stage and closes with one line of counts.

    tests/run.py            every stage (what `make test` calls)
    tests/run.py unit flow  only these

Stages, in order:
    unit    cmocka programs below tests/unit and tests/deps
    policy  the policy against an independent oracle
    flow    real servers and clients: tests/flow, tests/interop, tests/raw
    windows-unit  unit tests of what is portable, as programs for Windows under wine
    windows the Windows installers and tray under wine
    windows-client  a minute's selection of the client's tests, with pra.exe under wine
    demo    `make demo` without a terminal
    asan    unit, policy and flow once more, built with ASan and UBSan
    tsan    what the threads of prad, portal and agent share, built with TSan: a few minutes' selection
    fuzz    each fuzz target for a few seconds
    check   formatting, static analysis, banned calls, include directions
    figures what is measured, one by one with nothing beside it (`flow` alone runs them, too)

When all stages run, `check` and the builds that later stages need (BESIDE) run from the start in the time that the
tests leave the processor idle, and only then (SCHED_IDLE): most of these tests wait. A stage waits for the build that
it needs, `check` and `figures` for what is left.

`tests/run.py soak` (make soak) runs what is marked `soak` instead: the full forms, one by one; with SAN=address
those that do not measure, and those in Chromium, which the asan stage leaves out.
`tests/run.py windows-full` (make test-windows) runs all tests of tests/windows, the long ones as well, and
windows-client-full every flow test of the client with pra.exe.

PRA_BUILD names the build folder. The full output of each program is kept below it in test-logs/.
"""
import concurrent.futures
import os
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib import winclient, wineprefix
from lib.procs import environment

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("PRA_BUILD", ROOT / "build"))
LOGS = BUILD / "test-logs"
SAN = os.environ.get("SAN", "")
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"]
FLOW_PATHS = ["tests/flow", "tests/interop", "tests/raw"]
# With PRA=pra.exe: a key, a connection, mail through it, the pipe, the logs.
WINDOWS_SHORT = ["tests/flow/test_mail_and_web.py::test_mail_is_read_by_pop3_through_the_tunnel",
                 "tests/flow/test_windows_client.py"]
# What drives a client; why a test of these is left out says tests/lib/winclient.py. Files with a client that are not
# here: administration, alerts, disk, footprint, portal*, report, sandbox, settings, store_crash and ten_thousand (of prad,
# pra-admin and the portal, or memory of a process of Linux), laptop (a machine of namespaces), shared_pc (users of
# Linux), upgrade (a program of Linux replaced; Windows' installers end the agent: tests/windows), tray* (GTK's windows;
# those of Windows are in tests/windows), packages and packaging (Debian's), hostile_fields and pac (run `pra` itself, no
# client; common/test_pac is a program for Windows as well), and of raw/ and interop/ what asks prad or a standard
# client, or an agent with ASan or with calls that fail.
WINDOWS_CLIENT = [f"tests/flow/test_{name}.py" for name in (
    "clone", "commands", "company_network", "connections", "devices", "enroll", "gateway_life", "hostile_gateway",
    "keygen_terminal", "keys", "limits", "live_rules", "local_ports", "log_send", "logs", "mail_and_web", "messages",
    "metrics", "moved_gateway", "network", "other_machine", "profile", "rekey", "remote_desktop", "rule_changes",
    "second_factor", "transfer", "windows_client")] + [
    "tests/interop/test_ciphers.py", "tests/raw/test_lying_gateway.py", "tests/raw/test_lying_secondary.py"]
WINDOWS_WORKERS = ["-n", "2", "--dist", "loadgroup"]  # two PCs (tests/windows/conftest.py)
FLOW_WORKERS = "6"  # most of these tests wait more than they compute
UNIT_WORKERS = 4    # so do the longest of these
FUZZ_WORKERS = os.cpu_count()
ALONE_MAX = 10      # more failures than this are no matter of a busy machine
UNIT_LIMIT_S = 300
FLOW_LIMIT_S = 2400
SOAK_LIMIT_S = 7200
BESIDE_LIMIT_S = 3600  # on the clock, of what gets only what others leave: ThreadSanitizer's build got little in 900 s
FIGURE = "figure: "
# Mailboxes and resolver; workers, keeper, clerk, live registry, tunnels, reload, metrics; the agent's pool; the portal.
TSAN_UNIT = ["unit/server/test_prad_threads"]
# Not those that want something within a moment: with this sanitizer everything takes ten times as long.
TSAN_SLOW = ["tests/raw/test_lives.py::test_open_under_way_when_the_session_must_go_is_refused",
             "tests/raw/test_tunnel.py::test_what_ends_a_session_ends_all_its_connections"]
TSAN_SHORT = ["tests/raw/test_lives.py", "tests/raw/test_tunnel.py", "tests/raw/test_two_machines.py",
              "tests/raw/test_log_upload.py::test_a_good_one_is_kept_and_told_of",
              "tests/raw/test_flow.py::test_revocation_cuts_hundreds_of_channels_at_once",
              "tests/raw/test_flow.py::test_revoked_key_or_user_ends_the_session",
              "tests/raw/test_door.py::test_guessing_is_refused_and_the_penalty_is_seen_kept_and_forgiven",
              "tests/flow/test_gateway_life.py::test_reload_keeps_sessions_and_listeners",
              "tests/flow/test_gateway_life.py::test_forward_survives_gateway_restart",
              "tests/flow/test_metrics.py::test_status_tells_the_same_at_the_console",
              "tests/flow/test_enroll.py::test_a_pc_hands_in_its_key_and_works_once_it_is_approved",
              "tests/flow/test_portal_api.py::test_who_is_connected_is_told_by_events_until_the_log_in_is_over",
              "tests/flow/test_portal_api.py::test_two_steps_from_qr_code_to_recovery"]
FUZZ_SECONDS = 5


class Counts:
    """Passed, failed and skipped tests, and what failed by name."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.names = []

    def add(self, passed, failed, name, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.names.append(name)


def run(argv, log_name, limit, env=None, idle=False):
    """Runs one program, keeps its output; returns (exit code, output). 124 = took too long.

    idle: with what others leave of the processor.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / log_name
    with open(log, "wb") as out:
        try:
            code = subprocess.run(["chrt", "--idle", "0", *argv] if idle else argv, cwd=ROOT, stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=subprocess.STDOUT, timeout=limit,
                                  env={**os.environ, **(env or {})}).returncode
        except subprocess.TimeoutExpired:
            out.write(b"\ntook too long\n")
            code = 124
    return code, log.read_text(errors="replace")


def show_failure(name, text, lines=60):
    print(f"--- {name} failed; the end of its output:")
    print("\n".join(text.splitlines()[-lines:]))


def run_cmocka(build, counts, label=""):
    programs = sorted(p for area in ("unit", "deps") for p in (build / "tests" / area).rglob("test_*")
                      if p.is_file() and os.access(p, os.X_OK) and p.suffix == "")
    sources = {p.stem for p in ROOT.glob("tests/unit/*/test_*.c")}
    sources |= {p.stem for p in ROOT.glob("tests/deps/test_*.c")}
    run_cmocka_programs([[str(p)] for p in programs if p.name in sources], counts, label, {"PRA_BUILD": str(build)})


def run_cmocka_programs(commands, counts, label, env):
    """A few at a time; told in their order."""
    def name_of(argv):
        program = Path(argv[-1])
        return f"{label}{program.parent.name}/{program.stem.removeprefix('test_')}"

    def run_one(argv):
        return run(argv, f"{name_of(argv).replace('/', '-')}.log", UNIT_LIMIT_S, env)

    with concurrent.futures.ThreadPoolExecutor(UNIT_WORKERS) as pool:
        done = list(pool.map(run_one, commands))
    for argv, (code, text) in zip(commands, done):
        name = name_of(argv)
        passed = sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", text)))
        failed = sum(map(int, re.findall(r"\[  FAILED  \] .*?(\d+) test", text)))
        if code != 0 and failed == 0:
            failed = 1  # died before cmocka could count
        print(f"  {name}: {passed} passed, {failed} failed")
        if failed:
            show_failure(name, text)
        counts.add(passed, failed, name)


def run_pytest(paths, build, counts, label, limit=FLOW_LIMIT_S, extra=(), env=None):
    """Runs pytest; returns the names of the tests that failed, and counts everything else."""
    paths = [p for p in paths if (ROOT / p.partition("::")[0]).exists()]
    code, text = run(PYTEST + list(extra) + paths, f"{label}.log", limit,
                     {"PRA_BUILD": str(build), **(env or {})})
    found = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error|skipped)", text)}
    passed, skipped = found.get("passed", 0), found.get("skipped", 0)
    failed = found.get("failed", 0) + found.get("error", 0)
    names = [line.partition(" ")[2].partition(" - ")[0] for line in text.splitlines()
             if line.startswith(("FAILED ", "ERROR "))]
    if code != 0 and failed == 0:
        failed = 1
    print(f"  {label}: {passed} passed, {failed} failed, {skipped} skipped")
    if failed:
        show_failure(label, text, 200)
    counts.add(passed, failed, label, skipped)
    return names if len(names) == failed else []


def run_crowd(paths, build, counts, label, extra, env=None):
    """Several at a time. What fails in the crowd is asked once more alone, and named either way."""
    crowd = Counts()
    failed = run_pytest(paths, build, crowd, label, extra=extra, env=env)
    if not failed or len(failed) > ALONE_MAX:
        counts.add(crowd.passed, crowd.failed, label, crowd.skipped)
        return
    counts.add(crowd.passed, 0, label, crowd.skipped)
    failed = [re.sub(r"@[\w-]+$", "", name) for name in failed]  # the group in which it ran
    print("  once more, alone: " + " ".join(failed))
    run_pytest(failed, build, counts, f"{label}-alone", env=env)


def run_flow(build, counts, label, which="not release_only" + (" and not plain_build" if SAN else "")):
    run_crowd(FLOW_PATHS, build, counts, label, ["-n", FLOW_WORKERS, "-m", which])


def count_plain(label, code, text, counts):
    print(f"  {label}: {'passed' if code == 0 else 'failed'}")
    if code != 0:
        show_failure(label, text)
    counts.add(code == 0, code != 0, label)


def run_plain(argv, counts, label, limit):
    count_plain(label, *run(argv, f"{label}.log", limit), counts)


def make(*words):
    return ["make", "--no-print-directory", *words]


# What needs the processor and nothing else: name, command, limit, environment.
BUILD_NAME = f"BUILD={os.path.relpath(BUILD, ROOT)}"
BUILD_ENV = {"MAKEFLAGS": "-j2"}
ASAN_ENV = {**BUILD_ENV, "SAN": "address", "DEPS_SAN": "address"}
TSAN_ENV = {**BUILD_ENV, "SAN": "thread", "DEPS_SAN": "thread"}
BESIDE = {
    "windows-build": (make(BUILD_NAME, "tests-windows", "windows-test-tools"), BESIDE_LIMIT_S, BUILD_ENV),
    "asan-build": (make("SAN=address", "tests"), BESIDE_LIMIT_S, ASAN_ENV),
    "tsan-build": (make("SAN=thread", "threads"), BESIDE_LIMIT_S, TSAN_ENV),
    "fuzz-build": (make(BUILD_NAME, "fuzz-build"), BESIDE_LIMIT_S, BUILD_ENV),
    "check": (["packaging/check/check.sh"], BESIDE_LIMIT_S, {}),
}


class Beside:
    """Runs all of BESIDE, one after another, beside what the caller runs meanwhile."""

    def __init__(self):
        self._ended = {name: threading.Event() for name in BESIDE}
        self._found = {}
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        for name, (argv, limit, env) in BESIDE.items():
            start = time.monotonic()
            try:
                self._found[name] = (*run(argv, f"{name}.log", limit, env, idle=True), time.monotonic() - start)
            finally:
                self._ended[name].set()

    def wait(self, name):
        """(exit code, output) of one of them, once it has ended."""
        start = time.monotonic()
        self._ended[name].wait()
        code, text, seconds = self._found[name]
        print(f"  {name}: {seconds:.0f} s beside other stages, waited for {time.monotonic() - start:.0f} s", flush=True)
        return code, text


beside = None


def run_computing(name, counts):
    """One of BESIDE, if that has not run yet. Returns True if it passed; otherwise, or if it is a test, it is counted."""
    if beside:
        code, text = beside.wait(name)
    else:
        argv, limit, env = BESIDE[name]
        code, text = run(argv, f"{name}.log", limit, env)
    if code != 0 or name == "check":
        count_plain(name, code, text, counts)
    return code == 0


def stage_check(counts):
    run_computing("check", counts)


def stage_unit(counts):
    run_cmocka(BUILD, counts)


def stage_policy(counts):
    run_pytest(["tests/policy"], BUILD, counts, "policy")


def stage_flow(counts):
    run_flow(BUILD, counts, "flow")
    if not beside and not SAN:
        stage_figures(counts)


def stage_figures(counts):
    """Measured alone, and never on a sanitizer's build. All of BESIDE has ended: `check` is the last of it."""
    run_pytest(FLOW_PATHS, BUILD, counts, "figures", extra=["-m", "release_only"])


def stage_windows_unit(counts):
    """Those that packaging/windows/unit.mk builds, which says why others are left out."""
    if not run_computing("windows-build", counts):
        return
    winclient.make_prefix()
    programs = sorted((BUILD / "windows" / "tests" / "unit").rglob("test_*.exe"))
    sources = {f"{p.parent.name}/{p.stem}" for p in ROOT.glob("tests/unit/*/test_*.c")}
    commands = [[wineprefix.WINE, str(p)] for p in programs if f"{p.parent.name}/{p.stem}" in sources]
    try:
        run_cmocka_programs(commands, counts, "windows-", {**environment(winclient.environment()), "PRA_BUILD": str(BUILD)})
    finally:
        wineprefix.end_server(winclient.environment())


def stage_windows(counts):
    run_crowd(["tests/windows"], BUILD, counts, "windows", WINDOWS_WORKERS)


def run_pra_exe(paths, counts, label):
    """Without pages: they ask nothing of the client."""
    try:
        run_crowd(paths, BUILD, counts, label, ["-n", "2", "-m", "not release_only and not chromium"], {"PRA": "pra.exe"})
    finally:
        wineprefix.end_server(winclient.environment())


def stage_windows_client(counts):
    run_pra_exe(WINDOWS_SHORT, counts, "windows-client")


def stage_windows_client_full(counts):
    run_pra_exe(WINDOWS_CLIENT, counts, "windows-client-full")


def stage_windows_full(counts):
    run_pytest(["tests/windows"], BUILD, counts, "windows-full", extra=[*WINDOWS_WORKERS, "-m", "windows_full or not windows_full"])


def stage_demo(counts):
    run_plain(["tests/demo/demo.sh"], counts, "demo", 300)


def stage_asan(counts):
    build = ROOT / "build-address"
    if not run_computing("asan-build", counts):
        return
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=0:detect_leaks=1:exitcode=99")
    os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    run_cmocka(build, counts, "asan-")
    # Chromium takes much of the time, and asks of prad and the portal what the API's tests ask: `make soak SAN=address`.
    run_flow(build, counts, "asan-flow", "not release_only and not plain_build and not chromium")


def thread_sanitizer():
    """From here on a program built with ThreadSanitizer ends at the first thing that is found, which conftest.py shows."""
    os.environ["TSAN_OPTIONS"] = (f"suppressions={ROOT / 'tests/tsan.supp'}:halt_on_error=1:history_size=5:"
                                  "second_deadlock_stack=1")


def stage_tsan(counts):
    build = ROOT / "build-thread"
    if not run_computing("tsan-build", counts):
        return
    thread_sanitizer()
    run_cmocka_programs([[str(build / "tests" / name)] for name in TSAN_UNIT], counts, "tsan-", {"PRA_BUILD": str(build)})
    run_pytest(TSAN_SHORT, build, counts, "tsan-flow",
               extra=["-n", FLOW_WORKERS, "-m", "not release_only", *(f"--deselect={name}" for name in TSAN_SLOW)])


def stage_fuzz(counts):
    if not run_computing("fuzz-build", counts):
        return

    def run_one(source):
        target = BUILD / "tests" / "fuzz" / source.stem
        corpus = ROOT / "tests" / "fuzz" / "corpus" / source.stem.removeprefix("fuzz_")
        found = BUILD / "fuzz-found" / source.stem
        found.mkdir(parents=True, exist_ok=True)
        argv = [str(target), f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                f"-artifact_prefix={found}/", str(found)]
        if corpus.is_dir():
            argv.append(str(corpus))
        return run(argv, f"{source.stem}.log", FUZZ_SECONDS + 120)

    sources = sorted(ROOT.glob("tests/fuzz/fuzz_*.c"))
    with concurrent.futures.ThreadPoolExecutor(FUZZ_WORKERS) as pool:
        for source, (code, text) in zip(sources, pool.map(run_one, sources)):
            count_plain(source.stem, code, text, counts)


def stage_soak(counts):
    run_pytest(["tests/policy"], BUILD, counts, "soak-policy", env={"PRA_ORACLE_CASES": "1000000"})
    marked = "(soak or chromium) and not release_only and not plain_build" if SAN else "soak"
    run_pytest(FLOW_PATHS, BUILD, counts, "soak", limit=SOAK_LIMIT_S, extra=["-rP", "-m", marked])
    # What passed says how well, too (-rP: its output).
    log = (LOGS / "soak.log").read_text(errors="replace")
    print("\n".join(line for line in log.splitlines() if line.startswith(FIGURE)))


STAGES = {
    "unit": stage_unit,
    "policy": stage_policy,
    "flow": stage_flow,
    "windows-unit": stage_windows_unit,
    "windows": stage_windows,
    "windows-client": stage_windows_client,
    "demo": stage_demo,
    "asan": stage_asan,
    "tsan": stage_tsan,
    "fuzz": stage_fuzz,
    "check": stage_check,
    "figures": stage_figures,
}
NOT_SANITIZED = ("asan", "tsan", "fuzz", "check", "figures", "windows", "windows-unit", "windows-client")
ONLY_WHEN_NAMED = {"soak": stage_soak, "windows-full": stage_windows_full, "windows-client-full": stage_windows_client_full}


def processor():
    """Seconds that programs have used which have ended; agents, which nobody waits for, are not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    wanted = sys.argv[1:] or [s for s in STAGES if not (SAN and s in NOT_SANITIZED)]
    stages = {**STAGES, **ONLY_WHEN_NAMED}
    unknown = [s for s in wanted if s not in stages]
    if unknown:
        print(f"unknown stage {unknown[0]}; there are: {' '.join(stages)}", file=sys.stderr)
        return 2
    counts = Counts()
    if SAN == "thread":
        thread_sanitizer()
    global beside
    if len(sys.argv) == 1 and not SAN:
        beside = Beside()
    for name in wanted:
        start, used = time.monotonic(), processor()
        print(f"== {name}", flush=True)
        stages[name](counts)
        print(f"   {time.monotonic() - start:.0f} s; of the processor, with what ended beside it, {processor() - used:.0f} s",
              flush=True)
    if counts.names:
        print("failed: " + " ".join(counts.names))
    print(f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped")
    return 0 if counts.failed == 0 and counts.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
