/*
 * A connection profile (`*.pra`) that was opened on Windows: shown, taken after a yes, and then the next
 * step by itself; see profile_dialog.c, which is GTK's. A profile may come from anybody, so it is always
 * shown before it changes anything, and beside it what was trusted until now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "client/server_change.h"
#include "client/tray/app_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 560

enum { ID_ASK = 100, ID_EFFECT, ID_CAREFUL, ID_TROUBLE, ID_TROUBLE_TEXT, ID_ROWS };

struct profile_dialog {
    struct tray_app *app;
    struct profile profile;
    char folder[OS_PATH_MAX]; /* where the profile is */
    int rows;
};

static struct ui *current; /* one at a time; a newer profile takes its place */

/* What is left to do with these settings: the key, else the connection. */
static void go_on(struct tray_app *app)
{
    if (!app->facts.has_key)
        keygen_dialog_open(app);
    else if (app->view.can_disconnect && !app->view.can_connect)
        ask_message(app, ASK_INFO, TXT_SERVER_SAVED, TXT_PROFILE_STANDS);
    else
        connect_dialog_open(app);
}

/* Takes the profile; false and a sentence in `f` if that fails. */
static bool take(const struct profile_dialog *d, struct fault *f)
{
    struct tray_app *app = d->app;
    struct config now;
    bool moved = false;

    if (config_load(app->paths.config_file, &now, f) != 0 ||
        profile_apply(&app->paths, &now, &d->profile, &moved, f) != 0)
        return false;
    snprintf(app->profile_folder, sizeof(app->profile_folder), "%s", d->folder);
    app_note(app, "profile taken");
    app_reload(app);
    return true;
}

static void on_command(struct ui *u, int id, int code)
{
    const struct profile_dialog *d = u->data;
    struct tray_app *app = d->app;
    struct fault f = {0};

    (void)code;
    if (id != IDOK && id != IDCANCEL)
        return;
    if (id == IDOK && !take(d, &f)) {
        ui_trouble_show(u, ID_TROUBLE, TXT_SETTINGS_FAILED, f.text, "");
        return;
    }
    ui_close(u);
    if (id == IDOK)
        go_on(app);
}

static void on_freed(struct ui *u)
{
    if (current == u)
        current = NULL;
    free(u->data);
}

static const struct ui_ops ops = {.command = on_command, .freed = on_freed};

/* A row with the profile's word and, below it where that differs, the one that is set now. */
static void add_row(struct ui *u, const char *label, const char *now, const char *word)
{
    struct profile_dialog *d = u->data;
    char text[ADDR_TEXT_MAX + 128];

    (void)ui_add(u, UI_READ, ID_ROWS + d->rows++, label, word, 0);
    if (now[0] == '\0' || strcmp(now, word) == 0)
        return;
    snprintf(text, sizeof(text), TXT_PROFILE_NOW, now);
    (void)ui_add(u, UI_BAD, ID_ROWS + d->rows++, NULL, text, UI_FIELD);
}

static void build(struct ui *u, enum profile_effect effect)
{
    const struct profile_dialog *d = u->data;
    const struct profile *p = &d->profile;
    const struct config *c = &d->app->config;
    char server[ADDR_TEXT_MAX], now[ADDR_TEXT_MAX] = "";

    config_format_address(&p->server, p->port, server);
    if (c->has_server)
        config_format_address(&c->server, c->server_port, now);
    (void)ui_add(u, UI_HEADING, ID_ASK, NULL, TXT_PROFILE_ASK, 0);
    (void)ui_add(u, effect >= PROFILE_OTHER_KEY ? UI_BAD : UI_TEXT, ID_EFFECT, NULL,
                 profile_effect_words(effect), 0);
    if (p->name[0] != '\0')
        add_row(u, TXT_L_NAME, "", p->name);
    add_row(u, TXT_L_ITS_ADDRESS, now, server);
    add_row(u, TXT_L_KEY_FINGERPRINT, c->fingerprint, p->fingerprint);
    add_row(u, TXT_L_ITS_USER, c->user, p->user);
    (void)ui_add(u, UI_TEXT, ID_CAREFUL, NULL, TXT_PROFILE_CAREFUL, 0);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_USE, false);
    /* It may come from anybody: a yes has to be meant. */
    ui_show(u, ui_button(u, IDCANCEL, TXT_B_CANCEL, true));
}

/* Everything before the name, of a path with either separator. */
static void folder_of(const char *path, char dst[OS_PATH_MAX])
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] != '\\' && path[len - 1] != '/')
        len--;
    snprintf(dst, OS_PATH_MAX, "%.*s", (int)(len > 1 ? len - 1 : len), path);
}

void profile_dialog_open(struct tray_app *app, const char *path)
{
    struct profile_dialog *d = calloc(1, sizeof(*d));
    enum profile_effect effect;
    struct fault f = {0};

    if (d == NULL)
        abort();
    app_command(app, TRAY_CMD_OPEN, 0);
    d->app = app;
    if (profile_load(path, &d->profile, &f) != 0) {
        ask_message(app, ASK_ERROR, TXT_PROFILE_BAD, f.text);
        free(d);
        return;
    }
    folder_of(path, d->folder);
    effect = profile_compare(&app->paths, &app->config, &d->profile);
    if (current != NULL)
        ui_close(current);
    if (effect == PROFILE_SAME && take(d, &f)) { /* it changes nothing */
        free(d);
        go_on(app);
        return;
    }
    current = ui_new(app_parent(app), NULL, TXT_PROFILE, false, DIALOG_WIDTH, &ops, d);
    build(current, effect);
}

void profile_dialog_choose(struct tray_app *app)
{
    char path[OS_PATH_MAX];

    if (ask_open(app_parent(app), TXT_PROFILE_OPEN, L"*.pra", path))
        profile_dialog_open(app, path);
}
