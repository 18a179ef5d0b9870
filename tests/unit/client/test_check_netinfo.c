/* Where `pra check` gets its facts from: routes, resolv.conf, leases, interfaces, HTTP answers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/check_probe.h"
#include "client/netinfo.h"
#include "common/os.h"
#include "common/timefmt.h"

static const char route[] =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
    "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
    "eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";

static void default_route_with_the_lowest_metric_is_found(void **state)
{
    char interface[NETINFO_NAME_MAX] = "", gateway[NETINFO_ADDR_MAX] = "";

    (void)state;
    assert_true(netinfo_parse_route(route, interface, gateway));
    assert_string_equal(interface, "eth0");
    assert_string_equal(gateway, "192.0.2.1");
}

static void no_default_route_is_told(void **state)
{
    static const char *const none[] = {
        "", "Iface\tDestination\tGateway\n", "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n",
        "eth0\t00000000\tzzzzzzzz\t0003\t0\t0\t0\t00000000\n", "eth0 00000000 0102 0003 0 0 0 0"};
    char interface[NETINFO_NAME_MAX], gateway[NETINFO_ADDR_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(netinfo_parse_route(none[i], interface, gateway));
}

static void ipv6_default_route_is_found(void **state)
{
    static const char text[] =
        "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
        "00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
        "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
        "fe800000000000000000000000000001 00000400 00000003 00000000 00450003     eth0\n";
    char interface[NETINFO_NAME_MAX] = "", gateway[NETINFO_ADDR_MAX] = "";

    (void)state;
    assert_true(netinfo_parse_route6(text, interface, gateway));
    assert_string_equal(interface, "eth0");
    assert_string_equal(gateway, "fe80::1");
}

static void name_servers_are_read(void **state)
{
    char dns[2][NETINFO_ADDR_MAX];

    (void)state;
    assert_int_equal(netinfo_parse_resolv("# nameserver 9.9.9.9\nsearch example.com\n"
                                          "nameserver 192.0.2.53\n nameserver\t2001:db8::53 \n"
                                          "nameserver 192.0.2.54\n",
                                          dns, 2),
                     2);
    assert_string_equal(dns[0], "192.0.2.53");
    assert_string_equal(dns[1], "2001:db8::53");
    assert_int_equal(netinfo_parse_resolv("nameserver", dns, 2), 0);
}

static void ifupdown_tells_dhcp_from_fixed(void **state)
{
    static const char text[] = "auto lo\niface lo inet loopback\n# iface eth0 inet dhcp\n"
                               "iface eth0 inet6 auto\niface eth0 inet static\n"
                               "    address 192.0.2.7/24\niface eth1 inet dhcp\n";

    (void)state;
    assert_int_equal(netinfo_parse_interfaces(text, "eth0"), NETINFO_FIXED);
    assert_int_equal(netinfo_parse_interfaces(text, "eth1"), NETINFO_DHCP);
    assert_int_equal(netinfo_parse_interfaces(text, "eth2"), NETINFO_UNKNOWN);
    assert_int_equal(netinfo_parse_interfaces(text, "lo"), NETINFO_UNKNOWN);
}

static void dhclient_lease_counts_while_it_lasts(void **state)
{
    static const char text[] = "lease {\n  interface \"eth0\";\n  fixed-address 192.0.2.7;\n"
                               "  expire 3 2026/11/25 12:00:00;\n}\n"
                               "lease {\n  interface \"eth1\";\n  expire never;\n}\n";
    int64_t before, after;

    (void)state;
    assert_int_equal(timefmt_parse("2026-11-25T11:59:59Z", &before), 0);
    assert_int_equal(timefmt_parse("2026-11-25T12:00:01Z", &after), 0);
    assert_true(netinfo_parse_dhclient(text, "eth0", before));
    assert_false(netinfo_parse_dhclient(text, "eth0", after));
    assert_true(netinfo_parse_dhclient(text, "eth1", after));
    assert_false(netinfo_parse_dhclient(text, "eth", before));
}

static void networkd_file_tells_dhcp_from_fixed(void **state)
{
    (void)state;
    assert_int_equal(netinfo_parse_networkd("[Match]\nName=eth0\n[Network]\nDHCP=yes\n"),
                     NETINFO_DHCP);
    assert_int_equal(netinfo_parse_networkd("[Network]\nDHCP=no\nAddress=192.0.2.7/24\n"),
                     NETINFO_FIXED);
    assert_int_equal(netinfo_parse_networkd("[Network]\nDHCP=ipv6\n"), NETINFO_UNKNOWN);
}

static void proxy_is_shown_without_its_password(void **state)
{
    char dst[64];

    (void)state;
    assert_true(netinfo_proxy_address("http://u:p@ss@proxy.example.com:3128/", dst, sizeof(dst)));
    assert_string_equal(dst, "proxy.example.com:3128");
    assert_true(netinfo_proxy_address("proxy:8080", dst, sizeof(dst)));
    assert_string_equal(dst, "proxy:8080");
    assert_false(netinfo_proxy_address("", dst, sizeof(dst)));
    assert_false(netinfo_proxy_address("http:///", dst, sizeof(dst)));
    assert_false(netinfo_proxy_address("http://a-name-that-is-longer-than-the-buffer", dst, 8));
}

static void proxy_is_found_in_windows_list(void **state)
{
    static const struct {
        const char *list, *found;
    } cases[] = {
        {"proxy.example.com:8080", "proxy.example.com:8080"},
        {"http://proxy.example.com:8080/", "proxy.example.com:8080"},
        {"http=a:1;https=b:2;ftp=c:3", "b:2"},
        {"ftp=c:3;http=a:1", "a:1"},
        {";; https=b:2 ;", "b:2"},
        {"socks=s:1080", NULL},
        {"https=", NULL},
        {"", NULL},
        {";", NULL},
    };
    char dst[64], small[4], longest[NETINFO_PROXY_MAX + 8];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool found = netinfo_parse_proxy_list(cases[i].list, dst, sizeof(dst));

        assert_int_equal(found, cases[i].found != NULL);
        if (found)
            assert_string_equal(dst, cases[i].found);
    }
    assert_false(netinfo_parse_proxy_list("proxy:8080", small, sizeof(small)));
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_false(netinfo_parse_proxy_list(longest, dst, sizeof(dst)));
}

static void write_below(const char *root, const char *path, const char *text)
{
    char full[OS_PATH_MAX];

    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *p = strchr(full + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        mkdir(full, 0700);
        *p = '/';
    }
    assert_int_equal(os_file_replace(full, text, strlen(text), 0600, NULL), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* The interface of the fixture does not exist here, so only its files can answer. */
