/* What is remembered of sources; see sources.h. Sets of WAYS slots, chosen by a seeded hash. */
#include "server/prad/sources.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/os.h"
#include "common/timefmt.h"

#define WAYS    8
#define SETS    (SOURCES_MAX / WAYS) /* power of two */
#define DAY_S   86400
#define KNOWN_S ((int64_t)SOURCES_KNOWN_DAYS * DAY_S)
/* A login moves the time of the one before only if it is this much later: the file is not written
   for each. */
#define KNOWN_STEP_S 3600
#define LINE_LEN_MAX 96 /* address, two times, newline, NUL */

struct slot {
    struct addr_ip block; /* family 0 = free */
    bool enforced;
    int64_t until; /* 0 = no penalty */
    int64_t known; /* last login, 0 = none */
};

struct sources {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose addresses that share a set */
    bool changed;
    struct slot slot[SOURCES_MAX];
};

struct addr_ip source_block(const struct addr_ip *ip)
{
    struct addr_ip block = *ip;
    if (block.family == 6)
        memset(block.bytes + 8, 0, 8);
    return block;
}

uint64_t source_hash(const struct addr_ip *block, uint64_t seed)
{
    uint64_t h = seed ^ block->family;
    for (size_t i = 0; i < sizeof(block->bytes); i++)
        h = (h ^ block->bytes[i]) * 0x100000001b3u; /* FNV-1a */
    return h >> 32;
}

int sources_new(struct sources **out)
{
    struct sources *s = calloc(1, sizeof(*s));
    if (!s)
        return PRA_ENOMEM;
    pthread_mutex_init(&s->lock, NULL);
    crypto_random(&s->seed, sizeof(s->seed));
    *out = s;
    return 0;
}

