/* ZIP records written as they come; the numbers in comments are sections of APPNOTE. See archive.h. */
#include "client/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "common/os.h"
#include "common/utf8.h"

#define LOCAL_LEN    30u /* 4.3.7 */
#define CENTRAL_LEN  46u /* 4.3.12 */
#define END_LEN      22u /* 4.3.16 */
#define EXTRA_LEN    9u  /* "UT": flags and one time of 32 bits */
#define VERSION      20u /* deflate, folders */
#define MADE_BY_UNIX (3u << 8)
#define FLAG_UTF8    (1u << 11)
#define DEFLATE      8u
#define CHUNK        65536u

struct entry {
    char name[ARCHIVE_NAME_MAX + 1];
    uint32_t crc, size, packed, offset, seconds;
    uint16_t method, dos_time, dos_date, extra;
};

struct archive {
    int fd;
    uint64_t at; /* where the next record goes */
    size_t count;
    char path[OS_PATH_MAX];
    char temp[OS_PATH_MAX]; /* "" once it has its name */
    uint8_t chunk[CHUNK];
    struct entry entry[ARCHIVE_FILES_MAX];
};

static int io_fault(const struct archive *a, struct fault *f)
{
    return fault_set(f, PRA_EIO, "%s: could not be written: %s", a->path, strerror(errno));
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
    *p++ = (uint8_t)v;
    *p++ = (uint8_t)(v >> 8);
    return p;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    return put16(put16(p, v & 0xFFFF), v >> 16);
}

static uint8_t *put_bytes(uint8_t *p, const void *data, size_t len)
{
    memcpy(p, data, len);
    return p + len;
}

static int put_at(struct archive *a, uint64_t at, const void *data, size_t len, struct fault *f)
{
    const uint8_t *p = data;

    if (len > ARCHIVE_SIZE_MAX || at > ARCHIVE_SIZE_MAX - len)
        return fault_set(f, PRA_ETOOBIG, "%s: would be larger than 4 GiB", a->path);
    while (len > 0) {
        ssize_t n = pwrite(a->fd, p, len, (off_t)at);

        if (n < 0 && errno != EINTR)
            return io_fault(a, f);
        if (n > 0) {
            p += n;
            at += (uint64_t)n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int archive_new(const char *path, struct archive **out, struct fault *f)
{
    struct archive *a = calloc(1, sizeof(*a));
    struct stat st;
    int rc;

    if (a == NULL)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    a->fd = -1;
    if (snprintf(a->path, sizeof(a->path), "%s", path) >= (int)sizeof(a->path) ||
        snprintf(a->temp, sizeof(a->temp), "%s.XXXXXX", path) >= (int)sizeof(a->temp)) {
        rc = fault_set(f, PRA_EIO, "%.64s...: the path is too long", path);
    } else if (lstat(path, &st) == 0) {
        rc = fault_set(f, PRA_EEXIST, "%s: exists already", path);
    } else if ((a->fd = mkostemp(a->temp, O_CLOEXEC)) < 0) {
        rc = io_fault(a, f);
    } else {
        *out = a;
        return 0;
    }
    free(a);
    return rc;
}

void archive_free(struct archive *a)
{
    if (a == NULL)
        return;
    if (a->fd >= 0)
        close(a->fd);
    if (a->temp[0] != '\0')
        unlink(a->temp);
    free(a);
}

/* 4.4.17: relative, with '/' alone. What a reader would have to refuse is not written. */
static bool name_is_fine(const struct archive *a, const char *name)
{
    size_t len = strlen(name);

    if (name[0] == '/' || len > ARCHIVE_NAME_MAX || !utf8_valid(name, len))
        return false;
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (part[strspn(part, ".")] == '/' || part[strspn(part, ".")] == '\0')
            return false; /* empty, ".", ".." */
    }
    for (const char *p = name; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == '\\' || *p == ':')
            return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->entry[i].name, name) == 0)
            return false;
    return true;
}

/* 4.4.6: local time in steps of two seconds, years 1980 to 2107; the exact time goes in "UT". */
static void set_time(struct entry *e, int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;

    e->extra = when >= 0 && when <= INT32_MAX ? EXTRA_LEN : 0;
    e->seconds = (uint32_t)when;
    e->dos_date = (1 << 5) | 1;
    if (localtime_r(&t, &tm) == NULL || tm.tm_year < 80 || tm.tm_year > 207)
        return;
    e->dos_date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
    e->dos_time = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
}

/* What the two kinds of header have in common: 4.4.3 to 4.4.11. */
static uint8_t *put_common(uint8_t *p, const struct entry *e)
{
    p = put16(p, VERSION);
    p = put16(p, FLAG_UTF8);
    p = put16(p, e->method);
    p = put16(p, e->dos_time);
    p = put16(p, e->dos_date);
    p = put32(p, e->crc);
    p = put32(p, e->packed);
    p = put32(p, e->size);
    p = put16(p, (unsigned)strlen(e->name));
    return put16(p, e->extra);
}

