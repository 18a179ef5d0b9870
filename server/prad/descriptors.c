/* See descriptors.h. */
#include "server/prad/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

void descriptors_count(struct descriptors *d)
{
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    *d = (struct descriptors){.limit = files.rlim_cur};
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) {
        d->open = errno == EMFILE ? d->limit : 0; /* there is none left to count them with */
        return;
    }
    for (const struct dirent *e; (e = readdir(folder));)
        d->open += e->d_name[0] != '.';
    if (d->open > 0)
        d->open--; /* the folder's own */
    closedir(folder);
}
