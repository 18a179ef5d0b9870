/* os.h for Linux, files and folders: replaced whole, made private. */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/os_internal.h"

const char os_separators[] = "/";

/* The folder that holds `path`. */
static int parent_of(const char *path, char dst[OS_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (len >= OS_PATH_MAX)
        return PRA_ETOOBIG;
    if (!slash) {
        snprintf(dst, OS_PATH_MAX, ".");
    } else if (len == 0) {
        snprintf(dst, OS_PATH_MAX, "/");
    } else {
        memcpy(dst, path, len);
        dst[len] = '\0';
    }
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return PRA_EIO;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Makes a rename in `dir` durable. */
static int sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc;
    int saved;

    if (fd < 0)
        return PRA_EIO;
    rc = fsync(fd) == 0 ? 0 : PRA_EIO;
    saved = errno;
    close(fd);
    errno = saved;
    return rc;
}

int os_file_replace(const char *path, const void *data, size_t len, mode_t mode, struct fault *f)
{
    char dir[OS_PATH_MAX];
    char temp[OS_PATH_MAX];
    bool made = false;
    int fd = -1;
    int rc = PRA_EIO;
    int n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);

    if (n < 0 || n >= (int)sizeof(temp) || parent_of(path, dir) != 0)
        return fault_set(f, PRA_EIO, "%.64s...: the path is too long", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        goto out;
    made = true;
    if (write_all(fd, data, len) != 0 || fchmod(fd, mode) != 0 || fsync(fd) != 0)
        goto out;
    /* Network file systems report a failed write no earlier than here. */
    n = close(fd);
    fd = -1;
    if (n != 0)
        goto out;
    if (rename(temp, path) != 0)
        goto out;
    made = false;
    if (sync_dir(dir) != 0)
        goto out;
    rc = 0;
out:
    if (rc != 0)
        rc = fault_set(f, rc, "%s: could not be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (made)
        unlink(temp);
    return rc;
}

int os_file_rename_new(const char *temp, const char *path, struct fault *f)
{
    char dir[OS_PATH_MAX];
    int rc = -1;

    if (parent_of(path, dir) != 0)
        return fault_set(f, PRA_EIO, "%.64s...: the path is too long", path);
    rc = renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE);
    /* Some file systems (NFS) do not know the flag; those have links, which never replace. */
    if (rc != 0 && (errno == EINVAL || errno == ENOSYS)) {
        rc = link(temp, path);
        if (rc == 0 && unlink(temp) != 0) {
            int saved = errno;

            unlink(path);
            errno = saved;
            rc = -1;
        }
    }
    if (rc != 0 && errno == EEXIST)
        return fault_set(f, PRA_EEXIST, "%s: exists already", path);
    if (rc != 0 || sync_dir(dir) != 0)
        return fault_set(f, PRA_EIO, "%s: could not be written: %s", path, strerror(errno));
    return 0;
}

/* Makes one folder. The mode is exact: mkdir(2) alone would apply the umask. */
static int make_dir(const char *path, mode_t mode, struct fault *f)
{
    if (mkdir(path, mode) == 0) {
        if (chmod(path, mode) == 0)
            return 0;
    } else if (errno == EEXIST) {
        return 0; /* whatever it is: os_dir_ensure() looks at the last one, mkdir at the others */
    }
    return fault_set(f, errno == EACCES || errno == EPERM ? PRA_EACCES : PRA_EIO,
                     "%s: the folder could not be made: %s", path, strerror(errno));
}

int os_dir_ensure(const char *path, mode_t mode, struct fault *f)
{
    char part[OS_PATH_MAX];
    struct stat st;
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return fault_set(f, PRA_EIO, "%.64s: the path is empty or too long", path);
    for (size_t i = 1; i <= len; i++) {
        int rc;

        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        /* A parent that is there already may stand where making one is not permitted. */
        if (i < len && stat(part, &st) == 0)
            continue;
        rc = make_dir(part, mode, f);
        if (rc != 0)
            return rc;
    }
    if (stat(path, &st) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fault_set(f, PRA_EIO, "%s: is no folder", path);
    if (st.st_uid != geteuid())
        return fault_set(f, PRA_EACCES, "%s: the folder belongs to another user (uid %u)", path,
                         (unsigned)st.st_uid);
    if (mode == 0700 && (st.st_mode & 022) != 0)
        return fault_set(f, PRA_EACCES, "%s: others may write in the folder (mode %04o)", path,
                         (unsigned)st.st_mode & 07777u);
    return 0;
}
