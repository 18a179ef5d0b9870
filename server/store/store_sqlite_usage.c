/*
 * The SQLite back end: what was used, by local day and user, and by month, user and rule. Counted from the
 * audit's events as they are stored, in the same transaction, so that the numbers outlive the records.
 */
#include "server/store/store_sqlite_internal.h"

#include <string.h>
#include <time.h>

/* As control_in.c writes it: the id under which a secondary connection logged in. */
#define JOINED_AS "logged in as "

/* ---- days ---------------------------------------------------------------------------------------- */

static void day_of(int64_t t, char day[STORE_DAY_MAX])
{
    time_t when = (time_t)t;
    struct tm tm;

    if (localtime_r(&when, &tm) == NULL || strftime(day, STORE_DAY_MAX, "%Y-%m-%d", &tm) == 0)
        memcpy(day, "1970-01-01", STORE_DAY_MAX);
}

/* The first second of the day after. */
static int64_t next_day(int64_t t)
{
    time_t when = (time_t)t;
    struct tm tm;

    if (localtime_r(&when, &tm) == NULL)
        return t + 86400;
    tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
    tm.tm_mday++;
    tm.tm_isdst = -1;
    when = mktime(&tm);
    return when > (time_t)t ? (int64_t)when : t + 86400;
}

/* ---- counting ------------------------------------------------------------------------------------ */

static int add(struct store *s, const char *day, const char *user, const struct store_usage *u,
               struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_ADD);

    sql_put_text(&q, day);
    sql_put_text(&q, user);
    sql_put_int(&q, u->sessions);
    sql_put_int(&q, u->seconds);
    sql_put_int(&q, u->bytes_in);
    sql_put_int(&q, u->bytes_out);
    sql_put_int(&q, u->refused);
    sql_put_int(&q, u->thinned);
    return sql_change(&q, f);
}

static int add_at(struct store *s, int64_t t, const char *user, const struct store_usage *u,
                  struct fault *f)
{
    char day[STORE_DAY_MAX];

    day_of(t, day);
    return add(s, day, user, u, f);
}

/* The time from `since` to `until`, each day's part to that day. */
static int add_time(struct store *s, const char *user, int64_t since, int64_t until,
                    struct fault *f)
{
    int rc = 0;

    while (rc == 0 && since < until) {
        int64_t end = next_day(since);
        struct store_usage u = {.seconds = (end < until ? end : until) - since};

        rc = add_at(s, since, user, &u, f);
        since = end;
    }
    return rc;
}

static int begin_session(struct store *s, const struct audit_event *e, struct fault *f)
{
    const struct store_usage u = {.sessions = 1};
    struct sql q = sql_start(s, SQL_USAGE_OPEN);
    int rc;

    sql_put_text(&q, e->session);
    sql_put_text(&q, e->user);
    sql_put_int(&q, e->time_ms / 1000);
    rc = sql_run(&q, f);
    return rc == 0 ? add_at(s, e->time_ms / 1000, e->user, &u, f) : rc;
}

/* Takes an open session away. Returns 0 with when it began, PRA_ENOENT without a sentence. */
static int take_open(struct store *s, const char *session, int64_t *since, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_OPEN_GET);
    int rc;

    sql_put_text(&q, session);
    rc = sql_step(&q, f);
    if (rc != 1)
        return rc < 0 ? rc : PRA_ENOENT;
    *since = sql_get_int(&q);
    sql_end(&q);
    q = sql_start(s, SQL_USAGE_OPEN_DELETE);
    sql_put_text(&q, session);
    return sql_run(&q, f);
}

/* What logged in turned out to be a further connection of a session that is counted already. */
static int join_session(struct store *s, const struct audit_event *e, struct fault *f)
{
    const struct store_usage u = {.sessions = -1};
    int64_t since = 0;
    int rc;

    if (strncmp(e->detail, JOINED_AS, strlen(JOINED_AS)) != 0)
        return 0;
    rc = take_open(s, e->detail + strlen(JOINED_AS), &since, f);
    return rc == 0 ? add_at(s, since, e->user, &u, f) : rc == PRA_ENOENT ? 0 : rc;
}

/* A connection has ended: its bytes, and of a session its time. */
static int end_connection(struct store *s, const struct audit_event *e, struct fault *f)
{
    const struct store_usage u = {.bytes_in = (int64_t)e->bytes_in,
                                  .bytes_out = (int64_t)e->bytes_out};
    int64_t since = 0, now = e->time_ms / 1000;
    int rc = add_at(s, now, e->user, &u, f);

    if (rc == 0 && e->kind == AUDIT_LOGOUT) {
        rc = take_open(s, e->session, &since, f);
        if (rc == 0)
            rc = add_time(s, e->user, since, now, f);
    }
    return rc == PRA_ENOENT ? 0 : rc;
}

