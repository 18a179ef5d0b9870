/* ui_gtk.h */
#include "client/tray/ui_gtk.h"

#include <stdlib.h>

#include "client/tray/texts.h"
#include "common/i18n.h"

#define PROGRESS_MS 100

GtkWidget *ui_name(GtkWidget *w, const char *name)
{
    atk_object_set_name(gtk_widget_get_accessible(w), name);
    return w;
}

GtkWidget *ui_dialog(struct tray_app *app, const char *title)
{
    GtkWidget *dialog = gtk_dialog_new();
    GtkWindow *parent = app_parent(app);

    gtk_window_set_title(GTK_WINDOW(dialog), title);
    gtk_window_set_icon_name(GTK_WINDOW(dialog), "pra-tray");
    gtk_window_set_resizable(GTK_WINDOW(dialog), FALSE);
    gtk_container_set_border_width(GTK_CONTAINER(dialog),
                                   UI_SPACE / 2); /* around the buttons, too */
    if (parent != NULL)
        gtk_window_set_transient_for(GTK_WINDOW(dialog), parent);
    gtk_application_add_window(app->shell->gtk, GTK_WINDOW(dialog));
    gtk_box_set_spacing(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), UI_SPACE);
    return dialog;
}

void ui_dialog_show(GtkWidget *dialog, GtkWidget *first, GCallback answered, gpointer who,
                    GCallback gone, gpointer ui)
{
    g_signal_connect(dialog, "response", answered, who);
    g_signal_connect(dialog, "destroy", gone, ui);
    gtk_widget_show_all(dialog);
    if (first != NULL)
        gtk_widget_grab_focus(first);
    gtk_window_present(GTK_WINDOW(dialog));
}

GtkWidget *ui_content(GtkWidget *dialog)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, UI_SPACE);

    gtk_widget_set_margin_start(box, UI_SPACE / 2);
    gtk_widget_set_margin_end(box, UI_SPACE / 2);
    gtk_widget_set_margin_top(box, UI_SPACE / 2);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), box, TRUE, TRUE,
                       0);
    return box;
}

GtkWidget *ui_label(const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_line_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 62);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    /* Text that can be marked would else be a stop of the Tab key. */
    gtk_widget_set_can_focus(label, FALSE);
    return label;
}

GtkWidget *ui_heading(const char *text)
{
    GtkWidget *label = ui_label(text);
    PangoAttrList *attrs = pango_attr_list_new();

    pango_attr_list_insert(attrs, pango_attr_weight_new(PANGO_WEIGHT_BOLD));
    gtk_label_set_attributes(GTK_LABEL(label), attrs);
    pango_attr_list_unref(attrs);
    return label;
}

GtkWidget *ui_entry(const char *name)
{
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_width_chars(GTK_ENTRY(entry), 36);
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_widget_set_hexpand(entry, TRUE);
    return ui_name(entry, name);
}

GtkWidget *ui_secret(const char *name)
{
    GtkWidget *entry = ui_entry(name);

    gtk_entry_set_visibility(GTK_ENTRY(entry), FALSE);
    gtk_entry_set_input_purpose(GTK_ENTRY(entry), GTK_INPUT_PURPOSE_PASSWORD);
    gtk_entry_set_max_length(GTK_ENTRY(entry), KEYFILE_PASS_MAX);
    return entry;
}

GtkWidget *ui_button(const char *label)
{
    GtkWidget *button = gtk_button_new_with_mnemonic(label);

    gtk_widget_set_can_default(button, TRUE);
    return button;
}

/* What ui_progress() keeps with its bar. */
struct progress {
    double (*part)(gconstpointer data);
    gconstpointer data;
    guint timer;
};

static struct progress *progress_of(GtkWidget *bar)
{
    return g_object_get_data(G_OBJECT(bar), "pra-progress");
}

static gboolean on_progress(gpointer bar)
{
    const struct progress *p = progress_of(bar);
    double part = p->part != NULL ? p->part(p->data) : -1;

    if (part >= 0)
        gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(bar), part);
    else
        gtk_progress_bar_pulse(GTK_PROGRESS_BAR(bar));
    return G_SOURCE_CONTINUE;
}

static void progress_stop(struct progress *p)
{
    if (p->timer != 0)
        g_source_remove(p->timer);
    p->timer = 0;
}

static void on_progress_destroy(GtkWidget *bar, gpointer data)
{
    (void)data;
    progress_stop(progress_of(bar));
}

