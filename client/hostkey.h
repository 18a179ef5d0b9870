/*
 * Whether the gateway is who it was: the configured fingerprint, the key pinned on first use, or a
 * fingerprint that a person has just confirmed. The pin is one line in OpenSSH's known_hosts form
 * ("[host]:port ssh-ed25519 AAAA..."), so that `ssh -o UserKnownHostsFile=` understands it too.
 */
#ifndef PRA_CLIENT_HOSTKEY_H
#define PRA_CLIENT_HOSTKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cause.h"
#include "common/addr.h"
#include "common/err.h"
#include "keys/sshkey.h"

struct hostkey_pin {
    char server[ADDR_TEXT_MAX + 2]; /* "[host]:port" */
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
};

/* "[host]:port", the name under which a gateway's key is pinned. Returns `dst`. */
const char *hostkey_server_name(const struct addr_host *host, uint16_t port,
                                char dst[ADDR_TEXT_MAX + 2]);

/* Reads the pin. Returns 0, PRA_ENOENT (none), PRA_ECORRUPT (with what is wrong), PRA_EIO. */
int hostkey_pin_read(const char *path, struct hostkey_pin *out, struct fault *f);

/* Replaces the pin by `blob` for `server` ("[host]:port"). Returns 0, PRA_EINVAL, PRA_EIO. */
int hostkey_pin_write(const char *path, const char *server, const uint8_t *blob, size_t len,
                      struct fault *f);

/* Removes the pin; fine if there is none. Returns 0, PRA_EIO. */
int hostkey_pin_forget(const char *path, struct fault *f);

/*
 * Judges the key `seen` (a fingerprint). What the configuration names decides alone; then the pin,
 * if it is for this server; then what a person accepted. Pure.
 *   CAUSE_NONE             it is the one (*pin_it: and has to be pinned)
 *   CAUSE_HOSTKEY_CHANGED  another key was expected
 *   CAUSE_HOSTKEY_UNKNOWN  nothing was expected and nobody has confirmed it
 * `configured` and `accepted` may be "" or NULL, `pin` may be NULL.
 */
enum cause hostkey_judge(const char *configured, const struct hostkey_pin *pin, const char *server,
                         const char *accepted, const char *seen, bool *pin_it);

#endif
