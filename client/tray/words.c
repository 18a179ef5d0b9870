/* words.h */
#include "client/tray/words.h"

#include <stdio.h>
#include <string.h>

#include "client/hostkey.h"
#include "client/keymake.h"
#include "client/tray/texts.h"
#include "common/i18n.h"

/* From here on the bar of the strength is full. */
#define BITS_FULL 80.0

/* --- what is wrong ---------------------------------------------------------------------------- */

void words_title(const struct msg_text *text, char dst[WORDS_TITLE_MAX])
{
    snprintf(dst, WORDS_TITLE_MAX, "%s %s", text->code, text->title);
}

void words_trouble(enum msg_id id, const struct msg_args *args, struct words_trouble *out)
{
    msg_format(id, i18n_lang(), args, &out->text);
    words_title(&out->text, out->title);
}

/* --- 鍵生成 ----------------------------------------------------------------------------------- */

const char *words_keygen_missing(const char *user, const char *passphrase, const char *again,
                                 bool pool_full)
{
    if (user[0] == '\0' || config_check_user(user, NULL) != 0)
        return TXT_NEED_USER;
    if (passphrase[0] == '\0')
        return TXT_NEED_PASSPHRASE;
    if (strcmp(passphrase, again) != 0)
        return TXT_NEED_AGAIN;
    return pool_full ? "" : TXT_NEED_POOL;
}

double words_strength(const char *passphrase, char dst[WORDS_MAX])
{
    unsigned bits = passphrase_bits(passphrase);

    dst[0] = '\0';
    if (passphrase[0] != '\0')
        snprintf(dst, WORDS_MAX, TXT_STRENGTH_BITS, passphrase_word(bits), bits);
    return bits < BITS_FULL ? bits / BITS_FULL : 1.0;
}

bool words_strength_poor(const char *passphrase)
{
    return passphrase_bits(passphrase) < KEYMAKE_BITS_ADVISED;
}

void words_public_name(const char *user, char *dst, size_t cap)
{
    snprintf(dst, cap, "%s.pub", user);
    for (; *dst != '\0'; dst++)
        if (strchr("/\\:*?\"<>|", *dst) != NULL)
            *dst = '_';
}

/* --- サーバ設定 ------------------------------------------------------------------------------- */

/* Without blanks around it, cut to `cap`. */
static void strip(char *dst, size_t cap, const char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t len;

    text += strspn(text, blanks);
    len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
        len--;
    snprintf(dst, cap, "%.*s", (int)(len < cap ? len : cap - 1), text);
}

void words_fingerprint(const struct paths *paths, const char *typed, char dst[WORDS_MAX])
{
    char text[SERVER_WHY_MAX];
    struct hostkey_pin pin;
    bool known = hostkey_pin_read(paths->known_host, &pin, NULL) == 0;
    const char *words = NULL;

    strip(text, sizeof(text), typed);
    if (text[0] != '\0' && config_check_fingerprint(text, NULL) != 0)
        words = TXT_FP_INCOMPLETE;
    else if (text[0] != '\0' && known && strcmp(text, pin.fingerprint) != 0)
        words = TXT_FP_DIFFERS;
    else if (text[0] != '\0')
        words = known ? TXT_FP_SAME : TXT_FP_COMPLETE;
    else if (!known)
        words = TXT_FP_EMPTY;
    if (words != NULL)
        snprintf(dst, WORDS_MAX, "%s", words);
    else
        snprintf(dst, WORDS_MAX, TXT_FP_KNOWN, pin.fingerprint);
}

bool words_server_save(const struct paths *paths, const char *typed_address,
                       const char *typed_fingerprint, struct words_refusal *no)
{
    char address[SERVER_WHY_MAX], fingerprint[SERVER_WHY_MAX];
    struct config wanted = {0}, now;
    struct server_change change = {.server = &wanted};
    struct fault f = {0};
    bool moved = false;

    memset(no, 0, sizeof(*no));
    strip(address, sizeof(address), typed_address);
    strip(fingerprint, sizeof(fingerprint), typed_fingerprint);
    if (!server_read_address(address, &wanted, no->why)) {
        no->field = WORDS_FIELD_ADDRESS;
        no->what = TXT_ADDRESS_BAD;
        return false;
    }
    if (fingerprint[0] != '\0' && config_check_fingerprint(fingerprint, &f) != 0) {
        no->field = WORDS_FIELD_FINGERPRINT;
        no->what = TXT_FINGERPRINT_BAD;
        snprintf(no->why, sizeof(no->why), "%s", TXT_FINGERPRINT_BAD_WHY);
        return false;
    }
    if (fingerprint[0] != '\0')
        change.fingerprint = fingerprint;
    if (config_load(paths->config_file, &now, &f) != 0 ||
        server_change(paths, &now, &change, &moved, &f) != 0) {
        no->what = TXT_SETTINGS_FAILED;
        snprintf(no->why, sizeof(no->why), "%s", f.text);
        return false;
    }
    return true;
}