GtkWidget *ui_progress(double (*part)(gconstpointer data), gconstpointer data)
{
    GtkWidget *bar = gtk_progress_bar_new();
    struct progress *p = g_new0(struct progress, 1);

    p->part = part;
    p->data = data;
    g_object_set_data_full(G_OBJECT(bar), "pra-progress", p, g_free);
    g_signal_connect(bar, "destroy", G_CALLBACK(on_progress_destroy), NULL);
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(bar), TRUE);
    gtk_widget_set_no_show_all(bar, TRUE);
    return ui_name(bar, TXT_PROGRESS);
}

void ui_progress_run(GtkWidget *bar, bool on, const char *words)
{
    struct progress *p = progress_of(bar);

    gtk_progress_bar_set_text(GTK_PROGRESS_BAR(bar), words);
    gtk_widget_set_visible(bar, on);
    if (!on)
        progress_stop(p);
    else if (p->timer == 0)
        p->timer = g_timeout_add(PROGRESS_MS, on_progress, bar);
}

void ui_yes_no(GtkWidget *dialog, const char *action)
{
    GtkWidget *yes;

    gtk_dialog_add_button(GTK_DIALOG(dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    yes = gtk_dialog_add_button(GTK_DIALOG(dialog), action, GTK_RESPONSE_OK);
    gtk_style_context_add_class(gtk_widget_get_style_context(yes), "suggested-action");
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
}

GtkWidget *ui_grid(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_row_spacing(GTK_GRID(grid), UI_SPACE / 2);
    gtk_grid_set_column_spacing(GTK_GRID(grid), UI_SPACE);
    return grid;
}

void ui_row(GtkWidget *grid, int row, const char *label, GtkWidget *widget)
{
    GtkWidget *l = gtk_label_new_with_mnemonic(label);

    gtk_label_set_xalign(GTK_LABEL(l), 1);
    gtk_label_set_mnemonic_widget(GTK_LABEL(l), widget);
    gtk_grid_attach(GTK_GRID(grid), l, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), widget, 1, row, 1, 1);
}

/* --- messages and questions ------------------------------------------------------------------- */

static GtkWidget *message_dialog(struct tray_app *app, GtkMessageType type, const char *title,
                                 const char *text)
{
    GtkWidget *dialog =
        gtk_message_dialog_new(app_parent(app), 0, type, GTK_BUTTONS_NONE, "%s", title);

    gtk_window_set_title(GTK_WINDOW(dialog), "PRA");
    gtk_window_set_icon_name(GTK_WINDOW(dialog), "pra-tray");
    gtk_application_add_window(app->shell->gtk, GTK_WINDOW(dialog));
    if (text != NULL && text[0] != '\0')
        gtk_message_dialog_format_secondary_text(GTK_MESSAGE_DIALOG(dialog), "%s", text);
    ui_name(dialog, title);
    return dialog;
}

void ask_message(struct tray_app *app, enum ask_icon icon, const char *title, const char *text)
{
    static const GtkMessageType types[] = {GTK_MESSAGE_INFO, GTK_MESSAGE_WARNING,
                                           GTK_MESSAGE_ERROR};
    GtkWidget *dialog = message_dialog(app, types[icon], title, text);

    gtk_dialog_add_button(GTK_DIALOG(dialog), TXT_B_OK, GTK_RESPONSE_OK);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
    g_signal_connect(dialog, "response", G_CALLBACK(gtk_widget_destroy), NULL);
    gtk_window_present(GTK_WINDOW(dialog));
}

struct question {
    void (*yes)(void *data);
    void *data;
    bool owned;
};

static void on_answer(GtkDialog *dialog, gint response, gpointer data)
{
    struct question *kept = data, q = *kept;

    kept->owned = false; /* `yes` still reads the data */
    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT)
        q.yes(q.data);
    if (q.owned)
        free(q.data);
}

static void free_question(gpointer data, GClosure *closure)
{
    struct question *q = data;

    (void)closure;
    if (q->owned)
        free(q->data);
    g_free(q);
}

static void free_closure(gpointer data, GClosure *closure)
{
    (void)closure;
    g_free(data);
}

void ask(struct tray_app *app, const struct ask_question *question)
{
    GtkWidget *dialog = message_dialog(app, GTK_MESSAGE_QUESTION, question->title, question->text);
    GtkWidget *cancel =
        gtk_dialog_add_button(GTK_DIALOG(dialog), TXT_B_CANCEL, GTK_RESPONSE_CANCEL);
    GtkWidget *yes =
        gtk_dialog_add_button(GTK_DIALOG(dialog), question->action, GTK_RESPONSE_ACCEPT);
    struct question *q = g_new0(struct question, 1);

    *q = (struct question){.yes = question->yes, .data = question->data, .owned = question->owned};
    gtk_dialog_set_default_response(GTK_DIALOG(dialog),
                                    question->careful ? GTK_RESPONSE_CANCEL : GTK_RESPONSE_ACCEPT);
    gtk_widget_grab_focus(question->careful ? cancel : yes);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_answer), q, free_question, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

