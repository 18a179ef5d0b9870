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
    pthread_mutex_unlock(&l->lock);
}

void live_remove(struct live *l, struct live_entry *e)
{
    pthread_mutex_lock(&l->lock);
    tunnel_leave_locked(e);
    if (e->prev)
        e->prev->next = e->next;
    else
        l->head = e->next;
    if (e->next)
        e->next->prev = e->prev;
    user_give(l, e->owner);
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

static json_t *describe(const struct live_entry *e)
{
    struct sum sum = {.in = e->left_in, .out = e->left_out};
    char source[RECORD_ENDPOINT_MAX], since[TIMEFMT_MAX];
    add(&sum, e);
    for (const struct live_entry *m = e->members; m; m = m->member_next)
        add(&sum, m);
    record_endpoint(source, &e->source, e->source_port);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "id",
                     e->id, "user", e->user, "device", e->device, "source", source, "since",
                     timefmt_rfc3339(e->since, since), "version", e->version, "os", e->os,
                     "binding", e->binding, "connections", (json_int_t)sum.connections, "channels",
                     (json_int_t)sum.channels, "bytes_in", (json_int_t)sum.in, "bytes_out",
                     (json_int_t)sum.out, "kind", e->pra ? "pra" : "ssh");
}

json_t *live_list(struct live *l)
{
    json_t *list = json_array();
    bool failed = list == NULL;
    pthread_mutex_lock(&l->lock);
    for (struct live_entry *e = l->head; e && !failed; e = e->next)
        failed = !e->secondary && !e->unsaid && json_array_append_new(list, describe(e)) != 0;
    pthread_mutex_unlock(&l->lock);
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
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
