/*
 * The SQLite back end: opening, the lock, transactions and statements.
 *
 * One writer. The database belongs to one process at a time - prad, or pra-admin while prad is
 * down - which holds an flock on "<database>.lock" from before the database is opened until after
 * it is closed. Inside the process there is one connection, used by one thread, and all
 * checkpoints are made by it. That is also what keeps the WAL corruption bug out of reach that
 * SQLite 3.7.0 to 3.51.2 have: it needs two connections that write or checkpoint at the same
 * moment. (A reader such as a backup with the sqlite3 tool is harmless; it takes no part in that
 * race as long as it does not checkpoint: .backup does not.)
 *
 * WAL with synchronous=FULL: a commit that returned has been fsynced. After kill -9 the next open
 * replays the log. DEFENSIVE and trusted_schema=OFF: a tampered database file cannot run code.
 */
#include "server/store/store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/os.h"

#define BUSY_TIMEOUT_MS 2000

/* ---- statements -------------------------------------------------------------------------------- */

static const char *const sql_text[SQL_COUNT] = {
#define X(id, text) [id] = text,
    SQL_MAP(X)
#undef X
};

int sql_fault(struct sqlite_store *s, struct fault *f)
{
    int code = sqlite3_extended_errcode(s->db);
    int err = PRA_EIO;

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
        err = PRA_EEXIST;
    else if ((code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
        err = PRA_EBUSY;
    else if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
        err = PRA_ECORRUPT;
    else if ((code & 0xff) == SQLITE_NOMEM)
        err = PRA_ENOMEM;
    return fault_set(f, err, "database: %s", sqlite3_errmsg(s->db));
}

struct sql sql_start(struct store *base, enum sql_id id)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q = {.s = s};

    if (s->stmt[id] == NULL &&
        sqlite3_prepare_v3(s->db, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[id],
                           NULL) != SQLITE_OK)
        return q;
    q.st = s->stmt[id];
    return q;
}

struct sql sql_prepare(struct store *base, const char *text)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q = {.s = s};

    if (sqlite3_prepare_v2(s->db, text, -1, &q.st, NULL) != SQLITE_OK)
        q.st = NULL;
    return q;
}

void sql_drop(struct sql *q)
{
    sqlite3_finalize(q->st);
    q->st = NULL;
}

/* A failed bind (no memory) leaves NULL, which the tables' NOT NULL refuse. */
void sql_put_int(struct sql *q, int64_t value)
{
    if (q->st != NULL)
        sqlite3_bind_int64(q->st, ++q->bound, value);
}

void sql_put_text(struct sql *q, const char *value)
{
    if (q->st != NULL)
        sqlite3_bind_text(q->st, ++q->bound, value, -1, SQLITE_STATIC);
}

void sql_put_blob(struct sql *q, const void *data, size_t len)
{
    if (q->st != NULL)
        sqlite3_bind_blob64(q->st, ++q->bound, data, len, SQLITE_STATIC);
}

int sql_step(struct sql *q, struct fault *f)
{
    int rc;

    if (q->st == NULL)
        return sql_fault(q->s, f);
    q->column = 0;
    rc = sqlite3_step(q->st);
    if (rc == SQLITE_ROW)
        return 1;
    rc = rc == SQLITE_DONE ? 0 : sql_fault(q->s, f);
    sql_end(q);
    return rc;
}

void sql_end(struct sql *q)
{
    if (q->st == NULL)
        return;
    sqlite3_reset(q->st);
    sqlite3_clear_bindings(q->st);
}

int sql_run(struct sql *q, struct fault *f)
{
    int rc = sql_step(q, f);

    if (rc == 1)
        sql_end(q);
    return rc < 0 ? rc : 0;
}

int sql_change(struct sql *q, struct fault *f)
{
    int rc = sql_run(q, f);

    if (rc == 0 && sqlite3_changes(q->s->db) == 0)
        return fault_set(f, PRA_ENOENT, "no such row");
    return rc;
}

int64_t sql_get_int(struct sql *q)
{
    return sqlite3_column_int64(q->st, q->column++);
}

void sql_get_blob(struct sql *q, void *dst, size_t cap, size_t *len)
{
    const void *data = sqlite3_column_blob(q->st, q->column);
    int n = sqlite3_column_bytes(q->st, q->column++);

    *len = 0;
    if (n < 0 || (size_t)n > cap) {
        q->bad = true;
        return;
    }
    if (n > 0)
        memcpy(dst, data, (size_t)n);
    *len = (size_t)n;
}

void sql_get_text(struct sql *q, char *dst, size_t cap)
{
    size_t len;

    sql_get_blob(q, dst, cap - 1, &len);
    dst[len] = '\0';
}

/* ---- transactions ------------------------------------------------------------------------------ */