static int end_channel(struct store *s, const struct audit_event *e, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_RULE_ADD);
    char day[STORE_DAY_MAX];

    if (e->rule == 0) {
        sql_end(&q);
        return 0;
    }
    day_of(e->time_ms / 1000, day);
    day[7] = '\0'; /* the month */
    sql_put_text(&q, day);
    sql_put_text(&q, e->user);
    sql_put_int(&q, e->rule);
    sql_put_int(&q, (int64_t)e->bytes_in);
    sql_put_int(&q, (int64_t)e->bytes_out);
    return sql_change(&q, f);
}

/* Whoever is nobody's name counts as one: the names that somebody tries would have no end. */
static int refuse_login(struct store *s, const struct audit_event *e, struct fault *f)
{
    const struct store_usage u = {.refused = 1};
    struct store_user user;
    int rc = e->user[0] == '\0' ? PRA_ENOENT : sqlite_user_get(s, e->user, &user, NULL);

    return add_at(s, e->time_ms / 1000, rc == 0 ? user.name : "", &u, f);
}

/*
 * A gateway that starts has no sessions: those that are open ended with the one before, without a word.
 * Nobody knows when; they are taken to have lasted until its last record.
 */
static int end_lost_sessions(struct store *s, const struct audit_event *e, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_LAST_RECORD);
    char session[AUDIT_SESSION_MAX], user[POLICY_NAME_MAX + 1];
    int64_t last = 0, since = 0;
    int rc;

    sql_put_int(&q, e->time_ms);
    rc = sql_step(&q, f);
    if (rc == 1) {
        last = sql_get_int(&q) / 1000;
        sql_end(&q);
    }
    while (rc >= 0) {
        q = sql_start(s, SQL_USAGE_OPEN_FIRST);
        rc = sql_step(&q, f);
        if (rc != 1)
            break;
        sql_get_text(&q, session, sizeof(session));
        sql_get_text(&q, user, sizeof(user));
        sql_end(&q);
        rc = take_open(s, session, &since, f);
        if (rc == 0)
            rc = add_time(s, user, since, last, f);
    }
    return rc;
}

/* Of a flood one record stands for many, or none is there for any. */
static int note_thinned(struct store *s, const struct audit_event *e, struct fault *f)
{
    const struct store_usage u = {.thinned = (int64_t)e->times};

    return e->times > 1 || (e->times > 0 && e->kind == AUDIT_OVERFLOW)
               ? add_at(s, e->time_ms / 1000, "", &u, f)
               : 0;
}

int sqlite_usage_add(struct store *s, const struct audit_event *e, struct fault *f)
{
    int rc = note_thinned(s, e, f);

    if (rc != 0)
        return rc;
    switch (e->kind) {
    case AUDIT_LOGIN:
        return begin_session(s, e, f);
    case AUDIT_JOIN:
        return join_session(s, e, f);
    case AUDIT_LOGOUT:
    case AUDIT_LEAVE:
        return end_connection(s, e, f);
    case AUDIT_CHANNEL_CLOSE:
    case AUDIT_CHANNEL_CUT:
        return end_channel(s, e, f);
    case AUDIT_LOGIN_REFUSED:
        return refuse_login(s, e, f);
    case AUDIT_GATEWAY_START:
        return end_lost_sessions(s, e, f);
    default:
        return 0;
    }
}

/* ---- reading ------------------------------------------------------------------------------------- */

static void read_usage(struct sql *q, struct store_usage *u)
{
    memset(u, 0, sizeof(*u));
    sql_get_text(q, u->name, sizeof(u->name));
    u->users = sql_get_int(q);
    u->sessions = sql_get_int(q);
    u->seconds = sql_get_int(q);
    u->bytes_in = sql_get_int(q);
    u->bytes_out = sql_get_int(q);
    u->refused = sql_get_int(q);
    u->thinned = sql_get_int(q);
}

static int each(struct sql *q, store_usage_fn fn, void *ctx, struct fault *f)
{
    struct store_usage u;
    int rc;

    while ((rc = sql_step(q, f)) == 1) {
        read_usage(q, &u);
        rc = fn(&u, ctx);
        if (rc != 0) {
            sql_end(q);
            return rc;
        }
    }
    return rc;
}

