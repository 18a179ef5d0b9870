/* A scratch folder for one test: made in setup, removed with all that is in it in teardown. */
#ifndef PRA_TESTS_SCRATCH_H
#define PRA_TESTS_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch[64];
static char scratch_file[160];

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
                                     struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline int scratch_make(void **state)
{
    (void)state;
    snprintf(scratch, sizeof(scratch), "/tmp/pra-test-XXXXXX");
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    (void)chmod(scratch, 0700);
    return nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* scratch/name; the text is overwritten by the next call. */
static inline const char *scratch_path(const char *name)
{
    snprintf(scratch_file, sizeof(scratch_file), "%s/%s", scratch, name);
    return scratch_file;
}

static inline void scratch_write(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(scratch_path(name), "wb");

    if (!file || fwrite(data, 1, len, file) != len || fclose(file) != 0)
        abort();
}

/* Whole file, NUL-terminated; the caller frees it. */
static inline char *scratch_read(const char *name, size_t *len)
{
    FILE *file = fopen(scratch_path(name), "rb");
    char *data = calloc(1, 8u << 20);

    if (!file || !data)
        abort();
    *len = fread(data, 1, (8u << 20) - 1, file);
    fclose(file);
    return data;
}

/* Entries in the folder, "." and ".." not counted. */
static inline int scratch_count(void)
{
    DIR *dir = opendir(scratch);
    int count = -2;

    if (!dir)
        abort();
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

#endif
