/*
 * The schema, as steps from one version to the next. Each step is one transaction, so that a
 * power cut leaves the database at some whole version. A step is never edited once released; a
 * change is a new step. The table `schema` keeps which step was taken when. A database that is
 * newer than this program is left alone.
 */
#include "server/store/store_sqlite_internal.h"

#include "common/os.h"

/* "PRA1": so that some other program's database is not taken for ours. */
#define APPLICATION_ID 0x50524131

#define SCHEMA_1                                                                                                                       \
    "CREATE TABLE schema (version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT;"                                              \
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                          \
    "INSERT INTO meta VALUES ('generation', 1);" /* AUTOINCREMENT: an id in an old audit record never comes to mean something else. */ \
    "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"                                             \
    " enabled INTEGER NOT NULL, full_name TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"                                            \
    "CREATE TABLE groups (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"                                            \
    " created INTEGER NOT NULL) STRICT;"                                                                                               \
    "CREATE TABLE members (group_id INTEGER NOT NULL REFERENCES groups ON DELETE CASCADE,"                                             \
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"                                                                    \
    " PRIMARY KEY (group_id, user_id)) STRICT, WITHOUT ROWID;"                                                                         \
    "CREATE INDEX members_user ON members (user_id);"                                                                                  \
    "CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                                         \
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, fingerprint TEXT NOT NULL,"                                         \
    " type TEXT NOT NULL, blob BLOB NOT NULL, comment TEXT NOT NULL,"                                                                  \
    " any_client INTEGER NOT NULL, state INTEGER NOT NULL, registered INTEGER NOT NULL,"                                               \
    " revoked INTEGER NOT NULL DEFAULT 0, last_seen INTEGER NOT NULL DEFAULT 0,"                                                       \
    " machine_tag TEXT NOT NULL DEFAULT '', version TEXT NOT NULL DEFAULT '',"                                                         \
    " os TEXT NOT NULL DEFAULT '', binding TEXT NOT NULL DEFAULT '',"                                                                  \
    " UNIQUE (user_id, fingerprint)) STRICT;"                                                                                          \
    "CREATE INDEX keys_fingerprint ON keys (fingerprint);"                                                                             \
    "CREATE TABLE rules (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                                                        \
    " user_id INTEGER REFERENCES users ON DELETE CASCADE,"                                                                             \
    " group_id INTEGER REFERENCES groups ON DELETE CASCADE, position INTEGER NOT NULL,"                                                \
    " name TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, local TEXT, fallback TEXT,"                                      \
    " source TEXT, hours TEXT, expires INTEGER NOT NULL, log INTEGER NOT NULL,"                                                        \
    " created INTEGER NOT NULL, CHECK ((user_id IS NULL) <> (group_id IS NULL))) STRICT;"                                              \
    "CREATE INDEX rules_user ON rules (user_id, position);"                                                                            \
    "CREATE INDEX rules_group ON rules (group_id, position);" /* No reference to users or rules: what happened stays when they go. */  \
    "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"                                                    \
    " time_ms INTEGER NOT NULL, session TEXT NOT NULL, user TEXT NOT NULL, device TEXT NOT NULL,"                                      \
    " source TEXT NOT NULL, source_port INTEGER NOT NULL, target TEXT NOT NULL,"                                                       \
    " target_ip TEXT NOT NULL, rule INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,"                                     \
    " bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL) STRICT;"                                                                  \
    "CREATE INDEX audit_time ON audit (time_ms);"                                                                                      \
    "CREATE INDEX audit_user ON audit (user, id);"                                                                                     \
    "CREATE INDEX audit_kind ON audit (kind, id);"                                                                                     \
    "CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit"                                                                       \
    " BEGIN SELECT raise(ABORT, 'audit records do not change'); END;"

/* Accounts that administer, their recovery codes and log-ins; a NULL hash is one that is not set. */
#define SCHEMA_2                                                                                   \
    "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"     \
    "INSERT INTO secrets VALUES ('server', randomblob(32));"                                       \
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"      \
    " role TEXT NOT NULL, full_name TEXT NOT NULL, mail TEXT NOT NULL, enabled INTEGER NOT NULL,"  \
    " salt BLOB, proof BLOB, setup BLOB, setup_expires INTEGER NOT NULL, totp BLOB,"               \
    " totp_on INTEGER NOT NULL, totp_step INTEGER NOT NULL, failures INTEGER NOT NULL,"            \
    " failed_at INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,"             \
    " last_login INTEGER NOT NULL) STRICT;"                                                        \
    "CREATE TABLE recovery (account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"    \
    " hash BLOB NOT NULL, PRIMARY KEY (account_id, hash)) STRICT, WITHOUT ROWID;"                  \
    "CREATE TABLE logins (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                   \
    " account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"                          \
    " token BLOB NOT NULL UNIQUE, public_id TEXT NOT NULL, open INTEGER NOT NULL,"                 \
    " created INTEGER NOT NULL, seen INTEGER NOT NULL, tries INTEGER NOT NULL,"                    \
    " source TEXT NOT NULL, agent TEXT NOT NULL) STRICT;"                                          \
    "CREATE INDEX logins_account ON logins (account_id);"

/* What secures log-ins: API tokens, passkeys, where the portal may be used from. */
#define SCHEMA_3                                                                                   \
    "CREATE TABLE tokens (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                   \
    " account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, name TEXT NOT NULL,"      \
    " hash BLOB NOT NULL UNIQUE, scopes TEXT NOT NULL, created INTEGER NOT NULL,"                  \
    " expires INTEGER NOT NULL, used INTEGER NOT NULL, source TEXT NOT NULL,"                      \
    " UNIQUE (account_id, name)) STRICT;"                                                          \
    "CREATE TABLE passkeys (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                 \
    " account_id INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE, name TEXT NOT NULL,"      \
    " credential BLOB NOT NULL UNIQUE, rp TEXT NOT NULL, algorithm INTEGER NOT NULL,"              \
    " key BLOB NOT NULL, counter INTEGER NOT NULL, created INTEGER NOT NULL,"                      \
    " used INTEGER NOT NULL, UNIQUE (account_id, name)) STRICT;"                                   \
    "CREATE TABLE challenges (login_id INTEGER PRIMARY KEY REFERENCES logins ON DELETE CASCADE,"   \
    " challenge BLOB NOT NULL, created INTEGER NOT NULL) STRICT;"                                  \
    "CREATE TABLE access_rules (id INTEGER PRIMARY KEY AUTOINCREMENT,"                             \
    " network TEXT NOT NULL UNIQUE, comment TEXT NOT NULL, created INTEGER NOT NULL) STRICT;"
/* Mail that waits to be sent, and what became of it. */
#define SCHEMA_4                                                                                   \
    "CREATE TABLE mail (id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL,"                \
    " kind TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL, content TEXT NOT NULL,"  \
    " created INTEGER NOT NULL, due INTEGER NOT NULL, good_until INTEGER NOT NULL,"                \
    " tries INTEGER NOT NULL, tried INTEGER NOT NULL, finished INTEGER NOT NULL,"                  \
    " error TEXT NOT NULL) STRICT;"                                                                \
    "CREATE INDEX mail_state ON mail (state, due);"                                                \
    "INSERT INTO meta VALUES ('mail-dropped', 0);"

/* Codes with which somebody who forgot his password chooses another one: one of each account. */
#define SCHEMA_5                                                                                   \
    "CREATE TABLE resets (account_id INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,"   \
    " hash BLOB NOT NULL, expires INTEGER NOT NULL, since INTEGER NOT NULL,"                       \
    " asked INTEGER NOT NULL) STRICT;"

/*
 * Exact counts beside the audit records, by the gateway's local day: what was thinned under a flood
 * is in them, and they stay when records grow old. Lists are shown by time, newest first.
 */
#define SCHEMA_6                                                                                   \
    "ALTER TABLE audit ADD COLUMN times INTEGER NOT NULL DEFAULT 1;"                               \
    "DROP INDEX audit_user;"                                                                       \
    "DROP INDEX audit_kind;"                                                                       \
    "CREATE INDEX audit_user ON audit (user, time_ms);"                                            \
    "CREATE INDEX audit_kind ON audit (kind, time_ms);"                                            \
    "CREATE TABLE audit_counts (day TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL,"    \
    " PRIMARY KEY (day, kind)) STRICT, WITHOUT ROWID;"                                             \
    "INSERT INTO audit_counts SELECT date(time_ms / 1000, 'unixepoch', 'localtime') AS day, kind," \
    " count(*) FROM audit GROUP BY day, kind;"

/* Alerts, who is told of them, what is watched, and when nobody need be told. */
#define SCHEMA_7                                                                                   \
    "CREATE TABLE alerts (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,"               \
    " subject TEXT NOT NULL, severity TEXT NOT NULL, first INTEGER NOT NULL,"                      \
    " last INTEGER NOT NULL, times INTEGER NOT NULL, user TEXT NOT NULL, device TEXT NOT NULL,"    \
    " source TEXT NOT NULL, detail TEXT NOT NULL, judged INTEGER NOT NULL,"                        \
    " judged_by TEXT NOT NULL, note TEXT NOT NULL, acked INTEGER NOT NULL,"                        \
    " acked_by TEXT NOT NULL) STRICT;"                                                             \
    "CREATE INDEX alerts_last ON alerts (last);"                                                   \
    "CREATE INDEX alerts_kind ON alerts (kind, first);"                                            \
    "CREATE INDEX alerts_open ON alerts (kind, subject, last) WHERE acked = 0;"                    \
    "CREATE TABLE alert_counts (day TEXT NOT NULL, kind TEXT NOT NULL, count INTEGER NOT NULL,"    \
    " PRIMARY KEY (day, kind)) STRICT, WITHOUT ROWID;"                                             \
    "CREATE TABLE alert_mail (account_id INTEGER PRIMARY KEY REFERENCES accounts"                  \
    " ON DELETE CASCADE, minimum TEXT NOT NULL) STRICT;"                                           \
    "CREATE TABLE watched (key_id INTEGER PRIMARY KEY REFERENCES keys ON DELETE CASCADE,"          \
    " after INTEGER NOT NULL, online INTEGER NOT NULL, since INTEGER NOT NULL,"                    \
    " told INTEGER NOT NULL) STRICT;"                                                              \
    "CREATE TABLE outages (id INTEGER PRIMARY KEY AUTOINCREMENT, since INTEGER NOT NULL,"          \
    " until INTEGER NOT NULL, user TEXT NOT NULL, note TEXT NOT NULL,"                             \
    " made_by TEXT NOT NULL) STRICT;"                                                              \
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"

/* Codes with which users enrol a PC, and what came for them; a code that nobody has used has no key. */
#define SCHEMA_8                                                                                   \
    "CREATE TABLE enrollments (id INTEGER PRIMARY KEY AUTOINCREMENT,"                              \
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, code BLOB NOT NULL UNIQUE,"     \
    " state TEXT NOT NULL, created INTEGER NOT NULL, created_by TEXT NOT NULL,"                    \
    " expires INTEGER NOT NULL, requested INTEGER NOT NULL, decided INTEGER NOT NULL,"             \
    " decided_by TEXT NOT NULL, fingerprint TEXT NOT NULL, type TEXT NOT NULL, blob BLOB NOT "     \
    "NULL,"                                                                                        \
    " computer TEXT NOT NULL, os TEXT NOT NULL, version TEXT NOT NULL, binding TEXT NOT NULL,"     \
    " machine TEXT NOT NULL, source TEXT NOT NULL) STRICT;"                                        \
    "CREATE INDEX enrollments_user ON enrollments (user_id);"

