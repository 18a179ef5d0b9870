/* A connection profile that was opened (profile_dialog.h), in GTK. */
#include "client/tray/profile_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct ui {
    struct profile_dialog *d;
    GtkWidget *dialog, *trouble;
};

void profile_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u->trouble, title, cause, remedy);
}

void profile_ui_close(struct ui *u)
{
    gtk_widget_destroy(u->dialog);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    if (response == GTK_RESPONSE_OK)
        profile_use(data);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    profile_gone(u->d);
    g_free(u);
}

static GtkWidget *bad(GtkWidget *label)
{
    gtk_style_context_add_class(gtk_widget_get_style_context(label), "pra-bad");
    return label;
}

/* Rows with the profile's word and, below it where that differs, the one that is set now. */
static GtkWidget *make_grid(const struct profile_dialog *d)
{
    struct profile_row rows[PROFILE_ROWS];
    size_t count = profile_rows(d, rows);
    GtkWidget *grid = ui_grid();
    int line = 0;

    for (size_t i = 0; i < count; i++) {
        ui_row(grid, line++, rows[i].label, ui_label(rows[i].word));
        if (rows[i].was[0] != '\0')
            gtk_grid_attach(GTK_GRID(grid), bad(ui_label(rows[i].was)), 1, line++, 1, 1);
    }
    return grid;
}

static void build(struct ui *u)
{
    GtkWidget *content, *words = ui_label(profile_effect_words(u->d->effect)), *cancel, *use;

    u->dialog = ui_dialog(u->d->app, TXT_PROFILE);
    content = ui_content(u->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_heading(TXT_PROFILE_ASK));
    gtk_container_add(GTK_CONTAINER(content), profile_alarms(u->d) ? bad(words) : words);
    gtk_container_add(GTK_CONTAINER(content), make_grid(u->d));
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_PROFILE_CAREFUL));
    u->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), u->trouble);
    cancel = gtk_dialog_add_button(GTK_DIALOG(u->dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    use = gtk_dialog_add_button(GTK_DIALOG(u->dialog), TXT_B_USE, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(use),
                                u->d->effect >= PROFILE_OTHER_USER ? "destructive-action"
                                                                   : "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(u->dialog), GTK_RESPONSE_CANCEL);
    gtk_widget_grab_focus(cancel);
}

struct ui *profile_ui_new(struct profile_dialog *d)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u);
    ui_dialog_show(u->dialog, NULL, G_CALLBACK(on_response), d, G_CALLBACK(on_destroy), u);
    return u;
}

static void on_chosen(gpointer data, const char *path)
{
    profile_dialog_open(data, path);
}

void profile_dialog_choose(struct tray_app *app)
{
    ui_open(app, TXT_PROFILE_OPEN, "*.pra", on_chosen, app);
}
