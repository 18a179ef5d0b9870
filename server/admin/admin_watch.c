/*
 * What is watched: failures in a row, devices that should always be connected, the disk, the host
 * key, the portal's certificate. Looked at once a second on the keeper's thread, from memory; the
 * store is written only when something has changed.
 */
#include "server/admin/alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"

#define SET_SIZE      4u
#define SETS          (FAILURES_MAX / SET_SIZE)
#define SLOW_EVERY_S  15 /* disk, host key, certificate, old alerts */
#define EXPIRE_BATCH  500
#define WATCH_TURN    200 /* changes in one look; the others wait for the next one */
#define CERT_WARN_S   (30 * 86400)
#define CERT_URGENT_S (7 * 86400)
#define SQLITE_SCHEME "sqlite:"

struct failures {
    uint64_t key; /* 0 = empty */
    int64_t since;
    uint64_t count;
};

/* A watched device, and whether it was seen in this look. */
struct device {
    struct store_watch w;
    bool seen;
};

enum disk { DISK_GOOD, DISK_LOW, DISK_VERY_LOW };

struct watcher {
    struct admin_alert_options opt;
    struct failures failed[SETS][SET_SIZE];
    struct device *devices; /* ordered by device, then user */
    size_t device_count;
    struct store_outage *outages;
    size_t outage_count;
    bool loaded;
    int64_t started, slow_at;
    int64_t mailed_since; /* the hour in which these were mailed */
    unsigned mailed;
    int64_t certificate_ends; /* as the portal says; 0 = not told */
    enum disk disk;
    int64_t store_failed_at; /* since then it takes nothing, and nobody was told yet; 0 = it does */
};

struct watcher *watcher_new(void)
{
    struct watcher *w = calloc(1, sizeof(*w));

    if (w != NULL)
        w->started = os_time_now();
    return w;
}

static void forget(struct watcher *w)
{
    free(w->devices);
    free(w->outages);
    w->devices = NULL;
    w->outages = NULL;
    w->device_count = w->outage_count = 0;
    w->loaded = false;
}

void watcher_free(struct watcher *w)
{
    if (w == NULL)
        return;
    forget(w);
    free(w);
}

bool watcher_may_mail(struct watcher *w, int64_t now)
{
    if (now < w->mailed_since || now - w->mailed_since >= ALERT_JOIN_S) {
        w->mailed_since = now;
        w->mailed = 0;
    }
    return w->mailed++ < ALERT_MAILS_MAX;
}

void watcher_changed(struct watcher *w)
{
    w->loaded = false;
}

void admin_alerts_set(struct admin *a, const struct admin_alert_options *o)
{
    a->watcher->opt = *o;
}

/* ---- failures ------------------------------------------------------------------------------------ */

/*
 * A table of fixed size, in which the slot of a set whose time began first makes room. Whoever
 * floods it with names is counted by his address all the same.
 */
bool watcher_failed(struct watcher *w, char what, const char *who, uint64_t times, int64_t now)
{
    uint64_t key = 1469598103934665603u ^ (uint8_t)what; /* FNV-1a */
    struct failures *set, *slot;

    if (w->opt.failures == 0)
        return false;
    for (const char *c = who; *c != '\0'; c++)
        key = (key ^ (uint8_t)*c) * 1099511628211u;
    key |= 1;
    set = w->failed[(key >> 1) % SETS];
    slot = set;
    for (unsigned i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key) {
            slot = &set[i];
            break;
        }
        if (set[i].since < slot->since)
            slot = &set[i];
    }
    if (slot->key != key || now < slot->since || now - slot->since >= w->opt.failures_s)
        *slot = (struct failures){.key = key, .since = now};
    slot->count += times;
    if (slot->count < (uint64_t)w->opt.failures)
        return false;
    *slot = (struct failures){.key = key, .since = now};
    return true;
}

/* ---- devices ------------------------------------------------------------------------------------- */

