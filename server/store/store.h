/*
 * The database behind a struct of functions. `admin/` decides what is allowed and in which order;
 * a back end keeps rows, positions and references right and knows nothing of people.
 *
 * Used by one thread (the keeper, or pra-admin), one open store per process. Changes happen
 * between begin() and commit(); a commit that returned 0 is durable. All functions return 0 or a
 * negative PRA_E*; PRA_EIO comes with the database's own words in the fault.
 */
#ifndef PRA_SERVER_STORE_STORE_H
#define PRA_SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "keys/sshkey.h"
#include "server/audit/audit.h"
#include "server/listing.h"
#include "server/policy/policy.h"
#include "server/store/store_change.h"
#include "server/store/store_limits.h"
#include "server/store/store_factor.h"
#include "server/store/store_mail.h"
#include "server/store/store_rows.h"
#include "server/store/store_ticket.h"
#include "server/store/store_usage.h"

#define STORE_HOURS_MAX 256 /* bytes of a rule's hours as text */
#define STORE_TAGS_MAX  50  /* changes of one device's machine tag that are kept */
#define STORE_SALT_LEN  16
#define STORE_TOTP_LEN  20 /* RFC 4226, 4: a secret as long as SHA-1's result */
/* WebAuthn: longest id of a credential (7.1), longest host name, an RSA key of 4096 bits. */
#define STORE_CREDENTIAL_MAX 1023
#define STORE_RP_MAX         253
#define STORE_PASSKEY_MAX    600
#define STORE_AUDIT_LIMIT    1000 /* records in one part of the list */
#define STORE_FACT_MAX       256
#define STORE_ABOUT_MAX      255 /* bytes: what an alert is about */

struct store_rule {
    struct policy_rule rule;
    char hours[STORE_HOURS_MAX + 1]; /* as written; rule.hours is what it means */
    struct policy_limits limits;     /* not read by rule_load() */
    int64_t created;
};

/*
 * Somebody who administers. Of a password, a set-up code and a token only hashes are kept; what
 * they are hashes of is written in admin/. Times are seconds since the epoch, 0 = never.
 */
struct store_account {
    int64_t id;
    char name[POLICY_NAME_MAX + 1];
    char role[STORE_WORD_MAX + 1];
    char full_name[POLICY_LABEL_MAX + 1];
    char mail[STORE_MAIL_MAX + 1];
    bool enabled;
    bool has_password; /* otherwise it waits for its set-up code */
    uint8_t salt[STORE_SALT_LEN];
    uint8_t proof[STORE_HASH_LEN];
    bool has_setup;
    uint8_t setup[STORE_HASH_LEN];
    int64_t setup_expires;
    bool has_totp; /* a secret is there; it counts only with totp_on */
    bool totp_on;
    uint8_t totp[STORE_TOTP_LEN];
    int64_t totp_step;           /* the last time step whose code was used */
    int64_t failures, failed_at; /* wrong codes since failed_at */
    int64_t created, expires, last_login;
    int64_t passkeys; /* how many; only read */
};

/* A log-in of an account: from the password on, open once the second step is done. */
struct store_login {
    int64_t id;
    int64_t account;
    uint8_t token[STORE_HASH_LEN];
    char public_id[AUDIT_SESSION_MAX]; /* stands in the audit */
    bool open;
    int64_t created, seen, tries;
    char source[STORE_WORD_MAX + 1];
    char agent[POLICY_LABEL_MAX + 1];
};

/* A program's way in: its account's rights, cut to the scopes. */
struct store_token {
    int64_t id;
    int64_t account;
    char account_name[POLICY_NAME_MAX + 1]; /* only read */
    char name[POLICY_NAME_MAX + 1];
    uint8_t hash[STORE_HASH_LEN];
    char scopes[STORE_WORD_MAX + 1]; /* words with blanks between them */
    int64_t created, expires, used;
    char source[STORE_WORD_MAX + 1]; /* of the last request */
};

