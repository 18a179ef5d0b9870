/*
 * Packs the log bundle. The archive is made in memory and written to a file that must not exist
 * yet, so that nothing is ever overwritten and a full disk leaves no half bundle behind.
 */
#include "client/collect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zip.h>

int collect_check_target(const char *path, struct fault *f)
{
    char folder[OS_PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) : 1,
                 slash != NULL ? path : ".") >= (int)sizeof(folder))
        return fault_set(f, PRA_EIO, "the path is too long");
    if (folder[0] == '\0')
        snprintf(folder, sizeof(folder), "/");
    if (lstat(path, &st) == 0)
        return fault_set(f, PRA_EEXIST, "%s: exists already", path);
    if (access(folder, W_OK | X_OK) != 0)
        return fault_set(f, errno == EACCES ? PRA_EACCES : PRA_EIO, "%s: %s", folder,
                         strerror(errno));
    return 0;
}

static int write_new(const char *path, const char *data, size_t len, struct fault *f)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0)
        return fault_set(f, errno == EEXIST ? PRA_EEXIST : PRA_EIO, "%s: %s", path,
                         strerror(errno));
    while (len > 0 && rc == 0) {
        ssize_t n = write(fd, data, len);

        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno != EINTR) {
            rc = fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
        }
    }
    if (rc == 0 && fsync(fd) != 0)
        rc = fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (close(fd) != 0 && rc == 0)
        rc = fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    if (rc != 0)
        unlink(path);
    return rc;
}

/* Adds all files to an archive whose bytes end up in `archive` (which stays the caller's). */
static int pack(const struct collect *c, zip_source_t *archive, struct fault *f)
{
    zip_error_t error;
    zip_t *zip;

    zip_error_init(&error);
    zip_source_keep(archive);
    zip = zip_open_from_source(archive, ZIP_TRUNCATE, &error);
    if (zip == NULL) {
        zip_source_free(archive);
        fault_set(f, PRA_EIO, "zip: %s", zip_error_strerror(&error));
        zip_error_fini(&error);
        return PRA_EIO;
    }
    zip_error_fini(&error);
    for (size_t i = 0; i < c->count; i++) {
        zip_source_t *src = zip_source_buffer(zip, c->file[i].data, c->file[i].len, 0);

        if (src != NULL && zip_file_add(zip, c->file[i].name, src, ZIP_FL_ENC_UTF_8) >= 0)
            continue;
        zip_source_free(src);
        fault_set(f, PRA_EIO, "zip: %s: %s", c->file[i].name, zip_strerror(zip));
        zip_discard(zip);
        return PRA_EIO;
    }
    if (zip_close(zip) == 0)
        return 0;
    fault_set(f, PRA_EIO, "zip: %s", zip_strerror(zip));
    zip_discard(zip);
    return PRA_EIO;
}

/* The bytes of a packed archive. Caller frees. */
static int read_archive(zip_source_t *archive, char **data, size_t *len, struct fault *f)
{
    zip_stat_t st;
    char *bytes = NULL;

    if (zip_source_stat(archive, &st) != 0 || zip_source_open(archive) != 0)
        return fault_set(f, PRA_EIO, "zip: the archive cannot be read back");
    bytes = malloc((size_t)st.size + 1);
    if (bytes == NULL || zip_source_read(archive, bytes, st.size) != (zip_int64_t)st.size) {
        zip_source_close(archive);
        free(bytes);
        return fault_set(f, PRA_ENOMEM, "zip: the archive cannot be read back");
    }
    zip_source_close(archive);
    *data = bytes;
    *len = (size_t)st.size;
    return 0;
}

int collect_write(const struct collect *c, const char *path, struct fault *f)
{
    zip_source_t *archive = zip_source_buffer_create(NULL, 0, 0, NULL);
    char *data = NULL;
    size_t len = 0;
    int rc;

    if (archive == NULL)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    rc = pack(c, archive, f);
    if (rc == 0)
        rc = read_archive(archive, &data, &len, f);
    if (rc == 0)
        rc = write_new(path, data, len, f);
    zip_source_free(archive);
    free(data);
    return rc;
}