static int load_device(const struct store_watch *found, void *ctx)
{
    struct watcher *w = ctx;
    struct device *more = realloc(w->devices, (w->device_count + 1) * sizeof(*more));

    if (more == NULL)
        return PRA_ENOMEM;
    w->devices = more;
    w->devices[w->device_count++] = (struct device){.w = *found};
    return 0;
}

static int load_outage(const struct store_outage *found, void *ctx)
{
    struct watcher *w = ctx;
    struct store_outage *more = realloc(w->outages, (w->outage_count + 1) * sizeof(*more));

    if (more == NULL)
        return PRA_ENOMEM;
    w->outages = more;
    w->outages[w->outage_count++] = *found;
    return 0;
}

static int load(struct admin *a)
{
    const struct store_ops *db = a->store->ops;
    struct watcher *w = a->watcher;
    struct fault f = {0};
    int rc;

    forget(w);
    rc = db->watch_each(a->store, load_device, w, &f);
    if (rc == 0)
        rc = db->outage_each(a->store, load_outage, w, &f);
    if (rc != 0)
        log_event(LOG_ERROR, "watched-not-loaded", "error=\"%s\"", f.text);
    w->loaded = rc == 0;
    return rc;
}

/* One key may be registered for several users: all of its entries stand together. */
static void on_connected(const char *user, const char *device, void *arg)
{
    struct watcher *w = arg;
    size_t low = 0, high = w->device_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(w->devices[middle].w.device, device) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < w->device_count && strcmp(w->devices[low].w.device, device) == 0; low++) {
        if (strcmp(w->devices[low].w.user, user) == 0)
            w->devices[low].seen = true;
    }
}

/* Until when it may be away because that was announced; 0 = it may not, and was not lately. */
static int64_t excused_until(const struct watcher *w, const char *user, int64_t now)
{
    int64_t until = 0;

    for (size_t i = 0; i < w->outage_count; i++) {
        const struct store_outage *o = &w->outages[i];

        if (now >= o->since && (o->user[0] == '\0' || strcmp(o->user, user) == 0) &&
            o->until > until)
            until = o->until;
    }
    return until;
}

/* What one look changes: together in one transaction, so that a thousand devices that go away at the
   same time cost one flush of the disk and not two thousand. */
struct turn {
    struct admin *a;
    int64_t now;
    unsigned changes;
    int rc;
    struct fault f;
};

/* Opens the transaction with the first change. True: go on. */
static bool turn_change(struct turn *t)
{
    if (t->changes++ == 0)
        t->rc = t->a->store->ops->begin(t->a->store, &t->f);
    return t->rc == 0;
}

static void turn_end(struct turn *t)
{
    if (t->changes == 0)
        return;
    if (t->rc == 0)
        t->rc = t->a->store->ops->commit(t->a->store, &t->f);
    else
        t->a->store->ops->rollback(t->a->store);
    if (t->rc == 0)
        return;
    log_event(LOG_ERROR, "watched-not-noted", "error=\"%s\"", t->f.text);
    t->a->watcher->loaded = false; /* as it stands in the store */
}

static void note(struct turn *t, const struct store_watch *w)
{
    int rc = turn_change(t) ? t->a->store->ops->watch_note(t->a->store, w, &t->f) : 0;

    if (rc != 0 && rc != PRA_ENOENT) /* deleted meanwhile */
        t->rc = rc;
}

static void tell(struct turn *t, const struct store_watch *w, enum alert_kind kind)
{
    char subject[STORE_ABOUT_MAX + 1], detail[AUDIT_TEXT_MAX], when[TIMEFMT_MAX];

    snprintf(subject, sizeof(subject), "%s: %s", w->user,
             w->comment[0] != '\0' ? w->comment : w->device);
    snprintf(detail, sizeof(detail), "%s=%s seconds=%" PRId64,
             kind == ALERT_BACK ? "was-away-since" : "since", timefmt_rfc3339(w->since, when),
             t->now - w->since);
    if (turn_change(t))
        t->rc = alert_raise_inside(t->a,
                                   &(struct alert){.kind = kind,
                                                   .subject = subject,
                                                   .user = w->user,
                                                   .device = w->device,
                                                   .detail = detail},
                                   &t->f);
}