/* A key of an authenticator (WebAuthn), public: a second step. */
struct store_passkey {
    int64_t id;
    int64_t account;
    char name[POLICY_NAME_MAX + 1];
    uint8_t credential[STORE_CREDENTIAL_MAX];
    size_t credential_len;
    char rp[STORE_RP_MAX + 1]; /* the host name that it is good for */
    int64_t algorithm;         /* COSE */
    uint8_t key[STORE_PASSKEY_MAX];
    size_t key_len;
    int64_t counter, created, used;
};

/* A network that the portal may be used from. */
struct store_access {
    int64_t id;
    char network[STORE_WORD_MAX + 1];
    char comment[POLICY_LABEL_MAX + 1];
    int64_t created;
};

struct store_audit {
    int64_t id;
    const char *kind; /* the word: a newer program may have written kinds unknown here */
    struct audit_event event;
};

struct store_counts {
    int64_t users, groups, keys, rules; /* active keys */
};

/* Which audit records; zero and NULL mean "not asked for". Texts are borrowed. */
struct store_audit_filter {
    int64_t since_ms, until_ms;                                   /* [since, until) */
    const char *user, *kind, *device, *source, *target, *session; /* exactly this */
    const char *search; /* a piece of a text in it; case of ASCII letters aside */
};

/*
 * A request looks at so many records at most, since prad does nothing else meanwhile: about a
 * twentieth of a second. Comparing texts costs more.
 */
#define STORE_AUDIT_SCAN        100000
#define STORE_AUDIT_SCAN_SEARCH 30000

/* A place in the list of audit records, newest first: behind the record of this time and id. */
struct store_audit_place {
    int64_t time_ms, id; /* 0, 0: at the top */
};

/* What a request for a part of that list found. */
struct store_audit_found {
    int64_t total;                 /* records that fit, as far as was looked */
    bool complete;                 /* all were looked at */
    struct store_audit_place next; /* unless complete: where to go on */
};

struct store_audit_count {
    char day[11]; /* "2026-11-29", the gateway's local date */
    char kind[STORE_WORD_MAX];
    int64_t count;
};

/*
 * Something that somebody should look at. Alerts of the same kind about the same thing that follow
 * each other are one record; how many there were is counted apart, exactly. Times are seconds.
 */
struct store_alert {
    int64_t id;
    char kind[STORE_WORD_MAX + 1];
    char subject[STORE_ABOUT_MAX + 1]; /* what it is about: a user, a device, an address */
    char severity[STORE_WORD_MAX + 1]; /* "critical", "warning", "notice"; "" = not judged yet */
    int64_t first, last, times;
    char user[POLICY_NAME_MAX + 1]; /* these three: "" if it has none */
    char device[SSHKEY_FINGERPRINT_MAX];
    char source[STORE_WORD_MAX + 1];
    char detail[AUDIT_TEXT_MAX];
    int64_t judged; /* when a person did, 0 = nobody */
    char judged_by[POLICY_NAME_MAX + 1];
    char note[POLICY_LABEL_MAX + 1];
    int64_t acked; /* when somebody said that it is done with, 0 = open */
    char acked_by[POLICY_NAME_MAX + 1];
};

/* Of those that are open. */
struct store_alert_sums {
    int64_t open, critical, warning, notice, unjudged;
};

/* A device that should always be connected. */
struct store_watch {
    int64_t key;
    char user[POLICY_NAME_MAX + 1];
    char device[SSHKEY_FINGERPRINT_MAX];
    char comment[POLICY_LABEL_MAX + 1];
    int64_t after; /* seconds that it may be away */
    bool online;
    int64_t since; /* that it is so, or is watched */
    bool told;     /* that it is away */
};

/* A time for which nobody is told that devices are away. */
struct store_outage {
    int64_t id, since, until;
    char user[POLICY_NAME_MAX + 1]; /* whose devices; "" = all */
    char note[POLICY_LABEL_MAX + 1];
    char by[POLICY_NAME_MAX + 1];
};

struct store;

