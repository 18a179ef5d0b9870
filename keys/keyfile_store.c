/*
 * The key file on disk: one writer at a time, only regular files, dated backups. POSIX; the bytes
 * themselves are replaced atomically by os_file_replace().
 */
#include "keys/keyfile_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/os.h"

#define LOCK_WAIT_MS  5000
#define LOCK_PAUSE_MS 20
#define BACKUPS_MAX   100 /* within one second */
/* What stands in a key's place may be damaged and larger than a key; a backup keeps that too. */
#define BACKUP_SIZE_MAX 16777216u

static int open_folder(const char *path)
{
    char dir[OS_PATH_MAX];
    const char *slash = os_path_separator(path);
    int n = slash == NULL ? snprintf(dir, sizeof(dir), ".")
                          : snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path + 1), path);

    if (n < 0 || n >= (int)sizeof(dir)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int keyfile_lock(const char *path, int *fd, struct fault *f)
{
    const struct timespec pause_time = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    uint64_t deadline = os_monotonic_ms() + LOCK_WAIT_MS;
    int dir = open_folder(path);

    if (dir < 0) {
        return fault_set(f, PRA_EIO, "%s: the folder cannot be opened: %s", path, strerror(errno));
    }
    while (flock(dir, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            int rc =
                fault_set(f, PRA_EIO, "%s: the folder cannot be locked: %s", path, strerror(errno));

            close(dir);
            return rc;
        }
        if (os_monotonic_ms() >= deadline) {
            close(dir);
            return fault_set(f, PRA_EBUSY, "%s: another program is writing the key file", path);
        }
        nanosleep(&pause_time, NULL);
    }
    *fd = dir;
    return 0;
}

void keyfile_unlock(int fd)
{
    close(fd);
}

bool keyfile_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 || errno != ENOENT;
}

/* A link would be replaced by a file when the key is sealed again, so links are refused at once. */
static int check_regular(const char *path, struct fault *f)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return fault_set(f, errno == ENOENT ? PRA_ENOENT : PRA_EIO, "%s: %s", path,
                         strerror(errno));
    }
    if (S_ISLNK(st.st_mode)) {
        return fault_set(f, PRA_EIO, "%s: is a symbolic link; a key file must be a file", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return fault_set(f, PRA_EIO, "%s: is not a file", path);
    }
    return 0;
}

int keyfile_load(const char *path, char **data, size_t *len, struct fault *f)
{
    int rc = check_regular(path, f);

    if (rc == 0) {
        rc = os_file_read(path, KEYFILE_SIZE_MAX, data, len, f);
    }
    return rc == PRA_ETOOBIG ? fault_set(f, PRA_ECORRUPT, "%s: larger than a key file can be", path)
                             : rc;
}

int keyfile_backup(const char *path, struct fault *f)
{
    char name[OS_PATH_MAX];
    char stamp[32];
    time_t now = (time_t)os_time_now();
    struct tm utc;
    char *data;
    size_t len;
    int rc = check_regular(path, f);

    if (rc == 0) {
        rc = os_file_read(path, BACKUP_SIZE_MAX, &data, &len, f);
    }
    if (rc != 0) {
        return rc == PRA_ENOENT ? rc : PRA_EIO;
    }
    if (gmtime_r(&now, &utc) == NULL ||
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc) == 0) {
        free(data);
        return fault_set(f, PRA_EIO, "%s: the clock of this computer is not usable", path);
    }
    rc = PRA_EEXIST;
    for (int i = 1; i <= BACKUPS_MAX && rc == PRA_EEXIST; i++) {
        int n = i == 1 ? snprintf(name, sizeof(name), "%s.%s.bak", path, stamp)
                       : snprintf(name, sizeof(name), "%s.%s-%d.bak", path, stamp, i);

        if (n < 0 || n >= (int)sizeof(name)) {
            rc = fault_set(f, PRA_EIO, "%.64s...: the path is too long", path);
        } else if (!keyfile_exists(name)) {
            rc = os_file_replace(name, data, len, 0600, f);
        }
    }
    crypto_wipe(data, len);
    free(data);
    return rc == PRA_EEXIST ? fault_set(f, PRA_EIO, "%s: too many backups in one second", path)
                            : rc;
}
