/* The main window: status in words, what is wrong, the list of forwards, the menus. */
#include <string.h>

#include "client/tray/app_gtk.h"
#include "client/tray/freeport.h"
#include "client/tray/icon_gtk.h"
#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"
#include "client/tray/words.h"

#define ICON_SIZE 48
#define COLUMNS   6

struct row_widgets {
    GtkWidget *mark, *name, *local, *target, *connections, *traffic, *note;
};

struct window {
    struct tray_app *app;
    GtkWidget *window, *icon, *headline, *detail, *trouble;
    GtkWidget *connect, *disconnect, *retry, *next;
    GtkWidget *menu[TRAY_CMD_COUNT]; /* entries of the menu bar; NULL = not there */
    GtkWidget *list, *empty, *said;
    GArray *rows; /* struct row_widgets */
    enum tray_shape shape;
};

/* Which forward a copy button belongs to, and which command a menu entry or a button means. */
static const char command_key[] = "pra-command", row_key[] = "pra-row";

static void on_command(GtkWidget *w, gpointer data)
{
    struct window *win = data;
    int command = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(w), command_key));
    int row = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(w), row_key));

    app_command(win->app, (enum tray_command)command, (size_t)row);
}

/* --- menus ------------------------------------------------------------------------------------ */

static GtkWidget *make_menus(struct window *w)
{
    struct words_menu_line lines[WORDS_MENU_LINES];
    GtkWidget *bar = gtk_menu_bar_new(), *sub = NULL, *item;

    words_menu_bar(lines);
    for (size_t i = 0; i < WORDS_MENU_LINES; i++) {
        enum tray_command command = lines[i].command;

        item = command == TRAY_CMD_LINE ? gtk_separator_menu_item_new()
                                        : gtk_menu_item_new_with_mnemonic(lines[i].label);
        if (command == TRAY_CMD_NONE) {
            sub = gtk_menu_new();
            gtk_menu_item_set_submenu(GTK_MENU_ITEM(item), sub);
        } else if (command != TRAY_CMD_LINE) {
            g_object_set_data(G_OBJECT(item), command_key, GINT_TO_POINTER((int)command));
            g_signal_connect(item, "activate", G_CALLBACK(on_command), w);
            w->menu[command] = item;
        }
        gtk_menu_shell_append(GTK_MENU_SHELL(command == TRAY_CMD_NONE ? bar : sub), item);
    }
    return bar;
}

/* --- the head: icon, status, buttons ---------------------------------------------------------- */

static GtkWidget *command_button(struct window *w, const char *label, enum tray_command command)
{
    GtkWidget *button = ui_button(label);

    g_object_set_data(G_OBJECT(button), command_key, GINT_TO_POINTER((int)command));
    g_signal_connect(button, "clicked", G_CALLBACK(on_command), w);
    gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
    return button;
}

static GtkWidget *make_head(struct window *w)
{
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, UI_SPACE);
    GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *caption = ui_label(TXT_STATUS);

    w->icon = gtk_image_new();
    w->headline = ui_heading("");
    w->detail = ui_label("");
    gtk_style_context_add_class(gtk_widget_get_style_context(caption), "dim-label");
    gtk_style_context_add_class(gtk_widget_get_style_context(w->detail), "dim-label");
    gtk_style_context_add_class(gtk_widget_get_style_context(w->headline), "pra-status");
    gtk_container_add(GTK_CONTAINER(words), caption);
    gtk_container_add(GTK_CONTAINER(words), w->headline);
    gtk_container_add(GTK_CONTAINER(words), w->detail);
    gtk_widget_set_valign(words, GTK_ALIGN_CENTER);
    w->retry = command_button(w, TXT_B_RETRY, TRAY_CMD_RETRY);
    w->connect = command_button(w, TXT_B_CONNECT, TRAY_CMD_CONNECT);
    w->disconnect = command_button(w, TXT_B_DISCONNECT, TRAY_CMD_DISCONNECT);
    w->next = command_button(w, "", TRAY_CMD_NONE);
    gtk_button_set_use_underline(GTK_BUTTON(w->next), TRUE);
    gtk_style_context_add_class(gtk_widget_get_style_context(w->next), "suggested-action");
    gtk_widget_set_no_show_all(w->next, TRUE);
    gtk_widget_set_no_show_all(w->retry, TRUE);
    gtk_box_pack_start(GTK_BOX(head), w->icon, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(head), words, TRUE, TRUE, 0);
    gtk_box_pack_end(GTK_BOX(head), w->disconnect, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(head), w->connect, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(head), w->retry, FALSE, FALSE, 0);
    gtk_box_pack_end(GTK_BOX(head), w->next, FALSE, FALSE, 0);
    return head;
}

