/* ログの収集 (collect_dialog.h) in GTK. */
#include <stdlib.h>

#include "client/tray/collect_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

#define COLUMN_INDEX COLLECT_COLUMNS

enum { RESPONSE_SAVE = 1, RESPONSE_SEND };

struct ui {
    struct collect_dialog *d;
    GtkWidget *dialog, *progress, *tree, *text, *said;
    GtkListStore *files;
};

void collect_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void collect_ui_say(struct ui *u, const char *text)
{
    gtk_label_set_text(GTK_LABEL(u->said), text);
}

void collect_ui_gathered(struct ui *u)
{
    GtkTreeSelection *selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(u->tree));
    struct collect_row row;
    GtkTreeIter line;

    ui_progress_run(u->progress, false, "");
    for (size_t i = 0; i < u->d->bundle->count; i++) {
        collect_row(u->d, i, &row);
        gtk_list_store_append(u->files, &line);
        for (int c = 0; c < COLLECT_COLUMNS; c++)
            gtk_list_store_set(u->files, &line, c, row.cell[c], -1);
        gtk_list_store_set(u->files, &line, COLUMN_INDEX, (int)i, -1);
    }
    if (gtk_tree_model_get_iter_first(GTK_TREE_MODEL(u->files), &line))
        gtk_tree_selection_select_iter(selection, &line);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), RESPONSE_SAVE, u->d->can_save);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), RESPONSE_SEND, collect_can_send(u->d));
}

void collect_ui_sending(struct ui *u, const char *words)
{
    ui_progress_run(u->progress, u->d->sending, words);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), RESPONSE_SEND, collect_can_send(u->d));
}

static void on_selected(GtkTreeSelection *selection, gpointer data)
{
    struct ui *u = data;
    GtkTreeModel *model;
    GtkTreeIter line;
    char *text;
    int i;

    if (!gtk_tree_selection_get_selected(selection, &model, &line))
        return;
    gtk_tree_model_get(model, &line, COLUMN_INDEX, &i, -1);
    text = collect_preview(u->d, (size_t)i);
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(u->text)), text, -1);
    free(text);
}

static void on_chosen(gpointer data, const char *path)
{
    if (collect_is_open(data))
        collect_save(data, path);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct collect_dialog *d = data;
    char name[OS_PATH_MAX];

    if (response == RESPONSE_SEND) {
        collect_send(d);
    } else if (response == RESPONSE_SAVE) {
        collect_propose_name(&d->app->paths, name);
        ui_save_as(d->app, GTK_WIDGET(dialog), TXT_COLLECT_SAVE_TITLE, name, on_chosen, d);
    } else {
        gtk_widget_destroy(GTK_WIDGET(dialog));
    }
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    collect_gone(u->d);
    g_free(u);
}

static double part(gconstpointer data)
{
    return collect_part(data);
}

static GtkWidget *scrolled(GtkWidget *child, int height)
{
    GtkWidget *s = gtk_scrolled_window_new(NULL, NULL);

    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(s), GTK_SHADOW_IN);
    gtk_widget_set_size_request(s, 640, height);
    gtk_container_add(GTK_CONTAINER(s), child);
    return s;
}

static GtkWidget *make_tree(struct ui *u)
{
    const char *titles[COLLECT_COLUMNS];
    GtkTreeSelection *selection;

    collect_titles(titles);
    u->files = gtk_list_store_new(COLLECT_COLUMNS + 1, G_TYPE_STRING, G_TYPE_STRING, G_TYPE_STRING,
                                  G_TYPE_STRING, G_TYPE_INT);
    u->tree = ui_name(gtk_tree_view_new_with_model(GTK_TREE_MODEL(u->files)), TXT_FILES);
    g_object_unref(u->files);
    for (int i = 0; i < COLLECT_COLUMNS; i++)
        gtk_tree_view_insert_column_with_attributes(GTK_TREE_VIEW(u->tree), -1, titles[i],
                                                    gtk_cell_renderer_text_new(), "text", i, NULL);
    selection = gtk_tree_view_get_selection(GTK_TREE_VIEW(u->tree));
    g_signal_connect(selection, "changed", G_CALLBACK(on_selected), u);
    return scrolled(u->tree, 170);
}

static void build(struct ui *u)
{
    GtkWidget *content;

    u->dialog = ui_dialog(u->d->app, TXT_COLLECT_TITLE);
    gtk_window_set_resizable(GTK_WINDOW(u->dialog), TRUE);
    content = ui_content(u->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_COLLECT_INTRO));
    u->progress = ui_progress(part, u->d);
    gtk_container_add(GTK_CONTAINER(content), u->progress);
    gtk_container_add(GTK_CONTAINER(content), make_tree(u));
    u->text = ui_name(gtk_text_view_new(), TXT_CONTENT);
    gtk_text_view_set_editable(GTK_TEXT_VIEW(u->text), FALSE);
    gtk_text_view_set_monospace(GTK_TEXT_VIEW(u->text), TRUE);
    gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(u->text), FALSE);
    gtk_box_pack_start(GTK_BOX(content), scrolled(u->text, 180), TRUE, TRUE, 0);
    u->said = ui_label("");
    gtk_container_add(GTK_CONTAINER(content), u->said);
    gtk_dialog_add_buttons(GTK_DIALOG(u->dialog), TXT_B_CLOSE, GTK_RESPONSE_CLOSE, TXT_B_SAVE_AS,
                           RESPONSE_SAVE, TXT_B_SEND, RESPONSE_SEND, NULL);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), RESPONSE_SEND, FALSE);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), RESPONSE_SAVE, FALSE);
}

struct ui *collect_ui_new(struct collect_dialog *d)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u);
    ui_progress_run(u->progress, true, TXT_COLLECTING);
    ui_dialog_show(u->dialog, NULL, G_CALLBACK(on_response), d, G_CALLBACK(on_destroy), u);
    return u;
}
