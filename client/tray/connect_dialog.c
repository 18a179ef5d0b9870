/* connect_dialog.h. The passphrase lives in the toolkit's field and in the job's copy; both are wiped. */
#include "client/tray/connect_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/kdf_progress.h"
#include "client/problem.h"
#include "client/tray/ask.h"
#include "client/tray/link.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct connect_dialog *dialog;
    unsigned number;
    uint64_t forecast;
    struct attempt attempt;
};

static struct job *new_job(struct connect_dialog *d)
{
    struct job *j = work_alloc(sizeof(*j));

    j->app = d->app;
    j->dialog = d;
    j->number = d->attempt;
    return j;
}

static void set_phase(struct connect_dialog *d, enum connect_phase phase)
{
    d->phase = phase;
    connect_ui_phase(d->ui, phase == CONNECT_KEY ? TXT_OPENING_KEY : TXT_CONNECTING);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static void host_key_accepted(struct tray_app *app, const char *fingerprint)
{
    struct connect_dialog *d = app->connect;

    if (d == NULL || d->phase != CONNECT_INPUT)
        return;
    snprintf(d->accept, sizeof(d->accept), "%s", fingerprint);
    connect_begin(d);
}

static void show_message(struct connect_dialog *d, enum msg_id id, const struct msg_args *args)
{
    struct words_trouble t;

    words_trouble(id, args, &t);
    connect_ui_trouble(d->ui, t.title, t.text.cause, t.text.remedy);
}

static void show_error(struct connect_dialog *d, const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);
    const char *seen = attempt_host_key(error);

    d->accept[0] = '\0'; /* good for one attempt only */
    if (seen != NULL) {
        ask_about_host_key(d->app, seen, host_key_accepted);
        return;
    }
    if (id != MSG_NONE)
        show_message(d, id, &args);
    else
        connect_ui_trouble(d->ui, attempt_reason(error), "", "");
    connect_ui_again(d->ui);
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
    if (d == j->dialog && d != NULL && d->attempt == j->number && d->phase == CONNECT_KEY) {
        if (a->rc != 0) {
            set_phase(d, CONNECT_INPUT);
            show_message(d, MSG_AGENT, &(struct msg_args){.detail = detail});
        } else if (!json_is_true(json_object_get(a->reply, "ok"))) {
            set_phase(d, CONNECT_INPUT);
            show_error(d, json_object_get(a->reply, "error"));
        } else {
            set_phase(d, CONNECT_ON_THE_WAY);
            connect_dialog_update(d);
        }
    }
    json_decref(a->reply);
    free(j);
}

bool connect_can_begin(const struct connect_dialog *d, bool user_filled, bool passphrase_filled)
{
    return d->phase == CONNECT_INPUT && user_filled && passphrase_filled;
}

void connect_begin(struct connect_dialog *d)
{
    static unsigned begun; /* by all dialogs: the next one may stand at the same place in memory */
    struct job *j;

    if (d->phase != CONNECT_INPUT)
        return;
    d->attempt = ++begun;
    j = new_job(d);
    connect_ui_read(d->ui, &j->attempt);
    if (j->attempt.user[0] == '\0' || j->attempt.passphrase[0] == '\0') {
        free(j);
        return;
    }
    connect_ui_trouble(d->ui, "", "", "");
    d->heard = false;
    d->started = os_monotonic_ms();
    memcpy(j->attempt.accept, d->accept, sizeof(j->attempt.accept));
    set_phase(d, CONNECT_KEY);
    work_start(run, done, j);
}

double connect_part(const struct connect_dialog *d)
{
    double part;

    if (d->phase != CONNECT_KEY || d->forecast == 0)
        return -1;
    part = (double)(os_monotonic_ms() - d->started) / (double)d->forecast;
    return part < 0.99 ? part : 0.99;
}

/* --- what the agent says meanwhile ------------------------------------------------------------ */

/* Only link.c's line brings states, in the agent's order. */
void connect_dialog_hear(struct connect_dialog *d, const json_t *status)
{
    if (d->phase != CONNECT_INPUT && attempt_hears(status))
        d->heard = true;
}

void connect_dialog_update(struct connect_dialog *d)
{
    struct tray_app *app = d->app;
    const struct tray_view *view = &app->view;
    char title[WORDS_TITLE_MAX];

    if (d->phase != CONNECT_ON_THE_WAY || !d->heard)
        return;
    switch (attempt_judge(view)) {
    case ATTEMPT_UP:
        connect_ui_close(d->ui);
        ask_message(app, view->shape == TRAY_ON ? ASK_INFO : ASK_WARNING, TXT_CONNECTED,
                    view->headline);
        break;
    case ATTEMPT_CODE: /* the passphrase has done its part */
        connect_ui_close(d->ui);
        code_dialog_open(app);
        break;
    case ATTEMPT_WAITING:
        words_title(&view->trouble, title);
        connect_ui_phase(d->ui, view->headline);
        connect_ui_trouble(d->ui, title, view->trouble.cause, view->trouble.remedy);
        break;
    case ATTEMPT_ON_THE_WAY:
        connect_ui_phase(d->ui, TXT_CONNECTING);
        break;
    default:
        set_phase(d, CONNECT_INPUT);
        if (view->has_trouble)
            show_error(d, json_object_get(app->status, "error"));
        break;
    }
}

/* --- opening and closing ---------------------------------------------------------------------- */

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

void connect_dialog_open(struct tray_app *app)
{
    struct connect_dialog *d = app->connect;

    if (d != NULL) {
        connect_ui_front(d->ui);
        return;
    }
    d = work_alloc(sizeof(*d));
    d->app = app;
    app->connect = d;
    d->ui = connect_ui_new(d, app->config.user[0] != '\0' ? app->config.user : app->key.user);
    work_start(run_forecast, forecast_done, new_job(d));
}

void connect_cancel(const struct connect_dialog *d)
{
    if (d->phase != CONNECT_INPUT)
        link_send(&d->app->paths, json_pack("{s:s}", "op", "disconnect"));
}

void connect_gone(struct connect_dialog *d)
{
    d->app->connect = NULL;
    free(d);
}
