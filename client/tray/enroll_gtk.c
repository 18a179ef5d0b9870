/* 登録コードで登録 (enroll_dialog.h) in GTK, whose entry wipes its memory. */
#include "client/tray/enroll_dialog.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

struct ui {
    struct enroll_dialog *d;
    GtkWidget *dialog, *code, *passphrase, *progress, *trouble;
    GtkWidget *waits, *user, *fingerprint, *expires;
};

static const char *entry_text(GtkWidget *entry)
{
    return gtk_entry_get_text(GTK_ENTRY(entry));
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    struct ui *u = data;

    (void)editable;
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), GTK_RESPONSE_OK,
                                      enroll_can_begin(u->d, entry_text(u->code)[0] != '\0',
                                                       entry_text(u->passphrase)[0] != '\0'));
}

void enroll_ui_read(struct ui *u, struct enroll_typed *t)
{
    g_strlcpy(t->code, entry_text(u->code), sizeof(t->code));
    g_strlcpy(t->passphrase, entry_text(u->passphrase), sizeof(t->passphrase));
}

void enroll_ui_phase(struct ui *u, const char *words)
{
    bool input = u->d->phase == ENROLL_INPUT;

    gtk_widget_set_sensitive(u->code, input);
    gtk_widget_set_sensitive(u->passphrase, input);
    gtk_widget_set_visible(u->waits, u->d->phase == ENROLL_WAITING);
    ui_progress_run(u->progress, !input, words);
    on_edited(NULL, u);
}

void enroll_ui_waits(struct ui *u, const struct enroll_waits *w)
{
    gtk_label_set_text(GTK_LABEL(u->user), w->user);
    gtk_label_set_text(GTK_LABEL(u->fingerprint), w->fingerprint);
    gtk_label_set_text(GTK_LABEL(u->expires), w->expires);
}

void enroll_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u->trouble, title, cause, remedy);
}

void enroll_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void enroll_ui_close(struct ui *u)
{
    gtk_widget_destroy(u->dialog);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    if (response == GTK_RESPONSE_OK)
        enroll_begin(data);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    enroll_gone(u->d);
    g_free(u);
}

/* What the administrator is shown as well; hidden until there is something. */
static GtkWidget *make_waits(struct ui *u)
{
    GtkWidget *grid = ui_grid();

    u->waits = gtk_box_new(GTK_ORIENTATION_VERTICAL, UI_SPACE);
    u->user = ui_label("");
    u->fingerprint = ui_label("");
    u->expires = ui_label("");
    ui_row(grid, 0, TXT_L_ITS_USER, u->user);
    ui_row(grid, 1, TXT_L_KEY_FINGERPRINT, u->fingerprint);
    ui_row(grid, 2, TXT_L_EXPIRES, u->expires);
    gtk_container_add(GTK_CONTAINER(u->waits), ui_label(TXT_ENROLL_WAITS));
    gtk_container_add(GTK_CONTAINER(u->waits), grid);
    gtk_widget_show_all(u->waits);
    gtk_widget_set_no_show_all(u->waits, TRUE);
    gtk_widget_hide(u->waits);
    return u->waits;
}

static void build(struct ui *u)
{
    GtkWidget *content, *grid = ui_grid();

    u->dialog = ui_dialog(u->d->app, TXT_ENROLL_TITLE);
    content = ui_content(u->dialog);
    u->code = ui_entry(TXT_ENROLL_CODE);
    gtk_entry_set_max_length(GTK_ENTRY(u->code), ENROLL_TYPED_MAX - 1);
    u->passphrase = ui_secret(TXT_PASSPHRASE);
    ui_row(grid, 0, TXT_L_ENROLL_CODE, u->code);
    ui_row(grid, 1, TXT_L_PASSPHRASE, u->passphrase);
    u->progress = ui_progress(NULL, NULL);
    u->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_ENROLL_INTRO));
    gtk_container_add(GTK_CONTAINER(content), grid);
    gtk_container_add(GTK_CONTAINER(content), make_waits(u));
    gtk_container_add(GTK_CONTAINER(content), u->progress);
    gtk_container_add(GTK_CONTAINER(content), u->trouble);
    ui_yes_no(u->dialog, TXT_B_ENROLL);
}

struct ui *enroll_ui_new(struct enroll_dialog *d)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u);
    g_signal_connect(u->code, "changed", G_CALLBACK(on_edited), u);
    g_signal_connect(u->passphrase, "changed", G_CALLBACK(on_edited), u);
    on_edited(NULL, u);
    ui_dialog_show(u->dialog, u->code, G_CALLBACK(on_response), d, G_CALLBACK(on_destroy), u);
    return u;
}
