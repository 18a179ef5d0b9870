/*
 * Inside of administration; only for server/admin/. An operation is one entry of a table: its
 * name, its arguments, the function that runs it. The function finds its arguments checked
 * against the table (type, length, nothing unknown), leaves a result, and returns 0 or a PRA_E*
 * with a sentence that names the argument.
 */
#ifndef PRA_SERVER_ADMIN_ADMIN_INTERNAL_H
#define PRA_SERVER_ADMIN_ADMIN_INTERNAL_H

#include "common/format.h"
#include "server/admin/admin.h"
#include "server/audit/export.h"
#include "server/admin/code.h"
#include "server/admin/throttle.h"
#include "server/store/store.h"

#define ADMIN_BATCH_MAX 100000 /* requests in one batch */
#define ADMIN_PAGE_MAX  1000   /* audit records in one answer */
#define LIST_MAX        1000   /* entries of a list that an account gets at once */
#define LIVE_LIMIT_MAX  1000   /* sessions in one answer */
#define ADMIN_NOTES_MAX 1024   /* hellos remembered between two writes */

struct device_note {
    int64_t key_id, when;
    char machine_tag[STORE_WORD_MAX + 1];
    char version[STORE_WORD_MAX + 1];
    char os[POLICY_LABEL_MAX + 1];
    char binding[STORE_WORD_MAX + 1];
};

#define DOWNLOADS_MAX     32
#define DOWNLOAD_NAME_MAX 128
#define DOWNLOAD_SIZE_MAX (256 * 1024 * 1024)

/* A file that is handed out. */
struct download {
    char name[DOWNLOAD_NAME_MAX + 1];
    char version[STORE_WORD_MAX + 1]; /* "" = its name holds none */
    int64_t size, modified_ns;
    uint8_t sha256[STORE_HASH_LEN];
};

struct downloads;

struct admin {
    struct store *store;
    char *downloads_path;        /* "" = nothing is handed out */
    struct downloads *downloads; /* what was found there last; NULL = nobody has asked */
    char *store_url;
    char *host_key_path;
    char *mail_from, *portal_url;           /* "" = not set */
    uint8_t *mail_key;                      /* secmem; NULL = not read yet */
    char enterprise[EXPORT_ENTERPRISE_MAX]; /* for structured data of syslog messages; "" = none */
    int64_t portal_files, portal_files_max,
        portal_told;                  /* what the portal said of itself, and when */
    char report_month[STORE_DAY_MAX]; /* whose report need not be asked for again */
    char hostkey_type[SSHKEY_TYPE_MAX], hostkey[SSHKEY_FINGERPRINT_MAX]; /* "" = not read yet */
    struct admin_host host;
    bool importing; /* a table, in slices: others are served meanwhile */
    bool serving;   /* inside prad: a change is compiled before it is committed */
    struct policy *policy;
    struct policy *next; /* compiled in the open transaction */
    struct addr_ip *own;
    size_t own_count;
    struct throttle *throttle;
    struct watcher *watcher;   /* what alerts remember (alerts.h) */
    struct device_note *notes; /* ADMIN_NOTES_MAX */
    size_t note_count;
    struct forgotten *forgotten; /* FORGOTTEN_MAX */
    size_t forgotten_count;
    uint64_t
        enroll_changes;     /* counts changes of enrollments, so that prad sees when to read them */
    uint64_t lease_changes; /* the same of leases that were revoked */
    enum policy_factor factor_default; /* what [login] second_factor says */
    /* Keys whose tickets prad is to forget when the transaction stands; 0 = all. */
    int64_t *released;
    size_t released_count;
};

/* ARG_HIDDEN: text that never stands in the audit. */
enum arg_type { ARG_TEXT, ARG_HIDDEN, ARG_INT, ARG_BOOL, ARG_LIST };

