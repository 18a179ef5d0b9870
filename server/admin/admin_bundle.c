/*
 * Log bundles that clients have sent (`pra log send`): which are kept, what they tell, and the client's
 * log joined with the gateway's audit by session id (N9). prad's clerk has unpacked and checked a bundle
 * when it comes here (server/prad/upload.h); beside the database lie its bytes, ID.zip, and the
 * report about it, ID.json (server/bundle/bundle.h), so that nothing here unpacks anything.
 */
#include "server/admin/admin_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "server/bundle/bundle.h"

#define REPORT_MAX (16u * 1024 * 1024)
/* Of one answer of log.fetch. */
#define FETCH_MAX (512u * 1024)
/* A file without a row may be one whose row is on its way. */
#define ORPHAN_S 3600

/* ---- files ------------------------------------------------------------------------------------- */

int admin_bundle_folder(const char *store_url, char dst[OS_PATH_MAX])
{
    static const char scheme[] = "sqlite:", folder[] = "bundles";
    const char *path = store_url + strlen(scheme), *slash;

    if (strncmp(store_url, scheme, strlen(scheme)) != 0)
        return PRA_EUNSUPPORTED;
    slash = strrchr(path, '/');
    return snprintf(dst, OS_PATH_MAX, "%.*s%s", slash != NULL ? (int)(slash - path + 1) : 0, path,
                    folder) < OS_PATH_MAX
               ? 0
               : PRA_ETOOBIG;
}

/* An id is letters and digits, so a name made of it leads nowhere else. */
static int bundle_path(const struct admin *a, const char *id, const char *ending,
                       char dst[OS_PATH_MAX])
{
    char folder[OS_PATH_MAX], name[STORE_WORD_MAX + 16];
    int rc = admin_bundle_folder(a->store_url, folder);

    if (rc != 0)
        return rc;
    snprintf(name, sizeof(name), "%s%s", id, ending);
    return os_path_join(dst, folder, name);
}

static void remove_files(const struct admin *a, const char *id)
{
    static const char *const endings[] = {".zip", ".json"};
    char path[OS_PATH_MAX];

    for (size_t i = 0; i < 2; i++)
        if (bundle_path(a, id, endings[i], path) == 0 && unlink(path) != 0 && errno != ENOENT)
            log_event(LOG_WARN, "bundle-not-removed", "id=%s error=\"%s\"", id, strerror(errno));
}

/* ---- what prad asks ---------------------------------------------------------------------------- */

struct heads {
    struct bundle_told *told; /* newest first, until all are there */
};

static void turn_round(struct bundle_told *told, enum bundle_log log)
{
    for (size_t i = 0, k = told->count[log]; i + 1 < k; i++) {
        struct chain_told head = told->head[log][i];
        int64_t at = told->at[log][i];

        k--;
        told->head[log][i] = told->head[log][k];
        told->at[log][i] = told->at[log][k];
        told->head[log][k] = head;
        told->at[log][k] = at;
    }
}

/* "lines=12 hash=<64 hex digits>", as server/prad/control_in.c writes it. */
static int take_head(const struct store_audit *r, void *ctx)
{
    const struct heads *h = ctx;
    const struct audit_event *e = &r->event;
    enum bundle_log log = strcmp(e->reason, "user") == 0 ? BUNDLE_USER : BUNDLE_SYSTEM;
    const char *hash = strstr(e->detail, " hash=");
    struct chainlog_head head;
    size_t len;
    char *end;

    if (strncmp(e->detail, "lines=", 6) != 0 || hash == NULL ||
        h->told->count[log] == BUNDLE_HEADS_MAX)
        return 0;
    errno = 0;
    head.lines = strtoull(e->detail + 6, &end, 10);
    hash += strlen(" hash=");
    if (errno == 0 && end != e->detail + 6 && strlen(hash) == 2 * sizeof(head.hash) &&
        crypto_hex_decode(hash, strlen(hash), head.hash, sizeof(head.hash), &len) == 0)
        bundle_tell(h->told, log, &head, e->time_ms);
    return 0;
}

