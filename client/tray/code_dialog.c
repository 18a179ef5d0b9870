/* code_dialog.h. The code lives in the toolkit's field and in the job's copy; both are emptied. */
#include "client/tray/code_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ipc.h"
#include "client/tray/ask.h"
#include "client/tray/attempt.h"
#include "client/tray/link.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/crypto.h"

#define ANSWER_MS 10000

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct code_dialog *dialog;
    unsigned number;
    char code[CODE_TYPED_MAX];
    int rc;
    struct fault fault;
    json_t *reply;
};

static void set_busy(struct code_dialog *d, bool busy)
{
    d->busy = busy;
    code_ui_busy(d->ui, TXT_CONNECTING);
}

/* What the agent says is wrong; that a code is wanted is no trouble. */
static void show_trouble(struct code_dialog *d)
{
    const struct tray_view *view = &d->app->view;
    char title[WORDS_TITLE_MAX];

    if (!view->has_trouble || view->problem == MSG_CODE_NEEDED)
        return;
    words_title(&view->trouble, title);
    code_ui_trouble(d->ui, title, view->trouble.cause, view->trouble.remedy);
}

/* --- giving it, on a thread -------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    struct ipc *ipc = NULL;

    j->rc = ipc_connect(&j->app->paths, &ipc, &j->fault);
    if (j->rc == 0)
        j->rc = ipc_call_code(ipc, j->code, ANSWER_MS, &j->reply, &j->fault);
    crypto_wipe(j->code, sizeof(j->code));
    ipc_close(ipc);
}

static void done(void *arg)
{
    struct job *j = arg;
    struct code_dialog *d = j->app->code;
    const char *detail = j->fault.text[0] != '\0' ? j->fault.text : err_text(j->rc);

    if (d == j->dialog && d != NULL && d->number == j->number && d->busy) {
        if (j->rc != 0 || !json_is_true(json_object_get(j->reply, "ok"))) {
            set_busy(d, false);
            code_ui_trouble(
                d->ui, j->rc != 0 ? detail : attempt_reason(json_object_get(j->reply, "error")), "",
                "");
        } else {
            code_dialog_update(d);
        }
    }
    json_decref(j->reply);
    free(j);
}

bool code_can_give(const struct code_dialog *d, bool filled)
{
    return !d->busy && filled;
}

void code_give(struct code_dialog *d)
{
    static unsigned given; /* of all dialogs: the next one may stand at the same place in memory */
    struct job *j;

    if (d->busy)
        return;
    j = work_alloc(sizeof(*j));
    j->app = d->app;
    j->dialog = d;
    j->number = d->number = ++given;
    code_ui_take(d->ui, j->code);
    if (j->code[0] == '\0') {
        free(j);
        return;
    }
    code_ui_trouble(d->ui, "", "", "");
    d->heard = false;
    set_busy(d, true);
    work_start(run, done, j);
}

/* --- what the agent says meanwhile -------------------------------------------------------------- */

void code_dialog_hear(struct code_dialog *d, const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));

    /* The first state after the code is that it connects with it. */
    if (d->busy && state != NULL && strcmp(state, "code") != 0)
        d->heard = true;
}

void code_dialog_update(struct code_dialog *d)
{
    struct tray_app *app = d->app;
    const struct tray_view *view = &app->view;

    if (view->can_code) {
        if (d->busy && d->heard) {
            set_busy(d, false);
            show_trouble(d);
        }
        return;
    }
    if (view->shape == TRAY_CONNECTING)
        return; /* on the way, or it waits for the network */
    code_ui_close(d->ui);
    if (attempt_judge(view) == ATTEMPT_UP)
        ask_message(app, view->shape == TRAY_ON ? ASK_INFO : ASK_WARNING, TXT_CONNECTED,
                    view->headline);
}

/* --- opening and closing ------------------------------------------------------------------------- */

void code_dialog_open(struct tray_app *app)
{
    struct code_dialog *d = app->code;

    if (d != NULL) {
        code_ui_front(d->ui);
        return;
    }
    if (!app->view.can_code)
        return;
    d = work_alloc(sizeof(*d));
    d->app = app;
    app->code = d;
    d->ui = code_ui_new(d);
    show_trouble(d);
}

void code_gone(struct code_dialog *d)
{
    d->app->code = NULL;
    free(d);
}
