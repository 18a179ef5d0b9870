/*
 * The SQLite back end: parts of lists, for people. A statement is put together of constants - the
 * list's columns, the conditions that are asked for, the order - and every value is bound by its
 * number, so that nothing that comes from outside is ever part of the SQL.
 */
#include "server/store/store_sqlite_internal.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 4096

/* Numbers of the values. */
#define HAS(column) column " LIKE ?1 ESCAPE '\\'"
#define V_NAME      "?2"
#define V_USER      "?3"
#define V_GROUP     "?4"
#define V_STATE     "?5"
enum { PATTERN = 1, NAME, USER, GROUP, STATE, LIMIT, OFFSET };

struct sort {
    const char *word, *by; /* one expression */
};

struct list {
    const char *columns, *table, *joins; /* joins: "" or the tables that belong to it */
    const char *search, *name, *user, *group, *state; /* conditions; NULL: not of this list */
    const char *order;                                /* the usual one */
    const char *tie;                                  /* decides among equals */
    const struct sort *sorts;                         /* end with a NULL word */
    const char *const *states;                        /* their number is bound; end with NULL */
};

#define SORTS(...)                                                                                 \
    (const struct sort[])                                                                          \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }
#define USER_KEYS  "(SELECT count(*) FROM keys k WHERE k.user_id = u.id AND k.state = 0)"
#define USER_RULES "(SELECT count(*) FROM rules r WHERE r.user_id = u.id)"
#define IN_GROUP                                                                                   \
    "EXISTS (SELECT 1 FROM members m JOIN groups g ON g.id = m.group_id"                           \
    " WHERE m.user_id = u.id AND "

static const struct list users = {
    .columns =
        "u.id, u.name, u.enabled, u.full_name, u.created, u.clone, " USER_KEYS ", " USER_RULES,
    .table = "users u",
    .joins = "",
    .search = HAS("u.name") " OR " HAS("u.full_name") " OR " IN_GROUP HAS("g.name") ")",
    .name = "u.name = " V_NAME,
    .group = IN_GROUP "g.name = " V_GROUP ")",
    .state = "u.enabled = " V_STATE,
    .states = (const char *const[]){"disabled", "enabled", NULL},
    .order = "u.name",
    .tie = "u.id",
    .sorts = SORTS({"name", "u.name"}, {"full-name", "u.full_name"}, {"enabled", "u.enabled"},
                   {"created", "u.created"}, {"keys", USER_KEYS}, {"rules", USER_RULES}),
};

static const struct list groups = {
    .columns = "g.id, g.name, g.created",
    .table = "groups g",
    .joins = "",
    .search = HAS("g.name"),
    .name = "g.name = " V_NAME,
    .order = "g.name",
    .tie = "g.id",
    .sorts = SORTS({"name", "g.name"}, {"created", "g.created"},
                   {"members", "(SELECT count(*) FROM members m WHERE m.group_id = g.id)"}),
};

static const struct list keys = {
    .columns = SQL_KEY_COLUMNS,
    .table = "keys k",
    .joins = " JOIN users u ON u.id = k.user_id",
    /* clang-format off */
    .search = HAS("u.name") " OR " HAS("k.fingerprint") " OR " HAS("k.comment") " OR " HAS("k.machine_tag")
        " OR " HAS("k.version") " OR " HAS("k.os") " OR " HAS("k.name") " OR " HAS("k.place"),
    /* clang-format on */
    .user = "u.name = " V_USER,
    .state = "k.state = " V_STATE,
    .states = (const char *const[]){"active", "revoked", "quarantined", NULL},
    .order = "u.name",
    .tie = "k.id",
    .sorts = SORTS({"user", "u.name"}, {"fingerprint", "k.fingerprint"}, {"comment", "k.comment"},
                   {"state", "k.state"}, {"registered", "k.registered"}, {"revoked", "k.revoked"},
                   {"seen", "k.last_seen"}, {"version", "k.version"}, {"os", "k.os"},
                   {"machine", "k.machine_tag"}, {"binding", "k.binding"}, {"name", "k.name"},
                   {"place", "k.place"}),
};

