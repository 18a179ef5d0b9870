/* The keeper thread; see keeper.h. Everything in struct keeper is its own, but for the mailbox. */
#include "server/prad/keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/os.h"
#include "server/admin/admin.h"
#include "server/admin/admin_server.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/host.h"
#include "server/prad/mailer.h"
#include "server/prad/own_addresses.h"
#include "server/prad/quota.h"
#include "server/prad/tickets.h"
#include "server/prad/worker.h"

#define TICK_MS         250
#define REFRESH_EVERY   4     /* ticks between looks at the store */
#define MAIL_EVERY      2     /* ticks between looks at the queue of mail */
#define ADDRESSES_EVERY 120   /* ticks between looks at our own addresses */
#define SOURCES_EVERY   40    /* ticks between writing down what is known of sources */
#define QUOTAS_EVERY    20    /* ticks between writing down what was moved of quotas */
#define ALERTS_EVERY    4     /* ticks between looks at what is watched */
#define EXPIRE_EVERY    14400 /* ticks between looks for audit records that are too old */
#define SWEEP_EVERY     14400 /* ticks, an hour, between looks at old log bundles */
#define SWEEP_FIRST     8     /* the first, soon after the start */
#define PROBE_EVERY     40 /* ticks between trials whether the store takes a write, for /healthz */
#define AUDIT_BATCH     256
/* An event may wait this long for others to be stored in the same transaction: one each would cost a
   flush of the disk and more of the processor than the opening of a connection does. */
#define AUDIT_HOLD_MS 50
/* What an urgent wake adds to the eventfd: more than all others together. */
#define AUDIT_URGENT ((uint64_t)1 << 32)
/* The wall clock was set: hours and expiry are asked about again. */
#define CLOCK_JUMP_MS 1000
/* How long another holder of the store's lock is waited for at start. */
#define OPEN_PATIENCE_MS 5000
#define OPEN_AGAIN_MS    50

struct keeper {
    struct gateway *gateway;
    pthread_t thread;
    bool running, stop;
    struct event_base *base;
    struct mailbox mailbox;
    int audit_fd; /* eventfd: the audit queue is not empty */
    struct event *mail_event, *audit_event, *store_event, *tick_event;
    struct admin *admin;
    struct admin_server *server;
    struct admin_server *portal; /* the same for pra-portal */
    struct mailer *mailer;
    struct quota quota;
    struct host host;
    struct policy *published;
    uint64_t enroll_changes; /* of the enrollments that the workers know */
    int64_t next_change;     /* when some answer of `published` may differ */
    int64_t clock_offset;    /* wall clock minus monotonic clock, ms */
    unsigned ticks;
    long keep_days; /* of audit records; 0 = for ever */
    bool expiring;  /* there are more that are too old */
    struct addr_ip own[OWN_ADDRESSES_MAX];
    size_t own_count;
    struct audit_event batch[AUDIT_BATCH]; /* taken from the queue, not yet stored */
    size_t batch_count;
    char sources_path[OS_PATH_MAX];
    bool store_failed, sources_failed; /* said so already */
    bool owed;                         /* a worker has not been sent `published`: no memory */
    bool probing;                      /* somebody may ask whether the store can be written */
};

/* ---- audit ---------------------------------------------------------------------------------- */

/* What others are told of the store: did the last thing that had to be written arrive? */
static void note_write(struct keeper *k, int rc)
{
    if (rc != 0)
        atomic_fetch_add(&k->gateway->store_errors, 1);
    atomic_store(&k->gateway->store_fails, rc != 0);
    admin_alerts_store(k->admin, rc != 0, os_time_now());
}

/* Stores what waits. Events that the store does not take are kept and tried again at each tick;
   meanwhile the queue counts what it cannot hold. */
static void store_audit(struct keeper *k)
{
    for (;;) {
        if (k->batch_count == 0)
            k->batch_count = audit_queue_take(k->gateway->audit, k->batch, AUDIT_BATCH);
        if (k->batch_count == 0)
            return;
        int rc = admin_store_audit(k->admin, k->batch, k->batch_count);
        if (rc != 0) {
            if (!k->store_failed)
                log_event(LOG_ERROR, "audit-store-failed", "events=%zu", k->batch_count);
            k->store_failed = true;
            note_write(k, rc);
            return;
        }
        if (k->store_failed)
            log_event(LOG_INFO, "audit-store-works-again", "events=%zu", k->batch_count);
        k->store_failed = false;
        k->batch_count = 0;
        note_write(k, 0);
    }
}

/* Also before an administrator is answered: what happened before he asked is in the store. */
static void store_all(void *ctx)
{
    struct keeper *k = ctx;
    store_audit(k);
    tickets_store(k->gateway, k->admin);
}

