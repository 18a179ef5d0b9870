/* config.ini of the client: what is read, what is refused with its place, what is written back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/config.h"
#include "common/os.h"
#include "tests/unit/private.h"

#define FINGERPRINT "SHA256:0123456789abcdefghijABCDEFGHIJ+/01234567890"

static char folder[] = "/tmp/pra-config-XXXXXX";
static char path[sizeof(folder) + 16];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/config.ini", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int load(const char *text, struct config *c, struct fault *f)
{
    memset(f, 0, sizeof(*f));
    assert_int_equal(os_file_replace(path, text, strlen(text), 0600, f), 0);
    return config_load(path, c, f);
}

static void missing_file_gives_the_defaults(void **state)
{
    struct config c;
    struct fault f = {0};

    (void)state;
    unlink(path);
    assert_int_equal(config_load(path, &c, &f), 0);
    assert_false(c.has_server);
    assert_false(c.has_proxy);
    assert_int_equal(c.server_port, 10022);
    assert_int_equal(c.dead_delay, 30);
    assert_int_equal(c.dead_timeout, 120);
    assert_int_equal(c.lookup_interval, 60);
    assert_int_equal(c.dead_action, CONFIG_DEAD_HOLD);
}

static void every_key_is_read(void **state)
{
    struct config c;
    struct fault f;

    (void)state;
    assert_int_equal(
        load("[server]\naddress = GW.example.com.:443\nfingerprint = " FINGERPRINT
             "\nuser = Suzuki\nlookup_interval = 5m\n[proxy]\naddress = 192.0.2.8:3128\n"
             "[dead_peer]\ndelay = 10s\ntimeout = 1m\naction = clear\n"
             "[tunnel]\nconnections = 8\nidle = 2m\n"
             "[log]\nlevel = debug\nsize = 1M\nkeep = 3\n",
             &c, &f),
        0);
    assert_true(c.has_server);
    assert_string_equal(c.server.name, "gw.example.com");
    assert_int_equal(c.server_port, 443);
    assert_string_equal(c.fingerprint, FINGERPRINT);
    assert_string_equal(c.user, "Suzuki");
    assert_int_equal(c.lookup_interval, 300);
    assert_true(c.has_proxy);
    assert_int_equal(c.proxy_port, 3128);
    assert_int_equal(c.dead_delay, 10);
    assert_int_equal(c.dead_timeout, 60);
    assert_int_equal(c.dead_action, CONFIG_DEAD_CLEAR);
    assert_int_equal(c.tunnel_connections, 8);
    assert_int_equal(c.tunnel_idle, 120);
    assert_int_equal(c.log_level, LOG_DEBUG);
    assert_int_equal(c.log_size, 1048576);
    assert_int_equal(c.log_keep, 3);
}

static void what_is_saved_loads_again_unchanged(void **state)
{
    static const char *const servers[] = {"gw.example.com", "192.0.2.1:2222",
                                          "[2001:db8::1]:10022"};
    struct config c, again;
    struct fault f;

    (void)state;
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text),
                 "[server]\naddress=%s\nuser=a\nlookup_interval=0\n[proxy]\naddress=proxy.example."
                 "com:8080\n"
                 "[dead_peer]\naction=clear\ntimeout=90\n[tunnel]\nconnections=1\nidle=90\n[log]"
                 "\nlevel=warn\nsize=128K\n",
                 servers[i]);
        assert_int_equal(load(text, &c, &f), 0);
        assert_int_equal(config_save(path, &c, &f), 0);
        assert_int_equal(config_load(path, &again, &f), 0);
        assert_string_equal(again.server.name, c.server.name);
        assert_int_equal(again.server_port, c.server_port);
        assert_string_equal(again.user, "a");
        assert_int_equal(again.lookup_interval, 0);
        assert_string_equal(again.proxy.name, "proxy.example.com");
        assert_int_equal(again.proxy_port, 8080);
        assert_int_equal(again.dead_action, CONFIG_DEAD_CLEAR);
        assert_int_equal(again.dead_timeout, 90);
        assert_int_equal(again.tunnel_connections, 1);
        assert_int_equal(again.tunnel_idle, 90);
        assert_int_equal(again.log_level, LOG_WARN);
        assert_int_equal(again.log_size, 131072);
    }
    assert_private(path);
}

static void mistakes_are_named_with_file_and_line(void **state)
{
    static const struct {
        const char *text, *line, *word;
    } cases[] = {
        {"[server]\nadress = gw\n", ":2", "adress"},
        {"[sever]\naddress = gw\n", ":1", "sever"},
        {"[server]\naddress = gw:99999\n", ":2", "gw:99999"},
        {"[server]\naddress = http://gw/\n", ":2", "http"},
        {"[server]\naddress = gw\naddress = gw2\n", ":3", "address"},
        {"[server]\n\nfingerprint = SHA256:short\n", ":3", "SHA256:short"},
        {"[server]\nuser = a b\n", ":2", "user"},
        {"[proxy]\naddress = proxy\n", ":2", "HOST:PORT"},
        {"[dead_peer]\naction = explode\n", ":2", "explode"},
        {"[dead_peer]\ndelay = 0\n", ":2", "delay"},
        {"[server]\nlookup_interval = often\n", ":2", "lookup_interval"},
        {"[tunnel]\nconnections = 9\n", ":2", "connections"},
        {"[tunnel]\nidle = 0\n", ":2", "idle"},
        {"[log]\nlevel = loud\n", ":2", "loud"},
        {"[log]\nkeep = 100\n", ":2", "keep"},
        {"[log]\nsize = 1\n", ":2", "size"},
    };
    struct config c;
    struct fault f;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(load(cases[i].text, &c, &f), PRA_EINVAL);
        assert_non_null(strstr(f.text, "config.ini"));
        assert_non_null(strstr(f.text, cases[i].line));
        assert_non_null(strstr(f.text, cases[i].word));
    }
}

static void timeout_shorter_than_delay_is_refused(void **state)
{
    struct config c;
    struct fault f;

    (void)state;
    assert_int_equal(load("[dead_peer]\ndelay = 60\ntimeout = 30\n", &c, &f), PRA_EINVAL);
    assert_non_null(strstr(f.text, "timeout"));
}

static void failed_load_leaves_the_output_alone(void **state)
{
    struct config c;
    struct fault f;

    (void)state;
    memset(&c, 0x5a, sizeof(c));
    assert_int_equal(load("[server]\naddress = gw\nx = 1\n", &c, &f), PRA_EINVAL);
    for (size_t i = 0; i < sizeof(c); i++)
        assert_int_equal(((const unsigned char *)&c)[i], 0x5a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_file_gives_the_defaults),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(what_is_saved_loads_again_unchanged),
        cmocka_unit_test(mistakes_are_named_with_file_and_line),
        cmocka_unit_test(timeout_shorter_than_delay_is_refused),
        cmocka_unit_test(failed_load_leaves_the_output_alone),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
