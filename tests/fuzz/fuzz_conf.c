/*
 * Fuzz target: INI files. A refusal names file and line; a value that is accepted has passed its
 * setter once and within its bounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
    int calls[4];
};

static void count(void *target, int i)
{
    if (++((struct target *)target)->calls[i] > 1)
        abort();
}

static int set_text(void *target, const char *value, struct fault *f)
{
    (void)f;
    count(target, 0);
    if (strlen(value) > CONF_LINE_MAX || !utf8_valid(value, strlen(value)))
        abort();
    return 0;
}

static int set_number(void *target, const char *value, struct fault *f)
{
    long n = 0;
    int rc = conf_parse_number(value, -7, 100, &n, f);

    count(target, 1);
    if (rc == 0 && (n < -7 || n > 100))
        abort();
    return rc;
}

static int set_duration(void *target, const char *value, struct fault *f)
{
    long n = 0;
    int rc = conf_parse_duration(value, 1, 86400, &n, f);

    count(target, 2);
    if (rc == 0 && (n < 1 || n > 86400))
        abort();
    return rc;
}

static int set_size(void *target, const char *value, struct fault *f)
{
    long n = 0;
    int on = 0;
    int rc = conf_parse_size(value, 0, 1L << 40, &n, f);

    count(target, 3);
    (void)conf_parse_bool(value, &on, f);
    return rc;
}

static const struct conf_key keys[] = {
    {"gateway", "listen", set_text},
    {"gateway", "workers", set_number},
    {"limits", "grace", set_duration},
    {"limits", "memory", set_size},
    {NULL, NULL, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[32];
    static int fd = -1;
    struct target t = {0};
    struct fault f = {0};
    int rc;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    rc = conf_load(path, keys, &t, &f);
    if (rc != 0 && (f.code == 0 || strncmp(f.text, path, strlen(path)) != 0))
        abort();
    if (rc != 0 && !utf8_valid(f.text, strlen(f.text)))
        abort();
    return 0;
}
