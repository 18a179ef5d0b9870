/* The pool of resolving threads; see resolver.h. `lock` guards the queue and `stop`. */
#include "server/prad/resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct lookup {
    struct mail mail; /* first: also the link of the waiting queue */
    char name[ADDR_HOST_MAX];
    char user[POLICY_NAME_MAX + 1];
    struct mailbox *reply;
    struct lookup_result result;
    atomic_bool cancelled; /* set by the asker's thread */
    /* Only the asker's thread reads these. */
    lookup_done_fn done;
    void *ctx;
};

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct lookup *head, *tail;               /* waiting, in the order of their asking */
    struct lookup *running[RESOLVER_THREADS]; /* NULL = a thread that waits */
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
    if (atomic_load(&l->cancelled))
        return;
    l->result = (struct lookup_result){.error = getaddrinfo(l->name, NULL, &hints, &list)};
    if (l->result.error != 0)
        return;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        add_address(&l->result, a->ai_addr);
    freeaddrinfo(list);
    if (l->result.count == 0)
        l->result.error = EAI_NONAME;
}

static bool may_run(const struct resolver *r, const struct lookup *l)
{
    unsigned running = 0;
    for (unsigned i = 0; i < RESOLVER_THREADS; i++)
        running += r->running[i] && strcmp(r->running[i]->user, l->user) == 0;
    return running < RESOLVER_USER_MAX;
}

/* The first lookup whose user has not got his share of threads already; NULL if there is none. */
static struct lookup *take_next(struct resolver *r)
{
    struct lookup *before = NULL, *l = r->head;
    while (l && !may_run(r, l)) {
        before = l;
        l = (struct lookup *)l->mail.next;
    }
    if (!l)
        return NULL;
    if (before)
        before->mail.next = l->mail.next;
    else
        r->head = (struct lookup *)l->mail.next;
    if (r->tail == l)
        r->tail = before;
    r->waiting--;
    return l;
}

/* A thread's place in `running`. There is one: a place for every thread. */
static struct lookup **free_place(struct resolver *r)
{
    unsigned i = 0;
    while (r->running[i])
        i++;
    return &r->running[i];
}

/* Who finishes a lookup looks at the queue again: what waited for its user's share is not lost. */
static void *resolver_main(void *arg)
{
    struct resolver *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        struct lookup *l = take_next(r);
        if (!l) {
            pthread_cond_wait(&r->filled, &r->lock);
            continue;
        }
        struct lookup **place = free_place(r);
        *place = l;
        pthread_mutex_unlock(&r->lock);
        resolve(l);
        pthread_mutex_lock(&r->lock);
        *place = NULL;
        mailbox_post(l->reply, &l->mail);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void deliver(struct mail *m, void *owner)
{
    struct lookup *l = (struct lookup *)m;
    if (owner && !atomic_load(&l->cancelled))
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

/* No room for another lookup of this user, or of anybody. */
static bool is_full(const struct resolver *r, const char *user)
{
    size_t own = 0;
    for (const struct lookup *l = r->head; l; l = (const struct lookup *)l->mail.next)
        own += strcmp(l->user, user) == 0;
    return own >= RESOLVER_QUEUE_USER_MAX || r->waiting >= RESOLVER_QUEUE_MAX;
}

int resolver_start(struct resolver *r, const char *user, const char *name, struct mailbox *reply,
                   lookup_done_fn done, void *ctx, struct lookup **out)
{
    struct lookup *l = calloc(1, sizeof(*l));
    if (!l)
        return PRA_ENOMEM;
    memcpy(l->name, name, strnlen(name, sizeof(l->name) - 1));
    memcpy(l->user, user, strnlen(user, sizeof(l->user) - 1));
    l->mail.deliver = deliver;
    l->reply = reply;
    l->done = done;
    l->ctx = ctx;

    pthread_mutex_lock(&r->lock);
    bool full = is_full(r, l->user);
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
        atomic_store(&l->cancelled, true);
}

size_t resolver_waiting(struct resolver *r)
{
    pthread_mutex_lock(&r->lock);
    size_t waiting = r->waiting;
    pthread_mutex_unlock(&r->lock);
    return waiting;
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
