/*
 * The statements of the SQLite back end, one line of SQL_MAP each: X(name, text). Only for
 * store_sqlite_internal.h; those of second factors are in a file of their own.
 */
#ifndef PRA_SERVER_STORE_STORE_SQLITE_STATEMENTS_H
#define PRA_SERVER_STORE_STORE_SQLITE_STATEMENTS_H

#include "server/store/store_sqlite_factor.h"

#define SQL_USER_COLUMNS "id, name, enabled, full_name, created, clone"
#define SQL_KEY_COLUMNS                                                                            \
    "k.id, u.name, k.fingerprint, k.type, k.blob, k.comment, k.any_client, k.state, k.registered," \
    " k.revoked, k.last_seen, k.machine_tag, k.version, k.os, k.binding, k.tag_changes,"           \
    " k.tag_changed, k.name, k.place, k.mail, k.clone, k.ticket_since"
#define SQL_RULE_COLUMNS                                                                           \
    "r.id, r.group_id IS NOT NULL, coalesce(u.name, g.name), r.position, r.name, r.action,"        \
    " r.target, r.local, r.fallback, r.source, r.hours, r.expires, r.log, r.created"
#define SQL_CHANGE_COLUMNS "id, time, by, what, rule, is_group, owner, before, after, undone"
#define SQL_RULE_FROM                                                                              \
    " FROM rules r LEFT JOIN users u ON u.id = r.user_id LEFT JOIN groups g ON g.id = r.group_id "
#define SQL_AUDIT_COLUMNS                                                                          \
    "id, kind, time_ms, session, user, device, source, source_port, target, target_ip, rule,"      \
    " reason, detail, bytes_in, bytes_out, times"
#define SQL_ACCOUNT_COLUMNS                                                                        \
    "id, name, role, full_name, mail, enabled, salt, proof, setup, setup_expires, totp, totp_on,"  \
    " totp_step, failures, failed_at, created, expires, last_login,"                               \
    " (SELECT count(*) FROM passkeys WHERE account_id = accounts.id)"
#define SQL_ALERT_COLUMNS                                                                          \
    "id, kind, subject, severity, first, last, times, user, device, source, detail, judged,"       \
    " judged_by, note, acked, acked_by"
#define SQL_LOGIN_COLUMNS                                                                          \
    "id, account_id, token, public_id, open, created, seen, tries, source, agent"
#define SQL_TOKEN_COLUMNS                                                                          \
    "t.id, t.account_id, a.name, t.name, t.hash, t.scopes, t.created, t.expires, t.used, t.source" \
    " FROM tokens t JOIN accounts a ON a.id = t.account_id"
#define SQL_PASSKEY_COLUMNS                                                                        \
    "id, account_id, name, credential, rp, algorithm, key, counter, created, used FROM passkeys"
#define SQL_USAGE_SUMS                                                                             \
    "sum(sessions > 0 OR seconds > 0), sum(sessions), sum(seconds), sum(bytes_in), "               \
    "sum(bytes_out), sum(refused),"                                                                \
    " sum(thinned)"
#define SQL_MAIL_COLUMNS                                                                           \
    "id, state, due, tries, tried, finished, error, kind, recipient, subject, created, good_until"
#define SQL_ENROLL_COLUMNS                                                                         \
    "e.id, u.name, e.code, e.state, e.created, e.created_by, e.expires, e.requested, e.decided,"   \
    " e.decided_by, e.fingerprint, e.type, e.blob, e.computer, e.os, e.version, e.binding,"        \
    " e.machine, e.source FROM enrollments e JOIN users u ON u.id = e.user_id"
#define SQL_BUNDLE_COLUMNS                                                                         \
    "b.id, b.public_id, u.name, b.device, b.session, b.version, b.source, b.at, b.size, b.sha256," \
    " b.lines, b.breaks FROM bundles b JOIN users u ON u.id = b.user_id"