/* Log bundles that clients have sent; the bytes are files beside the database. */
#define SCHEMA_9                                                                                   \
    "CREATE TABLE bundles (id INTEGER PRIMARY KEY AUTOINCREMENT, public_id TEXT NOT NULL UNIQUE,"  \
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, device TEXT NOT NULL,"          \
    " session TEXT NOT NULL, version TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL,"    \
    " size INTEGER NOT NULL, sha256 TEXT NOT NULL, lines INTEGER NOT NULL,"                        \
    " breaks INTEGER NOT NULL) STRICT;"                                                            \
    "CREATE INDEX bundles_user ON bundles (user_id);"

/* What an administrator says of a device, changes of its machine tag, and what was done to rules. */
#define SCHEMA_10                                                                                  \
    "ALTER TABLE keys ADD COLUMN name TEXT NOT NULL DEFAULT '';"                                   \
    "ALTER TABLE keys ADD COLUMN place TEXT NOT NULL DEFAULT '';"                                  \
    "ALTER TABLE keys ADD COLUMN mail TEXT NOT NULL DEFAULT '';"                                   \
    "ALTER TABLE keys ADD COLUMN tag_changes INTEGER NOT NULL DEFAULT 0;"                          \
    "ALTER TABLE keys ADD COLUMN tag_changed INTEGER NOT NULL DEFAULT 0;"                          \
    "CREATE TABLE key_tags (id INTEGER PRIMARY KEY AUTOINCREMENT,"                                 \
    " key_id INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE, time INTEGER NOT NULL,"           \
    " before TEXT NOT NULL, after TEXT NOT NULL) STRICT;"                                          \
    "CREATE INDEX key_tags_key ON key_tags (key_id, id);"                                          \
    "CREATE TABLE rule_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"      \
    " by TEXT NOT NULL, what TEXT NOT NULL, rule INTEGER NOT NULL, is_group INTEGER NOT NULL,"     \
    " owner TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,"                             \
    " undone INTEGER NOT NULL) STRICT;"                                                            \
    "CREATE INDEX rule_changes_owner ON rule_changes (is_group, owner, id);"

