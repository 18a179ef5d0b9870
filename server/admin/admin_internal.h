/*
 * Inside of administration; only for server/admin/. An operation is one entry of a table: its
 * name, its arguments, the function that runs it. The function finds its arguments checked
 * against the table (type, length, nothing unknown), leaves a result, and returns 0 or a PRA_E*
 * with a sentence that names the argument.
 */
#ifndef PRA_SERVER_ADMIN_ADMIN_INTERNAL_H
#define PRA_SERVER_ADMIN_ADMIN_INTERNAL_H

#include "server/admin/admin.h"
#include "server/store/store.h"

#define ADMIN_BATCH_MAX 100000 /* requests in one batch */
#define ADMIN_PAGE_MAX  1000   /* audit records in one answer */
#define ADMIN_NOTES_MAX 1024   /* hellos remembered between two writes */

struct device_note {
    int64_t key_id, when;
    char machine_tag[STORE_WORD_MAX + 1];
    char version[STORE_WORD_MAX + 1];
    char os[POLICY_LABEL_MAX + 1];
    char binding[STORE_WORD_MAX + 1];
};

struct admin {
    struct store *store;
    char *store_url;
    char *host_key_path;
    struct admin_host host;
    bool serving; /* inside prad: a change is compiled before it is committed */
    struct policy *policy;
    struct policy *next; /* compiled in the open transaction */
    struct addr_ip *own;
    size_t own_count;
    struct device_note *notes; /* ADMIN_NOTES_MAX */
    size_t note_count;
};

enum arg_type { ARG_TEXT, ARG_INT, ARG_BOOL, ARG_LIST };

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
    struct fault f;
    char device[SSHKEY_FINGERPRINT_MAX]; /* for the audit, when an operation is about a key */
    int64_t rule;                        /* for the audit, when it is about a rule */
};

#define OP_READS   0u
#define OP_CHANGES 1u /* runs in a transaction, is audited */
#define OP_ACTS    2u /* audited, changes nothing in the store */

struct operation {
    const char *name;
    unsigned flags;
    int (*run)(struct call *c);
    const struct arg_spec *args; /* ends with a NULL name */
};

/* NULL if there is no such operation. */
const struct operation *admin_operation(const char *name);

/* ---- arguments (admin_args.c) ---------------------------------------------------------------- */

/* Checks c->args against c->op->args. Returns 0, PRA_EINVAL. */
int args_check(struct call *c);
/* Absent or null gives NULL, 0, false. */
const char *arg_text(const struct call *c, const char *name);
int64_t arg_int(const struct call *c, const char *name);
bool arg_bool(const struct call *c, const char *name);

/* A name of a user or group, as it may stand in `ssh NAME@host` and in a file name. */
int check_name(struct call *c, const char *arg, const char *name);
/* Text for people: printable UTF-8, not blank, at most `max` bytes. */
int check_label(struct call *c, const char *arg, const char *text);
/* RFC 3339, or a time ago such as "90m" or "7d"; seconds since the epoch. */
int parse_when(struct call *c, const char *arg, int64_t *out);

/* Notes a sentence that goes with a success. */
void warn(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- results ---------------------------------------------------------------------------------- */

/* A string value; bytes that are not UTF-8 are escaped. "" becomes null with `or_null`. */
json_t *json_text(const char *s);
json_t *json_text_or_null(const char *s);
/* RFC 3339, null for 0. */
json_t *json_when(int64_t t);
/* Sets the result; PRA_ENOMEM if `result` is NULL. */
int give(struct call *c, json_t *result);

json_t *key_json(const struct store_key *k);
json_t *rule_json(const struct store_rule *in);

/* ---- the rest --------------------------------------------------------------------------------- */

/* Reads the store and compiles it. Returns 0 with a reference in *out, or a PRA_E*. */
int snapshot_load(struct admin *a, struct policy **out, struct fault *f);

/* Writes what was noted by admin_note_device(), inside a transaction. */
int notes_write(struct admin *a, struct fault *f);

/* The operations, by file: admin_users.c, _keys.c, _rules.c, _gateway.c, _audit.c, _explain.c. */
int op_user_add(struct call *c);
int op_user_list(struct call *c);
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
int op_key_revoke(struct call *c);
int op_rule_add(struct call *c);
int op_rule_list(struct call *c);
int op_rule_move(struct call *c);
int op_rule_delete(struct call *c);
int op_session_list(struct call *c);
int op_session_kill(struct call *c);
int op_hostkey_show(struct call *c);
int op_profile(struct call *c);
int op_init(struct call *c);
int op_status(struct call *c);
int op_audit_list(struct call *c);
int op_explain(struct call *c);

#endif
