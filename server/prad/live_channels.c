/*
 * Open channels of a session, for administrators. Channels belong to the workers of the session's
 * connections and to nobody else, so the keeper asks those by mail and waits for a moment. A question
 * is shared by whoever asks and by each worker, and freed by the last of them: a worker that answers
 * too late answers nobody.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/os.h"
#include "common/timefmt.h"
#include "server/prad/channel.h"
#include "server/prad/live_internal.h"
#include "server/prad/tunnel.h"
#include "server/prad/worker.h"

#define ANSWER_MS    1000
#define CHANNELS_MAX 200 /* in one answer */

/* A channel's name: its connection, when it was asked for, and the client's own number. Who uses a
   number twice in one millisecond has these two closed together. */
struct channel_name {
    uint64_t connection, asked_ms;
    uint32_t origin_port;
};
#define NAME_FORMAT "%" PRIu64 "-%" PRIu64 "-%" PRIu32
#define NAME_TEXT   64

struct question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    unsigned waiting;          /* workers that have not answered */
    unsigned holders;          /* who will let go of it */
    struct channel_name close; /* asked_ms 0: a list is wanted */
    json_t *channels;
    bool found;
};

static struct question *question_new(void)
{
    struct question *q = calloc(1, sizeof(*q));
    pthread_condattr_t attr;
    if (!q || !(q->channels = json_array())) {
        free(q);
        return NULL;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->answered, &attr);
    pthread_condattr_destroy(&attr);
    q->holders = 1;
    return q;
}

static void let_go(struct question *q)
{
    pthread_mutex_lock(&q->lock);
    bool last = --q->holders == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    json_decref(q->channels);
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- on the worker ---------------------------------------------------------------------------- */

static json_t *describe(const struct session *s, const struct channel *ch)
{
    char id[NAME_TEXT], since[TIMEFMT_MAX], address[46];
    int64_t age = (int64_t)(os_monotonic_ms() - ch->asked_ms) / 1000;
    snprintf(id, sizeof(id), NAME_FORMAT, s->entry.connection, ch->asked_ms, ch->origin_port);
    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I, s:I}", "id", id, "rule",
                     (json_int_t)ch->rule, "name", channel_rule_name(ch), "target", ch->target,
                     "address", addr_format_ip(&ch->ip, address), "since",
                     timefmt_rfc3339(os_time_now() - age, since), "bytes_in",
                     (json_int_t)ch->bytes_in, "bytes_out", (json_int_t)ch->bytes_out);
}

static json_t *list_channels(const struct session *s)
{
    json_t *list = json_array();
    for (struct channel *ch = s->channels; ch; ch = ch->next)
        if (ch->state == CHANNEL_OPEN && !ch->cut && json_array_size(list) < CHANNELS_MAX)
            json_array_append_new(list, describe(s, ch));
    return list;
}

static bool close_channel(struct session *s, const struct channel_name *name)
{
    bool found = false;
    for (struct channel *ch = s->channels; ch; ch = ch->next) {
        if (ch->asked_ms != name->asked_ms || ch->origin_port != name->origin_port ||
            ch->state != CHANNEL_OPEN || ch->cut)
            continue;
        channel_close_by_admin(ch);
        found = true;
    }
    return found;
}

/* Works without the question's lock: what it calls takes locks of its own. */
static void on_question(struct session *s, void *arg)
{
    struct question *q = arg;
    bool list = q->close.asked_ms == 0;
    json_t *channels = s && list ? list_channels(s) : NULL;
    bool found = s && !list && close_channel(s, &q->close);
    pthread_mutex_lock(&q->lock);
    if (channels)
        json_array_extend(q->channels, channels);
    q->found = q->found || found;
    q->waiting--;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
    json_decref(channels);
    let_go(q);
}

/* ---- on the keeper ----------------------------------------------------------------------------- */

static int post(struct question *q, const struct live_entry *e)
{
    if (q->close.asked_ms != 0 && e->connection != q->close.connection)
        return 0;
    pthread_mutex_lock(&q->lock);
    q->waiting++;
    q->holders++;
    pthread_mutex_unlock(&q->lock);
    int rc = worker_with_session(e->worker, e->connection, on_question, q);
    if (rc != 0) {
        pthread_mutex_lock(&q->lock);
        q->waiting--;
        q->holders--; /* not the last one: the keeper holds it, too */
        pthread_mutex_unlock(&q->lock);
    }
    return rc;
}

static int ask_workers(struct live *l, const char *session, struct question *q)
{
    int rc = PRA_ENOENT;
    pthread_mutex_lock(&l->lock);
    struct live_entry *e = l->head;
    while (e && (e->secondary || e->unsaid || strcmp(e->id, session) != 0))
        e = e->next;
    if (e)
        rc = post(q, e);
    for (struct live_entry *m = e ? e->members : NULL; m && rc == 0; m = m->member_next)
        rc = post(q, m);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

/* Waits for the answers; true if all came. The lock of `q` is held. */
static bool wait_for(struct question *q)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += ANSWER_MS / 1000;
    while (q->waiting > 0)
        if (pthread_cond_timedwait(&q->answered, &q->lock, &end) != 0)
            return false;
    return true;
}

int live_channels(struct live *l, const char *session, json_t **out)
{
    struct question *q = question_new();
    if (!q)
        return PRA_ENOMEM;
    int rc = ask_workers(l, session, q);
    if (rc == 0) {
        pthread_mutex_lock(&q->lock);
        rc = wait_for(q) || json_array_size(q->channels) > 0 ? 0 : PRA_EBUSY;
        if (rc == 0 && !(*out = json_deep_copy(q->channels)))
            rc = PRA_ENOMEM;
        pthread_mutex_unlock(&q->lock);
    }
    let_go(q);
    return rc;
}

/* Reads one number of a channel's name and what has to follow it. */
static bool take_number(const char **text, uint64_t max, char end, uint64_t *out)
{
    char *stop;
    errno = 0;
    unsigned long long n = strtoull(*text, &stop, 10);
    if (errno != 0 || stop == *text || **text < '0' || **text > '9' || n > max || *stop != end)
        return false;
    *out = n;
    *text = stop + 1;
    return true;
}

static bool parse_name(const char *text, struct channel_name *out)
{
    uint64_t port;
    if (!take_number(&text, UINT64_MAX, '-', &out->connection) ||
        !take_number(&text, UINT64_MAX, '-', &out->asked_ms) ||
        !take_number(&text, UINT32_MAX, '\0', &port))
        return false;
    out->origin_port = (uint32_t)port;
    return out->asked_ms != 0;
}

int live_channel_close(struct live *l, const char *session, const char *channel)
{
    struct channel_name name;
    if (!parse_name(channel, &name))
        return PRA_ENOENT;
    struct question *q = question_new();
    if (!q)
        return PRA_ENOMEM;
    q->close = name;
    int rc = ask_workers(l, session, q);
    if (rc == 0) {
        pthread_mutex_lock(&q->lock);
        bool all = wait_for(q);
        rc = q->found ? 0 : all ? PRA_ENOENT : PRA_EBUSY;
        pthread_mutex_unlock(&q->lock);
    }
    let_go(q);
    return rc;
}
