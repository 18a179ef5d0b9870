/*
 * Administration: every operation on users, groups, keys, rules, sessions and audit exists here
 * once: checked, written to the store, audited. Runs inside prad on the keeper thread; with prad
 * down pra-admin takes the store's lock and runs the same code.
 *
 * A request is one JSON object {"op":"user.add","args":{...}}, with a member "token" if it is made
 * for a logged-in account, and from the portal "source", the browser's address, and "background" (true:
 * nobody asked, so an idle log-in ends all the same); an answer is
 * {"ok":true,"result":...} or {"ok":false,"error":{"code":"exists","message":"..."}}; the list of
 * operations, arguments and error codes is in server/README.md.
 */
#ifndef PRA_SERVER_ADMIN_ADMIN_H
#define PRA_SERVER_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "common/err.h"
#include "common/os.h"
#include "server/audit/audit.h"
#include "server/listing.h"
#include "server/policy/policy.h"
#include "server/store/store_limits.h"

struct bundle_told;
struct store_bundle;
struct store_enrollment;
struct store_ticket;

#define ENROLL_LIVE_MAX     1000 /* codes that are out and requests that wait, of all users */
#define ADMIN_ADDRESSES_MAX 16   /* of the name that explain is asked about */

struct admin;

/* Who asks. */
struct admin_peer {
    uid_t uid;
    pid_t pid;
    char name[POLICY_NAME_MAX + 1]; /* login name for the audit */
    bool portal; /* may do nothing by itself: only what the session in a request's token may */
};

/* Which sessions; NULL or 0 = all. */
struct admin_live_query {
    const char *id;
    const char *user;
    const char
        *text;    /* is found in user, device, source, version or os; upper and lower case alike */
    size_t limit; /* of sessions in the answer */
};

/* What only a running prad can do. */
struct admin_host {
    void *ctx;
    /* JSON array of sessions: {"id","user","device","source","since","version","os","binding",
       "connections","channels","bytes_in","bytes_out","kind":"pra|ssh"}; of the listing: user,
       search, sort, limit, offset. A new reference in *out, NULL on failure. Returns 0, PRA_ENOMEM,
       PRA_EINVAL (no such sort). */
    int (*session_list)(void *ctx, const struct listing *l, json_t **out, int64_t *total);
    size_t (*session_count)(void *ctx);
    /* Ends a session and tells the client why. Returns 0, PRA_ENOENT. */
    int (*session_kill)(void *ctx, const char *id, const char *why);
    /* {"sessions": the newest that fit, as above and with "ports": what the client last said of local
       ports that it could not open: [{"local","state","program","pid"}], "matching": how many fit,
       "total", "channels", "bytes_in", "bytes_out": sums of all}. NULL = no memory. */
    json_t *(*live_find)(void *ctx, const struct admin_live_query *q);
    /* Array of a session's open channels: {"id","rule","name","target","address","since","bytes_in",
       "bytes_out"}. Asks the session's workers; one that is busy for longer than a second is left
       out. Returns 0, PRA_ENOENT, PRA_EBUSY, PRA_ENOMEM. */
    int (*channel_list)(void *ctx, const char *session, json_t **out);
    /* Local ports that connected PCs could not open, those of most PCs first, at most 1,000:
       [{"local","state","program","pcs","users": ten of them}]. NULL = no memory. */
    json_t *(*port_list)(void *ctx);
    /* {"waiting": connections that have not logged in, "refused": connections turned away since the
       start, "penalties": sources refused now}. NULL = no memory. */
    json_t *(*door)(void *ctx);
    /* Serves everybody else who waits, with no transaction open; one turn. */
    void (*breathe)(void *ctx);
    /* sources_list() of the 1,000 that wait longest. NULL = no memory. */
    json_t *(*penalty_list)(void *ctx);
    /* Forgives a source, or all if NULL. */
    void (*penalty_clear)(void *ctx, const struct addr_ip *source);
    /* Closes a channel and tells the client. Returns 0, PRA_ENOENT, PRA_EBUSY, PRA_ENOMEM. */
    int (*channel_close)(void *ctx, const char *session, const char *channel);
    /* Calls `fn` for each connection that is logged in. */
    void (*device_each)(void *ctx, void (*fn)(const char *user, const char *device, void *arg),
                        void *arg);
    /* Puts prad.ini's limits where `l` has none, and gives what the user has used up: {"sessions",
       "connections", "day", "month": bytes}; NULL = no memory. */
    void (*limits)(void *ctx, const char *user, struct policy_limits *l, json_t **used);
    /* How the gateway is: members for the answer of `status`; see prad/condition.h. NULL = no memory. */
    json_t *(*condition)(void *ctx);
    /* Forgets the tickets of a key; 0 = of all (prad/tickets.h). */
    void (*ticket_forget)(void *ctx, int64_t key);
    /* Stores audit events that wait. Called before each request, so that an answer shows what had
       happened when it was asked for. NULL: nothing ever waits. */
    void (*settle)(void *ctx);
    /* Hands a new snapshot, if there is one, to all who decide by it, and returns when they do. Called after
       each request and before its answer, so that nothing is let in by what was acknowledged as gone. */
    void (*take_effect)(void *ctx);
};