/* What an account may do: server/README.md says what each role is for. */
#define ROLE_MAP(X)                                                                                \
    X(ROLE_OWNER, "owner")                                                                         \
    X(ROLE_ADMIN, "admin")                                                                         \
    X(ROLE_HELPDESK, "helpdesk")                                                                   \
    X(ROLE_ENGINEER, "engineer")                                                                   \
    X(ROLE_AUDITOR, "auditor")
enum role {
#define X(id, word) id,
    ROLE_MAP(X)
#undef X
        ROLE_COUNT
};

/* Who may run an operation: bits, 1 << role and these. */
#define BY_CONSOLE (1u << 8)  /* pra-admin */
#define BY_NOBODY  (1u << 9)  /* the portal for somebody who has not logged in */
#define BY_PENDING (1u << 10) /* who gave a password and owes the second step */

struct arg_spec {
    const char *name;
    enum arg_type type;
    bool required;
    int64_t max; /* bytes of a text, largest number, elements of a list */
};

/* One running operation. */
struct call {
    struct admin *a;
    const struct admin_peer *peer;
    const struct operation *op;
    json_t *args;     /* borrowed; checked */
    json_t *result;   /* owned by the call until it is taken into the answer */
    json_t *warnings; /* NULL or an array of sentences */
    json_t *page;     /* of a list: which part of it the result is; NULL for others */
    struct fault f;
    unsigned who;                 /* one of the bits */
    struct store_account account; /* id 0 = none */
    struct store_login login;     /* likewise */
    struct store_token api;       /* likewise: what a program showed instead of a log-in */
    json_t *shown;                /* members of the request that say who asks; owned */
    const char *browsers;         /* what the browser kept from log-ins of before; NULL = nothing */
    uint8_t browser[THROTTLE_BROWSER_LEN]; /* names this browser, if it is known */
    const char *code;                      /* of the error, where the PRA_E* has none of its own */
    bool batched;                          /* one of many changes that stand or fall together */
    bool within;                           /* one of many: no warnings that look at all others */
    bool background;                       /* a page asks by itself: nobody uses the log-in */
    char source[STORE_WORD_MAX + 1];       /* the browser's address, or "" */
    char device[SSHKEY_FINGERPRINT_MAX];   /* for the audit, when an operation is about a key */
    int64_t rule;                          /* for the audit, when it is about a rule */
    char note[64]; /* for the audit: what came of it, behind the arguments */
};

#define OP_READS   0u
#define OP_CHANGES 1u /* runs in a transaction, is audited */
#define OP_ACTS    2u /* audited, changes nothing in the store */
#define OP_WRITES  4u /* like OP_CHANGES, but nothing that a policy is made of */
#define OP_OWN     8u /* opens its transactions and writes its audit records by itself */

struct operation {
    const char *name;
    unsigned flags;
    unsigned who; /* bits: the one place where a role's rights stand */
    int (*run)(struct call *c);
    const struct arg_spec *args; /* ends with a NULL name */
};

/* NULL if there is no such operation. */
const struct operation *admin_operation(const char *name);
/* May one of these bits run any operation that changes the policy? */
bool admin_may_change(unsigned who);
/* Names of the operations that one of these bits may run. New reference. */
json_t *admin_operations(unsigned who);

/* ---- who asks (admin_access.c) ------------------------------------------------------------------ */

#define LOGIN_PENDING_S 300         /* from the password to the second step */
#define LOGIN_IDLE_S    (30 * 60)   /* without a request */
#define LOGIN_LONGEST_S (12 * 3600) /* from the log-in on */
#define LOGIN_SEEN_S    60          /* how exactly the last request is known */
#define LOGINS_MAX      16          /* of one account */
#define TOKEN_LEN       32

/*
 * Finds out for whom a request is made, from its peer and the members "token" and "source".
 * Returns 0, PRA_EINVAL, PRA_ECLOSED (no such log-in, or not any more: log in again).
 */