static void look_at_device(struct turn *t, struct device *d)
{
    const struct watcher *all = t->a->watcher;
    struct store_watch *w = &d->w;

    if (d->seen && !w->online) {
        if (w->told)
            tell(t, w, ALERT_BACK);
        w->online = true;
        w->told = false;
        w->since = t->now;
        note(t, w);
    } else if (!d->seen && w->online) {
        w->online = false;
        w->since = t->now;
        note(t, w);
    } else if (!d->seen && !w->told) {
        /* Nobody is told of what prad itself or an announced outage was the reason for. */
        int64_t from = w->since, excused = excused_until(all, w->user, t->now);

        if (from < all->started)
            from = all->started;
        if (from < excused)
            from = excused;
        if (t->now - from < w->after)
            return;
        tell(t, w, ALERT_OFFLINE);
        w->told = true;
        note(t, w);
    }
}

void watch_tick(struct admin *a, int64_t now)
{
    struct turn t = {.a = a, .now = now};
    struct watcher *w = a->watcher;

    if ((!w->loaded && load(a) != 0) || w->device_count == 0 || a->host.device_each == NULL)
        return;
    for (size_t i = 0; i < w->device_count; i++)
        w->devices[i].seen = false;
    a->host.device_each(a->host.ctx, on_connected, w);
    for (size_t i = 0; i < w->device_count && t.changes < WATCH_TURN && t.rc == 0; i++)
        look_at_device(&t, &w->devices[i]);
    turn_end(&t);
}

/* ---- disk, host key, certificate ------------------------------------------------------------------- */

static void look_at_disk(struct admin *a)
{
    struct watcher *w = a->watcher;
    const char *path = strncmp(a->store_url, SQLITE_SCHEME, strlen(SQLITE_SCHEME)) == 0
                           ? a->store_url + strlen(SQLITE_SCHEME)
                           : NULL;
    enum disk now = DISK_GOOD;
    char detail[AUDIT_TEXT_MAX];
    struct statvfs st;
    int64_t room;
    int rc = 0;

    if (w->opt.disk == 0 || path == NULL || statvfs(path, &st) != 0)
        return;
    room = (int64_t)(st.f_bavail * st.f_frsize);
    if (room < w->opt.disk / 4)
        now = DISK_VERY_LOW;
    else if (room < w->opt.disk || (w->disk != DISK_GOOD && room < w->opt.disk + w->opt.disk / 10))
        now = DISK_LOW;
    snprintf(detail, sizeof(detail), "free=%" PRId64 " wanted=%" PRId64, room, w->opt.disk);
    if (now > w->disk)
        rc = alert_raise(a, &(struct alert){.kind = ALERT_DISK,
                                            .severity = now == DISK_VERY_LOW ? "critical" : NULL,
                                            .subject = path,
                                            .detail = detail});
    else if (now == DISK_GOOD && w->disk != DISK_GOOD)
        rc = alert_raise(
            a, &(struct alert){.kind = ALERT_DISK_BACK, .subject = path, .detail = detail});
    if (rc == 0) /* a disk that is full takes no alert either */
        w->disk = now;
}

void admin_alerts_store(struct admin *a, bool fails, int64_t now)
{
    struct watcher *w = a->watcher;
    char from[TIMEFMT_MAX], to[TIMEFMT_MAX], detail[AUDIT_TEXT_MAX];

    if (fails && w->store_failed_at == 0)
        w->store_failed_at = now;
    if (fails || w->store_failed_at == 0)
        return;
    snprintf(detail, sizeof(detail), "from=%s until=%s", timefmt_rfc3339(w->store_failed_at, from),
             timefmt_rfc3339(now, to));
    if (alert_raise(a, &(struct alert){
                           .kind = ALERT_STORE, .subject = a->store_url, .detail = detail}) != 0)
        return;
    w->store_failed_at = 0;
    w->slow_at = 0; /* what was seen meanwhile could not be told */
}

