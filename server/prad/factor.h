/*
 * The second factor of a tunnel (N7): a code of an authenticator app, asked for by keyboard-interactive
 * (RFC 4256) after the signature of a registered key, where policy wants it.
 *
 * A good signature is then a partial success (RFC 4252, 5.1), and the identity that was signed for is
 * kept in a struct factor_visit until the login is over: any other user name or key forgets it. What
 * answers the one prompt is a code (checked and used up by the keeper while the session waits and
 * reads nothing), or what the PRA client has instead: a lease from an earlier code, or a token with
 * which it joins its tunnel. So nobody is asked twice for one tunnel, and whoever has no key can try
 * no codes.
 *
 * The book is what workers know of leases: filled by the keeper from the store when some were revoked,
 * added to when one was given. Guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_FACTOR_H
#define PRA_SERVER_PRAD_FACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "server/audit/audit.h"
#include "server/policy/policy.h"
#include "server/store/store_factor.h"

/* Sessions that wait for a person to type, beside the places of those that have shown no key. */
#define FACTOR_WAITING_MAX 1024
/* A lease's token. */
#define FACTOR_TOKEN_LEN  32
#define FACTOR_TOKEN_TEXT (2 * FACTOR_TOKEN_LEN + 1)

struct admin;
struct factor_book;
struct factor_visit;
struct session;

/* Returns 0, PRA_ENOMEM. */
int factor_book_new(struct factor_book **out);
void factor_book_free(struct factor_book *b);
/* The thread of `a` only: takes over what the store says, if leases were revoked since the last call or
   it is the first. Without memory what was known is forgotten: then people are asked. */
void factor_book_follow(struct factor_book *b, struct admin *a);

/* What stood for the second factor of a session. */
enum factor_proof { FACTOR_BY_CODE, FACTOR_BY_LEASE, FACTOR_BY_JOIN };

/* Of a session that was asked for one and has logged in. */
struct factor_pass {
    enum factor_proof proof;
    bool has_lease;
    uint64_t changes; /* how often leases had been revoked when the code was good */
    uint8_t lease[STORE_FACTOR_HASH_LEN];       /* hash of its token */
    char machine[STORE_FACTOR_MACHINE_MAX + 1]; /* what hello has to say */
    char session[AUDIT_SESSION_MAX];            /* what join has to name */
};

/* ---- login (factor.c); used by auth.c and session.c -------------------------------------------- */

/* Does this login need one? */
bool factor_wanted(const struct session *s, const struct policy_user *user,
                   const struct policy_key *key);
/* The key has signed, and a factor is wanted: partial success. False: the session died. */
bool factor_ask(struct session *s, ssh_message m, const struct policy_user *user,
                const struct policy_key *key);
/* Is this request, or answer, of keyboard-interactive one that has its turn now? */
bool factor_expects(const struct session *s, ssh_message m);
/* Serves it. False: the session died. */
bool factor_message(struct session *s, ssh_message m);
/* Is this message kept until the keeper has answered? */
bool factor_keeps(const struct session *s, ssh_message m);
/* Another user or key is tried: what was signed before counts no more. */
void factor_forget(struct session *s);

/* While the keeper looks at a code nothing is read and no message is taken. */
bool factor_waits(const struct session *s);
/* Goes on when the keeper has answered. False: the session died. */
bool factor_go_on(struct session *s);
/* When it began to wait for the person, monotonic ms. */
uint64_t factor_since(const struct session *s);
/* The session ends, or has logged in. */
void factor_end(struct session *s);

/* ---- afterwards; used by control_in.c ----------------------------------------------------------- */

/*
 * Whether hello may be said by this machine; otherwise the lease is revoked. True for sessions that
 * were asked for nothing.
 */
bool factor_allows_hello(struct session *s, const char *machine);
/* Whether it may join this session. */
bool factor_allows_join(const struct session *s, const char *session);
/* A new lease for who has given a code, as text to keep secret. False: none is given. */
bool factor_give_lease(struct session *s, const char *machine, char token[FACTOR_TOKEN_TEXT]);
/* The user has ended his tunnel: the next one asks. */
void factor_bye(struct session *s);

#endif
