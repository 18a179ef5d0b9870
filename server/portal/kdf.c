/*
 * Proofs of passwords, made by two threads beside the loop. What the threads touch is the queue,
 * under its lock; an eventfd tells the loop that something is done.
 */
#include "server/portal/portal.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/crypto.h"

struct job {
    struct job *next;
    struct addr_ip source;
    char password[PASSWORD_MAX + 1];
    uint8_t salt[PASSWORD_SALT_LEN];
    uint8_t proof[PASSWORD_PROOF_LEN];
    bool good;
    kdf_done done;
    void *arg;
};

struct kdf {
    pthread_mutex_t lock; /* guards the two lists and stop */
    pthread_cond_t more;
    struct job *waiting, *finished;
    bool stop;
    pthread_t threads[KDF_THREADS];
    unsigned running;
    int fd; /* eventfd, from the threads to the loop */
    struct event *event;
    struct job *all[KDF_QUEUE_MAX]; /* the loop's: what is under way */
};

static void job_free(struct job *j)
{
    crypto_wipe(j, sizeof(*j));
    free(j);
}

static void *work(void *arg)
{
    struct kdf *k = arg;

    pthread_mutex_lock(&k->lock);
    while (!k->stop) {
        struct job *j = k->waiting;
        uint64_t one = 1;

        if (j == NULL) {
            pthread_cond_wait(&k->more, &k->lock);
            continue;
        }
        k->waiting = j->next;
        pthread_mutex_unlock(&k->lock);
        j->good = password_proof(j->password, j->salt, j->proof) == 0;
        pthread_mutex_lock(&k->lock);
        j->next = k->finished;
        k->finished = j;
        while (write(k->fd, &one, sizeof(one)) < 0 && errno == EINTR)
            ;
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
    struct kdf *k = arg;
    struct job *list;
    uint64_t count;

    (void)what;
    if (read((int)fd, &count, sizeof(count)) < 0)
        return;
    pthread_mutex_lock(&k->lock);
    list = k->finished;
    k->finished = NULL;
    pthread_mutex_unlock(&k->lock);
    while (list != NULL) {
        struct job *j = list;

        list = j->next;
        for (size_t i = 0; i < KDF_QUEUE_MAX; i++) {
            if (k->all[i] == j)
                k->all[i] = NULL;
        }
        j->done(j->good ? j->proof : NULL, j->arg);
        job_free(j);
    }
}

int kdf_new(struct event_base *base, struct kdf **out)
{
    struct kdf *k = calloc(1, sizeof(*k));

    if (k == NULL)
        return PRA_ENOMEM;
    k->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->more, NULL);
    k->event = k->fd < 0 ? NULL : event_new(base, k->fd, EV_READ | EV_PERSIST, on_finished, k);
    if (k->event == NULL || event_add(k->event, NULL) != 0) {
        kdf_free(k);
        return PRA_ENOMEM;
    }
    while (k->running < KDF_THREADS && pthread_create(&k->threads[k->running], NULL, work, k) == 0)
        k->running++;
    if (k->running == 0) {
        kdf_free(k);
        return PRA_ENOMEM;
    }
    *out = k;
    return 0;
}

void kdf_free(struct kdf *k)
{
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_cond_broadcast(&k->more);
    pthread_mutex_unlock(&k->lock);
    for (unsigned i = 0; i < k->running; i++)
        pthread_join(k->threads[i], NULL);
    for (size_t i = 0; i < KDF_QUEUE_MAX; i++) {
        if (k->all[i] != NULL) {
            k->all[i]->done(NULL, k->all[i]->arg);
            job_free(k->all[i]);
        }
    }
    if (k->event != NULL)
        event_free(k->event);
    if (k->fd >= 0)
        close(k->fd);
    pthread_cond_destroy(&k->more);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

int kdf_prove(struct kdf *k, const char *source, const char *password,
              const uint8_t salt[PASSWORD_SALT_LEN], kdf_done done, void *arg)
{
    size_t place = KDF_QUEUE_MAX, of_source = 0;
    struct addr_ip ip = {0};
    struct job *j, **end;

    if (addr_parse_ip(source, strlen(source), &ip) != 0)
        ip = (struct addr_ip){0}; /* all of those are one source */
    for (size_t i = 0; i < KDF_QUEUE_MAX; i++) {
        if (k->all[i] == NULL)
            place = i;
        else if (http_same_source(&k->all[i]->source, &ip))
            of_source++;
    }
    if (place == KDF_QUEUE_MAX || of_source >= KDF_OF_SOURCE_MAX || strlen(password) > PASSWORD_MAX)
        return PRA_EBUSY;
    j = calloc(1, sizeof(*j));
    if (j == NULL)
        return PRA_ENOMEM;
    j->source = ip;
    snprintf(j->password, sizeof(j->password), "%s", password);
    memcpy(j->salt, salt, sizeof(j->salt));
    j->done = done;
    j->arg = arg;
    k->all[place] = j;
    pthread_mutex_lock(&k->lock);
    for (end = &k->waiting; *end != NULL; end = &(*end)->next)
        ;
    *end = j;
    pthread_cond_signal(&k->more);
    pthread_mutex_unlock(&k->lock);
    return 0;
}
