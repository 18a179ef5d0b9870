/* pool.h */
#include "client/tray/pool.h"

#include <string.h>

#include "client/tray/ui.h"
#include "common/crypto.h"
#include "common/i18n.h"

#define CELLS_X 32
#define CELLS_Y 6
#define CELLS   (CELLS_X * CELLS_Y)
#define CELL_PX 13

/* A movement fills one cell, a key several: nobody types as often as a mouse moves. */
#define CELLS_PER_KEY 5

struct pool {
    GtkWidget *box, *picture, *bar, *words;
    guint8 cell[CELLS];
    guint filled;
    double x, y; /* of the last movement that counted */
    void (*on_filled)(gpointer data);
    gpointer data;
};

/* What is mixed in; the state of the picture goes along. */
struct event {
    gint64 now;
    guint32 time, kind;
    double x, y;
};

static void feed(struct pool *p, const struct event *e, guint cells)
{
    guint8 hash[CRYPTO_SHA256_LEN];
    bool before = pool_full(p);

    crypto_random_mix(e, sizeof(*e));
    if (crypto_sha256(e, sizeof(*e), hash) != 0)
        return;
    for (guint i = 0; i < cells; i++) {
        guint at = p->filled < CELLS ? p->filled++ : (guint)hash[i] * CELLS / 256;

        p->cell[at] ^= (guint8)(hash[i] | 1u);
    }
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(p->bar), (double)p->filled / CELLS);
    gtk_widget_queue_draw(p->picture);
    if (pool_full(p) && !before) {
        gtk_label_set_text(GTK_LABEL(p->words), tr("Random pool: full", "乱数プール: 十分です"));
        p->on_filled(p->data);
    }
}

static gboolean on_motion(GtkWidget *w, GdkEventMotion *motion, gpointer data)
{
    struct pool *p = data;
    struct event e;

    (void)w;
    memset(&e, 0, sizeof(e)); /* no unwritten bytes between members */
    e.now = g_get_monotonic_time();
    e.time = motion->time;
    e.kind = 1;
    e.x = motion->x_root;
    e.y = motion->y_root;
    if (e.x != p->x || e.y != p->y)
        feed(p, &e, 1);
    p->x = e.x;
    p->y = e.y;
    return FALSE;
}

/* When a key was pressed counts, not which one: the passphrase is nobody's business. */
static gboolean on_key(GtkWidget *w, GdkEventKey *key, gpointer data)
{
    struct pool *p = data;
    struct event e;

    (void)w;
    memset(&e, 0, sizeof(e));
    e.now = g_get_monotonic_time();
    e.time = key->time;
    e.kind = 2;
    feed(p, &e, CELLS_PER_KEY);
    return FALSE;
}

static gboolean on_draw(GtkWidget *w, cairo_t *cr, gpointer data)
{
    struct pool *p = data;
    GdkRGBA text;

    gtk_style_context_get_color(gtk_widget_get_style_context(w), GTK_STATE_FLAG_NORMAL, &text);
    for (guint i = 0; i < CELLS; i++) {
        guint column = i % CELLS_X, line = i / CELLS_X;
        double x = column * CELL_PX, y = line * CELL_PX;

        if (i < p->filled)
            cairo_set_source_rgba(cr, 0.21, 0.52, 0.89, 0.25 + 0.75 * p->cell[i] / 255.0);
        else
            cairo_set_source_rgba(cr, text.red, text.green, text.blue, 0.1);
        cairo_rectangle(cr, x + 1, y + 1, CELL_PX - 2, CELL_PX - 2);
        cairo_fill(cr);
    }
    return FALSE;
}

static void on_destroy(GtkWidget *w, gpointer data)
{
    struct pool *p = data;

    (void)w;
    crypto_wipe(p, sizeof(*p));
    g_free(p);
}

struct pool *pool_new(GtkWidget *window, void (*filled)(gpointer data), gpointer data)
{
    struct pool *p = g_new0(struct pool, 1);

    p->on_filled = filled;
    p->data = data;
    p->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
    p->picture = ui_name(gtk_drawing_area_new(), tr("Random pool", "乱数プール"));
    gtk_widget_set_size_request(p->picture, CELLS_X * CELL_PX, CELLS_Y * CELL_PX);
    gtk_widget_set_halign(p->picture, GTK_ALIGN_CENTER);
    p->bar = ui_name(gtk_progress_bar_new(), tr("Random pool", "乱数プール"));
    p->words =
        ui_label(tr("Random pool: move the mouse or type until it is full",
                    "乱数プール: いっぱいになるまでマウスを動かすか、キーを入力してください"));
    gtk_container_add(GTK_CONTAINER(p->box), p->words);
    gtk_container_add(GTK_CONTAINER(p->box), p->picture);
    gtk_container_add(GTK_CONTAINER(p->box), p->bar);
    gtk_widget_add_events(window, GDK_POINTER_MOTION_MASK);
    g_signal_connect(p->picture, "draw", G_CALLBACK(on_draw), p);
    g_signal_connect(window, "motion-notify-event", G_CALLBACK(on_motion), p);
    g_signal_connect(window, "key-press-event", G_CALLBACK(on_key), p);
    g_signal_connect(window, "destroy", G_CALLBACK(on_destroy), p);
    return p;
}

GtkWidget *pool_widget(struct pool *p)
{
    return p->box;
}

gboolean pool_full(const struct pool *p)
{
    return p->filled >= CELLS;
}
