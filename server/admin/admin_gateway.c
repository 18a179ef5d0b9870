/*
 * Operations on the gateway itself: sessions, host key, status, init.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/profile.h"
#include "common/utf8.h"
#include "server/admin/hostkey.h"

static int not_running(struct call *c)
{
    return fault_set(&c->f, PRA_EUNSUPPORTED, "prad is not running, so there are no sessions");
}

int op_session_list(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    struct listing l;
    int64_t total = 0;
    json_t *list = NULL, *one;
    size_t i;
    int rc = list_read(c, &l);

    if (rc != 0)
        return rc;
    if (h->session_list == NULL)
        return not_running(c);
    rc = h->session_list(h->ctx, &l, &list, &total);
    if (rc == PRA_EINVAL)
        fault_set(&c->f, rc, "sort: '%.40s' is nothing that this list is sorted by", l.sort);
    json_array_foreach(list, i, one)
    {
        limits_show(c, json_string_value(json_object_get(one, "user")), one);
    }
    return list_give(c, &l, list, total, rc);
}

int op_session_kill(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    const char *id = arg_text(c, "id"), *why = arg_text(c, "reason");
    int rc;

    if (h->session_kill == NULL)
        return not_running(c);
    if (why != NULL && check_label(c, "reason", why) != 0)
        return PRA_EINVAL;
    rc = h->session_kill(h->ctx, id, why != NULL ? why : "ended by an administrator");
    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "id: there is no session '%.64s'", id);
    if (rc != 0)
        return fault_set(&c->f, rc, "the session could not be ended: %s", err_text(rc));
    return give(c, json_pack("{s:o}", "id", json_text(id)));
}

#define LIVE_LIMIT_DEFAULT 100

int op_live(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    int64_t limit = arg_int(c, "limit");
    const struct admin_live_query q = {.user = arg_text(c, "user"),
                                       .text = arg_text(c, "search"),
                                       .limit = limit > 0 ? (size_t)limit : LIVE_LIMIT_DEFAULT};

    struct store_user found;
    json_t *live;
    int rc = 0;

    if (h->live_find == NULL)
        return not_running(c);
    if (q.text != NULL)
        rc = check_label(c, "search", q.text);
    if (rc == 0 && q.user != NULL &&
        (rc = c->a->store->ops->user_get(c->a->store, q.user, &found, &c->f)) == PRA_ENOENT)
        fault_set(&c->f, rc, "user: there is no user '%.64s'", q.user);
    if (rc != 0)
        return rc;
    live = h->live_find(h->ctx, &q);
    if (live != NULL)
        json_object_set_new(live, "alerts", alert_sums_json(c->a));
    return give(c, live);
}

int op_port_list(struct call *c)
{
    const struct admin_host *h = &c->a->host;

    return h->port_list == NULL ? not_running(c) : give(c, h->port_list(h->ctx));
}

int op_penalty_show(struct call *c)
{
    const struct admin_host *h = &c->a->host;

    return h->penalty_list == NULL ? not_running(c) : give(c, h->penalty_list(h->ctx));
}

int op_penalty_clear(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    const char *source = arg_text(c, "source");
    struct addr_cidr block;

    if (h->penalty_clear == NULL)
        return not_running(c);
    if (source != NULL && addr_parse_cidr(source, strlen(source), &block) != 0)
        return fault_set(&c->f, PRA_EINVAL, "source: '%.50s' is no address", source);
    h->penalty_clear(h->ctx, source != NULL ? &block.ip : NULL);
    return give(c, json_pack("{s:o}", "source", json_text(source != NULL ? source : "everybody")));
}

static int no_session(struct call *c, const char *id)
{
    return fault_set(&c->f, PRA_ENOENT, "id: there is no session '%.64s'", id);
}

int op_session_show(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    const struct admin_live_query q = {.id = arg_text(c, "id"), .limit = 1};
    json_t *found, *session, *channels = NULL;
    int rc;

    if (h->live_find == NULL || h->channel_list == NULL)
        return not_running(c);
    rc = h->channel_list(h->ctx, q.id, &channels);
    if (rc == PRA_ENOENT)
        return no_session(c, q.id);
    if (rc != 0)
        return fault_set(&c->f, rc, "the session's connections could not be asked: %s",
                         err_text(rc));
    found = h->live_find(h->ctx, &q);
    session = json_incref(json_array_get(json_object_get(found, "sessions"), 0));
    json_decref(found);
    if (session == NULL) {
        json_decref(channels);
        return no_session(c, q.id);
    }
    json_object_set_new(session, "open", channels);
    limits_show(c, json_string_value(json_object_get(session, "user")), session);
    return give(c, session);
}

int op_channel_close(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    const char *session = arg_text(c, "id"), *channel = arg_text(c, "channel");
    int rc;

    if (h->channel_close == NULL)
        return not_running(c);
    rc = h->channel_close(h->ctx, session, channel);
    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "channel: the session has no open channel '%.64s'", channel);
    if (rc != 0)
        return fault_set(&c->f, rc, "the channel could not be closed: %s", err_text(rc));
    return give(c,
                json_pack("{s:o, s:o}", "id", json_text(session), "channel", json_text(channel)));
}

int admin_hostkey(struct admin *a, char type[SSHKEY_TYPE_MAX],
                  char fingerprint[SSHKEY_FINGERPRINT_MAX], struct fault *f)
{
    int rc = 0;

    if (!a->serving || a->hostkey[0] == '\0')
        rc = hostkey_read(a->host_key_path, a->hostkey_type, a->hostkey, f);
    if (rc != 0) {
        a->hostkey[0] = '\0';
        return rc;
    }
    memcpy(type, a->hostkey_type, sizeof(a->hostkey_type));
    memcpy(fingerprint, a->hostkey, sizeof(a->hostkey));
    return 0;
}

/* {"type","fingerprint"} of the host key. */
static int show_key(struct call *c, json_t **out)
{
    char type[SSHKEY_TYPE_MAX], fingerprint[SSHKEY_FINGERPRINT_MAX];
    int rc = admin_hostkey(c->a, type, fingerprint, &c->f);

    if (rc == 0)
        *out = json_pack("{s:s, s:s}", "type", type, "fingerprint", fingerprint);
    return rc;
}

