/*
 * Enrollment at the SSH port: how a PC whose key nobody has registered hands it in.
 *
 * It logs in under the name "enroll:CODE". Without a code that an administrator has made nothing is
 * reached that was not reachable before: a wrong one ends the connection at once, and ENROLL_WRONG_MAX
 * of them from one source close this way for ten minutes. With a right one, and a signature that libssh has verified, the
 * session is let in with no rights at all: one session channel with one message, `enroll`, and answers
 * about how that request stands. It belongs to no user, is in no list of sessions, and opens no target.
 *
 * The book is what workers know of enrollments: filled by the keeper from the store whenever that has
 * changed, so that no login waits for the database. Guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_ENROLL_H
#define PRA_SERVER_PRAD_ENROLL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <libssh/libssh.h>

#include "common/addr.h"
#include "common/err.h"
#include "server/store/store.h"

/* In front of the code; no user's name may hold a colon. */
#define ENROLL_NAME "enroll:"
/* Sessions that enrol: in all, as many as codes may be out (ENROLL_LIVE_MAX), so that no PC with a code of its
   own is kept out by those with others; of one source (an IPv4 address, an IPv6 /64); and with one code, of
   which the newest waits and the one before is ended. */
#define ENROLL_SESSIONS_MAX  1000
#define ENROLL_OF_SOURCE_MAX 16
#define ENROLL_OF_CODE_MAX   4
/* How often a request that the store did not take is made again. */
#define ENROLL_AGAIN_MS 5000

struct admin;
struct enroll_book;
struct keeper;
struct session;

/* Returns 0, PRA_ENOMEM. */
int enroll_book_new(struct enroll_book **out);
void enroll_book_free(struct enroll_book *b);
/* Keeper only: takes over what the store says now. Without memory, or with a damaged store, what was
   known stays. */
void enroll_book_fill(struct enroll_book *b, struct admin *a);

/* What a session sees of its enrollment. */
struct enroll_view {
    int64_t id, expires;
    enum enroll_state state;
    char user[POLICY_NAME_MAX + 1];
    char fingerprint[SSHKEY_FINGERPRINT_MAX]; /* of the key that came first, or "" */
    uint64_t holder;                          /* the connection that may wait for the decision */
};

enum enroll_answer {
    ENROLL_KNOWN,
    ENROLL_WRONG, /* no such code */
    ENROLL_MANY   /* too many wrong ones from there, or too many sessions */
};

/* Is it a code, used or not? Counts wrong ones. `enter`: takes a place for `source`, too. */
enum enroll_answer enroll_check(struct enroll_book *b, const char *code,
                                const struct addr_ip *source, bool enter, struct enroll_view *out);
/* Gives the place of this enrollment's session back. */
void enroll_leave(struct enroll_book *b, const struct addr_ip *source, int64_t id);
/* False: it is gone. `hold`: from now on this connection is the one that waits. */
bool enroll_look(struct enroll_book *b, int64_t id, uint64_t hold, struct enroll_view *out);

/* Any thread: a PC has come with a code; the book shows what became of it. */
void enroll_hand_in(struct keeper *k, const struct store_enrollment *request);

/* ---- of a session (enroll_session.c) ---- */

struct enroll_visit;

/*
 * Lets a session in, whose code is known and whose signature is good; tells libssh nothing. False, with
 * the place given back: a kind of key that nobody could register, or no memory.
 */
bool enroll_login(struct session *s, const struct enroll_view *view, const uint8_t *blob,
                  size_t len);
/* Has it said what it wants? */
bool enroll_has_asked(const struct session *s);
/* One message of the control channel. Returns 0, PRA_EINVAL or PRA_EVERSION with a sentence. */
int enroll_receive(struct session *s, const json_t *o, struct fault *f);
/* Once a second: tells the client how its request stands when that has changed. Safe for anybody. */
void enroll_tick(struct session *s);
/* The session ends. */
void enroll_end(struct session *s);

#endif
