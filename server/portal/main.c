/*
 * pra-portal: the management tool in a browser. A process of its own without a host key and without
 * the database: what it does it asks prad to do for the account that is logged in.
 *
 * SIGHUP reads the certificate again; SIGTERM and SIGINT end.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/portal/portal.h"
#include "server/prad/descriptors.h"
#include "server/prad/notify.h"
#include "server/sandbox/sandbox.h"

#define TELL_EVERY_S 30

static const char USAGE[] =
    "usage: pra-portal [--config FILE] [--check | --fingerprint]\n"
    "\n"
    "The management tool of a PRA gateway: HTTPS on TCP 10443. prad has to run.\n"
    "\n"
    "  --config FILE  settings to use, those of prad (default " CONFIG_DEFAULT_PATH ")\n"
    "  --check        check the settings and exit: 0 = good\n"
    "  --fingerprint  print the certificate's fingerprint, as browsers show it, and exit\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\n"
    "SIGHUP reads the certificate again, SIGTERM ends.\n"
    "The first account is made on the console: pra-admin account add NAME --role owner.\n";

static void say_certificate(const struct portal *p, bool made)
{
    log_event(LOG_INFO, made ? "certificate-made" : "certificate", "sha256=%s self-signed=%s",
              tls_fingerprint(p->tls), tls_self_signed(p->tls) ? "yes" : "no");
}

static void on_told(json_t *answer, void *arg)
{
    (void)arg;
    if (answer == NULL || json_object_get(answer, "error") != NULL)
        log_event(LOG_DEBUG, "certificate-not-told", "%s", "");
}

/* Prad cannot read the certificate, and raises an alert before it ends; /metrics is prad's, too. */
static void on_tell(evutil_socket_t fd, short what, void *arg)
{
    const struct timeval again = {.tv_sec = TELL_EVERY_S};
    struct portal *p = arg;
    char when[TIMEFMT_MAX];
    struct descriptors files;
    json_t *request;

    (void)fd;
    (void)what;
    event_add(p->tell, &again);
    if (tls_ends(p->tls) <= 0)
        return;
    descriptors_count(&files);
    request = json_pack("{s:s, s:{s:s, s:I, s:I}}", "op", "portal.certificate", "args", "ends",
                        timefmt_rfc3339(tls_ends(p->tls), when), "files", (json_int_t)files.open,
                        "files-max", (json_int_t)files.limit);
    links_ask(p->links, request, on_told, NULL); /* whatever comes of it: there is another time */
    json_decref(request);
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
    struct portal *p = arg;
    struct tls *fresh = NULL;
    struct fault f = {0};
    bool made;

    (void)fd;
    (void)what;
    if (log_reopen() != 0)
        log_event(LOG_ERROR, "log-reopen-failed", "%s", "");
    if (tls_load(p->config, &fresh, &made, &f) != 0) {
        log_event(LOG_ERROR, "reload-failed", "error=\"%s\"", f.text);
        return;
    }
    tls_free(p->tls);
    p->tls = fresh;
    say_certificate(p, made);
    event_active(p->tell, EV_TIMEOUT, 0);
}

static void on_terminate(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(((struct portal *)arg)->base);
}

/* Files and ports, before there are threads: it serves its own port and looks whether prad's is open. */
static int confine_files(const struct config *c, struct fault *f)
{
    static struct sandbox_list l;
    struct addr_host host;
    uint16_t own = 0;
    struct sandbox_files files = {.path = l.path,
                                  .system = true,
                                  .bind = &own,
                                  .bind_count = 1,
                                  .connect = &c->listen[0].port,
                                  .connect_count = 1};

    if (!c->sandbox) {
        log_event(LOG_WARN, "sandbox", "state=off file=%s", c->file);
        return 0;
    }
    if (addr_parse_host_port(c->portal_listen, CONFIG_PORTAL_PORT, &host, &own) != 0)
        return fault_set(f, PRA_EINVAL, "[portal] listen: '%s'", c->portal_listen);
    sandbox_list_add_file(&l, c->portal_certificate, SANDBOX_READ);
    sandbox_list_add_file(&l, c->portal_key, SANDBOX_READ);
    sandbox_list_add_file(&l, c->portal_log, SANDBOX_WRITE);
    sandbox_list_add(&l, c->portal_downloads, SANDBOX_READ);
    files.count = l.count;
    return sandbox_files(&files, f);
}