int op_hostkey_show(struct call *c)
{
    json_t *key = NULL;
    int rc = show_key(c, &key);

    return rc != 0 ? rc : give(c, key);
}

/* What profile_format() makes of the members: the checks are there, for every writer of profiles. */
static json_t *profile_json(struct call *c, const struct profile *p)
{
    char text[PROFILE_TEXT_MAX];
    size_t len = 0;

    if (profile_format(p, text, &len, &c->f) != 0)
        return NULL;
    return json_pack("{s:o, s:I, s:s, s:o, s:o, s:o}", "server", json_text(p->server.name), "port",
                     (json_int_t)p->port, "fingerprint", p->fingerprint, "user", json_text(p->user),
                     "name", json_text_or_null(p->name), "text", json_stringn(text, len));
}

int op_profile(struct call *c)
{
    const char *user = arg_text(c, "user"), *name = arg_text(c, "name");
    char type[SSHKEY_TYPE_MAX], fingerprint[SSHKEY_FINGERPRINT_MAX];
    struct store *s = c->a->store;
    struct store_user found;
    struct profile p = {0};
    json_t *result;
    int rc = s->ops->user_get(s, user, &found, &c->f);

    if (rc == PRA_ENOENT)
        return fault_set(&c->f, rc, "user: there is no user '%.64s'", user);
    if (rc == 0 &&
        addr_parse_host_port(arg_text(c, "server"), PROFILE_DEFAULT_PORT, &p.server, &p.port) != 0)
        return fault_set(&c->f, PRA_EINVAL, "server: '%.80s' is not HOST or HOST:PORT",
                         arg_text(c, "server"));
    if (rc == 0)
        rc = admin_hostkey(c->a, type, fingerprint, &c->f);
    if (rc != 0)
        return rc;
    if (!found.enabled)
        warn(c, "user '%s' is disabled and cannot connect before pra-admin user enable", user);
    snprintf(p.fingerprint, sizeof(p.fingerprint), "%s", fingerprint);
    snprintf(p.user, sizeof(p.user), "%s", found.name);
    snprintf(p.name, sizeof(p.name), "%s", name != NULL ? name : "");
    result = profile_json(c, &p);
    return result != NULL ? give(c, result) : PRA_EINVAL;
}

