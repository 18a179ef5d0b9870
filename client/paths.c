/* What a user's files are called, in whatever folders a system has for them. */
#include "client/paths_internal.h"

int paths_join(char dst[OS_PATH_MAX], const char *dir, const char *name, struct fault *f)
{
    if (os_path_join(dst, dir, name) != 0)
        return fault_set(f, PRA_ETOOBIG, "%.64s...: the path is too long", dir);
    return 0;
}

int paths_name_files(struct paths *p, const char *config, const char *data, struct fault *f)
{
    int rc = paths_join(p->config_file, config, "config.ini", f);

    if (rc == 0)
        rc = paths_join(p->known_host, config, "known_host", f);
    if (rc == 0)
        rc = paths_join(p->key_file, data, "id.prakey", f);
    if (rc == 0)
        rc = paths_join(p->ticket_file, data, "id.prakey.tickets", f);
    return rc == 0 ? paths_join(p->agent_lock, p->runtime_dir, "agent.lock", f) : rc;
}
