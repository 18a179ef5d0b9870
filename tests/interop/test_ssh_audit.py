"""What ssh-audit, whose authors are not ours, says of the gateway: nothing but what is listed here with the reason."""

import re

import pytest

from lib.procs import run

# What may be said, each with the reason.
ALLOWED = {
    "kex-strict-s-v00@openssh.com": "the marker of strict key exchange, no algorithm; ssh-audit 2.5 (Debian 12) does not know it",
    "CVE-2016-0739": "of libssh before 0.7.3: ssh-audit 2.5 compares versions as texts, and 0.11 comes before 0.7",
    # Newer ones (Debian 13) know Terrapin, and warn of what it works on though strict key exchange keeps it out.
    "chacha20-poly1305@openssh.com": "no attack with strict key exchange, without which it is refused (raw/test_algorithms.py)",
    "hmac-sha2-256-etm@openssh.com": "the same, with AES-CTR",
    "hmac-sha2-512-etm@openssh.com": "the same, with AES-CTR",
}


@pytest.fixture
def findings(gateway):
    """({algorithm or CVE: [what is said]}, the whole text), of level warn and above."""
    result = run(["ssh-audit", "-n", "-l", "warn", "-p", gateway.port, gateway.host], timeout=60)
    assert result.status in (0, 1, 2, 3), str(result)  # 2: warnings, 3: failures
    found, algorithm = {}, None
    for line in result.out.splitlines():
        said = re.match(r"\((\w+)\) (\S+) .*-- (\[warn\]|\[fail\]|\(CVSS)(.*)", line)
        if said:
            algorithm = said[2]
            found.setdefault(algorithm, []).append(said[4])
        elif (more := re.match(r"\s+`- \[(warn|fail)\] (.*)", line)) and algorithm:
            found.setdefault(algorithm, []).append(more[2])
    return found, result.out


def test_ssh_audit_finds_nothing_that_is_not_accepted(findings):
    found, text = findings
    assert "# key exchange algorithms" in text or not found, "the format of ssh-audit's words is another one now"
    assert not found.keys() - ALLOWED.keys(), text
