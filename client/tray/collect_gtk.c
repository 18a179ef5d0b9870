/*
 * ログの収集: gathers the helpdesk's bundle, shows what goes in, file by file, and writes it where the
 * person says. The same bundle as `pra log collect`; the checks are `pra check --json`, run by itself,
 * since they speak SSH and this program does not.
 */
#include <string.h>

#include "client/cli_text.h"
#include "client/collect.h"
#include "client/tray/app_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/words.h"
#include "client/tray/work.h"

/* Of a longer file the end is shown, where the news is. */
#define PREVIEW_MAX (64u * 1024)

enum { RESPONSE_SAVE = 1 };
enum { COLUMN_NAME, COLUMN_SIZE, COLUMN_WHAT, COLUMN_REMOVED, COLUMN_INDEX, COLUMNS };

struct collect_dialog {
    struct tray_app *app;
    GtkWidget *dialog, *progress, *pages, *tree, *text, *said;
    GtkListStore *files;
    struct collect *bundle; /* NULL until gathered */
    guint timer;
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

/* What the checks say; NULL if they cannot be run. They exit with 1 when they find something. */
static json_t *run_check(const struct paths *paths)
{
    GSubprocess *process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
                         paths->agent_program, "check", "--json", NULL);
    char *out = NULL;
    json_t *doc = NULL;

    if (process == NULL)
        return NULL;
    if (g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, NULL) && out != NULL)
        doc = json_loads(out, 0, NULL);
    g_free(out);
    g_object_unref(process);
    return doc;
}

static void run(void *arg)
{
    struct job *j = arg;
    json_t *check = run_check(&j->app->paths);

    j->rc = collect_gather(&j->app->paths, check, j->bundle, &j->fault);
    json_decref(check);
}

static void free_bundle(struct collect *bundle)
{
    if (bundle != NULL)
        collect_free(bundle);
    g_free(bundle);
}

static void list_files(struct collect_dialog *d)
{
    GtkTreeSelection *selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(d->tree));
    GtkTreeIter row;

    for (size_t i = 0; i < d->bundle->count; i++) {
        const struct collect_file *file = &d->bundle->file[i];
        char size[16], removed[32] = "";

        text_bytes(size, file->len);
        if (file->redacted > 0)
            g_snprintf(removed, sizeof(removed), TXT_LINES, file->redacted);
        gtk_list_store_append(d->files, &row);
        gtk_list_store_set(d->files, &row, COLUMN_NAME, file->name, COLUMN_SIZE, size, COLUMN_WHAT,
                           collect_describe(file->name), COLUMN_REMOVED, removed, COLUMN_INDEX,
                           (int)i, -1);
    }
    if (gtk_tree_model_get_iter_first(GTK_TREE_MODEL(d->files), &row))
        gtk_tree_selection_select_iter(selection, &row);
}

static void done(void *arg)
{
    struct job *j = arg;
    struct collect_dialog *d = current;
    char said[WORDS_MAX];

    if (d == NULL || d != j->dialog) {
        free_bundle(j->bundle);
        g_free(j);
        return;
    }
    g_source_remove(d->timer);
    d->timer = 0;
    gtk_widget_hide(d->progress);
    d->bundle = j->bundle;
    list_files(d);
    words_collected(d->bundle, said);
    gtk_label_set_text(GTK_LABEL(d->said), j->rc == 0 ? said : j->fault.text);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->dialog), RESPONSE_SAVE, j->rc == 0);
    g_free(j);
}

/* --- looking and saving ----------------------------------------------------------------------- */

static void on_selected(GtkTreeSelection *selection, gpointer data)
{
    struct collect_dialog *d = data;
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(d->text));
    const struct collect_file *file;
    GtkTreeModel *model;
    GtkTreeIter row;
    gsize skip;
    char *valid;
    int i;

    if (!gtk_tree_selection_get_selected(selection, &model, &row))
        return;
    gtk_tree_model_get(model, &row, COLUMN_INDEX, &i, -1);
    file = &d->bundle->file[i];
    skip = file->len > PREVIEW_MAX ? file->len - PREVIEW_MAX : 0;
    valid = g_utf8_make_valid(file->data + skip, (gssize)(file->len - skip));
    gtk_text_buffer_set_text(buffer, valid, -1);
    g_free(valid);
}