static const struct list rules = {
    .columns = SQL_RULE_COLUMNS,
    .table = "rules r",
    .joins = " LEFT JOIN users u ON u.id = r.user_id LEFT JOIN groups g ON g.id = r.group_id",
    .search = HAS("u.name") " OR " HAS("g.name") " OR " HAS("r.name") " OR " HAS(
        "r.target") " OR " HAS("r.local"),
    .user = "u.name = " V_USER,
    .group = "g.name = " V_GROUP,
    .order = "r.group_id IS NOT NULL, coalesce(u.name, g.name), r.position",
    .tie = "r.id",
    .sorts = SORTS({"id", "r.id"}, {"name", "r.name"}, {"target", "r.target"}, {"local", "r.local"},
                   {"action", "r.action"}, {"position", "r.position"}, {"expires", "r.expires"},
                   {"created", "r.created"}, {"user", "u.name"}, {"group", "g.name"}),
};

static const struct list accounts = {
    .columns = SQL_ACCOUNT_COLUMNS,
    .table = "accounts",
    .joins = "",
    .search = HAS("name") " OR " HAS("full_name") " OR " HAS("mail"),
    .name = "name = " V_NAME,
    .order = "name",
    .tie = "id",
    .sorts = SORTS({"name", "name"}, {"role", "role"}, {"full-name", "full_name"}, {"mail", "mail"},
                   {"created", "created"}, {"expires", "expires"}, {"last-login", "last_login"}),
};

static const struct list alerts = {
    .columns = SQL_ALERT_COLUMNS,
    .table = "alerts",
    .joins = "",
    .search = HAS("subject") " OR " HAS("kind") " OR " HAS("user") " OR " HAS("device") " OR " HAS(
        "source") " OR " HAS("detail") " OR " HAS("note"),
    .name = "kind = " V_NAME,
    .group = "severity = " V_GROUP,
    .state = "(acked > 0) = " V_STATE,
    .states = (const char *const[]){"open", "acked", NULL},
    .order = "last DESC, id DESC",
    .tie = "id",
    .sorts = SORTS({"last", "last"}, {"first", "first"}, {"kind", "kind"}, {"times", "times"},
                   {"severity", "severity"}, {"subject", "subject"}),
};

/* ---- putting together -------------------------------------------------------------------------- */

struct text {
    char s[TEXT_MAX];
    size_t len;
};

static void add(struct text *t, const char *piece)
{
    size_t len = strlen(piece);

    if (len < sizeof(t->s) - t->len) {
        memcpy(t->s + t->len, piece, len + 1);
        t->len += len;
    } else {
        t->len = sizeof(t->s) - 1; /* nothing fits from here on: the statement is refused */
        t->s[0] = '\0';
    }
}

static void add_condition(struct text *t, bool asked, const char *condition)
{
    if (!asked || condition == NULL)
        return;
    add(t, strstr(t->s, " WHERE (") == NULL ? " WHERE (" : " AND (");
    add(t, condition);
    add(t, ")");
}

static void add_from(struct text *t, const struct list *list, const struct listing *l)
{
    struct text from = {.len = 0};

    add(&from, " FROM ");
    add(&from, list->table);
    add(&from, list->joins);
    add_condition(&from, l->search != NULL, list->search);
    add_condition(&from, l->name != NULL, list->name);
    add_condition(&from, l->user != NULL, list->user);
    add_condition(&from, l->group != NULL, list->group);
    add_condition(&from, l->state != NULL, list->state);
    add(t, from.s);
}

static int add_order(struct text *t, const struct list *list, const struct listing *l,
                     struct fault *f)
{
    const struct sort *s = list->sorts;

