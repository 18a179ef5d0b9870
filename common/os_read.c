/* os.h: files read whole, and secrets from their first line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"
#include "common/os_internal.h"

#define READ_FIRST 4096u

/* --- whole files ------------------------------------------------------------------------------ */

static void free_wiped(char *p, size_t len)
{
    int saved = errno;

    if (p != NULL)
        crypto_wipe(p, len);
    free(p);
    errno = saved;
}

/*
 * Reads to the end of the file, which may be longer than its size says (in /proc and /sys it is).
 * One byte more than `max` is asked for, so that a longer file shows.
 */
static int read_rest(int fd, size_t first, size_t max, char **out, size_t *out_len)
{
    size_t cap = (first < max ? first : max) + 1, len = 0;
    char *data = malloc(cap + 1);

    while (data != NULL) {
        ssize_t n;

        if (len == cap) {
            size_t more = cap <= max / 2 ? cap * 2 : max + 1;
            char *bigger = len > max ? NULL : malloc(more + 1);

            if (bigger != NULL)
                memcpy(bigger, data, len);
            free_wiped(data, len);
            if (len > max)
                return PRA_ETOOBIG;
            data = bigger;
            cap = more;
            continue;
        }
        n = read(fd, data + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            free_wiped(data, len);
            return PRA_EIO;
        }
        if (n == 0) {
            data[len] = '\0';
            *out = data;
            *out_len = len;
            return 0;
        }
        len += (size_t)n;
    }
    return PRA_ENOMEM;
}

/*
 * Without O_NONBLOCK a FIFO put in the file's place would hold us here. Devices may be named anywhere on
 * Windows (CON, NUL), so it is what was opened that is looked at; folders cannot be opened there.
 */
static int open_regular(const char *path, int *fd, struct stat *st, struct fault *f)
{
    int error;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    error = errno;
    if (*fd < 0 && (stat(path, st) != 0 || S_ISREG(st->st_mode)))
        return fault_set(f, error == ENOENT ? PRA_ENOENT : PRA_EIO, "%s: %s", path,
                         strerror(error));
    if (*fd >= 0 && fstat(*fd, st) != 0) {
        error = errno;
        close(*fd);
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(error));
    }
    if (*fd >= 0 && S_ISREG(st->st_mode))
        return 0;
    if (*fd >= 0)
        close(*fd);
    return fault_set(f, PRA_EIO, "%s: is no regular file", path);
}

int os_file_read(const char *path, size_t max, char **out, size_t *len, struct fault *f)
{
    struct stat st;
    size_t size;
    int fd, rc = open_regular(path, &fd, &st, f);

    if (rc != 0)
        return rc;
    size = st.st_size > 0 ? (size_t)st.st_size : 0;
    rc = size > max ? PRA_ETOOBIG : read_rest(fd, size > 0 ? size : READ_FIRST, max, out, len);
    if (rc == PRA_ETOOBIG)
        fault_set(f, rc, "%s: is larger than %zu bytes", path, max);
    else if (rc == PRA_ENOMEM)
        rc = fault_set(f, PRA_EIO, "%s: out of memory", path);
    else if (rc != 0)
        fault_set(f, rc, "%s: %s", path, strerror(errno));
    close(fd);
    return rc;
}

/* --- secrets ---------------------------------------------------------------------------------- */

static ssize_t read_byte(int fd, char *ch)
{
    ssize_t n;

    do
        n = read(fd, ch, 1);
    while (n < 0 && errno == EINTR);
    return n;
}

int os_read_line(int fd, const char *interrupts, char *dst, size_t cap, size_t *len)
{
    *len = 0;
    for (;;) {
        char ch;
        ssize_t n = read_byte(fd, &ch);

        if (n < 0)
            return PRA_EIO;
        if (n == 0)
            return *len == 0 ? PRA_ECLOSED : 0;
        if (ch == '\n')
            return 0;
        if (ch == '\0')
            return PRA_EINVAL;
        if (strchr(interrupts, ch) != NULL)
            return PRA_ECLOSED;
        if (*len + 1 >= cap)
            return PRA_ETOOBIG;
        dst[(*len)++] = ch;
    }
}

/* Opens a file of secrets for reading; a FIFO (shell's process substitution) is fine. */
static int open_secret(const char *path, int *out, struct fault *f)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), error = errno;

    if (fd >= 0 ? fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)
                : stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return fault_set(f, PRA_EUNSUPPORTED, "%s: is no file", path);
    }
    if (fd < 0)
        return fault_set(f, error == ENOENT ? PRA_ENOENT : PRA_EUNSUPPORTED, "%s: %s", path,
                         strerror(error));
    *out = fd;
    return 0;
}

int os_read_secret_file(const char *path, char *dst, size_t cap, struct fault *f)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int fd = STDIN_FILENO;
    size_t len = 0;
    int rc;

    if (!standard) {
        rc = open_secret(path, &fd, f);
        if (rc != 0)
            return rc;
    }
    rc = os_read_line(fd, "", dst, cap, &len);
    if (rc == 0 && len > 0 && dst[len - 1] == '\r')
        len--;
    if (rc == 0 && len == 0)
        rc = PRA_EINVAL;
    if (rc == PRA_ETOOBIG)
        fault_set(f, rc, "%s: the first line is longer than %zu bytes", name, cap - 1);
    else if (rc == PRA_EINVAL)
        fault_set(f, rc, "%s: the first line is empty or holds a NUL byte", name);
    else if (rc == PRA_ECLOSED)
        fault_set(f, rc, "%s: is empty", name);
    else if (rc != 0)
        rc = fault_set(f, PRA_ECLOSED, "%s: %s", name, strerror(errno));
    if (!standard)
        close(fd);
    if (rc != 0)
        crypto_wipe(dst, cap);
    else
        dst[len] = '\0';
    return rc;
}
