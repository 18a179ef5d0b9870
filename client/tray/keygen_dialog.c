/* keygen_dialog.h */
#include "client/tray/keygen_dialog.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/kdf_progress.h"
#include "client/keymake.h"
#include "client/tray/ask.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/crypto.h"

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct keygen_dialog *dialog;
    bool force, allow_weak;
    struct keygen_typed typed;
    int rc;
    struct fault fault;
    struct keyfile_info info;
};

static struct keygen_dialog *current; /* one at a time; NULL = not open */

static const char *missing(const struct keygen_dialog *d, const struct keygen_typed *t)
{
    return words_keygen_missing(t->user, t->passphrase, t->again, pool_state_full(&d->pool));
}

void keygen_look(struct keygen_dialog *d)
{
    char strength[WORDS_MAX];
    struct keygen_typed t;
    const char *what;
    double part;
    bool ready;

    keygen_ui_read(d->ui, &t);
    what = missing(d, &t);
    ready = what[0] == '\0' && !d->busy;
    part = words_strength(t.passphrase, strength);
    if (what[0] == '\0' && words_strength_poor(t.passphrase))
        what = keymake_advice();
    crypto_wipe(&t, sizeof(t));
    keygen_ui_show(d->ui, part, strength, what, ready);
}

/* --- the key ---------------------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    struct keyfile_options opt = {.type = CRYPTO_ED25519,
                                  .user = j->typed.user,
                                  .passphrase = j->typed.passphrase,
                                  .allow_weak = j->allow_weak,
                                  .force = j->force};

    j->rc = keyfile_create(j->app->paths.key_file, &opt, &j->info, &j->fault);
    crypto_wipe(&j->typed, sizeof(j->typed));
}

static void set_busy(struct keygen_dialog *d, bool busy)
{
    d->busy = busy;
    d->started = os_monotonic_ms();
    keygen_ui_busy(d->ui);
    keygen_look(d);
}

static void weak_accepted(void *data)
{
    (void)data;
    if (current == NULL)
        return;
    current->allow_weak = true;
    keygen_begin(current);
}

static void ask_weak(struct tray_app *app, const char *detail)
{
    char body[2 * MSG_TEXT_MAX];
    struct words_trouble t;

    words_trouble(MSG_KEYGEN_WEAK, &(struct msg_args){.detail = detail}, &t);
    snprintf(body, sizeof(body), "%s\n\n%s", t.text.cause, keymake_weak_words());
    ask(app, &(struct ask_question){.title = t.title,
                                    .text = body,
                                    .action = TXT_B_WEAK,
                                    .careful = true,
                                    .yes = weak_accepted});
}

static void failed(struct keygen_dialog *d, const struct job *j)
{
    struct msg_args args = {.name = j->app->paths.key_file, .detail = j->fault.text};
    enum msg_id id = keymake_problem(j->rc);
    struct words_trouble t;

    set_busy(d, false);
    if (j->rc == PRA_EWEAK && !j->allow_weak) {
        ask_weak(j->app, j->fault.text);
    } else if (id != MSG_NONE) {
        words_trouble(id, &args, &t);
        keygen_ui_trouble(d->ui, t.title, t.text.cause, t.text.remedy);
    } else {
        keygen_ui_trouble(d->ui, j->fault.text, "", "");
    }
}

static void done(void *arg)
{
    struct job *j = arg;
    struct tray_app *app = j->app;
    bool open = current != NULL && current == j->dialog;

    if (j->rc != 0 && open) {
        failed(current, j);
    } else if (j->rc == 0) {
        if (open)
            keygen_ui_close(current->ui);
        app_reload(app);
        app_note(app, "key made");
        export_dialog_open(app);
    }
    free(j);
}

void keygen_begin(struct keygen_dialog *d)
{
    struct job *j;

    if (d->busy)
        return;
    j = work_alloc(sizeof(*j));
    keygen_ui_read(d->ui, &j->typed);
    if (missing(d, &j->typed)[0] != '\0') {
        crypto_wipe(j, sizeof(*j));
        free(j);
        return;
    }
    keygen_ui_trouble(d->ui, "", "", "");
    j->app = d->app;
    j->dialog = d;
    j->force = d->force;
    j->allow_weak = d->allow_weak;
    set_busy(d, true);
    work_start(run, done, j);
}

double keygen_part(const struct keygen_dialog *d)
{
    double part = 0.5;

    if (d->forecast > 0)
        part = (double)(os_monotonic_ms() - d->started) / (double)d->forecast;
    return part < 0.99 ? part : 0.99;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void open_now(void *data)
{
    struct tray_app *app = data;

    if (current != NULL) {
        keygen_ui_front(current->ui);
        return;
    }
    current = work_alloc(sizeof(*current));
    current->app = app;
    current->force = app->facts.has_key; /* the question was answered */
    current->forecast = kdf_forecast_ms();
    current->ui = keygen_ui_new(current, app->facts.has_key ? app->key.user : app->config.user);
    keygen_look(current);
}

void keygen_dialog_open(struct tray_app *app)
{
    if (current != NULL || !app->facts.has_key)
        open_now(app);
    else
        ask(app, &(struct ask_question){.title = TXT_ASK_REPLACE,
                                        .text = TXT_ASK_REPLACE_WHY,
                                        .action = TXT_B_REPLACE,
                                        .careful = true,
                                        .yes = open_now,
                                        .data = app});
}

void keygen_gone(struct keygen_dialog *d)
{
    current = NULL;
    crypto_wipe(d, sizeof(*d));
    free(d);
}