int words_proxy_save(const struct paths *paths, const char *text, char why[SERVER_WHY_MAX])
{
    struct config now, wanted = {0};
    struct fault f = {0};
    int rc;

    if (!server_read_proxy(text[0] != '\0' ? text : "none", &wanted, why))
        return PRA_EINVAL;
    rc = config_load(paths->config_file, &now, &f);
    if (rc == 0 && (now.has_proxy || wanted.has_proxy)) {
        now.has_proxy = wanted.has_proxy;
        now.proxy = wanted.proxy;
        now.proxy_port = wanted.proxy_port;
        rc = config_save(paths->config_file, &now, &f);
    }
    if (rc != 0)
        snprintf(why, SERVER_WHY_MAX, "%s", f.text);
    return rc;
}

/* --- ログの収集, window ----------------------------------------------------------------------- */

void words_collected(const struct collect *bundle, char dst[WORDS_MAX])
{
    snprintf(dst, WORDS_MAX, "%s%s%s%s", TXT_COLLECT_HOLDS,
             bundle->session[0] != '\0' ? TXT_COLLECT_REFERENCE : "", bundle->session,
             bundle->chain_broken ? TXT_COLLECT_BROKEN : "");
}

enum tray_command words_next_step(enum tray_step step, const char **label)
{
    switch (step) {
    case TRAY_STEP_SERVER:
        *label = TXT_B_SERVER;
        return TRAY_CMD_SERVER;
    case TRAY_STEP_KEY:
        *label = TXT_M_KEYGEN;
        return TRAY_CMD_KEYGEN;
    case TRAY_STEP_CODE:
        *label = TXT_M_CODE;
        return TRAY_CMD_CODE;
    case TRAY_STEP_REGISTER:
        *label = TXT_M_EXPORT;
        return TRAY_CMD_EXPORT;
    default:
        *label = "";
        return TRAY_CMD_NONE;
    }
}

void words_menu_bar(struct words_menu_line dst[WORDS_MENU_LINES])
{
    const struct words_menu_line lines[WORDS_MENU_LINES] = {
        {TRAY_CMD_NONE, TXT_M_CONNECTION},
        {TRAY_CMD_CONNECT, TXT_M_CONNECT},
        {TRAY_CMD_DISCONNECT, TXT_M_DISCONNECT},
        {TRAY_CMD_RETRY, TXT_B_RETRY},
        {TRAY_CMD_CODE, TXT_M_CODE},
        {TRAY_CMD_LINE, ""},
        {TRAY_CMD_QUIT, TXT_B_QUIT},
        {TRAY_CMD_NONE, TXT_M_SETTINGS},
        {TRAY_CMD_SERVER, TXT_M_SERVER},
        {TRAY_CMD_PROFILE, TXT_M_PROFILE},
        {TRAY_CMD_SETTINGS, TXT_M_OPTIONS},
        {TRAY_CMD_NONE, TXT_M_KEY},
        {TRAY_CMD_KEYGEN, TXT_M_KEYGEN},
        {TRAY_CMD_EXPORT, TXT_M_EXPORT},
        {TRAY_CMD_ENROLL, TXT_M_ENROLL},
        {TRAY_CMD_NONE, TXT_M_HELP},
        {TRAY_CMD_COLLECT, TXT_M_COLLECT},
        {TRAY_CMD_ABOUT, TXT_M_VERSION},
    };

    memcpy(dst, lines, sizeof(lines));
}

bool words_command_on(const struct tray_facts *facts, const struct tray_view *view,
                      enum tray_command command)
{
    switch (command) {
    case TRAY_CMD_CONNECT:
        return view->can_connect;
    case TRAY_CMD_DISCONNECT:
        return view->can_disconnect;
    case TRAY_CMD_RETRY:
        return view->can_retry;
    case TRAY_CMD_CODE:
        return view->can_code;
    case TRAY_CMD_EXPORT:
        return facts->has_key;
    case TRAY_CMD_ENROLL:
        return facts->has_key && facts->has_server;
    default:
        return true;
    }
}