/* What was used, by local day and by month; sessions that have not ended; who gets reports. */
#define SCHEMA_11                                                                                  \
    "CREATE TABLE usage (day TEXT NOT NULL, user TEXT NOT NULL, sessions INTEGER NOT NULL,"        \
    " seconds INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,"            \
    " refused INTEGER NOT NULL, thinned INTEGER NOT NULL, PRIMARY KEY (day, user)) STRICT, "       \
    "WITHOUT ROWID;"                                                                               \
    "CREATE INDEX usage_user ON usage (user, day);"                                                \
    "CREATE TABLE usage_rules (month TEXT NOT NULL, user TEXT NOT NULL, rule INTEGER NOT NULL,"    \
    " name TEXT NOT NULL, channels INTEGER NOT NULL, bytes_in INTEGER NOT NULL,"                   \
    " bytes_out INTEGER NOT NULL, PRIMARY KEY (month, user, rule)) STRICT, WITHOUT ROWID;"         \
    "CREATE TABLE usage_open (session TEXT PRIMARY KEY, user TEXT NOT NULL,"                       \
    " since INTEGER NOT NULL) STRICT, WITHOUT ROWID;"                                              \
    "CREATE TABLE reports (month TEXT PRIMARY KEY, made INTEGER NOT NULL) STRICT, WITHOUT ROWID;"  \
    "CREATE TABLE readers (account_id INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,"  \
    " lang TEXT NOT NULL) STRICT;"