/* --- what is wrong ---------------------------------------------------------------------------- */

GtkWidget *ui_trouble(void)
{
    GtkWidget *frame = gtk_frame_new(NULL), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    GtkWidget *title = ui_heading(""), *cause = ui_label(""), *remedy = ui_label("");

    gtk_container_set_border_width(GTK_CONTAINER(box), 8);
    gtk_container_add(GTK_CONTAINER(box), title);
    gtk_container_add(GTK_CONTAINER(box), cause);
    gtk_container_add(GTK_CONTAINER(box), remedy);
    gtk_container_add(GTK_CONTAINER(frame), box);
    gtk_style_context_add_class(gtk_widget_get_style_context(title), "pra-bad");
    g_object_set_data(G_OBJECT(frame), "title", title);
    g_object_set_data(G_OBJECT(frame), "cause", cause);
    g_object_set_data(G_OBJECT(frame), "remedy", remedy);
    gtk_widget_show_all(box);
    gtk_widget_set_no_show_all(frame, TRUE);
    atk_object_set_role(gtk_widget_get_accessible(frame), ATK_ROLE_NOTIFICATION);
    return frame;
}

static void set_part(GtkWidget *box, const char *part, const char *text)
{
    GtkWidget *label = g_object_get_data(G_OBJECT(box), part);

    /* Every second a countdown comes by; what is marked shall stay marked. */
    if (g_strcmp0(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        gtk_label_set_text(GTK_LABEL(label), text);
    gtk_widget_set_visible(label, text[0] != '\0');
}

void ui_trouble_show(GtkWidget *box, const char *title, const char *cause, const char *remedy)
{
    set_part(box, "title", title);
    set_part(box, "cause", cause);
    set_part(box, "remedy", remedy);
    gtk_widget_set_visible(box, title[0] != '\0');
}

/* --- files ------------------------------------------------------------------------------------ */

struct choice {
    void (*chosen)(gpointer data, const char *path);
    gpointer data;
};

static void on_file(GtkDialog *dialog, gint response, gpointer data)
{
    struct choice c = *(struct choice *)data;
    char *path = gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog));

    gtk_widget_destroy(GTK_WIDGET(dialog));
    if (response == GTK_RESPONSE_ACCEPT && path != NULL)
        c.chosen(c.data, path);
    g_free(path);
}

void ui_save_as(struct tray_app *app, GtkWidget *parent, const char *title, const char *name,
                void (*chosen)(gpointer data, const char *path), gpointer data)
{
    GtkWidget *dialog = gtk_file_chooser_dialog_new(
        title, GTK_WINDOW(parent), GTK_FILE_CHOOSER_ACTION_SAVE, TXT_B_CANCEL, GTK_RESPONSE_CANCEL,
        TXT_B_SAVE, GTK_RESPONSE_ACCEPT, NULL);
    struct choice *c = g_new0(struct choice, 1);

    *c = (struct choice){.chosen = chosen, .data = data};
    gtk_application_add_window(app->shell->gtk, GTK_WINDOW(dialog));
    gtk_window_set_destroy_with_parent(GTK_WINDOW(dialog), TRUE);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
    gtk_file_chooser_set_do_overwrite_confirmation(GTK_FILE_CHOOSER(dialog), FALSE);
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), g_get_home_dir());
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), name);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_file), c, free_closure, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

void ui_open(struct tray_app *app, const char *title, const char *pattern,
             void (*chosen)(gpointer data, const char *path), gpointer data)
{
    GtkWidget *dialog = gtk_file_chooser_dialog_new(
        title, app_parent(app), GTK_FILE_CHOOSER_ACTION_OPEN, TXT_B_CANCEL, GTK_RESPONSE_CANCEL,
        TXT_B_OPEN, GTK_RESPONSE_ACCEPT, NULL);
    GtkFileFilter *filter = gtk_file_filter_new();
    struct choice *c = g_new0(struct choice, 1);

    *c = (struct choice){.chosen = chosen, .data = data};
    gtk_application_add_window(app->shell->gtk, GTK_WINDOW(dialog));
    gtk_window_set_destroy_with_parent(GTK_WINDOW(dialog), TRUE);
    gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
    gtk_file_chooser_set_current_folder(GTK_FILE_CHOOSER(dialog), g_get_home_dir());
    gtk_file_filter_add_pattern(filter, pattern);
    gtk_file_filter_set_name(filter, pattern);
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(dialog), filter);
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_file), c, free_closure, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}
