/*
 * The text of /metrics: https://prometheus.io/docs/instrumenting/exposition_formats/ (0.0.4). Names
 * and units follow Prometheus' own rules: base units, `_total` for what only grows. Label values are
 * words of ours, which need no escaping.
 */
#include "server/prad/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>

static void head(struct evbuffer *out, const char *name, const char *type, const char *help)
{
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void one(struct evbuffer *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    head(out, name, type, help);
    evbuffer_add_printf(out, "%s %" PRIu64 "\n", name, value);
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* Resident memory; 0 if the system does not say. */
static uint64_t resident_bytes(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    char line[128] = "", *rest = line; /* pages: of the program, of these in memory, ... */
    unsigned long resident = 0;
    if (!f)
        return 0;
    if (fgets(line, sizeof(line), f)) {
        (void)strtoul(line, &rest, 10);
        resident = strtoul(rest, NULL, 10);
    }
    fclose(f);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_process(struct evbuffer *out, const struct condition *c)
{
    struct rusage use = {0};
    getrusage(RUSAGE_SELF, &use);
    head(out, "process_cpu_seconds_total", "counter", "Processor time used.");
    evbuffer_add_printf(out, "process_cpu_seconds_total %.3f\n",
                        seconds(&use.ru_utime) + seconds(&use.ru_stime));
    one(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    one(out, "process_open_fds", "gauge", "Descriptors that are open.", c->files.open);
    one(out, "process_max_fds", "gauge", "Descriptors that may be open.", c->files.limit);
    one(out, "process_start_time_seconds", "gauge", "Start, in seconds since the epoch.",
        (uint64_t)c->started);
    head(out, "pra_build_info", "gauge", "1; the version is in the label.");
    evbuffer_add_printf(out, "pra_build_info{version=\"%s\"} 1\n", PRA_VERSION);
}

static void write_sessions(struct evbuffer *out, const struct condition *c)
{
    one(out, "pra_sessions", "gauge", "Clients that are logged in.", c->sessions);
    one(out, "pra_connections", "gauge", "SSH connections held, logged in or not.", c->connections);
    one(out, "pra_startups", "gauge", "Connections that are not logged in yet.", c->startups);
    one(out, "pra_connections_total", "counter", "SSH connections accepted.", c->connections_total);
    one(out, "pra_channels", "gauge", "Forwarded connections that are open.", c->channels);
    head(out, "pra_bytes_total", "counter", "Bytes moved between clients and targets.");
    evbuffer_add_printf(out,
                        "pra_bytes_total{direction=\"to_targets\"} %" PRIu64
                        "\npra_bytes_total{direction=\"to_clients\"} %" PRIu64 "\n",
                        c->bytes_in, c->bytes_out);
}

static uint64_t happened(const struct counters *n, enum audit_kind kind)
{
    return atomic_load(&n->event[kind]);
}

static void write_counters(struct evbuffer *out, const struct counters *n)
{
    static const struct {
        enum audit_kind kind;
        const char *word;
    } ends[] = {{AUDIT_CHANNEL_OPEN, "opened"},
                {AUDIT_CHANNEL_REFUSED, "refused"},
                {AUDIT_CHANNEL_FAILED, "failed"},
                {AUDIT_CHANNEL_CUT, "cut"}};
    head(out, "pra_logins_total", "counter", "Log-ins of clients by result.");
    for (unsigned i = 0; i < LOGIN_RESULT_COUNT; i++)
        evbuffer_add_printf(out, "pra_logins_total{result=\"%s\"} %" PRIu64 "\n",
                            counters_login_word((enum counters_login)i),
                            (uint64_t)atomic_load(&n->login[i]));
    head(out, "pra_channels_total", "counter", "Forwarded connections by what became of them.");
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        evbuffer_add_printf(out, "pra_channels_total{result=\"%s\"} %" PRIu64 "\n", ends[i].word,
                            happened(n, ends[i].kind));
    one(out, "pra_requests_refused_total", "counter",
        "Requests of clients that this gateway never grants (shell, remote forward ...).",
        happened(n, AUDIT_REQUEST_REFUSED));
    one(out, "pra_protocol_errors_total", "counter", "Sessions ended for breaking the protocol.",
        happened(n, AUDIT_PROTOCOL_ERROR));
}

static void write_inside(struct evbuffer *out, const struct condition *c)
{
    char text[CONDITION_TEXT_MAX];
    one(out, "pra_healthy", "gauge", "1 if /healthz says that all is well.",
        condition_good(c, text));
    one(out, "pra_audit_queue_length", "gauge", "Audit records that wait for the store.",
        c->audit_waiting);
    one(out, "pra_audit_queue_capacity", "gauge", "How many may wait.", c->audit_capacity);
    one(out, "pra_audit_lost_total", "counter", "Audit records that were only counted.",
        c->audit_lost);
    one(out, "pra_store_writable", "gauge", "1 if the last write succeeded.", !c->store_fails);
    one(out, "pra_store_errors_total", "counter", "Writes that the store refused.",
        c->store_errors);
    one(out, "pra_store_cache_bytes", "gauge", "Memory that holds pages of the database.",
        c->store_cache);
    one(out, "pra_mail_waiting", "gauge", "Mail that waits for its server to take it.",
        c->mail_waiting);
    one(out, "pra_mail_failed", "gauge", "Mail that was given up and is still listed.",
        c->mail_failed);
    one(out, "pra_mail_dropped_total", "counter", "Mail for which the queue had no room, ever.",
        c->mail_dropped);
    if (c->portal_files.limit > 0) {
        one(out, "pra_portal_open_fds", "gauge", "Descriptors that pra-portal has open.",
            c->portal_files.open);
        one(out, "pra_portal_max_fds", "gauge", "Descriptors that it may have open.",
            c->portal_files.limit);
    }
    one(out, "pra_lookups_waiting", "gauge", "Names that wait to be resolved.", c->lookups_waiting);
    head(out, "pra_worker_busy_ratio", "gauge", "Part of the last second that it was at work.");
    for (unsigned i = 0; i < c->workers; i++)
        evbuffer_add_printf(out, "pra_worker_busy_ratio{worker=\"%u\"} %.3f\n", i,
                            c->worker[i].busy / 1000.0);
    head(out, "pra_worker_connections", "gauge", "Connections that it holds.");
    for (unsigned i = 0; i < c->workers; i++)
        evbuffer_add_printf(out, "pra_worker_connections{worker=\"%u\"} %u\n", i,
                            c->worker[i].sessions);
}

void metrics_write(struct evbuffer *out, const struct condition *c, const struct counters *n)
{
    write_process(out, c);
    write_sessions(out, c);
    write_counters(out, n);
    write_inside(out, c);
}
