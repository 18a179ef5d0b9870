/* The registry of sessions; see live.h. */
#include "server/prad/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/timefmt.h"
#include "server/prad/live_internal.h"
#include "server/prad/record.h"
#include "server/prad/tunnel.h"
#include "server/prad/worker.h"

int live_new(struct live **out)
{
    struct live *l = calloc(1, sizeof(*l));
    if (!l)
        return PRA_ENOMEM;
    pthread_mutex_init(&l->lock, NULL);
    *out = l;
    return 0;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct live_user **place_of(struct live *l, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    struct live_user **at = &l->user[hash % LIVE_PLACES];
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* Counts one more session of a user. NULL: he has `max` already, or no memory. */
static struct live_user *user_take(struct live *l, const char *name, size_t max)
{
    struct live_user **at = place_of(l, name), *u = *at;
    if (!u) {
        size_t len = strlen(name) + 1;
        u = calloc(1, sizeof(*u) + len);
        if (!u)
            return NULL;
        memcpy(u->name, name, len);
    }
    if (u->sessions >= max) {
        if (!*at)
            free(u);
        return NULL;
    }
    u->sessions++;
    *at = u;
    return u;
}

static void user_give(struct live *l, struct live_user *u)
{
    if (--u->sessions > 0)
        return;
    *place_of(l, u->name) = u->next;
    free(u);
}

bool live_add(struct live *l, struct live_entry *e, size_t max_per_user)
{
    pthread_mutex_lock(&l->lock);
    e->owner = user_take(l, e->user, max_per_user);
    bool room = e->owner != NULL;
    if (room) {
        e->prev = NULL;
        e->next = l->head;
        if (l->head)
            l->head->prev = e;
        l->head = e;
        if (!e->unsaid)
            e->said = ++l->said;
    }
    pthread_mutex_unlock(&l->lock);
    return room;
}

void live_describe(struct live *l, struct live_entry *e, const char *version, const char *os,
                   const char *binding, bool pra)
{
    pthread_mutex_lock(&l->lock);
    snprintf(e->version, sizeof(e->version), "%s", version);
    snprintf(e->os, sizeof(e->os), "%s", os);
    snprintf(e->binding, sizeof(e->binding), "%s", binding);
    e->pra = pra;
    e->unsaid = false;
    if (e->said == 0)
        e->said = ++l->said;
    pthread_mutex_unlock(&l->lock);
}

bool live_set_machine(struct live *l, struct live_entry *e, const char *machine,
                      char other[LIVE_MACHINE_MAX + 1], struct addr_ip *source)
{
    bool found = false;
    pthread_mutex_lock(&l->lock);
    snprintf(e->machine, sizeof(e->machine), "%s", machine);
    for (const struct live_entry *o = l->head; o && !found && *e->machine; o = o->next) {
        if (o == e || !*o->machine || strcmp(o->device, e->device) != 0 ||
            strcmp(o->machine, e->machine) == 0)
            continue;
        memcpy(other, o->machine, sizeof(o->machine));
        *source = o->source;
        found = true;
    }
    pthread_mutex_unlock(&l->lock);
    return found;
}

void live_count_older(struct live *l, const struct live_entry *e, size_t *of_user,
                      size_t *of_device)
{
    *of_user = *of_device = 0;
    pthread_mutex_lock(&l->lock);
    for (const struct live_entry *o = l->head; o; o = o->next) {
        if (o->owner != e->owner || o->secondary || o->unsaid || o->said >= e->said)
            continue;
        ++*of_user;
        *of_device += strcmp(o->device, e->device) == 0;
    }
    pthread_mutex_unlock(&l->lock);
}

void live_each_device(struct live *l, void (*fn)(const char *user, const char *device, void *ctx),
                      void *ctx)
{
    pthread_mutex_lock(&l->lock);
    for (const struct live_entry *e = l->head; e; e = e->next)
        fn(e->user, e->device, ctx);
    pthread_mutex_unlock(&l->lock);
}

void live_set_ports(struct live *l, struct live_entry *e, json_t *ports)
{
    pthread_mutex_lock(&l->lock);
    json_decref(e->ports);
    e->ports = ports;
    pthread_mutex_unlock(&l->lock);
}

void live_remove(struct live *l, struct live_entry *e)
{
    pthread_mutex_lock(&l->lock);
    tunnel_leave_locked(e);
    l->gone_in += atomic_load(&e->bytes_in) - e->given_in + e->left_in;
    l->gone_out += atomic_load(&e->bytes_out) - e->given_out + e->left_out;
    if (e->prev)
        e->prev->next = e->next;
    else
        l->head = e->next;
    if (e->next)
        e->next->prev = e->prev;
    user_give(l, e->owner);
    json_decref(e->ports);
    e->ports = NULL;
    pthread_mutex_unlock(&l->lock);
}

/* What a session and its secondaries do and did together. */
struct sum {
    uint64_t connections, channels, in, out;
};

static void add(struct sum *sum, const struct live_entry *e)
{
    sum->connections++;
    sum->channels += atomic_load(&e->channels);
    sum->in += atomic_load(&e->bytes_in);
    sum->out += atomic_load(&e->bytes_out);
}

/* ---- listing ----------------------------------------------------------------------------------- */

/* An entry as it is sorted. */
struct row {
    const struct live_entry *entry;
    struct sum sum;
};

static struct row row_of(const struct live_entry *e)
{
    struct row r = {.entry = e, .sum = {.in = e->left_in, .out = e->left_out}};
    add(&r.sum, e);
    for (const struct live_entry *m = e->members; m; m = m->member_next)
        add(&r.sum, m);
    return r;
}

static json_t *describe(const struct row *r)
{
    const struct live_entry *e = r->entry;
    char source[RECORD_ENDPOINT_MAX], since[TIMEFMT_MAX];
    record_endpoint(source, &e->source, e->source_port);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "id",
                     e->id, "user", e->user, "device", e->device, "source", source, "since",
                     timefmt_rfc3339(e->since, since), "version", e->version, "os", e->os,
                     "binding", e->binding, "connections", (json_int_t)r->sum.connections,
                     "channels", (json_int_t)r->sum.channels, "bytes_in", (json_int_t)r->sum.in,
                     "bytes_out", (json_int_t)r->sum.out, "kind", e->pra ? "pra" : "ssh");
}

typedef int (*row_compare)(const void *, const void *);

#define COMPARE_NUMBER(name, member)                                                               \
    static int by_##name(const void *va, const void *vb)                                           \
    {                                                                                              \
        const struct row *a = va, *b = vb;                                                         \
        return (a->member > b->member) - (a->member < b->member);                                  \
    }
COMPARE_NUMBER(since, entry->since)
COMPARE_NUMBER(channels, sum.channels)
COMPARE_NUMBER(bytes_in, sum.in)
COMPARE_NUMBER(bytes_out, sum.out)

static int by_user(const void *va, const void *vb)
{
    const struct row *a = va, *b = vb;
    return strcmp(a->entry->user, b->entry->user);
}

static int by_version(const void *va, const void *vb)
{
    const struct row *a = va, *b = vb;
    return strcmp(a->entry->version, b->entry->version);
}

static int by_source(const void *va, const void *vb)
{
    const struct row *a = va, *b = vb;
    return memcmp(&a->entry->source, &b->entry->source, sizeof(a->entry->source));
}

/* NULL if there is no such order. */
static row_compare find_order(const char *word)
{
    static const struct {
        const char *word;
        row_compare compare;
    } map[] = {{"since", by_since},        {"user", by_user},         {"source", by_source},
               {"version", by_version},    {"channels", by_channels}, {"bytes_in", by_bytes_in},
               {"bytes_out", by_bytes_out}};
    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (strcmp(map[i].word, word) == 0)
            return map[i].compare;
    return NULL;
}

static bool wanted(const struct live_entry *e, const struct listing *which)
{
    char source[RECORD_ENDPOINT_MAX];
    if (e->secondary || e->unsaid || (which->user && strcmp(which->user, e->user) != 0))
        return false;
    if (!which->search)
        return true;
    record_endpoint(source, &e->source, e->source_port);
    const char *texts[] = {e->id, e->user, e->device, source, e->version, e->os};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcasestr(texts[i], which->search))
            return true;
    return false;
}

