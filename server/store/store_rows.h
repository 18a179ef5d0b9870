/*
 * Rows of the database that concern PCs: devices, and those which hand in keys or logs; a part of store.h.
 */
#ifndef PRA_SERVER_STORE_STORE_ROWS_H
#define PRA_SERVER_STORE_STORE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keys/sshkey.h"
#include "server/audit/audit.h"
#include "server/policy/policy.h"

#define STORE_WORD_MAX 64 /* version, machine tag, binding */
#define STORE_HASH_LEN 32 /* SHA-256, and the server's own secrets */

/* How far an enrollment is. A code that has expired unused stays `open`; `expires` says so. */
#define ENROLL_STATE_MAP(X)                                                                        \
    X(ENROLL_OPEN, "open")         /* the code was handed out */                                   \
    X(ENROLL_WAITING, "waiting")   /* a PC has come with a key; somebody has to decide */          \
    X(ENROLL_APPROVED, "approved") /* that key is registered */                                    \
    X(ENROLL_DENIED, "denied")                                                                     \
    X(ENROLL_WITHDRAWN, "withdrawn") /* the code was taken back before anybody came */
enum enroll_state {
#define X(id, word) id,
    ENROLL_STATE_MAP(X)
#undef X
        ENROLL_STATE_COUNT
};

/*
 * A one-use code with which a user's PC hands in its key, and what came with it. Of the code only the
 * hash is kept. Times are seconds since the epoch, 0 = not yet.
 */
struct store_enrollment {
    int64_t id;
    char user[POLICY_NAME_MAX + 1];
    uint8_t code[STORE_HASH_LEN];
    enum enroll_state state;
    int64_t created, expires, requested, decided;
    char created_by[POLICY_NAME_MAX + 1], decided_by[POLICY_NAME_MAX + 1];
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    char type[SSHKEY_TYPE_MAX];
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t blob_len;
    char computer[STORE_WORD_MAX + 1]; /* what the PC says about itself */
    char os[POLICY_LABEL_MAX + 1];
    char version[STORE_WORD_MAX + 1];
    char binding[STORE_WORD_MAX + 1];
    char machine[STORE_WORD_MAX + 1];
    char source[STORE_WORD_MAX + 1]; /* where it came from */
};

/* A log bundle of a client; its bytes are in a file that bears the public id. */
struct store_bundle {
    int64_t id;
    char public_id[STORE_WORD_MAX + 1];
    char user[POLICY_NAME_MAX + 1];
    char device[SSHKEY_FINGERPRINT_MAX];
    char session[AUDIT_SESSION_MAX]; /* over which it came */
    char version[STORE_WORD_MAX + 1];
    char source[STORE_WORD_MAX + 1];
    int64_t at, size;
    char sha256[STORE_WORD_MAX + 1];
    int64_t lines, breaks; /* of its logs, see server/bundle/bundle.h */
};

#define STORE_MAIL_MAX 254 /* RFC 5321, 4.5.3.1.3 */

struct store_user {
    int64_t id;
    char name[POLICY_NAME_MAX + 1];
    bool enabled;
    char full_name[POLICY_LABEL_MAX + 1];
    int64_t created;
    enum policy_clone clone; /* when two machines use one of his keys */
};

/* A user as lists show him. */
struct store_user_row {
    struct store_user user;
    int64_t keys, rules; /* active keys; his own rules */
};

struct store_group {
    int64_t id;
    char name[POLICY_NAME_MAX + 1];
    int64_t created;
};

/* A device: one registered key of one user. Times are seconds since the epoch, 0 = never. */
struct store_key {
    int64_t id;
    char user[POLICY_NAME_MAX + 1];
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
    char type[SSHKEY_TYPE_MAX];
    uint8_t blob[SSHKEY_BLOB_MAX];
    size_t blob_len;
    char comment[POLICY_LABEL_MAX + 1];
    bool any_client;
    enum policy_key_state state;
    int64_t registered, revoked, last_seen;
    char machine_tag[STORE_WORD_MAX + 1]; /* what the client said at its last hello */
    char version[STORE_WORD_MAX + 1];
    char os[POLICY_LABEL_MAX + 1];
    char binding[STORE_WORD_MAX + 1];
    int64_t machine_changes,
        machine_changed;             /* how often the tag became another one, and when last */
    char name[POLICY_LABEL_MAX + 1]; /* what the administrator calls it, and where it is */
    char place[POLICY_LABEL_MAX + 1];
    char mail[STORE_MAIL_MAX + 1]; /* where alerts about it go; "" = nowhere of its own */
    enum policy_clone clone;       /* when two machines use it */
    int64_t ticket_since;          /* when its ticket was replaced last, 0 = it has none */
};

/* A code for a forgotten password: its hash, until when it is good; how often one was asked for since. */
struct store_reset {
    int64_t account;
    uint8_t hash[STORE_HASH_LEN];
    int64_t expires, since, asked;
};

#endif
