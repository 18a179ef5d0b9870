/* os.h: paths, whatever stands between their folders. */
#include <stdio.h>
#include <string.h>

#include "common/os.h"
#include "common/os_internal.h"

int os_path_join(char dst[OS_PATH_MAX], const char *dir, const char *name)
{
    size_t len = strlen(dir);
    const char separator[2] = {os_separators[0], '\0'};
    bool ends = len == 0 || strchr(os_separators, dir[len - 1]) != NULL;
    int n = snprintf(dst, OS_PATH_MAX, "%s%s%s", dir, ends ? "" : separator, name);

    return n < 0 || n >= OS_PATH_MAX ? PRA_ETOOBIG : 0;
}

const char *os_path_separator(const char *path)
{
    const char *last = NULL;

    for (; *path != '\0'; path++)
        if (strchr(os_separators, *path) != NULL)
            last = path;
    return last;
}