#define SQL_MAP(X)                                                                                 \
    SQL_FACTOR_MAP(X)                                                                              \
    X(SQL_BEGIN, "BEGIN IMMEDIATE")                                                                \
    X(SQL_COMMIT, "COMMIT")                                                                        \
    X(SQL_ROLLBACK, "ROLLBACK")                                                                    \
    X(SQL_DATA_VERSION, "PRAGMA data_version")                                                     \
    X(SQL_GENERATION, "SELECT value FROM meta WHERE key = 'generation'")                           \
    X(SQL_BUMP, "UPDATE meta SET value = value + 1 WHERE key = 'generation'")                      \
    X(SQL_PROBE, "INSERT INTO meta VALUES ('probe', ?) ON CONFLICT (key) DO UPDATE SET value ="    \
                 " excluded.value")                                                                \
    X(SQL_USER_ADD, "INSERT INTO users (name, enabled, full_name, created) VALUES (?, ?, ?, ?)")   \
    X(SQL_USER_GET, "SELECT " SQL_USER_COLUMNS " FROM users WHERE name = ?")                       \
    X(SQL_USER_SET, "UPDATE users SET full_name = ?, clone = ? WHERE id = ?")                      \
    X(SQL_USER_ENABLE, "UPDATE users SET enabled = ? WHERE name = ?")                              \
    X(SQL_USER_DELETE, "DELETE FROM users WHERE name = ?")                                         \
    X(SQL_USER_EACH, "SELECT " SQL_USER_COLUMNS " FROM users ORDER BY name")                       \
    X(SQL_GROUP_ADD, "INSERT INTO groups (name, created) VALUES (?, ?)")                           \
    X(SQL_GROUP_GET, "SELECT id, name, created FROM groups WHERE name = ?")                        \
    X(SQL_GROUP_DELETE, "DELETE FROM groups WHERE name = ?")                                       \
    X(SQL_USER_NAMES, "SELECT name FROM users WHERE name > ? ORDER BY name LIMIT ?")               \
    X(SQL_GROUP_NAMES, "SELECT name FROM groups WHERE name > ? ORDER BY name LIMIT ?")             \
    X(SQL_MEMBER_ADD, "INSERT INTO members (group_id, user_id) SELECT g.id, u.id"                  \
                      " FROM groups g, users u WHERE g.name = ? AND u.name = ?")                   \
    X(SQL_MEMBER_REMOVE, "DELETE FROM members WHERE group_id = (SELECT id FROM groups"             \
                         " WHERE name = ?) AND user_id = (SELECT id FROM users WHERE name = ?)")   \
    X(SQL_MEMBER_EACH, "SELECT g.name, u.name FROM members m JOIN groups g ON g.id = m.group_id"   \
                       " JOIN users u ON u.id = m.user_id ORDER BY g.name, u.name")                \
    X(SQL_MEMBER_OF, "SELECT g.name, u.name FROM users u JOIN members m ON m.user_id = u.id"       \
                     " JOIN groups g ON g.id = m.group_id WHERE u.name = ? ORDER BY g.name")       \
    X(SQL_MEMBER_IN, "SELECT g.name, u.name FROM groups g JOIN members m ON m.group_id = g.id"     \
                     " JOIN users u ON u.id = m.user_id WHERE g.name = ? ORDER BY u.name")         \
    X(SQL_COUNTS, "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM groups),"            \
                  " (SELECT count(*) FROM keys WHERE state = 0), (SELECT count(*) FROM rules)")    \
    X(SQL_KEY_ADD, "INSERT INTO keys (user_id, fingerprint, type, blob, comment, any_client,"      \
                   " state, registered) SELECT id, ?, ?, ?, ?, ?, ?, ? FROM users WHERE name = ?") \
    X(SQL_KEY_UPDATE, "UPDATE keys SET comment = ?, any_client = ?, state = ?, registered = ?,"    \
                      " revoked = ? WHERE id = ?")                                                 \
    X(SQL_KEY_EACH, "SELECT " SQL_KEY_COLUMNS " FROM keys k JOIN users u ON u.id = k.user_id"      \
                    " ORDER BY u.name, k.id")                                                      \
    X(SQL_KEY_OF, "SELECT " SQL_KEY_COLUMNS " FROM keys k JOIN users u ON u.id = k.user_id"        \
                  " WHERE u.name = ? ORDER BY k.id")                                               \
    X(SQL_KEY_WITH, "SELECT " SQL_KEY_COLUMNS " FROM keys k JOIN users u ON u.id = k.user_id"      \
                    " WHERE k.fingerprint = ? ORDER BY u.name, k.id")                              \
    X(SQL_KEY_NOTE, "UPDATE keys SET machine_tag = ?1, version = ?2, os = ?3, binding = ?4,"       \
                    " last_seen = ?5, tag_changes = tag_changes + (machine_tag NOT IN ('', ?1)),"  \
                    " tag_changed = iif(machine_tag NOT IN ('', ?1), ?5, tag_changed)"             \
                    " WHERE id = ?6")                                                              \
    X(SQL_KEY_TAG_ADD, "INSERT INTO key_tags (key_id, time, before, after) SELECT id, ?2,"         \
                       " machine_tag, ?3 FROM keys WHERE id = ?1 AND machine_tag NOT IN ('', ?3)") \
    X(SQL_KEY_TAG_TRIM, "DELETE FROM key_tags WHERE key_id = ?1 AND id NOT IN (SELECT id FROM"     \
                        " key_tags WHERE key_id = ?1 ORDER BY id DESC LIMIT ?2)")                  \
    X(SQL_KEY_TAG_EACH, "SELECT time, before, after FROM key_tags WHERE key_id = ?"                \
                        " ORDER BY id DESC")                                                       \
    X(SQL_KEY_DESCRIBE, "UPDATE keys SET name = ?, place = ?, mail = ?, clone = ? WHERE id = ?")   \
    X(SQL_TICKET_SET,                                                                              \
      "UPDATE keys SET ticket = ?, ticket_next = ?, ticket_since = ? WHERE id = ?")                \
    X(SQL_TICKET_EACH, "SELECT id, ticket, ticket_next FROM keys WHERE ticket_since <> 0")         \
    X(SQL_TICKET_CLEAR, "UPDATE keys SET ticket = x'', ticket_next = x'', ticket_since = 0"        \
                        " WHERE (id = ?1 OR ?1 = 0) AND ticket_since <> 0")                        \
    X(SQL_KEY_SEEN, "UPDATE keys SET last_seen = ? WHERE fingerprint = ? AND user_id ="            \
                    " (SELECT id FROM users WHERE name = ?)")                                      \
    X(SQL_RULE_OPEN_GAP_USER, "UPDATE rules SET position = position + 1 WHERE user_id ="           \
                              " (SELECT id FROM users WHERE name = ?) AND position >= ?")          \
    X(SQL_RULE_OPEN_GAP_GROUP, "UPDATE rules SET position = position + 1 WHERE group_id ="         \
                               " (SELECT id FROM groups WHERE name = ?) AND position >= ?")        \
    X(SQL_RULE_CLOSE_GAP_USER, "UPDATE rules SET position = position - 1 WHERE user_id ="          \
                               " (SELECT id FROM users WHERE name = ?) AND position > ?")          \
    X(SQL_RULE_CLOSE_GAP_GROUP, "UPDATE rules SET position = position - 1 WHERE group_id ="        \
                                " (SELECT id FROM groups WHERE name = ?) AND position > ?")        \
    X(SQL_RULE_LAST_USER, "SELECT coalesce(max(position), 0) FROM rules WHERE user_id ="           \
                          " (SELECT id FROM users WHERE name = ?)")                                \
    X(SQL_RULE_LAST_GROUP, "SELECT coalesce(max(position), 0) FROM rules WHERE group_id ="         \
                           " (SELECT id FROM groups WHERE name = ?)")                              \
    X(SQL_RULE_ADD, "INSERT INTO rules (user_id, group_id, position, name, action, target, local," \
                    " fallback, source, hours, expires, log, created) VALUES"                      \
                    " ((SELECT id FROM users WHERE name = ?),"                                     \
                    " (SELECT id FROM groups WHERE name = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")   \
    X(SQL_RULE_GET, "SELECT " SQL_RULE_COLUMNS SQL_RULE_FROM "WHERE r.id = ?")                     \
    X(SQL_RULE_SET_POSITION, "UPDATE rules SET position = ? WHERE id = ?")                         \
    X(SQL_RULE_DELETE, "DELETE FROM rules WHERE id = ?")                                           \
    X(SQL_RULE_EACH, "SELECT " SQL_RULE_COLUMNS SQL_RULE_FROM                                      \
                     "ORDER BY r.group_id IS NOT NULL, coalesce(u.name, g.name), r.position")      \
    X(SQL_RULE_LOAD, "SELECT " SQL_RULE_COLUMNS SQL_RULE_FROM)                                     \
    X(SQL_RULE_OF_USER,                                                                            \
      "SELECT " SQL_RULE_COLUMNS SQL_RULE_FROM "WHERE u.name = ? ORDER BY r.position")             \
    X(SQL_RULE_OF_GROUP,                                                                           \
      "SELECT " SQL_RULE_COLUMNS SQL_RULE_FROM "WHERE g.name = ? ORDER BY r.position")             \
    X(SQL_CHANGE_ADD, "INSERT INTO rule_changes (time, by, what, rule, is_group, owner, before,"   \
                      " after, undone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)")                        \
    X(SQL_CHANGE_TRIM, "DELETE FROM rule_changes WHERE id <="                                      \
                       " (SELECT max(id) FROM rule_changes) - ?")                                  \
    X(SQL_CHANGE_GET, "SELECT " SQL_CHANGE_COLUMNS " FROM rule_changes WHERE id = ?")              \
    X(SQL_CHANGE_EACH, "SELECT " SQL_CHANGE_COLUMNS " FROM rule_changes WHERE is_group = ?1 AND"   \
                       " owner = ?2 AND (id < ?3 OR ?3 = 0) ORDER BY id DESC LIMIT ?4")            \
    X(SQL_CHANGE_UNDONE, "UPDATE rule_changes SET undone = 1 WHERE id = ?")                        \
    X(SQL_CHANGE_FORGET, "DELETE FROM rule_changes WHERE is_group = ? AND owner = ?")              \
    X(SQL_RULE_SET, "UPDATE rules SET name = ?, action = ?, target = ?, local = ?, fallback = ?,"  \
                    " source = ?, hours = ?, expires = ?, log = ? WHERE id = ?")                   \
    X(SQL_AUDIT_ADD, "INSERT INTO audit (kind, time_ms, session, user, device, source,"            \
                     " source_port, target, target_ip, rule, reason, detail, bytes_in,"            \
                     " bytes_out, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")    \
    X(SQL_AUDIT_GET, "SELECT " SQL_AUDIT_COLUMNS " FROM audit WHERE id = ?")                       \
    X(SQL_AUDIT_LAST, "SELECT coalesce(max(id), 0) FROM audit")                                    \
    X(SQL_AUDIT_FIRST, "SELECT coalesce(min(id), 0) FROM audit WHERE id > ?")                      \
    X(SQL_AUDIT_EXPIRE, "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time_ms < ?"    \
                        " ORDER BY time_ms LIMIT ?)")                                              \
    X(SQL_COUNT_ADD, "INSERT INTO audit_counts VALUES (?, ?, ?) ON CONFLICT (day, kind)"           \
                     " DO UPDATE SET count = count + excluded.count")                              \
    X(SQL_COUNT_EACH, "SELECT day, kind, count FROM audit_counts WHERE day >= ? AND day <= ?"      \
                      " ORDER BY day, kind")                                                       \
    X(SQL_NUMBER_GET, "SELECT value FROM meta WHERE key = ?")                                      \
    X(SQL_NUMBER_SET, "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key)"                           \
                      " DO UPDATE SET value = excluded.value")                                     \
    X(SQL_ALERT_ADD, "INSERT INTO alerts (kind, subject, severity, first, last, times, user,"      \
                     " device, source, detail, judged, judged_by, note, acked, acked_by) VALUES"   \
                     " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                             \
    X(SQL_ALERT_SET, "UPDATE alerts SET kind = ?, subject = ?, severity = ?, first = ?, last = ?," \
                     " times = ?, user = ?, device = ?, source = ?, detail = ?, judged = ?,"       \
                     " judged_by = ?, note = ?, acked = ?, acked_by = ? WHERE id = ?")             \
    X(SQL_ALERT_GET, "SELECT " SQL_ALERT_COLUMNS " FROM alerts WHERE id = ?")                      \
    X(SQL_ALERT_OPEN, "SELECT " SQL_ALERT_COLUMNS " FROM alerts WHERE kind = ? AND subject = ?"    \
                      " AND last >= ? AND acked = 0 ORDER BY id DESC LIMIT 1")                     \
    X(SQL_ALERT_RECENT, "SELECT count(*) FROM alerts WHERE kind = ? AND first >= ?")               \
    X(SQL_ALERT_SUMS, "SELECT count(*), count(*) FILTER (WHERE severity = 'critical'),"            \
                      " count(*) FILTER (WHERE severity = 'warning'),"                             \
                      " count(*) FILTER (WHERE severity = 'notice'),"                              \
                      " count(*) FILTER (WHERE severity = '') FROM alerts WHERE acked = 0")        \
    X(SQL_ALERT_EXPIRE, "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE last < ?"     \
                        " ORDER BY last LIMIT ?)")                                                 \
    X(SQL_ALERT_COUNT_ADD, "INSERT INTO alert_counts VALUES (?, ?, 1) ON CONFLICT (day, kind)"     \
                           " DO UPDATE SET count = count + 1")                                     \
    X(SQL_ALERT_COUNT_EACH, "SELECT day, kind, count FROM alert_counts WHERE day >= ? AND"         \
                            " day <= ? ORDER BY day, kind")                                        \
    X(SQL_ALERT_MAIL_SET, "INSERT INTO alert_mail VALUES (?, ?) ON CONFLICT (account_id)"          \
                          " DO UPDATE SET minimum = excluded.minimum")                             \
    X(SQL_ALERT_MAIL_DROP, "DELETE FROM alert_mail WHERE account_id = ?")                          \
    X(SQL_ALERT_MAIL_EACH, "SELECT account_id, minimum FROM alert_mail"                            \
                           " WHERE account_id = ?1 OR ?1 = 0 ORDER BY account_id")                 \
    X(SQL_WATCH_SET, "INSERT INTO watched VALUES (?, ?, 0, ?, 0) ON CONFLICT (key_id)"             \
                     " DO UPDATE SET after = excluded.after")                                      \
    X(SQL_WATCH_DROP, "DELETE FROM watched WHERE key_id = ?")                                      \
    X(SQL_WATCH_NOTE, "UPDATE watched SET online = ?, since = ?, told = ? WHERE key_id = ?")       \
    X(SQL_WATCH_EACH, "SELECT w.key_id, u.name, k.fingerprint, k.comment, w.after, w.online,"      \
                      " w.since, w.told FROM watched w JOIN keys k ON k.id = w.key_id"             \
                      " JOIN users u ON u.id = k.user_id ORDER BY k.fingerprint, u.name")          \
    X(SQL_OUTAGE_ADD, "INSERT INTO outages (since, until, user, note, made_by)"                    \
                      " VALUES (?, ?, ?, ?, ?)")                                                   \
    X(SQL_OUTAGE_DELETE, "DELETE FROM outages WHERE id = ?")                                       \
    X(SQL_OUTAGE_EACH, "SELECT id, since, until, user, note, made_by FROM outages ORDER BY since") \
    X(SQL_OUTAGE_EXPIRE, "DELETE FROM outages WHERE until < ?")                                    \
    X(SQL_FACT_GET, "SELECT value FROM facts WHERE name = ?")                                      \
    X(SQL_FACT_SET, "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name)"                           \
                    " DO UPDATE SET value = excluded.value")                                       \
    X(SQL_SECRET, "SELECT value FROM secrets WHERE name = 'server'")                               \
    X(SQL_ACCOUNT_ADD, "INSERT INTO accounts (role, full_name, mail, enabled, salt, proof, setup," \
                       " setup_expires, totp, totp_on, totp_step, failures, failed_at, expires,"   \
                       " last_login, name, created)"                                               \
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")              \
    X(SQL_ACCOUNT_GET, "SELECT " SQL_ACCOUNT_COLUMNS " FROM accounts WHERE name = ?")              \
    X(SQL_ACCOUNT_BY_ID, "SELECT " SQL_ACCOUNT_COLUMNS " FROM accounts WHERE id = ?")              \
    X(SQL_ACCOUNT_SET, "UPDATE accounts SET role = ?, full_name = ?, mail = ?, enabled = ?,"       \
                       " salt = ?, proof = ?, setup = ?, setup_expires = ?, totp = ?,"             \
                       " totp_on = ?, totp_step = ?, failures = ?, failed_at = ?, expires = ?,"    \
                       " last_login = ? WHERE id = ?")                                             \
    X(SQL_ACCOUNT_DELETE, "DELETE FROM accounts WHERE id = ?")                                     \
    X(SQL_ACCOUNT_EACH, "SELECT " SQL_ACCOUNT_COLUMNS " FROM accounts ORDER BY name")              \
    X(SQL_RECOVERY_CLEAR, "DELETE FROM recovery WHERE account_id = ?")                             \
    X(SQL_RECOVERY_ADD, "INSERT INTO recovery (account_id, hash) VALUES (?, ?)")                   \
    X(SQL_RECOVERY_USE, "DELETE FROM recovery WHERE account_id = ? AND hash = ?")                  \
    X(SQL_RECOVERY_COUNT, "SELECT count(*) FROM recovery WHERE account_id = ?")                    \
    X(SQL_LOGIN_ADD, "INSERT INTO logins (account_id, token, public_id, open, created, seen,"      \
                     " tries, source, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                  \
    X(SQL_LOGIN_GET, "SELECT " SQL_LOGIN_COLUMNS " FROM logins WHERE token = ?")                   \
    X(SQL_LOGIN_SET, "UPDATE logins SET token = ?, open = ?, seen = ?, tries = ? WHERE id = ?")    \
    X(SQL_LOGIN_DELETE, "DELETE FROM logins WHERE id = ?")                                         \
    X(SQL_LOGIN_END, "DELETE FROM logins WHERE account_id = ? AND id <> ?")                        \
    X(SQL_LOGIN_EXPIRE, "DELETE FROM logins WHERE open = ? AND (seen < ? OR created < ?)")         \
    X(SQL_TOKEN_ADD, "INSERT INTO tokens (account_id, name, hash, scopes, created, expires, used," \
                     " source) VALUES (?, ?, ?, ?, ?, ?, 0, '')")                                  \
    X(SQL_TOKEN_GET, "SELECT " SQL_TOKEN_COLUMNS " WHERE t.hash = ?")                              \
    X(SQL_TOKEN_USED, "UPDATE tokens SET used = ?, source = ? WHERE id = ?")                       \
    X(SQL_TOKEN_DELETE, "DELETE FROM tokens WHERE id = ?")                                         \
    X(SQL_TOKEN_CLEAR, "DELETE FROM tokens WHERE account_id = ?")                                  \
    X(SQL_TOKEN_EACH,                                                                              \
      "SELECT " SQL_TOKEN_COLUMNS " WHERE t.account_id = ?1 OR ?1 = 0 ORDER BY a.name, t.id")      \
    X(SQL_PASSKEY_ADD, "INSERT INTO passkeys (account_id, name, credential, rp, algorithm, key,"   \
                       " counter, created, used) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)")              \
    X(SQL_PASSKEY_SET, "UPDATE passkeys SET name = ?, counter = ?, used = ? WHERE id = ?")         \
    X(SQL_PASSKEY_DELETE, "DELETE FROM passkeys WHERE id = ?")                                     \
    X(SQL_PASSKEY_CLEAR, "DELETE FROM passkeys WHERE account_id = ?")                              \
    X(SQL_PASSKEY_EACH, "SELECT " SQL_PASSKEY_COLUMNS " WHERE account_id = ? ORDER BY id")         \
    X(SQL_CHALLENGE_SET, "REPLACE INTO challenges (login_id, challenge, created)"                  \
                         " VALUES (?, ?, ?)")                                                      \
    X(SQL_CHALLENGE_GET, "SELECT challenge, created FROM challenges WHERE login_id = ?")           \
    X(SQL_CHALLENGE_DELETE, "DELETE FROM challenges WHERE login_id = ?")                           \
    X(SQL_ACCESS_ADD, "INSERT INTO access_rules (network, comment, created) VALUES (?, ?, ?)")     \
    X(SQL_ACCESS_DELETE, "DELETE FROM access_rules WHERE id = ?")                                  \
    X(SQL_ACCESS_CLEAR, "DELETE FROM access_rules")                                                \
    X(SQL_ACCESS_EACH, "SELECT id, network, comment, created FROM access_rules ORDER BY id")       \
    X(SQL_LOGIN_EACH, "SELECT " SQL_LOGIN_COLUMNS " FROM logins"                                   \
                      " WHERE account_id = ?1 OR ?1 = 0 ORDER BY id")                              \
    X(SQL_USAGE_ADD,                                                                               \
      "INSERT INTO usage (day, user, sessions, seconds, bytes_in, bytes_out,"                      \
      " refused, thinned) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, user) DO UPDATE"       \
      " SET sessions = sessions + excluded.sessions,"                                              \
      " seconds = seconds + excluded.seconds,"                                                     \
      " bytes_in = bytes_in + excluded.bytes_in,"                                                  \
      " bytes_out = bytes_out + excluded.bytes_out,"                                               \
      " refused = refused + excluded.refused,"                                                     \
      " thinned = thinned + excluded.thinned")                                                     \
    X(SQL_USAGE_RULE_ADD,                                                                          \
      "INSERT INTO usage_rules (month, user, rule, name, channels, bytes_in, bytes_out)"           \
      " VALUES (?1, ?2, ?3, coalesce((SELECT name FROM rules WHERE id = ?3), ''), 1, ?4, ?5)"      \
      " ON CONFLICT (month, user, rule) DO UPDATE SET channels = channels + 1,"                    \
      " bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out,"      \
      " name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END")                       \
    X(SQL_USAGE_OPEN, "INSERT OR REPLACE INTO usage_open (session, user, since) VALUES (?, ?, ?)") \
    X(SQL_USAGE_OPEN_GET, "SELECT since FROM usage_open WHERE session = ?")                        \
    X(SQL_USAGE_OPEN_DELETE, "DELETE FROM usage_open WHERE session = ?")                           \
    X(SQL_USAGE_OPEN_FIRST, "SELECT session, user FROM usage_open LIMIT 1")                        \
    X(SQL_USAGE_OPEN_EACH, "SELECT user, since FROM usage_open")                                   \
    X(SQL_USAGE_LAST_RECORD,                                                                       \
      "SELECT time_ms FROM audit WHERE time_ms < ? ORDER BY time_ms DESC LIMIT 1")                 \
    X(SQL_USAGE_DAYS, "SELECT day, " SQL_USAGE_SUMS " FROM usage WHERE day >= ? AND day < ?"       \
                      " GROUP BY day ORDER BY day")                                                \
    X(SQL_USAGE_DAYS_OF, "SELECT day, " SQL_USAGE_SUMS " FROM usage WHERE day >= ? AND day < ?"    \
                         " AND user = ? GROUP BY day ORDER BY day")                                \
    X(SQL_USAGE_USERS, "SELECT user, " SQL_USAGE_SUMS " FROM usage WHERE day >= ? AND day < ?"     \
                       " GROUP BY user ORDER BY sum(bytes_in + bytes_out) DESC, user")             \
    X(SQL_USAGE_USER, "SELECT user, " SQL_USAGE_SUMS " FROM usage WHERE day >= ? AND day < ?"      \
                      " AND user = ? GROUP BY user")                                               \
    X(SQL_USAGE_RULES, "SELECT rule, max(name), sum(channels), sum(bytes_in), sum(bytes_out)"      \
                       " FROM usage_rules WHERE month = ? GROUP BY rule"                           \
                       " ORDER BY sum(bytes_in + bytes_out) DESC, rule")                           \
    X(SQL_USAGE_RULES_OF, "SELECT rule, name, channels, bytes_in, bytes_out FROM usage_rules"      \
                          " WHERE month = ? AND user = ? ORDER BY bytes_in + bytes_out DESC")      \
    X(SQL_USAGE_TIDY, "DELETE FROM usage WHERE day < ?")                                           \
    X(SQL_USAGE_TIDY_RULES, "DELETE FROM usage_rules WHERE month < ?")                             \
    X(SQL_REPORT_ALERTS, "SELECT severity, sum(times) FROM alerts WHERE first >= ? AND first < ?"  \
                         " GROUP BY severity ORDER BY severity")                                   \
    X(SQL_REPORT_LAST, "SELECT max(month) FROM reports")                                           \
    X(SQL_REPORT_MADE, "INSERT INTO reports (month, made) VALUES (?, ?)")                          \
    X(SQL_READER_SET, "INSERT OR REPLACE INTO readers (account_id, lang) VALUES (?, ?)")           \
    X(SQL_READER_DELETE, "DELETE FROM readers WHERE account_id = ?")                               \
    X(SQL_READER_EACH, "SELECT account_id, lang FROM readers ORDER BY account_id")                 \
    X(SQL_RESET_GET, "SELECT hash, expires, since, asked FROM resets WHERE account_id = ?")        \
    X(SQL_RESET_PUT, "INSERT OR REPLACE INTO resets (account_id, hash, expires, since, asked)"     \
                     " VALUES (?, ?, ?, ?, ?)")                                                    \
    X(SQL_RESET_DELETE, "DELETE FROM resets WHERE account_id = ?")                                 \
    X(SQL_MAIL_ADD,                                                                                \
      "INSERT INTO mail (state, due, tries, tried, finished, error, kind, recipient,"              \
      " subject, content, created, good_until)"                                                    \
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                                              \
    X(SQL_MAIL_GET, "SELECT " SQL_MAIL_COLUMNS " FROM mail WHERE id = ?")                          \
    X(SQL_MAIL_CONTENT, "SELECT content FROM mail WHERE id = ?")                                   \
    X(SQL_MAIL_NEXT, "SELECT " SQL_MAIL_COLUMNS " FROM mail"                                       \
                     " WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT 1")             \
    X(SQL_MAIL_SET, "UPDATE mail SET state = ?, due = ?, tries = ?, tried = ?, finished = ?,"      \
                    " error = ? WHERE id = ?")                                                     \
    X(SQL_MAIL_EMPTY, "UPDATE mail SET content = '' WHERE id = ?")                                 \
    X(SQL_MAIL_DELETE, "DELETE FROM mail WHERE id = ?")                                            \
    X(SQL_MAIL_EACH, "SELECT " SQL_MAIL_COLUMNS " FROM mail ORDER BY id DESC LIMIT ? OFFSET ?")    \
    X(SQL_MAIL_COUNTS,                                                                             \
      "SELECT count(*), coalesce(sum(state = 'waiting' OR state = 'sending'), 0),"                 \
      " coalesce(sum(length(content)), 0),"                                                        \
      " coalesce(sum(state = 'failed' OR state = 'expired'), 0),"                                  \
      " (SELECT value FROM meta WHERE key = 'mail-dropped') FROM mail")                            \
    X(SQL_MAIL_LENGTH,                                                                             \
      "SELECT count(*), coalesce(sum(state = 'waiting' OR state = 'sending'), 0),"                 \
      " 0, coalesce(sum(state = 'failed' OR state = 'expired'), 0),"                               \
      " (SELECT value FROM meta WHERE key = 'mail-dropped') FROM mail")                            \
    X(SQL_MAIL_RESUME, "UPDATE mail SET state = 'waiting' WHERE state = 'sending'")                \
    X(SQL_MAIL_DROPPED, "UPDATE meta SET value = value + 1 WHERE key = 'mail-dropped'")            \
    X(SQL_MAIL_TIDY, "DELETE FROM mail WHERE finished > 0 AND (finished < ?1 OR id <="             \
                     " (SELECT id FROM mail WHERE finished > 0 ORDER BY id DESC LIMIT 1"           \
                     " OFFSET ?2))")                                                               \
    X(SQL_ENROLL_ADD,                                                                              \
      "INSERT INTO enrollments (user_id, code, state, created, created_by, expires, requested,"    \
      " decided, decided_by, fingerprint, type, blob, computer, os, version, binding, machine,"    \
      " source) SELECT id, ?2, ?3, ?4, ?5, ?6, 0, 0, '', '', '', x'', '', '', '', '', '', ''"      \
      " FROM users WHERE name = ?1")                                                               \
    X(SQL_ENROLL_GET, "SELECT " SQL_ENROLL_COLUMNS " WHERE e.id = ?")                              \
    X(SQL_ENROLL_SET, "UPDATE enrollments SET state = ?, requested = ?, decided = ?,"              \
                      " decided_by = ?, fingerprint = ?, type = ?, blob = ?, computer = ?,"        \
                      " os = ?, version = ?, binding = ?, machine = ?, source = ? WHERE id = ?")   \
    X(SQL_ENROLL_EACH,                                                                             \
      "SELECT " SQL_ENROLL_COLUMNS " WHERE ?1 IS NULL OR u.name = ?1 ORDER BY e.id DESC")          \
    X(SQL_ENROLL_PURGE, "DELETE FROM enrollments WHERE (decided <> 0 AND decided < ?1)"            \
                        " OR (decided = 0 AND expires < ?1)")                                      \
    X(SQL_LIMITS_GET, "SELECT name, value FROM limits WHERE kind = ? AND owner = ?")               \
    X(SQL_LIMITS_CLEAR, "DELETE FROM limits WHERE kind = ? AND owner = ?")                         \
    X(SQL_LIMITS_ADD, "INSERT INTO limits VALUES (?, ?, ?, ?)")                                    \
    X(SQL_LIMITS_EACH, "SELECT l.kind, l.owner, coalesce(u.name, g.name, ''), l.name, l.value"     \
                       " FROM limits l LEFT JOIN users u ON l.kind = 0 AND u.id = l.owner"         \
                       " LEFT JOIN groups g ON l.kind = 1 AND g.id = l.owner"                      \
                       " ORDER BY l.kind, l.owner")                                                \
    X(SQL_QUOTA_PUT, "INSERT INTO quotas VALUES (?, ?, ?) ON CONFLICT (user, day) DO UPDATE"       \
                     " SET bytes = excluded.bytes")                                                \
    X(SQL_QUOTA_EACH, "SELECT user, day, bytes FROM quotas WHERE day >= ?")                        \
    X(SQL_QUOTA_TIDY, "DELETE FROM quotas WHERE day < ?")                                          \
    X(SQL_BUNDLE_ADD,                                                                              \
      "INSERT INTO bundles (public_id, user_id, device, session, version, source, at, size,"       \
      " sha256, lines, breaks) SELECT ?2, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"                \
      " FROM users WHERE name = ?1")                                                               \
    X(SQL_BUNDLE_GET, "SELECT " SQL_BUNDLE_COLUMNS " WHERE b.public_id = ?")                       \
    X(SQL_BUNDLE_DELETE, "DELETE FROM bundles WHERE public_id = ?")                                \
    X(SQL_BUNDLE_EACH,                                                                             \
      "SELECT " SQL_BUNDLE_COLUMNS " WHERE ?1 IS NULL OR u.name = ?1 ORDER BY b.id DESC")

#endif
