/* Opening the key; see keyopen.h. */
#include "client/keyopen.h"

#include <string.h>

#include "keys/machine.h"

int keyopen(const char *path, const char *passphrase, struct keyopen *out, struct fault *f)
{
    struct machine m;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = keyfile_open(path, passphrase, &out->key, &out->info, &out->report, f);
    if (rc == PRA_EMACHINE)
        (void)keyfile_inspect(path, &out->info, NULL);
    if (rc == 0 && machine_read(out->info.salt, &m, NULL) == 0) {
        for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
            out->helped |= m.source[i] == MACHINE_HELPER;
        (void)machine_tag(&m, out->tag);
        machine_wipe(&m);
    }
    return rc;
}

/* Would the key have opened if the disk could be seen (disk encryption hides it)? */
static bool disk_is_why(const struct keyopen *o)
{
    const struct keyfile_report *r = &o->report;
    unsigned others = 0;

    for (size_t i = 0; i < MACHINE_ID_COUNT; i++)
        if (r->changed[i] || r->missing[i] || r->hidden[i])
            others += i != MACHINE_DISK_SERIAL && i != MACHINE_VOLUME_ID;
    return (r->hidden[MACHINE_DISK_SERIAL] || r->hidden[MACHINE_VOLUME_ID]) &&
           others <= o->info.n - o->info.k;
}

enum cause keyopen_cause(int rc, const struct keyopen *o)
{
    switch (rc) {
    case PRA_EPASSPHRASE:
        return CAUSE_KEY_PASSPHRASE;
    case PRA_EMACHINE:
        return disk_is_why(o) ? CAUSE_KEY_DISK : CAUSE_KEY_MACHINE;
    case PRA_ENOENT:
        return CAUSE_KEY_MISSING;
    default:
        return CAUSE_KEY_DAMAGED;
    }
}