/* Callbacks return 0 to go on; anything else ends the walk, which returns it. */
typedef int (*store_user_fn)(const struct store_user *, void *ctx);
typedef int (*store_user_row_fn)(const struct store_user_row *, void *ctx);
typedef int (*store_group_fn)(const struct store_group *, void *ctx);
typedef int (*store_member_fn)(const char *group, const char *user, void *ctx);
typedef int (*store_key_fn)(const struct store_key *, void *ctx);
typedef int (*store_change_fn)(const struct store_change *, void *ctx);
typedef int (*store_tag_fn)(int64_t time, const char *before, const char *after, void *ctx);
typedef int (*store_rule_fn)(const struct store_rule *, void *ctx);
typedef int (*store_account_fn)(const struct store_account *, void *ctx);
typedef int (*store_login_fn)(const struct store_login *, void *ctx);
typedef int (*store_token_fn)(const struct store_token *, void *ctx);
typedef int (*store_passkey_fn)(const struct store_passkey *, void *ctx);
typedef int (*store_access_fn)(const struct store_access *, void *ctx);
typedef int (*store_enrollment_fn)(const struct store_enrollment *, void *ctx);
typedef int (*store_bundle_fn)(const struct store_bundle *, void *ctx);
typedef int (*store_audit_fn)(const struct store_audit *, void *ctx);
typedef int (*store_alert_fn)(const struct store_alert *, void *ctx);
typedef int (*store_alert_mail_fn)(int64_t account, const char *minimum, void *ctx);
typedef int (*store_watch_fn)(const struct store_watch *, void *ctx);
typedef int (*store_outage_fn)(const struct store_outage *, void *ctx);
typedef int (*store_audit_count_fn)(const struct store_audit_count *, void *ctx);

struct store_ops {
    const struct store_limit_ops *limits;
    const struct store_factor_ops *factor; /* store_factor.h */
    void (*close)(struct store *s);
    /* Bytes of memory that hold pages of the database just now. */
    uint64_t (*cache)(struct store *s);

    int (*begin)(struct store *s, struct fault *f);
    int (*commit)(struct store *s, struct fault *f); /* on failure everything is rolled back */
    void (*rollback)(struct store *s);

    /* True once after somebody else changed the database. */
    bool (*changed)(struct store *s);
    /* Counts changes of users, groups, keys and rules; bump is part of the transaction. */
    int (*generation)(struct store *s, uint64_t *out, struct fault *f);
    int (*bump)(struct store *s, struct fault *f);

    /* Changes something that means nothing, to see whether it can be done. */
    int (*probe)(struct store *s, int64_t now, struct fault *f);
    int (*counts)(struct store *s, struct store_counts *out, struct fault *f);

    /*
     * A part of a list, for people; *total (may be NULL) is how many there are without limit and
     * offset. Each takes those members of the listing that make sense for it and ignores others;
     * PRA_EINVAL: `sort` or `state` is no word of this list. The callbacks may ask the store other
     * questions than this one.
     */
    int (*user_list)(struct store *s, const struct listing *l, store_user_row_fn fn, void *ctx,
                     int64_t *total, struct fault *f);
    int (*group_list)(struct store *s, const struct listing *l, store_group_fn fn, void *ctx,
                      int64_t *total, struct fault *f);
    int (*key_list)(struct store *s, const struct listing *l, store_key_fn fn, void *ctx,
                    int64_t *total, struct fault *f);
    int (*rule_list)(struct store *s, const struct listing *l, store_rule_fn fn, void *ctx,
                     int64_t *total, struct fault *f);
    int (*account_list)(struct store *s, const struct listing *l, store_account_fn fn, void *ctx,
                        int64_t *total, struct fault *f);

