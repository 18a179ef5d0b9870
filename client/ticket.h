/*
 * This device's tickets (server/README.md): what a gateway gave at the last login, to be shown at the
 * next. They lie beside the key, in one file for all gateways, private like the key.
 */
#ifndef PRA_CLIENT_TICKET_H
#define PRA_CLIENT_TICKET_H

#include "common/addr.h"
#include "common/err.h"
#include "keys/keyfile.h"
#include "keys/sshkey.h"

#define TICKET_HEX   64 /* hexadecimal digits of one */
#define TICKETS_MAX  32 /* kept; the one that was not used for longest goes */
#define TICKETS_FILE (64 * 1024)

/* Whose ticket it is. A gateway is known by its host key; by its address if that has changed. */
struct ticket_owner {
    char key[SSHKEY_FINGERPRINT_MAX];
    char gateway[SSHKEY_FINGERPRINT_MAX];
    char server[ADDR_TEXT_MAX];
    char user[KEYFILE_USER_MAX + 1];
};

/* Returns 0, PRA_ENOENT (there is none), PRA_ECORRUPT or PRA_EIO with a sentence. Caller wipes. */
int ticket_load(const char *path, const struct ticket_owner *who, char ticket[TICKET_HEX + 1],
                struct fault *f);

/*
 * Puts `ticket` in the place of `before` ("" = none), durably, or changes nothing. Tickets of another
 * key go: its file has been replaced. Returns 0, PRA_EINVAL (no ticket), PRA_EEXIST (what is there is
 * not `before`: another program was here), PRA_EIO, PRA_ENOMEM.
 */
int ticket_store(const char *path, const struct ticket_owner *who, const char *before,
                 const char *ticket, struct fault *f);

#endif
