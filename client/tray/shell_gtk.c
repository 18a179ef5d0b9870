/* The desktop around the tray (app.h) by GTK: the icon, notices, the clipboard, GTK's loop. */
#include "client/tray/app_gtk.h"
#include "client/tray/sni_gtk.h"

#define NOTICE_ID "state"

GtkWindow *app_parent(const struct tray_app *app)
{
    return window_shown(app->window) ? window_gtk(app->window) : NULL;
}

void shell_draw(struct tray_app *app)
{
    sni_update(app->shell->sni, &app->facts, &app->view);
}

void shell_notify(struct tray_app *app, const struct tray_notice *notice)
{
    GNotification *n = g_notification_new(notice->title);
    char *body = sni_plain(notice->body);

    g_notification_set_body(n, body);
    g_free(body);
    g_notification_set_default_action(n, "app.open");
    g_notification_set_priority(n, notice->error ? G_NOTIFICATION_PRIORITY_HIGH
                                                 : G_NOTIFICATION_PRIORITY_NORMAL);
    /* One id: a newer state takes the place of an older one. */
    g_application_send_notification(G_APPLICATION(app->shell->gtk), NOTICE_ID, n);
    g_object_unref(n);
}

static gboolean on_tick(gpointer data)
{
    app_refresh(data);
    return G_SOURCE_CONTINUE;
}

void shell_tick(struct tray_app *app, bool on)
{
    struct shell *shell = app->shell;

    if (on && shell->tick == 0) {
        shell->tick = g_timeout_add_seconds(1, on_tick, app);
    } else if (!on && shell->tick != 0) {
        g_source_remove(shell->tick);
        shell->tick = 0;
    }
}

bool shell_hides(const struct tray_app *app)
{
    return sni_hosted(app->shell->sni);
}

bool shell_copy(struct tray_app *app, const char *text)
{
    (void)app;
    gtk_clipboard_set_text(gtk_clipboard_get(GDK_SELECTION_CLIPBOARD), text, -1);
    return true;
}

void shell_quit(struct tray_app *app)
{
    g_application_quit(G_APPLICATION(app->shell->gtk));
}

void shell_log(const char *what, const char *why)
{
    g_warning("%s: %s", what, why);
}

struct call {
    void (*fn)(void *arg);
    void *arg;
};

static gboolean run_call(gpointer data)
{
    const struct call *call = data;

    call->fn(call->arg);
    return G_SOURCE_REMOVE;
}

void loop_post(void (*fn)(void *arg), void *arg)
{
    struct call *call = g_new0(struct call, 1);

    *call = (struct call){.fn = fn, .arg = arg};
    g_idle_add_full(G_PRIORITY_DEFAULT, run_call, call, g_free);
}
