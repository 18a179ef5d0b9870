/* Writes chained logs: appends, rotates, and carries on after a restart or a power cut. */
#include "common/chainlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/chainlog_internal.h"
#include "common/format.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "common/utf8.h"

struct chainlog {
    char dir[OS_PATH_MAX];
    char name[256];
    int fd;      /* append-only, locked */
    size_t size; /* of the current file */
    bool torn;   /* behind `size` stands part of a line that could not be taken back yet */
    size_t max_size;
    unsigned keep;
    struct chainlog_head head;
};

/* Writes one line and moves the chain on; a line that did not get out whole is taken back. */
static int append(struct chainlog *log, const char *text, size_t len)
{
    char line[CHAINLOG_LINE_MAX + 1];
    char shown[CHAIN_SHOWN_HEX + 1];
    uint8_t hash[CRYPTO_SHA256_LEN];
    int tail;
    size_t total;
    ssize_t n;

    if (len > CHAIN_TEXT_MAX)
        return PRA_EIO;
    if (log->torn && ftruncate(log->fd, (off_t)log->size) != 0)
        return PRA_EIO;
    log->torn = false;
    if (chain_next(log->head.hash, text, len, hash) != 0)
        return PRA_EIO;
    crypto_hex_encode(hash, CHAIN_SHOWN_LEN, shown);
    memcpy(line, text, len);
    tail =
        snprintf(line + len, sizeof(line) - len, " #%" PRIu64 " %s\n", log->head.lines + 1, shown);
    total = len + (size_t)tail;
    do
        n = write(log->fd, line, total);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)total) {
        log->torn = n > 0 && ftruncate(log->fd, (off_t)log->size) != 0;
        return PRA_EIO;
    }
    log->size += total;
    log->head.lines++;
    memcpy(log->head.hash, hash, sizeof(hash));
    return 0;
}

/* One of our own lines: time, words, and what `fmt` says. */
static int append_own(struct chainlog *log, const char *words, const char *fmt, ...)
    FORMAT_PRINTF(3, 4);

static int append_own(struct chainlog *log, const char *words, const char *fmt, ...)
{
    char text[CHAIN_TEXT_MAX];
    char when[TIMEFMT_MAX];
    va_list ap;
    int n =
        snprintf(text, sizeof(text), "%s %s ", timefmt_rfc3339_ms(os_time_now_ms(), when), words);
    size_t len = (size_t)n;

    va_start(ap, fmt);
    n = vsnprintf(text + len, sizeof(text) - len, fmt, ap);
    va_end(ap);
    len += (size_t)n;
    return append(log, text, len < sizeof(text) ? len : sizeof(text) - 1);
}

static int append_start(struct chainlog *log)
{
    char hex[CHAIN_FULL_HEX + 1];

    crypto_hex_encode(log->head.hash, sizeof(log->head.hash), hex);
    /* The space in front of the tail ends the hash for the reader. */
    return append_own(log, CHAIN_WORD_START, "lines=%" PRIu64 " chain=%s", log->head.lines, hex);
}

/* Moves NAME to NAME.1, NAME.1 to NAME.2, ...; the oldest falls out. */
static int shift_files(const struct chainlog *log)
{
    char from[OS_PATH_MAX];
    char to[OS_PATH_MAX];
    struct stat st;

    /* Shifted already, when a rotation failed half-way: the current name is free. */
    if (chain_path(from, log->dir, log->name, 0) != 0 || stat(from, &st) != 0)
        return errno == ENOENT ? 0 : PRA_EIO;
    for (unsigned number = log->keep; number > 0; number--) {
        if (chain_path(from, log->dir, log->name, number - 1) != 0 ||
            chain_path(to, log->dir, log->name, number) != 0)
            return PRA_EIO;
        if (rename(from, to) != 0 && errno != ENOENT)
            return PRA_EIO;
    }
    return 0;
}

/* Begins a new file, which carries on the chain. On failure the old one stays in use. */
static int rotate(struct chainlog *log)
{
    char path[OS_PATH_MAX];
    size_t old_size = log->size;
    int old = log->fd;
    int fd;

    (void)fdatasync(old);
    if (shift_files(log) != 0 || chain_path(path, log->dir, log->name, 0) != 0)
        return PRA_EIO;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return PRA_EIO;
    log->fd = fd;
    log->size = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || append_start(log) != 0) {
        log->fd = old;
        log->size = old_size;
        unlink(path);
        close(fd);
        return PRA_EIO;
    }
    close(old);
    return 0;
}

/* Opens and locks the current file; rotation by another process may swap it under us. */
static int open_locked(const char *path, int *out, struct fault *f)
{
    for (int tries = 0; tries < 3; tries++) {
        struct stat by_fd;
        struct stat by_path;
        int fd =
            open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

        if (fd < 0)
            break;
        if (fstat(fd, &by_fd) != 0 || !S_ISREG(by_fd.st_mode)) {
            close(fd);
            return fault_set(f, PRA_EIO, "%s: is no regular file", path);
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            return fault_set(f, PRA_EBUSY, "%s: another process writes this log", path);
        }
        if (stat(path, &by_path) == 0 && by_fd.st_ino == by_path.st_ino &&
            by_fd.st_dev == by_path.st_dev) {
            *out = fd;
            return 0;
        }
        close(fd);
    }
    return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
}

/* Where the chain of the newest rotated file ends; all zero if there is none. */
static struct chainlog_head older_head(const struct chainlog *log)
{
    struct chain_walk w = {0};
    char path[OS_PATH_MAX];
    char *text;
    size_t len;

