/*
 * The toolkit's part of the tray, played and written down in `seen`; for one test program. Include it
 * behind cmocka.h.
 */
#ifndef PRA_TESTS_UNIT_CLIENT_TRAY_TOOLKIT_H
#define PRA_TESTS_UNIT_CLIENT_TRAY_TOOLKIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pthread.h>

#include "client/tray/ask.h"
#include "client/tray/code_dialog.h"
#include "client/tray/collect_dialog.h"
#include "client/tray/connect_dialog.h"
#include "client/tray/enroll_dialog.h"
#include "client/tray/export_dialog.h"
#include "client/tray/freeport.h"
#include "client/tray/keygen_dialog.h"
#include "client/tray/profile_dialog.h"
#include "client/tray/run.h"
#include "client/tray/settings.h"

#define WAIT_S 20

/* --- the toolkit ------------------------------------------------------------------------------ */

struct ui {
    int unused;
};

static struct {
    struct ui window;
    const char *open; /* the dialog that was made last; NULL = it is closed */
    void *dialog;
    char title[512], text[4096], action[64]; /* message or question */
    struct ask_question question;
    char trouble[1024], said[4096], copied[256], words[1024], advice[512];
    char user[64], passphrase[128], again[128]; /* what is typed */
    bool quit, hides, shown, clipboard_taken, ready, autostart;
    int presented, rebuilt, fronts;
    uint16_t free_port;       /* the only one */
    const char *const *lines; /* what `pra enroll` says, ends with NULL; NULL = cannot be run */
    char arguments[512], input[512];
    int stopped, freed;
} seen;

/* What threads have handed over, one call at a time. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*fn)(void *arg);
    void *arg;
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void loop_post(void (*fn)(void *arg), void *arg)
{
    (void)pthread_mutex_lock(&loop.lock);
    while (loop.fn != NULL)
        (void)pthread_cond_wait(&loop.changed, &loop.lock);
    loop.fn = fn;
    loop.arg = arg;
    (void)pthread_cond_broadcast(&loop.changed);
    (void)pthread_mutex_unlock(&loop.lock);
}

/* Runs the next thing that threads hand over. */
static void run_one(const struct timespec *end)
{
    void (*fn)(void *arg);
    void *arg;

    (void)pthread_mutex_lock(&loop.lock);
    while (loop.fn == NULL)
        if (pthread_cond_timedwait(&loop.changed, &loop.lock, end) != 0)
            fail_msg("nothing was handed over");
    fn = loop.fn;
    arg = loop.arg;
    loop.fn = NULL;
    (void)pthread_cond_broadcast(&loop.changed);
    (void)pthread_mutex_unlock(&loop.lock);
    fn(arg);
}

/* Until a thread has handed something over, without running it. */
static void wait_posted(void)
{
    (void)pthread_mutex_lock(&loop.lock);
    while (loop.fn == NULL)
        (void)pthread_cond_wait(&loop.changed, &loop.lock);
    (void)pthread_mutex_unlock(&loop.lock);
}

static struct timespec patience(void)
{
    struct timespec end;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WAIT_S;
    return end;
}

/* Runs what threads hand over until `text` holds something. */
static void run_until(const char *text)
{
    struct timespec end = patience();

    while (text[0] == '\0')
        run_one(&end);
}

/* Until so many programs have ended and are cleared away. */
static void run_freed(int count)
{
    struct timespec end = patience();

    while (seen.freed < count)
        run_one(&end);
}

#define KEEP(dst, src) ((void)snprintf(dst, sizeof(dst), "%s", src))

static struct ui *made(const char *name, void *dialog)
{
    seen.open = name;
    seen.dialog = dialog;
    return &seen.window;
}

static bool is_open(const char *name)
{
    return seen.open != NULL && strcmp(seen.open, name) == 0;
}

