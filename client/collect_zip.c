/* Packs the log bundle into a file that must not exist yet. */
#include "client/collect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/archive.h"

int collect_check_target(const char *path, struct fault *f)
{
    char folder[OS_PATH_MAX];
    const char *slash = os_path_separator(path);
    struct stat st;

    if (snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) : 1,
                 slash != NULL ? path : ".") >= (int)sizeof(folder))
        return fault_set(f, PRA_EIO, "the path is too long");
    if (folder[0] == '\0')
        snprintf(folder, sizeof(folder), "/");
    if (lstat(path, &st) == 0)
        return fault_set(f, PRA_EEXIST, "%s: exists already", path);
    if (access(folder, W_OK | X_OK) != 0)
        return fault_set(f, errno == EACCES ? PRA_EACCES : PRA_EIO, "%s: %s", folder,
                         strerror(errno));
    return 0;
}

int collect_write(const struct collect *c, const char *path, struct fault *f)
{
    struct archive *a = NULL;
    int64_t now = os_time_now();
    int rc = archive_new(path, &a, f);

    for (size_t i = 0; rc == 0 && i < c->count; i++)
        rc = archive_add(a, c->file[i].name, c->file[i].data, c->file[i].len, now, f);
    if (rc == 0)
        rc = archive_finish(a, f);
    archive_free(a);
    return rc;
}