    /* Adds: PRA_EEXIST if the name is taken; *id is the new row's. Gets: PRA_ENOENT. */
    int (*user_add)(struct store *s, const struct store_user *u, int64_t *id, struct fault *f);
    int (*user_get)(struct store *s, const char *name, struct store_user *out, struct fault *f);
    /* full_name and clone, by id. */
    int (*user_set)(struct store *s, const struct store_user *u, struct fault *f);
    int (*user_enable)(struct store *s, const char *name, bool enabled, struct fault *f);
    int (*user_delete)(struct store *s, const char *name, struct fault *f); /* keys, rules too */
    /* At most `limit` names of users, or of groups, behind `after`, in their order. */
    int (*owner_each)(struct store *s, bool groups, const char *after, int64_t limit,
                      int (*fn)(const char *name, void *ctx), void *ctx, struct fault *f);
    int (*user_each)(struct store *s, store_user_fn fn, void *ctx, struct fault *f);

    int (*group_add)(struct store *s, const struct store_group *g, int64_t *id, struct fault *f);
    int (*group_get)(struct store *s, const char *name, struct store_group *out, struct fault *f);
    int (*group_delete)(struct store *s, const char *name, struct fault *f); /* its rules too */

    /* Both exist (the caller has looked). PRA_EEXIST: is a member; PRA_ENOENT: is none. */
    int (*member_add)(struct store *s, const char *group, const char *user, struct fault *f);
    int (*member_remove)(struct store *s, const char *group, const char *user, struct fault *f);
    /* `user` NULL = all; ordered by group, user. */
    int (*member_each)(struct store *s, const char *user, store_member_fn fn, void *ctx,
                       struct fault *f);
    int (*member_of_group)(struct store *s, const char *group, store_member_fn fn, void *ctx,
                           struct fault *f);

    /* PRA_EEXIST: this user has a key with this fingerprint, revoked or not. */
    int (*key_add)(struct store *s, const struct store_key *k, int64_t *id, struct fault *f);
    /* State, any_client, comment and times of an existing row, by id. */
    int (*key_update)(struct store *s, const struct store_key *k, struct fault *f);
    /* Filters may be NULL; ordered by user, id. */
    int (*key_each)(struct store *s, const char *user, const char *fingerprint, store_key_fn fn,
                    void *ctx, struct fault *f);
    /* name, place, mail and clone, by id. */
    int (*key_describe)(struct store *s, const struct store_key *k, struct fault *f);
    /* When its machine tag became another one: at most STORE_TAGS_MAX, newest first. */
    int (*key_tags)(struct store *s, int64_t id, store_tag_fn fn, void *ctx, struct fault *f);
    int (*key_note)(struct store *s, int64_t id, const char *machine_tag, const char *version,
                    const char *os, const char *binding, int64_t now, struct fault *f);
    /* Both tickets of a key; no error if the key is gone meanwhile. */
    int (*ticket_set)(struct store *s, const struct store_ticket *t, int64_t now, struct fault *f);
    int (*ticket_each)(struct store *s, store_ticket_fn fn, void *ctx, struct fault *f);
    /* Forgets those of a key; 0 = of all keys. */
    int (*ticket_clear)(struct store *s, int64_t key, struct fault *f);
    /* A login with this key; no error if it is gone meanwhile. */
    int (*key_seen)(struct store *s, const char *user, const char *fingerprint, int64_t now,
                    struct fault *f);

    /*
     * rule.position 1 puts it first and moves the others down; 0 or beyond the end = last.
     * The owner exists. Positions of an owner are always 1, 2, 3, ...
     */
    int (*rule_add)(struct store *s, const struct store_rule *r, int64_t *id, struct fault *f);
    int (*rule_get)(struct store *s, int64_t id, struct store_rule *out, struct fault *f);
    /* All but owner, position and created, by id. */
    int (*rule_set)(struct store *s, const struct store_rule *r, struct fault *f);
    int (*rule_move)(struct store *s, int64_t id, int64_t position, struct fault *f);
    int (*rule_delete)(struct store *s, int64_t id, struct fault *f);
    /*
     * Rules of one owner by position; `owner` NULL = all, users before groups, by name and
     * position. `owner` with a row that cannot be read: PRA_ECORRUPT, the fault names the rule.
     */
    int (*rule_each)(struct store *s, bool is_group, const char *owner, store_rule_fn fn, void *ctx,
                     struct fault *f);
    /* All rules in any order, for a snapshot: sorting 100,000 rows would take half of its time. */
    int (*rule_load)(struct store *s, store_rule_fn fn, void *ctx, struct fault *f);