void shell_draw(struct tray_app *app)
{
    (void)app;
}
void shell_notify(struct tray_app *app, const struct tray_notice *notice)
{
    (void)app, (void)notice;
}
void shell_tick(struct tray_app *app, bool on)
{
    (void)app, (void)on;
}
bool shell_hides(const struct tray_app *app)
{
    (void)app;
    return seen.hides;
}
void shell_quit(struct tray_app *app)
{
    (void)app;
    seen.quit = true;
}
void shell_log(const char *what, const char *why)
{
    (void)what, (void)why;
}
struct window *window_new(struct tray_app *app)
{
    (void)app;
    return (struct window *)&seen.window;
}
void window_present(struct window *w)
{
    (void)w;
    seen.presented++;
}
void window_update(struct window *w)
{
    (void)w;
}
void window_say(struct window *w, const char *text)
{
    (void)w;
    KEEP(seen.said, text);
}
bool window_shown(const struct window *w)
{
    return w != NULL && seen.shown;
}
void window_free(struct window *w)
{
    (void)w;
    seen.rebuilt++;
}
bool prefs_autostart(void)
{
    return seen.autostart;
}
int prefs_set_autostart(bool on, struct fault *f)
{
    (void)f;
    seen.autostart = on;
    return 0;
}
char *run_read(const char *program, const char *first, const char *second)
{
    (void)program, (void)first, (void)second;
    return NULL;
}
/* The program of the enrolment: says the lines that the test had set when it began, then ends. */
struct run {
    const char *const *lines;
};
struct run *run_start(const char *program, const char *const *args, const char *input)
{
    (void)program;
    seen.arguments[0] = '\0';
    for (; *args != NULL; args++)
        (void)snprintf(seen.arguments + strlen(seen.arguments),
                       sizeof(seen.arguments) - strlen(seen.arguments), " %s", *args);
    KEEP(seen.input, input);
    if (seen.lines == NULL)
        return NULL;
    struct run *r = malloc(sizeof(*r));
    assert_non_null(r);
    r->lines = seen.lines;
    return r;
}
char *run_line(struct run *r)
{
    return *r->lines != NULL ? strdup(*r->lines++) : NULL;
}
void run_stop(struct run *r)
{
    (void)r;
    seen.stopped++;
}
void run_free(struct run *r)
{
    free(r);
    seen.freed++;
}
struct ui *enroll_ui_new(struct enroll_dialog *d)
{
    return made("enroll", d);
}
void enroll_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void enroll_ui_read(struct ui *u, struct enroll_typed *t)
{
    (void)u;
    KEEP(t->code, seen.user);
    KEEP(t->passphrase, seen.passphrase);
}
void enroll_ui_phase(struct ui *u, const char *words)
{
    (void)u;
    KEEP(seen.words, words);
}
void enroll_ui_waits(struct ui *u, const struct enroll_waits *w)
{
    (void)u;
    (void)snprintf(seen.said, sizeof(seen.said), "%s %s %s", w->user, w->fingerprint, w->expires);
}
void enroll_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    (void)u, (void)cause, (void)remedy;
    KEEP(seen.trouble, title);
}
void enroll_ui_close(struct ui *u)
{
    (void)u;
    seen.open = NULL;
    enroll_gone(seen.dialog);
}
void server_dialog_open(struct tray_app *app)
{
    made("server", app);
}
void prefs_dialog_open(struct tray_app *app)
{
    made("options", app);
}
void profile_dialog_choose(struct tray_app *app)
{
    made("choose", app);
}
struct ui *connect_ui_new(struct connect_dialog *d, const char *user)
{
    KEEP(seen.user, user);
    return made("connect", d);
}
void connect_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void connect_ui_again(struct ui *u)
{
    (void)u;
}
void connect_ui_close(struct ui *u)
{
    (void)u;
    seen.open = NULL;
    connect_gone(seen.dialog);
}
void connect_ui_phase(struct ui *u, const char *words)
{
    (void)u;
    KEEP(seen.words, words);
}
void connect_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    (void)u, (void)cause, (void)remedy;
    KEEP(seen.trouble, title);
}
struct ui *code_ui_new(struct code_dialog *d)
{
    return made("code", d);
}
void code_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void code_ui_take(struct ui *u, char dst[CODE_TYPED_MAX])
{
    (void)u;
    snprintf(dst, CODE_TYPED_MAX, "%.63s", seen.passphrase);
    seen.passphrase[0] = '\0';
}
void code_ui_busy(struct ui *u, const char *words)
{
    (void)u;
    KEEP(seen.words, words);
}
void code_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    (void)u, (void)cause, (void)remedy;
    KEEP(seen.trouble, title);
}
void code_ui_close(struct ui *u)
{
    (void)u;
    seen.open = NULL;
    code_gone(seen.dialog);
}
struct ui *keygen_ui_new(struct keygen_dialog *d, const char *user)
{
    KEEP(seen.user, user);
    return made("keygen", d);
}
void keygen_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void keygen_ui_busy(struct ui *u)
{
    (void)u;
}
void keygen_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    (void)u, (void)cause, (void)remedy;
    KEEP(seen.trouble, title);
}
void keygen_ui_close(struct ui *u)
{
    (void)u;
    seen.open = NULL;
    keygen_gone(seen.dialog);
}
struct ui *profile_ui_new(struct profile_dialog *d)
{
    return made("profile", d);
}
void profile_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    (void)u, (void)cause, (void)remedy;
    KEEP(seen.trouble, title);
}
void profile_ui_close(struct ui *u)
{
    (void)u;
    seen.open = NULL;
    profile_gone(seen.dialog);
}
struct ui *export_ui_new(struct export_dialog *d)
{
    return made("export", d);
}
void export_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void export_ui_say(struct ui *u, const char *text)
{
    (void)u;
    KEEP(seen.said, text);
}
struct ui *collect_ui_new(struct collect_dialog *d)
{
    return made("collect", d);
}
void collect_ui_front(struct ui *u)
{
    (void)u;
    seen.fronts++;
}
void collect_ui_gathered(struct ui *u)
{
    (void)u;
    seen.ready = ((struct collect_dialog *)seen.dialog)->can_save;
}
void collect_ui_sending(struct ui *u, const char *words)
{
    (void)u;
    KEEP(seen.words, words);
}
void collect_ui_say(struct ui *u, const char *text)
{
    (void)u;
    KEEP(seen.said, text);
}

