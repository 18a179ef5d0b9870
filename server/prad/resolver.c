/* The pool of resolving threads; see resolver.h. `lock` guards the queue and `stop`. */
#include "server/prad/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lookup {
    struct mail mail; /* first: also the link of the waiting queue */
    char name[ADDR_HOST_MAX];
    struct mailbox *reply;
    struct lookup_result result;
    /* Only the asker's thread reads or writes these. */
    lookup_done_fn done;
    void *ctx;
};

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct lookup *head, *tail;
    size_t waiting;
    bool stop;
    unsigned threads;
    pthread_t thread[RESOLVER_THREADS];
};

static void add_address(struct lookup_result *r, const struct sockaddr *sa)
{
    struct addr_ip raw;
    uint16_t port;
    if (addr_from_sockaddr(sa, &raw, &port) != 0 || r->count == RESOLVER_ADDR_MAX)
        return;
    for (size_t i = 0; i < r->count; i++)
        if (addr_ip_equal(&r->ip[i], &raw))
            return;
    r->ip[r->count++] = raw;
}

/*
 * A name from a client must not be read as an address by the resolver ("0177.1"), so addr_parse_host()
 * has refused those; what getaddrinfo() gives is checked by policy address by address.
 */
static void resolve(struct lookup *l)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    l->result = (struct lookup_result){.error = getaddrinfo(l->name, NULL, &hints, &list)};
    if (l->result.error != 0)
        return;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        add_address(&l->result, a->ai_addr);
    freeaddrinfo(list);
    if (l->result.count == 0)
        l->result.error = EAI_NONAME;
}

static void *resolver_main(void *arg)
{
    struct resolver *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->head && !r->stop)
            pthread_cond_wait(&r->filled, &r->lock);
        if (r->stop)
            break;
        struct lookup *l = r->head;
        r->head = (struct lookup *)l->mail.next;
        r->waiting--;
        pthread_mutex_unlock(&r->lock);
        resolve(l);
        mailbox_post(l->reply, &l->mail);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void deliver(struct mail *m, void *owner)
{
    struct lookup *l = (struct lookup *)m;
    if (owner && l->done)
        l->done(l->ctx, &l->result);
    free(l);
}

int resolver_new(struct resolver **out)
{
    struct resolver *r = calloc(1, sizeof(*r));
    if (!r)
        return PRA_ENOMEM;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, NULL);
    while (r->threads < RESOLVER_THREADS &&
           pthread_create(&r->thread[r->threads], NULL, resolver_main, r) == 0)
        r->threads++;
    if (r->threads == 0) {
        resolver_stop(r);
        return PRA_ENOMEM;
    }
    *out = r;
    return 0;
}

bool resolver_stop(struct resolver *r)
{
    struct timespec until;
    bool ended = true;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->filled);
    while (r->head) {
        struct lookup *l = r->head;
        r->head = (struct lookup *)l->mail.next;
        free(l);
    }
    r->waiting = 0;
    pthread_mutex_unlock(&r->lock);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += RESOLVER_STOP_S;
    for (unsigned i = 0; i < r->threads; i++)
        ended &= pthread_timedjoin_np(r->thread[i], NULL, &until) == 0;
    if (!ended)
        return false;
    pthread_cond_destroy(&r->filled);
    pthread_mutex_destroy(&r->lock);
    free(r);
    return true;
}

int resolver_start(struct resolver *r, const char *name, struct mailbox *reply, lookup_done_fn done,
                   void *ctx, struct lookup **out)
{
    struct lookup *l = calloc(1, sizeof(*l));
    if (!l)
        return PRA_ENOMEM;
    memcpy(l->name, name, strnlen(name, sizeof(l->name) - 1));
    l->mail.deliver = deliver;
    l->reply = reply;
    l->done = done;
    l->ctx = ctx;

    pthread_mutex_lock(&r->lock);
    bool full = r->waiting >= RESOLVER_QUEUE_MAX;
    if (!full) {
        if (r->head)
            r->tail->mail.next = &l->mail;
        else
            r->head = l;
        r->tail = l;
        r->waiting++;
        pthread_cond_signal(&r->filled);
    }
    pthread_mutex_unlock(&r->lock);
    if (full) {
        free(l);
        return PRA_EFULL;
    }
    *out = l;
    return 0;
}

void lookup_cancel(struct lookup *l)
{
    if (l)
        l->done = NULL;
}

const char *resolver_error_text(int error)
{
    switch (error) {
    case EAI_NONAME:
        return "the name is not known";
    case EAI_AGAIN:
        return "the name server does not answer";
    default:
        return "the name cannot be resolved";
    }
}
