/* Worker threads; see worker.h. */
#include "server/prad/worker.h"

#include <event2/thread.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "server/prad/algorithms.h"
#include "server/prad/bounds.h"
#include "server/prad/session.h"

/* Of one turn of the loop, for each class that is not live. A key exchange takes about 150 us. */
#define RUN_SLICE_NS (300u * 1000)
/* After this much traffic a quiet moment is used to give freed memory back to the system. */
#define TRIM_AFTER (4u * 1024 * 1024)

/* How long an administrator's answer waits for workers to take a new policy; a turn of theirs takes
   milliseconds. */
#define TAKEN_MS 2000

/* ---- mail ---------------------------------------------------------------------------------- */

struct order {
    struct mail mail;
    struct arrival arrival;
    struct policy *policy;
    bool timed;
    struct settings *settings;
    uint64_t connection;
    void (*fn)(struct session *s, void *arg);
    void *arg;
    char id[AUDIT_SESSION_MAX];
    char why[AUDIT_TEXT_MAX]; /* uncut: what is cut inside a letter is no text for JSON */
};

static int post(struct worker *w, const struct order *what, void (*deliver)(struct mail *, void *))
{
    struct order *o = malloc(sizeof(*o));
    if (!o)
        return PRA_ENOMEM;
    *o = *what;
    o->mail.deliver = deliver;
    mailbox_post(&w->mailbox, &o->mail);
    return 0;
}

static void turn_back(const struct arrival *a)
{
    close(a->fd);
    startup_give(a->place);
}

static void on_adopt(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    if (w)
        session_new(w, &o->arrival);
    else
        turn_back(&o->arrival);
    free(o);
}

int worker_adopt(struct worker *w, const struct arrival *a)
{
    int rc = post(w, &(struct order){.arrival = *a}, on_adopt);
    if (rc != 0)
        turn_back(a);
    return rc;
}

static void note_taken(struct worker *w, uint64_t generation)
{
    pthread_mutex_lock(&w->taken_lock);
    w->taken = generation;
    pthread_cond_broadcast(&w->taken_changed);
    pthread_mutex_unlock(&w->taken_lock);
}

static bool takes_in_time(struct worker *w, uint64_t generation, const struct timespec *end)
{
    int rc = 0;
    pthread_mutex_lock(&w->taken_lock);
    while (w->taken < generation && rc == 0)
        rc = pthread_cond_timedwait(&w->taken_changed, &w->taken_lock, end);
    bool taken = w->taken >= generation;
    pthread_mutex_unlock(&w->taken_lock);
    return taken;
}

void workers_wait_policy(struct gateway *g, uint64_t generation)
{
    struct timespec end;
    os_cond_deadline(&end, TAKEN_MS);
    for (unsigned i = 0; i < g->worker_count; i++)
        if (!takes_in_time(g->worker[i], generation, &end))
            log_event(LOG_WARN, "policy-late", "worker=%u", i);
}

static void on_policy(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    if (w) {
        w->policy_before = w->policy;
        w->policy = o->policy;
        note_taken(w, policy_generation(o->policy)); /* sessions hear of it before anything else */
        for (struct session *s = w->sessions; s; s = s->next)
            session_recheck(s, o->timed);
        policy_unref(w->policy_before);
        w->policy_before = NULL;
    } else {
        policy_unref(o->policy);
    }
    free(o);
}

int worker_set_policy(struct worker *w, struct policy *p, bool timed)
{
    int rc = post(w, &(struct order){.policy = p, .timed = timed}, on_policy);
    if (rc != 0)
        policy_unref(p);
    return rc;
}

static void on_settings(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    if (w) {
        settings_unref(w->settings);
        w->settings = o->settings;
        for (struct session *s = w->sessions; s; s = s->next)
            bounds_refresh(s);
    } else {
        settings_unref(o->settings);
    }
    free(o);
}

int worker_set_settings(struct worker *w, struct settings *s)
{
    int rc = post(w, &(struct order){.settings = s}, on_settings);
    if (rc != 0)
        settings_unref(s);
    return rc;
}