/* The rows that are wanted, newest first; NULL without memory. */
static struct row *collect(const struct live *l, const struct listing *which, size_t *count)
{
    size_t room = 1, n = 0;
    for (const struct live_entry *e = l->head; e; e = e->next)
        room++;
    struct row *rows = calloc(room, sizeof(*rows));
    for (const struct live_entry *e = l->head; rows && e; e = e->next)
        if (wanted(e, which)) {
            rows[n++] = row_of(e);
        }
    *count = n;
    return rows;
}

int live_list(struct live *l, const struct listing *which, json_t **out, int64_t *total)
{
    row_compare order = which->sort ? find_order(which->sort) : NULL;
    *out = NULL;
    if (which->sort && !order)
        return PRA_EINVAL;
    json_t *list = json_array();
    size_t n = 0;
    pthread_mutex_lock(&l->lock);
    struct row *rows = collect(l, which, &n);
    bool failed = !list || !rows;
    if (!failed && order)
        qsort(rows, n, sizeof(*rows), order);
    size_t from = (uint64_t)which->offset < n ? (size_t)which->offset : n, end = n;
    if (which->limit > 0 && (uint64_t)which->limit < n - from)
        end = from + (size_t)which->limit;
    for (size_t i = from; i < end && !failed; i++)
        failed =
            json_array_append_new(list, describe(&rows[which->descending ? n - 1 - i : i])) != 0;
    pthread_mutex_unlock(&l->lock);
    free(rows);
    if (failed) {
        json_decref(list);
        return PRA_ENOMEM;
    }
    *total = (int64_t)n;
    *out = list;
    return 0;
}

