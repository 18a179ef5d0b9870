/*
 * Unsealing the key file. The key derivation takes most of a second and 128 MiB, so it runs on
 * libuv's pool; the job owns its copy of the passphrase, which is wiped as soon as it was used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent_internal.h"
#include "common/os.h"
#include "common/secmem.h"
#include "keys/machine.h"

struct key_job {
    uv_work_t work;
    struct agent *agent;
    bool cancelled; /* set on the loop, read on the loop */
    uint64_t client;
    char path[OS_PATH_MAX];
    char *passphrase; /* in pages for secrets */
    /* results */
    int rc;
    struct fault fault;
    struct key *key;
    struct keyfile_info info;
    struct keyfile_report report;
    char tag[17];
    bool helped; /* the root helper has answered */
};

/* On the pool. */
static void unseal(uv_work_t *w)
{
    struct key_job *j = w->data;
    struct machine m;

    j->rc = keyfile_open(j->path, j->passphrase, &j->key, &j->info, &j->report, &j->fault);
    secmem_free(j->passphrase);
    j->passphrase = NULL;
    if (j->rc == PRA_EMACHINE)
        (void)keyfile_inspect(j->path, &j->info, NULL);
    if (j->rc == 0 && machine_read(j->info.salt, &m, NULL) == 0) {
        for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
            j->helped |= m.source[i] == MACHINE_HELPER;
        (void)machine_tag(&m, j->tag);
        machine_wipe(&m);
    }
}

/* Would the key have opened if the disk could be seen (disk encryption hides it)? */
static bool disk_is_why(const struct key_job *j)
{
    const struct keyfile_report *r = &j->report;
    unsigned others = 0;

    for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
        if (r->changed[i] || r->missing[i] || r->hidden[i])
            others += i != MACHINE_DISK_SERIAL && i != MACHINE_VOLUME_ID;
    return (r->hidden[MACHINE_DISK_SERIAL] || r->hidden[MACHINE_VOLUME_ID]) &&
           others <= j->info.n - j->info.k;
}

static enum cause cause_of(const struct key_job *j)
{
    switch (j->rc) {
    case PRA_EPASSPHRASE:
        return CAUSE_KEY_PASSPHRASE;
    case PRA_EMACHINE:
        return disk_is_why(j) ? CAUSE_KEY_DISK : CAUSE_KEY_MACHINE;
    case PRA_ENOENT:
        return CAUSE_KEY_MISSING;
    default:
        return CAUSE_KEY_DAMAGED;
    }
}

/* A tolerated change of the machine is told by name (N1). */
static void log_changes(struct agent *a, const struct key_job *j)
{
    char names[sizeof(a->problem.name)];
    bool any = false;

    for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
        any |= j->report.changed[i] || j->report.missing[i] || j->report.hidden[i];
    if (!any)
        return;
    keyfile_describe_changes(&j->report, names, sizeof(names));
    agentlog_system(a->log, LOG_WARN, "this PC has changed: %s; the key %s", names,
                    j->report.resealed ? "was sealed again" : "stays as it was sealed");
    agentlog_user(a->log, LOG_WARN, "this PC has changed: %s", names);
}

static void key_failed(struct agent *a, struct key_job *j)
{
    char names[sizeof(a->problem.name)];

    keyfile_describe_changes(&j->report, names, sizeof(names));
    agent_stop(a, cause_of(j), j->fault.text[0] != '\0' ? j->fault.text : err_text(j->rc), names);
    agent_answer_error(a, j->client, &a->problem);
}

/* Once is enough: the limit stays what it is. */
static void log_lock(struct agent *a)
{
    if (a->lock_told || secmem_lock_error() == 0)
        return;
    a->lock_told = true;
    agentlog_system(a->log, LOG_WARN,
                    "memory-lock-refused error=\"%s\": the unsealed key may reach the swap space; "
                    "raise the limit of locked memory (ulimit -l)",
                    strerror(secmem_lock_error()));
}

static void key_opened(struct agent *a, struct key_job *j)
{
    a->key = j->key;
    j->key = NULL;
    a->info = j->info;
    a->helped = j->helped;
    (void)snprintf(a->machine_tag, sizeof(a->machine_tag), "%s", j->tag);
    if (a->user[0] == '\0')
        (void)snprintf(a->user, sizeof(a->user), "%s", a->info.user);
    log_changes(a, j);
    log_lock(a);
    ipc_server_reply(a->ipc, j->client, json_pack("{s:b}", "ok", 1));
    agent_attempt(a);
}

/* Back on the loop. */
static void on_unsealed(uv_work_t *w, int status)
{
    struct key_job *j = w->data;
    struct agent *a = j->agent;

    os_memory_trim(); /* the derivation's goes back to the system */
    if (status != 0)
        j->rc = PRA_EIO;
    if (j->cancelled) {
        ipc_server_reply(a->ipc, j->client,
                         json_pack("{s:b, s:{s:s, s:s, s:s, s:s}}", "ok", 0, "error", "code", "",
                                   "message", "cancelled", "cause", "disconnected", "remedy", ""));
    } else {
        a->opening = NULL;
        if (j->rc == 0)
            key_opened(a, j);
        else
            key_failed(a, j);
    }
    key_free(j->key);
    secmem_free(j->passphrase);
    free(j);
}

int agent_open_key(struct agent *a, uint64_t client, const char *passphrase)
{
    struct key_job *j = calloc(1, sizeof(*j));
    int rc;

    if (j == NULL)
        return PRA_ENOMEM;
    j->passphrase = secmem_new(KEYFILE_PASS_MAX + 1);
    if (j->passphrase == NULL) {
        free(j);
        return PRA_ENOMEM;
    }
    j->work.data = j;
    j->agent = a;
    j->client = client;
    (void)snprintf(j->path, sizeof(j->path), "%s", a->paths->key_file);
    (void)snprintf(j->passphrase, KEYFILE_PASS_MAX + 1, "%s", passphrase);
    rc = uv_queue_work(&a->loop, &j->work, unseal, on_unsealed);
    if (rc != 0) {
        secmem_free(j->passphrase);
        free(j);
        return PRA_EIO;
    }
    a->opening = j;
    return 0;
}

void agent_cancel_key(struct agent *a)
{
    if (a->opening != NULL)
        a->opening->cancelled = true;
    a->opening = NULL;
}
