/*
 * 接続 (A8) on Windows: user name and passphrase, the time the key needs, then the connection, and what
 * goes wrong on the way, in the dialog itself so that the next try is one key away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <commctrl.h>

#include "client/kdf_progress.h"
#include "client/problem.h"
#include "client/tray/app_win.h"
#include "client/tray/attempt.h"
#include "client/tray/link.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "client/tray/work.h"
#include "common/crypto.h"

#define DIALOG_WIDTH 440
#define DRAW_ID      1
#define DRAW_MS      100
#define BAR_FULL     1000

enum { ID_USER = 100, ID_PASSPHRASE, ID_WORDS, ID_PROGRESS, ID_TROUBLE, ID_TROUBLE_TEXT };

enum phase { PHASE_INPUT, PHASE_KEY, PHASE_ON_THE_WAY };

struct connect_dialog {
    struct tray_app *app;
    struct ui *ui;
    enum phase phase;
    bool heard; /* the agent has said something since the attempt began: its status is about it */
    ULONGLONG started;
    uint64_t forecast;                   /* milliseconds, 0 = not known */
    char accept[SSHKEY_FINGERPRINT_MAX]; /* confirmed by the person, or "" */
    unsigned attempt;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct connect_dialog *dialog;
    unsigned number;
    uint64_t forecast;
    struct attempt attempt;
};

static void set_phase(struct connect_dialog *d, enum phase phase);
static void show_error(struct connect_dialog *d, const json_t *error);

static struct job *new_job(struct connect_dialog *d)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL)
        abort();
    j->app = d->app;
    j->dialog = d;
    j->number = d->attempt;
    return j;
}

/* --- the attempt, on a thread ----------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;

    attempt_run(&j->app->paths, &j->attempt);
}

static void done(void *arg)
{
    struct job *j = arg;
    struct connect_dialog *d = j->app->connect;
    const struct attempt *a = &j->attempt;
    const char *detail = a->fault.text[0] != '\0' ? a->fault.text : err_text(a->rc);

    link_poke(j->app->link);
    if (d == j->dialog && d != NULL && d->attempt == j->number && d->phase == PHASE_KEY) {
        if (a->rc != 0) {
            set_phase(d, PHASE_INPUT);
            ui_trouble_msg(d->ui, ID_TROUBLE, MSG_AGENT, &(struct msg_args){.detail = detail});
        } else if (!json_is_true(json_object_get(a->reply, "ok"))) {
            set_phase(d, PHASE_INPUT);
            show_error(d, json_object_get(a->reply, "error"));
        } else {
            set_phase(d, PHASE_ON_THE_WAY);
            connect_dialog_update(d);
        }
    }
    json_decref(a->reply);
    free(j);
}

static void run_forecast(void *arg)
{
    struct job *j = arg;

    j->forecast = kdf_forecast_ms();
}

static void forecast_done(void *arg)
{
    struct job *j = arg;

    if (j->app->connect == j->dialog && j->dialog != NULL)
        j->dialog->forecast = j->forecast;
    free(j);
}

/* --- the dialog ------------------------------------------------------------------------------- */

static bool filled(const struct connect_dialog *d, int id)
{
    return GetWindowTextLengthW(ui_control(d->ui, id)) > 0;
}

static void look_again(struct connect_dialog *d)
{
    ui_enable(d->ui, IDOK,
              d->phase == PHASE_INPUT && filled(d, ID_USER) && filled(d, ID_PASSPHRASE));
}

static void on_timer(struct ui *u)
{
    const struct connect_dialog *d = u->data;
    ULONGLONG passed = GetTickCount64() - d->started;
    ULONGLONG part = d->forecast > 0 ? passed * BAR_FULL / d->forecast : 0;

    /* The key's time is known; what comes then is not, and the bar says so by standing near its end. */
    if (d->phase == PHASE_ON_THE_WAY || part > BAR_FULL * 99 / 100)
        part = BAR_FULL * 99 / 100;
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS, (WPARAM)part, 0);
}

static void set_phase(struct connect_dialog *d, enum phase phase)
{
    bool busy = phase != PHASE_INPUT;

    d->phase = phase;
    if (busy && GetFocus() != GetDlgItem(d->ui->window, IDCANCEL))
        (void)SendMessageW(d->ui->window, WM_NEXTDLGCTL,
                           (WPARAM)GetDlgItem(d->ui->window, IDCANCEL), TRUE);
    ui_enable(d->ui, ID_USER, !busy);
    ui_enable(d->ui, ID_PASSPHRASE, !busy);
    look_again(d);
    ui_text(d->ui, ID_WORDS, phase == PHASE_KEY ? TXT_OPENING_KEY : TXT_CONNECTING);
    ui_hide(d->ui, ID_WORDS, !busy);
    ui_hide(d->ui, ID_PROGRESS, !busy);
    if (busy)
        (void)SetTimer(d->ui->window, DRAW_ID, DRAW_MS, NULL);
    else
        (void)KillTimer(d->ui->window, DRAW_ID);
}

static void begin(struct connect_dialog *d)
{
    struct job *j;

    d->attempt++;
    j = new_job(d);
    ui_trouble_hide(d->ui, ID_TROUBLE);
    d->heard = false;
    d->started = GetTickCount64();
    (void)text_get(ui_control(d->ui, ID_USER), j->attempt.user, sizeof(j->attempt.user));
    (void)text_get_secret(ui_control(d->ui, ID_PASSPHRASE), j->attempt.passphrase,
                          sizeof(j->attempt.passphrase));
    snprintf(j->attempt.accept, sizeof(j->attempt.accept), "%s", d->accept);
    set_phase(d, PHASE_KEY);
    work_start(run, done, j);
}

/* Each question is about the key that it shows: an older one may still be open. */
struct shown {
    struct tray_app *app;
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
};

