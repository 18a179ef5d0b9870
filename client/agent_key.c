/*
 * Unsealing the key file. The key derivation takes most of a second and 128 MiB, so it runs on
 * libuv's pool; the job owns its copy of the passphrase, which is wiped as soon as it was used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent_internal.h"
#include "client/keyopen.h"
#include "common/os.h"
#include "common/secmem.h"

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
    struct keyopen opened;
};

/* On the pool. */
static void unseal(uv_work_t *w)
{
    struct key_job *j = w->data;

    j->rc = keyopen(j->path, j->passphrase, &j->opened, &j->fault);
    secmem_free(j->passphrase);
    j->passphrase = NULL;
}

/* A tolerated change of the machine is told by name (N1). */
static void log_changes(struct agent *a, const struct key_job *j)
{
    char names[sizeof(a->problem.name)];
    bool any = false;

    for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
        any |= j->opened.report.changed[i] || j->opened.report.missing[i] ||
               j->opened.report.hidden[i];
    if (!any)
        return;
    keyfile_describe_changes(&j->opened.report, names, sizeof(names));
    agentlog_system(a->log, LOG_WARN, "this PC has changed: %s; the key %s", names,
                    j->opened.report.resealed ? "was sealed again" : "stays as it was sealed");
    agentlog_user(a->log, LOG_WARN, "this PC has changed: %s", names);
}

static void key_failed(struct agent *a, struct key_job *j)
{
    char names[sizeof(a->problem.name)];

    keyfile_describe_changes(&j->opened.report, names, sizeof(names));
    agent_stop(a, keyopen_cause(j->rc, &j->opened),
               j->fault.text[0] != '\0' ? j->fault.text : err_text(j->rc), names);
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
    a->key = j->opened.key;
    j->opened.key = NULL;
    a->info = j->opened.info;
    a->helped = j->opened.helped;
    (void)snprintf(a->machine_tag, sizeof(a->machine_tag), "%s", j->opened.tag);
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
    key_free(j->opened.key);
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
