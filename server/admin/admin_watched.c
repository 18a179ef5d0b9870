/*
 * Operations on devices that should always be connected, and on announced outages (alerts.h).
 */
#include "server/admin/alerts.h"

#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/os.h"

static int add_watch(const struct store_watch *w, void *ctx)
{
    json_t *one = json_pack(
        "{s:o, s:s, s:o, s:I, s:s, s:o, s:b}", "user", json_text(w->user), "fingerprint", w->device,
        "comment", json_text_or_null(w->comment), "after", (json_int_t)w->after, "state",
        w->online ? "online" : "offline", "since", json_when(w->since), "told", (int)w->told);

    return json_array_append_new(ctx, one) == 0 ? 0 : PRA_ENOMEM;
}

int op_watch_list(struct call *c)
{
    struct listing l;
    json_t *list;
    int rc = list_read(c, &l);

    if (rc != 0)
        return rc;
    list = json_array();
    rc = c->a->store->ops->watch_each(c->a->store, add_watch, list, &c->f);
    return list_cut(c, &l, list, rc);
}

static int count_watched(const struct store_watch *w, void *ctx)
{
    (void)w;
    ++*(size_t *)ctx;
    return 0;
}

static int take_key(const struct store_key *k, void *ctx)
{
    *(int64_t *)ctx = k->id;
    return 0;
}

int op_watch_set(struct call *c)
{
    const struct store_ops *db = c->a->store->ops;
    const char *after = arg_text(c, "after"), *fingerprint = arg_text(c, "fingerprint");
    int64_t key = 0;
    size_t count = 0;
    long seconds = 0;
    int rc = db->key_each(c->a->store, arg_text(c, "user"), fingerprint, take_key, &key, &c->f);

    if (rc == 0 && key == 0)
        rc = fault_set(&c->f, PRA_ENOENT, "fingerprint: user '%.64s' has no key '%.64s'",
                       arg_text(c, "user"), fingerprint);
    if (rc == 0 && strcmp(after, "0") != 0 &&
        conf_parse_duration(after, WATCH_AFTER_MIN, WATCH_AFTER_MAX, &seconds, NULL) != 0)
        rc = fault_set(&c->f, PRA_EINVAL,
                       "after: '%.40s' is no time from %ds to %dd such as 10m, and not 0 either",
                       after, WATCH_AFTER_MIN, WATCH_AFTER_MAX / 86400);
    if (rc == 0)
        rc = db->watch_each(c->a->store, count_watched, &count, &c->f);
    if (rc == 0 && seconds > 0 && count >= WATCHED_MAX)
        rc = fault_set(&c->f, PRA_EFULL, "%d devices are watched already", WATCHED_MAX);
    if (rc == 0)
        rc = db->watch_set(c->a->store, key, seconds, os_time_now(), &c->f);
    if (rc != 0)
        return rc;
    watcher_changed(c->a->watcher);
    snprintf(c->device, sizeof(c->device), "%s", fingerprint);
    return give(c, json_pack("{s:o, s:o, s:I}", "user", json_text(arg_text(c, "user")),
                             "fingerprint", json_text(fingerprint), "after", (json_int_t)seconds));
}

static int add_outage(const struct store_outage *o, void *ctx)
{
    int64_t now = os_time_now();
    json_t *one = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:s}", "id", (json_int_t)o->id, "since",
                            json_when(o->since), "until", json_when(o->until), "user",
                            json_text_or_null(o->user), "note", json_text_or_null(o->note), "by",
                            json_text(o->by), "state",
                            now < o->since   ? "planned"
                            : now < o->until ? "now"
                                             : "over");

    return json_array_append_new(ctx, one) == 0 ? 0 : PRA_ENOMEM;
}

int op_outage_list(struct call *c)
{
    json_t *list = json_array();
    int rc = c->a->store->ops->outage_each(c->a->store, add_outage, list, &c->f);

    if (rc == 0)
        return give(c, list);
    json_decref(list);
    return rc;
}

/* "since" may be absent: from now on. Both may be a time ahead, such as 2h. */
static int read_outage(struct call *c, struct store_outage *o)
{
    const char *user = arg_text(c, "user"), *note_text = arg_text(c, "note");
    struct store_user found;
    int rc = 0;

    o->since = os_time_now();
    if (arg_text(c, "since") != NULL && arg_text(c, "since")[0] != '\0')
        rc = parse_ahead(c, "since", &o->since);
    if (rc == 0)
        rc = parse_ahead(c, "until", &o->until);
    if (rc == 0 && o->until <= o->since)
        rc = fault_set(&c->f, PRA_EINVAL, "until: lies before since");
    if (rc == 0 && o->until <= os_time_now())
        rc = fault_set(&c->f, PRA_EINVAL, "until: is over already");
    if (rc == 0 && note_text != NULL && note_text[0] != '\0') {
        rc = check_label(c, "note", note_text);
        snprintf(o->note, sizeof(o->note), "%s", note_text);
    }
    if (rc == 0 && user != NULL && user[0] != '\0') {
        rc = c->a->store->ops->user_get(c->a->store, user, &found, &c->f);
        if (rc == PRA_ENOENT)
            return fault_set(&c->f, rc, "user: there is no user '%.64s'", user);
        snprintf(o->user, sizeof(o->user), "%s", user);
    }
    snprintf(o->by, sizeof(o->by), "%s", c->account.id != 0 ? c->account.name : c->peer->name);
    return rc;
}

int op_outage_add(struct call *c)
{
    struct store_outage o = {.id = 0};
    json_t *list = json_array();
    int rc = read_outage(c, &o);

    if (rc == 0 && c->a->store->ops->outage_each(c->a->store, add_outage, list, &c->f) == 0 &&
        json_array_size(list) >= OUTAGES_MAX)
        rc = fault_set(&c->f, PRA_EFULL, "there are %d outages already", OUTAGES_MAX);
    json_array_clear(list);
    if (rc == 0)
        rc = c->a->store->ops->outage_add(c->a->store, &o, &o.id, &c->f);
    if (rc == 0)
        rc = add_outage(&o, list);
    if (rc == 0) {
        watcher_changed(c->a->watcher);
        rc = give(c, json_incref(json_array_get(list, 0)));
    }
    json_decref(list);
    return rc;
}

int op_outage_remove(struct call *c)
{
    int64_t id = arg_int(c, "id");
    int rc = c->a->store->ops->outage_delete(c->a->store, id, &c->f);

    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "id: there is no outage %lld", (long long)id);
    watcher_changed(c->a->watcher);
    return rc != 0 ? rc : give(c, json_pack("{s:I}", "id", (json_int_t)id));
}
