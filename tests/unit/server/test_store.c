/* The store: positions, references, migrations, the lock, damage, transactions. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "server/store/store.h"
#include "tests/unit/common/scratch.h"

static struct store *s;

static int open_ram(void **state)
{
    (void)state;
    return store_open("ram:", true, &s, NULL);
}

static int close_store(void **state)
{
    (void)state;
    store_close(s);
    s = NULL;
    return 0;
}

static const char *url(void)
{
    static char text[200];

    snprintf(text, sizeof(text), "sqlite:%s", scratch_path("pra.db"));
    return text;
}

static void add_user(const char *name)
{
    struct store_user u = {.enabled = true, .created = 1};
    int64_t id;

    snprintf(u.name, sizeof(u.name), "%s", name);
    assert_int_equal(s->ops->user_add(s, &u, &id, NULL), 0);
    assert_true(id > 0);
}

static void add_group(const char *name)
{
    struct store_group g = {.created = 1};
    int64_t id;

    snprintf(g.name, sizeof(g.name), "%s", name);
    assert_int_equal(s->ops->group_add(s, &g, &id, NULL), 0);
}

static int64_t add_rule(const char *owner, const char *name, int64_t position)
{
    struct store_rule r = {.created = 1};
    int64_t id = 0;

    r.rule.is_group = owner[0] == 'g';
    r.rule.position = position;
    snprintf(r.rule.owner, sizeof(r.rule.owner), "%s", owner);
    snprintf(r.rule.name, sizeof(r.rule.name), "%s", name);
    assert_int_equal(policy_parse_target("mail:110", &r.rule.target, NULL), 0);
    assert_int_equal(s->ops->rule_add(s, &r, &id, NULL), 0);
    return id;
}

static int64_t add_key(const char *user, const char *fingerprint)
{
    struct store_key k = {.blob = {1, 2, 3}, .blob_len = 3, .registered = 5};
    int64_t id = 0;

    snprintf(k.user, sizeof(k.user), "%s", user);
    snprintf(k.fingerprint, sizeof(k.fingerprint), "%s", fingerprint);
    snprintf(k.type, sizeof(k.type), "ssh-ed25519");
    return s->ops->key_add(s, &k, &id, NULL) == 0 ? id : 0;
}

/* ---- rules and positions ------------------------------------------------------------------------ */

static int note_rule(const struct store_rule *r, void *ctx)
{
    char *list = ctx;
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%s%lld ", r->rule.name, (long long)r->rule.position);
    return 0;
}

static const char *rules_of(const char *owner)
{
    static char list[256];
    bool is_group = owner != NULL && owner[0] == 'g';

    list[0] = '\0';
    assert_int_equal(s->ops->rule_each(s, is_group, owner, note_rule, list, NULL), 0);
    return list;
}

static void positions_stay_one_to_n(void **state)
{
    int64_t a, b, c;

    (void)state;
    add_user("alice");
    add_group("g");
    a = add_rule("alice", "a", 0);
    b = add_rule("alice", "b", 99);
    c = add_rule("alice", "c", 1);
    add_rule("g", "z", 1);
    assert_string_equal(rules_of("alice"), "c1 a2 b3 ");
    assert_int_equal(s->ops->rule_move(s, c, 3, NULL), 0);
    assert_string_equal(rules_of("alice"), "a1 b2 c3 ");
    assert_int_equal(s->ops->rule_move(s, c, 1, NULL), 0);
    assert_string_equal(rules_of("alice"), "c1 a2 b3 ");
    assert_int_equal(s->ops->rule_move(s, a, 2, NULL), 0);
    assert_string_equal(rules_of("alice"), "c1 a2 b3 ");
    assert_int_equal(s->ops->rule_move(s, a, 1000, NULL), 0);
    assert_string_equal(rules_of("alice"), "c1 b2 a3 ");
    assert_int_equal(s->ops->rule_delete(s, b, NULL), 0);
    assert_string_equal(rules_of("alice"), "c1 a2 ");
    assert_int_equal(s->ops->rule_delete(s, b, NULL), PRA_ENOENT);
    assert_int_equal(s->ops->rule_move(s, b, 1, NULL), PRA_ENOENT);
    assert_string_equal(rules_of("g"), "z1 ");
    assert_string_equal(rules_of(NULL), "c1 a2 z1 ");
}

