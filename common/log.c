/*
 * The operator's log. Any thread may write: a line is built on the caller's stack and leaves in
 * one write(2), which O_APPEND keeps whole. Reopening puts the new file under the same descriptor
 * number, so that writers need no lock. log_open() belongs to start-up, before there are threads.
 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/os.h"
#include "common/timefmt.h"
#include "common/utf8.h"

static atomic_int log_fd = STDERR_FILENO;
static atomic_int log_min = LOG_INFO;
static char log_path[OS_PATH_MAX]; /* "" = stderr; written by log_open() only */

static const char *const level_words[] = {"debug", "info", "warn", "error"};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

int log_open(const char *path, enum log_level min, struct fault *f)
{
    int fd = STDERR_FILENO;
    int old;

    if (path && strlen(path) >= sizeof(log_path))
        return fault_set(f, PRA_EIO, "the path of the log is longer than %zu bytes",
                         sizeof(log_path) - 1);
    if (path) {
        fd = open_file(path);
        if (fd < 0)
            return fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    }
    snprintf(log_path, sizeof(log_path), "%s", path ? path : "");
    old = atomic_exchange(&log_fd, fd);
    if (old != STDERR_FILENO)
        close(old);
    log_set_level(min);
    return 0;
}

int log_reopen(void)
{
    int fd;
    int rc;

    if (log_path[0] == '\0')
        return 0;
    fd = open_file(log_path);
    if (fd < 0)
        return PRA_EIO;
    rc = dup3(fd, atomic_load(&log_fd), O_CLOEXEC);
    close(fd);
    return rc < 0 ? PRA_EIO : 0;
}

void log_set_level(enum log_level min)
{
    atomic_store(&log_min, (int)min);
}

int log_parse_level(const char *word, enum log_level *out)
{
    for (size_t i = 0; i < sizeof(level_words) / sizeof(level_words[0]); i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return PRA_EINVAL;
}

/* Writes all of it; a log that cannot be written has nowhere to say so. */
static void write_line(const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(atomic_load(&log_fd), line, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        line += n;
        len -= (size_t)n;
    }
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    static const char cut[] = "...";
    const size_t room = LOG_LINE_MAX - 1; /* what fits in front of the newline */
    char line[LOG_LINE_MAX + 1];
    char when[TIMEFMT_MAX];
    int saved = errno; /* callers log between a failure and its report */
    va_list ap;
    int n;
    size_t len;

    if ((int)level < atomic_load(&log_min))
        return;
    n = snprintf(line, sizeof(line), "%s %s %s%s", timefmt_rfc3339_ms(os_time_now_ms(), when),
                 level_words[level], event, fmt[0] != '\0' ? " " : "");
    len = n < 0 ? 0 : (size_t)n;
    if (len < room) {
        va_start(ap, fmt);
        n = vsnprintf(line + len, sizeof(line) - len, fmt, ap);
        va_end(ap);
        len += n < 0 ? 0 : (size_t)n;
    }
    if (len > room) {
        len = utf8_trim(line, room - (sizeof(cut) - 1));
        memcpy(line + len, cut, sizeof(cut) - 1);
        len += sizeof(cut) - 1;
    }
    line[len++] = '\n';
    write_line(line, len);
    errno = saved;
}

const char *log_escape(char *dst, size_t cap, const char *src, size_t len)
{
    bool quote = len == 0 || memchr(src, ' ', len) != NULL;
    size_t tail = quote ? 2 : 1; /* closing quote and NUL */
    size_t at = 0;

    if (cap == 0)
        return dst;
    dst[0] = '\0';
    if (cap < 4)
        return dst;
    if (quote)
        dst[at++] = '"';
    while (len > 0) {
        char piece[UTF8_SAFE_MAX];
        size_t used;
        size_t n = utf8_take_safe(src, len, "\"\\", piece, &used);

        if (at + n + tail > cap)
            break;
        memcpy(dst + at, piece, n);
        at += n;
        src += used;
        len -= used;
    }
    if (quote)
        dst[at++] = '"';
    dst[at] = '\0';
    return dst;
}
