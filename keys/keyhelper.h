/*
 * The root helper and how it is asked: a process that may read the private identifiers (SMBIOS
 * UUID, board serial, disk serial) answers HMAC(salt, value) for each, and nothing else.
 *
 * One request, one answer, over a stream socket:
 *   request  "PRAK" 0x01, 16 bytes of salt                                  (21 bytes)
 *   answer   "PRAK" 0x01, then for each private identifier in the order of MACHINE_ID_MAP:
 *            state (0 absent, 1 known, 2 hidden), 32 bytes of HMAC or zeros  (104 bytes)
 */
#ifndef PRA_KEYS_KEYHELPER_H
#define PRA_KEYS_KEYHELPER_H

#include <stdint.h>
#include <sys/types.h>

#include "keys/machine.h"

#define KEYHELPER_SOCKET      "/run/pra/keyhelper.sock"
#define KEYHELPER_REQUEST_LEN (5 + MACHINE_SALT_LEN)
#define KEYHELPER_ANSWER_LEN  (5 + 3 * 33)
/* How long a client waits for its answer, the helper for its request (clients send at once). */
#define KEYHELPER_TIMEOUT_MS 3000
#define KEYHELPER_SERVE_MS   1000
/* A listener that is busy closes connections unanswered; for so long a client tries again. */
#define KEYHELPER_RETRY_MS 1500

/*
 * Serves one request on `fd` with the identifiers below `root` ("" = this host). Returns 0,
 * PRA_EINVAL (not a request), PRA_ETIMEOUT, PRA_ECLOSED, PRA_EIO, PRA_ECRYPTO. Nothing is answered
 * to a bad request.
 */
int keyhelper_serve(int fd, const char *root);

/*
 * Replaces the hidden private identifiers of `m` (its salt is sent) by the helper's answer. Asks
 * the socket of systemd's unit, else a helper program with a file capability. Leaves them hidden
 * when there is none or it does not answer in time: a missing helper is no error.
 */
void keyhelper_ask(struct machine *m);

/*
 * The same over a connected stream, or at a socket path whose listener must run as `owner`.
 * Return 0, PRA_EINVAL (not an answer), PRA_ETIMEOUT, PRA_EIO; PRA_ECLOSED (stream), or
 * PRA_ENOENT, PRA_EACCES (another owner), PRA_EBUSY (socket).
 */
int keyhelper_ask_fd(int fd, struct machine *m);
int keyhelper_ask_socket(const char *path, uid_t owner, struct machine *m);

#endif