static int sqlite_begin(struct store *base, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q = sql_start(base, SQL_BEGIN);
    int rc = sql_run(&q, f);

    s->in_transaction = rc == 0;
    memset(&base->touched, 0, sizeof(base->touched));
    return rc;
}

static void sqlite_rollback(struct store *base)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q;

    /* After some errors (disk full) SQLite has rolled back by itself. */
    if (s->in_transaction && sqlite3_get_autocommit(s->db) == 0) {
        q = sql_start(base, SQL_ROLLBACK);
        sql_run(&q, NULL);
    }
    s->in_transaction = false;
    memset(&base->touched, 0, sizeof(base->touched));
}

static int sqlite_commit(struct store *base, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q = sql_start(base, SQL_COMMIT);
    int rc = sql_run(&q, f);

    if (rc != 0)
        sqlite_rollback(base);
    s->in_transaction = false;
    memset(&base->touched, 0, sizeof(base->touched));
    return rc;
}

static uint64_t sqlite_cache(struct store *base)
{
    int bytes = 0, most;

    (void)sqlite3_db_status(((struct sqlite_store *)base)->db, SQLITE_DBSTATUS_CACHE_USED, &bytes,
                            &most, 0);
    return (uint64_t)bytes;
}

static bool sqlite_changed(struct store *base)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    struct sql q = sql_start(base, SQL_DATA_VERSION);
    int64_t version;

    if (sql_step(&q, NULL) != 1)
        return false;
    version = sql_get_int(&q);
    sql_end(&q);
    if (version == s->data_version)
        return false;
    s->data_version = version;
    return true;
}

static int sqlite_generation(struct store *s, uint64_t *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_GENERATION);
    int rc = sql_step(&q, f);

    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_ECORRUPT, "database: the generation is missing");
    *out = (uint64_t)sql_get_int(&q);
    sql_end(&q);
    return 0;
}

static int sqlite_bump(struct store *s, struct fault *f)
{
    struct sql q = sql_start(s, SQL_BUMP);

    return sql_change(&q, f);
}

static int sqlite_probe(struct store *s, int64_t now, struct fault *f)
{
    struct sql q = sql_start(s, SQL_PROBE);

    sql_put_int(&q, now);
    return sql_run(&q, f);
}

/* ---- opening ----------------------------------------------------------------------------------- */

static int take_lock(const char *path, int *out, struct fault *f)
{
    char lock[OS_PATH_MAX];
    int fd, saved;

    if (snprintf(lock, sizeof(lock), "%s.lock", path) >= (int)sizeof(lock))
        return fault_set(f, PRA_EINVAL, "the path of the database is too long");
    fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fault_set(f, PRA_EIO, "%s: %s", lock, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out = fd;
        return 0;
    }
    saved = errno;
    close(fd);
    if (saved == EWOULDBLOCK)
        return fault_set(f, PRA_EBUSY, "another process works on %s (it holds %s)", path, lock);
    return fault_set(f, PRA_EIO, "%s: %s", lock, strerror(saved));
}

/* Is there a database, and may we make one? Made by us, not by SQLite, so that its mode is 0600. */
static int find_file(const char *path, bool create, bool *created, struct fault *f)
{
    struct stat st;
    int fd;

    if (stat(path, &st) == 0)
        return S_ISREG(st.st_mode) ? 0 : fault_set(f, PRA_EINVAL, "%s is not a file", path);
    if (errno != ENOENT)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (!create)
        return fault_set(f, PRA_ENOENT, "there is no database at %s: run pra-admin init", path);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    close(fd);
    *created = true;
    return 0;
}

static int configure(struct sqlite_store *s, struct fault *f)
{
    static const char pragmas[] = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                                  "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;"
                                  "PRAGMA cache_size = -32768;" /* KiB, as far as needed */
                                  "PRAGMA temp_store = MEMORY;";

    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    return sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fault(s, f);
}

static int use_wal(struct sqlite_store *s, struct fault *f)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);
    bool wal;

    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    wal = rc == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    if (rc != SQLITE_ROW)
        rc = sql_fault(s, f);
    else
        rc = wal ? 0 : fault_set(f, PRA_EIO, "database: write-ahead logging is not possible here");
    sqlite3_finalize(st);
    return rc;
}

