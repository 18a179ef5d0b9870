/*
 * Log bundles on their way in (`pra log send`, server/README.md): a session receives one piece by piece;
 * whole, it goes to the keeper, which adds what the gateway was told of the client's chains, then to the
 * clerk, a thread of its own that unpacks and checks it and writes the files, back to the keeper for the
 * row, and the session tells the client. So neither workers nor the keeper unpack anything or wait for it.
 *
 * The desk, which all threads share, counts how many are under way and how often each user sends.
 * Guarded by a mutex.
 */
#ifndef PRA_SERVER_PRAD_UPLOAD_H
#define PRA_SERVER_PRAD_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "server/bundle/bundle.h"
#include "server/prad/mailbox.h"
#include "server/store/store.h"

/* Bundles that are received or examined at the same time; of one user in an hour. */
#define UPLOADS_MAX     4
#define UPLOADS_AN_HOUR 6
/* A piece, before base64; what a session may take to send all of them. */
#define UPLOAD_PIECE_MAX 45000
#define UPLOAD_LONGEST_S 300

struct gateway;
struct session;
struct upload_desk;
struct worker;

/* A bundle from its first byte to its last stop. Belongs to whoever has it. */
struct upload {
    struct mail mail;
    struct gateway *gateway;
    struct worker *worker;
    uint64_t connection, started_ms;
    int64_t id; /* the client's */
    uint8_t *data;
    size_t size, got;
    char sha256[2 * CRYPTO_SHA256_LEN + 1];
    struct store_bundle row;
    struct bundle_told told;
    int rc; /* what became of it, with a word for the client */
    const char *reason;
    /* Tells the client, on the worker's thread, and frees it; the session is NULL if it has ended. */
    void (*finished)(struct session *s, void *upload);
};

/* Starts the clerk; files go to `folder`, "" = bundles are refused. Returns 0, PRA_ENOMEM, PRA_EIO. */
int upload_desk_new(struct gateway *g, const char *folder, struct upload_desk **out);
/* Ends the clerk: nothing goes to the keeper after that. NULL is fine. */
void upload_desk_stop(struct upload_desk *d);
/* Likewise, and drops what waits for him. When no other thread knows the desk any more. NULL is fine. */
void upload_desk_free(struct upload_desk *d);
/* A bundle has come whole: it goes on its way. Takes it over; any thread. */
void upload_hand_in(struct upload *u);
/* Gives the place back and frees. NULL is fine. */
void upload_free(struct upload *u);

/* ---- of a session (upload_session.c) ---- */

/* `log-begin` and `log-data`. Return 0, PRA_EINVAL with a sentence. */
int upload_begin(struct session *s, const json_t *o, struct fault *f);
int upload_data(struct session *s, const json_t *o, struct fault *f);
/* Once a second: one that takes too long is given up. */
void upload_tick(struct session *s, uint64_t now_ms);
/* The session ends. */
void upload_end(struct session *s);

/* The desk's answer to one more: NULL, or the word of the refusal. */
const char *upload_enter(struct upload_desk *d, const char *user);
void upload_leave(struct upload_desk *d);

#endif