void admin_bundle_heads(struct admin *a, const char *user, const char *device,
                        struct bundle_told *told)
{
    const struct store_audit_filter filter = {
        .user = user, .kind = audit_kind_word(AUDIT_LOG_HEAD), .device = device};
    const struct store_audit_place top = {0};
    struct store_audit_found found;
    struct heads heads = {.told = told};
    struct fault f = {0};

    if (a->store->ops->audit_find(a->store, &filter, &top, 0, BUNDLE_RECORDS_READ, take_head,
                                  &heads, &found, &f) < 0)
        log_event(LOG_WARN, "log-heads-not-read", "error=\"%s\"", f.text);
    for (enum bundle_log log = 0; log < BUNDLE_LOGS; log++)
        turn_round(told, log);
}

/* Bundles that have to make room. */
struct surplus {
    struct store_bundle *drop;
    size_t count, cap;
    size_t kept; /* so far, of those that are walked over */
    int64_t bytes, now;
    size_t most;      /* of a user */
    const char *user; /* NULL = of all: age and bytes count */
};

static int judge_surplus(const struct store_bundle *b, void *ctx)
{
    struct surplus *s = ctx;
    bool old = s->now - b->at >= BUNDLE_KEPT_S;

    s->bytes += b->size;
    s->kept++;
    if (!(s->user != NULL ? s->kept > s->most : old || s->bytes > BUNDLES_BYTES_MAX))
        return 0;
    if (s->count == s->cap)
        return 0; /* the rest goes the next time */
    s->drop[s->count++] = *b;
    return 0;
}

#define DROP_MAX 64

static int drop_surplus(struct admin *a, const char *user, struct fault *f)
{
    struct surplus s = {.drop = calloc(DROP_MAX, sizeof(*s.drop)),
                        .cap = DROP_MAX,
                        .now = os_time_now(),
                        .most = BUNDLES_OF_USER_MAX,
                        .user = user};
    int rc = s.drop == NULL ? PRA_ENOMEM
                            : a->store->ops->bundle_each(a->store, user, judge_surplus, &s, f);

    for (size_t i = 0; i < s.count && rc == 0; i++) {
        rc = a->store->ops->bundle_delete(a->store, s.drop[i].public_id, f);
        if (rc == 0)
            remove_files(a, s.drop[i].public_id);
    }
    free(s.drop);
    return rc;
}

int admin_bundle_add(struct admin *a, const struct store_bundle *b)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = db->bundle_add(a->store, b, &f);
    if (rc == 0)
        rc = drop_surplus(a, b->user, &f);
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0) {
        log_event(LOG_ERROR, "bundle-not-stored", "error=\"%s\"", f.text);
        remove_files(a, b->public_id);
    }
    return rc;
}

/* Removes files that no row speaks of: of users who were deleted, or of a crash in between. */
static void drop_orphans(struct admin *a)
{
    char folder[OS_PATH_MAX];
    DIR *dir = admin_bundle_folder(a->store_url, folder) == 0 ? opendir(folder) : NULL;
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char id[STORE_WORD_MAX + 1] = "";
        const char *dot = strchr(entry->d_name, '.');
        struct store_bundle b;
        struct stat st;

        if (dot == NULL || dot == entry->d_name || dot - entry->d_name >= (int)sizeof(id) ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode) || os_time_now() - st.st_mtime < ORPHAN_S)
            continue;
        memcpy(id, entry->d_name, (size_t)(dot - entry->d_name));
        if (a->store->ops->bundle_get(a->store, id, &b, NULL) == PRA_ENOENT)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL)
        closedir(dir);
}

void admin_bundle_sweep(struct admin *a)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    int rc = db->begin(a->store, &f);

    if (rc == 0)
        rc = drop_surplus(a, NULL, &f);
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0)
        log_event(LOG_ERROR, "bundles-not-swept", "error=\"%s\"", f.text);
    drop_orphans(a);
}