    /* What was done to rules. `each`: of one owner, newest first, ids below `before` (0 = all). */
    int (*change_add)(struct store *s, const struct store_change *c, struct fault *f);
    int (*change_get)(struct store *s, int64_t id, struct store_change *out, struct fault *f);
    int (*change_each)(struct store *s, bool is_group, const char *owner, int64_t before,
                       size_t max, store_change_fn fn, void *ctx, struct fault *f);
    int (*change_undone)(struct store *s, int64_t id, struct fault *f);
    /* The owner goes: who comes after him by the same name has no part in it. */
    int (*change_forget)(struct store *s, bool is_group, const char *owner, struct fault *f);

    int (*audit_add)(struct store *s, const struct audit_event *events, size_t count,
                     struct fault *f);
    /*
     * Oldest first: at most `max` records with ids greater than `after` and at most `upto`. *next is
     * `after` for the rest, 0 when there is none; it is set as well where a part has no record.
     */
    int (*audit_each)(struct store *s, const struct store_audit_filter *filter, int64_t after,
                      int64_t upto, size_t max, store_audit_fn fn, void *ctx, int64_t *next,
                      struct fault *f);
    /*
     * Newest first: of those that follow `from`, at most `limit` (<= STORE_AUDIT_LIMIT) behind the
     * first `offset`. One of user and kind, with or without a time, is counted completely whatever
     * there is; with more conditions one call looks at a part of the records.
     */
    int (*audit_find)(struct store *s, const struct store_audit_filter *filter,
                      const struct store_audit_place *from, size_t offset, size_t limit,
                      store_audit_fn fn, void *ctx, struct store_audit_found *found,
                      struct fault *f);
    /* The newest record's id, 0 = none. */
    int (*audit_last)(struct store *s, int64_t *id, struct fault *f);
    /* Deletes at most `max` records older than this; the counts stay. */
    int (*audit_expire)(struct store *s, int64_t before_ms, size_t max, size_t *deleted,
                        struct fault *f);
    /* How many events of each kind there were on each day from `since` to `until`, both included. */
    int (*count_each)(struct store *s, const char *since, const char *until,
                      store_audit_count_fn fn, void *ctx, struct fault *f);

    /* Numbers with names that outlive a restart; one that was never set is 0. */
    int (*number_get)(struct store *s, const char *name, int64_t *value, struct fault *f);
    int (*number_set)(struct store *s, const char *name, int64_t value, struct fault *f);

    int (*alert_add)(struct store *s, const struct store_alert *a, int64_t *id, struct fault *f);
    int (*alert_set)(struct store *s, const struct store_alert *a, struct fault *f); /* by id */
    int (*alert_get)(struct store *s, int64_t id, struct store_alert *out, struct fault *f);
    /* The newest open one of this kind about this, if its last time is not before `since`; else
       PRA_ENOENT. */
    int (*alert_open)(struct store *s, const char *kind, const char *subject, int64_t since,
                      struct store_alert *out, struct fault *f);
    /* How many records of this kind were made since then. */
    int (*alert_recent)(struct store *s, const char *kind, int64_t since, int64_t *number,
                        struct fault *f);
    /* Newest first unless sorted; listing: name = kind, group = severity, state = open or acked. */
    int (*alert_list)(struct store *s, const struct listing *l, store_alert_fn fn, void *ctx,
                      int64_t *total, struct fault *f);
    int (*alert_sums)(struct store *s, struct store_alert_sums *out, struct fault *f);
    int (*alert_expire)(struct store *s, int64_t before, size_t max, struct fault *f);
    int (*alert_count_add)(struct store *s, int64_t time_ms, const char *kind, struct fault *f);
    int (*alert_count_each)(struct store *s, const char *since, const char *until,
                            store_audit_count_fn fn, void *ctx, struct fault *f);
    /* From which severity on an account gets mail; "" = none. `account` 0 = all. */
    int (*alert_mail_set)(struct store *s, int64_t account, const char *minimum, struct fault *f);
    int (*alert_mail_each)(struct store *s, int64_t account, store_alert_mail_fn fn, void *ctx,
                           struct fault *f);