int access_identify(struct call *c, json_t *request);
/* May he run c->op? Returns 0, PRA_ECLOSED (log in first), PRA_EACCES. */
int access_check(struct call *c);
/* May he send a batch at all? Likewise; each of its requests is asked by itself as well. */
int access_check_batch(struct call *c);
/*
 * Who tries to log in to account `a` (NULL: there is none), for the throttle: a stranger, or a
 * browser that this account was logged in with. Points into the call.
 */
struct throttle_who access_who(struct call *c, const char *name, const struct store_account *a);
/* -1 if it is none. */
int role_of(const char *word);
const char *role_word(int role);

/* ---- browsers that are known (admin_browser.c) --------------------------------------------------- */

#define BROWSER_VALID_S  (180 * 86400)
#define BROWSER_TEXT     (2 * (THROTTLE_BROWSER_LEN + 8 + 32)) /* hexadecimal digits of one */
#define BROWSERS_MAX     4                                     /* accounts that use one browser */
#define BROWSER_TEXT_MAX (BROWSERS_MAX * (BROWSER_TEXT + 1))

/* Was this account logged in with the browser that asks, with the password it has now? Names it. */
bool browser_known(struct call *c, const struct store_account *a,
                   uint8_t name[THROTTLE_BROWSER_LEN]);
/* What the browser is to keep now that c->account is logged in. NULL = failed; new reference. */
json_t *browser_remember(struct call *c);

/* ---- API tokens (admin_tokens.c) ------------------------------------------------------------------ */

#define API_TOKEN_PREFIX   "pra_"
#define API_TOKENS_MAX     32 /* of one account */
#define API_TOKEN_DAYS_MAX 365

/*
 * Puts the token that a request shows, its account and role into the call. Returns 0, PRA_ECLOSED
 * (not good, or not any more), PRA_EAGAIN (too many requests), or the store's error.
 */
int token_identify(struct call *c, const json_t *value);
/* Do these scopes hold this operation? What the account's role may not do they do not add. */
bool token_may(const struct store_token *t, const struct operation *op);
/* Likewise: any change of the policy? */
bool token_may_change(const struct store_token *t);

/* ---- where the portal may be used from (admin_sources.c) ------------------------------------------ */

#define ACCESS_RULES_MAX 256

/* May the portal be used from c->source? Returns 0, PRA_EACCES, or the store's error. */
int sources_check(struct call *c);

/* ---- arguments (admin_args.c) ---------------------------------------------------------------- */

/* Checks c->args against c->op->args. Returns 0, PRA_EINVAL. */
int args_check(struct call *c);
/* NULL if the operation has no such argument. */
const struct arg_spec *find_spec(const struct operation *op, const char *name);
/* Absent or null gives NULL, 0, false. */
const char *arg_text(const struct call *c, const char *name);
int64_t arg_int(const struct call *c, const char *name);
bool arg_bool(const struct call *c, const char *name);

/* An address for mail; "" is none. */
int check_mail(struct call *c, const char *mail);
/* The account that the argument "account" names, which only an owner and the console may name, or one's
   own. Returns 0, PRA_EINVAL (none is named, and there is no own one), PRA_EACCES, PRA_ENOENT. */
int account_meant(struct call *c, struct store_account *out);
/* A name of a user or group, as it may stand in `ssh NAME@host` and in a file name. */
int check_name(struct call *c, const char *arg, const char *name);
/* Text for people: printable UTF-8, not blank, at most `max` bytes. */
int check_label(struct call *c, const char *arg, const char *text);
/* RFC 3339, or a time ago such as "90m" or "7d"; seconds since the epoch. */
int parse_when(struct call *c, const char *arg, int64_t *out);
/* RFC 3339, or a time ahead such as "90m" or "2h". */
int parse_ahead(struct call *c, const char *arg, int64_t *out);

/* Notes a sentence that goes with a success. */
void warn(struct call *c, const char *fmt, ...) FORMAT_PRINTF(2, 3);

