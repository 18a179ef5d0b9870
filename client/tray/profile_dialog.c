/* profile_dialog.h */
#include "client/tray/profile_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tray/ask.h"
#include "client/tray/texts.h"
#include "client/tray/work.h"

static struct profile_dialog *current; /* one at a time; a newer profile takes its place */

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
    memcpy(app->profile_folder, d->folder, sizeof(app->profile_folder));
    app_note(app, "profile taken");
    app_reload(app);
    return true;
}

void profile_use(struct profile_dialog *d)
{
    struct tray_app *app = d->app;
    struct fault f = {0};

    if (!take(d, &f)) {
        profile_ui_trouble(d->ui, TXT_SETTINGS_FAILED, f.text, "");
        return;
    }
    profile_ui_close(d->ui);
    go_on(app);
}

bool profile_alarms(const struct profile_dialog *d)
{
    return d->effect >= PROFILE_OTHER_KEY;
}

static void add_row(struct profile_row *row, const char *label, const char *now, const char *word)
{
    row->label = label;
    row->was[0] = '\0';
    snprintf(row->word, sizeof(row->word), "%s", word);
    if (now[0] != '\0' && strcmp(now, word) != 0)
        snprintf(row->was, sizeof(row->was), TXT_PROFILE_NOW, now);
}

size_t profile_rows(const struct profile_dialog *d, struct profile_row rows[PROFILE_ROWS])
{
    const struct profile *p = &d->profile;
    const struct config *c = &d->app->config;
    char server[ADDR_TEXT_MAX], now[ADDR_TEXT_MAX] = "";
    size_t n = 0;

    config_format_address(&p->server, p->port, server);
    if (c->has_server)
        config_format_address(&c->server, c->server_port, now);
    if (p->name[0] != '\0')
        add_row(&rows[n++], TXT_L_NAME, "", p->name);
    add_row(&rows[n++], TXT_L_ITS_ADDRESS, now, server);
    add_row(&rows[n++], TXT_L_KEY_FINGERPRINT, c->fingerprint, p->fingerprint);
    add_row(&rows[n++], TXT_L_ITS_USER, c->user, p->user);
    return n;
}

/* Everything before the name; "." where there is nothing. */
static void folder_of(const char *path, char dst[OS_PATH_MAX])
{
    const char *last = os_path_separator(path);
    int len = last == NULL ? 0 : last == path ? 1 : (int)(last - path);

    snprintf(dst, OS_PATH_MAX, "%.*s", len > 0 ? len : 1, len > 0 ? path : ".");
}

void profile_dialog_open(struct tray_app *app, const char *path)
{
    struct profile_dialog *d = work_alloc(sizeof(*d));
    struct fault f = {0};
    char why[FAULT_TEXT_MAX + 512];

    app_command(app, TRAY_CMD_OPEN, 0);
    d->app = app;
    if (profile_load(path, &d->profile, &f) != 0) {
        snprintf(why, sizeof(why), TXT_PROFILE_BAD_WHY, f.text);
        ask_message(app, ASK_ERROR, TXT_PROFILE_BAD, why);
        free(d);
        return;
    }
    folder_of(path, d->folder);
    d->effect = profile_compare(&app->paths, &app->config, &d->profile);
    if (current != NULL)
        profile_ui_close(current->ui);
    if (d->effect == PROFILE_SAME && take(d, &f)) { /* it changes nothing */
        free(d);
        go_on(app);
        return;
    }
    current = d;
    d->ui = profile_ui_new(d);
}

void profile_gone(struct profile_dialog *d)
{
    if (current == d)
        current = NULL;
    free(d);
}