/* --- the list --------------------------------------------------------------------------------- */

static GtkWidget *cell(GtkWidget *grid, int column, int line, const char *text)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
    gtk_label_set_width_chars(GTK_LABEL(label), 4);
    gtk_widget_set_hexpand(label, column == 1 || column == 3);
    gtk_grid_attach(GTK_GRID(grid), label, column, line, 1, 1);
    return label;
}

/* Columns of fixed content are as wide as it is; the others share what is left. */
static void never_shorten(GtkWidget *label)
{
    gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_NONE);
}

static void add_header(struct window *w)
{
    const char *const titles[COLUMNS] = {TXT_COL_STATE,  TXT_COL_NAME, TXT_COL_LOCAL,
                                         TXT_COL_TARGET, TXT_COL_OPEN, TXT_COL_TRAFFIC};

    for (int i = 0; i < COLUMNS; i++) {
        GtkWidget *label = cell(w->list, i, 0, titles[i]);

        never_shorten(label);
        gtk_style_context_add_class(gtk_widget_get_style_context(label), "dim-label");
    }
}

/* Forward i takes two lines of the grid: its cells, and below them what is in the way. */
static void add_row(struct window *w, int i)
{
    int line = 1 + 2 * i;
    struct row_widgets r;

    r.mark = cell(w->list, 0, line, "");
    r.name = cell(w->list, 1, line, "");
    r.local = gtk_button_new_with_label("");
    gtk_button_set_relief(GTK_BUTTON(r.local), GTK_RELIEF_NONE);
    gtk_widget_set_halign(r.local, GTK_ALIGN_START);
    gtk_widget_set_tooltip_text(r.local, TXT_CLICK_COPIES);
    g_object_set_data(G_OBJECT(r.local), command_key, GINT_TO_POINTER(TRAY_CMD_COPY));
    g_object_set_data(G_OBJECT(r.local), row_key, GINT_TO_POINTER(i));
    g_signal_connect(r.local, "clicked", G_CALLBACK(on_command), w);
    gtk_grid_attach(GTK_GRID(w->list), r.local, 2, line, 1, 1);
    r.target = cell(w->list, 3, line, "");
    r.connections = cell(w->list, 4, line, "");
    r.traffic = cell(w->list, 5, line, "");
    never_shorten(r.mark);
    never_shorten(r.traffic);
    r.note = ui_label("");
    gtk_label_set_max_width_chars(GTK_LABEL(r.note), 90);
    gtk_widget_set_margin_bottom(r.note, 6);
    gtk_widget_set_no_show_all(r.note, TRUE);
    gtk_grid_attach(GTK_GRID(w->list), r.note, 1, line + 1, COLUMNS - 1, 1);
    g_array_append_val(w->rows, r);
}

static void remove_row(struct window *w)
{
    struct row_widgets *r = &g_array_index(w->rows, struct row_widgets, w->rows->len - 1);
    GtkWidget *all[] = {r->mark, r->name, r->local, r->target, r->connections, r->traffic, r->note};

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        gtk_widget_destroy(all[i]);
    g_array_set_size(w->rows, w->rows->len - 1);
}

static void set_text(GtkWidget *label, const char *text)
{
    if (strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0)
        gtk_label_set_text(GTK_LABEL(label), text);
}

static void set_class(GtkWidget *w, const char *class, bool on)
{
    GtkStyleContext *style = gtk_widget_get_style_context(w);

    if (on)
        gtk_style_context_add_class(style, class);
    else
        gtk_style_context_remove_class(style, class);
}

