/*
 * ログの収集 on Windows: gathers the helpdesk's bundle, shows what goes in, file by file, and writes it
 * where the person says. The same bundle as `pra log collect`; the checks are `pra check --json`, run
 * by itself, since they speak SSH and this program does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include <commctrl.h>

#include "client/cli_text.h"
#include "client/collect.h"
#include "client/tray/app_win.h"
#include "client/tray/run_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"
#include "client/tray/words.h"
#include "client/tray/work.h"

#define DIALOG_WIDTH 680
#define DRAW_ID      1
#define DRAW_MS      200

/* The checks take this long at most; of a longer file the end is shown, where the news is. */
#define CHECK_MS    30000
#define PREVIEW_MAX (64u * 1024)

enum { ID_INTRO = 100, ID_WORDS, ID_PROGRESS, ID_FILES, ID_CONTENT, ID_SAID, ID_SAVE };
enum { COLUMN_NAME, COLUMN_SIZE, COLUMN_WHAT, COLUMN_REMOVED, COLUMNS };

struct collect_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct collect *bundle; /* NULL until gathered */
    ULONGLONG started;
};

/* Outlives the dialog if that is closed meanwhile. */
struct job {
    struct tray_app *app;
    struct collect_dialog *dialog;
    struct collect *bundle;
    int rc;
    struct fault fault;
};

static struct collect_dialog *current; /* one at a time; NULL = not open */

/* --- gathering, on a thread ------------------------------------------------------------------- */

static void run(void *arg)
{
    struct job *j = arg;
    char *out = run_read(j->app->paths.agent_program, "check --json", CHECK_MS);
    json_t *check = out != NULL ? json_loads(out, 0, NULL) : NULL;

    j->rc = collect_gather(&j->app->paths, check, j->bundle, &j->fault);
    json_decref(check);
    free(out);
}

static void free_bundle(struct collect *bundle)
{
    if (bundle != NULL)
        collect_free(bundle);
    free(bundle);
}

static void list_files(struct collect_dialog *d)
{
    HWND list = ui_control(d->ui, ID_FILES);

    for (size_t i = 0; i < d->bundle->count; i++) {
        const struct collect_file *file = &d->bundle->file[i];
        char size[16], removed[32] = "";

        text_bytes(size, file->len);
        if (file->redacted > 0)
            snprintf(removed, sizeof(removed), TXT_LINES, file->redacted);
        ui_list_cell(list, (int)i, COLUMN_NAME, file->name);
        ui_list_cell(list, (int)i, COLUMN_SIZE, size);
        ui_list_cell(list, (int)i, COLUMN_WHAT, collect_describe(file->name));
        ui_list_cell(list, (int)i, COLUMN_REMOVED, removed);
    }
    ListView_SetItemState(list, 0, LVIS_SELECTED | LVIS_FOCUSED, LVIS_SELECTED | LVIS_FOCUSED);
}

static void done(void *arg)
{
    struct job *j = arg;
    struct collect_dialog *d = current;
    char said[WORDS_MAX];

    if (d == NULL || d != j->dialog) {
        free_bundle(j->bundle);
        free(j);
        return;
    }
    (void)KillTimer(d->ui->window, DRAW_ID);
    ui_hide(d->ui, ID_WORDS, true);
    ui_hide(d->ui, ID_PROGRESS, true);
    d->bundle = j->bundle;
    list_files(d);
    words_collected(d->bundle, said);
    ui_text(d->ui, ID_SAID, j->rc == 0 ? said : j->fault.text);
    ui_enable(d->ui, ID_SAVE, j->rc == 0);
    free(j);
}

/* --- looking and saving ----------------------------------------------------------------------- */

static void preview(const struct collect_dialog *d, int row)
{
    const struct collect_file *file = &d->bundle->file[row];
    size_t skip = file->len > PREVIEW_MAX ? file->len - PREVIEW_MAX : 0, len = file->len - skip;
    char *text = malloc(len + 1);

    if (text == NULL)
        abort();
    for (size_t i = 0; i < len; i++)
        text[i] = file->data[skip + i] != '\0' && file->data[skip + i] != '\r'
                      ? file->data[skip + i]
                      : ' ';
    text[len] = '\0';
    (void)text_set_lines(ui_control(d->ui, ID_CONTENT), text);
    free(text);
}