    /* `after` 0: watched no more. One that is new is away since now. */
    int (*watch_set)(struct store *s, int64_t key, int64_t after, int64_t now, struct fault *f);
    int (*watch_note)(struct store *s, const struct store_watch *w, struct fault *f);
    int (*watch_each)(struct store *s, store_watch_fn fn, void *ctx,
                      struct fault *f); /* by device */

    int (*outage_add)(struct store *s, const struct store_outage *o, int64_t *id, struct fault *f);
    int (*outage_delete)(struct store *s, int64_t id, struct fault *f);
    int (*outage_each)(struct store *s, store_outage_fn fn, void *ctx, struct fault *f);
    int (*outage_expire)(struct store *s, int64_t before, struct fault *f); /* that ended before */

    /* Texts that are compared with what is found later; "" = not known. */
    int (*fact_get)(struct store *s, const char *name, char value[STORE_FACT_MAX], struct fault *f);
    int (*fact_set)(struct store *s, const char *name, const char *value, struct fault *f);

    /* A random secret of this database's own, the same for ever. */
    int (*secret)(struct store *s, uint8_t out[STORE_HASH_LEN], struct fault *f);

    int (*account_add)(struct store *s, const struct store_account *a, int64_t *id,
                       struct fault *f);
    int (*account_get)(struct store *s, const char *name, struct store_account *out,
                       struct fault *f);
    int (*account_by_id)(struct store *s, int64_t id, struct store_account *out, struct fault *f);
    /* Everything but id, name and created, by id. */
    int (*account_set)(struct store *s, const struct store_account *a, struct fault *f);
    int (*account_delete)(struct store *s, int64_t id, struct fault *f); /* log-ins, codes too */
    int (*account_each)(struct store *s, store_account_fn fn, void *ctx, struct fault *f);

    /* Recovery codes of an account: replaces all; takes one away, PRA_ENOENT if it is none. */
    int (*recovery_set)(struct store *s, int64_t account, uint8_t (*hashes)[STORE_HASH_LEN],
                        size_t count, struct fault *f);
    int (*recovery_use)(struct store *s, int64_t account, const uint8_t hash[STORE_HASH_LEN],
                        struct fault *f);
    int (*recovery_count)(struct store *s, int64_t account, int64_t *out, struct fault *f);

    int (*login_add)(struct store *s, const struct store_login *l, int64_t *id, struct fault *f);
    int (*login_get)(struct store *s, const uint8_t token[STORE_HASH_LEN], struct store_login *out,
                     struct fault *f);
    /* token, open, seen and tries, by id. */
    int (*login_set)(struct store *s, const struct store_login *l, struct fault *f);
    int (*login_delete)(struct store *s, int64_t id, struct fault *f); /* no error if it is gone */
    /* All of an account but one (0 = all). */
    int (*login_end)(struct store *s, int64_t account, int64_t except, struct fault *f);
    /* Those that were last seen, or began, before; open ones and others have their own limits. */
    int (*login_expire)(struct store *s, bool open, int64_t seen_before, int64_t created_before,
                        struct fault *f);
    /* `account` 0 = all; newest last. */
    int (*login_each)(struct store *s, int64_t account, store_login_fn fn, void *ctx,
                      struct fault *f);

