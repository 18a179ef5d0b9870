/* The byte queue and the JSON lines on top of it: what a peer controls, at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/jsonl.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void queue_keeps_order_and_its_ceiling(void **state)
{
    struct buf b;
    uint8_t next_in = 0;
    uint8_t next_out = 0;
    uint8_t piece[97];

    (void)state;
    buf_init(&b, 10000);
    for (int round = 0; round < 5000; round++) {
        size_t n = (size_t)(round * 7 % 97) + 1;

        for (size_t i = 0; i < n; i++)
            piece[i] = (uint8_t)(next_in + i);
        if (n <= b.cap - b.len) {
            assert_int_equal(buf_append(&b, piece, n), 0);
            next_in = (uint8_t)(next_in + n);
        } else {
            size_t before = b.len;

            assert_int_equal(buf_append(&b, piece, n), PRA_EFULL);
            assert_int_equal(b.len, before);
        }
        assert_true(b.alloc <= b.cap + b.cap / 3 + 1);
        n = (size_t)(round * 5 % 61);
        if (round < 600)
            n /= 2;
        if (n > b.len)
            n = b.len;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(buf_head(&b)[i], next_out++);
        buf_consume(&b, n);
    }
    while (b.len > 0) {
        assert_int_equal(buf_head(&b)[0], next_out++);
        buf_consume(&b, 1);
    }
    assert_int_equal(next_in, next_out);
    assert_null(b.data);
}

static void queue_is_filled_to_the_last_byte(void **state)
{
    struct buf b;
    size_t room;
    uint8_t *dst;

    (void)state;
    buf_init(&b, 5000);
    dst = buf_reserve(&b, 100000, &room);
    assert_non_null(dst);
    assert_int_equal(room, 5000);
    memset(dst, 1, room);
    buf_commit(&b, room);
    assert_null(buf_reserve(&b, 1, &room));
    assert_int_equal(buf_append(&b, "x", 1), PRA_EFULL);
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    buf_consume(&b, 1);
    assert_non_null(buf_reserve(&b, 2, &room));
    assert_int_equal(room, 1);
    buf_commit(&b, 0);
    buf_free(&b);
    assert_int_equal(b.cap, 5000);
}

static void queue_gives_memory_back_when_empty(void **state)
{
    struct buf b;
    size_t room;

    (void)state;
    buf_init(&b, 100);
    assert_null(buf_head(&b));
    assert_non_null(buf_reserve(&b, 10, &room));
    buf_commit(&b, 0);
    assert_null(b.data);
    assert_int_equal(buf_append(&b, "abc", 3), 0);
    buf_consume(&b, 3);
    assert_null(b.data);
    buf_init(&b, 0);
    assert_int_equal(buf_append(&b, "a", 1), PRA_EFULL);
    assert_null(buf_reserve(&b, 1, &room));
}

static int next_of(const char *text, size_t len, size_t max, json_t **out, struct fault *f)
{
    struct buf b;
    int rc;

    buf_init(&b, 1u << 20);
    assert_int_equal(buf_append(&b, text, len), 0);
    rc = jsonl_next(&b, max, out, f);
    buf_free(&b);
    return rc;
}

static void lines_come_out_one_by_one_from_single_bytes(void **state)
{
    static const char text[] = "{\"a\":1}\n{\"a\":2}\r\n  {\"a\":3} \n{\"a\":";
    struct buf b;
    int found = 0;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        json_t *o;
        int rc;

        assert_int_equal(buf_append(&b, text + i, 1), 0);
        rc = jsonl_next(&b, 100, &o, NULL);
        if (rc == PRA_EAGAIN)
            continue;
        assert_int_equal(rc, 0);
        assert_int_equal(json_integer_value(json_object_get(o, "a")), ++found);
        json_decref(o);
    }
    assert_int_equal(found, 3);
    assert_int_equal(b.len, 5);
    buf_free(&b);
}

static void bad_lines_are_refused_and_consumed(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {
#define BAD(s) {s, sizeof(s) - 1}
        BAD("\n"),
        BAD("   \n"),
        BAD("[]\n"),
        BAD("1\n"),
        BAD("null\n"),
        BAD("\"x\"\n"),
        BAD("{\n"),
        BAD("{}{}\n"),
        BAD("{} x\n"),
        BAD("{\"a\":1,}\n"),
        BAD("{'a':1}\n"),
        BAD("{\"a\":1,\"a\":2}\n"),
        BAD("{\"a\":{\"b\":1,\"b\":1}}\n"),
        BAD("{\"a\":\"x\0y\"}\n"),
        BAD("{\"a\":\"\\u0000\"}\n"),
        BAD("{\"a\\u0000b\":1}\n"),
        BAD("{\"a\":\"\xff\"}\n"),
        BAD("{\"a\":\"\xc0\x80\"}\n"),
        BAD("{\"a\":\"\xed\xa0\x80\"}\n"),
        BAD("{\"a\":\"\\ud800\"}\n"),
        BAD("{\"a\":99999999999999999999}\n"),
        BAD("{\"a\":1e999}\n"),
        BAD("{\"a\":NaN}\n"),
        BAD("GET / HTTP/1.1\r\n"),
        BAD("\0\n"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf b;
        struct fault f = {0};
        json_t *o = NULL;

        buf_init(&b, 1000);
        assert_int_equal(buf_append(&b, bad[i].text, bad[i].len), 0);
        assert_int_equal(buf_append(&b, "{\"ok\":true}\n", 12), 0);
        if (jsonl_next(&b, 100, &o, &f) != PRA_EINVAL)
            fail_msg("%s was accepted", bad[i].text);
        assert_int_equal(f.code, PRA_EINVAL);
        assert_true(strlen(f.text) > 10);
        assert_int_equal(jsonl_next(&b, 100, &o, &f), 0);
        json_decref(o);
        assert_int_equal(b.len, 0);
    }
}

static void errors_name_the_place_but_not_the_input(void **state)
{
    struct fault f = {0};
    json_t *o;

    (void)state;
    assert_int_equal(next_of("{\"a\":\"\x1b[31m\"}\n", 14, 100, &o, &f), PRA_EINVAL);
    assert_string_equal(f.text, "the message is no valid JSON (byte 6)");
    assert_null(strchr(f.text, '\x1b'));
}

static void line_length_limit_is_exact(void **state)
{
    char line[64];
    json_t *o;

    (void)state;
    memset(line, ' ', sizeof(line));
    memcpy(line, "{}", 2);
    line[40] = '\n';
    assert_int_equal(next_of(line, 41, 40, &o, NULL), 0);
    json_decref(o);
    assert_int_equal(next_of(line, 41, 39, &o, NULL), PRA_ETOOBIG);
    /* Without a newline there is no waiting beyond the limit either. */
    assert_int_equal(next_of(line, 39, 39, &o, NULL), PRA_EAGAIN);
    assert_int_equal(next_of(line, 40, 39, &o, NULL), PRA_ETOOBIG);
}

