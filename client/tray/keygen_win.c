/*
 * 鍵生成 (A3) on Windows: user name, passphrase with its strength, the random pool, then the key. The
 * result is the dialog of 公開鍵のエクスポート. Making the key is keyfile_create(), as for `pra keygen`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <commctrl.h>

#include "client/kdf_progress.h"
#include "client/keymake.h"
#include "client/tray/app_win.h"
#include "client/tray/attempt.h"
#include "client/tray/pool_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/crypto.h"

#define DIALOG_WIDTH 500
#define DRAW_ID      1
#define DRAW_MS      100
#define BAR_FULL     1000

enum {
    ID_INTRO = 100,
    ID_USER,
    ID_PASSPHRASE,
    ID_AGAIN,
    ID_STRENGTH,
    ID_BITS,
    ID_POOL_WORDS,
    ID_POOL,
    ID_POOL_BAR,
    ID_ADVICE,
    ID_WORDS,
    ID_PROGRESS,
    ID_TROUBLE,
    ID_TROUBLE_TEXT
};

struct keygen_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct pool_state pool;
    bool force, allow_weak, busy;
    ULONGLONG started;
    uint64_t forecast;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct keygen_dialog *dialog;
    bool force, allow_weak;
    char user[KEYFILE_USER_MAX + 1];
    char passphrase[ATTEMPT_PASS_MAX];
    int rc;
    struct fault fault;
    struct keyfile_info info;
};

static struct keygen_dialog *current; /* one at a time; NULL = not open */

/* --- what is typed ---------------------------------------------------------------------------- */

struct typed {
    char user[TEXT_FIELD_MAX], passphrase[ATTEMPT_PASS_MAX], again[ATTEMPT_PASS_MAX];
};

/* Wipe it after use. */
static void read_fields(const struct keygen_dialog *d, struct typed *t)
{
    (void)text_get(ui_control(d->ui, ID_USER), t->user, sizeof(t->user));
    (void)text_get_secret(ui_control(d->ui, ID_PASSPHRASE), t->passphrase, sizeof(t->passphrase));
    (void)text_get_secret(ui_control(d->ui, ID_AGAIN), t->again, sizeof(t->again));
}

static bool complete(const struct keygen_dialog *d)
{
    struct typed t;
    bool ok;

    read_fields(d, &t);
    ok = words_keygen_missing(t.user, t.passphrase, t.again, pool_state_full(&d->pool))[0] == '\0';
    crypto_wipe(&t, sizeof(t));
    return ok;
}

static void look_again(struct keygen_dialog *d)
{
    char strength[WORDS_MAX];
    const char *what;
    struct typed t;
    double part;
    bool ok;

    read_fields(d, &t);
    what = words_keygen_missing(t.user, t.passphrase, t.again, pool_state_full(&d->pool));
    ok = what[0] == '\0';
    part = words_strength(t.passphrase, strength);
    if (ok && words_strength_poor(t.passphrase))
        what = keymake_advice();
    crypto_wipe(&t, sizeof(t));
    (void)SendMessageW(ui_control(d->ui, ID_STRENGTH), PBM_SETPOS, (WPARAM)(part * BAR_FULL), 0);
    (void)text_set(ui_control(d->ui, ID_BITS), strength);
    (void)text_set(ui_control(d->ui, ID_ADVICE), what);
    ui_enable(d->ui, IDOK, ok && !d->busy);
}