/* ---- results ---------------------------------------------------------------------------------- */

/* A string value; bytes that are not UTF-8 are escaped. "" becomes null with `or_null`. */
json_t *json_text(const char *s);
json_t *json_text_or_null(const char *s);
/* RFC 3339, null for 0. */
json_t *json_when(int64_t t);
/* Sets the result; PRA_ENOMEM if `result` is NULL. */
int give(struct call *c, json_t *result);

/* ---- lists (admin_list.c) ---------------------------------------------------------------------- */

/* The arguments that lists have in common, as far as the operation has them. Returns 0, PRA_EINVAL. */
int list_read(struct call *c, struct listing *l);
/* Sets result and page; takes over `list`. With `rc` < 0 the list is dropped and rc returned. */
int list_give(struct call *c, const struct listing *l, json_t *list, int64_t total, int rc);
/* The same of a list that is there as a whole: gives the part that is asked for. */
int list_cut(struct call *c, const struct listing *l, json_t *list, int rc);

/* Calls that are open to whoever may look at alerts; members of live's answer. NULL = no memory. */
json_t *alert_sums_json(struct admin *a);

typedef int (*store_count_each_fn)(struct store *s, const char *since, const char *until,
                                   store_audit_count_fn fn, void *ctx, struct fault *f);
/* Counts by day and kind, from the arguments since to until. */
int give_counts(struct call *c, store_count_each_fn each);

/*
 * Runs another operation as a part of this one, in its transaction and with a record of its own. `args` is
 * borrowed; *result is a new reference (NULL: nobody wants it), warnings are dropped. Returns what the
 * operation does, its sentence in outer->f.
 */
/*
 * Type and fingerprint of the host key: in prad those of the key that it serves with, read at its start;
 * elsewhere of the file. Returns as hostkey_read().
 */
int admin_hostkey(struct admin *a, char type[SSHKEY_TYPE_MAX],
                  char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f);

int admin_run_within(struct call *outer, const char *op, json_t *args, json_t **result);

/* Ends a transaction of `rc`: durable with its snapshot ready, or nothing. */
int admin_finish(struct admin *a, int rc, struct fault *f);

/* The form of an audit record of this call. */
void audit_of(const struct call *c, int rc, struct audit_event *e);

/* Keeps what was done to a rule, so that it can be taken back; NULL: there is no rule then. */
int change_note(struct call *c, const char *what, const struct store_rule *before,
                const struct store_rule *after);

/* ---- limits (admin_limits.c) ---------------------------------------------------------------------- */

/* Puts the limits that are arguments over those in `l`. Returns 0, PRA_EINVAL. */
int limits_read(struct call *c, bool of_rule, struct policy_limits *l);
/* {"max-connections": "5", ...}: those that are set, as they are given; null = none. New reference. */
json_t *limits_json(const struct policy_limits *l);
/* A member of rule_json(), or one of its limits. Borrowed. */
json_t *rule_part(const json_t *rule, const char *name);
/* Adds what holds for a user ("limits"), and what of it is used up ("used"). */
void limits_show(struct call *c, const char *user, json_t *to);

json_t *key_json(const struct store_key *k);
/* The registration that the arguments "fingerprint" and "user" name. */
int find_key(struct call *c, struct store_key *out);
/* The argument "clone"; "" or "default": what is above it decides. Returns 0, PRA_EINVAL. */
int read_clone(struct call *c, const char *word, enum policy_clone *out);
json_t *rule_json(const struct store_rule *in);

/* ---- the rest --------------------------------------------------------------------------------- */

/*
 * Reads the store and compiles it. Unless `fresh`, rules of owners that the open transaction has not
 * touched are taken from a->policy. Returns 0 with a reference in *out, or a PRA_E*.
 */
int snapshot_load(struct admin *a, bool fresh, struct policy **out, struct fault *f);