static const char fixture_route[] = "pra9\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";

static void files_below_a_root_decide(void **state)
{
    static const struct {
        const char *path, *text;
        enum netinfo_mode mode;
    } cases[] = {
        {"/etc/network/interfaces.d/pra9", "iface pra9 inet static\n", NETINFO_FIXED},
        {"/var/lib/dhcp/dhclient.pra9.leases", "lease {\n interface \"pra9\";\n expire never;\n}\n",
         NETINFO_DHCP},
        {"/etc/hosts", "127.0.0.1 localhost\n", NETINFO_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char root[] = "/tmp/pra-net-XXXXXX";
        struct netinfo n;

        assert_non_null(mkdtemp(root));
        write_below(root, "/proc/net/route", fixture_route);
        write_below(root, "/etc/resolv.conf", "nameserver 192.0.2.53\n");
        write_below(root, cases[i].path, cases[i].text);
        netinfo_read(root, &n);
        assert_string_equal(n.interface, "pra9");
        assert_string_equal(n.gateway, "192.0.2.1");
        assert_int_equal(n.dns_count, 1);
        assert_int_equal(n.mode, cases[i].mode);
        if (n.mode != NETINFO_UNKNOWN)
            assert_string_equal(n.evidence, cases[i].path);
        else
            assert_string_equal(n.evidence, "");
        assert_int_equal(nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    }
}

static void gateway_answer_gives_ok_and_time(void **state)
{
    static const char text[] = "HTTP/1.1 200 OK\r\ndate:  Sun, 22 Nov 2026 10:00:00 GMT\r\n"
                               "Content-Length: 10\r\n\r\n10022 OK!\n";
    struct probe_answer a;
    int64_t expected;

    (void)state;
    assert_int_equal(timefmt_parse("2026-11-22T10:00:00Z", &expected), 0);
    probe_parse_answer(text, sizeof(text) - 1, &a);
    assert_true(a.ok);
    assert_true(a.has_date);
    assert_int_equal(a.date, expected);
}

static void other_answers_are_told_apart(void **state)
{
    static const char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
    static const char web[] = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nDate: Sun, 22 Nov 2026 10:00:00 "
                              "GMT\r\n";
    static const char bad[] = "HTTP/1.1 200 OK\r\nDate: yesterday\r\n\r\n10022 OK!";
    struct probe_answer a;

    (void)state;
    probe_parse_answer(ssh, sizeof(ssh) - 1, &a);
    assert_false(a.ok || a.has_date);
    probe_parse_answer(web, sizeof(web) - 1, &a);
    assert_false(a.ok || a.has_date);
    probe_parse_answer(bad, sizeof(bad) - 1, &a);
    assert_true(a.ok);
    assert_false(a.has_date);
    probe_parse_answer("", 0, &a);
    assert_false(a.ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_route_with_the_lowest_metric_is_found),
        cmocka_unit_test(no_default_route_is_told),
        cmocka_unit_test(ipv6_default_route_is_found),
        cmocka_unit_test(name_servers_are_read),
        cmocka_unit_test(ifupdown_tells_dhcp_from_fixed),
        cmocka_unit_test(dhclient_lease_counts_while_it_lasts),
        cmocka_unit_test(networkd_file_tells_dhcp_from_fixed),
        cmocka_unit_test(proxy_is_shown_without_its_password),
        cmocka_unit_test(proxy_is_found_in_windows_list),
        cmocka_unit_test(files_below_a_root_decide),
        cmocka_unit_test(gateway_answer_gives_ok_and_time),
        cmocka_unit_test(other_answers_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