/* Called by any thread that records an event. */
static void wake_for_audit(void *ctx, bool urgent)
{
    const struct keeper *k = ctx;
    const uint64_t count = urgent ? AUDIT_URGENT : 1;
    if (write(k->audit_fd, &count, sizeof(count)) < 0)
        return; /* full: it is readable already */
}

void keeper_wake(struct keeper *k)
{
    wake_for_audit(k, false);
}

static void on_audit(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    const struct timeval hold = {.tv_usec = AUDIT_HOLD_MS * 1000};
    struct keeper *k = arg;
    uint64_t count;
    if (read(fd, &count, sizeof(count)) != sizeof(count))
        return;
    if (count >= AUDIT_URGENT || event_add(k->store_event, &hold) != 0)
        store_all(k);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    store_all(arg);
}

/* ---- policy --------------------------------------------------------------------------------- */

static void give_to_workers(struct keeper *k, bool timed)
{
    struct gateway *g = k->gateway;
    k->next_change = policy_next_change(k->published, os_time_now());
    k->owed = false;
    for (unsigned i = 0; i < g->worker_count; i++)
        if (worker_set_policy(g->worker[i], policy_ref(k->published), timed) != 0)
            k->owed = true;
}

/* Users that were deleted take their enrollments with them: hence also after a change of the policy. */
static void publish_enrollments(struct keeper *k, bool policy_changed)
{
    uint64_t changes = admin_enroll_changes(k->admin);
    if (changes == k->enroll_changes && !policy_changed)
        return;
    k->enroll_changes = changes;
    enroll_book_fill(k->gateway->enroll, k->admin);
}

/* After anything that may have changed the store. */
static void publish(struct keeper *k)
{
    struct policy *now = admin_policy(k->admin);
    publish_enrollments(k, now != k->published);
    factor_book_follow(k->gateway->leases, k->admin);
    if (now == k->published) {
        policy_unref(now);
        return;
    }
    policy_unref(k->published);
    k->published = now;
    give_to_workers(k, false);
    log_event(LOG_DEBUG, "policy", "generation=%llu",
              (unsigned long long)policy_generation(k->published));
}

/* Before an administrator is answered: nothing is let in any more by what he took away. */
static void take_effect(void *ctx)
{
    struct keeper *k = ctx;
    const struct policy *before = k->published;
    publish(k);
    if (k->published != before)
        workers_wait_policy(k->gateway, policy_generation(k->published));
}

/* In the middle of something long: what the loop would do for others, workers' questions first. Twice, so that
   who asked now has his answer now, and the workers the policy that it is about. */
static void breathe(void *ctx)
{
    struct keeper *k = ctx;
    atomic_store(&k->gateway->keeper_alive_ms, os_monotonic_ms());
    store_all(k);
    mailbox_deliver(&k->mailbox, k);
    for (int i = 0; i < 2; i++) {
        publish(k);
        admin_server_serve(k->server);
        admin_server_serve(k->portal);
    }
}

static void look_at_addresses(struct keeper *k)
{
    struct addr_ip now[OWN_ADDRESSES_MAX];
    size_t count = 0;
    memset(now, 0, sizeof(now));
    if (own_addresses_read(now, &count) != 0)
        return; /* the ones known before stay refused */
    if (count == k->own_count && memcmp(now, k->own, count * sizeof(now[0])) == 0)
        return;
    memcpy(k->own, now, sizeof(now));
    k->own_count = count;
    if (admin_set_own_addresses(k->admin, k->own, k->own_count) != 0)
        log_event(LOG_ERROR, "own-addresses", "error=\"out of memory\"");
}

static void save_sources(struct keeper *k)
{
    struct fault f = {0};
    if (sources_save(k->gateway->sources, k->sources_path, os_time_now(), &f) == 0) {
        k->sources_failed = false;
    } else if (!k->sources_failed) {
        log_event(LOG_ERROR, "sources-not-kept", "error=\"%s\"", f.text);
        k->sources_failed = true;
    }
}