    add(t, " ORDER BY ");
    if (l->sort == NULL) {
        add(t, list->order);
    } else {
        while (s->word != NULL && strcmp(s->word, l->sort) != 0)
            s++;
        if (s->word == NULL)
            return fault_set(f, PRA_EINVAL, "sort: '%.40s' is nothing that this list is sorted by",
                             l->sort);
        add(t, s->by);
        add(t, l->descending ? " DESC" : " ASC");
    }
    add(t, ", ");
    add(t, list->tie);
    return 0;
}

/*
 * Which rows, in order, is found out with their ids alone: sorting 100,000 whole rows to show 50 of
 * them took ten times as long.
 */
static int add_select(struct text *t, const struct list *list, const struct listing *l,
                      struct fault *f)
{
    int rc;

    add(t, "SELECT ");
    add(t, list->columns);
    add(t, " FROM (SELECT ");
    add(t, list->tie);
    add(t, " AS pick");
    add_from(t, list, l);
    rc = add_order(t, list, l, f);
    if (rc != 0)
        return rc;
    add(t, " LIMIT ?6 OFFSET ?7) CROSS JOIN ");
    add(t, list->table);
    add(t, " ON ");
    add(t, list->tie);
    add(t, " = pick");
    add(t, list->joins);
    return add_order(t, list, l, f);
}

/* The values of a listing, as they are bound. */
struct values {
    char pattern[SQL_PATTERN_MAX];
    int64_t state;
};

int sql_pattern(const char *search, char dst[SQL_PATTERN_MAX], struct fault *f)
{
    size_t n = 0;

    dst[n++] = '%';
    for (const char *c = search; *c != '\0'; c++) {
        if (n + 4 > SQL_PATTERN_MAX)
            return fault_set(f, PRA_EINVAL, "search: is too long");
        if (*c == '%' || *c == '_' || *c == '\\')
            dst[n++] = '\\';
        dst[n++] = *c;
    }
    dst[n++] = '%';
    dst[n] = '\0';
    return 0;
}

static int make_values(const struct list *list, const struct listing *l, struct values *v,
                       struct fault *f)
{
    v->state = 0;
    if (l->state != NULL && list->states != NULL) {
        while (list->states[v->state] != NULL && strcmp(list->states[v->state], l->state) != 0)
            v->state++;
        if (list->states[v->state] == NULL)
            return fault_set(f, PRA_EINVAL, "state: must be %s or %s", list->states[0],
                             list->states[1]);
    }
    return l->search == NULL ? 0 : sql_pattern(l->search, v->pattern, f);
}

static void bind_text(struct sql *q, int number, const char *value)
{
    if (value != NULL && number <= sqlite3_bind_parameter_count(q->st))
        sqlite3_bind_text(q->st, number, value, -1, SQLITE_STATIC);
}

static void bind_int(struct sql *q, int number, int64_t value)
{
    if (number <= sqlite3_bind_parameter_count(q->st))
        sqlite3_bind_int64(q->st, number, value);
}

static void bind_values(struct sql *q, const struct listing *l, const struct values *v)
{
    if (q->st == NULL)
        return;
    bind_text(q, PATTERN, l->search != NULL ? v->pattern : NULL);
    bind_text(q, NAME, l->name);
    bind_text(q, USER, l->user);
    bind_text(q, GROUP, l->group);
    bind_int(q, STATE, v->state);
    bind_int(q, LIMIT, l->limit > 0 ? l->limit : -1);
    bind_int(q, OFFSET, l->offset);
}

static int count(struct store *s, const struct list *list, const struct listing *l,
                 const struct values *v, int64_t *total, struct fault *f)
{
    struct text t = {.len = 0};
    struct sql q;
    int rc;

    add(&t, "SELECT count(*)");
    add_from(&t, list, l);
    q = sql_prepare(s, t.s);
    bind_values(&q, l, v);
    rc = sql_step(&q, f);
    if (rc == 1)
        *total = sql_get_int(&q);
    sql_drop(&q);
    return rc == 1 ? 0 : rc < 0 ? rc : fault_set(f, PRA_EIO, "database: no answer");
}

