/*
 * Inside of the SQLite back end; only for store_sqlite*.c. Every statement is one entry of SQL_MAP
 * (store_sqlite_statements.h), prepared once and kept. A struct sql is one run of a statement: values are bound and
 * columns are read one after the other, in the order in which the SQL names them.
 */
#ifndef PRA_SERVER_STORE_STORE_SQLITE_INTERNAL_H
#define PRA_SERVER_STORE_STORE_SQLITE_INTERNAL_H

#include <sqlite3.h>

#include "server/store/store_sqlite.h"
#include "server/store/store_sqlite_statements.h"

enum sql_id {
#define X(id, text) id,
    SQL_MAP(X)
#undef X
        SQL_COUNT
};

struct sqlite_store {
    struct store base;
    sqlite3 *db;
    sqlite3_stmt *stmt[SQL_COUNT];
    int lock_fd; /* -1 in memory */
    int64_t data_version;
    bool in_transaction;
};

/* One run of a statement. */
struct sql {
    struct sqlite_store *s;
    sqlite3_stmt *st; /* NULL: could not be prepared; every use says so */
    int bound, column;
    bool bad; /* a column does not fit what is expected of it */
};

struct sql sql_start(struct store *base, enum sql_id id);
/* A statement that is not kept, made of constants; sql_drop() ends it. */
struct sql sql_prepare(struct store *base, const char *text);
void sql_drop(struct sql *q);
void sql_put_int(struct sql *q, int64_t value);
void sql_put_text(struct sql *q, const char *value); /* NULL = SQL's NULL; not copied */
void sql_put_blob(struct sql *q, const void *data, size_t len);
/* 1 = a row, 0 = no more rows, or a negative PRA_E*. Anything but 1 ends the run. */
int sql_step(struct sql *q, struct fault *f);
void sql_end(struct sql *q);
/* Runs a statement without rows to its end. Returns 0 or a negative PRA_E*. */
int sql_run(struct sql *q, struct fault *f);
/* The same, and PRA_ENOENT if no row was changed. */
int sql_change(struct sql *q, struct fault *f);
int64_t sql_get_int(struct sql *q);
/* Text that does not fit `cap` marks the row bad and leaves "". NULL reads as "". */
void sql_get_text(struct sql *q, char *dst, size_t cap);
void sql_get_blob(struct sql *q, void *dst, size_t cap, size_t *len);

void sqlite_read_alert(struct sql *q, struct store_alert *a);
#define SQLITE_DAY_MAX 11
/* The gateway's local date: "2026-11-29". */
void sqlite_day(int64_t time_ms, char dst[SQLITE_DAY_MAX]);
/* Counts by day and kind, of whichever table the statement reads. */
int sqlite_each_count(struct store *s, enum sql_id id, const char *since, const char *until,
                      store_audit_count_fn fn, void *ctx, struct fault *f);

#define SQL_PATTERN_MAX 1024
/* "%search%", in which nothing but the two % means more than itself, for LIKE ... ESCAPE '\\'.
   Returns 0, PRA_EINVAL (too long). */
int sql_pattern(const char *search, char dst[SQL_PATTERN_MAX], struct fault *f);

/* Fault from SQLite's last error. */
int sql_fault(struct sqlite_store *s, struct fault *f);

/* Reading a row's columns; for the rules with its texts parsed, and the run ended if they are bad. */
void sqlite_read_user(struct sql *q, struct store_user *u);
void sqlite_read_group(struct sql *q, struct store_group *g);
void sqlite_read_key(struct sql *q, struct store_key *k);
void sqlite_read_account(struct sql *q, struct store_account *a);
/* A value of exactly `len` bytes; NULL reads as false, another length marks the row bad. */
bool sqlite_get_fixed(struct sql *q, uint8_t *dst, size_t len);
/* Runs an insertion and tells the new row's id. */
int sqlite_run_add(struct sql *q, int64_t *id, struct fault *f);
/* A row that does not fit our limits was not written by us: ends the run, PRA_ECORRUPT. */
int sqlite_bad_row(struct sql *q, const char *table, int64_t id, struct fault *f);
/* `kind` is where r->kind will point. */
void sqlite_read_audit(struct sql *q, struct store_audit *r, char kind[STORE_WORD_MAX]);
int sqlite_read_rule(struct sql *q, struct store_rule *out, struct fault *f);
int sqlite_rule_limits(struct store *s, struct store_rule *r, struct fault *f);

/*
 * The schema's version, 0 for an empty database (PRA_ENOENT unless `create`). PRA_ECORRUPT: not
 * ours; PRA_EVERSION: of a newer program.
 */
int sqlite_version(struct sqlite_store *s, bool create, int64_t *version, struct fault *f);
/* Brings a database from `version` to this program's schema. */
int sqlite_migrate(struct sqlite_store *s, int64_t version, struct fault *f);

extern const struct store_limit_ops sqlite_limit_ops;
extern const struct store_factor_ops sqlite_factor_ops; /* store_sqlite_factor.c */