/* Writes what was noted by admin_note_device(), inside a transaction. */
int notes_write(struct admin *a, struct fault *f);

/* ---- accounts (admin_accounts.c) ---------------------------------------------------------------- */

#define SETUP_VALID_S     (14 * 86400) /* C3: what is not activated by then is issued again */
#define SETUP_CODE_CHARS  20           /* of base32, 100 bits */
#define RECOVERY_COUNT    10
#define RECOVERY_CHARS    16  /* 80 bits */
#define CODE_FAILURES_MAX 10  /* wrong codes of an account ... */
#define CODE_FAILURES_S   900 /* ... in this time */
#define CODE_TRIES_MAX    5   /* after one password */

json_t *account_json(const struct store_account *a);
/* An argument of exactly `len` bytes in hexadecimal. Returns 0, PRA_EINVAL. */
int arg_bytes(struct call *c, const char *name, uint8_t *out, size_t len);
/* Asks an argument "proof" of the account that is logged in: an open browser is not enough to
   change how one gets in. Returns 0, PRA_EINVAL, PRA_EAGAIN, PRA_EPASSPHRASE. */
int account_prove(struct call *c);
/* Does it owe a second step after the password? */
bool account_two_step(const struct store_account *a);
/* Is this the account's password? Returns 0, PRA_EPASSPHRASE without a sentence, PRA_ECRYPTO. */
int account_verify(const struct store_account *a, const uint8_t *proof);
/* Not disabled and not over at `now`. */
bool account_live(const struct store_account *a, int64_t now);

/* ---- logging in (admin_login.c) ------------------------------------------------------------------ */

/*
 * Is what the request shows a good second step of c->account? Runs in a transaction, which is
 * undone unless it returns 0. PRA_EPASSPHRASE: no, with a reason for the audit in *why.
 */
typedef int (*second_step_fn)(struct call *c, void *ctx, const char **why);
/* Opens the waiting log-in if `try` says yes; counts and records what was wrong. */
int login_second_step(struct call *c, second_step_fn try, void *ctx);

/* ---- forgotten passwords and mail to accounts (admin_reset.c) ------------------------------------ */

#define RESET_VALID_S   1800
#define RESET_ASKED_MAX 3    /* mails of one account ... */
#define RESET_ASKED_S   3600 /* ... in this time */
#define FORGOTTEN_MAX   64   /* that wait for their turn */

/* Somebody says that he forgot his password. */
struct forgotten {
    char account[POLICY_NAME_MAX + 1];
    char mail[STORE_MAIL_MAX + 1];
    char source[STORE_WORD_MAX + 1];
};

/* Mails the set-up code of a new or reissued account. A transaction is open. */
int mail_invitation(struct call *c, const struct store_account *a, const char *code);
/*
 * In the transaction in which c->account got another password: revokes its API tokens if the argument
 * "end-tokens" says so, and tells the account by mail, where there is mail, of what is still good besides the
 * new password. *kept: how many tokens are.
 */
int password_was_changed(struct call *c, int64_t *kept);

/* ---- enrollment (admin_enroll.c) ---------------------------------------------------------------- */

#define ENROLL_CODE_CHARS    16           /* of base32, 80 bits */
#define ENROLL_HOURS_DEFAULT 24           /* how long a code is good */
#define ENROLL_HOURS_MAX     (14 * 24)    /* at most */
#define ENROLL_KEPT_S        (30 * 86400) /* how long what ended stays in the list */

/*
 * Registers `k` (its id is set), audits the device, gives the key's object as the result, with what an
 * administrator should look at as warnings. PRA_EEXIST: this user has the key already (admin_keys.c).
 */
int key_register(struct call *c, struct store_key *k);

/* ---- log bundles (admin_bundle.c) --------------------------------------------------------------- */