static void set_note(GtkWidget *note, const struct tray_row *row)
{
    char text[FREEPORT_NOTE_MAX];

    freeport_note(row, text);
    set_text(note, text);
    gtk_widget_set_visible(note, text[0] != '\0');
}

static void fill_row(const struct row_widgets *r, const struct tray_row *row)
{
    char text[128], name[TRAY_CELL_MAX + 64];

    g_snprintf(text, sizeof(text), "%s %s", row->mark, row->word);
    set_text(r->mark, text);
    set_class(r->mark, "pra-good", row->ready);
    set_class(r->mark, "pra-bad", !row->ready);
    set_text(r->name, row->name);
    set_text(r->target, row->target);
    gtk_widget_set_tooltip_text(r->name, row->name);
    gtk_widget_set_tooltip_text(r->target, row->target);
    if (g_strcmp0(gtk_button_get_label(GTK_BUTTON(r->local)), row->local) != 0)
        gtk_button_set_label(GTK_BUTTON(r->local), row->local);
    g_snprintf(name, sizeof(name), TXT_COPY_ADDRESS, row->local);
    ui_name(r->local, name);
    set_text(r->connections, row->connections);
    set_text(r->traffic, row->traffic);
    set_note(r->note, row);
}

static void update_list(struct window *w)
{
    const json_t *status = w->app->facts.status;
    size_t count = tray_row_count(status);
    struct tray_row row;

    while (w->rows->len > count)
        remove_row(w);
    while (w->rows->len < count)
        add_row(w, (int)w->rows->len);
    gtk_widget_show_all(w->list);
    for (size_t i = 0; i < count; i++) {
        tray_row(status, i, &row);
        fill_row(&g_array_index(w->rows, struct row_widgets, i), &row);
    }
    gtk_widget_set_visible(w->list, count > 0);
    gtk_widget_set_visible(w->empty, count == 0);
}

static GtkWidget *make_list(struct window *w)
{
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);

    w->list = ui_name(gtk_grid_new(), TXT_FORWARDS);
    gtk_grid_set_column_spacing(GTK_GRID(w->list), 18);
    gtk_grid_set_row_spacing(GTK_GRID(w->list), 2);
    add_header(w);
    w->empty = ui_label(TXT_NO_FORWARDS);
    gtk_style_context_add_class(gtk_widget_get_style_context(w->empty), "dim-label");
    gtk_label_set_xalign(GTK_LABEL(w->empty), 0.5f);
    gtk_widget_set_no_show_all(w->empty, TRUE);
    gtk_box_pack_start(GTK_BOX(box), w->list, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(box), w->empty, TRUE, TRUE, 0);
    gtk_container_set_border_width(GTK_CONTAINER(box), UI_SPACE);
    gtk_container_add(GTK_CONTAINER(scrolled), box);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_AUTOMATIC,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_shadow_type(GTK_SCROLLED_WINDOW(scrolled), GTK_SHADOW_IN);
    return scrolled;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void set_icon(struct window *w, enum tray_shape shape)
{
    int scale = gtk_widget_get_scale_factor(w->window);
    cairo_surface_t *surface = icon_draw(shape, ICON_SIZE * scale);
    char name[64];

    cairo_surface_set_device_scale(surface, scale, scale);
    gtk_image_set_from_surface(GTK_IMAGE(w->icon), surface);
    cairo_surface_destroy(surface);
    g_snprintf(name, sizeof(name), "%s: %s", TXT_STATUS, tray_shape_word(shape));
    ui_name(w->icon, name);
    w->shape = shape;
}

/* The button that leads on, for who does not know where to begin. */
static void set_next(struct window *w, enum tray_step step)
{
    const char *label;
    enum tray_command command = words_next_step(step, &label);

    if (g_strcmp0(gtk_button_get_label(GTK_BUTTON(w->next)), label) != 0)
        gtk_button_set_label(GTK_BUTTON(w->next), label);
    g_object_set_data(G_OBJECT(w->next), command_key, GINT_TO_POINTER((int)command));
    gtk_widget_set_visible(w->next, command != TRAY_CMD_NONE);
}