/* The functions behind store_ops, by file. */
#define SQLITE_OP(name) __typeof__(*((struct store_ops *)0)->name) sqlite_##name
SQLITE_OP(user_add);
SQLITE_OP(user_get);
SQLITE_OP(user_set);
SQLITE_OP(user_enable);
SQLITE_OP(user_delete);
SQLITE_OP(owner_each);
SQLITE_OP(user_each);
SQLITE_OP(group_add);
SQLITE_OP(group_get);
SQLITE_OP(group_delete);
SQLITE_OP(member_add);
SQLITE_OP(member_remove);
SQLITE_OP(member_each);
SQLITE_OP(member_of_group);
SQLITE_OP(counts);
SQLITE_OP(user_list);
SQLITE_OP(group_list);
SQLITE_OP(key_list);
SQLITE_OP(rule_list);
SQLITE_OP(account_list);
SQLITE_OP(key_add);
SQLITE_OP(key_update);
SQLITE_OP(key_each);
SQLITE_OP(key_describe);
SQLITE_OP(key_tags);
SQLITE_OP(key_note);
SQLITE_OP(ticket_set);
SQLITE_OP(ticket_each);
SQLITE_OP(ticket_clear);
SQLITE_OP(key_seen);
SQLITE_OP(rule_add);
SQLITE_OP(rule_get);
SQLITE_OP(rule_set);
SQLITE_OP(change_add);
SQLITE_OP(change_get);
SQLITE_OP(change_each);
SQLITE_OP(change_undone);
SQLITE_OP(change_forget);
SQLITE_OP(rule_move);
SQLITE_OP(rule_delete);
SQLITE_OP(rule_each);
SQLITE_OP(rule_load);
SQLITE_OP(audit_add);
SQLITE_OP(audit_each);
SQLITE_OP(audit_find);
SQLITE_OP(audit_last);
SQLITE_OP(audit_expire);
SQLITE_OP(count_each);
SQLITE_OP(number_get);
SQLITE_OP(number_set);
SQLITE_OP(alert_add);
SQLITE_OP(alert_set);
SQLITE_OP(alert_get);
SQLITE_OP(alert_open);
SQLITE_OP(alert_recent);
SQLITE_OP(alert_list);
SQLITE_OP(alert_sums);
SQLITE_OP(alert_expire);
SQLITE_OP(alert_count_add);
SQLITE_OP(alert_count_each);
SQLITE_OP(alert_mail_set);
SQLITE_OP(alert_mail_each);
SQLITE_OP(watch_set);
SQLITE_OP(watch_note);
SQLITE_OP(watch_each);
SQLITE_OP(outage_add);
SQLITE_OP(outage_delete);
SQLITE_OP(outage_each);
SQLITE_OP(outage_expire);
SQLITE_OP(fact_get);
SQLITE_OP(fact_set);
SQLITE_OP(secret);
SQLITE_OP(account_add);
SQLITE_OP(account_get);
SQLITE_OP(account_by_id);
SQLITE_OP(account_set);
SQLITE_OP(account_delete);
SQLITE_OP(account_each);
SQLITE_OP(recovery_set);
SQLITE_OP(recovery_use);
SQLITE_OP(recovery_count);
SQLITE_OP(login_add);
SQLITE_OP(login_get);
SQLITE_OP(login_set);
SQLITE_OP(login_delete);
SQLITE_OP(login_end);
SQLITE_OP(login_expire);
SQLITE_OP(token_add);
SQLITE_OP(token_get);
SQLITE_OP(token_used);
SQLITE_OP(token_delete);
SQLITE_OP(token_clear);
SQLITE_OP(token_each);
SQLITE_OP(passkey_add);
SQLITE_OP(passkey_set);
SQLITE_OP(passkey_delete);
SQLITE_OP(passkey_clear);
SQLITE_OP(passkey_each);
SQLITE_OP(challenge_set);
SQLITE_OP(challenge_take);
SQLITE_OP(access_add);
SQLITE_OP(access_delete);
SQLITE_OP(access_clear);
SQLITE_OP(access_each);
SQLITE_OP(login_each);
SQLITE_OP(usage_add);
SQLITE_OP(usage_days);
SQLITE_OP(usage_users);
SQLITE_OP(usage_rules);
SQLITE_OP(usage_open);
SQLITE_OP(usage_tidy);
SQLITE_OP(report_alerts);
SQLITE_OP(report_last);
SQLITE_OP(report_made);
SQLITE_OP(reader_set);
SQLITE_OP(reader_each);
SQLITE_OP(reset_get);
SQLITE_OP(reset_put);
SQLITE_OP(reset_delete);
SQLITE_OP(mail_add);
SQLITE_OP(mail_get);
SQLITE_OP(mail_content);
SQLITE_OP(mail_next);
SQLITE_OP(mail_set);
SQLITE_OP(mail_empty);
SQLITE_OP(mail_delete);
SQLITE_OP(mail_each);
SQLITE_OP(mail_counts);
SQLITE_OP(mail_length);
SQLITE_OP(mail_resume);
SQLITE_OP(mail_dropped);
SQLITE_OP(mail_tidy);
SQLITE_OP(enroll_add);
SQLITE_OP(enroll_get);
SQLITE_OP(enroll_set);
SQLITE_OP(enroll_each);
SQLITE_OP(enroll_purge);
SQLITE_OP(bundle_add);
SQLITE_OP(bundle_get);
SQLITE_OP(bundle_delete);
SQLITE_OP(bundle_each);
#undef SQLITE_OP

#endif
