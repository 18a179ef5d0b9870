/*
 * Who may reach what: an immutable, reference-counted snapshot compiled from the store, and the
 * questions asked of it. Pure: no I/O, no clock, no globals; the same code answers prad, the
 * portal and `explain`.
 *
 * Order of a user's rules: the user's own rules by position, then the rules of the user's groups
 * by position (ties: lower id first). Rules that do not apply (source, hours, expiry, target) are
 * passed over; the first that applies decides; none = deny (D1, D2).
 *
 * A rule that names a host matches that name only (normalised); a rule that names an address or
 * a network matches addresses: a literal in the request, or what a requested name resolved to.
 * Special addresses (loopback, link-local, unspecified, mapped, NAT64, multicast, the gateway's
 * own) are denied unless the deciding rule names them: an address literal or a network that lies
 * within that special range; the host name "localhost" names the loopback range.
 */
#ifndef PRA_SERVER_POLICY_POLICY_H
#define PRA_SERVER_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"
#include "server/policy/policy_limits.h"

#define POLICY_NAME_MAX     64        /* users, groups */
#define POLICY_LABEL_MAX    128       /* names of rules and keys, UTF-8 */
#define POLICY_GROUPS_MAX   64        /* groups a user can be in */
#define POLICY_FORWARDS_MAX 1024      /* forwards delivered to one client */
#define POLICY_ITEMS_MAX    100000000 /* users, members, keys, rules: each */

/* ---- what a snapshot is compiled from -------------------------------------------------- */

enum policy_action { POLICY_ACTION_ALLOW, POLICY_ACTION_DENY };

/* A target as a rule writes it: one host, or a network; one port, or a range. */
struct policy_target {
    bool is_network;
    struct addr_host host; /* when not a network */
    struct addr_cidr cidr; /* when a network */
    uint16_t port_first, port_last;
};

/* Where the client listens for a forward: address within 127.0.0.0/8, and port. */
struct policy_local {
    struct addr_ip ip;
    uint16_t port; /* 0 = none */
};

/* "Mon-Fri 08:00-19:00", several joined by ", ". Minutes of the week, Monday 00:00 = 0. */
#define POLICY_HOURS_MAX 16
struct policy_hours {
    unsigned count; /* 0 = always */
    struct {
        uint16_t from, to; /* [from, to), to <= 10080; spans over midnight are split */
    } span[POLICY_HOURS_MAX];
};

struct policy_rule {
    int64_t id;
    bool is_group; /* owner is a group, not a user */
    char owner[POLICY_NAME_MAX + 1];
    char name[POLICY_LABEL_MAX + 1];
    int64_t position;
    enum policy_action action;
    struct policy_target target;
    struct policy_local local, fallback; /* port 0 = none */
    bool has_from;
    struct addr_cidr from;
    struct policy_hours hours;
    int64_t expires; /* seconds since the epoch; 0 = never */
    bool log;
};

/* In quarantine: two machines have used it, and an administrator has yet to say which one may. */
enum policy_key_state { POLICY_KEY_ACTIVE, POLICY_KEY_REVOKED, POLICY_KEY_QUARANTINED };

/* What is done when one key is seen on two machines (server/prad/clone.h). */
#define POLICY_CLONE_MAP(X)                                                                        \
    X(POLICY_CLONE_DEFAULT, "") /* as the user's, else as the gateway's */                         \
    X(POLICY_CLONE_REFUSE, "refuse")                                                               \
    X(POLICY_CLONE_QUARANTINE, "quarantine")                                                       \
    X(POLICY_CLONE_ALLOW, "allow")
enum policy_clone {
#define X(id, word) id,
    POLICY_CLONE_MAP(X)
#undef X
        POLICY_CLONE_COUNT
};
const char *policy_clone_word(enum policy_clone c);
/* Returns 0, PRA_EINVAL. */
int policy_clone_parse(const char *word, enum policy_clone *out);

struct policy_key {
    int64_t id;
    char user[POLICY_NAME_MAX + 1];
    char fingerprint[52]; /* SHA256:... */
    const uint8_t *blob;  /* SSH wire blob; copied by policy_compile() */
    size_t blob_len;
    char comment[POLICY_LABEL_MAX + 1]; /* user@computer */
    bool any_client;
    enum policy_key_state state;
    enum policy_clone clone;
};

/* Does a log-in need a second factor? The larger is the stricter; the numbers are the store's. */
enum policy_factor {
    POLICY_FACTOR_INHERIT, /* nothing is set: as the groups, then the gateway, have it */
    POLICY_FACTOR_OFF = 1,
    POLICY_FACTOR_REQUIRED = 2
};

struct policy_user {
    char name[POLICY_NAME_MAX + 1]; /* case-sensitive (A4) */
    bool enabled;
    enum policy_clone clone;
    enum policy_factor factor; /* his own, else the strictest of his groups */
    bool has_factor;           /* he has a confirmed authenticator */
};

struct policy_member {
    char group[POLICY_NAME_MAX + 1];
    char user[POLICY_NAME_MAX + 1];
};

/*
 * Local time for hours: fills minute of the week (Monday 00:00 = 0) for `t`. Given by the caller
 * because time zones are I/O; tests pass a fixed zone.
 */
typedef unsigned (*policy_week_minute_fn)(int64_t t, void *ctx);

