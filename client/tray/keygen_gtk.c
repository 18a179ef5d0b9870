/* 鍵生成 (keygen_dialog.h) in GTK. */
#include "client/tray/keygen_dialog.h"
#include "client/tray/pool_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "common/i18n.h"

struct ui {
    struct keygen_dialog *d;
    GtkWidget *dialog, *user, *passphrase, *again, *bar, *words, *advice, *progress, *trouble;
};

static void read_entry(GtkWidget *entry, char *dst, size_t cap)
{
    g_strlcpy(dst, gtk_entry_get_text(GTK_ENTRY(entry)), cap);
}

void keygen_ui_read(struct ui *u, struct keygen_typed *t)
{
    read_entry(u->user, t->user, sizeof(t->user));
    read_entry(u->passphrase, t->passphrase, sizeof(t->passphrase));
    read_entry(u->again, t->again, sizeof(t->again));
}

void keygen_ui_show(struct ui *u, double strength, const char *words, const char *advice,
                    bool ready)
{
    gtk_level_bar_set_value(GTK_LEVEL_BAR(u->bar), strength);
    gtk_label_set_text(GTK_LABEL(u->words), words);
    gtk_label_set_text(GTK_LABEL(u->advice), advice);
    gtk_dialog_set_response_sensitive(GTK_DIALOG(u->dialog), GTK_RESPONSE_OK, ready);
}

static double part(gconstpointer data)
{
    return keygen_part(data);
}

void keygen_ui_busy(struct ui *u)
{
    GtkWidget *inputs[] = {u->user, u->passphrase, u->again};
    bool busy = u->d->busy;

    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
        gtk_widget_set_sensitive(inputs[i], !busy);
    ui_progress_run(u->progress, busy, TXT_MAKING_KEY);
}

void keygen_ui_trouble(struct ui *u, const char *title, const char *cause, const char *remedy)
{
    ui_trouble_show(u->trouble, title, cause, remedy);
}

void keygen_ui_front(struct ui *u)
{
    gtk_window_present(GTK_WINDOW(u->dialog));
}

void keygen_ui_close(struct ui *u)
{
    gtk_widget_destroy(u->dialog);
}

static void on_edited(GtkEditable *editable, gpointer data)
{
    (void)editable;
    keygen_look(data);
}

static void on_filled(gpointer data)
{
    keygen_look(data);
}

static void on_response(GtkDialog *dialog, gint response, gpointer data)
{
    if (response == GTK_RESPONSE_OK)
        keygen_begin(data);
    else
        gtk_widget_destroy(GTK_WIDGET(dialog));
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct ui *u = data;

    (void)w;
    keygen_gone(u->d);
    g_free(u);
}

static GtkWidget *make_form(struct ui *u, const char *user)
{
    GtkWidget *grid = ui_grid(), *strength = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_SPACE);

    u->user = ui_entry(TXT_USER);
    gtk_entry_set_text(GTK_ENTRY(u->user), user);
    u->passphrase = ui_secret(TXT_PASSPHRASE);
    u->again = ui_secret(TXT_AGAIN);
    u->bar = ui_name(gtk_level_bar_new(), TXT_STRENGTH);
    gtk_widget_set_valign(u->bar, GTK_ALIGN_CENTER);
    u->words = gtk_label_new("");
    gtk_label_set_width_chars(GTK_LABEL(u->words),
                              i18n_lang() == LANG_JA ? 14 : 24); /* of its own */
    gtk_label_set_xalign(GTK_LABEL(u->words), 0);
    gtk_box_pack_start(GTK_BOX(strength), u->bar, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(strength), u->words, FALSE, FALSE, 0);
    ui_row(grid, 0, TXT_L_USER, u->user);
    ui_row(grid, 1, TXT_L_PASSPHRASE, u->passphrase);
    ui_row(grid, 2, TXT_L_AGAIN, u->again);
    ui_row(grid, 3, TXT_L_STRENGTH, strength);
    return grid;
}

static void build(struct ui *u, const char *user)
{
    GtkWidget *content;

    u->dialog = ui_dialog(u->d->app, TXT_KEYGEN_TITLE);
    content = ui_content(u->dialog);
    gtk_container_add(GTK_CONTAINER(content), ui_label(TXT_KEYGEN_INTRO));
    gtk_container_add(GTK_CONTAINER(content), make_form(u, user));
    gtk_container_add(GTK_CONTAINER(content), pool_new(u->dialog, &u->d->pool, on_filled, u->d));
    u->advice = ui_label("");
    gtk_label_set_width_chars(GTK_LABEL(u->advice), 50);
    u->progress = ui_progress(part, u->d);
    u->trouble = ui_trouble();
    gtk_container_add(GTK_CONTAINER(content), u->advice);
    gtk_container_add(GTK_CONTAINER(content), u->progress);
    gtk_container_add(GTK_CONTAINER(content), u->trouble);
    ui_yes_no(u->dialog, TXT_B_GENERATE);
}

struct ui *keygen_ui_new(struct keygen_dialog *d, const char *user)
{
    struct ui *u = g_new0(struct ui, 1);

    u->d = d;
    build(u, user);
    d->ui = u; /* what is typed is looked at from now on */
    g_signal_connect(u->user, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(u->passphrase, "changed", G_CALLBACK(on_edited), d);
    g_signal_connect(u->again, "changed", G_CALLBACK(on_edited), d);
    ui_dialog_show(u->dialog, user[0] != '\0' ? u->passphrase : u->user, G_CALLBACK(on_response), d,
                   G_CALLBACK(on_destroy), u);
    gtk_editable_select_region(GTK_EDITABLE(u->user), 0, 0); /* what has no focus is not marked */
    return u;
}
