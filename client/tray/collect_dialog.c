/* collect_dialog.h */
#include "client/tray/collect_dialog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli_text.h"
#include "client/ipc.h"
#include "client/log_send.h"
#include "client/tray/run.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "common/utf8.h"

#define PREVIEW_MAX (64u * 1024)
#define GATHER_MS   20000.0 /* as the words say */

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    unsigned dialog; /* its number; the next one may stand at the same place in memory */
    struct collect *bundle;
    json_t *check;
    int rc;
    struct fault fault;
    json_t *reply; /* of the agent, to what was sent */
};

static struct collect_dialog *current; /* one at a time; NULL = not open */

/* --- gathering, on a thread ------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    char *out = run_read(j->app->paths.agent_program, "check", "--json");

    j->check = out != NULL ? json_loads(out, 0, NULL) : NULL;
    j->rc = collect_gather(&j->app->paths, j->check, COLLECT_TOTAL_MAX, j->bundle, &j->fault);
    free(out);
}

static void free_bundle(struct collect *bundle)
{
    if (bundle != NULL)
        collect_free(bundle);
    free(bundle);
}

static void done(void *arg)
{
    struct job *j = arg;
    struct collect_dialog *d = current;
    char said[WORDS_MAX];

    if (d == NULL || d->number != j->dialog) {
        free_bundle(j->bundle);
        json_decref(j->check);
        free(j);
        return;
    }
    d->bundle = j->bundle;
    d->check = j->check;
    d->can_save = j->rc == 0;
    words_collected(d->bundle, said);
    collect_ui_gathered(d->ui);
    collect_ui_say(d->ui, j->rc == 0 ? said : j->fault.text);
    free(j);
}

double collect_part(const struct collect_dialog *d)
{
    double part = (double)(os_monotonic_ms() - d->started) / GATHER_MS;

    if (d->sending)
        return -1;
    return part < 1 ? part : 1;
}

/* --- looking and saving ----------------------------------------------------------------------- */

void collect_titles(const char *titles[COLLECT_COLUMNS])
{
    titles[COLLECT_NAME] = TXT_COL_FILE;
    titles[COLLECT_SIZE] = TXT_COL_SIZE;
    titles[COLLECT_WHAT] = TXT_COL_WHAT;
    titles[COLLECT_REMOVED] = TXT_COL_REMOVED;
}

void collect_row(const struct collect_dialog *d, size_t i, struct collect_row *row)
{
    const struct collect_file *file = &d->bundle->file[i];

    text_bytes(row->size, file->len);
    row->removed[0] = '\0';
    if (file->redacted > 0)
        snprintf(row->removed, sizeof(row->removed), TXT_LINES, file->redacted);
    row->cell[COLLECT_NAME] = file->name;
    row->cell[COLLECT_SIZE] = row->size;
    row->cell[COLLECT_WHAT] = collect_describe(file->name);
    row->cell[COLLECT_REMOVED] = row->removed;
}

char *collect_preview(const struct collect_dialog *d, size_t i)
{
    const struct collect_file *file = &d->bundle->file[i];
    size_t skip = file->len > PREVIEW_MAX ? file->len - PREVIEW_MAX : 0, len = file->len - skip;
    char *text = work_alloc(len + 1);

    for (size_t k = 0; k < len; k++) {
        char c = file->data[skip + k];

        text[k] = c != '\0' && c != '\r' ? c : ' ';
    }
    utf8_mend(text);
    return text;
}

void collect_save(const struct collect_dialog *d, const char *path)
{
    char said[OS_PATH_MAX + 512];
    struct fault f = {0};
    int rc = collect_write(d->bundle, path, &f);

    if (rc == 0) {
        snprintf(said, sizeof(said), TXT_COLLECT_WRITTEN, path);
        app_note(d->app, "logs collected");
    } else if (rc == PRA_EEXIST) {
        snprintf(said, sizeof(said), TXT_COLLECT_EXISTS, path);
    } else {
        snprintf(said, sizeof(said), TXT_COLLECT_FAILED, f.text);
    }
    collect_ui_say(d->ui, said);
}

