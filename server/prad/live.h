/*
 * The registry of sessions that have logged in: what `session list` prints and `session kill`
 * needs. A session's worker writes its entry; the keeper thread reads. One mutex guards the list
 * and every entry's text; the counters are atomic so that moving bytes takes no lock. A connection
 * that has joined a session (tunnel.h) is counted, but shown and killed as a part of that session.
 */
#ifndef PRA_SERVER_PRAD_LIVE_H
#define PRA_SERVER_PRAD_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/addr.h"
#include "server/admin/admin.h"
#include "server/audit/audit.h"
#include "server/listing.h"
#include "server/policy/policy.h"

#define LIVE_VERSION_MAX 64
#define LIVE_OS_MAX      128
#define LIVE_MACHINE_MAX 16

struct live;
struct live_user;
struct tunnel_share;
struct tunnel_tokens;
struct worker;

struct live_entry {
    struct live_entry *next, *prev;
    struct live_user *owner; /* how many sessions `user` has, counted for live_add() */
    struct worker *worker;
    char id[AUDIT_SESSION_MAX];
    char user[POLICY_NAME_MAX + 1];
    char device[52];
    struct addr_ip source;
    uint16_t source_port;
    int64_t since;
    char version[LIVE_VERSION_MAX + 1]; /* of the client, as hello or its banner says */
    char os[LIVE_OS_MAX + 1];
    char binding[8];
    char machine[LIVE_MACHINE_MAX + 1]; /* tag, as hello says; "" = not told */
    bool pra;                           /* said hello; otherwise a standard client */
    bool unsaid;   /* has yet to say what it is (hello, join): counted, but not shown */
    uint64_t said; /* the how manieth has it said that; 0 = not yet. Under the lock */
    json_t *ports; /* those that the client could not open; NULL = none. Under the lock */
    atomic_uint channels;
    atomic_uint_fast64_t bytes_in, bytes_out;

    /* The tunnel that it belongs to (tunnel.h). */
    uint64_t connection;            /* its number; never used twice while prad runs */
    bool secondary;                 /* has joined: `id` is its primary's */
    bool closed;                    /* a primary that takes no more secondaries */
    _Atomic(const char *) must_end; /* why a secondary has to end, once its primary is gone */
    struct live_entry *primary;     /* of a secondary; NULL when the primary is gone */
    struct live_entry *members;     /* of a primary */
    struct live_entry *member_next, *member_prev;
    unsigned member_count;
    uint64_t left_in, left_out;   /* moved by secondaries that have left */
    uint64_t given_in, given_out; /* of a secondary: what its primary has taken over of its bytes */
    struct tunnel_share *share;   /* its own, or its primary's once it has joined */
    struct tunnel_tokens *tokens; /* NULL as long as none was issued */
};

/* Returns 0, PRA_ENOMEM. */
int live_new(struct live **out);
/* All entries must be gone. */
void live_free(struct live *l);

/* The largest part of a report about local ports that is kept. */
#define LIVE_PORTS_MAX 32

/* Adds `e` (the caller keeps owning it). False if the user already has `max_per_user` sessions, or
   without memory. Costs the same however many sessions there are. */
bool live_add(struct live *l, struct live_entry *e, size_t max_per_user);
/* What the client said about itself. The texts are cut to fit. */
void live_describe(struct live *l, struct live_entry *e, const char *version, const char *os,
                   const char *binding, bool pra);
/*
 * Notes on which machine the client says it is. True: another session with the same key says that it
 * is another one; *other is its machine, *source where it comes from.
 */
bool live_set_machine(struct live *l, struct live_entry *e, const char *machine,
                      char other[LIVE_MACHINE_MAX + 1], struct addr_ip *source);
/* Sessions of the same user, and of the same key, that said what they are before `e` did. */
void live_count_older(struct live *l, const struct live_entry *e, size_t *of_user,
                      size_t *of_device);
/* Calls `fn` for each connection that is logged in; the registry is locked meanwhile. */
void live_each_device(struct live *l, void (*fn)(const char *user, const char *device, void *ctx),
                      void *ctx);
/* What it said about its local ports: takes over `ports`, at most LIVE_PORTS_MAX; NULL = all are well. */
void live_set_ports(struct live *l, struct live_entry *e, json_t *ports);
void live_remove(struct live *l, struct live_entry *e);

/*
 * The array of `session list` (see struct admin_host), as far as the listing asks for it: of one user, with a text in
 * it, sorted by user, source, since, version, channels, bytes_in or bytes_out, from an offset on. *total is how many
 * there are without limit and offset. Returns 0, PRA_ENOMEM, PRA_EINVAL (nothing to sort by).
 */
int live_list(struct live *l, const struct listing *which, json_t **out, int64_t *total);
/* How many sessions there are. */
size_t live_count(struct live *l);

/* Of all sessions: what is open, and what was moved since the registry was made. */
struct live_totals {
    size_t sessions, channels;
    uint64_t bytes_in, bytes_out;
};
void live_totals(struct live *l, struct live_totals *out);
/* See struct admin_host. */
json_t *live_find(struct live *l, const struct admin_live_query *q);
json_t *live_ports(struct live *l);
int live_channels(struct live *l, const char *session, json_t **out);
int live_channel_close(struct live *l, const char *session, const char *channel);
/* Tells the session's workers to end it, with all its connections. Returns 0, PRA_ENOENT, PRA_ENOMEM. */
int live_kill(struct live *l, const char *id, const char *why);

#endif
