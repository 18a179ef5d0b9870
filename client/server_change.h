/*
 * Another gateway, fingerprint or proxy: what `pra server set` and the tray do to config.ini and to
 * the pinned host key. Sentences are in i18n_lang().
 */
#ifndef PRA_CLIENT_SERVER_CHANGE_H
#define PRA_CLIENT_SERVER_CHANGE_H

#include <stdbool.h>

#include "client/config.h"
#include "client/paths.h"

#define SERVER_WHY_MAX 512

/* Read what a person typed into `c`; false and a sentence in `why` if it cannot be. */
bool server_read_address(const char *text, struct config *c, char why[SERVER_WHY_MAX]);
/* "none" = directly. */
bool server_read_proxy(const char *text, struct config *c, char why[SERVER_WHY_MAX]);

struct server_change {
    const struct config *server; /* address and port are taken from it */
    const struct config *proxy;  /* its proxy; NULL = stays */
    const char *fingerprint;     /* checked by config_check_fingerprint(); NULL = stays */
    const char *user, *name;     /* of a profile, checked by it; NULL = stay */
};

/*
 * Changes `c` (the settings as loaded) and saves them. A pinned or set host key is forgotten when the
 * host is another one (*moved) or a fingerprint is given. Returns 0, PRA_EIO; nothing is trusted
 * after a failure that was not before.
 */
int server_change(const struct paths *paths, struct config *c, const struct server_change *change,
                  bool *moved, struct fault *f);

/*
 * What a profile would do to the settings. Anything but PROFILE_SAME is put before a person, who may
 * have been sent the file by anybody; PROFILE_OTHER_* would replace what was trusted before.
 */
enum profile_effect {
    PROFILE_SAME,         /* nothing would change */
    PROFILE_FIRST,        /* no server is set yet */
    PROFILE_ADDS,         /* same server; fingerprint, user come where none was set; name */
    PROFILE_OTHER_USER,   /* same server and key, another user name */
    PROFILE_OTHER_KEY,    /* same server, another fingerprint than was set or confirmed */
    PROFILE_OTHER_SERVER, /* another host or port */
};
enum profile_effect profile_compare(const struct paths *paths, const struct config *c,
                                    const struct profile *p);
/* What a person is told about it, in this language. */
const char *profile_effect_words(enum profile_effect effect);

/* Takes a profile into `c` and saves it, as server_change() does; *moved as there. */
int profile_apply(const struct paths *paths, struct config *c, const struct profile *p, bool *moved,
                  struct fault *f);

#endif