/* --- sending, on a thread ----------------------------------------------------------------------- */

static void run_send(void *arg)
{
    struct job *j = arg;
    char path[OS_PATH_MAX];
    struct ipc *ipc = NULL;
    json_t *request;

    j->rc = log_send_pack(&j->app->paths, j->check, path, &j->fault);
    if (j->rc != 0)
        return;
    request = log_send_request(path);
    j->rc = ipc_connect(&j->app->paths, &ipc, &j->fault);
    if (j->rc == PRA_ENOENT)
        j->rc = 0; /* without an answer: no agent runs */
    else if (j->rc == 0)
        j->rc = ipc_call(ipc, request, LOG_SEND_TIMEOUT_MS, &j->reply, &j->fault);
    ipc_close(ipc);
    json_decref(request);
    (void)unlink(path);
}

static const char *member(const json_t *reply, const char *key)
{
    const char *text = json_string_value(json_object_get(reply, key));

    return text != NULL ? text : "";
}

/* Why it was not sent. */
static void refusal(const struct job *j, char said[WORDS_MAX])
{
    const char *reason = j->rc == PRA_ETOOBIG ? "size" : member(j->reply, "reason");
    bool hand_over;
    const char *why;

    if (j->rc != 0 && j->rc != PRA_ETOOBIG) {
        snprintf(said, WORDS_MAX, TXT_SEND_FAILED,
                 j->fault.text[0] != '\0' ? j->fault.text : err_text(j->rc));
        return;
    }
    if (j->rc == 0 && j->reply == NULL)
        reason = "offline";
    why = log_send_refusal(reason, &hand_over);
    snprintf(said, WORDS_MAX, hand_over ? TXT_SEND_REFUSED_SAVE : TXT_SEND_FAILED, why);
}

static void sent(void *arg)
{
    struct job *j = arg;
    struct collect_dialog *d = current;
    char said[WORDS_MAX];

    if (d != NULL && d->number == j->dialog && d->sending) {
        if (j->rc == 0 && strcmp(member(j->reply, "state"), "done") == 0)
            snprintf(said, sizeof(said), TXT_SENT, member(j->reply, "bundle"));
        else
            refusal(j, said);
        d->sending = false;
        collect_ui_sending(d->ui, "");
        collect_ui_say(d->ui, said);
    }
    json_decref(j->check);
    json_decref(j->reply);
    free(j);
}

bool collect_can_send(const struct collect_dialog *d)
{
    return d->can_save && !d->sending;
}

void collect_send(struct collect_dialog *d)
{
    struct job *j;

    if (!collect_can_send(d))
        return;
    j = work_alloc(sizeof(*j));
    j->app = d->app;
    j->dialog = d->number;
    j->check = json_incref(d->check);
    d->sending = true;
    collect_ui_say(d->ui, "");
    collect_ui_sending(d->ui, TXT_SENDING);
    work_start(run_send, sent, j);
}

/* --- opening and closing ---------------------------------------------------------------------- */

void collect_dialog_open(struct tray_app *app)
{
    static unsigned opened;
    struct job *j;

    if (current != NULL) {
        collect_ui_front(current->ui);
        return;
    }
    current = work_alloc(sizeof(*current));
    current->app = app;
    current->number = ++opened;
    current->started = os_monotonic_ms();
    current->ui = collect_ui_new(current);
    j = work_alloc(sizeof(*j));
    j->app = app;
    j->dialog = current->number;
    j->bundle = work_alloc(sizeof(*j->bundle));
    work_start(run, done, j);
}

bool collect_is_open(const struct collect_dialog *d)
{
    return current != NULL && current == d;
}

void collect_gone(struct collect_dialog *d)
{
    current = NULL;
    free_bundle(d->bundle);
    json_decref(d->check);
    free(d);
}