/* --- the key ---------------------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    struct keyfile_options opt = {.type = CRYPTO_ED25519,
                                  .user = j->user,
                                  .passphrase = j->passphrase,
                                  .allow_weak = j->allow_weak,
                                  .force = j->force};

    j->rc = keyfile_create(j->app->paths.key_file, &opt, &j->info, &j->fault);
    crypto_wipe(j->passphrase, sizeof(j->passphrase));
}

static void set_busy(struct keygen_dialog *d, bool busy)
{
    static const int inputs[] = {ID_USER, ID_PASSPHRASE, ID_AGAIN};

    d->busy = busy;
    d->started = GetTickCount64();
    if (busy)
        (void)SendMessageW(d->ui->window, WM_NEXTDLGCTL,
                           (WPARAM)GetDlgItem(d->ui->window, IDCANCEL), TRUE);
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        ui_enable(d->ui, inputs[i], !busy);
    ui_hide(d->ui, ID_WORDS, !busy);
    ui_hide(d->ui, ID_PROGRESS, !busy);
    if (busy)
        (void)SetTimer(d->ui->window, DRAW_ID, DRAW_MS, NULL);
    else
        (void)KillTimer(d->ui->window, DRAW_ID);
    look_again(d);
}

static void begin(struct keygen_dialog *d);

static void weak_accepted(void *data)
{
    (void)data;
    if (current == NULL)
        return;
    current->allow_weak = true;
    begin(current);
}

static void ask_weak(struct tray_app *app, const char *detail)
{
    struct msg_text text;
    char title[512], body[2 * MSG_TEXT_MAX];

    msg_format(MSG_KEYGEN_WEAK, i18n_lang(), &(struct msg_args){.detail = detail}, &text);
    snprintf(title, sizeof(title), "%s %s", text.code, text.title);
    snprintf(body, sizeof(body), "%s\n\n%s", text.cause, keymake_weak_words());
    ask(app, &(struct ask_question){.title = title,
                                    .text = body,
                                    .action = TXT_B_WEAK,
                                    .careful = true,
                                    .yes = weak_accepted});
}

static void failed(struct keygen_dialog *d, const struct job *j)
{
    struct msg_args args = {.name = j->app->paths.key_file, .detail = j->fault.text};
    enum msg_id id = keymake_problem(j->rc);

    set_busy(d, false);
    if (j->rc == PRA_EWEAK && !j->allow_weak)
        ask_weak(j->app, j->fault.text);
    else if (id != MSG_NONE)
        ui_trouble_msg(d->ui, ID_TROUBLE, id, &args);
    else
        ui_trouble_show(d->ui, ID_TROUBLE, j->fault.text, "", "");
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
            ui_close(current->ui);
        app_reload(app);
        app_note(app, "key made");
        export_dialog_open(app);
    }
    free(j);
}

static void begin(struct keygen_dialog *d)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL)
        abort();
    ui_trouble_hide(d->ui, ID_TROUBLE);
    j->app = d->app;
    j->dialog = d;
    j->force = d->force;
    j->allow_weak = d->allow_weak;
    (void)text_get(ui_control(d->ui, ID_USER), j->user, sizeof(j->user));
    (void)text_get_secret(ui_control(d->ui, ID_PASSPHRASE), j->passphrase, sizeof(j->passphrase));
    set_busy(d, true);
    work_start(run, done, j);
}

/* --- the dialog ------------------------------------------------------------------------------- */

static void on_command(struct ui *u, int id, int code)
{
    struct keygen_dialog *d = u->data;

    if ((id == ID_USER || id == ID_PASSPHRASE || id == ID_AGAIN) && code == EN_CHANGE)
        look_again(d);
    else if (id == IDOK && !d->busy && complete(d))
        begin(d);
    else if (id == IDCANCEL)
        ui_close(u);
}

static void on_timer(struct ui *u)
{
    const struct keygen_dialog *d = u->data;
    ULONGLONG passed = GetTickCount64() - d->started;
    ULONGLONG part = d->forecast > 0 ? passed * BAR_FULL / d->forecast : BAR_FULL / 2;

    if (part > BAR_FULL * 99 / 100)
        part = BAR_FULL * 99 / 100;
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS, (WPARAM)part, 0);
}

