"""Counts of the audit are exact under a flood, whatever became of the records (C6)."""

import os
import sqlite3
import threading

import pytest

from lib.procs import wait_until
from rawssh import RawSsh


def counts(gateway):
    total = {}
    for c in gateway.admin("audit", "counts"):
        total[c["kind"]] = total.get(c["kind"], 0) + c["count"]
    return total


@pytest.mark.release_only
def test_counts_are_what_was_done_although_records_were_thinned(make_gateway, make_user):
    """Three sessions are refused 2,000 channels each, and 300 strangers a log-in, while the disk takes nothing."""
    gateway = make_gateway("flood", extra_config="[audit]\nkeep_days = 1\n[limits]\naudit_queue = 64\n")
    sessions = [make_user(gateway, name).login() for name in ("alice", "bob", "carol")]
    stranger = make_user(gateway, "mallory")
    gateway.admin("key", "revoke", stranger.fingerprint())
    wait_until(lambda: counts(gateway).get("login") == 3, 10)

    def refuse(connection):
        for _ in range(2000):
            connection.direct("192.0.2.1", 80)

    def knock():
        for _ in range(100):
            try:
                RawSsh(gateway.host, gateway.port).login("mallory", stranger.key)
            except Exception:  # noqa: BLE001 - refused, as it should be
                pass
    disk = sqlite3.connect(os.path.join(gateway.dir, "pra.db"), isolation_level=None)
    disk.execute("BEGIN IMMEDIATE")
    threads = [threading.Thread(target=refuse, args=(c,)) for c in sessions] + [threading.Thread(target=knock) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    disk.execute("ROLLBACK")
    disk.close()
    for c in sessions:
        c.close()
    wait_until(lambda: counts(gateway).get("logout") == 3, 20, "the last events to be stored")
    got = counts(gateway)
    assert got["channel-refused"] == 6000
    assert got["login-refused"] == 300
    assert got["audit-overflow"] > 0, "the flood was none"
    records = gateway.admin("audit", "list", "--limit", "0", "--kind", "channel-refused")
    assert len(records) < 6000 and sum(r["times"] for r in records) <= 6000
