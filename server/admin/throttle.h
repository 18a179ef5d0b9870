/*
 * Wrong passwords and set-up codes, counted by account and source. In memory: a restart of prad
 * forgets them, and costs more time than it gives tries. Owned by the thread of struct admin.
 */
#ifndef PRA_SERVER_ADMIN_THROTTLE_H
#define PRA_SERVER_ADMIN_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_WINDOW_S 600
/* Wrong tries in that time: of one account from one source, from one source, of one account - all
   of strangers; and of a browser that the account was logged in with (admin_browser.c): it has a
   count of its own, so that nobody who guesses elsewhere, or beside it, locks the owner out. */
#define THROTTLE_BOTH    10
#define THROTTLE_SOURCE  30
#define THROTTLE_ACCOUNT 200
#define THROTTLE_BROWSER 10

/* Requests of one API token. */
#define THROTTLE_REQUESTS   1200
#define THROTTLE_REQUESTS_S 60

#define THROTTLE_BROWSER_LEN 16

/* Who tries. */
struct throttle_who {
    const char *account;
    const char *source; /* an address (of IPv6 the /64 counts) or "" */
    const uint8_t
        *browser; /* THROTTLE_BROWSER_LEN bytes that name a known one; NULL = a stranger */
};

struct throttle;

struct throttle *throttle_new(void); /* NULL = no memory */
void throttle_free(struct throttle *t);

/*
 * Seconds to wait before he may try; 0 = now. *first is set when this refusal is the first one
 * since the limit was reached: only that one is worth an audit record.
 */
int64_t throttle_wait(struct throttle *t, const struct throttle_who *who, int64_t now, bool *first);
/* A try that was wrong. */
void throttle_note(struct throttle *t, const struct throttle_who *who, int64_t now);
/* A try that was right: what this account did wrong from this source, or browser, is forgotten. */
void throttle_forgive(struct throttle *t, const struct throttle_who *who);

/* Counts a request of an API token. Seconds to wait; 0 = go on. */
int64_t throttle_request(struct throttle *t, int64_t token, int64_t now, bool *first);
/* Counts a refusal of this source; true for the first one in THROTTLE_WINDOW_S. */
bool throttle_first_refusal(struct throttle *t, const char *source, int64_t now);

#endif
