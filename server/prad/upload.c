/* The desk and its clerk; see upload.h. */
#include "server/prad/upload.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/os.h"
#include "server/admin/admin.h"
#include "server/prad/gateway.h"
#include "server/prad/keeper.h"
#include "server/prad/worker.h"

#define SENDERS_MAX 256 /* users who are remembered; who sent longest ago makes room */
#define HOUR_MS     3600000u

struct sender {
    char user[POLICY_NAME_MAX + 1];
    uint64_t since_ms;
    unsigned count;
};

struct upload_desk {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct gateway *gateway;
    pthread_t clerk;
    bool running, stop;
    struct upload *head, *tail; /* for the clerk */
    unsigned under_way;
    struct sender sender[SENDERS_MAX];
    char folder[OS_PATH_MAX]; /* "" = nowhere to put anything */
};

/* ---- places -------------------------------------------------------------------------------- */

static struct sender *sender_of(struct upload_desk *d, const char *user, uint64_t now)
{
    struct sender *oldest = &d->sender[0];
    for (size_t i = 0; i < SENDERS_MAX; i++) {
        if (strcmp(d->sender[i].user, user) == 0) {
            if (now - d->sender[i].since_ms < HOUR_MS)
                return &d->sender[i];
            oldest = &d->sender[i];
            break;
        }
        if (d->sender[i].since_ms < oldest->since_ms)
            oldest = &d->sender[i];
    }
    *oldest = (struct sender){.since_ms = now};
    snprintf(oldest->user, sizeof(oldest->user), "%s", user);
    return oldest;
}

const char *upload_enter(struct upload_desk *d, const char *user)
{
    const char *refusal = NULL;
    pthread_mutex_lock(&d->lock);
    struct sender *s = sender_of(d, user, os_monotonic_ms());
    if (d->folder[0] == '\0')
        refusal = "store";
    else if (s->count >= UPLOADS_AN_HOUR)
        refusal = "often";
    else if (d->under_way >= UPLOADS_MAX)
        refusal = "busy";
    if (!refusal) {
        s->count++;
        d->under_way++;
    }
    pthread_mutex_unlock(&d->lock);
    return refusal;
}

void upload_leave(struct upload_desk *d)
{
    pthread_mutex_lock(&d->lock);
    d->under_way--;
    pthread_mutex_unlock(&d->lock);
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    upload_leave(u->gateway->uploads);
    free(u->data);
    free(u);
}

/* ---- the clerk ----------------------------------------------------------------------------- */

static int write_file(const struct upload_desk *d, const char *id, const char *ending,
                      const void *data, size_t len, struct fault *f)
{
    char name[STORE_WORD_MAX + 16], path[OS_PATH_MAX];
    snprintf(name, sizeof(name), "%s%s", id, ending);
    int rc = os_dir_ensure(d->folder, 0700, f);
    if (rc == 0)
        rc = os_path_join(path, d->folder, name);
    return rc == 0 ? os_file_replace(path, data, len, 0600, f) : rc;
}

static int write_both(const struct upload_desk *d, const struct upload *u, const json_t *report,
                      struct fault *f)
{
    char *text = json_dumps(report, JSON_COMPACT);
    if (!text)
        return PRA_ENOMEM;
    int rc = write_file(d, u->row.public_id, ".json", text, strlen(text), f);
    if (rc == 0)
        rc = write_file(d, u->row.public_id, ".zip", u->data, u->size, f);
    free(text);
    return rc;
}

static void examine(const struct upload_desk *d, struct upload *u)
{
    struct bundle_summary sum;
    struct fault f = {0};
    json_t *report = NULL;
    u->rc = bundle_examine(u->data, u->size, &u->told, &report, &sum, &f);
    u->reason = u->rc == 0 ? "" : "damaged";
    if (u->rc == 0) {
        u->row.lines = (int64_t)sum.lines;
        u->row.breaks = (int64_t)sum.breaks;
        u->rc = write_both(d, u, report, &f);
        u->reason = u->rc == 0 ? "" : "store";
    }
    json_decref(report);
    if (u->rc != 0)
        log_event(LOG_WARN, "bundle-refused", "user=%s reason=%s error=\"%s\"", u->row.user,
                  u->reason, f.text);
    os_memory_trim();
}

static struct upload *take_next(struct upload_desk *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->head && !d->stop)
        pthread_cond_wait(&d->filled, &d->lock);
    struct upload *u = d->stop ? NULL : d->head;
    if (u) {
        d->head = (struct upload *)u->mail.next;
        if (!d->head)
            d->tail = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    return u;
}

/* Back at the keeper: the row. */
static void on_examined(struct mail *m, void *owner)
{
    struct upload *u = (struct upload *)m;
    if (!owner) {
        upload_free(u);
        return;
    }
    if (u->rc == 0 && (u->rc = admin_bundle_add(keeper_admin(owner), &u->row)) != 0)
        u->reason = "store";
    if (worker_with_session(u->worker, u->connection, u->finished, u) != 0)
        upload_free(u); /* the client asks again, or sees that it is there */
}

static void *clerk_main(void *arg)
{
    struct upload_desk *d = arg;
    struct upload *u;
    while ((u = take_next(d))) {
        examine(d, u);
        u->mail.deliver = on_examined;
        keeper_post(d->gateway->keeper, &u->mail);
    }
    return NULL;
}

static void give_to_clerk(struct upload_desk *d, struct upload *u)
{
    u->mail.next = NULL;
    pthread_mutex_lock(&d->lock);
    if (d->tail)
        d->tail->mail.next = &u->mail;
    else
        d->head = u;
    d->tail = u;
    pthread_cond_signal(&d->filled);
    pthread_mutex_unlock(&d->lock);
}

/* At the keeper: what the gateway was told of the client's chains. */
static void on_upload(struct mail *m, void *owner)
{
    struct upload *u = (struct upload *)m;
    if (!owner) {
        upload_free(u);
        return;
    }
    admin_bundle_heads(keeper_admin(owner), u->row.user, u->row.device, &u->told);
    give_to_clerk(u->gateway->uploads, u);
}

void upload_hand_in(struct upload *u)
{
    u->mail.deliver = on_upload;
    keeper_post(u->gateway->keeper, &u->mail);
}

/* ---- life ---------------------------------------------------------------------------------- */

int upload_desk_new(struct gateway *g, const char *folder, struct upload_desk **out)
{
    struct upload_desk *d = calloc(1, sizeof(*d));
    if (!d)
        return PRA_ENOMEM;
    d->gateway = g;
    snprintf(d->folder, sizeof(d->folder), "%s", folder);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->filled, NULL);
    d->running = pthread_create(&d->clerk, NULL, clerk_main, d) == 0;
    if (!d->running) {
        upload_desk_free(d);
        return PRA_EIO;
    }
    *out = d;
    return 0;
}

void upload_desk_stop(struct upload_desk *d)
{
    if (!d || !d->running)
        return;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_signal(&d->filled);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->clerk, NULL);
    d->running = false;
}

void upload_desk_free(struct upload_desk *d)
{
    if (!d)
        return;
    upload_desk_stop(d);
    while (d->head) {
        struct upload *u = d->head;
        d->head = (struct upload *)u->mail.next;
        upload_free(u);
    }
    pthread_cond_destroy(&d->filled);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
