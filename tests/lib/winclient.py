"""The client for Windows in the place of the client for Linux: PRA=pra.exe, run by wine.

One wine prefix below the build folder serves every test and every worker; each test has a PRA_HOME of
its own in it, as on Linux. The programs of the tests stay programs of Linux: they come to pra.exe's
listeners without a process that Windows could name, so the build for tests is what runs
(PRA_TEST_FOREIGN_PEERS, client/sockdiag_win.c). Nothing else differs from what is installed.
"""

import json
import os

from lib import procs, wineprefix
from lib.gateway import program
from lib.wineprefix import WINE, run  # noqa: F401 (for those who use the client)

WINDOWS = os.environ.get("PRA", "").endswith(".exe")

# Tests that PRA=pra.exe leaves out, by a part of their name, and why.
NO_HOLDER = "wine's table of connections has pid 0 for every holder: sockets live in its server"
OTHER_USER = "another user of Linux cannot use this one's wine; who may open folder and pipe is an access list's matter"
MODES = "asks for modes of Linux, which wine makes of an access list in its own way"
NO_RESET = "wine's server takes a reset off the socket when it polls; recv() then tells an end (Windows: WSAECONNRESET)"
NAMESPACES = "a machine of namespaces is Linux's; whole machines of the test provider are in test_keys.py"
SERVERS_SOCKETS = "wine's server has the sockets, and is not in the namespace whose cable is pulled"
LEFT_OUT = {
    "test_pulled_cable_is_noticed_and_the_client_is_back_when_it_is_plugged_in": SERVERS_SOCKETS,
    "test_copied_key_does_not_open_on_another_machine": NAMESPACES,
    "test_renamed_machine_still_opens_and_the_change_is_logged": NAMESPACES,
    "test_agent_that_does_not_answer_is_told": "stops the agent by its pid of Linux, which is not to be found under wine",
    "test_busy_port_is_told_with_code_cause_and_remedy": NO_HOLDER,
    "test_busy_port_names_its_holder": NO_HOLDER,
    "test_gateway_hears_which_port_is_taken_by_what": NO_HOLDER,
    "test_reset_by_the_user_is_a_reset_for_the_target": NO_RESET,
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
    # Names of files are UTF-8, whatever language a test speaks.
    return wineprefix.environment(prefix(), LC_CTYPE="C.UTF-8", PRA_TEST_FOREIGN_PEERS="1")


def make_prefix():
    """One for all tests."""
    wineprefix.make_once(prefix())
    # Without it the last program to end takes the server along, and the next pays a second to start it.
    # It answers 2 where it runs already.
    run([wineprefix.SERVER, "-p"], environment())


def agent_call(env, request):
    """One request on the agent's pipe; its answer, or None."""
    done = run([WINE, program("windows/tests/agent_call.exe"), json.dumps(request)], env, timeout=20)
    return json.loads(done.out) if done.status == 0 else None


def server_pids():
    """wine's server of this prefix."""
    return [pid for pid in procs.pids_with_env("WINEPREFIX", prefix()) if procs.name_of(pid).startswith("wineserver")]
