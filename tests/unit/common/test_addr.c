/* Addresses as people and peers write them, above all the forms that mean something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/addr.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct addr_ip ip_of(const char *text)
{
    struct addr_ip ip;

    assert_int_equal(addr_parse_ip(text, strlen(text), &ip), 0);
    return ip;
}

static void ip_accepts_and_formats_canonically(void **state)
{
    static const char *const cases[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"10.1.2.3", "10.1.2.3"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"fe80::1", "fe80::1"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
        {"::ffff:c000:0201", "::ffff:192.0.2.1"},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
    };
    char text[46];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr_ip ip = ip_of(cases[i][0]);

        assert_string_equal(addr_format_ip(&ip, text), cases[i][1]);
    }
}

static void ip_refuses_other_spellings(void **state)
{
    static const char *const cases[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.1.1.1",
        "1.2.3.256",
        "010.0.0.1",
        "1.2.3.04",
        "00.0.0.0",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "017700000001",
        "1.2.3.4 ",
        " 1.2.3.4",
        "+1.2.3.4",
        "1.2.3.-4",
        "1.2.3.4.",
        "1.2.3.99999",
        "1.2.3.4294967297",
        "fe80::1%eth0",
        ":::",
        "1::2::3",
        "12345::",
        "::1.2.3.04",
        "::01.2.3.4",
        "[::1]",
        "::ffff:1.2.3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::g",
    };
    struct addr_ip ip;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (addr_parse_ip(cases[i], strlen(cases[i]), &ip) != PRA_EINVAL)
            fail_msg("'%s' was taken for an address", cases[i]);
    assert_int_equal(addr_parse_ip("1.2.3.4\0", 8, &ip), PRA_EINVAL);
    assert_int_equal(addr_parse_ip("::1\0", 4, &ip), PRA_EINVAL);
    assert_int_equal(addr_parse_ip("::1\0x", 5, &ip), PRA_EINVAL);
}

static void host_is_normalised(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        bool is_ip;
    } cases[] = {
        {"mail", "mail", false},
        {"Mail.Example.COM", "mail.example.com", false},
        {"mail.example.com.", "mail.example.com", false},
        {"_srv.a-b.c1", "_srv.a-b.c1", false},
        {"1a", "1a", false},
        {"10.0.0.1.example", "10.0.0.1.example", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"::1", "::1", true},
        {"[::1]", "::1", true},
        {"[2001:DB8::A]", "2001:db8::a", true},
        {"::FFFF:10.0.0.1", "::ffff:10.0.0.1", true},
    };
    struct addr_host host;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(addr_parse_host(cases[i].text, strlen(cases[i].text), &host), 0);
        assert_string_equal(host.name, cases[i].name);
        assert_int_equal(host.is_ip, cases[i].is_ip);
    }
}

static void host_refuses_what_resolvers_read_differently(void **state)
{
    static const char *const cases[] = {
        "",          ".",           "..",    "a..b",       ".a",         "a..",
        "-a",        "a-",          "a.-b",  "a b",        "a/b",        "a:b",
        "a@b",       "caf\xc3\xa9", "127.1", "2130706433", "0x7f000001", "0X7F000001",
        "010.0.0.1", "1.2.3.4.5",   "a.1",   "a.0x1",      "1.2.3.4.",   "256.1.1.1",
        "[1.2.3.4]", "[::1",        "::1]",  "[]",         "[mail]",     "fe80::1%lo",
        "*",         "a*",          "a\n",   "\xff",       "a.0x",       "10.0.0.0x1",
        "0xg",
    };
    struct addr_host host;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (addr_parse_host(cases[i], strlen(cases[i]), &host) != PRA_EINVAL)
            fail_msg("'%s' was taken for a host", cases[i]);
    assert_int_equal(addr_parse_host("mail\0.evil", 10, &host), PRA_EINVAL);
    assert_int_equal(addr_parse_host("mail\0", 5, &host), PRA_EINVAL);
}

static void host_length_limits(void **state)
{
    char name[300];
    struct addr_host host;

    (void)state;
    memset(name, 'a', sizeof(name));
    assert_int_equal(addr_parse_host(name, 63, &host), 0);
    assert_int_equal(addr_parse_host(name, 64, &host), PRA_EINVAL);
    for (size_t i = 49; i < sizeof(name); i += 50)
        name[i] = '.';
    assert_int_equal(addr_parse_host(name, 253, &host), 0);
    assert_int_equal(strlen(host.name), 253);
    assert_int_equal(addr_parse_host(name, 254, &host), PRA_EINVAL);
    name[253] = '.';
    assert_int_equal(addr_parse_host(name, 254, &host), 0); /* 253 and the trailing dot */
    assert_int_equal(addr_parse_host(name, 299, &host), PRA_EINVAL);
}

