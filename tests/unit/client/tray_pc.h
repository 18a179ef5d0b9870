/*
 * A PC whose tray is tested: a home without an agent, what it is set to, what its agent seems to say.
 * A part of test_tray_dialogs.c.
 */
#ifndef TESTS_UNIT_CLIENT_TRAY_PC_H
#define TESTS_UNIT_CLIENT_TRAY_PC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/i18n.h"
#include "tests/unit/client/tray_toolkit.h"

#define FINGERPRINT "SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"
#define OTHER       "SHA256:QPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba"
#define PASSPHRASE  "correct horse battery staple"

static struct tray_app app;
static char home[32];

static int setup(void **state)
{
    (void)state;
    memset(&app, 0, sizeof(app));
    memset(&seen, 0, sizeof(seen));
    memcpy(home, "/tmp/pra-dialog-XXXXXX", 23);
    if (mkdtemp(home) == NULL || setenv("PRA_HOME", home, 1) != 0 ||
        paths_init(&app.paths, NULL) != 0)
        return -1;
    snprintf(app.paths.agent_program, sizeof(app.paths.agent_program), "%s/no-such-program", home);
    i18n_set(LANG_EN);
    app_reload(&app);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (is_open("connect"))
        connect_ui_close(NULL);
    else if (is_open("code"))
        code_ui_close(NULL);
    else if (is_open("keygen"))
        keygen_ui_close(NULL);
    else if (is_open("profile"))
        profile_ui_close(NULL);
    else if (is_open("enroll"))
        enroll_ui_close(NULL);
    app_free(&app);
    return 0;
}

static void set_server(void)
{
    struct words_refusal no;

    assert_true(words_server_save(&app.paths, "gw.example.com", FINGERPRINT, &no));
    app_reload(&app);
}

static json_t *status_of(const char *state, const char *error, const char *detail)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:n, s:[{s:s, s:s, s:s, s:s, s:n, s:n, s:i, s:i, s:i}]}",
                     "state", state, "server", "gw.example.com:10022", "user", "suzuki", "error",
                     error != NULL ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}}", "code",
                                               "ERR(1)", "message", "m", "cause", "c", "remedy",
                                               "r", "id", error, "args", "detail", detail)
                                   : json_null(),
                     "retry_in", "forwards", "name", "POP", "local", "127.0.0.1:110", "target",
                     "mail:110", "state", "listening", "error", "holder", "connections", 0,
                     "bytes_in", 0, "bytes_out", 0);
}

static void hear(json_t *status)
{
    app_take_status(&app, status);
    json_decref(status);
}

#endif
