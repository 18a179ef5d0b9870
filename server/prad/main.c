/*
 * prad, the gateway daemon: reads prad.ini, binds, drops privileges, starts the threads and then
 * waits for signals. The main thread owns the listening sockets and nothing else.
 *
 * SIGHUP reads the configuration again and opens the log file anew. SIGTERM and SIGINT drain:
 * nothing is accepted, clients are told, and prad exits when they have gone or drain_timeout is
 * over.
 */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "server/prad/confine.h"
#include "server/prad/gateway.h"
#include "server/prad/listener.h"
#include "server/prad/metrics.h"
#include "server/prad/notify.h"
#include "server/prad/privileges.h"
#include "server/sandbox/spawner.h"

#define DRAIN_LOOK_MS 100
/* For the host key, what key exchanges make for a moment, and random generators, some KiB a thread. */
#define KEY_HEAP_BYTES (1u << 20)

struct daemon {
    struct gateway gateway;
    struct listener *listener;
    struct metrics *metrics;
    struct event_base *base;
    const char *config_path;
    struct event *drain_timer;
    uint64_t drain_end_ms;
};

static const char USAGE[] =
    "usage: prad [--config FILE] [--check]\n"
    "\n"
    "The PRA gateway: SSH on TCP 10022, for clients with registered keys.\n"
    "\n"
    "  --config FILE  settings to use (default " CONFIG_DEFAULT_PATH ")\n"
    "  --check        check the settings and exit: 0 = good\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\n"
    "SIGHUP reads the settings again, SIGTERM ends after telling the clients.\n"
    "`pra-admin --config FILE init` makes database and host key.\n";

/* ---- signals -------------------------------------------------------------------------------- */

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct daemon *d = arg;
    struct fault f = {0};
    struct config c;
    notify_send("RELOADING=1");
    if (log_reopen() != 0)
        log_event(LOG_ERROR, "log-reopen-failed", "%s", "");
    if (config_load(d->config_path, &c, &f) == 0)
        gateway_reload(&d->gateway, &c);
    else
        log_event(LOG_ERROR, "reload-failed", "error=\"%s\"", f.text);
    notify_send("READY=1");
}

static void on_drain_look(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct daemon *d = arg;
    if (atomic_load(&d->gateway.sessions) == 0 || os_monotonic_ms() >= d->drain_end_ms)
        event_base_loopbreak(d->base);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct daemon *d = arg;
    const struct timeval look = {.tv_usec = DRAIN_LOOK_MS * 1000};
    long wait = d->gateway.settings->config.drain_timeout;
    if (d->drain_end_ms != 0) { /* asked twice: at once */
        event_base_loopbreak(d->base);
        return;
    }
    notify_send("STOPPING=1");
    log_event(LOG_INFO, "draining", "seconds=%ld", wait);
    listener_free(d->listener);
    d->listener = NULL;
    d->drain_end_ms = os_monotonic_ms() + (uint64_t)wait * 1000 + 1;
    gateway_drain(&d->gateway);
    event_add(d->drain_timer, &look);
}

static int watch_signals(struct daemon *d)
{
    const struct {
        int number;
        event_callback_fn act;
    } SIGNALS[] = {{SIGHUP, on_hangup}, {SIGTERM, on_terminate}, {SIGINT, on_terminate}};
    for (size_t i = 0; i < sizeof(SIGNALS) / sizeof(SIGNALS[0]); i++) {
        struct event *e = evsignal_new(d->base, SIGNALS[i].number, SIGNALS[i].act, d);
        if (!e || event_add(e, NULL) != 0)
            return PRA_ENOMEM;
    }
    d->drain_timer = event_new(d->base, -1, EV_PERSIST, on_drain_look, d);
    return d->drain_timer ? 0 : PRA_ENOMEM;
}

/* ---- life ----------------------------------------------------------------------------------- */

/*
 * One arena per core is plenty for threads that are loops, and freed blocks of a burst go back to
 * the system: tens of KiB per client are the whole budget.
 */
static void tune_memory(void)
{
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

static int start(struct daemon *d, const struct config *c, struct fault *f)
{
    /* Before libcrypto has anything that is secret. */
    bool locked = crypto_secure_heap(KEY_HEAP_BYTES) == 0;
    if (ssh_init() != SSH_OK || evthread_use_pthreads() != 0)
        return fault_set(f, PRA_EIO, "libssh or libevent cannot be initialised");
    privileges_raise_descriptors();
    int rc = listener_bind(c, &d->listener, f);
    if (rc == 0)
        rc = privileges_drop(c->user, f);
    if (rc == 0)
        rc = confine_spawner(c, f);
    if (rc == 0)
        rc = log_open(*c->log_file ? c->log_file : NULL, c->log_level, f);
    if (rc != 0)
        return rc;
    if (!locked)
        log_event(LOG_WARN, "keys-not-locked", "bytes=%u hint=\"raise LimitMEMLOCK\"",
                  KEY_HEAP_BYTES);
    d->base = event_base_new();
    if (!d->base || watch_signals(d) != 0)
        return fault_set(f, PRA_ENOMEM, "event loop cannot be made");
    rc = metrics_open(d->base, c, &d->metrics, f);
    if (rc == 0)
        rc = confine_files(c, f);
    if (rc == 0)
        rc = gateway_start(&d->gateway, c, f);
    if (rc != 0)
        return rc;
    rc = listener_start(d->listener, d->base, &d->gateway, f);
    if (rc == 0)
        rc = confine_calls(c, f);
    if (rc == 0)
        metrics_serve(d->metrics, &d->gateway);
    else
        gateway_stop(&d->gateway);
    return rc;
}

static int run(const char *path, bool check)
{
    static struct daemon d;
    struct fault f = {0};
    struct config c;
    if (config_load(path, &c, &f) != 0) {
        fprintf(stderr, "prad: %s\n", f.text);
        return 1;
    }
    if (check) {
        fprintf(stderr, "%s: good\n", path);
        return 0;
    }
    d.config_path = path;
    if (start(&d, &c, &f) != 0) {
        fprintf(stderr, "prad: %s\n", f.text);
        return 1;
    }
    notify_send("READY=1");
    event_base_dispatch(d.base);
    listener_free(d.listener);
    metrics_free(d.metrics);
    gateway_stop(&d.gateway);
    spawner_stop();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"config", required_argument, NULL, 'c'},
                                            {"check", no_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    const char *path = CONFIG_DEFAULT_PATH;
    bool check = false;
    int o;
    os_process_harden();
    signal(SIGPIPE, SIG_IGN);
    tune_memory();
    while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        switch (o) {
        case 'c':
            path = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'h':
            fputs(USAGE, stdout);
            return 0;
        case 'v':
            printf("prad %s\n", PRA_VERSION);
            return 0;
        default:
            fputs(USAGE, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "prad: unexpected argument '%s'\n%s", argv[optind], USAGE);
        return 2;
    }
    return run(path, check);
}
