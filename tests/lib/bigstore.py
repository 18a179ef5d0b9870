"""A store of the size that the management tool is made for, written as rows: through prad it would take minutes."""

import os
import random
import sqlite3
import time

KINDS = ("login", "logout", "channel-open", "channel-close", "channel-refused", "login-refused", "admin")
USERS_PER_GROUP = 100


def user_name(i):
    return f"user{i:05d}"


def _users(db, users, now):
    db.executemany("INSERT INTO users (name, enabled, full_name, created) VALUES (?, ?, ?, ?)",
                   ((user_name(i), int(i % 50 != 0), f"社員 {i}", now - i) for i in range(users)))
    db.executemany("INSERT INTO groups (name, created) VALUES (?, ?)",
                   ((f"group{i:03d}", now) for i in range(max(1, users // USERS_PER_GROUP))))
    db.execute("INSERT INTO members (group_id, user_id) SELECT 1 + id / ?, id FROM users WHERE 1 + id / ? IN"
               " (SELECT id FROM groups)", (USERS_PER_GROUP, USERS_PER_GROUP))
    db.executemany("INSERT INTO keys (user_id, fingerprint, type, blob, comment, any_client, state, registered,"
                   " last_seen) VALUES (?, ?, 'ssh-ed25519', ?, ?, 0, 0, ?, ?)",
                   ((i + 1, f"SHA256:{i:043d}", b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + i.to_bytes(32, "big"),
                     f"{user_name(i)}@PC{i:05d}", now - i, now - i) for i in range(users)))


def _rules(db, users, rules, now):
    each = max(1, rules // users)
    db.executemany("INSERT INTO rules (user_id, position, name, action, target, local, expires, log, created)"
                   " VALUES (?, ?, ?, 'allow', ?, ?, 0, 0, ?)",
                   ((1 + i // each, 1 + i % each, f"rule {i % each}", f"server{i % 1000}.example.com:{1000 + i % 500}",
                     f"127.0.0.1:{2000 + i % each}", now) for i in range(rules)))


def _audit(db, users, records, now):
    """Records of the last 90 days; indexes are made afterwards, which is quicker."""
    indexes = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'audit'"
                         " AND sql IS NOT NULL").fetchall()
    chance, step = random.Random(1), 90 * 86400 * 1000 // max(1, records)
    begin = now * 1000 - records * step
    for name, _sql in indexes:
        db.execute(f"DROP INDEX {name}")

    def record(i):
        n = chance.randrange(users)
        return (KINDS[i % len(KINDS)], begin + i * step, f"{n:032x}", user_name(n), f"SHA256:{n:043d}", "192.0.2.7", 40000,
                f"server{n % 1000}.example.com:110", "", n, "", f"n={i}", i, i)
    db.executemany("INSERT INTO audit (kind, time_ms, session, user, device, source, source_port, target, target_ip,"
                   " rule, reason, detail, bytes_in, bytes_out) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                   (record(i) for i in range(records)))
    for _name, sql in indexes:
        db.execute(sql)


def fill(path, users, rules, records):
    """Into a database that `pra-admin init` made and nobody uses."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    now = int(time.time())
    _users(db, users, now)
    _rules(db, users, rules, now)
    _audit(db, users, records, now)
    db.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")
    db.commit()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return os.path.getsize(path)
