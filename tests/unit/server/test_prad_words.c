/* What prad says: the HTTP answer of the port check, endpoints, the registry of sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/prad/first_bytes.h"
#include "server/prad/live.h"
#include "server/prad/record.h"

static void port_check_is_a_whole_http_answer(void **state)
{
    (void)state;
    char text[256];
    size_t len = first_bytes_http_answer(text, sizeof(text), 1795377600, false);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(text, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(text, "\r\nDate: Sun, 22 Nov 2026 20:00:00 GMT\r\n"));
    assert_non_null(strstr(text, "\r\nContent-Length: 9\r\n"));
    assert_string_equal(text + len - 9, "10022 OK!");
    len = first_bytes_http_answer(text, sizeof(text), 0, true);
    assert_string_equal(text + len - 4, "\r\n\r\n");
    assert_int_equal(first_bytes_http_answer(text, 20, 0, false), 0);
}

static void endpoints_bracket_ipv6(void **state)
{
    (void)state;
    char text[RECORD_ENDPOINT_MAX];
    struct addr_ip ip;
    addr_parse_ip("192.0.2.7", 9, &ip);
    assert_string_equal(record_endpoint(text, &ip, 65535), "192.0.2.7:65535");
    addr_parse_ip("2001:db8::1", 11, &ip);
    assert_string_equal(record_endpoint(text, &ip, 22), "[2001:db8::1]:22");
}

static struct live_entry *entry(const char *id, const char *user)
{
    struct live_entry *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    snprintf(e->id, sizeof(e->id), "%s", id);
    snprintf(e->user, sizeof(e->user), "%s", user);
    return e;
}

static void registry_limits_lists_and_forgets(void **state)
{
    (void)state;
    struct live *l;
    struct live_entry *a = entry("a1", "alice"), *b = entry("b1", "bob"), *c = entry("a2", "alice");
    assert_int_equal(live_new(&l), 0);
    assert_true(live_add(l, a, 1));
    assert_true(live_add(l, b, 1));
    assert_false(live_add(l, c, 1));
    assert_true(live_add(l, c, 2));
    live_describe(l, c, "1.0", "Debian", "bound", true);
    json_t *list = NULL;
    int64_t total = 0;
    assert_int_equal(live_list(l, &(struct listing){0}, &list, &total), 0);
    assert_int_equal(json_array_size(list), 3);
    const json_t *first = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(first, "id")), "a2");
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "pra");
    assert_string_equal(json_string_value(json_object_get(first, "binding")), "bound");
    json_decref(list);
    assert_int_equal(live_kill(l, "nobody", "x"), PRA_ENOENT);
    live_remove(l, b);
    live_remove(l, c);
    live_remove(l, a);
    assert_int_equal(live_list(l, &(struct listing){0}, &list, &total), 0);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    live_free(l);
    free(a);
    free(b);
    free(c);
}

static json_int_t found(struct live *l, struct admin_live_query q, const char *member)
{
    json_t *got = live_find(l, &q);
    json_int_t n = json_is_array(json_object_get(got, member))
                       ? (json_int_t)json_array_size(json_object_get(got, member))
                       : json_integer_value(json_object_get(got, member));
    json_decref(got);
    return n;
}

static void registry_is_searched(void **state)
{
    (void)state;
    struct live *l;
    struct live_entry *a = entry("a1", "alice"), *b = entry("b1", "bob");
    assert_int_equal(live_new(&l), 0);
    addr_parse_ip("192.0.2.7", 9, &a->source);
    assert_true(live_add(l, a, 1) && live_add(l, b, 1));
    live_describe(l, b, "1.0", "Debian", "bound", true);
    assert_int_equal(found(l, (struct admin_live_query){.limit = 1}, "sessions"), 1);
    assert_int_equal(found(l, (struct admin_live_query){.limit = 1}, "matching"), 2);
    assert_int_equal(found(l, (struct admin_live_query){.text = "DEBIAN", .limit = 9}, "matching"),
                     1);
    assert_int_equal(
        found(l, (struct admin_live_query){.text = "192.0.2.", .limit = 9}, "matching"), 1);
    assert_int_equal(found(l, (struct admin_live_query){.user = "bo", .limit = 9}, "matching"), 0);
    assert_int_equal(found(l, (struct admin_live_query){.id = "a1", .limit = 9}, "matching"), 1);
    assert_int_equal(found(l, (struct admin_live_query){.id = "none"}, "total"), 2);
    /* What a client said of its ports goes with its next word, and with it. */
    live_set_ports(l, a, json_pack("[{s:s}]", "local", "127.0.0.1:110"));
    live_set_ports(l, a, json_pack("[{s:s}, {s:s}]", "local", "1", "local", "2"));
    live_set_ports(l, a,
                   json_pack("[{s:s, s:s, s:s}]", "local", "127.0.0.1:110", "state", "conflict",
                             "program", "mailer"));
    live_set_ports(l, b,
                   json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "local", "127.0.0.1:25", "state",
                             "denied", "program", "", "local", "127.0.0.1:110", "state", "conflict",
                             "program", "mailer"));
    json_t *ports = live_ports(l), *first = json_array_get(ports, 0);
    assert_int_equal(json_array_size(ports), 2);
    assert_string_equal(json_string_value(json_object_get(first, "program")), "mailer");
    assert_int_equal(json_integer_value(json_object_get(first, "pcs")), 2);
    assert_int_equal(json_array_size(json_object_get(first, "users")), 2);
    json_decref(ports);
    live_remove(l, b);
    json_t *channels = NULL;
    assert_int_equal(live_channels(l, "none", &channels), PRA_ENOENT);
    assert_int_equal(live_channel_close(l, "a1", "no name"), PRA_ENOENT);
    assert_int_equal(live_channel_close(l, "a1", "0-1-99999999999"), PRA_ENOENT);
    assert_int_equal(live_channel_close(l, "none", "1-2-3"), PRA_ENOENT);
    live_remove(l, a);
    live_free(l);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_check_is_a_whole_http_answer),
        cmocka_unit_test(endpoints_bracket_ipv6),
        cmocka_unit_test(registry_limits_lists_and_forgets),
        cmocka_unit_test(registry_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