/* System calls: when all is open. */
static int confine_calls(const struct config *c, struct fault *f)
{
    struct sandbox_state state;
    int rc = c->sandbox ? sandbox_calls(SANDBOX_PORTAL, -1, f) : 0;

    sandbox_state(&state);
    if (rc == 0 && c->sandbox)
        log_event(LOG_INFO, "sandbox", "state=on landlock=%d uid=%u", state.landlock, state.uid);
    return rc;
}

static int start(struct portal *p, struct event *signals[3], struct fault *f)
{
    bool made;
    int rc = tls_load(p->config, &p->tls, &made, f);

    if (rc == 0)
        rc = confine_files(p->config, f);
    if (rc != 0)
        return rc;
    say_certificate(p, made);
    p->base = event_base_new();
    p->openapi = openapi_make();
    p->links = p->base == NULL ? NULL : links_new(p->base, p->config);
    if (p->openapi == NULL || p->links == NULL || kdf_new(p->base, &p->kdf) != 0)
        return fault_set(f, PRA_ENOMEM, "no memory");
    p->tell = event_new(p->base, -1, 0, on_tell, p);
    if (p->tell == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory");
    event_active(p->tell, EV_TIMEOUT, 0);
    signals[0] = evsignal_new(p->base, SIGHUP, on_hangup, p);
    signals[1] = evsignal_new(p->base, SIGTERM, on_terminate, p);
    signals[2] = evsignal_new(p->base, SIGINT, on_terminate, p);
    for (int i = 0; i < 3; i++) {
        if (signals[i] == NULL || event_add(signals[i], NULL) != 0)
            return fault_set(f, PRA_ENOMEM, "no memory");
    }
    rc = http_new(p, &p->http, f);
    return rc != 0 ? rc : confine_calls(p->config, f);
}

static int run(const struct config *c)
{
    struct portal p = {.config = c};
    struct event *signals[3] = {NULL};
    struct fault f = {0};
    int rc = log_open(*c->portal_log != '\0' ? c->portal_log : NULL, c->log_level, &f);

    if (rc == 0)
        rc = start(&p, signals, &f);
    if (rc == 0) {
        log_event(LOG_INFO, "portal-started", "listen=%s version=" PRA_VERSION, c->portal_listen);
        notify_send("READY=1");
        event_base_dispatch(p.base);
        notify_send("STOPPING=1");
        log_event(LOG_INFO, "portal-stopped", "%s", "");
    } else {
        fprintf(stderr, "pra-portal: %s\n", f.text);
    }
    /* What waits for a proof or for prad is answered, so HTTP ends after them. */
    kdf_free(p.kdf);
    streams_close(&p);
    links_free(p.links);
    http_close(p.http);
    for (int i = 0; i < 3; i++) {
        if (signals[i] != NULL)
            event_free(signals[i]);
    }
    if (p.tell != NULL)
        event_free(p.tell);
    if (p.base != NULL)
        event_base_free(p.base);
    http_free(p.http);
    tls_free(p.tls);
    json_decref(p.openapi);
    return rc == 0 ? 0 : 1;
}

static int print_fingerprint(const struct config *c)
{
    struct tls *t = NULL;
    struct fault f = {0};
    bool made;

    if (access(c->portal_certificate, F_OK) != 0) {
        fprintf(stderr, "pra-portal: %s is not there yet: it is made at the first start\n",
                c->portal_certificate);
        return 1;
    }
    if (tls_load(c, &t, &made, &f) != 0) {
        fprintf(stderr, "pra-portal: %s\n", f.text);
        return 1;
    }
    puts(tls_fingerprint(t));
    tls_free(t);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
        {"fingerprint", no_argument, NULL, 'f'},  {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},      {0}};
    const char *path = CONFIG_DEFAULT_PATH;
    static struct config c;
    struct fault f = {0};
    int o, task = 0;

    os_process_harden();
    while ((o = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        switch (o) {
        case 'c':
            path = optarg;
            break;
        case 'k':
        case 'f':
            task = o;
            break;
        case 'h':
            fputs(USAGE, stdout);
            return 0;
        case 'v':
            puts("pra-portal " PRA_VERSION);
            return 0;
        default:
            fputs(USAGE, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "pra-portal: unexpected argument '%s'\n%s", argv[optind], USAGE);
        return 2;
    }
    if (config_load(path, &c, &f) != 0) {
        fprintf(stderr, "pra-portal: %s\n", f.text);
        return 1;
    }
    if (task == 'k') {
        fprintf(stderr, "%s: good\n", path);
        return 0;
    }
    return task == 'f' ? print_fingerprint(&c) : run(&c);
}