/* Bytes that users moved, of days from `from` on; and what is written of them, in one transaction.
   Return 0 or the store's error. */
int admin_quota_each(struct admin *a, const char *from, store_quota_fn fn, void *ctx,
                     struct fault *f);
int admin_quota_store(struct admin *a, const struct store_quota *q, size_t count, struct fault *f);
int admin_quota_tidy(struct admin *a, const char *before_day, struct fault *f);

struct admin_options {
    const char *store_url;         /* "sqlite:/path" */
    const char *downloads;         /* folder of what is handed out; NULL or "" = none */
    const char *host_key_path;     /* made by the init operation, mode 0600 */
    const char *mail_from;         /* who sends mail; NULL or "": none can be sent */
    const char *enterprise;        /* [audit] enterprise; NULL or "": none */
    const char *portal_url;        /* where mail says the portal is; NULL or "": nothing */
    const struct admin_host *host; /* NULL: no prad, the store alone */
    bool create;                   /* init: make the database if there is none */
};

/*
 * Opens store and lock. Returns 0, PRA_EBUSY (another writer holds the lock), PRA_ENOENT (no
 * database: run pra-admin init), PRA_EVERSION (database is newer), PRA_EIO.
 */
int admin_open(const struct admin_options *opt, struct admin **out, struct fault *f);
void admin_close(struct admin *a);

/*
 * Runs one request. Always gives an answer object (new reference; NULL only without memory). A
 * change is durable, audited and compiled into a new snapshot before this returns;
 * admin_policy() then gives the new one. No operation waits for the network: inside prad, what
 * runs here holds up revocations and the audit.
 */
json_t *admin_execute(struct admin *a, const struct admin_peer *peer, const json_t *request);

/* The current snapshot, one reference for the caller. */
struct policy *admin_policy(struct admin *a);

/* Reads the store again if somebody else changed it. True when there is a new snapshot. */
bool admin_refresh(struct admin *a);

/*
 * The gateway's own addresses (targets that no rule reaches by accident); compiled in at the next
 * snapshot, which is made at once. Returns 0, PRA_ENOMEM.
 */
int admin_set_own_addresses(struct admin *a, const struct addr_ip *ips, size_t count);

/* Stores a batch of audit events in one transaction, and last-seen data of devices. 0, PRA_EIO. */
int admin_store_audit(struct admin *a, const struct audit_event *events, size_t count);

/* What /metrics tells of administration; zeros where the store does not answer. */
struct admin_counts {
    uint64_t mail_waiting, mail_failed, mail_dropped;
    uint64_t portal_files, portal_files_max; /* as the portal said within ADMIN_PORTAL_TOLD_S */
    uint64_t store_cache;                    /* bytes */
};
#define ADMIN_PORTAL_TOLD_S 90
void admin_counts(struct admin *a, struct admin_counts *out);

/* Another [audit] enterprise. */
void admin_set_enterprise(struct admin *a, const char *enterprise);

/* Other settings of mail, as in struct admin_options. Returns 0, PRA_ENOMEM. */
int admin_set_mail(struct admin *a, const char *from, const char *portal_url);

/* Sends codes to those who forgot their passwords and asked since the last time. */
void admin_forgotten(struct admin *a, int64_t now);

/* Mails the report of the month that is over, once, to those who want it. */
void admin_report_look(struct admin *a, int64_t now);

/* ---- sending what is in the queue: prad's keeper asks, an own process sends ------------------- */

