/*
 * Wrong passwords and set-up codes, counted by account and source. In memory: a restart of prad
 * forgets them, and costs more time than it gives tries. Owned by the thread of struct admin.
 */
#ifndef PRA_SERVER_ADMIN_THROTTLE_H
#define PRA_SERVER_ADMIN_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_WINDOW_S 600
/* Wrong tries in that time: of one account from one source, from one source, of one account. The
   last is large: whoever guesses from many places must not lock the owner out. */
#define THROTTLE_BOTH    10
#define THROTTLE_SOURCE  30
#define THROTTLE_ACCOUNT 200

struct throttle;

struct throttle *throttle_new(void); /* NULL = no memory */
void throttle_free(struct throttle *t);

/*
 * Seconds to wait before this account may be tried from this source; 0 = now. `source` is an
 * address (of IPv6 the /64 counts) or "". *first is set when this refusal is the first one since
 * the limit was reached: only that one is worth an audit record.
 */
int64_t throttle_wait(struct throttle *t, const char *account, const char *source, int64_t now,
                      bool *first);
/* A try that was wrong. */
void throttle_note(struct throttle *t, const char *account, const char *source, int64_t now);
/* A try that was right: what this account did wrong from this source is forgotten. */
void throttle_forgive(struct throttle *t, const char *account, const char *source);

#endif