/* What other threads tell of administration: /metrics has no way to the store. */
static void note_counts(struct keeper *k)
{
    struct gateway *g = k->gateway;
    struct admin_counts n;
    admin_counts(k->admin, &n);
    atomic_store(&g->mail_waiting, n.mail_waiting);
    atomic_store(&g->mail_failed, n.mail_failed);
    atomic_store(&g->mail_dropped, n.mail_dropped);
    atomic_store(&g->portal_files, n.portal_files);
    atomic_store(&g->portal_files_max, n.portal_files_max);
    atomic_store(&g->store_cache, n.store_cache);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct keeper *k = arg;
    k->ticks++;
    atomic_store(&k->gateway->keeper_alive_ms, os_monotonic_ms());
    if (k->ticks % REFRESH_EVERY == 0) {
        admin_refresh(k->admin);
        note_counts(k);
    }
    if (k->ticks % MAIL_EVERY == 0) {
        admin_forgotten(k->admin, os_time_now());
        admin_report_look(k->admin, os_time_now());
        mailer_look(k->mailer);
    }
    if (k->ticks % ADDRESSES_EVERY == 0)
        look_at_addresses(k);
    if (k->ticks % SOURCES_EVERY == 0)
        save_sources(k);
    if (k->ticks % QUOTAS_EVERY == 0)
        quota_tick(&k->quota);
    if (k->ticks % SWEEP_EVERY == SWEEP_FIRST)
        admin_bundle_sweep(k->admin);
    if (k->probing && k->ticks % PROBE_EVERY == 0)
        note_write(k, admin_probe_store(k->admin));
    if (k->batch_count > 0)
        store_audit(k);
    if (k->ticks % ALERTS_EVERY == 0)
        admin_alerts_tick(k->admin, os_time_now());
    if (k->keep_days > 0 && (k->expiring || k->ticks % EXPIRE_EVERY == 1))
        k->expiring = admin_expire_audit(k->admin, k->keep_days);
    int64_t now_ms = os_time_now_ms(), offset = now_ms - (int64_t)os_monotonic_ms();
    bool jumped =
        offset > k->clock_offset + CLOCK_JUMP_MS || offset < k->clock_offset - CLOCK_JUMP_MS;
    k->clock_offset = offset;
    if (k->owed)
        give_to_workers(k, false);
    else if (jumped || now_ms / 1000 >= k->next_change)
        give_to_workers(k, true);
}

/* ---- mail ----------------------------------------------------------------------------------- */

struct reload {
    struct mail mail;
    struct settings *settings;
};

static void take_settings(struct keeper *k, const struct config *c)
{
    const struct admin_alert_options alerts = {.failures = c->alert_failures,
                                               .failures_s = c->alert_failures_s,
                                               .disk = c->alert_disk_free};
    admin_alerts_set(k->admin, &alerts);
    admin_set_enterprise(k->admin, c->audit_enterprise);
    quota_set(&k->quota, c);
    admin_factor_default(k->admin, c->second_factor);
    k->keep_days = c->audit_keep_days;
    k->expiring = k->keep_days > 0; /* look at once */
}

static void on_settings(struct mail *m, void *owner)
{
    struct reload *r = (struct reload *)m;
    struct keeper *k = owner;
    const struct config *c = &r->settings->config;
    if (k)
        take_settings(k, c);
    if (k && (admin_set_mail(k->admin, c->mail_from, c->portal_url) != 0 ||
              mailer_set(k->mailer, c) != 0))
        log_event(LOG_ERROR, "reload-failed", "setting=\"[mail]\"");
    settings_unref(r->settings);
    free(r);
}

void keeper_set_settings(struct keeper *k, struct settings *s)
{
    struct reload *r = malloc(sizeof(*r));
    if (!r) {
        settings_unref(s);
        return;
    }
    *r = (struct reload){.mail.deliver = on_settings, .settings = s};
    mailbox_post(&k->mailbox, &r->mail);
}

void keeper_post(struct keeper *k, struct mail *m)
{
    mailbox_post(&k->mailbox, m);
}

struct admin *keeper_admin(struct keeper *k)
{
    return k->admin;
}

static void on_stop(struct mail *m, void *owner)
{
    struct keeper *k = owner;
    if (k)
        k->stop = true;
    free(m);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct keeper *k = arg;
    mailbox_deliver(&k->mailbox, k);
}