static void host_leaves_output_alone_on_failure(void **state)
{
    struct addr_host host;
    struct addr_host before;

    (void)state;
    memset(&host, 0x5A, sizeof(host));
    before = host;
    assert_int_equal(addr_parse_host("mail.-x", 7, &host), PRA_EINVAL);
    assert_memory_equal(&host, &before, sizeof(host));
}

static void port_is_decimal_1_to_65535(void **state)
{
    static const char *const bad[] = {"",      "0",      "00",  "080",       "65536", "65558",
                                      "99999", "-1",     "+80", " 80",       "80 ",   "0x50",
                                      "8e1",   "655350", "80a", "4294967376"};
    uint16_t port;

    (void)state;
    assert_int_equal(addr_parse_port("1", 1, &port), 0);
    assert_int_equal(port, 1);
    assert_int_equal(addr_parse_port("65535", 5, &port), 0);
    assert_int_equal(port, 65535);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (addr_parse_port(bad[i], strlen(bad[i]), &port) != PRA_EINVAL)
            fail_msg("'%s' was taken for a port", bad[i]);
    assert_int_equal(addr_parse_port("80\0", 3, &port), PRA_EINVAL);
}

static void port_range(void **state)
{
    static const char *const bad[] = {"",      "-",    "1-",  "-1",     "2-1",
                                      "1-2-3", "1 -2", "0-5", "1-65536"};
    uint16_t first;
    uint16_t last;

    (void)state;
    assert_int_equal(addr_parse_port_range("80", 2, &first, &last), 0);
    assert_int_equal(first, 80);
    assert_int_equal(last, 80);
    assert_int_equal(addr_parse_port_range("8000-8099", 9, &first, &last), 0);
    assert_int_equal(first, 8000);
    assert_int_equal(last, 8099);
    assert_int_equal(addr_parse_port_range("1-65535", 7, &first, &last), 0);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(addr_parse_port_range(bad[i], strlen(bad[i]), &first, &last), PRA_EINVAL);
}

static void host_port(void **state)
{
    static const struct {
        const char *text;
        uint16_t fallback;
        const char *name;
        uint16_t port;
    } good[] = {
        {"mail:110", 0, "mail", 110},   {"MAIL.:110", 0, "mail", 110},
        {"mail", 10022, "mail", 10022}, {"10.0.0.1:22", 0, "10.0.0.1", 22},
        {"[::1]:22", 0, "::1", 22},     {"[::1]", 22, "::1", 22},
        {"::1", 22, "::1", 22},         {"2001:db8::2:80", 22, "2001:db8::2:80", 22},
    };
    static const char *const bad[] = {
        "",           ":",        ":80",      "mail",     "mail:",    "mail:0",
        "mail:65558", "mail:80:", "[::1]",    "[::1]80",  "[::1]:",   "[::1",
        "::1",        "a b:80",   "mail:80 ", "mail:+80", "[mail]:80"};
    struct addr_host host;
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(addr_parse_host_port(good[i].text, good[i].fallback, &host, &port), 0);
        assert_string_equal(host.name, good[i].name);
        assert_int_equal(port, good[i].port);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (addr_parse_host_port(bad[i], 0, &host, &port) != PRA_EINVAL)
            fail_msg("'%s' was taken for host and port", bad[i]);
    assert_int_equal(addr_parse_host_port("mail:", 22, &host, &port), PRA_EINVAL);
}

static void cidr(void **state)
{
    static const char *const good[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"192.0.2.7", "192.0.2.7/32"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::/0", "::/0"},
        {"::1", "::1/128"},
    };
    static const char *const bad[] = {
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/",      "10.0.0.0/08",  "/8",         "10.0.0.0/-1",
        "10/8",       "::/129",      "2001:db8::1/32", "10.0.0.0/8/8", "10.0.0.0/8 "};
    struct addr_cidr c;
    char text[50];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(addr_parse_cidr(good[i][0], strlen(good[i][0]), &c), 0);
        assert_string_equal(addr_format_cidr(&c, text), good[i][1]);
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        if (addr_parse_cidr(bad[i], strlen(bad[i]), &c) != PRA_EINVAL)
            fail_msg("'%s' was taken for a network", bad[i]);
}

static bool contains(const char *network, const char *address)
{
    struct addr_cidr c;
    struct addr_ip ip = ip_of(address);

    assert_int_equal(addr_parse_cidr(network, strlen(network), &c), 0);
    return addr_cidr_contains(&c, &ip);
}

static void cidr_contains_by_bits(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.0/8", "10.255.0.1"));
    assert_false(contains("10.0.0.0/8", "11.0.0.1"));
    assert_true(contains("192.0.2.128/25", "192.0.2.128"));
    assert_false(contains("192.0.2.128/25", "192.0.2.127"));
    assert_true(contains("0.0.0.0/0", "255.255.255.255"));
    assert_false(contains("0.0.0.0/0", "::"));
    assert_false(contains("::/0", "1.2.3.4"));
    assert_true(contains("2001:db8::/33", "2001:db8:7fff::"));
    assert_false(contains("2001:db8::/33", "2001:db8:8000::"));
    assert_true(contains("::1", "::1"));
    assert_false(contains("10.0.0.0/8", "::ffff:10.0.0.1")); /* the caller unmaps */
}

