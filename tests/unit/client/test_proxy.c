/* The HTTP CONNECT handshake: requests, whole and partial answers, refusals, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/proxy.h"

static void expect_request(const char *address, const char *expected)
{
    char text[PROXY_REQUEST_MAX];
    struct addr_host host;
    uint16_t port;

    assert_int_equal(addr_parse_host_port(address, 0, &host, &port), 0);
    assert_int_equal(proxy_request(&host, port, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void request_names_host_and_port_twice(void **state)
{
    (void)state;
    expect_request("gw.example:10022",
                   "CONNECT gw.example:10022 HTTP/1.1\r\nHost: gw.example:10022\r\n\r\n");
    expect_request("[2001:db8::1]:10022",
                   "CONNECT [2001:db8::1]:10022 HTTP/1.1\r\nHost: [2001:db8::1]:10022\r\n\r\n");
}

static void longest_name_fits(void **state)
{
    char text[PROXY_REQUEST_MAX];
    struct addr_host host = {0};

    (void)state;
    memset(host.name, 'a', ADDR_HOST_MAX - 1);
    assert_in_range(proxy_request(&host, 65535, text), 2 * (ADDR_HOST_MAX - 1),
                    PROXY_REQUEST_MAX - 1);
}

static void tunnel_begins_right_behind_the_head(void **state)
{
    const char *text = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nSSH-2.0-gw\r\n";
    size_t used = 0;

    (void)state;
    assert_int_equal(proxy_response(text, strlen(text), &used, NULL), 0);
    assert_string_equal(text + used, "SSH-2.0-gw\r\n");
}

static void every_part_of_an_answer_is_not_yet_an_answer(void **state)
{
    const char *text = "HTTP/1.0 200 OK\r\nServer: x\r\n\r\n";
    size_t used = 0;

    (void)state;
    for (size_t n = 0; n < strlen(text); n++)
        assert_int_equal(proxy_response(text, n, &used, NULL), PRA_EAGAIN);
    assert_int_equal(proxy_response(text, strlen(text), &used, NULL), 0);
    assert_int_equal(used, strlen(text));
}

static void bare_line_feeds_are_accepted(void **state)
{
    size_t used = 0;

    (void)state;
    assert_int_equal(proxy_response("HTTP/1.1 200\n\nrest", 18, &used, NULL), 0);
    assert_int_equal(used, 14);
}

static void expect_refusal(const char *text, int code, const char *words)
{
    struct fault f = {0};
    size_t used = 0;

    assert_int_equal(proxy_response(text, strlen(text), &used, &f), code);
    if (strstr(f.text, words) == NULL)
        fail_msg("'%s' does not say '%s'", f.text, words);
}

static void refusals_keep_the_proxys_words(void **state)
{
    (void)state;
    expect_refusal("HTTP/1.1 403 Filtered\r\n\r\n", PRA_ECLOSED, "403 Filtered");
    expect_refusal("HTTP/1.1 407 Who are you\r\n\r\n", PRA_EACCES, "407");
    expect_refusal("HTTP/1.1 502\r\n\r\n", PRA_ECLOSED, "502");
    expect_refusal("HTTP/1.1 301 Elsewhere\r\nLocation: x\r\n\r\n", PRA_ECLOSED, "301");
}

static void control_characters_of_the_proxy_do_not_pass(void **state)
{
    struct fault f = {0};
    size_t used = 0;

    (void)state;
    assert_int_equal(proxy_response("HTTP/1.1 403 a\033[2Jb\r\n\r\n", 24, &used, &f), PRA_ECLOSED);
    assert_null(strchr(f.text, '\033'));
}

static void what_is_no_http_is_refused_at_once(void **state)
{
    (void)state;
    expect_refusal("SSH-2.0-OpenSSH", PRA_EINVAL, "HTTP");
    expect_refusal("HTTP/2 200\r\n\r\n", PRA_EINVAL, "HTTP");
    expect_refusal("HTTP/1.1 2x0 OK\r\n\r\n", PRA_EINVAL, "HTTP");
    expect_refusal("HTTP/1.1 2000 OK\r\n\r\n", PRA_EINVAL, "HTTP");
    expect_refusal("HTTP/1.1\r\n\r\n", PRA_EINVAL, "HTTP");
}

static void endless_head_is_refused(void **state)
{
    static char text[PROXY_HEAD_MAX + 1];
    size_t used = 0;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "HTTP/1.1 200 OK\r\nX: ", 20);
    assert_int_equal(proxy_response(text, PROXY_HEAD_MAX - 1, &used, NULL), PRA_EAGAIN);
    assert_int_equal(proxy_response(text, PROXY_HEAD_MAX, &used, NULL), PRA_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_names_host_and_port_twice),
        cmocka_unit_test(longest_name_fits),
        cmocka_unit_test(tunnel_begins_right_behind_the_head),
        cmocka_unit_test(every_part_of_an_answer_is_not_yet_an_answer),
        cmocka_unit_test(bare_line_feeds_are_accepted),
        cmocka_unit_test(refusals_keep_the_proxys_words),
        cmocka_unit_test(control_characters_of_the_proxy_do_not_pass),
        cmocka_unit_test(what_is_no_http_is_refused_at_once),
        cmocka_unit_test(endless_head_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
