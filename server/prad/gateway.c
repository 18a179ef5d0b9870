/* Starting and stopping the threads in the right order; see gateway.h. */
#include "server/prad/gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "common/secmem.h"
#include "server/admin/hostkey.h"
#include "server/prad/confine.h"
#include "server/prad/enroll.h"
#include "server/prad/factor.h"
#include "server/prad/keeper.h"
#include "server/prad/record.h"
#include "server/prad/tickets.h"
#include "server/prad/upload.h"
#include "server/prad/worker.h"

struct settings *settings_new(const struct config *c)
{
    struct settings *s = malloc(sizeof(*s));
    if (!s)
        return NULL;
    atomic_init(&s->refs, 1);
    s->config = *c;
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void settings_unref(struct settings *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        free(s);
}

/* ---- start ---------------------------------------------------------------------------------- */

/* Once, into libcrypto's own heap, from which all that sign have it; no copy stays anywhere else. */
static int read_host_key(const char *path, ssh_key *out, struct fault *f)
{
    uint8_t *seed = secmem_new(HOSTKEY_SEED_LEN);
    struct fault why = {0};
    if (!seed)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    int rc = hostkey_load(path, seed, &why);
    if (rc != 0)
        fault_set(f, rc, "host key %s%s", why.text,
                  rc == PRA_ENOENT ? " (pra-admin init makes it)" : "");
    else if (ssh_pki_import_ed25519_seed(seed, out) != SSH_OK)
        rc = fault_set(f, PRA_ECRYPTO, "host key %s: libcrypto refuses it", path);
    secmem_free(seed);
    return rc;
}

static unsigned worker_count(const struct config *c)
{
    long n = c->workers > 0 ? (long)c->workers : sysconf(_SC_NPROCESSORS_ONLN);
    if (n < 1)
        n = 1;
    return n > GATEWAY_WORKERS_MAX ? GATEWAY_WORKERS_MAX : (unsigned)n;
}

static int start_workers(struct gateway *g, const struct config *c, struct fault *f)
{
    unsigned want = worker_count(c);
    while (g->worker_count < want) {
        struct settings *s = settings_ref(g->settings);
        struct policy *p = keeper_policy(g->keeper);
        int rc = worker_start(g, s, p, &g->worker[g->worker_count], f);
        if (rc != 0) {
            settings_unref(s);
            policy_unref(p);
            return rc;
        }
        g->worker_count++;
    }
    return 0;
}

static int start_all(struct gateway *g, const struct config *c, struct fault *f)
{
    g->settings = settings_new(c);
    if (!g->settings || live_new(&g->live) != 0 || meters_new(&g->meters) != 0 ||
        startups_new(&g->startups) != 0 || sources_new(&g->sources) != 0 ||
        enroll_book_new(&g->enroll) != 0 || factor_book_new(&g->leases) != 0 ||
        tickets_new(&g->tickets) != 0 || resolver_new(&g->resolver) != 0)
        return fault_set(f, PRA_ENOMEM, "out of memory or threads");
    char bundles[OS_PATH_MAX] = "";
    if (admin_bundle_folder(c->store_url, bundles) != 0)
        bundles[0] = '\0';
    if (upload_desk_new(g, bundles, &g->uploads) != 0)
        return fault_set(f, PRA_ENOMEM, "out of memory or threads");
    int rc = read_host_key(c->host_key, &g->host_key, f);
    if (rc == 0)
        rc = keeper_open(g, c, &g->keeper, f);
    if (rc == 0)
        factor_book_follow(g->leases, keeper_admin(g->keeper));
    if (rc == 0)
        rc = confine_tell(c, keeper_admin(g->keeper), f);
    if (rc == 0)
        rc = start_workers(g, c, f);
    if (rc == 0)
        rc = keeper_run(g->keeper, f);
    return rc;
}

static void record_gateway(struct gateway *g, enum audit_kind kind)
{
    struct audit_event e = {.kind = kind};
    audit_record(g->audit, &e);
    log_event(LOG_INFO, audit_kind_word(kind), "version=%s workers=%u", PRA_VERSION,
              g->worker_count);
}

int gateway_start(struct gateway *g, const struct config *c, struct fault *f)
{
    *g = (struct gateway){.started = os_time_now()};
    int rc = start_all(g, c, f);
    if (rc != 0)
        gateway_stop(g);
    else
        record_gateway(g, AUDIT_GATEWAY_START);
    return rc;
}

/* ---- while it runs -------------------------------------------------------------------------- */

static bool same_place(const struct config_listen *a, const struct config_listen *b)
{
    return addr_ip_equal(&a->ip, &b->ip) && a->port == b->port;
}

static bool same_listen(const struct config *a, const struct config *b)
{
    if (a->listen_count != b->listen_count)
        return false;
    for (unsigned i = 0; i < a->listen_count; i++)
        if (!same_place(&a->listen[i], &b->listen[i]))
            return false;
    return true;
}

/* In the sandbox another folder is out of reach. */
static bool may_read(const struct config *c, const char *before, const char *now)
{
    return !c->sandbox || *now == '\0' || confine_same_folder(before, now);
}

/* Names the settings that only a restart changes. */
static void report_unchanged(const struct config *old, const struct config *new)
{
    const struct {
        const char *setting;
        bool same;
    } FIXED[] = {
        {"[gateway] listen", same_listen(old, new)},
        {"[gateway] host_key", strcmp(old->host_key, new->host_key) == 0},
        {"[gateway] workers", old->workers == new->workers},
        {"[gateway] user", strcmp(old->user, new->user) == 0},
        {"[gateway] sandbox", old->sandbox == new->sandbox},
        {"[store] url", strcmp(old->store_url, new->store_url) == 0},
        {"[metrics] listen", same_place(&old->metrics_listen, &new->metrics_listen)},
        {"[admin] socket", strcmp(old->admin_socket, new->admin_socket) == 0},
        {"[admin] group", strcmp(old->admin_group, new->admin_group) == 0},
        {"[log] file", strcmp(old->log_file, new->log_file) == 0},
        {"[mail] password_file", may_read(old, old->mail_password_file, new->mail_password_file)},
        {"[mail] ca_file", may_read(old, old->mail_ca_file, new->mail_ca_file)},
        {"[limits] audit_queue", old->audit_queue == new->audit_queue}};
    for (size_t i = 0; i < sizeof(FIXED) / sizeof(FIXED[0]); i++)
        if (!FIXED[i].same)
            log_event(LOG_WARN, "reload-needs-restart", "setting=\"%s\"", FIXED[i].setting);
}

void gateway_reload(struct gateway *g, const struct config *c)
{
    struct settings *s = settings_new(c);
    if (!s) {
        log_event(LOG_ERROR, "reload-failed", "error=\"out of memory\"");
        return;
    }
    report_unchanged(&g->settings->config, c);
    log_set_level(c->log_level);
    settings_unref(g->settings);
    g->settings = s;
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_set_settings(g->worker[i], settings_ref(s));
    keeper_set_settings(g->keeper, settings_ref(s));
    log_event(LOG_INFO, "reloaded", "file=%s", c->file);
}

void gateway_drain(struct gateway *g)
{
    atomic_store(&g->draining, true);
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_drain(g->worker[i]);
}

/* Workers first, so that the last logouts reach the audit; then the keeper, which stores them. */
void gateway_stop(struct gateway *g)
{
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_stop(g->worker[i]);
    if (g->audit)
        record_gateway(g, AUDIT_GATEWAY_STOP);
    upload_desk_stop(g->uploads);
    keeper_stop(g->keeper);
    if (g->resolver && !resolver_stop(g->resolver))
        return; /* a name server hangs; the process exits now anyway */
    for (unsigned i = 0; i < g->worker_count; i++)
        worker_free(g->worker[i]);
    ssh_key_free(g->host_key);
    upload_desk_free(g->uploads);
    startups_free(g->startups);
    sources_free(g->sources);
    enroll_book_free(g->enroll);
    factor_book_free(g->leases);
    tickets_free(g->tickets);
    live_free(g->live);
    meters_free(g->meters);
    settings_unref(g->settings);
}