static void all_parts_of_a_rule_come_back(void **state)
{
    struct store_rule in = {.created = 7, .hours = "Mon-Fri 08:00-19:00"}, out;
    struct policy_rule *r = &in.rule;
    int64_t id;

    (void)state;
    add_user("alice");
    snprintf(r->owner, sizeof(r->owner), "alice");
    snprintf(r->name, sizeof(r->name), "メール");
    r->action = POLICY_ACTION_DENY;
    r->has_from = r->log = true;
    r->expires = 1999999999;
    assert_int_equal(policy_parse_target("[2001:db8::/32]:8000-8099", &r->target, NULL), 0);
    assert_int_equal(policy_parse_local("127.0.0.2:110", &r->local, NULL), 0);
    assert_int_equal(policy_parse_local("11110", &r->fallback, NULL), 0);
    assert_int_equal(policy_parse_hours(in.hours, &r->hours, NULL), 0);
    assert_int_equal(addr_parse_cidr("192.0.2.0/24", 12, &r->from), 0);
    assert_int_equal(s->ops->rule_add(s, &in, &id, NULL), 0);
    assert_int_equal(s->ops->rule_get(s, id, &out, NULL), 0);
    r->id = id;
    r->position = 1;
    assert_string_equal(out.rule.name, r->name);
    assert_string_equal(out.hours, in.hours);
    assert_int_equal(out.rule.action, POLICY_ACTION_DENY);
    assert_memory_equal(&out.rule.hours, &r->hours, sizeof(r->hours));
    assert_memory_equal(&out.rule.target.cidr, &r->target.cidr, sizeof(r->target.cidr));
    assert_int_equal(out.rule.target.port_last, 8099);
    assert_memory_equal(&out.rule.local, &r->local, sizeof(r->local));
    assert_memory_equal(&out.rule.fallback, &r->fallback, sizeof(r->fallback));
    assert_memory_equal(&out.rule.from, &r->from, sizeof(r->from));
    assert_true(out.rule.has_from && out.rule.log);
    assert_int_equal(out.rule.expires, 1999999999);
    assert_int_equal(out.created, 7);
}

/* ---- users, groups, keys ------------------------------------------------------------------------ */

static int count_any(const struct store_key *k, void *ctx)
{
    (void)k;
    ++*(int *)ctx;
    return 0;
}

static int count_members(const char *group, const char *user, void *ctx)
{
    (void)group;
    (void)user;
    ++*(int *)ctx;
    return 0;
}

static void deleting_a_user_takes_keys_rules_and_memberships_but_not_the_audit(void **state)
{
    struct audit_event e = {.kind = AUDIT_LOGIN, .time_ms = 1000, .user = "alice"};
    int keys = 0, members = 0;
    int64_t last = 0;

    (void)state;
    add_user("alice");
    add_group("g");
    assert_int_equal(s->ops->member_add(s, "g", "alice", NULL), 0);
    assert_int_equal(s->ops->member_add(s, "g", "alice", NULL), PRA_EEXIST);
    assert_true(add_key("alice", "SHA256:a") > 0);
    assert_int_equal(add_key("alice", "SHA256:a"), 0);
    add_rule("alice", "a", 0);
    assert_int_equal(s->ops->audit_add(s, &e, 1, NULL), 0);
    assert_int_equal(s->ops->user_delete(s, "alice", NULL), 0);
    assert_int_equal(s->ops->user_delete(s, "alice", NULL), PRA_ENOENT);
    assert_string_equal(rules_of(NULL), "");
    assert_int_equal(s->ops->key_each(s, NULL, NULL, count_any, &keys, NULL), 0);
    assert_int_equal(s->ops->member_each(s, NULL, count_members, &members, NULL), 0);
    assert_int_equal(keys + members, 0);
    assert_int_equal(s->ops->audit_last(s, &last, NULL), 0);
    assert_int_equal(last, 1);
}