/* ---- operations -------------------------------------------------------------------------------- */

static json_t *bundle_json(const struct store_bundle *b)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:b, s:I}", "id",
                     json_text(b->public_id), "user", json_text(b->user), "device",
                     json_text(b->device), "session", json_text_or_null(b->session), "version",
                     json_text_or_null(b->version), "source", json_text_or_null(b->source), "time",
                     json_when(b->at), "size", (json_int_t)b->size, "sha256", json_text(b->sha256),
                     "lines", (json_int_t)b->lines, "whole", b->breaks == 0, "breaks",
                     (json_int_t)b->breaks);
}

static int list_one(const struct store_bundle *b, void *ctx)
{
    return json_array_append_new(ctx, bundle_json(b)) == 0 ? 0 : PRA_ENOMEM;
}

int op_log_list(struct call *c)
{
    struct store *s = c->a->store;
    json_t *list = json_array();
    struct listing l;
    struct store_user u;
    int rc = list_read(c, &l);

    if (rc == 0 && (l.sort != NULL || l.search != NULL))
        rc = fault_set(&c->f, PRA_EINVAL, "%s: bundles come newest first, and are listed by user",
                       l.sort != NULL ? "sort" : "search");
    if (rc == 0 && l.user != NULL)
        rc = s->ops->user_get(s, l.user, &u, &c->f);
    if (rc == 0)
        rc = s->ops->bundle_each(s, l.user, list_one, list, &c->f);
    return list_cut(c, &l, list, rc);
}

static json_t *read_report(const struct admin *a, const char *id)
{
    char path[OS_PATH_MAX], *text = NULL;
    json_t *report = NULL;
    size_t len;

    if (bundle_path(a, id, ".json", path) == 0 &&
        os_file_read(path, REPORT_MAX, &text, &len, NULL) == 0)
        report = json_loadb(text, len, 0, NULL);
    free(text);
    return report;
}

json_t *bundle_problems(const struct admin *a, const char *id)
{
    json_t *report = read_report(a, id);
    json_t *problems = json_incref(json_object_get(report, "problems"));

    json_decref(report);
    return problems;
}

/* The row, and the report unless NULL. */
static int read_bundle(struct call *c, struct store_bundle *b, json_t **report)
{
    int rc = c->a->store->ops->bundle_get(c->a->store, arg_text(c, "id"), b, &c->f);

    if (rc != 0 || report == NULL)
        return rc;
    *report = read_report(c->a, b->public_id);
    return *report != NULL
               ? 0
               : fault_set(&c->f, PRA_EIO, "id: the report about this bundle cannot be read");
}

int op_log_show(struct call *c)
{
    struct store_bundle b;
    json_t *report = NULL, *result;
    int rc = read_bundle(c, &b, &report);

    if (rc != 0)
        return rc;
    json_object_del(report, "events");
    result = bundle_json(&b);
    if (result != NULL)
        json_object_update_new(result, report);
    else
        json_decref(report);
    return give(c, result);
}

/* The gateway's records of the sessions that the logs name. */
struct joining {
    json_t *events;
    const json_t *sessions;
};

static int join_record(const struct store_audit *r, void *ctx)
{
    const struct joining *j = ctx;
    const struct audit_event *e = &r->event;
    const char *id;
    json_t *member;
    size_t i;

    json_array_foreach(j->sessions, i, member)
    {
        id = json_string_value(member);
        if (id != NULL && strcmp(id, e->session) == 0 &&
            json_array_append_new(j->events, json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:s}", "at",
                                                       (json_int_t)e->time_ms, "log", "gateway",
                                                       "kind", json_text(r->kind), "target",
                                                       json_text_or_null(e->target), "reason",
                                                       json_text_or_null(e->reason), "text",
                                                       json_text(e->detail), "session", id)) != 0)
            return PRA_ENOMEM;
    }
    return 0;
}