/* Sorting 100,000 rules by their targets was the slowest of all lists. */
#define SCHEMA_12 "CREATE INDEX IF NOT EXISTS rules_target ON rules (target);"

/* Device tickets, and what is done when two machines use one key. */
#define SCHEMA_13                                                                                  \
    "ALTER TABLE keys ADD COLUMN ticket BLOB NOT NULL DEFAULT x'';"                                \
    "ALTER TABLE keys ADD COLUMN ticket_next BLOB NOT NULL DEFAULT x'';"                           \
    "ALTER TABLE keys ADD COLUMN ticket_since INTEGER NOT NULL DEFAULT 0;"                         \
    "ALTER TABLE keys ADD COLUMN clone TEXT NOT NULL DEFAULT '';"                                  \
    "ALTER TABLE users ADD COLUMN clone TEXT NOT NULL DEFAULT '';"

/* Limits after login: of users (kind 0), groups (1), rules (2); what users moved on a day. */
#define SCHEMA_14                                                                                  \
    "CREATE TABLE limits (kind INTEGER NOT NULL, owner INTEGER NOT NULL, name TEXT NOT NULL,"      \
    " value INTEGER NOT NULL, PRIMARY KEY (kind, owner, name)) STRICT, WITHOUT ROWID;"             \
    "CREATE TRIGGER limits_user AFTER DELETE ON users BEGIN"                                       \
    " DELETE FROM limits WHERE kind = 0 AND owner = old.id; END;"                                  \
    "CREATE TRIGGER limits_group AFTER DELETE ON groups BEGIN"                                     \
    " DELETE FROM limits WHERE kind = 1 AND owner = old.id; END;"                                  \
    "CREATE TRIGGER limits_rule AFTER DELETE ON rules BEGIN"                                       \
    " DELETE FROM limits WHERE kind = 2 AND owner = old.id; END;"                                  \
    "CREATE TABLE quotas (user TEXT NOT NULL, day TEXT NOT NULL, bytes INTEGER NOT NULL,"          \
    " PRIMARY KEY (user, day)) STRICT, WITHOUT ROWID;"