static void unmap_only_mapped(void **state)
{
    struct addr_ip ip = ip_of("::ffff:10.0.0.1");
    struct addr_ip v4 = addr_ip_unmap(&ip);
    struct addr_ip expected = ip_of("10.0.0.1");

    (void)state;
    assert_true(addr_ip_equal(&v4, &expected));
    ip = ip_of("::10.0.0.1");
    v4 = addr_ip_unmap(&ip);
    assert_int_equal(v4.family, 6);
    v4 = addr_ip_unmap(&expected);
    assert_true(addr_ip_equal(&v4, &expected));
    ip = ip_of("10.0.0.2");
    assert_false(addr_ip_equal(&ip, &expected));
    ip = ip_of("::1");
    assert_false(addr_ip_equal(&ip, &expected));
}

static void special_addresses_are_classified(void **state)
{
    static const struct {
        const char *text;
        enum addr_kind kind;
    } cases[] = {
        {"8.8.8.8", ADDR_ORDINARY},
        {"10.0.0.1", ADDR_ORDINARY},
        {"192.168.1.1", ADDR_ORDINARY},
        {"2001:db8::1", ADDR_ORDINARY},
        {"fd00::1", ADDR_ORDINARY},
        {"127.0.0.1", ADDR_LOOPBACK},
        {"127.255.255.254", ADDR_LOOPBACK},
        {"::1", ADDR_LOOPBACK},
        {"169.254.169.254", ADDR_LINK_LOCAL},
        {"fe80::1", ADDR_LINK_LOCAL},
        {"febf::1", ADDR_LINK_LOCAL},
        {"fec0::1", ADDR_ORDINARY},
        {"0.0.0.0", ADDR_UNSPECIFIED},
        {"0.1.2.3", ADDR_UNSPECIFIED},
        {"::", ADDR_UNSPECIFIED},
        {"224.0.0.1", ADDR_MULTICAST},
        {"239.255.255.255", ADDR_MULTICAST},
        {"255.255.255.255", ADDR_MULTICAST},
        {"ff02::1", ADDR_MULTICAST},
        {"::ffff:127.0.0.1", ADDR_MAPPED},
        {"::ffff:10.0.0.1", ADDR_MAPPED},
        {"::127.0.0.1", ADDR_MAPPED},
        {"::2", ADDR_MAPPED},
        {"64:ff9b::7f00:1", ADDR_NAT64},
        {"64:ff9b:1::7f00:1", ADDR_NAT64},
        {"64:ff9b:2::1", ADDR_ORDINARY},
        {"2002:7f00:1::", ADDR_NAT64},
        {"2003::1", ADDR_ORDINARY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr_ip ip = ip_of(cases[i].text);

        if (addr_classify(&ip) != cases[i].kind)
            fail_msg("%s is classified as %d", cases[i].text, (int)addr_classify(&ip));
    }
}

static void sockaddr_round_trip(void **state)
{
    static const char *const cases[] = {"192.0.2.7", "2001:db8::7"};
    struct sockaddr_storage ss;
    struct sockaddr unix_address = {.sa_family = AF_UNIX};
    struct addr_ip none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct addr_ip ip = ip_of(cases[i]);
        struct addr_ip back;
        uint16_t port;

        assert_int_equal(addr_to_sockaddr(&ip, 10022, &ss),
                         i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        assert_int_equal(addr_from_sockaddr((struct sockaddr *)&ss, &back, &port), 0);
        assert_true(addr_ip_equal(&ip, &back));
        assert_int_equal(port, 10022);
    }
    assert_int_equal(addr_to_sockaddr(&none, 1, &ss), 0);
    assert_int_equal(addr_from_sockaddr(&unix_address, &none, &(uint16_t){0}), PRA_EUNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_accepts_and_formats_canonically),
        cmocka_unit_test(ip_refuses_other_spellings),
        cmocka_unit_test(host_is_normalised),
        cmocka_unit_test(host_refuses_what_resolvers_read_differently),
        cmocka_unit_test(host_length_limits),
        cmocka_unit_test(host_leaves_output_alone_on_failure),
        cmocka_unit_test(port_is_decimal_1_to_65535),
        cmocka_unit_test(port_range),
        cmocka_unit_test(host_port),
        cmocka_unit_test(cidr),
        cmocka_unit_test(cidr_contains_by_bits),
        cmocka_unit_test(unmap_only_mapped),
        cmocka_unit_test(special_addresses_are_classified),
        cmocka_unit_test(sockaddr_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