static void names_are_case_sensitive_and_taken_once(void **state)
{
    struct store_user u = {.name = "alice"};
    struct fault f = {0};
    int64_t id;

    (void)state;
    add_user("alice");
    add_user("Alice");
    assert_int_equal(s->ops->user_add(s, &u, &id, &f), PRA_EEXIST);
    assert_int_equal(s->ops->user_get(s, "ALICE", &u, &f), PRA_ENOENT);
    assert_int_equal(s->ops->user_enable(s, "ALICE", false, &f), PRA_ENOENT);
}

static int copy_key(const struct store_key *k, void *ctx)
{
    *(struct store_key *)ctx = *k;
    return 0;
}

static void what_a_device_said_is_kept_with_its_key(void **state)
{
    struct store_key k;
    int64_t id;

    (void)state;
    add_user("alice");
    id = add_key("alice", "SHA256:a");
    assert_int_equal(s->ops->key_note(s, id, "t", "1.0", "Debian", "bound", 99, NULL), 0);
    assert_int_equal(s->ops->key_note(s, id + 1, "t", "1.0", "Debian", "bound", 99, NULL),
                     PRA_ENOENT);
    assert_int_equal(s->ops->key_seen(s, "alice", "SHA256:a", 100, NULL), 0);
    assert_int_equal(s->ops->key_seen(s, "bob", "SHA256:a", 101, NULL), 0);
    assert_int_equal(s->ops->key_each(s, "alice", "SHA256:a", copy_key, &k, NULL), 0);
    assert_int_equal(k.last_seen, 100);
    assert_string_equal(k.os, "Debian");
    k.state = POLICY_KEY_REVOKED;
    k.revoked = 200;
    assert_int_equal(s->ops->key_update(s, &k, NULL), 0);
    assert_int_equal(s->ops->key_each(s, "alice", NULL, copy_key, &k, NULL), 0);
    assert_int_equal(k.state, POLICY_KEY_REVOKED);
    assert_int_equal(k.registered, 5);
}

/* ---- files -------------------------------------------------------------------------------------- */

