/*
 * サーバ設定 (A2) and オプション without their widgets: what is shown at first, and what is made of what was
 * typed and chosen. Closing the dialog stands between taking it and what follows from that.
 */
#ifndef PRA_CLIENT_TRAY_SETTINGS_H
#define PRA_CLIENT_TRAY_SETTINGS_H

#include "client/tray/app.h"
#include "client/tray/words.h"

/* The gateway's address as it is set; "" = not set. */
void settings_address(const struct tray_app *app, char dst[ADDR_TEXT_MAX]);
/* The two fields are words_server_save()'s. After that, and with the dialog closed: */
void settings_server_taken(struct tray_app *app);

/* Three choices each, by enum tray_notices and enum prefs_language. */
void settings_notices(const char *words[3]);
void settings_languages(const char *words[3]);

struct settings_options {
    bool autostart;
    struct prefs prefs;
    char proxy[SERVER_WHY_MAX];
};

void settings_options(const struct tray_app *app, struct settings_options *o);
/* Takes and keeps them. False with the reason; no->field tells the field of the proxy from the rest. */
bool settings_options_save(struct tray_app *app, const struct settings_options *o,
                           struct words_refusal *no);
/* With the dialog closed: the language may be another one. */
void settings_options_taken(struct tray_app *app);

#endif
