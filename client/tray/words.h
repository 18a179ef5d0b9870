/*
 * What dialogs say about what a person typed, and what follows from it, without a windowing system.
 * Words are in i18n_lang().
 */
#ifndef PRA_CLIENT_TRAY_WORDS_H
#define PRA_CLIENT_TRAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/collect.h"
#include "client/config.h"
#include "client/paths.h"
#include "client/server_change.h"
#include "client/tray/tray_state.h"

#define WORDS_MAX (OS_PATH_MAX + 512)

/* --- what is wrong (A14) --- */

#define WORDS_TITLE_MAX 512
/* "ERR(10203) The rules could not be fetched" */
void words_title(const struct msg_text *text, char dst[WORDS_TITLE_MAX]);

struct words_trouble {
    char title[WORDS_TITLE_MAX];
    struct msg_text text;
};
void words_trouble(enum msg_id id, const struct msg_args *args, struct words_trouble *out);

/* --- 鍵生成 --- */

/* What keeps the key from being made now; "" = nothing. Static. */
const char *words_keygen_missing(const char *user, const char *passphrase, const char *again,
                                 bool pool_full);
/* Of 0 to 1, how long the bar of the strength is; and its words, "" for no passphrase. */
double words_strength(const char *passphrase, char dst[WORDS_MAX]);
/* Is advice on passphrases due? */
bool words_strength_poor(const char *passphrase);
/* The name proposed for a public key's file: no separators in it. */
void words_public_name(const char *user, char *dst, size_t cap);

/* --- サーバ設定 --- */

/* Says while it is typed whether `typed` can be a fingerprint and is the one that was seen. */
void words_fingerprint(const struct paths *paths, const char *typed, char dst[WORDS_MAX]);

enum words_field {
    WORDS_FIELD_NONE,
    WORDS_FIELD_ADDRESS,
    WORDS_FIELD_FINGERPRINT,
    WORDS_FIELD_PROXY
};

struct words_refusal {
    enum words_field field; /* where the mistake is */
    const char *what;       /* static */
    char why[SERVER_WHY_MAX];
};

/*
 * Takes over what was typed into the two fields (blanks around it are not part of it): checks,
 * saves, forgets what was pinned for another host. False with the reason.
 */
bool words_server_save(const struct paths *paths, const char *typed_address,
                       const char *typed_fingerprint, struct words_refusal *no);

/* The [proxy] of オプション; "" = directly. Returns 0 or PRA_E* with the reason. */
int words_proxy_save(const struct paths *paths, const char *text, char why[SERVER_WHY_MAX]);

/* --- ログの収集 --- */
void words_collected(const struct collect *bundle, char dst[WORDS_MAX]);

/* --- window --- */

/* A line of the menu bar; TRAY_CMD_NONE begins a menu of this title, TRAY_CMD_LINE divides one. */
struct words_menu_line {
    enum tray_command command;
    const char *label; /* with mnemonic */
};
#define WORDS_MENU_LINES 18
void words_menu_bar(struct words_menu_line dst[WORDS_MENU_LINES]);

/* Can a command be given in this state? */
bool words_command_on(const struct tray_facts *facts, const struct tray_view *view,
                      enum tray_command command);

/* The command that leads on and its button's label; TRAY_CMD_NONE and "" = no button. */
enum tray_command words_next_step(enum tray_step step, const char **label);

#endif