static void run_sql(const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(scratch_path("pra.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int open_file(bool create, struct fault *f)
{
    memset(f, 0, sizeof(*f));
    return store_open(url(), create, &s, f);
}

static void missing_database_is_made_only_when_asked_for(void **state)
{
    struct fault f;
    struct stat st;

    (void)state;
    assert_int_equal(open_file(false, &f), PRA_ENOENT);
    assert_non_null(strstr(f.text, "init"));
    assert_int_equal(scratch_count(), 0);
    assert_int_equal(open_file(true, &f), 0);
    assert_true(s->created);
    add_user("alice");
    store_close(s);
    assert_int_equal(stat(scratch_path("pra.db"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(open_file(false, &f), 0);
    assert_false(s->created);
    store_close(s);
}

static void second_writer_is_refused_while_the_first_lives(void **state)
{
    struct store *first;
    struct fault f;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    first = s;
    assert_int_equal(open_file(false, &f), PRA_EBUSY);
    assert_non_null(strstr(f.text, "pra.db.lock"));
    store_close(first);
    assert_int_equal(open_file(false, &f), 0);
    store_close(s);
}

static void newer_and_foreign_databases_are_left_alone(void **state)
{
    struct fault f;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    store_close(s);
    run_sql("INSERT INTO schema VALUES (1000, 0)");
    assert_int_equal(open_file(false, &f), PRA_EVERSION);
    assert_non_null(strstr(f.text, "1000"));
    run_sql("DELETE FROM schema WHERE version = 1000; PRAGMA application_id = 1");
    assert_int_equal(open_file(false, &f), PRA_ECORRUPT);
    scratch_write("pra.db", "this is no database, but long enough to be looked at", 52);
    assert_int_equal(open_file(false, &f), PRA_ECORRUPT);
    scratch_write("pra.db", "", 0);
    assert_int_equal(open_file(false, &f), PRA_ENOENT);
    assert_int_equal(open_file(true, &f), 0);
    store_close(s);
}

static int add_count(const struct store_audit_count *n, void *ctx)
{
    char *list = ctx;
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%s=%lld ", n->kind, (long long)n->count);
    return 0;
}

static void an_older_database_is_brought_up_to_date_with_what_is_in_it(void **state)
{
    struct store_account account = {.name = "tanaka", .role = "owner", .created = 1};
    struct audit_event e = {.kind = AUDIT_LOGIN, .time_ms = 1000};
    char counts[256] = "";
    uint8_t one[STORE_HASH_LEN], two[STORE_HASH_LEN];
    struct store_user user;
    struct fault f;
    int64_t id;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    add_user("alice");
    assert_int_equal(s->ops->secret(s, one, &f), 0);
    assert_int_equal(s->ops->audit_add(s, &e, 1, &f), 0);
    store_close(s);
    /* Back to the first schema: a table a line. */
    run_sql("DROP TABLE limits;"
            "DROP TRIGGER limits_user;"
            "DROP TRIGGER limits_group;"
            "DROP TRIGGER limits_rule;"
            "DROP TABLE quotas;"
            "DROP TABLE factor_leases;"
            "DROP TABLE factor_recovery;"
            "DROP TABLE factors;"
            "DROP TABLE factor_groups;"
            "DROP TABLE factor_users;"
            "DROP TABLE bundles;"
            "DROP TABLE enrollments;"
            "DROP TABLE usage;"
            "DROP TABLE usage_rules;"
            "DROP TABLE usage_open;"
            "DROP TABLE reports;"
            "DROP TABLE readers;"
            "DROP TABLE resets;"
            "DROP TABLE mail;"
            "DELETE FROM meta WHERE key = 'mail-dropped';"
            "DROP TABLE key_tags;"
            "DROP TABLE rule_changes;"
            "ALTER TABLE keys DROP COLUMN name;"
            "ALTER TABLE keys DROP COLUMN place;"
            "ALTER TABLE keys DROP COLUMN mail;"
            "ALTER TABLE keys DROP COLUMN tag_changes;"
            "ALTER TABLE keys DROP COLUMN tag_changed;"
            "ALTER TABLE keys DROP COLUMN ticket;"
            "ALTER TABLE keys DROP COLUMN ticket_next;"
            "ALTER TABLE keys DROP COLUMN ticket_since;"
            "ALTER TABLE keys DROP COLUMN clone;"
            "ALTER TABLE users DROP COLUMN clone;"
            "DROP TABLE challenges;"
            "DROP TABLE passkeys;"
            "DROP TABLE tokens;"
            "DROP TABLE access_rules;"
            "DROP TABLE logins;"
            "DROP TABLE recovery;"
            "DROP TABLE accounts;"
            "DROP TABLE secrets;"
            "DROP TABLE alerts;"
            "DROP TABLE alert_counts;"
            "DROP TABLE alert_mail;"
            "DROP TABLE watched;"
            "DROP TABLE outages;"
            "DROP TABLE facts;"
            "DROP TABLE audit_counts;"
            "ALTER TABLE audit DROP COLUMN times;"
            "DELETE FROM schema WHERE version > 1");
    assert_int_equal(open_file(false, &f), 0);
    assert_int_equal(s->ops->user_get(s, "alice", &user, &f), 0);
    assert_int_equal(s->ops->account_add(s, &account, &id, &f), 0);
    assert_int_equal(s->ops->secret(s, two, &f), 0);
    assert_memory_not_equal(one, two, sizeof(one)); /* each database has its own */
    assert_int_equal(s->ops->count_each(s, "", "9999-12-31", add_count, counts, &f), 0);
    assert_string_equal(counts, "login=1 "); /* counts begin with what is there */
    store_close(s);
}

static void row_that_cannot_be_read_is_named(void **state)
{
    char list[256] = "";
    struct fault f;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    add_user("alice");
    add_rule("alice", "a", 0);
    store_close(s);
    run_sql("UPDATE rules SET target = 'mail:99999'");
    assert_int_equal(open_file(false, &f), 0);
    assert_int_equal(s->ops->rule_each(s, false, NULL, note_rule, list, &f), PRA_ECORRUPT);
    assert_non_null(strstr(f.text, "rule 1"));
    assert_non_null(strstr(f.text, "99999"));
    store_close(s);
}

static void audit_records_cannot_be_changed_behind_our_back(void **state)
{
    struct audit_event e = {.kind = AUDIT_LOGIN, .time_ms = 1};
    struct fault f;
    sqlite3 *db;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    assert_int_equal(s->ops->audit_add(s, &e, 1, NULL), 0);
    store_close(s);
    assert_int_equal(sqlite3_open(scratch_path("pra.db"), &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE audit SET user = 'x'", NULL, NULL, NULL),
                         SQLITE_OK);
    sqlite3_close(db);
}

static void transactions_are_all_or_nothing_and_changes_by_others_are_seen(void **state)
{
    struct fault f;
    struct store_user u;
    uint64_t before, after;

    (void)state;
    assert_int_equal(open_file(true, &f), 0);
    assert_int_equal(s->ops->generation(s, &before, NULL), 0);
    assert_int_equal(s->ops->begin(s, NULL), 0);
    add_user("alice");
    assert_int_equal(s->ops->bump(s, NULL), 0);
    s->ops->rollback(s);
    assert_int_equal(s->ops->user_get(s, "alice", &u, NULL), PRA_ENOENT);
    assert_int_equal(s->ops->begin(s, NULL), 0);
    add_user("bob");
    assert_int_equal(s->ops->bump(s, NULL), 0);
    assert_int_equal(s->ops->commit(s, NULL), 0);
    assert_int_equal(s->ops->generation(s, &after, NULL), 0);
    assert_int_equal(after, before + 1);
    assert_false(s->ops->changed(s));
    run_sql("UPDATE users SET enabled = 0");
    assert_true(s->ops->changed(s));
    assert_false(s->ops->changed(s));
    store_close(s);
}

/* A limit on the size of files is as good as a full disk. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int change_once(int number)
{
    struct store_user u = {.created = 1};
    int64_t id;
    int rc = s->ops->begin(s, NULL);

    snprintf(u.name, sizeof(u.name), "user%d", number);
    memset(u.full_name, 'x', sizeof(u.full_name) - 1);
    if (rc == 0)
        rc = s->ops->user_add(s, &u, &id, NULL);
    if (rc == 0)
        return s->ops->commit(s, NULL);
    s->ops->rollback(s);
    return rc;
}

static void full_disk_fails_the_change_and_heals(void **state)
{
    struct store_user u;
    struct fault f;
    char name[16];
    int n = 0;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(open_file(true, &f), 0);
    limit_file_size(1024 * 1024);
    while (n < 20000 && change_once(n) == 0)
        n++;
    assert_in_range(n, 1, 19999);
    snprintf(name, sizeof(name), "user%d", n);
    assert_int_equal(s->ops->user_get(s, name, &u, NULL), PRA_ENOENT);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(change_once(n), 0);
    assert_int_equal(s->ops->user_get(s, name, &u, NULL), 0);
    store_close(s);
    assert_int_equal(open_file(false, &f), 0);
    for (int i = 0; i <= n; i++) {
        snprintf(name, sizeof(name), "user%d", i);
        assert_int_equal(s->ops->user_get(s, name, &u, NULL), 0);
    }
    store_close(s);
}

static void unknown_urls_are_refused(void **state)
{
    struct fault f = {0};

    (void)state;
    assert_int_equal(store_open("mysql:x", true, &s, &f), PRA_EINVAL);
    assert_int_equal(store_open("sqlite:", true, &s, &f), PRA_EINVAL);
    assert_int_equal(store_open("", true, &s, &f), PRA_EINVAL);
    store_close(NULL);
}

int main(void)
{
#define RAM(name)   cmocka_unit_test_setup_teardown(name, open_ram, close_store)
#define FILES(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        RAM(positions_stay_one_to_n),
        RAM(all_parts_of_a_rule_come_back),
        RAM(deleting_a_user_takes_keys_rules_and_memberships_but_not_the_audit),
        RAM(names_are_case_sensitive_and_taken_once),
        RAM(what_a_device_said_is_kept_with_its_key),
        FILES(missing_database_is_made_only_when_asked_for),
        FILES(second_writer_is_refused_while_the_first_lives),
        FILES(newer_and_foreign_databases_are_left_alone),
        FILES(an_older_database_is_brought_up_to_date_with_what_is_in_it),
        FILES(row_that_cannot_be_read_is_named),
        FILES(audit_records_cannot_be_changed_behind_our_back),
        FILES(transactions_are_all_or_nothing_and_changes_by_others_are_seen),
        FILES(full_disk_fails_the_change_and_heals),
        cmocka_unit_test(unknown_urls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