int sqlite_usage_days(struct store *s, const char *from, const char *to, const char *user,
                      store_usage_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, user != NULL ? SQL_USAGE_DAYS_OF : SQL_USAGE_DAYS);

    sql_put_text(&q, from);
    sql_put_text(&q, to);
    if (user != NULL)
        sql_put_text(&q, user);
    return each(&q, fn, ctx, f);
}

int sqlite_usage_users(struct store *s, const char *from, const char *to, const char *user,
                       store_usage_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, user != NULL ? SQL_USAGE_USER : SQL_USAGE_USERS);

    sql_put_text(&q, from);
    sql_put_text(&q, to);
    if (user != NULL)
        sql_put_text(&q, user);
    return each(&q, fn, ctx, f);
}

int sqlite_usage_rules(struct store *s, const char *month, const char *user, store_usage_rule_fn fn,
                       void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, user != NULL ? SQL_USAGE_RULES_OF : SQL_USAGE_RULES);
    struct store_usage_rule r;
    int rc;

    sql_put_text(&q, month);
    if (user != NULL)
        sql_put_text(&q, user);
    while ((rc = sql_step(&q, f)) == 1) {
        memset(&r, 0, sizeof(r));
        r.rule = sql_get_int(&q);
        sql_get_text(&q, r.name, sizeof(r.name));
        r.channels = sql_get_int(&q);
        r.bytes_in = sql_get_int(&q);
        r.bytes_out = sql_get_int(&q);
        rc = fn(&r, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_usage_open(struct store *s, store_usage_open_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_OPEN_EACH);
    char user[POLICY_NAME_MAX + 1];
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        int64_t since;

        sql_get_text(&q, user, sizeof(user));
        since = sql_get_int(&q);
        rc = fn(user, since, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

int sqlite_usage_tidy(struct store *s, const char *before_day, struct fault *f)
{
    struct sql q = sql_start(s, SQL_USAGE_TIDY);
    int rc;

    sql_put_text(&q, before_day);
    rc = sql_run(&q, f);
    if (rc != 0)
        return rc;
    q = sql_start(s, SQL_USAGE_TIDY_RULES);
    sql_put_text(&q, before_day);
    return sql_run(&q, f);
}

int sqlite_report_alerts(struct store *s, int64_t from, int64_t to, store_severity_fn fn, void *ctx,
                         struct fault *f)
{
    struct sql q = sql_start(s, SQL_REPORT_ALERTS);
    char severity[STORE_WORD_MAX];
    int rc;

    sql_put_int(&q, from);
    sql_put_int(&q, to);
    while ((rc = sql_step(&q, f)) == 1) {
        int64_t count;

        sql_get_text(&q, severity, sizeof(severity));
        count = sql_get_int(&q);
        rc = fn(severity, count, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}

/* ---- reports ------------------------------------------------------------------------------------- */

int sqlite_report_last(struct store *s, char month[STORE_DAY_MAX], struct fault *f)
{
    struct sql q = sql_start(s, SQL_REPORT_LAST);
    int rc = sql_step(&q, f);

    month[0] = '\0';
    if (rc != 1)
        return rc;
    sql_get_text(&q, month, STORE_DAY_MAX);
    sql_end(&q);
    return 0;
}

int sqlite_report_made(struct store *s, const char *month, int64_t now, struct fault *f)
{
    struct sql q = sql_start(s, SQL_REPORT_MADE);

    sql_put_text(&q, month);
    sql_put_int(&q, now);
    return sql_change(&q, f);
}

int sqlite_reader_set(struct store *s, int64_t account, const char *lang, struct fault *f)
{
    struct sql q = sql_start(s, lang != NULL ? SQL_READER_SET : SQL_READER_DELETE);

    sql_put_int(&q, account);
    if (lang != NULL)
        sql_put_text(&q, lang);
    return sql_run(&q, f);
}

int sqlite_reader_each(struct store *s, store_reader_fn fn, void *ctx, struct fault *f)
{
    struct sql q = sql_start(s, SQL_READER_EACH);
    int rc;

    while ((rc = sql_step(&q, f)) == 1) {
        char lang[STORE_WORD_MAX];
        int64_t account = sql_get_int(&q);

        sql_get_text(&q, lang, sizeof(lang));
        rc = fn(account, lang, ctx);
        if (rc != 0) {
            sql_end(&q);
            return rc;
        }
    }
    return rc;
}