/* Who needs a second factor, authenticators, and leases that spare a device the next code. */
#define SCHEMA_15                                                                                  \
    "CREATE TABLE factor_users (user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,"   \
    " policy INTEGER NOT NULL) STRICT;"                                                            \
    "CREATE TABLE factor_groups (group_id INTEGER PRIMARY KEY REFERENCES groups"                   \
    " ON DELETE CASCADE, policy INTEGER NOT NULL) STRICT;"                                         \
    "CREATE TABLE factors (user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,"        \
    " secret BLOB NOT NULL, active INTEGER NOT NULL, step INTEGER NOT NULL,"                       \
    " made INTEGER NOT NULL, made_by TEXT NOT NULL, used INTEGER NOT NULL,"                        \
    " wrong INTEGER NOT NULL, paused_until INTEGER NOT NULL, told INTEGER NOT NULL) STRICT;"       \
    "CREATE TABLE factor_recovery (user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"   \
    " hash BLOB NOT NULL, PRIMARY KEY (user_id, hash)) STRICT, WITHOUT ROWID;"                     \
    "CREATE TABLE factor_leases (id INTEGER PRIMARY KEY AUTOINCREMENT,"                            \
    " user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,"                                \
    " key_id INTEGER NOT NULL REFERENCES keys ON DELETE CASCADE, machine TEXT NOT NULL,"           \
    " hash BLOB NOT NULL UNIQUE, made INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;"         \
    "CREATE INDEX factor_leases_user ON factor_leases (user_id);"                                  \
    "CREATE INDEX factor_leases_key ON factor_leases (key_id);"

static const char *const steps[] = {SCHEMA_1,  SCHEMA_2,  SCHEMA_3,  SCHEMA_4,  SCHEMA_5,
                                    SCHEMA_6,  SCHEMA_7,  SCHEMA_8,  SCHEMA_9,  SCHEMA_10,
                                    SCHEMA_11, SCHEMA_12, SCHEMA_13, SCHEMA_14, SCHEMA_15};
#define SCHEMA_VERSION ((int64_t)(sizeof(steps) / sizeof(steps[0])))

static int run_script(struct sqlite_store *s, const char *script, struct fault *f)
{
    return sqlite3_exec(s->db, script, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fault(s, f);
}

/* The single number that `query` gives. */
static int ask_number(struct sqlite_store *s, const char *query, int64_t *out, struct fault *f)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, query, -1, &st, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    rc = rc == SQLITE_ROW ? 0 : sql_fault(s, f);
    sqlite3_finalize(st);
    return rc;
}

int sqlite_version(struct sqlite_store *s, bool create, int64_t *version, struct fault *f)
{
    int64_t tables = 0, application = 0;
    int rc = ask_number(s, "SELECT count(*) FROM sqlite_schema", &tables, f);

    *version = 0;
    if (rc != 0)
        return rc;
    if (tables == 0)
        return create ? 0 : fault_set(f, PRA_ENOENT, "the database is empty: run pra-admin init");
    rc = ask_number(s, "PRAGMA application_id", &application, f);
    if (rc == 0 && application != APPLICATION_ID)
        return fault_set(f, PRA_ECORRUPT, "this is some other program's database");
    if (rc == 0)
        rc = ask_number(s, "SELECT max(version) FROM schema", version, f);
    if (rc == 0 && *version > SCHEMA_VERSION)
        return fault_set(f, PRA_EVERSION,
                         "the database has schema %lld, this program knows %lld at most: install "
                         "the newer PRA again",
                         (long long)*version, (long long)SCHEMA_VERSION);
    return rc;
}

static int take_step(struct sqlite_store *s, int64_t version, struct fault *f)
{
    char record[160];
    int rc = run_script(s, "BEGIN IMMEDIATE", f);

    if (rc != 0)
        return rc;
    sqlite3_snprintf(sizeof(record), record,
                     "PRAGMA application_id = %d; INSERT INTO schema VALUES (%lld, %lld); COMMIT",
                     APPLICATION_ID, (long long)version, (long long)os_time_now());
    rc = run_script(s, steps[version - 1], f);
    if (rc == 0)
        rc = run_script(s, record, f);
    if (rc != 0)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

int sqlite_migrate(struct sqlite_store *s, int64_t version, struct fault *f)
{
    int rc = 0;

    while (rc == 0 && version < SCHEMA_VERSION)
        rc = take_step(s, ++version, f);
    return rc;
}