static void on_event(struct ui *u, const MSG *m)
{
    struct keygen_dialog *d = u->data;
    bool grew = false;

    if (pool_event(&d->pool, m, &grew)) {
        (void)text_set(ui_control(u, ID_POOL_WORDS), TXT_POOL_FULL);
        look_again(d);
    }
    if (!grew)
        return;
    (void)InvalidateRect(ui_control(u, ID_POOL), NULL, FALSE);
    (void)SendMessageW(ui_control(u, ID_POOL_BAR), PBM_SETPOS,
                       d->pool.filled * BAR_FULL / POOL_CELLS, 0);
}

static void on_draw(struct ui *u, int id, HDC dc, const RECT *r, UINT dpi)
{
    const struct keygen_dialog *d = u->data;

    (void)id;
    pool_draw(&d->pool, dc, r, dpi);
}

static void on_closing(struct ui *u)
{
    text_forget(ui_control(u, ID_PASSPHRASE));
    text_forget(ui_control(u, ID_AGAIN));
}

static void on_freed(struct ui *u)
{
    struct keygen_dialog *d = u->data;

    current = NULL;
    crypto_wipe(d, sizeof(*d));
    free(d);
}

static const struct ui_ops ops = {.command = on_command,
                                  .timer = on_timer,
                                  .event = on_event,
                                  .draw = on_draw,
                                  .closing = on_closing,
                                  .freed = on_freed};

static void add_secret(struct ui *u, int id, const char *label)
{
    (void)SendMessageW(ui_add(u, UI_SECRET, id, label, "", 0), EM_SETLIMITTEXT, KEYFILE_PASS_MAX,
                       0);
}

static void build(struct keygen_dialog *d)
{
    const struct tray_app *app = d->app;
    struct ui *u = ui_new(app_parent(app), NULL, TXT_KEYGEN_TITLE, false, DIALOG_WIDTH, &ops, d);

    d->ui = u;
    (void)ui_add(u, UI_TEXT, ID_INTRO, NULL, TXT_KEYGEN_INTRO, 0);
    (void)ui_add(u, UI_ENTRY, ID_USER, TXT_L_USER,
                 app->facts.has_key ? app->key.user : app->config.user, 0);
    add_secret(u, ID_PASSPHRASE, TXT_L_PASSPHRASE);
    add_secret(u, ID_AGAIN, TXT_L_AGAIN);
    (void)ui_add(u, UI_BAR, ID_STRENGTH, TXT_L_STRENGTH, TXT_STRENGTH, 0);
    (void)ui_add(u, UI_DIM, ID_BITS, NULL, "", UI_FIELD);
    (void)ui_add(u, UI_TEXT, ID_POOL_WORDS, NULL, TXT_POOL_FEED, 0);
    (void)ui_add(u, UI_PICTURE, ID_POOL, NULL, TXT_POOL, 0);
    ui_height(u, POOL_HEIGHT);
    (void)ui_add(u, UI_BAR, ID_POOL_BAR, NULL, TXT_POOL, 0);
    (void)ui_add(u, UI_TEXT, ID_ADVICE, NULL, "", 0);
    ui_height(u, 36); /* its text changes with every key: the window shall not */
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_MAKING_KEY, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    ui_hide(u, ID_WORDS, true);
    ui_hide(u, ID_PROGRESS, true);
    ui_trouble(u, ID_TROUBLE);
    (void)ui_button(u, IDOK, TXT_B_GENERATE, true);
    (void)ui_button(u, IDCANCEL, TXT_B_CANCEL, false);
}

static void open_now(void *data)
{
    struct tray_app *app = data;
    const char *user = app->facts.has_key ? app->key.user : app->config.user;

    if (current != NULL) {
        ui_front(current->ui);
        return;
    }
    current = calloc(1, sizeof(*current));
    if (current == NULL)
        abort();
    current->app = app;
    current->force = app->facts.has_key; /* the question was answered */
    current->forecast = kdf_forecast_ms();
    build(current);
    look_again(current);
    ui_show(current->ui, ui_control(current->ui, user[0] != '\0' ? ID_PASSPHRASE : ID_USER));
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