static void host_key_accepted(void *data)
{
    const struct shown *shown = data;
    struct connect_dialog *d = shown->app->connect;

    if (d == NULL || d->phase != PHASE_INPUT)
        return;
    memcpy(d->accept, shown->fingerprint, sizeof(d->accept));
    begin(d);
}

/* What the gateway showed has to be compared by the person; nothing is trusted before. */
static void ask_host_key(struct connect_dialog *d, const char *seen)
{
    char text[MSG_TEXT_MAX];
    struct shown *shown = work_alloc(sizeof(*shown));

    shown->app = d->app;
    snprintf(shown->fingerprint, sizeof(shown->fingerprint), "%s", seen);
    snprintf(text, sizeof(text), TXT_HOST_KEY_WHY, d->app->view.detail, seen);
    ask(d->app, &(struct ask_question){.title = TXT_ASK_HOST_KEY,
                                       .text = text,
                                       .action = TXT_B_SAME,
                                       .careful = true,
                                       .yes = host_key_accepted,
                                       .data = shown,
                                       .owned = true});
}

static void show_error(struct connect_dialog *d, const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);
    const char *seen = attempt_host_key(error);

    d->accept[0] = '\0'; /* good for one attempt only */
    if (seen != NULL) {
        ask_host_key(d, seen);
        return;
    }
    if (id != MSG_NONE)
        ui_trouble_msg(d->ui, ID_TROUBLE, id, &args);
    else
        ui_trouble_show(d->ui, ID_TROUBLE, attempt_reason(error), "", "");
    (void)SendMessageW(d->ui->window, WM_NEXTDLGCTL, (WPARAM)ui_control(d->ui, ID_PASSPHRASE),
                       TRUE);
}

void connect_dialog_hear(struct connect_dialog *d, const json_t *status)
{
    if (d->phase != PHASE_INPUT && attempt_hears(status))
        d->heard = true;
}

void connect_dialog_update(struct connect_dialog *d)
{
    struct tray_app *app = d->app;
    const struct tray_view *view = &app->view;
    char title[2 * TRAY_TEXT_MAX];

    if (d->phase != PHASE_ON_THE_WAY || !d->heard)
        return;
    switch (attempt_judge(view)) {
    case ATTEMPT_UP:
        ui_close(d->ui);
        ask_message(app, view->shape == TRAY_ON ? ASK_INFO : ASK_WARNING, TXT_CONNECTED,
                    view->headline);
        break;
    case ATTEMPT_WAITING:
        snprintf(title, sizeof(title), "%s %s", view->trouble.code, view->trouble.title);
        ui_text(d->ui, ID_WORDS, view->headline);
        ui_trouble_show(d->ui, ID_TROUBLE, title, view->trouble.cause, view->trouble.remedy);
        break;
    case ATTEMPT_ON_THE_WAY:
        ui_text(d->ui, ID_WORDS, TXT_CONNECTING);
        break;
    default:
        set_phase(d, PHASE_INPUT);
        if (view->has_trouble)
            show_error(d, json_object_get(app->status, "error"));
        break;
    }
}

/* "Cancel" means the attempt, not only its window. */
static bool on_close(struct ui *u)
{
    const struct connect_dialog *d = u->data;

    if (d->phase != PHASE_INPUT)
        link_send(&d->app->paths, json_pack("{s:s}", "op", "disconnect"));
    return true;
}

static void on_command(struct ui *u, int id, int code)
{
    struct connect_dialog *d = u->data;

    if ((id == ID_USER || id == ID_PASSPHRASE) && code == EN_CHANGE)
        look_again(d);
    else if (id == IDOK && d->phase == PHASE_INPUT && filled(d, ID_USER) &&
             filled(d, ID_PASSPHRASE))
        begin(d);
    else if (id == IDCANCEL && on_close(u))
        ui_close(u);
}

static void on_freed(struct ui *u)
{
    struct connect_dialog *d = u->data;

    d->app->connect = NULL;
    free(d);
}

/* The field's memory is Windows': written over before it goes. */
static void on_destroy_secret(struct ui *u)
{
    text_forget(ui_control(u, ID_PASSPHRASE));
}

static const struct ui_ops ops = {.command = on_command,
                                  .timer = on_timer,
                                  .close = on_close,
                                  .closing = on_destroy_secret,
                                  .freed = on_freed};

static void build(struct connect_dialog *d)
{
    struct tray_app *app = d->app;
    struct ui *u = ui_new(app_parent(app), NULL, TXT_CONNECT, false, DIALOG_WIDTH, &ops, d);

    d->ui = u;
    (void)ui_add(u, UI_ENTRY, ID_USER, TXT_L_USER,
                 app->config.user[0] != '\0' ? app->config.user : app->key.user, 0);
    (void)ui_add(u, UI_SECRET, ID_PASSPHRASE, TXT_L_PASSPHRASE, "", 0);
    (void)SendMessageW(ui_control(u, ID_PASSPHRASE), EM_SETLIMITTEXT, KEYFILE_PASS_MAX, 0);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_OPENING_KEY, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    ui_hide(u, ID_WORDS, true);
    ui_hide(u, ID_PROGRESS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_CONNECT, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
    look_again(d);
}

void connect_dialog_open(struct tray_app *app)
{
    struct connect_dialog *d = app->connect;

    if (d != NULL) {
        ui_front(d->ui);
        return;
    }
    d = calloc(1, sizeof(*d));
    if (d == NULL)
        abort();
    d->app = app;
    app->connect = d;
    build(d);
    ui_show(d->ui, ui_control(d->ui, filled(d, ID_USER) ? ID_PASSPHRASE : ID_USER));
    work_start(run_forecast, forecast_done, new_job(d));
}
