/* How the gateway is; see condition.h. */
#include "server/prad/condition.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "common/os.h"
#include "common/timefmt.h"
#include "server/prad/worker.h"
#include "server/sandbox/sandbox.h"

static uint64_t silent_since(uint64_t now, uint64_t then)
{
    return now > then ? now - then : 0;
}

void condition_read(struct gateway *g, struct condition *c)
{
    struct live_totals live = {0};
    uint64_t now = os_monotonic_ms();
    live_totals(g->live, &live);
    *c = (struct condition){.started = g->started,
                            .sessions = live.sessions,
                            .connections = atomic_load(&g->sessions),
                            .startups = startups_count(g->startups),
                            .channels = live.channels,
                            .connections_total = atomic_load(&g->connections),
                            .bytes_in = live.bytes_in,
                            .bytes_out = live.bytes_out,
                            .lookups_waiting = resolver_waiting(g->resolver),
                            .store_errors = atomic_load(&g->store_errors),
                            .mail_waiting = atomic_load(&g->mail_waiting),
                            .mail_failed = atomic_load(&g->mail_failed),
                            .mail_dropped = atomic_load(&g->mail_dropped),
                            .store_cache = atomic_load(&g->store_cache),
                            .portal_files = {.open = atomic_load(&g->portal_files),
                                             .limit = atomic_load(&g->portal_files_max)},
                            .store_fails = atomic_load(&g->store_fails),
                            .draining = atomic_load(&g->draining),
                            .keeper_silent_ms = silent_since(now, atomic_load(&g->keeper_alive_ms)),
                            .workers = g->worker_count};
    descriptors_count(&c->files);
    audit_queue_look(g->audit, &c->audit_waiting, &c->audit_capacity, &c->audit_lost);
    for (unsigned i = 0; i < c->workers; i++) {
        const struct worker *w = g->worker[i];
        c->worker[i].busy = atomic_load(&w->busy);
        c->worker[i].sessions = atomic_load(&w->session_count);
        c->worker[i].silent_ms = silent_since(now, atomic_load(&w->alive_ms));
    }
}

/* ---- judgement ------------------------------------------------------------------------------- */

static void add_line(char dst[CONDITION_TEXT_MAX], const char *line)
{
    size_t len = strlen(dst);
    snprintf(dst + len, CONDITION_TEXT_MAX - len, "%s\n", line);
}

bool condition_good(const struct condition *c, char dst[CONDITION_TEXT_MAX])
{
    char line[80];
    dst[0] = '\0';
    if (c->draining)
        add_line(dst, "the gateway is being stopped");
    if (c->keeper_silent_ms > CONDITION_SILENT_MS)
        add_line(dst, "administration and audit stand still");
    if (c->store_fails)
        add_line(dst, "the store cannot be written");
    for (unsigned i = 0; i < c->workers; i++) {
        if (c->worker[i].silent_ms <= CONDITION_SILENT_MS)
            continue;
        snprintf(line, sizeof(line), "worker %u stands still", i);
        add_line(dst, line);
    }
    return dst[0] == '\0';
}

static json_t *troubles(const struct condition *c)
{
    char text[CONDITION_TEXT_MAX], *rest = text;
    json_t *list = json_array();
    condition_good(c, text);
    for (const char *line; (line = strsep(&rest, "\n"));)
        if (*line)
            json_array_append_new(list, json_string(line));
    return list;
}

/* What this process has in use of its heap (bytes), and what holds it, as the kernel tells it. */
static json_t *process_json(void)
{
    const struct mallinfo2 heap = mallinfo2();
    struct sandbox_state s;
    sandbox_state(&s);
    return json_pack("{s:I, s:I, s:b, s:I, s:b, s:b}", "heap",
                     (json_int_t)heap.uordblks + (json_int_t)heap.hblkhd, "uid", (json_int_t)s.uid,
                     "seccomp", s.seccomp, "landlock", (json_int_t)s.landlock, "no-new-privs",
                     s.no_new_privs, "dumpable", s.dumpable);
}

static json_t *files_json(const struct descriptors *d)
{
    return d->limit == 0 ? json_null()
                         : json_pack("{s:I, s:I}", "open", (json_int_t)d->open, "limit",
                                     (json_int_t)d->limit);
}

json_t *condition_json(const struct condition *c)
{
    char since[TIMEFMT_MAX];
    json_t *workers = json_array();
    for (unsigned i = 0; i < c->workers; i++)
        json_array_append_new(workers,
                              json_pack("{s:I, s:I}", "busy", (json_int_t)c->worker[i].busy / 10,
                                        "connections", (json_int_t)c->worker[i].sessions));
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, "
        "s:o}",
        "since", timefmt_rfc3339(c->started, since), "connections", (json_int_t)c->connections,
        "channels", (json_int_t)c->channels, "bytes_in", (json_int_t)c->bytes_in, "bytes_out",
        (json_int_t)c->bytes_out, "audit-waiting", (json_int_t)c->audit_waiting, "audit-lost",
        (json_int_t)c->audit_lost, "store-errors", (json_int_t)c->store_errors, "mail-waiting",
        (json_int_t)c->mail_waiting, "mail-failed", (json_int_t)c->mail_failed, "mail-dropped",
        (json_int_t)c->mail_dropped, "store-cache", (json_int_t)c->store_cache, "files",
        files_json(&c->files), "portal-files", files_json(&c->portal_files), "workers", workers,
        "trouble", troubles(c), "process", process_json());
}
