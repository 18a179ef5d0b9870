/*
 * The tray's own settings: tray.ini beside config.ini, and the autostart entry of the desktop. What
 * concerns the connection (server, proxy) is in config.ini, which the agent reads.
 */
#ifndef PRA_CLIENT_TRAY_PREFS_H
#define PRA_CLIENT_TRAY_PREFS_H

#include <stdbool.h>

#include "client/paths.h"
#include "client/tray/tray_state.h"
#include "common/err.h"

enum prefs_language { PREFS_LANGUAGE_AUTO, PREFS_LANGUAGE_JA, PREFS_LANGUAGE_EN };

struct prefs {
    enum tray_notices notices;
    enum prefs_language language;
    bool connect_at_start; /* ask for the passphrase when the tray starts */
};

/* Reads tray.ini; defaults where there is none. Returns 0, PRA_EINVAL, PRA_EIO; `p` is always set. */
int prefs_load(const struct paths *paths, struct prefs *p, struct fault *f);
int prefs_save(const struct paths *paths, const struct prefs *p, struct fault *f);

/* Chooses the language: what is set, else the locale's. */
void prefs_apply_language(const struct prefs *p);

/* Does the desktop start the tray at login; make it so. Return 0, PRA_EIO, PRA_ETOOBIG. */
bool prefs_autostart(void);
int prefs_set_autostart(bool on, struct fault *f);

#endif
