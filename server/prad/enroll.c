/* The book of enrollments; see enroll.h. `lock` guards everything. */
#include "server/prad/enroll.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"
#include "server/admin/admin.h"
#include "server/admin/code.h"
#include "server/admin/throttle.h"
#include "server/prad/keeper.h"
#include "server/prad/mailbox.h"

struct row {
    struct enroll_view view;
    uint8_t code[STORE_HASH_LEN];
};

/* Of a session that enrols. */
struct place {
    struct addr_ip source; /* its block */
    int64_t id;            /* of the enrollment */
};

struct enroll_book {
    pthread_mutex_t lock;
    struct row *rows;
    size_t count;
    struct throttle *wrong;
    struct place place[ENROLL_SESSIONS_MAX];
    size_t place_count;
};

int enroll_book_new(struct enroll_book **out)
{
    struct enroll_book *b = calloc(1, sizeof(*b));
    if (!b)
        return PRA_ENOMEM;
    pthread_mutex_init(&b->lock, NULL);
    b->wrong = throttle_new();
    if (!b->wrong) {
        enroll_book_free(b);
        return PRA_ENOMEM;
    }
    *out = b;
    return 0;
}

void enroll_book_free(struct enroll_book *b)
{
    if (!b)
        return;
    throttle_free(b->wrong);
    free(b->rows);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* ---- filling ------------------------------------------------------------------------------- */

struct filling {
    struct row *rows;
    size_t count, cap;
};

static int take_row(const struct store_enrollment *e, void *ctx)
{
    struct filling *f = ctx;
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        struct row *more = realloc(f->rows, cap * sizeof(*more));
        if (!more)
            return PRA_ENOMEM;
        f->rows = more;
        f->cap = cap;
    }
    struct row *r = &f->rows[f->count++];
    *r = (struct row){.view = {.id = e->id, .expires = e->expires, .state = e->state}};
    memcpy(r->view.user, e->user, sizeof(r->view.user));
    memcpy(r->view.fingerprint, e->fingerprint, sizeof(r->view.fingerprint));
    memcpy(r->code, e->code, sizeof(r->code));
    return 0;
}

static struct row *find(struct enroll_book *b, int64_t id)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->rows[i].view.id == id)
            return &b->rows[i];
    return NULL;
}

void enroll_book_fill(struct enroll_book *b, struct admin *a)
{
    struct filling f = {0};
    if (admin_enroll_each(a, take_row, &f) != 0) {
        free(f.rows);
        return;
    }
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < f.count; i++) {
        const struct row *before = find(b, f.rows[i].view.id);
        f.rows[i].view.holder = before ? before->view.holder : 0;
    }
    struct row *old = b->rows;
    b->rows = f.rows;
    b->count = f.count;
    pthread_mutex_unlock(&b->lock);
    free(old);
}

/* ---- asking -------------------------------------------------------------------------------- */

static struct row *find_code(struct enroll_book *b, const char *code)
{
    uint8_t hash[STORE_HASH_LEN];
    if (code_hash(code, hash) != 0)
        return NULL;
    struct row *found = NULL;
    for (size_t i = 0; i < b->count; i++)
        if (crypto_equal(b->rows[i].code, hash, sizeof(hash)))
            found = &b->rows[i];
    return found;
}

/* Whoever has one IPv6 address has its whole /64. */
static struct addr_ip block_of(const struct addr_ip *ip)
{
    struct addr_ip block = *ip;
    if (block.family == 6)
        memset(block.bytes + 8, 0, 8);
    return block;
}

static bool take_place(struct enroll_book *b, const struct addr_ip *block, int64_t id)
{
    size_t of_source = 0, of_code = 0;
    for (size_t i = 0; i < b->place_count; i++) {
        of_source += addr_ip_equal(&b->place[i].source, block);
        of_code += b->place[i].id == id;
    }
    if (b->place_count == ENROLL_SESSIONS_MAX || of_source >= ENROLL_OF_SOURCE_MAX ||
        of_code >= ENROLL_OF_CODE_MAX)
        return false;
    b->place[b->place_count++] = (struct place){.source = *block, .id = id};
    return true;
}

static enum enroll_answer check(struct enroll_book *b, const char *code,
                                const struct addr_ip *source, bool enter, struct enroll_view *out)
{
    const struct addr_ip block = block_of(source);
    char from[46];
    bool first;
    int64_t now = os_time_now();
    addr_format_ip(&block, from);
    const struct throttle_who who = {.account = from, .source = from};
    if (throttle_wait(b->wrong, &who, now, &first) > 0)
        return ENROLL_MANY;
    const struct row *r = find_code(b, code);
    if (!r) {
        throttle_note(b->wrong, &who, now);
        return ENROLL_WRONG;
    }
    if (enter && !take_place(b, &block, r->view.id))
        return ENROLL_MANY;
    *out = r->view;
    return ENROLL_KNOWN;
}

enum enroll_answer enroll_check(struct enroll_book *b, const char *code,
                                const struct addr_ip *source, bool enter, struct enroll_view *out)
{
    pthread_mutex_lock(&b->lock);
    enum enroll_answer answer = check(b, code, source, enter, out);
    pthread_mutex_unlock(&b->lock);
    return answer;
}

void enroll_leave(struct enroll_book *b, const struct addr_ip *source, int64_t id)
{
    const struct addr_ip block = block_of(source);
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->place_count; i++) {
        if (b->place[i].id == id && addr_ip_equal(&b->place[i].source, &block)) {
            b->place[i] = b->place[--b->place_count];
            break;
        }
    }
    pthread_mutex_unlock(&b->lock);
}

bool enroll_look(struct enroll_book *b, int64_t id, uint64_t hold, struct enroll_view *out)
{
    pthread_mutex_lock(&b->lock);
    struct row *r = find(b, id);
    if (r && hold != 0)
        r->view.holder = hold;
    if (r)
        *out = r->view;
    pthread_mutex_unlock(&b->lock);
    return r != NULL;
}

/* ---- to the keeper ------------------------------------------------------------------------- */

struct enroll_mail {
    struct mail mail;
    struct store_enrollment request;
};

static void on_enroll(struct mail *m, void *owner)
{
    struct enroll_mail *e = (struct enroll_mail *)m;
    if (owner)
        admin_enroll_request(keeper_admin(owner), &e->request);
    free(e);
}

void enroll_hand_in(struct keeper *k, const struct store_enrollment *request)
{
    struct enroll_mail *e = malloc(sizeof(*e));
    if (!e)
        return; /* the session asks again */
    *e = (struct enroll_mail){.mail.deliver = on_enroll, .request = *request};
    keeper_post(k, &e->mail);
}
