/* settings.h */
#include "client/tray/settings.h"

#include <stdio.h>
#include <string.h>

#include "client/tray/ask.h"
#include "client/tray/texts.h"
#include "common/i18n.h"

void settings_address(const struct tray_app *app, char dst[ADDR_TEXT_MAX])
{
    dst[0] = '\0';
    if (app->config.has_server)
        config_format_address(&app->config.server, app->config.server_port, dst);
}

void settings_server_taken(struct tray_app *app)
{
    app_reload(app);
    if (app->view.can_disconnect)
        ask_message(app, ASK_INFO, TXT_SERVER_SAVED, TXT_SERVER_SAVED_WHY);
}

void settings_notices(const char *words[3])
{
    words[TRAY_NOTICES_ALL] = TXT_ALL;
    words[TRAY_NOTICES_ERRORS] = TXT_ERRORS_ONLY;
    words[TRAY_NOTICES_NONE] = TXT_NONE;
}

void settings_languages(const char *words[3])
{
    words[PREFS_LANGUAGE_AUTO] = TXT_AS_SYSTEM;
    words[PREFS_LANGUAGE_JA] = "日本語";
    words[PREFS_LANGUAGE_EN] = "English";
}

void settings_options(const struct tray_app *app, struct settings_options *o)
{
    const struct config *c = &app->config;
    char proxy[ADDR_TEXT_MAX] = "";

    memset(o, 0, sizeof(*o));
    o->autostart = prefs_autostart();
    o->prefs = app->prefs;
    if (c->has_proxy)
        config_format_address(&c->proxy, c->proxy_port, proxy);
    snprintf(o->proxy, sizeof(o->proxy), "%s", proxy);
}

bool settings_options_save(struct tray_app *app, const struct settings_options *o,
                           struct words_refusal *no)
{
    struct fault f = {0};

    memset(no, 0, sizeof(*no));
    if (words_proxy_save(&app->paths, o->proxy, no->why) != 0) {
        no->field = WORDS_FIELD_PROXY;
        no->what = TXT_PROXY_BAD;
        return false;
    }
    if (prefs_save(&app->paths, &o->prefs, &f) != 0 ||
        (o->autostart != prefs_autostart() && prefs_set_autostart(o->autostart, &f) != 0)) {
        no->what = TXT_SETTINGS_FAILED;
        snprintf(no->why, sizeof(no->why), "%s", f.text);
        return false;
    }
    app->prefs = o->prefs;
    return true;
}

void settings_options_taken(struct tray_app *app)
{
    enum i18n_lang before = i18n_lang();

    app_reload(app);
    prefs_apply_language(&app->prefs);
    if (i18n_lang() != before)
        app_rebuild(app);
}