/* Stores a fact in a transaction of its own. */
static void remember(struct admin *a, const char *name, const char *value)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->fact_set(a->store, name, value, &f);
    if (rc == 0)
        rc = db->commit(a->store, &f);
    else
        db->rollback(a->store);
    if (rc != 0)
        log_event(LOG_ERROR, "fact-not-stored", "name=%s error=\"%s\"", name, f.text);
}

/* Compared with the one that was there last time: clients refuse a gateway with another key. */
static void look_at_host_key(struct admin *a)
{
    char type[SSHKEY_TYPE_MAX], now[SSHKEY_FINGERPRINT_MAX], before[STORE_FACT_MAX];
    char detail[AUDIT_TEXT_MAX];
    struct fault f = {0};

    if (admin_hostkey(a, type, now, &f) != 0 ||
        a->store->ops->fact_get(a->store, "hostkey", before, &f) != 0 || strcmp(before, now) == 0)
        return;
    if (before[0] != '\0') {
        snprintf(detail, sizeof(detail), "now=%s before=%.64s", now, before);
        if (alert_raise(
                a, &(struct alert){.kind = ALERT_HOSTKEY, .subject = now, .detail = detail}) != 0)
            return;
    }
    remember(a, "hostkey", now);
}

static void look_at_certificate(struct admin *a, int64_t now)
{
    int64_t ends = a->watcher->certificate_ends, left = ends - now;
    const char *severity = left < CERT_URGENT_S ? "critical" : "warning";
    char when[TIMEFMT_MAX], told[STORE_FACT_MAX], before[STORE_FACT_MAX], detail[AUDIT_TEXT_MAX];
    struct fault f = {0};

    if (ends == 0 || left >= CERT_WARN_S)
        return;
    /* Once for each certificate and severity, however often everything is started again. */
    snprintf(told, sizeof(told), "%s %s", timefmt_rfc3339(ends, when), severity);
    if (a->store->ops->fact_get(a->store, "certificate", before, &f) != 0 ||
        strcmp(before, told) == 0)
        return;
    snprintf(detail, sizeof(detail), "ends=%s days=%" PRId64, when, left / 86400);
    if (alert_raise(a, &(struct alert){.kind = ALERT_CERTIFICATE,
                                       .severity = severity,
                                       .subject = when,
                                       .detail = detail}) == 0)
        remember(a, "certificate", told);
}

static void expire(struct admin *a, int64_t now)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->alert_expire(a->store, now - ALERT_KEPT_S, EXPIRE_BATCH, &f);
    if (rc == 0)
        rc = db->outage_expire(a->store, now - ALERT_KEPT_S, &f);
    if (rc == 0)
        rc = db->commit(a->store, &f);
    else
        db->rollback(a->store);
    if (rc != 0)
        log_event(LOG_ERROR, "alerts-not-expired", "error=\"%s\"", f.text);
}

void admin_alerts_tick(struct admin *a, int64_t now)
{
    struct watcher *w = a->watcher;

    watch_tick(a, now);
    if (now >= w->slow_at || w->slow_at > now + SLOW_EVERY_S) {
        w->slow_at = now + SLOW_EVERY_S;
        look_at_disk(a);
        look_at_host_key(a);
        look_at_certificate(a, now);
        expire(a, now);
    }
}

int op_certificate(struct call *c)
{
    int64_t ends;

    if (timefmt_parse(arg_text(c, "ends"), &ends) != 0 || ends <= 0)
        return fault_set(&c->f, PRA_EINVAL, "ends: is no time");
    c->a->watcher->certificate_ends = ends;
    c->a->watcher->slow_at = 0;
    c->a->portal_files = arg_int(c, "files");
    c->a->portal_files_max = arg_int(c, "files-max");
    c->a->portal_told = os_time_now();
    return give(c, json_object());
}