bool shell_copy(struct tray_app *app, const char *text)
{
    (void)app;
    KEEP(seen.copied, text);
    return !seen.clipboard_taken;
}

bool freeport_try(const struct sockaddr *sa, socklen_t len)
{
    struct addr_ip ip;
    uint16_t port;

    (void)len;
    return addr_from_sockaddr(sa, &ip, &port) == 0 && port == seen.free_port;
}

void connect_ui_read(struct ui *u, struct attempt *a)
{
    (void)u;
    KEEP(a->user, seen.user);
    KEEP(a->passphrase, seen.passphrase);
}

void keygen_ui_read(struct ui *u, struct keygen_typed *t)
{
    (void)u;
    KEEP(t->user, seen.user);
    KEEP(t->passphrase, seen.passphrase);
    KEEP(t->again, seen.again);
}

void keygen_ui_show(struct ui *u, double strength, const char *words, const char *advice,
                    bool ready)
{
    (void)u;
    assert_true(strength >= 0 && strength <= 1);
    KEEP(seen.words, words);
    KEEP(seen.advice, advice);
    seen.ready = ready;
}

void ask_message(struct tray_app *app, enum ask_icon icon, const char *title, const char *text)
{
    (void)app, (void)icon;
    KEEP(seen.title, title);
    KEEP(seen.text, text);
    seen.action[0] = '\0';
}

void ask(struct tray_app *app, const struct ask_question *question)
{
    ask_message(app, ASK_WARNING, question->title, question->text);
    KEEP(seen.action, question->action);
    seen.question = *question;
}

static void answer(bool yes)
{
    struct ask_question q = seen.question;

    memset(&seen.question, 0, sizeof(seen.question));
    seen.title[0] = '\0';
    if (yes)
        q.yes(q.data);
    if (q.owned)
        free(q.data);
}

#endif