static void on_kill(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    for (struct session *s = w ? w->sessions : NULL; s; s = s->next) {
        if (!s->entry.secondary && strcmp(s->entry.id, o->id) == 0) {
            session_kill(s, o->why);
            break;
        }
    }
    free(o);
}

static void on_end_connection(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    for (struct session *s = w ? w->sessions : NULL; s; s = s->next)
        if (s->entry.connection == o->connection)
            session_obey_primary(s);
    free(o);
}

int worker_end_connection(struct worker *w, uint64_t connection)
{
    return post(w, &(struct order){.connection = connection}, on_end_connection);
}

static void on_with_session(struct mail *m, void *owner)
{
    struct order *o = (struct order *)m;
    struct worker *w = owner;
    struct session *s = w ? w->sessions : NULL;
    while (s && s->entry.connection != o->connection)
        s = s->next;
    o->fn(s, o->arg);
    free(o);
}

int worker_with_session(struct worker *w, uint64_t connection,
                        void (*fn)(struct session *s, void *arg), void *arg)
{
    return post(w, &(struct order){.connection = connection, .fn = fn, .arg = arg},
                on_with_session);
}

int worker_kill_session(struct worker *w, const char *id, const char *why)
{
    struct order o = {0};
    snprintf(o.id, sizeof(o.id), "%s", id);
    snprintf(o.why, sizeof(o.why), "%s", why ? why : "");
    return post(w, &o, on_kill);
}

static void on_drain(struct mail *m, void *owner)
{
    struct worker *w = owner;
    if (w) {
        w->draining = true;
        for (struct session *s = w->sessions; s; s = s->next)
            session_drain(s);
    }
    free(m);
}

int worker_drain(struct worker *w)
{
    return post(w, &(struct order){0}, on_drain);
}

static void on_stop(struct mail *m, void *owner)
{
    struct worker *w = owner;
    if (w) {
        w->stopping = true;
        event_base_loopbreak(w->base);
    }
    free(m);
}

/* ---- loop ---------------------------------------------------------------------------------- */

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec
                                         : 0;
}

/* What is activated while it runs would run again before the loop looks at its sockets; a timer does
   not. */
static void schedule_run(struct worker *w)
{
    const struct timeval at_once = {0};
    if (!w->running || event_add(w->run_event, &at_once) != 0)
        event_active(w->run_event, EV_TIMEOUT, 0);
}

void worker_wake(struct worker *w, struct session *s)
{
    if (s->in_run_queue || s->phase == SESSION_DEAD)
        return;
    struct run_queue *q = &w->run[session_run_class(s)];
    s->in_run_queue = true;
    s->run_next = NULL;
    if (q->head)
        q->tail->run_next = s;
    else
        q->head = s;
    q->tail = s;
    schedule_run(w);
}

void worker_bury(struct worker *w, struct session *s)
{
    if (s->prev)
        s->prev->next = s->next;
    else
        w->sessions = s->next;
    if (s->next)
        s->next->prev = s->prev;
    s->prev = NULL;
    s->next = w->dead;
    w->dead = s;
    schedule_run(w);
}

/* Serves a queue as it is, or until `end` has come; one session at least. */
static void serve(struct run_queue *q, uint64_t end)
{
    struct session *last = q->tail;
    bool more = q->head != NULL;
    while (more) {
        struct session *s = q->head;
        more = s != last;
        q->head = s->run_next;
        s->in_run_queue = false;
        if (s->phase != SESSION_DEAD)
            session_step(s);
        more = more && read_clock(CLOCK_MONOTONIC) < end;
    }
}

static void free_dead(struct worker *w)
{
    struct session **at = &w->dead;
    while (*at) {
        struct session *s = *at;
        if (s->in_run_queue) { /* woken before it died: its link is still in use */
            at = &s->next;
            continue;
        }
        *at = s->next;
        session_free(s);
    }
}

static bool has_work(const struct worker *w)
{
    for (unsigned i = 0; i < RUN_CLASSES; i++)
        if (w->run[i].head)
            return true;
    return w->dead != NULL;
}

/* Runs behind the events of this turn: first the sessions that have work, then the dead. A
   session that wakes another (or itself) is served in the next turn, so that sockets get theirs. */