void sources_free(struct sources *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- slots ---------------------------------------------------------------------------------- */

static bool is_known(const struct slot *e, int64_t now)
{
    return e->known != 0 && now - e->known < KNOWN_S;
}

static bool in_force(const struct slot *e, int64_t now)
{
    return e->enforced && e->until > now;
}

/* How much would be lost if it were forgotten: a known source before a stranger, then time. */
static int64_t weight(const struct slot *e, int64_t now)
{
    int64_t left = e->until > now ? e->until - now : 0;
    return is_known(e, now) ? KNOWN_S + left : left;
}

static struct slot *set_of(struct sources *s, const struct addr_ip *block)
{
    return &s->slot[(source_hash(block, s->seed) & (SETS - 1)) * WAYS];
}

static struct slot *find(struct sources *s, const struct addr_ip *block)
{
    struct slot *set = set_of(s, block);
    for (int i = 0; i < WAYS; i++)
        if (addr_ip_equal(&set[i].block, block))
            return &set[i];
    return NULL;
}

/* The slot of `block`, if need be in the place of another. */
static struct slot *claim(struct sources *s, const struct addr_ip *block, int64_t now)
{
    struct slot *found = find(s, block), *set;
    if (found)
        return found;
    set = set_of(s, block);
    found = &set[0];
    for (int i = 0; i < WAYS && found->block.family != 0; i++)
        if (set[i].block.family == 0 || weight(&set[i], now) < weight(found, now))
            found = &set[i];
    *found = (struct slot){.block = *block};
    return found;
}

/* ---- penalties ------------------------------------------------------------------------------ */

/* The clock may have been set back since. */
static void cap(struct slot *e, long max, int64_t now)
{
    if (e->until > now + max)
        e->until = now + max;
}

enum source_standing sources_standing(struct sources *s, const struct addr_ip *ip,
                                      const struct source_limits *l, int64_t now)
{
    const struct addr_ip block = source_block(ip);
    enum source_standing standing = SOURCE_STRANGER;
    pthread_mutex_lock(&s->lock);
    struct slot *e = find(s, &block);
    if (e) {
        cap(e, l->max, now);
        if (in_force(e, now))
            standing = is_known(e, now) ? SOURCE_PROBATION : SOURCE_PENALISED;
        else
            standing = is_known(e, now) ? SOURCE_KNOWN : SOURCE_STRANGER;
    }
    pthread_mutex_unlock(&s->lock);
    return standing;
}

bool sources_penalise(struct sources *s, const struct addr_ip *ip, long seconds,
                      const struct source_limits *l, int64_t now)
{
    const struct addr_ip block = source_block(ip);
    bool news = false;
    if (seconds <= 0 || l->max <= 0)
        return false;
    pthread_mutex_lock(&s->lock);
    struct slot *e = claim(s, &block, now);
    if (e->until <= now) {
        e->until = now;
        e->enforced = false;
    }
    e->until += seconds;
    cap(e, l->max, now);
    if (!e->enforced && e->until - now >= (l->min < l->max ? l->min : l->max))
        e->enforced = news = true;
    s->changed = s->changed || e->enforced;
    pthread_mutex_unlock(&s->lock);
    return news;
}

void sources_welcome(struct sources *s, const struct addr_ip *ip, int64_t now)
{
    const struct addr_ip block = source_block(ip);
    pthread_mutex_lock(&s->lock);
    struct slot *e = claim(s, &block, now);
    if (now - e->known >= KNOWN_STEP_S || e->known > now) {
        e->known = now;
        s->changed = true;
    }
    pthread_mutex_unlock(&s->lock);
}

size_t sources_forgive(struct sources *s, const struct addr_ip *ip, int64_t now)
{
    const struct addr_ip block = ip ? source_block(ip) : (struct addr_ip){0};
    size_t count = 0;
    pthread_mutex_lock(&s->lock);
    for (struct slot *e = s->slot; e < s->slot + SOURCES_MAX; e++) {
        if (e->until == 0 || (ip && !addr_ip_equal(&e->block, &block)))
            continue;
        count += in_force(e, now);
        e->until = 0;
        e->enforced = false;
        s->changed = true;
    }
    pthread_mutex_unlock(&s->lock);
    return count;
}

/* ---- listing and keeping -------------------------------------------------------------------- */

static int by_time_left(const void *a, const void *b)
{
    const struct slot *x = a, *y = b;
    return (x->until < y->until) - (x->until > y->until);
}

/* Copies of the slots that `wanted` accepts, so that nobody waits for what is done with them. NULL
   = no memory. The caller frees it. */
static struct slot *copy(struct sources *s, bool (*wanted)(const struct slot *, int64_t),
                         int64_t now, size_t *count)
{
    struct slot *list = malloc(SOURCES_MAX * sizeof(*list));
    *count = 0;
    if (!list)
        return NULL;
    pthread_mutex_lock(&s->lock);
    for (const struct slot *e = s->slot; e < s->slot + SOURCES_MAX; e++)
        if (e->block.family != 0 && wanted(e, now))
            list[(*count)++] = *e;
    pthread_mutex_unlock(&s->lock);
    return list;
}

static json_t *describe(const struct slot *e, int64_t now)
{
    char ip[46], text[52], until[TIMEFMT_MAX];
    snprintf(text, sizeof(text), "%s%s", addr_format_ip(&e->block, ip),
             e->block.family == 6 ? "/64" : "");
    return json_pack("{s:s, s:s, s:b}", "source", text, "until", timefmt_rfc3339(e->until, until),
                     "known", is_known(e, now));
}

json_t *sources_list(struct sources *s, int64_t now, size_t limit, size_t *total)
{
    struct slot *list = copy(s, in_force, now, total);
    json_t *out = list ? json_array() : NULL;
    if (list)
        qsort(list, *total, sizeof(*list), by_time_left);
    for (size_t i = 0; out && i < *total && i < limit; i++)
        if (json_array_append_new(out, describe(&list[i], now)) != 0) {
            json_decref(out);
            out = NULL;
        }
    free(list);
    return out;
}

static bool is_worth_keeping(const struct slot *e, int64_t now)
{
    return is_known(e, now) || in_force(e, now);
}

int sources_save(struct sources *s, const char *path, int64_t now, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    bool changed = s->changed;
    s->changed = false;
    pthread_mutex_unlock(&s->lock);
    if (!changed)
        return 0;

    size_t count, len = 0;
    struct slot *list = copy(s, is_worth_keeping, now, &count);
    char *text = list ? malloc(count * LINE_LEN_MAX + 1) : NULL;
    int rc = text ? 0 : fault_set(f, PRA_ENOMEM, "out of memory");
    for (size_t i = 0; text && i < count; i++) {
        char ip[46];
        int64_t until = in_force(&list[i], now) ? list[i].until : 0;
        len += (size_t)snprintf(text + len, LINE_LEN_MAX, "%s %" PRId64 " %" PRId64 "\n",
                                addr_format_ip(&list[i].block, ip), until, list[i].known);
    }
    if (text)
        rc = os_file_replace(path, text, len, 0600, f);
    free(text);
    free(list);
    if (rc != 0) {
        pthread_mutex_lock(&s->lock);
        s->changed = true;
        pthread_mutex_unlock(&s->lock);
    }
    return rc;
}

/* A space and a number that is a time. Returns what follows it, NULL if there is none. */
static const char *read_time(const char *at, int64_t *out)
{
    char *end;
    if (at[0] != ' ' || at[1] < '0' || at[1] > '9')
        return NULL;
    errno = 0;
    *out = strtoll(at + 1, &end, 10);
    return errno == 0 ? end : NULL;
}

/* "ADDRESS UNTIL KNOWN" */
static bool read_line(const char *line, struct slot *e)
{
    size_t len = strcspn(line, " ");
    *e = (struct slot){0};
    if (addr_parse_ip(line, len, &e->block) != 0)
        return false;
    const char *rest = read_time(line + len, &e->until);
    rest = rest ? read_time(rest, &e->known) : NULL;
    return rest && *rest == '\0';
}

int sources_load(struct sources *s, const char *path, int64_t now, struct fault *f)
{
    char *text = NULL, *rest, *line;
    unsigned number = 0;
    size_t len = 0;
    int rc = os_file_read(path, (size_t)SOURCES_MAX * LINE_LEN_MAX, &text, &len, f);
    if (rc != 0)
        return rc == PRA_ENOENT ? 0 : rc;
    if (strlen(text) != len) {
        free(text);
        return fault_set(f, PRA_ECORRUPT, "%s: is not text", path);
    }
    for (line = strtok_r(text, "\n", &rest); line && rc == 0; line = strtok_r(NULL, "\n", &rest)) {
        struct slot read;
        number++;
        if (!read_line(line, &read)) {
            rc = fault_set(f, PRA_ECORRUPT, "%s:%u: is not ADDRESS UNTIL KNOWN", path, number);
            continue;
        }
        read.enforced = read.until > now;
        read.block = source_block(&read.block);
        if (read.known > now) /* the clock was ahead */
            read.known = now;
        pthread_mutex_lock(&s->lock);
        *claim(s, &read.block, now) = read;
        pthread_mutex_unlock(&s->lock);
    }
    free(text);
    return rc;
}