void window_update(struct window *w)
{
    const struct tray_view *view = &w->app->view;
    char title[WORDS_TITLE_MAX];

    set_icon(w, view->shape);
    set_text(w->headline, view->headline);
    set_text(w->detail, view->detail);
    gtk_widget_set_visible(w->detail, view->detail[0] != '\0');
    gtk_widget_set_sensitive(w->connect, view->can_connect);
    gtk_widget_set_sensitive(w->disconnect, view->can_disconnect);
    gtk_widget_set_visible(w->retry, view->can_retry);
    for (int i = 0; i < TRAY_CMD_COUNT; i++)
        if (w->menu[i] != NULL)
            gtk_widget_set_sensitive(w->menu[i],
                                     words_command_on(&w->app->facts, view, (enum tray_command)i));
    if (view->has_trouble) {
        words_title(&view->trouble, title);
        ui_trouble_show(w->trouble, title, view->trouble.cause, view->trouble.remedy);
    } else {
        ui_trouble_show(w->trouble, "", "", "");
    }
    set_next(w, view->next);
    update_list(w);
}

/* Closing puts the window away while a tray shows the icon; else it ends the program. */
static gboolean on_delete(GtkWidget *widget, GdkEvent *event, gpointer data)
{
    struct window *w = data;

    (void)event;
    if (shell_hides(w->app))
        gtk_widget_hide(widget);
    else
        app_command(w->app, TRAY_CMD_QUIT, 0);
    return TRUE;
}

struct window *window_new(struct tray_app *app)
{
    struct window *w = g_new0(struct window, 1);
    GtkWidget *outer = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *inner = gtk_box_new(GTK_ORIENTATION_VERTICAL, UI_SPACE);

    w->app = app;
    w->rows = g_array_new(FALSE, TRUE, sizeof(struct row_widgets));
    w->window = gtk_application_window_new(app->shell->gtk);
    gtk_window_set_title(GTK_WINDOW(w->window), "PRA");
    gtk_window_set_icon_name(GTK_WINDOW(w->window), "pra-tray");
    gtk_window_set_default_size(GTK_WINDOW(w->window), 820, 460);
    g_signal_connect(w->window, "delete-event", G_CALLBACK(on_delete), w);
    gtk_box_pack_start(GTK_BOX(outer), make_menus(w), FALSE, FALSE, 0);
    gtk_container_set_border_width(GTK_CONTAINER(inner), UI_SPACE);
    /* Without a least width the window would be as high as its text needs in the narrowest form. */
    gtk_widget_set_size_request(inner, 700, -1);
    gtk_box_pack_start(GTK_BOX(inner), make_head(w), FALSE, FALSE, 0);
    w->trouble = ui_trouble();
    gtk_box_pack_start(GTK_BOX(inner), w->trouble, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(inner), make_list(w), TRUE, TRUE, 0);
    w->said = ui_label("");
    gtk_style_context_add_class(gtk_widget_get_style_context(w->said), "dim-label");
    gtk_box_pack_start(GTK_BOX(inner), w->said, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(outer), inner, TRUE, TRUE, 0);
    gtk_container_add(GTK_CONTAINER(w->window), outer);
    gtk_widget_show_all(outer);
    window_update(w);
    gtk_widget_grab_focus(app->view.can_connect ? w->connect : w->disconnect);
    return w;
}

void window_present(struct window *w)
{
    gtk_window_present(GTK_WINDOW(w->window));
}

void window_say(struct window *w, const char *text)
{
    gtk_label_set_text(GTK_LABEL(w->said), text);
}

bool window_shown(const struct window *w)
{
    return w != NULL && gtk_widget_get_visible(w->window);
}

GtkWindow *window_gtk(const struct window *w)
{
    return GTK_WINDOW(w->window);
}

void window_free(struct window *w)
{
    if (w == NULL)
        return;
    gtk_widget_destroy(w->window);
    g_array_free(w->rows, TRUE);
    g_free(w);
}