static LRESULT on_notify(struct ui *u, const NMHDR *head)
{
    const struct collect_dialog *d = u->data;
    const NMLISTVIEW *item = (const NMLISTVIEW *)head;

    if (head->idFrom == ID_FILES && head->code == (UINT)LVN_ITEMCHANGED && d->bundle != NULL &&
        (item->uNewState & LVIS_SELECTED) != 0 && item->iItem >= 0 &&
        (size_t)item->iItem < d->bundle->count)
        preview(d, item->iItem);
    return 0;
}

static void save(struct ui *u)
{
    const struct collect_dialog *d = u->data;
    char name[OS_PATH_MAX], path[OS_PATH_MAX], said[OS_PATH_MAX + 512];
    struct fault f = {0};
    int rc;

    collect_propose_name(&d->app->paths, name);
    if (!ask_save_as(u->window, TXT_COLLECT_SAVE_TITLE, name, false, path))
        return;
    rc = collect_write(d->bundle, path, &f);
    if (rc == 0) {
        snprintf(said, sizeof(said), TXT_COLLECT_WRITTEN, path);
        app_note(d->app, "logs collected");
    } else if (rc == PRA_EEXIST) {
        snprintf(said, sizeof(said), TXT_COLLECT_EXISTS, path);
    } else {
        snprintf(said, sizeof(said), TXT_COLLECT_FAILED, f.text);
    }
    ui_text(u, ID_SAID, said);
}

static void on_command(struct ui *u, int id, int code)
{
    (void)code;
    if (id == ID_SAVE)
        save(u);
    else if (id == IDOK || id == IDCANCEL)
        ui_close(u);
}

static void on_timer(struct ui *u)
{
    const struct collect_dialog *d = u->data;

    /* To its end in the 20 seconds that the words name. */
    (void)SendMessageW(ui_control(u, ID_PROGRESS), PBM_SETPOS,
                       (WPARAM)((GetTickCount64() - d->started) / 20), 0);
}

static void on_freed(struct ui *u)
{
    struct collect_dialog *d = u->data;

    free_bundle(d->bundle);
    current = NULL;
    free(d);
}

static const struct ui_ops ops = {
    .command = on_command, .notify = on_notify, .timer = on_timer, .freed = on_freed};

static void build(struct collect_dialog *d)
{
    const char *const titles[COLUMNS] = {TXT_COL_FILE, TXT_COL_SIZE, TXT_COL_WHAT, TXT_COL_REMOVED};
    static const int widths[COLUMNS] = {170, 80, 290, 90};
    struct ui *u =
        ui_new(app_parent(d->app), NULL, TXT_COLLECT_TITLE, false, DIALOG_WIDTH, &ops, d);
    HWND list;

    d->ui = u;
    (void)ui_add(u, UI_TEXT, ID_INTRO, NULL, TXT_COLLECT_INTRO, 0);
    (void)ui_add(u, UI_TEXT, ID_WORDS, NULL, TXT_COLLECTING, 0);
    (void)ui_add(u, UI_BAR, ID_PROGRESS, NULL, TXT_PROGRESS, 0);
    list = ui_add(u, UI_LIST, ID_FILES, NULL, TXT_FILES, 0);
    ui_name(list, TXT_FILES);
    for (int i = 0; i < COLUMNS; i++)
        ui_list_column(list, i, titles[i], ui_px(u, widths[i]));
    (void)SendMessageW(ui_add(u, UI_BOX, ID_CONTENT, NULL, "", UI_GROW), EM_SETLIMITTEXT, 0, 0);
    ui_height(u, 170);
    ui_name(ui_control(u, ID_CONTENT), TXT_CONTENT);
    (void)ui_add(u, UI_TEXT, ID_SAID, NULL, "\n", 0);
    (void)ui_button(u, ID_SAVE, TXT_B_SAVE_AS, false);
    (void)ui_button(u, IDOK, TXT_B_CLOSE, true);
    ui_enable(u, ID_SAVE, false);
    (void)SetTimer(u->window, DRAW_ID, DRAW_MS, NULL);
}

void collect_dialog_open(struct tray_app *app)
{
    struct job *j;

    if (current != NULL) {
        ui_front(current->ui);
        return;
    }
    current = calloc(1, sizeof(*current));
    j = calloc(1, sizeof(*j));
    if (current == NULL || j == NULL || (j->bundle = calloc(1, sizeof(*j->bundle))) == NULL)
        abort();
    current->app = app;
    current->started = GetTickCount64();
    build(current);
    ui_show(current->ui, ui_control(current->ui, ID_FILES));
    j->app = app;
    j->dialog = current;
    work_start(run, done, j);
}
