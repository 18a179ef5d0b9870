"""The client for Windows in the place of the client for Linux: PRA=pra.exe, run by wine.

One wine prefix below the build folder serves every test and every worker; each test has a PRA_HOME of
its own in it, as on Linux. The programs of the tests stay programs of Linux: they come to pra.exe's
listeners without a process that Windows could name, so the build for tests is what runs
(PRA_TEST_FOREIGN_PEERS, client/sockdiag_win.c). Nothing else differs from what is installed.
"""

import fcntl
import json
import os
import subprocess
import tempfile

from lib.gateway import program
from lib.procs import Result
from lib.wineprefix import OVERRIDES, SERVER, WINE, copy_fresh_prefix

WINDOWS = os.environ.get("PRA", "").endswith(".exe")
# Tests that PRA=pra.exe leaves out, by a part of their name, and why.
NO_HOLDER = "wine's table of connections has pid 0 for every holder: sockets live in its server"
OTHER_USER = "another user of Linux cannot use this one's wine; who may open folder and pipe is an access list's matter"
MODES = "asks for modes of Linux, which wine makes of an access list in its own way"
LEFT_OUT = {
    "test_agent_that_does_not_answer_is_told": "stops the agent by its pid of Linux, which is not to be found under wine",
    "test_busy_port_is_told_with_code_cause_and_remedy": NO_HOLDER,
    "test_busy_port_names_its_holder": NO_HOLDER,
    "test_gateway_hears_which_port_is_taken_by_what": NO_HOLDER,
    "test_port_below_1024": "no right is needed for a port below 1024 on Windows",
    "test_key_file_is_private_and_holds_no_passphrase": MODES,
    "test_bundle_holds_everything_for_the_helpdesk_and_lists_it": MODES,
}


def why_left_out(nodeid):
    """The reason, or None for a test that runs."""
    return next((reason for part, reason in LEFT_OUT.items() if part in nodeid), None)


def prefix():
    return program("windows/wine")


def environment():
    return {
        "WINEPREFIX": prefix(), "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"), "WINEARCH": "win64",
        "WINEDLLOVERRIDES": OVERRIDES, "DISPLAY": None,
        # Names of files are UTF-8, whatever language a test speaks.
        "LC_CTYPE": "C.UTF-8", "PRA_TEST_FOREIGN_PEERS": "1",
    }


def make_prefix():
    """One for all tests."""
    os.makedirs(program("windows"), exist_ok=True)
    env = {k: v for k, v in {**os.environ, **environment()}.items() if v is not None}
    with open(program("windows/wine.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(prefix()):
            copy_fresh_prefix(prefix())
        # Without it the last program to end takes the server along, and the next pays a second to start it.
        # It answers 2 where it runs already.
        subprocess.run([SERVER, "-p"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=30, check=False)


def run(argv, env, input=None, timeout=30, cwd=None):
    """As procs.run(). Output goes to files: wine's services, which the first program starts, inherit it, and a
    pipe would not end before they do."""
    env = {k: v for k, v in {**os.environ, **env}.items() if v is not None}
    argv = [str(a) for a in argv]
    stdin = {"input": input.encode()} if input is not None else {"stdin": subprocess.DEVNULL}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        done = subprocess.run(argv, stdout=out, stderr=err, env=env, timeout=timeout, cwd=cwd, **stdin)
        out.seek(0)
        err.seek(0)
        done.stdout, done.stderr = out.read(), err.read()
    return Result(argv, done)


def agent_call(env, request):
    """One request on the agent's pipe; its answer, or None."""
    done = run([WINE, program("windows/tests/agent_call.exe"), json.dumps(request)], env, timeout=20)
    return json.loads(done.out) if done.status == 0 else None