static void save_to(gpointer data, const char *path)
{
    struct fault f = {0};
    char *said;
    int rc;

    if (current == NULL || current != data)
        return;
    rc = collect_write(current->bundle, path, &f);
    if (rc == 0) {
        said = g_strdup_printf(TXT_COLLECT_WRITTEN, path);
        app_note(current->app, "logs collected");
    } else if (rc == PRA_EEXIST) {
        said = g_strdup_printf(TXT_COLLECT_EXISTS, path);
    } else {
        said = g_strdup_printf(TXT_COLLECT_FAILED, f.text);
    }
    gtk_label_set_text(GTK_LABEL(current->said), said);
    g_free(said);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct collect_dialog *d = data;
    char name[OS_PATH_MAX];

    if (response != RESPONSE_SAVE) {
        gtk_widget_destroy(GTK_WIDGET(dialog));
        return;
    }
    collect_propose_name(&d->app->paths, name);
    ui_save_as(d->app, d->dialog, TXT_COLLECT_SAVE_TITLE, name, save_to, d);
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct collect_dialog *d = data;

    (void)w;
    if (d->timer != 0)
        g_source_remove(d->timer);
    free_bundle(d->bundle);
    current = NULL;
    g_free(d);
}

static gboolean on_pulse(gpointer data)
{
    gtk_progress_bar_pulse(GTK_PROGRESS_BAR(data));
    return G_SOURCE_CONTINUE;
}

/* --- the dialog ------------------------------------------------------------------------------- */

static GtkWidget *scrolled(GtkWidget *child, int height)
{
    GtkWidget *s = gtk_scrolled_window_new(NULL, NULL);

    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(s), GTK_SHADOW_IN);
    gtk_widget_set_size_request(s, 640, height);
    gtk_container_add(GTK_CONTAINER(s), child);
    return s;
}

static GtkWidget *make_tree(struct collect_dialog *d)
{
    const char *const titles[] = {TXT_COL_FILE, TXT_COL_SIZE, TXT_COL_WHAT, TXT_COL_REMOVED};
    GtkTreeSelection *selection;

    d->files = gtk_list_store_new(COLUMNS, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING,
                                  G_TYPE_STRING, G_TYPE_INT);
    d->tree = ui_name(gtk_tree_view_new_with_model(GTK_TREE_MODEL(d->files)), TXT_FILES);
    g_object_unref(d->files);
    for (int i = COLUMN_NAME; i < COLUMN_INDEX; i++)
        gtk_tree_view_insert_column_with_attributes(GTK_TREE_VIEW(d->tree), -1, titles[i],
                                                    gtk_cell_renderer_text_new(), "text", i, NULL);
    selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(d->tree));
    g_signal_connect(selection, "changed", G_CALLBACK(on_selected), d);
    return scrolled(d->tree, 170);
}

static void build(struct collect_dialog *d)
{
    GtkWidget *content;

    d->dialog = ui_dialog(d->app, TXT_COLLECT_TITLE);
    gtk_window_set_resizable(GTK_WINDOW(d->dialog), TRUE);
    content = ui_content(d->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_COLLECT_INTRO));
    d->progress = ui_name(gtk_progress_bar_new(), TXT_PROGRESS);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(d->progress), TRUE);
    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(d->progress), TXT_COLLECTING);
    gtk_container_add(GTK_CONTAINER(content), d->progress);
    gtk_container_add(GTK_CONTAINER(content), make_tree(d));
    d->text = ui_name(gtk_text_view_new(), TXT_CONTENT);
    gtk_text_view_set_editable(GTK_TEXT_VIEW(d->text), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(d->text), TRUE);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(d->text), FALSE);
    gtk_box_pack_start(GTK_BOX(content), scrolled(d->text, 180), TRUE, TRUE, 0);
    d->said = ui_label("");
    gtk_container_add(GTK_CONTAINER(content), d->said);
    gtk_dialog_add_buttons(GTK_DIALOG(d->dialog), TXT_B_CLOSE, GTK_RESPONSE_CLOSE, TXT_B_SAVE_AS,
                           RESPONSE_SAVE, NULL);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(d->dialog), RESPONSE_SAVE, FALSE);
    g_signal_connect(d->dialog, "response", G_CALLBACK(on_response), d);
    g_signal_connect(d->dialog, "destroy", G_CALLBACK(on_destroy), d);
    d->timer = g_timeout_add(100, on_pulse, d->progress);
}

void collect_dialog_open(struct tray_app *app)
{
    struct job *j;

    if (current == NULL) {
        current = g_new0(struct collect_dialog, 1);
        current->app = app;
        build(current);
        gtk_widget_show_all(current->dialog);
        j = g_new0(struct job, 1);
        j->app = app;
        j->dialog = current;
        j->bundle = g_new0(struct collect, 1);
        work_start(run, done, j);
    }
    gtk_window_present(GTK_WINDOW(current->dialog));
}