int op_init(struct call *c)
{
    char fingerprint[SSHKEY_FINGERPRINT_MAX], type[SSHKEY_TYPE_MAX];
    const char *path = c->a->host_key_path;
    bool key_made = false;
    int rc = hostkey_read(path, type, fingerprint, &c->f);

    if (rc == PRA_ENOENT) {
        rc = hostkey_create(path, fingerprint, &c->f);
        key_made = rc == 0;
    } else if (rc == 0 && !c->a->store->created) {
        return fault_set(&c->f, PRA_EEXIST,
                         "this gateway is set up already: host key %s (%s); nothing was changed",
                         fingerprint, path);
    }
    if (rc != 0)
        return rc;
    if (!key_made)
        warn(c, "the host key %s was there already and was kept", path);
    if (!c->a->store->created)
        warn(c, "the database was there already and was kept");
    return give(c, json_pack("{s:s, s:s, s:o, s:o}", "type", key_made ? HOSTKEY_TYPE : type,
                             "fingerprint", fingerprint, "host_key", json_text(path), "store",
                             json_text(c->a->store_url)));
}

/* ---- counts for /metrics ------------------------------------------------------------------------ */

void admin_counts(struct admin *a, struct admin_counts *out)
{
    struct store_mail_counts n = {0};
    struct fault f = {0};
    int64_t since = os_time_now() - a->portal_told;

    *out = (struct admin_counts){.store_cache = a->store->ops->cache(a->store)};
    if (a->store->ops->mail_length(a->store, &n, &f) == 0) {
        out->mail_waiting = (uint64_t)n.waiting;
        out->mail_failed = (uint64_t)n.failed;
        out->mail_dropped = (uint64_t)n.dropped;
    }
    if (since >= 0 && since <= ADMIN_PORTAL_TOLD_S) {
        out->portal_files = (uint64_t)a->portal_files;
        out->portal_files_max = (uint64_t)a->portal_files_max;
    }
}

/* ---- status ------------------------------------------------------------------------------------ */

int op_status(struct call *c)
{
    const struct admin_host *h = &c->a->host;
    struct store *s = c->a->store;
    struct store_counts n = {0};
    uint64_t generation = 0;
    json_t *key = NULL, *status;
    int rc = s->ops->generation(s, &generation, &c->f);

    if (rc == 0)
        rc = s->ops->counts(s, &n, &c->f);
    if (rc != 0)
        return rc;
    if (show_key(c, &key) != 0)
        key = json_null();
    status = json_pack(
        "{s:b, s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "running", c->a->serving,
        "version", PRA_VERSION, "store", json_text(c->a->store_url), "generation",
        (json_int_t)generation, "users", (json_int_t)n.users, "groups", (json_int_t)n.groups,
        "keys", (json_int_t)n.keys, "rules", (json_int_t)n.rules, "sessions",
        h->session_count != NULL ? json_integer((json_int_t)h->session_count(h->ctx)) : json_null(),
        "door", h->door != NULL ? h->door(h->ctx) : json_null(), "hostkey", key);
    if (status != NULL && h->condition != NULL) {
        json_t *more = h->condition(h->ctx);

        json_object_update_missing(status, more);
        json_decref(more);
    }
    return give(c, status);
}