/* Once at the start: what was being sent when the program ended waits again. 0, PRA_EIO. */
int admin_mail_resume(struct admin *a);
/*
 * The next mail whose time has come, which is marked as being sent; mail whose time is over is given
 * up on the way. *id and *content (JSON, the caller frees it) are set only on 0. Returns 0,
 * PRA_ENOENT (none), PRA_EIO.
 */
int admin_mail_next(struct admin *a, int64_t now, int64_t *id, char **content);

enum admin_mail_outcome {
    ADMIN_MAIL_SENT,
    ADMIN_MAIL_LATER, /* may work another time */
    ADMIN_MAIL_NEVER  /* the server will not take it, now or later */
};
/* What became of a try; `why` is a sentence, `wait` the shortest time to the next try. 0, PRA_EIO. */
int admin_mail_done(struct admin *a, int64_t id, enum admin_mail_outcome outcome, const char *why,
                    int64_t now, int64_t wait);

/* What is watched, besides what the audit says. */
struct admin_alert_options {
    long failures;   /* refused log-ins of one user, or from one address ... */
    long failures_s; /* ... within so many seconds; failures 0 = never an alert */
    int64_t disk;    /* bytes that the store's file system should have free */
};
/* At the start, and when the settings were read again. */
void admin_alerts_set(struct admin *a, const struct admin_alert_options *o);
/*
 * Looks at devices that should be connected, at the disk, at the host key, and for alerts that are
 * old; about once a second. `now` in seconds.
 */
void admin_alerts_tick(struct admin *a, int64_t now);
/* Did the last thing that had to be written arrive? When it does again, what was is an alert. */
void admin_alerts_store(struct admin *a, bool fails, int64_t now);

/*
 * Deletes a bounded number of audit records older than so many days; the deletion is recorded when
 * no more are left. True: there are more, ask again soon.
 */
bool admin_expire_audit(struct admin *a, long keep_days);

/* Writes something that means nothing: can the store be written? Returns 0, PRA_EIO. */
int admin_probe_store(struct admin *a);

/* What a client said at hello, kept beside its key for the administrator. 0, PRA_ENOENT, PRA_EIO. */
int admin_note_device(struct admin *a, int64_t key_id, const char *machine_tag, const char *version,
                      const char *os, const char *binding, int64_t now);

/* ---- tickets (prad/tickets.h, prad/clone.h) ---- */

/* All tickets that are in the store. `fn` as in store.h. */
int admin_ticket_each(struct admin *a, int (*fn)(const struct store_ticket *, void *), void *ctx,
                      struct fault *f);
/* Stores these, all or none, durably. Returns 0, PRA_EIO (it is in the log). */
int admin_ticket_store(struct admin *a, const struct store_ticket *rows, size_t count);
/* Puts a key into quarantine; a new snapshot says so then. No error if it is none that is active. */
int admin_quarantine(struct admin *a, int64_t key, struct fault *f);

/* Enrollments (server/prad/enroll.h): a number that is another one whenever they have changed ... */
uint64_t admin_enroll_changes(const struct admin *a);
/* ... and all of them, newest first. Returns 0, what `fn` returned to end it, or a PRA_E*. */
int admin_enroll_each(struct admin *a, int (*fn)(const struct store_enrollment *, void *),
                      void *ctx);
/*
 * A PC has come with the code of `request->id`: stores its key and what it says about itself. Returns 0,
 * PRA_EEXIST (the code was used or has expired meanwhile), PRA_ENOENT, PRA_EIO.
 */
int admin_enroll_request(struct admin *a, const struct store_enrollment *request);

/* What [login] second_factor says: for people who ask about a user. */
void admin_factor_default(struct admin *a, bool required);

/* Log bundles (server/prad/upload.h). The folder of their files, beside the database. Returns 0,
   PRA_EUNSUPPORTED (a database in memory), PRA_ETOOBIG. */
int admin_bundle_folder(const char *store_url, char dst[OS_PATH_MAX]);
/* What the gateway was told of the chains of this device. `told` is empty before. */
void admin_bundle_heads(struct admin *a, const char *user, const char *device,
                        struct bundle_told *told);
/* The files are there: adds the row, and drops what is too much of this user. On failure the files are
   removed. Returns 0, PRA_ENOENT (the user is gone), PRA_EIO. */
int admin_bundle_add(struct admin *a, const struct store_bundle *b);
/* Now and then: drops what is too old or too much, and files that no row speaks of. */
void admin_bundle_sweep(struct admin *a);

#endif
