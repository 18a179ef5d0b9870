/* A connection profile that was opened (profile_dialog.h), on Windows. */
#include "client/tray/app_win.h"
#include "client/tray/profile_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define DIALOG_WIDTH 560

enum { ID_ASK = 100, ID_EFFECT, ID_CAREFUL, ID_TROUBLE, ID_TROUBLE_TEXT, ID_ROWS };

void profile_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u, ID_TROUBLE, title, cause, remedy);
}

void profile_ui_close(struct ui *u)
{
    ui_close(u);
}

static void on_command(struct ui *u, int id, int code)
{
    (void)code;
    if (id == IDOK)
        profile_use(u->data);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    profile_gone(u->data);
}

static const struct ui_ops ops = {.command = on_command, .freed = on_freed};

/* Rows with the profile's word and, below it where that differs, the one that is set now. */
static void add_rows(struct ui *u)
{
    struct profile_row rows[PROFILE_ROWS];
    size_t count = profile_rows(u->data, rows);
    int id = ID_ROWS;

    for (size_t i = 0; i < count; i++) {
        (void)ui_add(u, UI_READ, id++, rows[i].label, rows[i].word, 0);
        if (rows[i].was[0] != '\0')
            (void)ui_add(u, UI_BAD, id++, NULL, rows[i].was, UI_FIELD);
    }
}

struct ui *profile_ui_new(struct profile_dialog *d)
{
    struct ui *u = ui_new(app_parent(d->app), NULL, TXT_PROFILE, false, DIALOG_WIDTH, &ops, d);

    (void)ui_add(u, UI_HEADING, ID_ASK, NULL, TXT_PROFILE_ASK, 0);
    (void)ui_add(u, profile_alarms(d) ? UI_BAD : UI_TEXT, ID_EFFECT, NULL,
                 profile_effect_words(d->effect), 0);
    add_rows(u);
    (void)ui_add(u, UI_TEXT, ID_CAREFUL, NULL, TXT_PROFILE_CAREFUL, 0);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_USE, false);
    ui_show(u, ui_button(u, IDCANCEL, TXT_B_CANCEL, true));
    return u;
}

void profile_dialog_choose(struct tray_app *app)
{
    char path[OS_PATH_MAX];

    if (ask_open(app_parent(app), TXT_PROFILE_OPEN, L"*.pra", path))
        profile_dialog_open(app, path);
}