    if (chain_path(path, log->dir, log->name, 1) == 0 &&
        os_file_read(path, CHAIN_FILE_MAX, &text, &len, NULL) == 0) {
        /* Where it is damaged the chain goes on from its last good line; verifying tells. */
        (void)chain_walk_text(&w, path, text, len, NULL);
        free(text);
    }
    return w.head;
}

static int add_newline(struct chainlog *log)
{
    if (write(log->fd, "\n", 1) != 1)
        return PRA_EIO;
    log->size++;
    return 0;
}

/* Puts a newline behind the damaged end and says in the chain what stands there. */
static int mend_end(struct chainlog *log, const char *damaged, size_t len)
{
    char hex[CHAIN_SHOWN_HEX + 1];

    if (chain_digest_shown(damaged, len, hex) != 0 || add_newline(log) != 0)
        return PRA_EIO;
    return append_own(log, CHAIN_WORD_MEND,
                      "bytes=%zu sha256=%s the line above was cut, as by a power failure", len,
                      hex);
}

/* Damage that no power cut explains: the file is put aside as it is, for verifying to name. */
static int put_aside(struct chainlog *log, const char *why)
{
    int rc = rotate(log);

    return rc == 0 ? append_own(log, "error log-damaged", "%s", why) : rc;
}

/* Finds out where the chain of the current file stands and makes it fit to be carried on. */
static int resume(struct chainlog *log, const char *path)
{
    struct chain_walk w = {0};
    struct fault why = {0};
    char *text = NULL;
    size_t len = 0;
    int rc = 0;

    if (log->size > 0) {
        rc = os_file_read(path, CHAIN_FILE_MAX, &text, &len, &why);
        if (rc == 0)
            rc = chain_walk_text(&w, path, text, len, &why);
    }
    log->head = w.good > 0 ? w.head : older_head(log);
    if (rc == 0 && w.good > 0) {
        rc = w.no_newline ? add_newline(log) : 0;
    } else if (w.unfinished && w.good > 0) {
        rc = mend_end(log, text + w.good, len - w.good);
    } else if (rc != 0 && !(w.unfinished && len <= CHAINLOG_LINE_MAX)) {
        rc = put_aside(log, why.text);
    } else {
        /* Nothing, or less than the first line, which says nothing that we do not know. */
        rc = ftruncate(log->fd, 0) == 0 ? 0 : PRA_EIO;
        log->size = 0;
        if (rc == 0)
            rc = append_start(log);
    }
    free(text);
    return rc;
}

int chainlog_open(const char *dir, const char *name, size_t max_size, unsigned keep,
                  struct chainlog **out, struct fault *f)
{
    char path[OS_PATH_MAX];
    struct chainlog *log;
    struct stat st;
    int rc;

    if (chain_path(path, dir, name, 0) != 0 || strlen(name) >= sizeof(log->name))
        return fault_set(f, PRA_EIO, "%.64s...: the path is too long", dir);
    log = calloc(1, sizeof(*log));
    if (!log)
        return fault_set(f, PRA_EIO, "out of memory");
    snprintf(log->dir, sizeof(log->dir), "%s", dir);
    snprintf(log->name, sizeof(log->name), "%s", name);
    log->max_size = max_size < CHAIN_FILE_MAX / 2 ? max_size : CHAIN_FILE_MAX / 2;
    log->keep = keep < 1 ? 1 : keep > CHAIN_KEEP_MAX ? CHAIN_KEEP_MAX : keep;
    rc = open_locked(path, &log->fd, f);
    if (rc != 0) {
        free(log);
        return rc;
    }
    if (fstat(log->fd, &st) == 0 && st.st_size >= 0) {
        log->size = (size_t)st.st_size;
        rc = resume(log, path);
    } else {
        rc = PRA_EIO;
    }
    if (rc != 0) {
        fault_set(f, rc, "%s: the log cannot be carried on: %s", path, strerror(errno));
        chainlog_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

void chainlog_close(struct chainlog *log)
{
    if (!log)
        return;
    (void)fdatasync(log->fd);
    close(log->fd);
    free(log);
}

/* Copies text; what would break a line or disturb a terminal becomes \xNN. */
static size_t copy_safe(char *dst, size_t cap, const char *src)
{
    size_t len = strlen(src);
    size_t at = 0;

    while (len > 0) {
        char piece[UTF8_SAFE_MAX];
        size_t used;
        size_t n = utf8_take_safe(src, len, "", piece, &used);

        if (at + n > cap)
            break;
        memcpy(dst + at, piece, n);
        at += n;
        src += used;
        len -= used;
    }
    return at;
}

int chainlog_write(struct chainlog *log, const char *level, const char *fmt, ...)
{
    char raw[CHAIN_TEXT_MAX];
    char text[CHAIN_TEXT_MAX];
    char when[TIMEFMT_MAX];
    va_list ap;
    size_t len;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    if (n < 0)
        return PRA_EIO;
    if ((size_t)n >= sizeof(raw))
        raw[utf8_trim(raw, sizeof(raw) - 1)] = '\0';
    n = snprintf(text, sizeof(text), "%s %s ", timefmt_rfc3339_ms(os_time_now_ms(), when), level);
    if (n < 0 || (size_t)n >= sizeof(text))
        return PRA_EIO;
    len = (size_t)n + copy_safe(text + n, sizeof(text) - (size_t)n, raw);
    if (log->size + len + CHAIN_TAIL_MAX > log->max_size && rotate(log) != 0)
        return PRA_EIO;
    return append(log, text, len);
}

void chainlog_get_head(const struct chainlog *log, struct chainlog_head *out)
{
    /* What is told to the gateway must still be here after a power cut. */
    (void)fdatasync(log->fd);
    *out = log->head;
}