static void nesting_limit_is_exact(void **state)
{
    char text[600];
    json_t *o;

    (void)state;
    for (size_t depth = JSONL_DEPTH_MAX - 1; depth <= JSONL_DEPTH_MAX + 1; depth++) {
        size_t n = (size_t)snprintf(text, sizeof(text), "{\"a\":");
        int expected = depth <= JSONL_DEPTH_MAX ? 0 : PRA_EINVAL;

        memset(text + n, '[', depth - 1);
        memset(text + n + depth - 1, ']', depth - 1);
        n += 2 * (depth - 1);
        memcpy(text + n, "}\n", 2);
        assert_int_equal(next_of(text, n + 2, 500, &o, NULL), expected);
        if (expected == 0)
            json_decref(o);
    }
    /* Brackets within strings are no nesting, escaped quotes do not end a string. */
    assert_int_equal(next_of("{\"a\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[\"}\n", 39, 500, &o, NULL),
                     0);
    json_decref(o);
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    size_t len = 1u << 20;
    char *text = malloc(len);
    struct buf b;
    json_t *o;

    (void)state;
    assert_non_null(text);
    memset(text, '[', len);
    text[len - 1] = '\n';
    buf_init(&b, len);
    assert_int_equal(buf_append(&b, text, len), 0);
    assert_int_equal(jsonl_next(&b, len, &o, NULL), PRA_EINVAL);
    buf_free(&b);
    free(text);
}

static void encoding_is_one_compact_line_in_order(void **state)
{
    json_t *o = json_pack("{s:i, s:s, s:[b]}", "z", 1, "a", "x\ny\"\xe3\x81\x82", "l", 1);
    struct buf b;
    size_t len;
    char *line = jsonl_encode(o, &len);

    (void)state;
    assert_string_equal(line, "{\"z\":1,\"a\":\"x\\ny\\\"\xe3\x81\x82\",\"l\":[true]}\n");
    assert_int_equal(len, strlen(line));
    buf_init(&b, len);
    assert_int_equal(jsonl_append(&b, o), 0);
    assert_memory_equal(buf_head(&b), line, len);
    assert_int_equal(jsonl_append(&b, o), PRA_EFULL);
    assert_int_equal(b.len, len);
    buf_free(&b);
    free(line);
    json_decref(o);
}