    /* PRA_EEXIST: this account has a token, or passkey, of this name. */
    int (*token_add)(struct store *s, const struct store_token *t, int64_t *id, struct fault *f);
    int (*token_get)(struct store *s, const uint8_t hash[STORE_HASH_LEN], struct store_token *out,
                     struct fault *f);
    int (*token_used)(struct store *s, int64_t id, int64_t now, const char *source,
                      struct fault *f);
    int (*token_delete)(struct store *s, int64_t id, struct fault *f);
    int (*token_clear)(struct store *s, int64_t account, struct fault *f);
    /* `account` 0 = all. */
    int (*token_each)(struct store *s, int64_t account, store_token_fn fn, void *ctx,
                      struct fault *f);

    int (*passkey_add)(struct store *s, const struct store_passkey *p, int64_t *id,
                       struct fault *f);
    /* name, counter and used, by id. */
    int (*passkey_set)(struct store *s, const struct store_passkey *p, struct fault *f);
    int (*passkey_delete)(struct store *s, int64_t id, struct fault *f);
    int (*passkey_clear)(struct store *s, int64_t account, struct fault *f);
    int (*passkey_each)(struct store *s, int64_t account, store_passkey_fn fn, void *ctx,
                        struct fault *f);
    /* One of each log-in; taking removes it. PRA_ENOENT: there is none. */
    int (*challenge_set)(struct store *s, int64_t login, const uint8_t challenge[STORE_HASH_LEN],
                         int64_t now, struct fault *f);
    int (*challenge_take)(struct store *s, int64_t login, uint8_t challenge[STORE_HASH_LEN],
                          int64_t *made, struct fault *f);

    /* PRA_EEXIST: this very network is there. */
    int (*access_add)(struct store *s, const struct store_access *r, int64_t *id, struct fault *f);
    int (*access_delete)(struct store *s, int64_t id, struct fault *f);
    int (*access_clear)(struct store *s, struct fault *f);
    int (*access_each)(struct store *s, store_access_fn fn, void *ctx, struct fault *f);
    /* Counts what an event says of use. In the transaction in which it is stored. */
    int (*usage_add)(struct store *s, const struct audit_event *e, struct fault *f);
    /* Days [from, to) with something on them; users with most bytes first. `user` NULL = all. */
    int (*usage_days)(struct store *s, const char *from, const char *to, const char *user,
                      store_usage_fn fn, void *ctx, struct fault *f);
    int (*usage_users)(struct store *s, const char *from, const char *to, const char *user,
                       store_usage_fn fn, void *ctx, struct fault *f);
    int (*usage_rules)(struct store *s, const char *month, const char *user, store_usage_rule_fn fn,
                       void *ctx, struct fault *f);
    /* Sessions that have not ended. */
    int (*usage_open)(struct store *s, store_usage_open_fn fn, void *ctx, struct fault *f);
    int (*usage_tidy)(struct store *s, const char *before_day, struct fault *f);
    /* Alerts that began in [from, to), by severity. */
    int (*report_alerts)(struct store *s, int64_t from, int64_t to, store_severity_fn fn, void *ctx,
                         struct fault *f);
    /* The last month whose report was made, "" = none; notes one. */
    int (*report_last)(struct store *s, char month[STORE_DAY_MAX], struct fault *f);
    int (*report_made)(struct store *s, const char *month, int64_t now, struct fault *f);
    /* Accounts that get reports by mail; lang NULL: not any more. */
    int (*reader_set)(struct store *s, int64_t account, const char *lang, struct fault *f);
    int (*reader_each)(struct store *s, store_reader_fn fn, void *ctx, struct fault *f);

    /* PRA_ENOENT: none. Put replaces; deleting what is not there is no error. */
    int (*reset_get)(struct store *s, int64_t account, struct store_reset *out, struct fault *f);
    int (*reset_put)(struct store *s, const struct store_reset *r, struct fault *f);
    int (*reset_delete)(struct store *s, int64_t account, struct fault *f);

