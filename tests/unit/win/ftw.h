/* nftw() as the tests use it, to remove a folder with all that is in it; for Windows. */
#ifndef PRA_TESTS_UNIT_WIN_FTW_H
#define PRA_TESTS_UNIT_WIN_FTW_H

#include <dirent.h>

#define FTW_DEPTH 8
#define FTW_PHYS  1

struct FTW {
    int level;
};

typedef int (*ftw_visit)(const char *path, const struct stat *st, int type, struct FTW *ftw);

static inline int nftw(const char *path, ftw_visit visit, int descriptors, int flags)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir != NULL) {
        while ((entry = readdir(dir)) != NULL) {
            char below[MAX_PATH];

            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                continue;
            snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
            if (nftw(below, visit, descriptors, flags) != 0)
                break;
        }
        closedir(dir);
        return _rmdir(path);
    }
    return visit(path, NULL, 0, NULL);
}

#endif
