/* What a client said at hello, on its way to the keeper, who keeps it beside the key; see keeper.h. */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/os.h"
#include "server/admin/admin.h"
#include "server/prad/keeper.h"
#include "server/prad/mailbox.h"

struct note {
    struct mail mail;
    int64_t key_id;
    char machine[20];
    char version[LIVE_VERSION_MAX + 1];
    char os[LIVE_OS_MAX + 1];
    char binding[8];
};

static void on_note(struct mail *m, void *owner)
{
    struct note *n = (struct note *)m;
    struct keeper *k = owner;
    if (k && admin_note_device(keeper_admin(k), n->key_id, n->machine, n->version, n->os,
                               n->binding, os_time_now()) == PRA_EIO)
        log_event(LOG_WARN, "note-device-failed", "key=%lld", (long long)n->key_id);
    free(n);
}

void keeper_note_device(struct keeper *k, int64_t key_id, const char *machine, const char *version,
                        const char *os, const char *binding)
{
    struct note *n = malloc(sizeof(*n));
    if (!n)
        return; /* a convenience for the administrator; the login stands in the audit */
    *n = (struct note){.mail.deliver = on_note, .key_id = key_id};
    snprintf(n->machine, sizeof(n->machine), "%s", machine);
    snprintf(n->version, sizeof(n->version), "%s", version);
    snprintf(n->os, sizeof(n->os), "%s", os);
    snprintf(n->binding, sizeof(n->binding), "%s", binding);
    keeper_post(k, &n->mail);
}
