"""bash completion of pra and pra-admin knows the commands and options of the programs."""

import os

import pytest

from lib.gateway import program
from lib.procs import run

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "completion")

SCRIPT = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
"$FUNCTION"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(name, *words):
    """What bash would offer for the last word."""
    env = {"FUNCTION": "_" + name.replace("-", "_")}
    result = run(["bash", "-c", SCRIPT, "bash", os.path.join(FOLDER, name), program(name), *words],
                 env=env).ok()
    return set(result.out.split())


@pytest.mark.parametrize("words, offered", [
    ([""], {"server", "profile", "keygen", "key", "connect", "disconnect", "status", "rules", "explain", "check",
            "log", "help"}),
    (["con"], {"connect"}),
    (["server", ""], {"set", "show"}),
    (["log", ""], {"collect"}),
    (["profile", ""], {"import"}),
    (["profile", "import", "--"], {"--yes"}),
    (["connect", "--"], {"--user", "--passphrase-file", "--wait", "--foreground"}),
    (["server", "set", "--f"], {"--fingerprint"}),
    (["keygen", "--type", ""], {"ed25519", "ecdsa-p256"}),
])
def test_pra(programs, words, offered):
    found = complete("pra", *words)
    assert offered <= found
    assert "agent" not in found


@pytest.mark.parametrize("words, offered", [
    ([""], {"user", "group", "key", "rule", "session", "hostkey", "audit", "explain", "init", "profile"}),
    (["user", ""], {"add", "list", "enable", "disable", "delete"}),
    (["--config", "x", "rule", "add", "--"], {"--user", "--name", "--target", "--local", "--hours"}),
    (["rule", "add", "--action", ""], {"allow", "deny"}),
])
def test_pra_admin(programs, words, offered):
    assert offered <= complete("pra-admin", *words)