/* Begins the run; ended by sql_drop(). */
static int begin(struct store *s, const struct list *list, const struct listing *l,
                 struct values *v, int64_t *total, struct sql *q, struct fault *f)
{
    struct text t = {.len = 0};
    int rc = make_values(list, l, v, f);

    *q = (struct sql){.s = (struct sqlite_store *)s};
    if (rc == 0)
        rc = add_select(&t, list, l, f);
    if (rc == 0 && total != NULL)
        rc = count(s, list, l, v, total, f);
    if (rc != 0)
        return rc;
    *q = sql_prepare(s, t.s);
    bind_values(q, l, v);
    return 0;
}

static int damaged(const char *table, int64_t id, struct fault *f)
{
    return fault_set(f, PRA_ECORRUPT, "database: row %lld of %s is damaged", (long long)id, table);
}

/* ---- the lists --------------------------------------------------------------------------------- */

int sqlite_user_list(struct store *s, const struct listing *l, store_user_row_fn fn, void *ctx,
                     int64_t *total, struct fault *f)
{
    struct store_user_row r = {.keys = 0};
    struct values v;
    struct sql q;
    int rc = begin(s, &users, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_user(&q, &r.user);
        r.keys = sql_get_int(&q);
        r.rules = sql_get_int(&q);
        rc = q.bad ? damaged("users", r.user.id, f) : fn(&r, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_group_list(struct store *s, const struct listing *l, store_group_fn fn, void *ctx,
                      int64_t *total, struct fault *f)
{
    struct store_group g = {.id = 0};
    struct values v;
    struct sql q;
    int rc = begin(s, &groups, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_group(&q, &g);
        rc = q.bad ? damaged("groups", g.id, f) : fn(&g, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_key_list(struct store *s, const struct listing *l, store_key_fn fn, void *ctx,
                    int64_t *total, struct fault *f)
{
    struct store_key k = {.id = 0};
    struct values v;
    struct sql q;
    int rc = begin(s, &keys, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_key(&q, &k);
        rc = q.bad ? damaged("keys", k.id, f) : fn(&k, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_rule_list(struct store *s, const struct listing *l, store_rule_fn fn, void *ctx,
                     int64_t *total, struct fault *f)
{
    struct store_rule r;
    struct values v;
    struct sql q;
    int rc = begin(s, &rules, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        rc = sqlite_read_rule(&q, &r, f);
        if (rc == 0)
            rc = sqlite_rule_limits(s, &r, f);
        if (rc == 0)
            rc = fn(&r, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_account_list(struct store *s, const struct listing *l, store_account_fn fn, void *ctx,
                        int64_t *total, struct fault *f)
{
    struct store_account a;
    struct values v;
    struct sql q;
    int rc = begin(s, &accounts, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_account(&q, &a);
        rc = q.bad ? damaged("accounts", a.id, f) : fn(&a, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_alert_list(struct store *s, const struct listing *l, store_alert_fn fn, void *ctx,
                      int64_t *total, struct fault *f)
{
    struct store_alert a;
    struct values v;
    struct sql q;
    int rc = begin(s, &alerts, l, &v, total, &q, f);

    while (rc == 0 && (rc = sql_step(&q, f)) == 1) {
        sqlite_read_alert(&q, &a);
        rc = q.bad ? damaged("alerts", a.id, f) : fn(&a, ctx);
    }
    sql_drop(&q);
    return rc;
}

int sqlite_counts(struct store *s, struct store_counts *out, struct fault *f)
{
    struct sql q = sql_start(s, SQL_COUNTS);
    int rc = sql_step(&q, f);

    if (rc != 1)
        return rc < 0 ? rc : fault_set(f, PRA_EIO, "database: no answer");
    out->users = sql_get_int(&q);
    out->groups = sql_get_int(&q);
    out->keys = sql_get_int(&q);
    out->rules = sql_get_int(&q);
    sql_end(&q);
    return 0;
}
