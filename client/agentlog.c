/* The two logs of agentlog.h. */
#include "client/agentlog.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct agentlog {
    struct chainlog *system, *user;
    enum log_level min;
};

static const char *const level_words[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

int agentlog_open(const char *dir, const struct config *config, struct agentlog **out,
                  struct fault *f)
{
    struct agentlog *log = calloc(1, sizeof(*log));
    size_t size = (size_t)config->log_size;
    unsigned keep = (unsigned)config->log_keep;
    int rc;

    if (log == NULL)
        return PRA_ENOMEM;
    log->min = config->log_level;
    if ((rc = chainlog_open(dir, "System.log", size, keep, &log->system, f)) == 0 &&
        (rc = chainlog_open(dir, "User.log", size, keep, &log->user, f)) == 0) {
        *out = log;
        return 0;
    }
    agentlog_close(log);
    return rc;
}

void agentlog_close(struct agentlog *log)
{
    if (log == NULL)
        return;
    if (log->system != NULL)
        chainlog_close(log->system);
    if (log->user != NULL)
        chainlog_close(log->user);
    free(log);
}

void agentlog_set_level(struct agentlog *log, enum log_level min)
{
    log->min = min;
}

/* A line that cannot be written (disk full) is missing; the chain shows no gap, the next goes on. */
static void write_line(struct chainlog *to, enum log_level level, const char *fmt, va_list ap)
    FORMAT_PRINTF(3, 0);

static void write_line(struct chainlog *to, enum log_level level, const char *fmt, va_list ap)
{
    char text[CHAINLOG_LINE_MAX];

    (void)vsnprintf(text, sizeof(text), fmt, ap);
    (void)chainlog_write(to, level_words[level], "%s", text);
}

void agentlog_system(struct agentlog *log, enum log_level level, const char *fmt, ...)
{
    va_list ap;

    if (level < log->min)
        return;
    va_start(ap, fmt);
    write_line(log->system, level, fmt, ap);
    va_end(ap);
}

void agentlog_user(struct agentlog *log, enum log_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    write_line(log->user, level, fmt, ap);
    va_end(ap);
}

void agentlog_heads(const struct agentlog *log, struct chainlog_head *system,
                    struct chainlog_head *user)
{
    chainlog_get_head(log->system, system);
    chainlog_get_head(log->user, user);
}