static void *keeper_main(void *arg)
{
    struct keeper *k = arg;
    while (!k->stop && event_base_loop(k->base, EVLOOP_ONCE) == 0)
        publish(k);
    store_all(k);
    save_sources(k);
    quota_tick(&k->quota);
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int set_up_loop(struct keeper *k)
{
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    k->audit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->base = event_base_new();
    if (k->audit_fd < 0 || !k->base || mailbox_init(&k->mailbox) != 0)
        return PRA_ENOMEM;
    k->mail_event = event_new(k->base, mailbox_fd(&k->mailbox), EV_READ | EV_PERSIST, on_mail, k);
    k->audit_event = event_new(k->base, k->audit_fd, EV_READ | EV_PERSIST, on_audit, k);
    k->store_event = event_new(k->base, -1, 0, on_store, k);
    k->tick_event = event_new(k->base, -1, EV_PERSIST, on_tick, k);
    if (!k->mail_event || !k->audit_event || !k->store_event || !k->tick_event ||
        event_add(k->mail_event, NULL) || event_add(k->audit_event, NULL) ||
        event_add(k->tick_event, &tick))
        return PRA_ENOMEM;
    return 0;
}

/* A pra-admin that found no prad may be at work on the store: its turn is a short one. */
static int open_patiently(const struct admin_options *opt, struct admin **out, struct fault *f)
{
    uint64_t end = os_monotonic_ms() + OPEN_PATIENCE_MS;
    int rc;
    while ((rc = admin_open(opt, out, f)) == PRA_EBUSY && os_monotonic_ms() < end)
        usleep(OPEN_AGAIN_MS * 1000);
    return rc;
}

static int open_store(struct keeper *k, const struct config *c, struct fault *f)
{
    const struct admin_host host = host_functions(&k->host);
    const struct admin_options opt = {.store_url = c->store_url,
                                      .host_key_path = c->host_key,
                                      .downloads = c->portal_downloads,
                                      .host = &host,
                                      .enterprise = c->audit_enterprise,
                                      .mail_from = c->mail_from,
                                      .portal_url = c->portal_url};
    int rc = open_patiently(&opt, &k->admin, f);
    if (rc == 0)
        rc = tickets_load(k->gateway, k->admin, f);
    if (rc == 0)
        rc = mailer_new(k->base, k->admin, c, &k->mailer, f);
    if (rc != 0)
        return rc;
    quota_begin(&k->quota, k->gateway, k->admin);
    take_settings(k, c);
    look_at_addresses(k);
    k->published = admin_policy(k->admin);
    enroll_book_fill(k->gateway->enroll, k->admin);
    k->next_change = policy_next_change(k->published, os_time_now());
    k->clock_offset = os_time_now_ms() - (int64_t)os_monotonic_ms();
    rc = admin_server_new(k->base, k->admin, c, ADMIN_DOOR_CONSOLE, &k->server, f);
    return rc != 0 ? rc : admin_server_new(k->base, k->admin, c, ADMIN_DOOR_PORTAL, &k->portal, f);
}

/* What cannot be read is no reason not to start: at worst somebody is let in who was refused before. */
static int load_sources(struct keeper *k, const struct config *c, struct fault *f)
{
    int rc = os_path_join(k->sources_path, c->store_dir, "sources");
    if (rc != 0)
        return fault_set(f, rc, "[store] url: the path is too long");
    if (sources_load(k->gateway->sources, k->sources_path, os_time_now(), f) != 0)
        log_event(LOG_WARN, "sources-not-read", "error=\"%s\"", f->text);
    return 0;
}

int keeper_open(struct gateway *g, const struct config *c, struct keeper **out, struct fault *f)
{
    struct keeper *k = calloc(1, sizeof(*k));
    if (!k)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    k->gateway = g;
    k->host = (struct host){.gateway = g,
                            .quota = &k->quota,
                            .settle = store_all,
                            .breathe = breathe,
                            .take_effect = take_effect,
                            .keeper = k};
    k->probing = c->metrics_listen.port != 0;
    atomic_store(&g->keeper_alive_ms, os_monotonic_ms());
    k->audit_fd = k->mailbox.fd = -1;
    int rc = set_up_loop(k);
    if (rc == 0)
        rc = audit_queue_new((size_t)c->audit_queue, wake_for_audit, k, &g->audit);
    if (rc != 0)
        fault_set(f, rc, "keeper: out of memory or descriptors");
    else if ((rc = load_sources(k, c, f)) == 0)
        rc = open_store(k, c, f);
    if (rc != 0) {
        keeper_stop(k);
        return rc;
    }
    *out = k;
    return 0;
}

struct policy *keeper_policy(struct keeper *k)
{
    return policy_ref(k->published);
}

int keeper_run(struct keeper *k, struct fault *f)
{
    if (pthread_create(&k->thread, NULL, keeper_main, k) != 0)
        return fault_set(f, PRA_EIO, "keeper: thread cannot be started");
    k->running = true;
    return 0;
}

void keeper_stop(struct keeper *k)
{
    if (!k)
        return;
    if (k->running) {
        struct mail *m = malloc(sizeof(*m));
        if (m) {
            m->deliver = on_stop;
            mailbox_post(&k->mailbox, m);
            pthread_join(k->thread, NULL);
        }
    }
    mailer_free(k->mailer);
    admin_server_free(k->server);
    admin_server_free(k->portal);
    if (k->mailbox.fd >= 0)
        mailbox_close(&k->mailbox);
    struct event *events[] = {k->mail_event, k->audit_event, k->store_event, k->tick_event};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
    if (k->base)
        event_base_free(k->base);
    audit_queue_free(k->gateway->audit);
    k->gateway->audit = NULL;
    policy_unref(k->published);
    admin_close(k->admin);
    if (k->audit_fd >= 0)
        close(k->audit_fd);
    free(k);
}
