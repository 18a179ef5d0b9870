/* pool_gtk.h */
#include "client/tray/pool_gtk.h"

#include "client/tray/texts.h"
#include "client/tray/ui_gtk.h"

#define CELL_PX 13

struct pool {
    GtkWidget *picture, *bar, *words;
    struct pool_state *state;
    void (*on_filled)(gpointer data);
    gpointer data;
};

static void fed(struct pool *p, bool filled)
{
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(p->bar), (double)p->state->filled / POOL_CELLS);
    gtk_widget_queue_draw(p->picture);
    if (filled) {
        gtk_label_set_text(GTK_LABEL(p->words), TXT_POOL_FULL);
        p->on_filled(p->data);
    }
}

static gboolean on_motion(GtkWidget *w, GdkEventMotion *motion, gpointer data)
{
    struct pool *p = data;

    (void)w;
    fed(p, pool_state_move(p->state, g_get_monotonic_time(), motion->time, motion->x_root,
                           motion->y_root));
    return FALSE;
}

static gboolean on_key(GtkWidget *w, GdkEventKey *key, gpointer data)
{
    struct pool *p = data;

    (void)w;
    fed(p, pool_state_key(p->state, g_get_monotonic_time(), key->time));
    return FALSE;
}

static gboolean on_draw(GtkWidget *w, cairo_t *cr, gpointer data)
{
    struct pool *p = data;
    GdkRGBA text;

    gtk_style_context_get_color(gtk_widget_get_style_context(w), GTK_STATE_FLAG_NORMAL, &text);
    for (guint i = 0; i < POOL_CELLS; i++) {
        guint column = i % POOL_CELLS_X, line = i / POOL_CELLS_X;
        double x = column * CELL_PX, y = line * CELL_PX;

        if (i < p->state->filled)
            cairo_set_source_rgba(cr, 0.21, 0.52, 0.89, 0.25 + 0.75 * p->state->cell[i] / 255.0);
        else
            cairo_set_source_rgba(cr, text.red, text.green, text.blue, 0.1);
        cairo_rectangle(cr, x + 1, y + 1, CELL_PX - 2, CELL_PX - 2);
        cairo_fill(cr);
    }
    return FALSE;
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    (void)w;
    g_free(data);
}

GtkWidget *pool_new(GtkWidget *window, struct pool_state *state, void (*filled)(gpointer data),
                    gpointer data)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    struct pool *p = g_new0(struct pool, 1);

    p->state = state;
    p->on_filled = filled;
    p->data = data;
    p->picture = ui_name(gtk_drawing_area_new(), TXT_POOL);
    gtk_widget_set_size_request(p->picture, POOL_CELLS_X * CELL_PX, POOL_CELLS_Y * CELL_PX);
    gtk_widget_set_halign(p->picture, GTK_ALIGN_CENTER);
    p->bar = ui_name(gtk_progress_bar_new(), TXT_POOL);
    p->words = ui_label(TXT_POOL_FEED);
    gtk_container_add(GTK_CONTAINER(box), p->words);
    gtk_container_add(GTK_CONTAINER(box), p->picture);
    gtk_container_add(GTK_CONTAINER(box), p->bar);
    gtk_widget_add_events(window, GDK_POINTER_MOTION_MASK);
    g_signal_connect(p->picture, "draw", G_CALLBACK(on_draw), p);
    g_signal_connect(window, "motion-notify-event", G_CALLBACK(on_motion), p);
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), p);
    g_signal_connect(window, "destroy", G_CALLBACK(on_destroy), p);
    return box;
}
