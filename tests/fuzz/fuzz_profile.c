/*
 * Fuzz target: connection profiles, which anybody may send. A refusal names the file and leaves the
 * result alone; what is accepted is written and read back the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/profile.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_back(const void *data, size_t size, struct profile *p, struct fault *f)
{
    static char path[32];
    static int fd = -1;

    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    int rc = profile_load(path, p, f);
    if (rc != 0 && (f->code == 0 || strncmp(f->text, path, strlen(path)) != 0 ||
                    !utf8_valid(f->text, strlen(f->text)) || p->port != 7))
        abort();
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct profile p = {.port = 7}, again = {.port = 7};
    struct fault f = {0};
    char text[PROFILE_TEXT_MAX];
    size_t len = 0;

    if (read_back(data, size, &p, &f) != 0)
        return 0;
    if (p.port == 0 || p.user[0] == '\0' || profile_check_fingerprint(p.fingerprint, NULL) != 0)
        abort();
    if (profile_format(&p, text, &len, &f) != 0)
        return 0;
    if (read_back(text, len, &again, &f) != 0 || strcmp(p.server.name, again.server.name) != 0 ||
        p.port != again.port || strcmp(p.user, again.user) != 0 || strcmp(p.name, again.name) != 0)
        abort();
    return 0;
}