static void on_run(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct worker *w = arg;
    w->running = true;
    serve(&w->run[RUN_LIVE], UINT64_MAX);
    for (unsigned i = RUN_LIVE + 1; i < RUN_CLASSES; i++)
        serve(&w->run[i], read_clock(CLOCK_MONOTONIC) + RUN_SLICE_NS);
    free_dead(w);
    if (has_work(w))
        schedule_run(w);
    w->running = false;
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct worker *w = arg;
    mailbox_deliver(&w->mailbox, w);
}

/* How much of the time since the last look this thread was at work. */
static void measure_load(struct worker *w)
{
    uint64_t cpu = read_clock(CLOCK_THREAD_CPUTIME_ID), now = read_clock(CLOCK_MONOTONIC);
    uint64_t used = cpu - w->cpu_ns, passed = now - w->measured_ns;
    if (w->measured_ns != 0 && passed > 0)
        atomic_store(&w->busy, used >= passed ? 1000u : (unsigned)(used * 1000 / passed));
    atomic_store(&w->fresh, 0); /* what came is in `busy` now */
    w->cpu_ns = cpu;
    w->measured_ns = now;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct worker *w = arg;
    uint64_t now = os_monotonic_ms();
    atomic_store(&w->alive_ms, now);
    measure_load(w);
    for (struct session *s = w->sessions, *next; s; s = next) {
        next = s->next;
        session_tick(s, now);
    }
    if (w->moved > TRIM_AFTER) {
        w->moved = 0;
        malloc_trim(0);
    }
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    event_base_dispatch(w->base);
    while (w->sessions)
        session_end(w->sessions, "gateway-stop", "the gateway stops");
    while (has_work(w))
        on_run(-1, 0, w);
    note_taken(w, UINT64_MAX);
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static int set_up_loop(struct worker *w)
{
    struct timeval second = {.tv_sec = 1};
    w->base = event_base_new();
    if (!w->base)
        return PRA_ENOMEM;
    w->mail_event = event_new(w->base, mailbox_fd(&w->mailbox), EV_READ | EV_PERSIST, on_mail, w);
    w->tick_event = event_new(w->base, -1, EV_PERSIST, on_tick, w);
    atomic_store(&w->alive_ms, os_monotonic_ms());
    w->run_event = event_new(w->base, -1, 0, on_run, w);
    if (!w->mail_event || !w->tick_event || !w->run_event || event_add(w->mail_event, NULL) != 0 ||
        event_add(w->tick_event, &second) != 0)
        return PRA_ENOMEM;
    return 0;
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    if (w->mail_event)
        event_free(w->mail_event);
    if (w->tick_event)
        event_free(w->tick_event);
    if (w->run_event)
        event_free(w->run_event);
    if (event_initialized(&w->charge_event))
        event_del(&w->charge_event);
    if (w->base)
        event_base_free(w->base);
    ssh_bind_free(w->bind);
    pthread_cond_destroy(&w->taken_changed);
    pthread_mutex_destroy(&w->taken_lock);
    free(w);
}

int worker_start(struct gateway *g, struct settings *s, struct policy *p, struct worker **out,
                 struct fault *f)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w || mailbox_init(&w->mailbox) != 0) {
        free(w);
        return fault_set(f, PRA_ENOMEM, "worker: out of memory or descriptors");
    }
    w->gateway = g;
    w->taken = policy_generation(p);
    pthread_mutex_init(&w->taken_lock, NULL);
    os_cond_init(&w->taken_changed);
    int rc = set_up_loop(w);
    if (rc != 0)
        fault_set(f, rc, "worker: event loop cannot be made");
    if (rc == 0)
        rc = algorithms_bind(g->host_key, &w->bind, f);
    if (rc == 0) {
        w->settings = s;
        w->policy = p;
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            rc = fault_set(f, PRA_EIO, "worker: thread cannot be started");
    }
    if (rc != 0) {
        mailbox_close(&w->mailbox);
        worker_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void worker_stop(struct worker *w)
{
    if (post(w, &(struct order){0}, on_stop) != 0)
        event_base_loopbreak(w->base); /* evthread makes this safe from here */
    pthread_join(w->thread, NULL);
    mailbox_close(&w->mailbox);
    policy_unref(w->policy);
    settings_unref(w->settings);
}
