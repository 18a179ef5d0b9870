/*
 * Preloaded into a program under test: its wall clock is wrong by CLOCK_SHIFT seconds, or by as many
 * as the file CLOCK_SHIFT_FILE says, which may change meanwhile. The monotonic clock is left alone, as
 * it is on a PC whose date was set wrong.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void)
{
    const char *text = getenv("CLOCK_SHIFT"), *path = getenv("CLOCK_SHIFT_FILE");
    char read_text[32] = "";
    int fd;

    if (path != NULL && (fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
        if (read(fd, read_text, sizeof(read_text) - 1) > 0)
            text = read_text;
        close(fd);
    }
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    int rc;

    if (real == NULL)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    rc = real(clock, ts);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ts->tv_sec += shift();
    return rc;
}

time_t time(time_t *out)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (out != NULL)
        *out = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