#define BUNDLE_KEPT_S       (90 * 86400)
#define BUNDLES_OF_USER_MAX 10                                /* the oldest go */
#define BUNDLES_BYTES_MAX   (INT64_C(2) * 1024 * 1024 * 1024) /* of all */
#define BUNDLE_RECORDS_READ STORE_AUDIT_LIMIT                 /* of a user, the newest */

/* The problems that a bundle's client wrote down; new reference, NULL if they cannot be read. */
json_t *bundle_problems(const struct admin *a, const char *id);

/* ---- the second step (admin_totp.c) ------------------------------------------------------------- */

#define TOTP_STEP_S 30
#define TOTP_WINDOW 1 /* steps to either side, for clocks that differ */

/* Could it be one? */
bool totp_is_code(const char *code);
/*
 * The time step of a code within `window` steps of `now`. Returns 0, PRA_EPASSPHRASE without a sentence (it
 * is none of them), PRA_ECRYPTO.
 */
int totp_find(const uint8_t secret[STORE_TOTP_LEN], const char *code, int64_t now, int64_t window,
              int64_t *step, struct fault *f);
/* The result of an operation that makes a secret: {"secret": base32, "uri": otpauth}. */
int totp_give_secret(struct call *c, const char *name, const uint8_t secret[STORE_TOTP_LEN]);
/* RECOVERY_COUNT new codes, added to `list`, and what is kept of them. Returns 0, PRA_ECRYPTO. */
int recovery_make(uint8_t hashes[RECOVERY_COUNT][STORE_HASH_LEN], json_t *list);
/* New recovery codes instead of the old ones, as the result: they are shown this once. */
int recovery_give(struct call *c);

/*
 * Takes a code once: of an authenticator, whose time step is noted in `a` (not stored yet), or a
 * recovery code, which is removed (a transaction is open). Returns 0, PRA_EPASSPHRASE with a
 * reason in `why` ("code", "code-used"), or the store's error.
 */
int totp_take(struct call *c, struct store_account *a, const char *code, int64_t now,
              const char **why);

/* ---- second factors of users (admin_factor.c) ---------------------------------------------------- */

/* "inherit", "off", "required". */
const char *factor_policy_word(enum policy_factor policy);

/* ---- mail (admin_mail.c) ------------------------------------------------------------------------ */

/* One address, without a name, that may stand in a header and in SMTP. */
bool mail_address_good(const char *text);

/* The operations, by file: admin_users.c, _keys.c, _rules.c, _gateway.c, _audit.c, _explain.c,
   _accounts.c, _login.c, _totp.c, _mail.c, _enroll.c, _bundle.c, _trouble.c,
   _import_rows.c, _changes.c, _devices.c, _downloads.c, _factor.c. */
