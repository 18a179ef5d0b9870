/* See descriptors.h. */
#include "server/prad/descriptors.h"

#include <dirent.h>
#include <sys/resource.h>

void descriptors_count(struct descriptors *d)
{
    struct rlimit files = {0};
    DIR *folder = opendir("/proc/self/fd");
    getrlimit(RLIMIT_NOFILE, &files);
    *d = (struct descriptors){.limit = files.rlim_cur};
    if (!folder)
        return;
    for (const struct dirent *e; (e = readdir(folder));)
        d->open += e->d_name[0] != '.';
    d->open--; /* the folder's own */
    closedir(folder);
}