size_t live_count(struct live *l)
{
    size_t n = 0;
    pthread_mutex_lock(&l->lock);
    for (const struct live_entry *e = l->head; e; e = e->next)
        n += !e->secondary && !e->unsaid;
    pthread_mutex_unlock(&l->lock);
    return n;
}

void live_totals(struct live *l, struct live_totals *out)
{
    struct sum all = {0};
    pthread_mutex_lock(&l->lock);
    all.in = l->gone_in;
    all.out = l->gone_out;
    *out = (struct live_totals){0};
    for (const struct live_entry *e = l->head; e; e = e->next) {
        add(&all, e);
        all.in += e->left_in - e->given_in;
        all.out += e->left_out - e->given_out;
        out->sessions += !e->secondary && !e->unsaid;
    }
    pthread_mutex_unlock(&l->lock);
    out->channels = all.channels;
    out->bytes_in = all.in;
    out->bytes_out = all.out;
}

/* ---- searching ------------------------------------------------------------------------------ */

json_t *live_find(struct live *l, const struct admin_live_query *q)
{
    const struct listing which = {.user = q->user, .search = q->text};
    json_t *list = json_array();
    struct sum all = {0};
    json_int_t total = 0, matching = 0;
    bool failed = list == NULL;
    pthread_mutex_lock(&l->lock);
    for (struct live_entry *e = l->head; e && !failed; e = e->next) {
        add(&all, e);
        if (e->secondary || e->unsaid)
            continue;
        total++;
        all.in += e->left_in;
        all.out += e->left_out;
        if ((q->id && strcmp(e->id, q->id) != 0) || !wanted(e, &which) ||
            (size_t)matching++ >= q->limit)
            continue;
        const struct row r = row_of(e);
        json_t *o = describe(&r);
        failed =
            json_object_set_new(o, "ports", e->ports ? json_deep_copy(e->ports) : json_array()) ||
            json_array_append_new(list, o);
    }
    pthread_mutex_unlock(&l->lock);
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I}", "sessions", list, "matching", matching,
                     "total", total, "channels", (json_int_t)all.channels, "bytes_in",
                     (json_int_t)all.in, "bytes_out", (json_int_t)all.out);
}

int live_kill(struct live *l, const char *id, const char *why)
{
    int rc = PRA_ENOENT;
    pthread_mutex_lock(&l->lock);
    for (struct live_entry *e = l->head; e; e = e->next) {
        if (!e->secondary && strcmp(e->id, id) == 0) {
            rc = worker_kill_session(e->worker, id, why);
            if (rc == 0)
                tunnel_close_locked(e, "killed");
            break;
        }
    }
    pthread_mutex_unlock(&l->lock);
    return rc;
}
