/* The store's audit: records found, searched in parts, counted, grown old. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/store.h"

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
    return 0;
}

static int note_audit(const struct store_audit *r, void *ctx)
{
    char *list = ctx;
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%lld ", (long long)r->id);
    return 0;
}

/* All that fit, oldest first; or, with a limit, those of the list for people, and how many fit. */
static const char *audit(struct store_audit_filter f, size_t limit, size_t offset)
{
    struct store_audit_place top = {0};
    struct store_audit_found found;
    static char list[256];
    int64_t next;
    size_t len;

    list[0] = '\0';
    if (limit == 0) {
        assert_int_equal(
            s->ops->audit_each(s, &f, 0, INT64_MAX, 100, note_audit, list, &next, NULL), 0);
        return list;
    }
    assert_int_equal(s->ops->audit_find(s, &f, &top, offset, limit, note_audit, list, &found, NULL),
                     0);
    assert_true(found.complete);
    len = strlen(list);
    snprintf(list + len, sizeof(list) - len, "of %lld", (long long)found.total);
    return list;
}

#define WHICH(...) ((struct store_audit_filter){__VA_ARGS__})

static void audit_records_are_found_by_what_is_asked_for(void **state)
{
    (void)state;
    for (int i = 1; i <= 6; i++) {
        struct audit_event e = {.kind = i % 2 != 0 ? AUDIT_LOGIN : AUDIT_LOGOUT, .time_ms = i * 10};

        snprintf(e.user, sizeof(e.user), "%s", i <= 3 ? "alice" : "bob");
        assert_int_equal(s->ops->audit_add(s, &e, 1, NULL), 0);
    }
    assert_string_equal(audit(WHICH(0), 0, 0), "1 2 3 4 5 6 ");
    assert_string_equal(audit(WHICH(.user = "alice"), 0, 0), "1 2 3 ");
    assert_string_equal(audit(WHICH(.kind = "login"), 0, 0), "1 3 5 ");
    assert_string_equal(audit(WHICH(.user = "bob", .kind = "login"), 0, 0), "5 ");
    assert_string_equal(audit(WHICH(.since_ms = 20, .until_ms = 40), 0, 0), "2 3 ");
    assert_string_equal(audit(WHICH(0), 2, 0), "6 5 of 6");
    assert_string_equal(audit(WHICH(0), 2, 3), "3 2 of 6");
    assert_string_equal(audit(WHICH(.since_ms = 20, .until_ms = 40), 9, 0), "3 2 of 2");
    assert_string_equal(audit(WHICH(.kind = "login"), 2, 0), "5 3 of 3");
    assert_string_equal(audit(WHICH(.user = "alice"), 9, 1), "2 1 of 3");
    assert_string_equal(audit(WHICH(.user = "alice", .kind = "logout"), 1, 0), "2 of 1");
    assert_string_equal(audit(WHICH(.search = "LIC"), 9, 0), "3 2 1 of 3");
    assert_string_equal(audit(WHICH(.search = "%"), 9, 0), "of 0");
    assert_string_equal(audit(WHICH(.search = "log", .user = "bob", .since_ms = 50), 1, 1),
                        "5 of 2");
    assert_string_equal(audit(WHICH(.source = "192.0.2.1"), 9, 0), "of 0");
}

/* More than one look: what does not fit is passed over in bounded parts, and nothing is missed. */
static void a_search_goes_on_where_it_stopped(void **state)
{
    enum { EVERY = 7000, ALL = 4 * STORE_AUDIT_SCAN_SEARCH + 100 };
    struct store_audit_filter f = {.search = "needle"};
    struct store_audit_place place = {0};
    struct store_audit_found found = {0};
    int64_t total = 0, after = 0, next = 0;
    char list[256] = "";
    int parts = 0;

    (void)state;
    assert_int_equal(s->ops->begin(s, NULL), 0);
    for (int i = 1; i <= ALL; i++) {
        struct audit_event e = {.kind = AUDIT_LOGIN, .time_ms = 5 + i / 3};

        if (i % EVERY == 0)
            snprintf(e.detail, sizeof(e.detail), "a Needle");
        assert_int_equal(s->ops->audit_add(s, &e, 1, NULL), 0);
    }
    assert_int_equal(s->ops->commit(s, NULL), 0);
    while (!found.complete) {
        assert_int_equal(s->ops->audit_find(s, &f, &place, 0, 0, note_audit, list, &found, NULL),
                         0);
        total += found.total;
        place = found.next;
        parts++;
    }
    assert_int_equal(total, ALL / EVERY);
    assert_int_equal(parts, 5);
    parts = 0;
    do {
        after = next;
        assert_int_equal(s->ops->audit_each(s, &f, after, ALL, 100, note_audit, list, &next, NULL),
                         0);
        parts++;
    } while (next != 0);
    assert_int_equal(parts, 5);
    assert_non_null(strstr(list, "7000 14000 21000 "));
}

static int add_count(const struct store_audit_count *n, void *ctx)
{
    char *list = ctx;
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%s=%lld ", n->kind, (long long)n->count);
    return 0;
}

static void counts_are_exact_whatever_became_of_the_records(void **state)
{
    struct audit_event events[] = {
        {.kind = AUDIT_LOGIN, .time_ms = 1000},
        {.kind = AUDIT_LOGIN, .time_ms = 2000},
        {.kind = AUDIT_CHANNEL_REFUSED, .time_ms = 3000, .times = 700},
        {.kind = AUDIT_OVERFLOW, .time_ms = 4000, .times = 40, .reason = "login"},
    };
    char list[256] = "";
    size_t deleted = 0;

    (void)state;
    assert_int_equal(s->ops->audit_add(s, events, 4, NULL), 0);
    assert_int_equal(s->ops->audit_expire(s, 3000, 1, &deleted, NULL), 0);
    assert_int_equal(deleted, 1);
    assert_int_equal(s->ops->audit_expire(s, 3000, 10, &deleted, NULL), 0);
    assert_int_equal(deleted, 1);
    assert_string_equal(audit(WHICH(0), 0, 0), "3 4 ");
    assert_int_equal(s->ops->count_each(s, "", "9999-12-31", add_count, list, NULL), 0);
    assert_string_equal(list, "audit-overflow=1 channel-refused=700 login=42 ");
}

int main(void)
{
#define RAM(name) cmocka_unit_test_setup_teardown(name, open_ram, close_store)
    const struct CMUnitTest tests[] = {
        RAM(audit_records_are_found_by_what_is_asked_for),
        RAM(a_search_goes_on_where_it_stopped),
        RAM(counts_are_exact_whatever_became_of_the_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
