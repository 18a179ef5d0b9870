/*
 * kdf_progress.h. The thread made by start() owns the terminal's line until stop() joins it; `done`
 * is guarded by `lock`, everything else is set before the thread begins.
 */
#include "client/kdf_progress.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "client/cli_text.h"
#include "common/crypto.h"
#include "common/i18n.h"
#include "common/os.h"
#include "keys/keyfile.h"

#define REFRESH_MS 100
/* The sample costs 1/32 of the whole and needs 4 MiB. */
#define SAMPLE_LOG2_N (KEYFILE_LOG2_N - 5)
#define BAR_CELLS     20

struct kdf_progress {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    const char *what;
    uint64_t begun;
    uint64_t forecast; /* milliseconds */
};

uint64_t kdf_forecast_ms(void)
{
    const uint8_t salt[16] = {0};
    uint8_t out[CRYPTO_KEY_LEN];
    struct timespec before;
    struct timespec after;
    int64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &before);
    if (crypto_scrypt("sample", 6, salt, sizeof(salt), SAMPLE_LOG2_N, 8, 1, out, sizeof(out)) !=
        0) {
        return 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    ns = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
    return (uint64_t)(ns << (KEYFILE_LOG2_N - SAMPLE_LOG2_N)) / 1000000;
}

static void draw(const struct kdf_progress *p)
{
    uint64_t passed = os_monotonic_ms() - p->begun;
    uint64_t whole = p->forecast > 0 ? p->forecast : 1;
    size_t full = passed < whole ? (size_t)(passed * BAR_CELLS / whole) : BAR_CELLS;
    char bar[BAR_CELLS + 1];

    for (size_t i = 0; i < BAR_CELLS; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, tr("\r%s [%s] %.1f s of about %.1f s ", "\r%s [%s] %.1f 秒 (約 %.1f 秒) "),
            p->what, bar, (double)passed / 1000.0, (double)p->forecast / 1000.0);
}

static void *run(void *arg)
{
    struct kdf_progress *p = arg;

    pthread_mutex_lock(&p->lock);
    while (!p->done) {
        struct timespec until;

        draw(p);
        os_cond_deadline(&until, REFRESH_MS);
        pthread_cond_timedwait(&p->changed, &p->lock, &until);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Blanks over the line, since not every terminal knows how to erase one. */
static void clear_line(const struct kdf_progress *p)
{
    size_t width = text_width(p->what) + BAR_CELLS + 40;

    fputc('\r', stderr);
    for (size_t i = 0; i < width; i++) {
        fputc(' ', stderr);
    }
    fputc('\r', stderr);
}

struct kdf_progress *kdf_progress_start(const char *what)
{
    struct kdf_progress *p;

    if (isatty(STDERR_FILENO) != 1 || (p = calloc(1, sizeof(*p))) == NULL) {
        return NULL;
    }
    p->what = what;
    p->forecast = kdf_forecast_ms();
    p->begun = os_monotonic_ms();
    pthread_mutex_init(&p->lock, NULL);
    os_cond_init(&p->changed);
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        pthread_cond_destroy(&p->changed);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return NULL;
    }
    return p;
}

void kdf_progress_stop(struct kdf_progress *p)
{
    if (p == NULL) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->done = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    clear_line(p);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