static void members_are_checked(void **state)
{
    json_t *o = json_pack("{s:s, s:I, s:b, s:n, s:f, s:s%}", "s", "four", "i", (json_int_t)-5, "b",
                          1, "n", "f", 1.0, "nul", "a\0b", (size_t)3);
    struct fault f = {0};
    const char *s = "before";
    int64_t i = 77;
    bool b = false;

    (void)state;
    assert_non_null(o);
    assert_int_equal(jsonl_get_string(o, "s", 4, &s, &f), 0);
    assert_string_equal(s, "four");
    assert_int_equal(jsonl_get_string(o, "s", 3, &s, &f), PRA_EINVAL);
    assert_string_equal(f.text, "member 's' is longer than 3 bytes");
    assert_int_equal(jsonl_get_string(o, "nul", 10, &s, &f), PRA_EINVAL);
    assert_string_equal(f.text, "member 'nul' holds a NUL character");
    assert_int_equal(jsonl_get_string(o, "x", 9, &s, &f), PRA_EINVAL);
    assert_string_equal(f.text, "member 'x' is missing");
    assert_int_equal(jsonl_get_string(o, "n", 9, &s, &f), PRA_EINVAL);
    assert_int_equal(jsonl_get_string(o, "i", 9, &s, &f), PRA_EINVAL);
    assert_string_equal(f.text, "member 'i' is not a string");
    assert_string_equal(s, "four");

    assert_int_equal(jsonl_get_int(o, "i", -5, 5, &i, &f), 0);
    assert_int_equal(i, -5);
    assert_int_equal(jsonl_get_int(o, "i", -4, 5, &i, &f), PRA_EINVAL);
    assert_string_equal(f.text, "member 'i' is not within -4 to 5");
    assert_int_equal(jsonl_get_int(o, "f", 0, 5, &i, &f), PRA_EINVAL);
    assert_int_equal(jsonl_get_int(o, "b", 0, 5, &i, &f), PRA_EINVAL);
    assert_int_equal(jsonl_get_bool(o, "b", &b, &f), 0);
    assert_true(b);
    assert_int_equal(jsonl_get_bool(o, "i", &b, &f), PRA_EINVAL);
    assert_int_equal(jsonl_get_bool(o, "x", &b, &f), PRA_EINVAL);
    json_decref(o);
}

static void optional_members_leave_defaults(void **state)
{
    json_t *o = json_pack("{s:n, s:s}", "n", "s", "x");
    const char *s = "before";
    int64_t i = 77;
    bool b = true;

    (void)state;
    assert_int_equal(jsonl_opt_string(o, "x", 9, &s, NULL), 0);
    assert_int_equal(jsonl_opt_string(o, "n", 9, &s, NULL), 0);
    assert_string_equal(s, "before");
    assert_int_equal(jsonl_opt_int(o, "n", 0, 9, &i, NULL), 0);
    assert_int_equal(i, 77);
    assert_int_equal(jsonl_opt_bool(o, "x", &b, NULL), 0);
    assert_true(b);
    assert_int_equal(jsonl_opt_int(o, "s", 0, 9, &i, NULL), PRA_EINVAL);
    assert_int_equal(jsonl_opt_bool(o, "s", &b, NULL), PRA_EINVAL);
    json_decref(o);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static int left; /* allocations of jansson's that succeed */

static void *allocate(size_t n)
{
    return left-- > 0 ? malloc(n) : NULL;
}

static void line_is_whole_or_none_whichever_allocation_fails(void **state)
{
    static const char wanted[] = "{\"a\":{\"b\":[1,{\"c\":\"text\"}]}}\n";
    json_t *o = json_pack("{s:{s:[i,{s:s}]}}", "a", "b", 1, "c", "text");
    bool failed = false, encoded = false;

    (void)state;
    assert_non_null(o);
    for (int n = 0; !encoded; n++) {
        size_t len;
        char *line;

        assert_in_range(n, 0, 1000);
        left = n;
        json_set_alloc_funcs(allocate, free);
        line = jsonl_encode(o, &len);
        json_set_alloc_funcs(malloc, free);
        if (line != NULL) {
            encoded = true;
            assert_int_equal(len, sizeof(wanted) - 1);
            assert_string_equal(line, wanted);
        } else {
            failed = true;
        }
        free(line);
    }
    assert_true(failed);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_keeps_order_and_its_ceiling),
        cmocka_unit_test(queue_is_filled_to_the_last_byte),
        cmocka_unit_test(queue_gives_memory_back_when_empty),
        cmocka_unit_test(lines_come_out_one_by_one_from_single_bytes),
        cmocka_unit_test(bad_lines_are_refused_and_consumed),
        cmocka_unit_test(errors_name_the_place_but_not_the_input),
        cmocka_unit_test(line_length_limit_is_exact),
        cmocka_unit_test(nesting_limit_is_exact),
        cmocka_unit_test(deep_nesting_is_refused_before_it_is_parsed),
        cmocka_unit_test(encoding_is_one_compact_line_in_order),
        cmocka_unit_test(line_is_whole_or_none_whichever_allocation_fails),
        cmocka_unit_test(members_are_checked),
        cmocka_unit_test(optional_members_leave_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