struct policy_input {
    uint64_t generation; /* of the store's content; grows with every change */
    const struct policy_user *users;
    size_t user_count;
    const struct policy_member *members;
    size_t member_count;
    const struct policy_key *keys;
    size_t key_count;
    const struct policy_rule *rules;
    size_t rule_count;
    /*
     * NULL, or the snapshot before: owners that are still there and for whom `changed` says no keep
     * their rules from there, uncopied; `rules` are those of the others.
     */
    const struct policy *before;
    bool (*changed)(bool is_group, const char *owner, void *ctx);
    void *changed_ctx;
    const struct policy_limits_of *limits; /* each user, group, rule once */
    size_t limit_count;
    const struct addr_ip *own; /* the gateway's own addresses */
    size_t own_count;
    policy_week_minute_fn week_minute;
    void *week_ctx;
};

struct policy;

/* Copies everything out of `in`. Returns 0 with one reference in *out, PRA_ENOMEM, PRA_EINVAL. */
int policy_compile(const struct policy_input *in, struct policy **out, struct fault *f);
struct policy *policy_ref(struct policy *p); /* thread-safe */
void policy_unref(struct policy *p);         /* thread-safe; NULL is fine */
uint64_t policy_generation(const struct policy *p);

/* ---- questions --------------------------------------------------------------------------- */

/* NULL if there is none. Results live as long as the snapshot. */
const struct policy_user *policy_find_user(const struct policy *p, const char *name);
/* The user's key with exactly this blob, revoked ones too. */
const struct policy_key *policy_find_key(const struct policy *p, const char *user,
                                         const uint8_t *blob, size_t blob_len);
/* One of the user's rules or of the user's groups'. */
const struct policy_rule *policy_find_rule(const struct policy *p, const char *user, int64_t id);

/* Three answers; "cannot tell" is never yes. */
enum policy_answer { POLICY_DENY = 0, POLICY_ALLOW = 1, POLICY_NEEDS_ADDRESS = -1 };

#define POLICY_REASON_MAP(X)                                                                       \
    X(POLICY_BY_RULE, "rule")            /* verdict.rule decided */                                \
    X(POLICY_BY_DEFAULT, "default-deny") /* no rule applied */                                     \
    X(POLICY_NO_USER, "no-user")                                                                   \
    X(POLICY_USER_DISABLED, "user-disabled")                                                       \
    X(POLICY_SPECIAL_ADDRESS, "special-address") /* a rule allowed, the address is special */      \
    X(POLICY_UNRESOLVED, "needs-address")

enum policy_reason {
#define X(id, word) id,
    POLICY_REASON_MAP(X)
#undef X
};
const char *policy_reason_word(enum policy_reason r);

struct policy_query {
    const char *user;
    struct addr_ip source;        /* the client's address as the gateway sees it, unmapped */
    const struct addr_host *host; /* as requested */
    const struct addr_ip *ip;     /* the resolved address; NULL = not known yet */
    uint16_t port;
    int64_t now;
};

struct policy_verdict {
    enum policy_answer answer;
    enum policy_reason reason;
    /* The deciding rule, or NULL; with POLICY_NEEDS_ADDRESS the first that might decide. */
    const struct policy_rule *rule;
};

/*
 * Answers one query. POLICY_NEEDS_ADDRESS: resolve the name and ask again with each address. For
 * a literal address `ip` may be NULL; if given it must be that address. Never fails: what cannot
 * be decided is denied.
 *
 * A name without its address: rules that name another host are passed over, a rule that names an
 * address or network cannot be judged. If the first rule left is a deny of this very name the
 * answer is deny; if no rule is left it is deny by default (so that nobody can make the gateway
 * resolve names that no rule could allow); otherwise the address is needed.
 *
 * Special addresses are judged after the first rule that applies has been found: an allow that
 * does not name the address is turned into a deny, later rules are not read. A mapped, NAT64 or
 * 6to4 form is never taken for the IPv4 address it carries. The gateway's own addresses other
 * than loopback must be named singly (a literal, or a network of one address).
 */
void policy_evaluate(const struct policy *p, const struct policy_query *q,
                     struct policy_verdict *out);

/*
 * The forwards to deliver to an enabled user's client now: allow rules with a local port and a
 * single host and port as target that apply at this time and source and whose target
 * policy_evaluate() does not deny (an earlier rule might); of two with the same local address and
 * port the first is taken. Calls `each` in order until it returns false, at most
 * POLICY_FORWARDS_MAX times.
 */
void policy_each_forward(const struct policy *p, const char *user, const struct addr_ip *source,
                         int64_t now, bool (*each)(const struct policy_rule *rule, void *ctx),
                         void *ctx);

/* The next second after `now` at which some answer may differ (hours, expiry); INT64_MAX = never. */
int64_t policy_next_change(const struct policy *p, int64_t now);

/* ---- text forms, used by admin for checking and printing ---------------------------------- */

/* "mail:110", "10.0.0.0/8:1-65535", "[2001:db8::1]:443". Returns 0, PRA_EINVAL. */
int policy_parse_target(const char *text, struct policy_target *out, struct fault *f);
void policy_format_target(const struct policy_target *t, char *dst, size_t cap);
/* "110", "127.0.0.2:110". Address must be in 127.0.0.0/8. Returns 0, PRA_EINVAL. */
int policy_parse_local(const char *text, struct policy_local *out, struct fault *f);
void policy_format_local(const struct policy_local *l, char *dst, size_t cap);
/* "Mon-Fri 08:00-19:00", "Sat,Sun 10:00-12:00", "Fri 22:00-06:00", "daily 00:00-24:00". */
int policy_parse_hours(const char *text, struct policy_hours *out, struct fault *f);

#endif
