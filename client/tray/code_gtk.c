/* コードの入力 (code_dialog.h) in GTK. */
#include "client/tray/code_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct ui {
    struct code_dialog *d;
    GtkWidget *dialog, *code, *progress, *trouble;
};

static const char *typed(const struct ui *u)
{
    return gtk_entry_get_text(GTK_ENTRY(u->code));
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    struct ui *u = data;

    (void)editable;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), GTK_RESPONSE_OK,
                                      code_can_give(u->d, typed(u)[0] != '\0'));
}

void code_ui_busy(struct ui *u, const char *words)
{
    bool busy = u->d->busy;

    gtk_widget_set_sensitive(u->code, !busy);
    on_edited(NULL, u);
    ui_progress_run(u->progress, busy, words);
    if (!busy)
        gtk_widget_grab_focus(u->code);
}

void code_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u->trouble, title, cause, remedy);
}

void code_ui_take(struct ui *u, char dst[CODE_TYPED_MAX])
{
    g_strlcpy(dst, typed(u), CODE_TYPED_MAX);
    gtk_entry_set_text(GTK_ENTRY(u->code), "");
}

void code_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void code_ui_close(struct ui *u)
{
    gtk_widget_destroy(u->dialog);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    struct ui *u = data;

    if (response == GTK_RESPONSE_OK)
        code_give(u->d);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    code_gone(u->d);
    g_free(u);
}

struct ui *code_ui_new(struct code_dialog *d)
{
    struct ui *u = g_new0(struct ui, 1);
    GtkWidget *content, *grid = ui_grid();

    u->d = d;
    u->dialog = ui_dialog(d->app, TXT_CODE_TITLE);
    content = ui_content(u->dialog);
    u->code = ui_entry(TXT_CODE);
    gtk_entry_set_max_length(GTK_ENTRY(u->code), CODE_TYPED_MAX - 1);
    gtk_entry_set_input_purpose(GTK_ENTRY(u->code), GTK_INPUT_PURPOSE_PIN);
    gtk_entry_set_visibility(GTK_ENTRY(u->code), TRUE); /* the purpose hides it otherwise */
    ui_row(grid, 0, TXT_L_CODE, u->code);
    u->progress = ui_progress(NULL, NULL);
    u->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_CODE_WHAT));
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), u->progress);
    gtk_container_add(GTK_CONTAINER(content), u->trouble);
    ui_yes_no(u->dialog, TXT_B_CONNECT);
    g_signal_connect(u->code, "changed", G_CALLBACK(on_edited), u);
    on_edited(NULL, u);
    ui_dialog_show(u->dialog, u->code, G_CALLBACK(on_response), u, G_CALLBACK(on_destroy), u);
    return u;
}