int op_user_add(struct call *c);
int op_user_list(struct call *c);
int op_user_set(struct call *c);
int op_user_limit(struct call *c);
int op_user_limits(struct call *c);
int op_group_limit(struct call *c);
int op_group_limits(struct call *c);
int op_user_import(struct call *c);
int op_user_import_check(struct call *c);
int op_user_export(struct call *c);
int op_user_table(struct call *c);
int op_user_enable(struct call *c);
int op_user_disable(struct call *c);
int op_user_delete(struct call *c);
int op_group_add(struct call *c);
int op_group_list(struct call *c);
int op_group_delete(struct call *c);
int op_member_add(struct call *c);
int op_member_remove(struct call *c);
int op_key_add(struct call *c);
int op_key_list(struct call *c);
int op_key_set(struct call *c);
int op_key_show(struct call *c);
int op_key_revoke(struct call *c);
int op_key_restore(struct call *c);
int op_key_release(struct call *c);
int op_key_release_all(struct call *c);
int op_enroll_code(struct call *c);
int op_enroll_list(struct call *c);
int op_enroll_approve(struct call *c);
int op_enroll_deny(struct call *c);
int op_user_trouble(struct call *c);
int op_log_list(struct call *c);
int op_log_show(struct call *c);
int op_log_timeline(struct call *c);
int op_log_fetch(struct call *c);
int op_log_delete(struct call *c);
int op_rule_add(struct call *c);
int op_rule_set(struct call *c);
int op_rule_history(struct call *c);
int op_download_list(struct call *c);
int op_download_show(struct call *c);
int op_pac(struct call *c);
int op_rule_undo(struct call *c);
int op_rule_import(struct call *c);
int op_rule_import_check(struct call *c);
int op_rule_export(struct call *c);
int op_rule_table(struct call *c);
int op_rule_list(struct call *c);
int op_rule_move(struct call *c);
int op_rule_check(struct call *c);
int op_rule_delete(struct call *c);
int op_penalty_show(struct call *c);
int op_penalty_clear(struct call *c);
int op_session_list(struct call *c);
int op_session_kill(struct call *c);
int op_session_show(struct call *c);
int op_channel_close(struct call *c);
int op_live(struct call *c);
int op_port_list(struct call *c);
int op_hostkey_show(struct call *c);
int op_profile(struct call *c);
int op_init(struct call *c);
int op_status(struct call *c);
int op_audit_list(struct call *c);
int op_audit_export(struct call *c);
int op_audit_counts(struct call *c);
int op_alert_list(struct call *c);
int op_alert_sums(struct call *c);
int op_alert_counts(struct call *c);
int op_alert_judge(struct call *c);
int op_alert_ack(struct call *c);
int op_alert_mail(struct call *c);
int op_alert_mail_set(struct call *c);
int op_watch_list(struct call *c);
int op_watch_set(struct call *c);
int op_outage_list(struct call *c);
int op_outage_add(struct call *c);
int op_outage_remove(struct call *c);
int op_certificate(struct call *c);
int op_explain(struct call *c);
int op_account_add(struct call *c);
int op_account_list(struct call *c);
int op_account_set(struct call *c);
int op_account_enable(struct call *c);
int op_account_disable(struct call *c);
int op_account_delete(struct call *c);
int op_account_reissue(struct call *c);
int op_account_reset(struct call *c);
int op_login_begin(struct call *c);
int op_login_password(struct call *c);
int op_login_code(struct call *c);
int op_login_list(struct call *c);
int op_login_end(struct call *c);
int op_setup(struct call *c);
int op_forgotten(struct call *c);
int op_reset(struct call *c);
int op_logout(struct call *c);
int op_me(struct call *c);
int op_me_set(struct call *c);
int op_password_change(struct call *c);
int op_totp_begin(struct call *c);
int op_totp_confirm(struct call *c);
int op_totp_disable(struct call *c);
int op_recovery_renew(struct call *c);
int op_passkey_begin(struct call *c);
int op_passkey_add(struct call *c);
int op_passkey_list(struct call *c);
int op_passkey_rename(struct call *c);
int op_passkey_remove(struct call *c);
int op_login_passkey_begin(struct call *c);
int op_login_passkey(struct call *c);
int op_token_add(struct call *c);
int op_token_list(struct call *c);
int op_token_revoke(struct call *c);
int op_access_list(struct call *c);
int op_access_add(struct call *c);
int op_access_delete(struct call *c);
int op_access_reset(struct call *c);
int op_user_factor(struct call *c);
int op_group_factor(struct call *c);
int op_factor_show(struct call *c);
int op_factor_begin(struct call *c);
int op_factor_confirm(struct call *c);
int op_factor_recovery(struct call *c);
int op_factor_reset(struct call *c);
int op_factor_forget(struct call *c);
int op_factor_retry(struct call *c);
int op_report(struct call *c);
int op_report_readers(struct call *c);
int op_report_subscribe(struct call *c);
int op_mail_list(struct call *c);
int op_mail_test(struct call *c);
int op_mail_retry(struct call *c);
int op_mail_drop(struct call *c);

#endif