static void sqlite_close(struct store *base)
{
    struct sqlite_store *s = (struct sqlite_store *)base;

    sqlite_rollback(base);
    for (unsigned i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(s->stmt[i]);
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

#define OP(name) .name = sqlite_##name
/* clang-format off */
static const struct store_ops sqlite_ops = {
    .limits = &sqlite_limit_ops,
    .factor = &sqlite_factor_ops,
    OP(close),        OP(cache), OP(begin),         OP(commit),        OP(rollback),        OP(changed),
    OP(generation),   OP(bump),          OP(user_add),      OP(user_get),        OP(user_enable),
    OP(user_delete),  OP(owner_each), OP(user_each),     OP(group_add),     OP(group_get),       OP(group_delete),
    OP(member_add),   OP(member_remove), OP(member_each),   OP(member_of_group), OP(counts),
    OP(user_list),    OP(group_list),    OP(key_list),      OP(rule_list),       OP(account_list),
    OP(key_add),      OP(key_update),    OP(key_each),      OP(key_note),        OP(key_seen),
    OP(rule_add),     OP(rule_get),      OP(rule_move),     OP(rule_delete),     OP(rule_each),
    OP(rule_load),    OP(audit_add),     OP(audit_each),    OP(audit_find),      OP(audit_last),
    OP(audit_expire), OP(count_each),    OP(number_get),    OP(number_set),      OP(secret),
    OP(alert_add),    OP(alert_set),     OP(alert_get),     OP(alert_open),      OP(alert_recent),
    OP(alert_list),   OP(alert_sums),    OP(alert_expire),  OP(alert_count_add), OP(alert_count_each),
    OP(alert_mail_set), OP(alert_mail_each), OP(watch_set), OP(watch_note),      OP(watch_each),
    OP(outage_add),   OP(outage_delete), OP(outage_each),   OP(outage_expire),   OP(fact_get),
    OP(fact_set),
    OP(account_add),  OP(account_get),   OP(account_by_id), OP(account_set),     OP(account_delete),
    OP(account_each), OP(recovery_set),  OP(recovery_use),  OP(recovery_count),  OP(login_add),
    OP(login_get),    OP(login_set),     OP(login_delete),  OP(login_end),       OP(login_expire),
    OP(login_each),
    OP(token_add),    OP(token_get),     OP(token_used),    OP(token_delete),    OP(token_clear),
    OP(token_each),   OP(passkey_add),   OP(passkey_set),   OP(passkey_delete),  OP(passkey_clear),
    OP(passkey_each), OP(challenge_set), OP(challenge_take),
    OP(access_add),   OP(access_delete), OP(access_clear),  OP(access_each),
    OP(usage_add),    OP(usage_days),    OP(usage_users),   OP(usage_rules),     OP(usage_open),
    OP(usage_tidy),   OP(report_alerts), OP(report_last),   OP(report_made),   OP(reader_set),      OP(reader_each),
    OP(reset_get),    OP(reset_put),     OP(reset_delete),
    OP(mail_add),     OP(mail_get),      OP(mail_content),    OP(mail_next),
    OP(mail_set),     OP(mail_empty),    OP(mail_delete),   OP(mail_each),       OP(mail_counts), OP(mail_length),
    OP(mail_resume),  OP(mail_dropped),  OP(mail_tidy),
    OP(enroll_add),    OP(enroll_get),    OP(enroll_set),      OP(enroll_each),
    OP(enroll_purge),
    OP(bundle_add),   OP(bundle_get),    OP(bundle_delete), OP(bundle_each),
    OP(probe),        OP(user_set),      OP(key_describe),  OP(key_tags),
    OP(rule_set),     OP(change_add),    OP(change_get),    OP(change_each),     OP(change_undone),
    OP(change_forget), OP(ticket_set),   OP(ticket_each),   OP(ticket_clear),
};
/* clang-format on */
#undef OP

/* Lock and file, in this order; but a wrong path must not leave a lock file behind. */
static int claim_file(struct sqlite_store *s, const char *path, bool create, struct fault *f)
{
    int rc = create ? 0 : find_file(path, false, &s->base.created, f);

    if (rc == 0)
        rc = take_lock(path, &s->lock_fd, f);
    return rc == 0 ? find_file(path, create, &s->base.created, f) : rc;
}

static int open_database(struct sqlite_store *s, const char *path, bool create, struct fault *f)
{
    int64_t version = 0;
    int rc;

    if (sqlite3_open_v2(path != NULL ? path : ":memory:", &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        rc = sql_fault(s, f);
    else
        rc = configure(s, f);
    if (rc == 0)
        rc = sqlite_version(s, create, &version, f);
    if (rc == 0 && path != NULL)
        rc = use_wal(s, f);
    if (rc == 0)
        rc = sqlite_migrate(s, version, f);
    if (rc != 0 && path != NULL)
        fault_wrap(f, rc, "%s", path);
    return rc;
}

int store_sqlite_open(const char *path, bool create, struct store **out, struct fault *f)
{
    struct sqlite_store *s = calloc(1, sizeof(*s));
    int rc = 0;

    if (s == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory to open the database");
    s->base.ops = &sqlite_ops;
    s->base.created = path == NULL;
    s->lock_fd = -1;
    if (path != NULL)
        rc = claim_file(s, path, create, f);
    if (rc == 0)
        rc = open_database(s, path, create, f);
    if (rc != 0) {
        sqlite_close(&s->base);
        return rc;
    }
    sqlite_changed(&s->base); /* from here on, what is new to us */
    *out = &s->base;
    return 0;
}