static int64_t at_of(const json_t *event)
{
    return json_integer_value(json_object_get(event, "at"));
}

/* Lines of one log keep their order, whatever their times say. */
struct placed {
    json_t *event;
    int64_t at;
    size_t place;
};

static int by_time(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static json_t *sort_events(const json_t *events)
{
    size_t count = json_array_size(events);
    struct placed *list = calloc(count + 1, sizeof(*list));
    json_t *sorted = json_array();
    int64_t latest = 0;

    for (size_t i = 0; i < count && list != NULL; i++) {
        json_t *event = json_array_get(events, i);
        bool client = json_object_get(event, "file") != NULL;

        /* A line without a time, or with an earlier one than before it, stays where it stands. */
        if (i > 0 && json_object_get(event, "line") != NULL &&
            json_integer_value(json_object_get(event, "line")) == 1)
            latest = 0;
        list[i] = (struct placed){event, at_of(event), i};
        if (client && list[i].at < latest)
            list[i].at = latest;
        latest = client ? list[i].at : latest;
    }
    if (list != NULL)
        qsort(list, count, sizeof(*list), by_time);
    for (size_t i = 0; i < count && list != NULL; i++)
        json_array_append(sorted, list[i].event);
    free(list);
    return sorted;
}

int op_log_timeline(struct call *c)
{
    struct store *s = c->a->store;
    struct store_bundle b;
    struct store_audit_filter filter = {0};
    const struct store_audit_place top = {0};
    struct store_audit_found found;
    struct joining j = {0};
    struct listing l;
    json_t *report = NULL, *sorted;
    int rc = list_read(c, &l);

    if (rc == 0)
        rc = read_bundle(c, &b, &report);
    if (rc != 0)
        return rc;
    j.events = json_object_get(report, "events");
    j.sessions = json_object_get(report, "sessions");
    filter.user = b.user;
    filter.since_ms = (b.at - BUNDLE_KEPT_S) * 1000;
    rc = s->ops->audit_find(s, &filter, &top, 0, BUNDLE_RECORDS_READ, join_record, &j, &found,
                            &c->f);
    sorted = rc >= 0 ? sort_events(j.events) : json_array();
    json_decref(report);
    return list_cut(c, &l, sorted, rc < 0 ? rc : 0);
}

int op_log_fetch(struct call *c)
{
    struct store_bundle b;
    int64_t offset = arg_int(c, "offset");
    char path[OS_PATH_MAX], name[STORE_WORD_MAX * 2 + 32], *text = NULL;
    json_t *result = NULL;
    size_t len, part;
    char *data;
    int rc = read_bundle(c, &b, NULL);

    if (rc == 0)
        rc = bundle_path(c->a, b.public_id, ".zip", path);
    if (rc == 0)
        rc = os_file_read(path, BUNDLE_SIZE_MAX, &text, &len, &c->f);
    if (rc != 0)
        return rc;
    offset = (uint64_t)offset > len ? (int64_t)len : offset;
    part = len - (size_t)offset < FETCH_MAX ? len - (size_t)offset : FETCH_MAX;
    data = malloc(4 * ((part + 2) / 3) + 1);
    if (data != NULL) {
        crypto_base64_encode(text + offset, part, data);
        snprintf(name, sizeof(name), "pra-log-%s-%s.zip", b.user, b.public_id);
        result = json_pack("{s:s, s:I, s:I, s:s}", "name", name, "size", (json_int_t)len, "offset",
                           (json_int_t)offset, "data", data);
    }
    free(data);
    free(text);
    return give(c, result);
}

int op_log_delete(struct call *c)
{
    struct store_bundle b;
    int rc = read_bundle(c, &b, NULL);

    if (rc == 0)
        rc = c->a->store->ops->bundle_delete(c->a->store, b.public_id, &c->f);
    if (rc != 0)
        return rc;
    remove_files(c->a, b.public_id);
    return give(c, bundle_json(&b));
}
