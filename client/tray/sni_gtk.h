/*
 * The icon in the desktop's tray: a StatusNotifierItem over GDBus with a menu by dbusmenu. Registers
 * itself with whoever owns org.kde.StatusNotifierWatcher, again whenever that name comes back.
 */
#ifndef PRA_CLIENT_TRAY_SNI_GTK_H
#define PRA_CLIENT_TRAY_SNI_GTK_H

#include <gio/gio.h>

#include "client/tray/tray_state.h"

struct sni;

struct sni_events {
    void (*activate)(void *arg); /* left click */
    void (*command)(void *arg, enum tray_command command, size_t row);
    /* A tray has taken the icon, or there is none (said once at the start and on every change). */
    void (*hosted)(void *arg, bool hosted);
};

/* `events` must live as long. Returns NULL where there is no session bus. */
struct sni *sni_new(GDBusConnection *bus, const struct sni_events *events, void *arg);

/* Shows a new state; signals only what has changed. */
void sni_update(struct sni *sni, const struct tray_facts *facts, const struct tray_view *view);

/*
 * `text` without markup, to be freed: some trays and notices draw markup, pictures from the network
 * included, and a gateway or another program chooses some of the words.
 */
char *sni_plain(const char *text);

bool sni_hosted(const struct sni *sni); /* NULL: false */
void sni_free(struct sni *sni);

#endif
