/*
 * Operations on devices beyond their keys: what the administrator calls them, and everything that is
 * known of one, as a file for the helpdesk.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"

/* Records of the user, from which those of the device are taken. */
#define EVENTS_SEARCHED 200

struct found {
    struct call *c;
    struct store_key key;
    size_t count;
};

static int take_key(const struct store_key *k, void *ctx)
{
    struct found *found = ctx;

    found->key = *k;
    return found->count++ == 0 ? 0
                               : fault_set(&found->c->f, PRA_EINVAL,
                                           "user: several users have this key: say whose is meant");
}

int find_key(struct call *c, struct store_key *out)
{
    struct store *s = c->a->store;
    const char *fingerprint = arg_text(c, "fingerprint"), *user = arg_text(c, "user");
    struct found found = {.c = c};
    int rc = s->ops->key_each(s, user, fingerprint, take_key, &found, &c->f);

    if (rc == 0 && found.count == 0)
        rc = fault_set(&c->f, PRA_ENOENT, "fingerprint: no key '%.60s' is registered%s%.64s",
                       fingerprint, user != NULL ? " for " : "", user != NULL ? user : "");
    if (rc == 0)
        *out = found.key;
    return rc;
}

/* A text that may be taken away with "". */
static int read_label(struct call *c, const char *arg, char dst[POLICY_LABEL_MAX + 1])
{
    const char *text = arg_text(c, arg);

    if (text == NULL)
        return 0;
    if (text[0] != '\0' && check_label(c, arg, text) != 0)
        return PRA_EINVAL;
    snprintf(dst, POLICY_LABEL_MAX + 1, "%s", text);
    return 0;
}

int op_key_set(struct call *c)
{
    struct store *s = c->a->store;
    const char *mail = arg_text(c, "mail"), *clone = arg_text(c, "clone");
    struct store_key k;
    int rc = find_key(c, &k);

    if (rc == 0)
        rc = read_label(c, "name", k.name);
    if (rc == 0)
        rc = read_label(c, "place", k.place);
    if (rc == 0 && mail != NULL && mail[0] != '\0')
        rc = check_mail(c, mail);
    if (rc != 0)
        return rc;
    if (clone != NULL && read_clone(c, clone, &k.clone) != 0)
        return PRA_EINVAL;
    if (mail != NULL)
        snprintf(k.mail, sizeof(k.mail), "%s", mail);
    memcpy(c->device, k.fingerprint, sizeof(c->device));
    rc = s->ops->key_describe(s, &k, &c->f);
    return rc != 0 ? rc : give(c, key_json(&k));
}

/* ---- everything -------------------------------------------------------------------------------- */

static int list_tag(int64_t time, const char *before, const char *after, void *ctx)
{
    return json_array_append_new(ctx, json_pack("{s:o, s:o, s:o}", "time", json_when(time), "from",
                                                json_text(before), "to", json_text(after))) == 0
               ? 0
               : PRA_ENOMEM;
}

/* Those objects of `list` whose member "device" is this one. Takes over `list`. */
static json_t *of_device(json_t *list, const char *fingerprint)
{
    json_t *kept = json_array(), *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *device = json_string_value(json_object_get(one, "device"));

        if (device != NULL && strcmp(device, fingerprint) == 0)
            json_array_append(kept, one);
    }
    json_decref(list);
    return kept;
}

/* What an operation answers to these arguments (taken over); `member` of it, if that is not NULL. */
static int ask(struct call *c, const char *op, json_t *args, const char *member, json_t **out)
{
    json_t *result = NULL;
    int rc = admin_run_within(c, op, args, &result);

    json_decref(args);
    if (rc == 0)
        *out = json_incref(member != NULL ? json_object_get(result, member) : result);
    json_decref(result);
    return rc;
}

/* Adds what the gateway knows of the device besides its key. */
static int add_rest(struct call *c, const struct store_key *k, json_t *all)
{
    json_t *part = NULL;
    int rc = ask(c, "user.list", json_pack("{s:s}", "name", k->user), NULL, &part);

    if (rc == 0) {
        json_object_set(all, "user", json_array_get(part, 0));
        json_decref(part);
        rc = ask(c, "rule.list", json_pack("{s:s, s:b}", "user", k->user, "effective", 1), NULL,
                 &part);
    }
    if (rc == 0) {
        json_object_set_new(all, "rules", part);
        rc = ask(c, "audit.list",
                 json_pack("{s:s, s:i}", "user", k->user, "limit", EVENTS_SEARCHED), NULL, &part);
    }
    if (rc == 0)
        json_object_set_new(all, "events", of_device(part, k->fingerprint));
    if (rc == 0 && c->a->host.live_find != NULL) {
        rc = ask(c, "live", json_pack("{s:s, s:i}", "user", k->user, "limit", LIVE_LIMIT_MAX),
                 "sessions", &part);
        if (rc == 0)
            json_object_set_new(all, "sessions", of_device(part, k->fingerprint));
    }
    return rc;
}

int op_key_show(struct call *c)
{
    struct store *s = c->a->store;
    json_t *all, *tags;
    struct store_key k;
    int rc = find_key(c, &k);

    if (rc == 0 && c->a->note_count > 0) {
        rc = admin_store_audit(c->a, NULL, 0); /* so that what it said is up to date */
        if (rc == 0)
            rc = find_key(c, &k);
    }
    if (rc != 0)
        return rc;
    tags = json_array();
    all = json_pack("{s:o, s:s, s:o, s:o, s:n, s:[], s:[], s:[]}", "made", json_when(os_time_now()),
                    "gateway", PRA_VERSION, "device", key_json(&k), "machine-tags", tags, "user",
                    "rules", "sessions", "events");
    rc = all == NULL ? fault_set(&c->f, PRA_ENOMEM, "no memory for the answer")
                     : s->ops->key_tags(s, k.id, list_tag, tags, &c->f);
    if (rc == 0)
        rc = add_rest(c, &k, all);
    if (rc != 0) {
        json_decref(all);
        return rc;
    }
    return give(c, all);
}
