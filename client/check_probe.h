/*
 * Two questions to the gateway that need no key: its answer to a browser on the SSH port
 * (`10022 OK!` and its clock, C8 D9), and the host key that it shows.
 */
#ifndef PRA_CLIENT_CHECK_PROBE_H
#define PRA_CLIENT_CHECK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/cause.h"
#include "client/config.h"
#include "client/dial.h"
#include "keys/sshkey.h"

#define PROBE_ANSWER_MAX 4096

struct probe_answer {
    bool ok;       /* "10022 OK!" was in it */
    bool has_date; /* a Date header that could be read */
    int64_t date;  /* seconds */
    int64_t local; /* this PC's clock when the answer came */
};

/*
 * Sends a plain GET over `fd` and reads the answer until its end. Returns 0, PRA_ECLOSED (nothing
 * came), PRA_ETIMEOUT.
 */
int probe_browser(int fd, const char *host, int timeout_ms, struct probe_answer *out);

/* Takes an answer apart; pure, but for `local`, which it leaves. */
void probe_parse_answer(const char *text, size_t len, struct probe_answer *out);

/* Opens the way through the HTTP proxy that `fd` is connected to. Returns 0, or PRA_E* with why. */
int probe_proxy(int fd, const struct addr_host *host, uint16_t port, int timeout_ms,
                struct fault *f);

/*
 * Makes an SSH connection up to the host key and drops it before any login. `config` with names
 * already replaced by addresses, so that nothing waits for a resolver. Returns CAUSE_NONE with the
 * fingerprint, or the cause with a sentence in `detail`.
 */
enum cause probe_host_key(const struct config *config, int timeout_ms,
                          char fingerprint[SSHKEY_FINGERPRINT_MAX], char *detail, size_t cap);

#endif