static uint8_t *put_extra(uint8_t *p, const struct entry *e)
{
    if (e->extra == 0)
        return p;
    p = put_bytes(p, "UT", 2);
    p = put16(p, EXTRA_LEN - 4);
    *p++ = 1; /* the time of change is what follows */
    return put32(p, e->seconds);
}

/* Compresses `data` to `at`. Returns 0 with the length in *packed; stops once that exceeds `len`. */
static int deflate_at(struct archive *a, uint64_t at, const void *data, size_t len,
                      uint64_t *packed, struct fault *f)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
    int rc = 0, state = Z_OK;

    *packed = 0;
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    while (rc == 0 && state == Z_OK && *packed <= len) {
        size_t n;

        z.next_out = a->chunk;
        z.avail_out = sizeof(a->chunk);
        state = deflate(&z, Z_FINISH);
        n = sizeof(a->chunk) - z.avail_out;
        if (state != Z_OK && state != Z_STREAM_END)
            rc = fault_set(f, PRA_EIO, "%s: cannot be compressed", a->path);
        else
            rc = put_at(a, at + *packed, a->chunk, n, f);
        *packed += n;
    }
    deflateEnd(&z);
    return rc;
}

int archive_add(struct archive *a, const char *name, const void *data, size_t len, int64_t when,
                struct fault *f)
{
    uint8_t header[LOCAL_LEN + ARCHIVE_NAME_MAX + EXTRA_LEN], *p = header;
    struct entry e = {.offset = (uint32_t)a->at};
    uint64_t packed = 0, start;
    int rc;

    if (a->count == ARCHIVE_FILES_MAX)
        return fault_set(f, PRA_EFULL, "%s: more than %d files", a->path, ARCHIVE_FILES_MAX);
    if (!name_is_fine(a, name))
        return fault_set(f, PRA_EINVAL, "%s: a file in it cannot have this name", a->path);
    if (len > ARCHIVE_SIZE_MAX || a->at > ARCHIVE_SIZE_MAX)
        return fault_set(f, PRA_ETOOBIG, "%s: would be larger than 4 GiB", a->path);
    snprintf(e.name, sizeof(e.name), "%s", name);
    set_time(&e, when);
    start = a->at + LOCAL_LEN + strlen(name) + e.extra;
    e.size = (uint32_t)len;
    e.crc = (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, len);
    rc = deflate_at(a, start, data, len, &packed, f);
    e.method = DEFLATE;
    if (rc == 0 && packed >= len) {
        e.method = 0;
        packed = len;
        rc = put_at(a, start, data, len, f);
    }
    if (rc != 0)
        return rc;
    e.packed = (uint32_t)packed;
    p = put_common(put_bytes(p, "PK\003\004", 4), &e);
    p = put_extra(put_bytes(p, e.name, strlen(e.name)), &e);
    rc = put_at(a, a->at, header, (size_t)(p - header), f);
    if (rc != 0)
        return rc;
    a->at = start + packed;
    a->entry[a->count++] = e;
    return 0;
}

/* The directory (4.3.12) and its end (4.3.16), at the end of the file. */
static int put_directory(struct archive *a, struct fault *f)
{
    uint8_t record[CENTRAL_LEN + ARCHIVE_NAME_MAX + EXTRA_LEN], *p;
    uint64_t start = a->at;

    for (size_t i = 0; i < a->count; i++) {
        const struct entry *e = &a->entry[i];
        int rc;

        p = put16(put_bytes(record, "PK\001\002", 4), MADE_BY_UNIX | VERSION);
        p = put_common(p, e);
        p = put16(put16(put16(p, 0), 0), 0); /* comment, disk, internal attributes */
        p = put32(p, (uint32_t)(S_IFREG | 0600) << 16);
        p = put32(p, e->offset);
        p = put_extra(put_bytes(p, e->name, strlen(e->name)), e);
        rc = put_at(a, a->at, record, (size_t)(p - record), f);
        if (rc != 0)
            return rc;
        a->at += (size_t)(p - record);
    }
    p = put_bytes(record, "PK\005\006", 4);
    p = put16(put16(p, 0), 0); /* disks */
    p = put16(put16(p, (unsigned)a->count), (unsigned)a->count);
    p = put32(p, (uint32_t)(a->at - start));
    p = put32(p, (uint32_t)start);
    put16(p, 0); /* comment */
    return put_at(a, a->at, record, END_LEN, f);
}

int archive_finish(struct archive *a, struct fault *f)
{
    int rc = put_directory(a, f), fd = a->fd;

    if (rc != 0)
        return rc;
    /* An attempt to compress may have left bytes behind the end. */
    if (ftruncate(fd, (off_t)(a->at + END_LEN)) != 0 || fsync(fd) != 0)
        return io_fault(a, f);
    /* Network file systems report a failed write no earlier than here. */
    a->fd = -1;
    if (close(fd) != 0)
        return io_fault(a, f);
    rc = os_file_rename_new(a->temp, a->path, f);
    if (rc == 0)
        a->temp[0] = '\0';
    return rc;
}
