/* enroll_dialog.h. The passphrase lives in the toolkit's field and, for a moment, in what the program is given. */
#include "client/tray/enroll_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli_show.h"
#include "client/enroll_code.h"
#include "client/problem.h"
#include "client/tray/ask.h"
#include "client/tray/run.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/crypto.h"
#include "common/utf8.h"

/* Outlives the dialog if that is closed meanwhile. */
struct enroll_job {
    struct enroll_dialog *dialog; /* NULL once it is closed, or what came of it was said */
    struct run *run;
};

/* One line of the program on its way to the loop. */
struct step {
    struct enroll_job *job;
    char *line;
};

static struct enroll_dialog *current; /* one at a time; NULL = not open */

static void set_phase(struct enroll_dialog *d, enum enroll_phase phase, const char *words)
{
    d->phase = phase;
    enroll_ui_phase(d->ui, words);
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

/* --- what the program says ----------------------------------------------------------------------- */

static void host_key_accepted(struct tray_app *app, const char *fingerprint)
{
    (void)app;
    if (current == NULL || current->phase != ENROLL_INPUT)
        return;
    snprintf(current->accept, sizeof(current->accept), "%s", fingerprint);
    enroll_begin(current);
}

static void show_error(struct enroll_dialog *d, const json_t *error)
{
    struct msg_args args;
    enum msg_id id = problem_read(error, &args);
    const char *seen = attempt_host_key(error);
    struct words_trouble t;

    set_phase(d, ENROLL_INPUT, "");
    d->accept[0] = '\0'; /* good for one attempt only */
    if (seen != NULL) {
        ask_about_host_key(d->app, seen, host_key_accepted);
    } else if (id != MSG_NONE) {
        words_trouble(id, &args, &t);
        enroll_ui_trouble(d->ui, t.title, t.text.cause, t.text.remedy);
    } else {
        enroll_ui_trouble(d->ui, attempt_reason(error), "", "");
    }
}

static void show_waiting(struct enroll_dialog *d, const json_t *step)
{
    struct enroll_waits w;

    utf8_copy(w.user, sizeof(w.user), member(step, "user"));
    utf8_copy(w.fingerprint, sizeof(w.fingerprint), member(step, "fingerprint"));
    show_local_time(member(step, "expires"), w.expires, sizeof(w.expires));
    utf8_mend(w.expires);
    set_phase(d, ENROLL_WAITING, TXT_ENROLL_WAITING);
    enroll_ui_waits(d->ui, &w);
}

static void connect_now(void *data)
{
    connect_dialog_open(data);
}

static void approved(struct enroll_dialog *d, const char *user)
{
    struct tray_app *app = d->app;
    bool other = strcmp(user, app->key.user) != 0;
    char text[MSG_TEXT_MAX];

    snprintf(text, sizeof(text), other ? TXT_ENROLL_OTHER_USER : TXT_ENROLL_APPROVED_WHY, user);
    enroll_ui_close(d->ui);
    app_note(app, "key registered with a code");
    if (app->view.can_connect)
        ask(app, &(struct ask_question){.title = TXT_ENROLL_APPROVED,
                                        .text = text,
                                        .action = TXT_B_CONNECT,
                                        .yes = connect_now,
                                        .data = app});
    else
        ask_message(app, ASK_INFO, TXT_ENROLL_APPROVED, text);
}

static void show_step(struct enroll_dialog *d, const json_t *step)
{
    const char *state = member(step, "state");
    char words[WORDS_MAX];

    if (strcmp(state, "connecting") == 0) {
        if (d->phase != ENROLL_WAITING)
            set_phase(d, ENROLL_BUSY, TXT_CONNECTING);
        return;
    }
    if (strcmp(state, "waiting") == 0) {
        show_waiting(d, step);
        return;
    }
    if (strcmp(state, "lost") == 0) {
        snprintf(words, sizeof(words), TXT_ENROLL_LOST,
                 (int)json_integer_value(json_object_get(step, "retry_in")));
        enroll_ui_phase(d->ui, words);
        return;
    }
    d->job->dialog = NULL; /* what it was to say is said */
    d->job = NULL;
    if (strcmp(state, "approved") == 0) {
        approved(d, member(step, "user"));
    } else if (strcmp(state, "replaced") == 0) {
        set_phase(d, ENROLL_INPUT, "");
        enroll_ui_trouble(d->ui, TXT_ENROLL_REPLACED, "", "");
    } else {
        show_error(d, json_object_get(step, "error"));
    }
}

static void take_step(void *arg)
{
    struct step *s = arg;
    struct enroll_dialog *d = s->job->dialog;
    json_t *step = d != NULL ? json_loads(s->line, 0, NULL) : NULL;

    if (step != NULL)
        show_step(d, step);
    json_decref(step);
    free(s->line);
    free(s);
}

/* --- the program, read by a thread --------------------------------------------------------------- */

static void read_all(void *arg)
{
    struct enroll_job *j = arg;
    char *line;

    while ((line = run_line(j->run)) != NULL) {
        struct step *s = work_alloc(sizeof(*s));

        *s = (struct step){.job = j, .line = line};
        loop_post(take_step, s);
    }
}

static void ended(void *arg)
{
    struct enroll_job *j = arg;
    struct enroll_dialog *d = j->dialog;

    if (d != NULL) {
        d->job = NULL;
        set_phase(d, ENROLL_INPUT, "");
        enroll_ui_trouble(d->ui, TXT_ENROLL_STOPPED, "", "");
    }
    run_free(j->run);
    free(j);
}

static struct run *start(const struct enroll_dialog *d, const struct enroll_typed *t)
{
    const char *args[] = {"enroll", "--json", "--code", "-", "--passphrase-file",
                          "-",      NULL,     NULL,     NULL};
    char input[sizeof(*t) + 2];
    struct run *run;

    if (d->accept[0] != '\0') {
        args[6] = "--accept";
        args[7] = d->accept;
    }
    snprintf(input, sizeof(input), "%s\n%s\n", t->code, t->passphrase);
    run = run_start(d->app->paths.agent_program, args, input);
    crypto_wipe(input, sizeof(input));
    return run;
}

bool enroll_can_begin(const struct enroll_dialog *d, bool code_filled, bool passphrase_filled)
{
    return d->phase == ENROLL_INPUT && d->job == NULL && code_filled && passphrase_filled;
}

void enroll_begin(struct enroll_dialog *d)
{
    struct enroll_typed t;
    struct run *run;

    enroll_ui_read(d->ui, &t);
    if (!enroll_can_begin(d, t.code[0] != '\0', t.passphrase[0] != '\0'))
        goto out;
    if (!enroll_code_ok(t.code)) {
        enroll_ui_trouble(d->ui, TXT_ENROLL_BAD_CODE, TXT_ENROLL_BAD_CODE_WHY, "");
        goto out;
    }
    run = start(d, &t);
    if (run == NULL) {
        enroll_ui_trouble(d->ui, TXT_ENROLL_STOPPED, "", "");
        goto out;
    }
    enroll_ui_trouble(d->ui, "", "", "");
    d->job = work_alloc(sizeof(*d->job));
    *d->job = (struct enroll_job){.dialog = d, .run = run};
    set_phase(d, ENROLL_BUSY, TXT_OPENING_KEY);
    work_start(read_all, ended, d->job);
out:
    crypto_wipe(&t, sizeof(t));
}

/* --- opening and closing ------------------------------------------------------------------------- */

void enroll_dialog_open(struct tray_app *app)
{
    if (current != NULL) {
        enroll_ui_front(current->ui);
        return;
    }
    if (!app->facts.has_server || !app->facts.has_key)
        return;
    current = work_alloc(sizeof(*current));
    current->app = app;
    current->ui = enroll_ui_new(current);
}

void enroll_gone(struct enroll_dialog *d)
{
    if (d->job != NULL) {
        d->job->dialog = NULL;
        run_stop(d->job->run);
    }
    current = NULL;
    free(d);
}