    int (*mail_add)(struct store *s, const struct store_mail *m, const char *content, int64_t *id,
                    struct fault *f);
    int (*mail_get)(struct store *s, int64_t id, struct store_mail *out, struct fault *f);
    /* What it says; the caller frees *out. "" when it is finished. */
    int (*mail_content)(struct store *s, int64_t id, char **out, struct fault *f);
    /* The one that has waited longest for its turn at `now`; PRA_ENOENT: none. */
    int (*mail_next)(struct store *s, int64_t now, struct store_mail *out, struct fault *f);
    /* state, due, tries, tried, finished and error, by id. */
    int (*mail_set)(struct store *s, const struct store_mail *m, struct fault *f);
    int (*mail_empty)(struct store *s, int64_t id, struct fault *f); /* forgets what it says */
    int (*mail_delete)(struct store *s, int64_t id, struct fault *f);
    /* Newest first; limit 0 = all. */
    int (*mail_each)(struct store *s, int64_t limit, int64_t offset, store_mail_fn fn, void *ctx,
                     struct fault *f);
    int (*mail_counts)(struct store *s, struct store_mail_counts *out, struct fault *f);
    /* The same without `bytes`: reads no mail, so it may be asked every second. */
    int (*mail_length)(struct store *s, struct store_mail_counts *out, struct fault *f);
    /* What was being sent when the program ended waits again. */
    int (*mail_resume)(struct store *s, struct fault *f);
    int (*mail_dropped)(struct store *s, struct fault *f); /* counts one */
    /* Forgets mail that was finished before, and all but the newest `keep` of the finished. */
    int (*mail_tidy)(struct store *s, int64_t before, int64_t keep, struct fault *f);

    /* The user exists. */
    int (*enroll_add)(struct store *s, const struct store_enrollment *e, int64_t *id,
                      struct fault *f);
    int (*enroll_get)(struct store *s, int64_t id, struct store_enrollment *out, struct fault *f);
    /* Everything but id, user, code, created, created_by and expires, by id. */
    int (*enroll_set)(struct store *s, const struct store_enrollment *e, struct fault *f);
    /* Newest first; `user` NULL = all. */
    int (*enroll_each)(struct store *s, const char *user, store_enrollment_fn fn, void *ctx,
                       struct fault *f);
    /* Those that ended, by decision or by time, before. */
    int (*enroll_purge)(struct store *s, int64_t before, struct fault *f);

    /* The user exists. */
    int (*bundle_add)(struct store *s, const struct store_bundle *b, struct fault *f);
    int (*bundle_get)(struct store *s, const char *public_id, struct store_bundle *out,
                      struct fault *f);
    int (*bundle_delete)(struct store *s, const char *public_id, struct fault *f);
    /* Newest first; `user` NULL = all. */
    int (*bundle_each)(struct store *s, const char *user, store_bundle_fn fn, void *ctx,
                       struct fault *f);
};

/*
 * Whose rules the open transaction has changed, noted by the back end at every change, so that a
 * snapshot can take all others over from the one before.
 */
#define STORE_TOUCHED_MAX 16
struct store_touched {
    bool all; /* more than there is room for */
    size_t count;
    struct {
        bool is_group;
        char name[POLICY_NAME_MAX + 1];
    } owner[STORE_TOUCHED_MAX];
};

/* A back end's own struct begins with this. */
struct store {
    const struct store_ops *ops;
    bool created; /* this open made the database */
    struct store_touched touched;
};

/* For back ends. */
void store_touch(struct store *s, bool is_group, const char *owner);
/* Did the open transaction change this owner's rules? */
bool store_is_touched(const struct store *s, bool is_group, const char *owner);

/*
 * Opens "sqlite:/path" or "ram:" (a database in memory, for tests). With `create` a missing
 * database is made. Takes the lock beside the database: there is one writer process. Returns
 * PRA_ENOENT (no database), PRA_EBUSY (another process holds the lock), PRA_EVERSION (written by
 * a newer program), PRA_ECORRUPT (not a PRA database, or damaged), PRA_EIO, PRA_EINVAL (url).
 */
int store_open(const char *url, bool create, struct store **out, struct fault *f);

/* Closes and frees; NULL is fine. */
void store_close(struct store *s);

#endif
