/*
 * Operations on keys: one registered key is one device of a user.
 */
#include "server/admin/admin_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/os.h"
#include "common/timefmt.h"
#include "common/utf8.h"

static const char *const state_words[] = {[POLICY_KEY_ACTIVE] = "active",
                                          [POLICY_KEY_REVOKED] = "revoked",
                                          [POLICY_KEY_QUARANTINED] = "quarantined"};

json_t *key_json(const struct store_key *k)
{
    return json_pack("{s:I, s:o, s:s, s:s, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I,"
                     " s:o, s:o, s:o, s:o, s:s, s:o}",
                     "id", (json_int_t)k->id, "user", json_text(k->user), "fingerprint",
                     k->fingerprint, "type", k->type, "comment", json_text_or_null(k->comment),
                     "any-client", k->any_client, "state", state_words[k->state], "registered",
                     json_when(k->registered), "revoked", json_when(k->revoked), "seen",
                     json_when(k->last_seen), "machine", json_text_or_null(k->machine_tag),
                     "version", json_text_or_null(k->version), "os", json_text_or_null(k->os),
                     "binding", json_text_or_null(k->binding), "machine-changes",
                     (json_int_t)k->machine_changes, "machine-changed",
                     json_when(k->machine_changed), "name", json_text_or_null(k->name), "place",
                     json_text_or_null(k->place), "mail", json_text_or_null(k->mail), "clone",
                     k->clone == POLICY_CLONE_DEFAULT ? "default" : policy_clone_word(k->clone),
                     "ticket", json_when(k->ticket_since));
}

struct found_keys {
    struct store_key mine; /* of the user asked for */
    bool has_mine;
    const char *user;
    char other[POLICY_NAME_MAX + 1]; /* somebody else who has this key */
};

static int look_at_key(const struct store_key *k, void *ctx)
{
    struct found_keys *found = ctx;

    if (strcmp(k->user, found->user) == 0) {
        found->mine = *k;
        found->has_mine = true;
    } else if (k->state != POLICY_KEY_REVOKED) {
        memcpy(found->other, k->user, sizeof(found->other));
    }
    return 0;
}

/* Fills a row from the key line. */
static int read_line(struct call *c, struct store_key *k)
{
    const char *line = arg_text(c, "line");
    struct sshkey_public pub;
    size_t len;
    int rc = sshkey_parse_line(line, strlen(line), &pub, &c->f);

    if (rc != 0)
        return fault_wrap(&c->f, rc == PRA_ENOMEM ? rc : PRA_EINVAL, "line");
    memcpy(k->type, pub.type, sizeof(k->type));
    memcpy(k->blob, pub.blob, pub.blob_len);
    k->blob_len = pub.blob_len;
    len = strlen(pub.comment);
    len = utf8_trim(pub.comment, len < POLICY_LABEL_MAX ? len : POLICY_LABEL_MAX);
    memcpy(k->comment, pub.comment, len);
    k->comment[len] = '\0';
    if (k->comment[0] != '\0' && check_label(c, "line (comment)", k->comment) != 0)
        return PRA_EINVAL;
    rc = sshkey_fingerprint(k->blob, k->blob_len, k->fingerprint);
    return rc == 0 ? 0 : fault_set(&c->f, rc, "line: no fingerprint could be made");
}

/* What an administrator should look at twice before handing out access. */
static void warn_about(struct call *c, const struct store_key *k, const struct found_keys *found)
{
    const char *at = strchr(k->comment, '@');
    size_t len = at == NULL ? 0 : (size_t)(at - k->comment);

    if (at != NULL && (len != strlen(k->user) || memcmp(k->comment, k->user, len) != 0))
        warn(c, "the key's comment says '%s', the key is registered for '%s'", k->comment, k->user);
    if (found->other[0] != '\0')
        warn(c, "user '%s' has the same key: one PC, two users", found->other);
    if (k->any_client)
        warn(c, "any standard SSH client may use this key: it is not bound to a machine");
}

static int reactivate(struct call *c, struct store_key *k, const struct found_keys *found)
{
    struct store *s = c->a->store;
    char when[TIMEFMT_MAX];

    if (found->mine.state != POLICY_KEY_REVOKED)
        return fault_set(&c->f, PRA_EEXIST, "line: user '%s' has this key already (%s)", k->user,
                         k->fingerprint);
    if (!arg_bool(c, "reactivate"))
        return fault_set(&c->f, PRA_EEXIST,
                         "line: this key was revoked at %s and stays so: let the user make a new "
                         "one (pra keygen --force), or give --reactivate if it was revoked by "
                         "mistake",
                         timefmt_rfc3339(found->mine.revoked, when));
    k->id = found->mine.id;
    return s->ops->key_update(s, k, &c->f);
}

int key_register(struct call *c, struct store_key *k)
{
    struct store *s = c->a->store;
    struct found_keys found = {.user = k->user};
    int rc;

    memcpy(c->device, k->fingerprint, sizeof(c->device));
    rc = s->ops->key_each(s, NULL, k->fingerprint, look_at_key, &found, &c->f);
    if (rc == 0)
        rc = found.has_mine ? reactivate(c, k, &found) : s->ops->key_add(s, k, &k->id, &c->f);
    if (rc != 0)
        return rc;
    warn_about(c, k, &found);
    return give(c, key_json(k));
}

int op_key_add(struct call *c)
{
    struct store *s = c->a->store;
    struct store_key k = {.any_client = arg_bool(c, "any-client"),
                          .state = POLICY_KEY_ACTIVE,
                          .registered = os_time_now()};
    struct store_user u;
    int rc = s->ops->user_get(s, arg_text(c, "user"), &u, &c->f);

    if (rc == 0)
        rc = read_line(c, &k);
    if (rc != 0)
        return rc;
    memcpy(k.user, u.name, sizeof(k.user));
    return key_register(c, &k);
}

static int list_key(const struct store_key *k, void *ctx)
{
    return json_array_append_new(ctx, key_json(k)) == 0 ? 0 : PRA_ENOMEM;
}

int op_key_list(struct call *c)
{
    struct store *s = c->a->store;
    json_t *list = json_array();
    struct listing l;
    struct store_user u;
    int64_t total = 0;
    int rc = list_read(c, &l);

    if (rc == 0 && l.user != NULL)
        rc = s->ops->user_get(s, l.user, &u, &c->f);
    if (rc == 0 && c->a->note_count > 0)
        rc = admin_store_audit(c->a, NULL, 0); /* so that "seen" is up to date */
    if (rc == 0)
        rc = s->ops->key_list(s, &l, list_key, list, &total, &c->f);
    return list_give(c, &l, list, total, rc);
}

/* Takes back a revocation: the laptop was found. */
int op_key_restore(struct call *c)
{
    struct store *s = c->a->store;
    const char *fingerprint = arg_text(c, "fingerprint"), *user = arg_text(c, "user");
    struct found_keys found = {.user = user};
    struct store_key *k = &found.mine;
    int rc = s->ops->key_each(s, NULL, fingerprint, look_at_key, &found, &c->f);

    if (rc == 0 && !found.has_mine)
        return fault_set(&c->f, PRA_ENOENT, "fingerprint: no key '%.60s' is registered for '%.64s'",
                         fingerprint, user);
    if (rc == 0 && k->state != POLICY_KEY_REVOKED)
        return fault_set(&c->f, PRA_EEXIST, "fingerprint: that key is not revoked");
    if (rc != 0)
        return rc;
    k->state = POLICY_KEY_ACTIVE;
    k->revoked = 0;
    memcpy(c->device, k->fingerprint, sizeof(c->device));
    rc = s->ops->key_update(s, k, &c->f);
    if (rc != 0)
        return rc;
    warn_about(c, k, &found);
    return give(c, key_json(k));
}

struct revocation {
    struct call *c;
    struct store_key found[8]; /* one key registered for several users is rare */
    size_t count;
    int64_t revoked; /* when the last of those was that are revoked already */
};

static int collect_active(const struct store_key *k, void *ctx)
{
    struct revocation *r = ctx;

    if (k->state == POLICY_KEY_REVOKED) {
        r->revoked = k->revoked;
        return 0;
    }
    if (r->count == sizeof(r->found) / sizeof(r->found[0]))
        return fault_set(&r->c->f, PRA_EINVAL,
                         "fingerprint: more than %zu users have this key: give --user", r->count);
    r->found[r->count++] = *k;
    return 0;
}

int op_key_revoke(struct call *c)
{
    struct store *s = c->a->store;
    const char *fingerprint = arg_text(c, "fingerprint"), *user = arg_text(c, "user");
    struct revocation r = {.c = c};
    char when[TIMEFMT_MAX];
    json_t *list;
    int rc = s->ops->key_each(s, user, fingerprint, collect_active, &r, &c->f);

    if (rc == 0 && r.count == 0 && r.revoked != 0)
        return fault_set(&c->f, PRA_EEXIST, "fingerprint: that key was revoked already, at %s",
                         timefmt_rfc3339(r.revoked, when));
    if (rc == 0 && r.count == 0)
        return fault_set(&c->f, PRA_ENOENT, "fingerprint: no key '%.60s' is registered%s%s",
                         fingerprint, user != NULL ? " for " : "", user != NULL ? user : "");
    list = json_array();
    for (size_t i = 0; i < r.count && rc == 0; i++) {
        struct store_key *k = &r.found[i];

        k->state = POLICY_KEY_REVOKED;
        k->revoked = os_time_now();
        rc = s->ops->key_update(s, k, &c->f);
        if (rc == 0)
            rc = s->ops->factor->lease_clear_key(s, k->id, &c->f);
        c->a->lease_changes++;
        json_array_append_new(list, key_json(k));
    }
    if (rc != 0) {
        json_decref(list);
        return rc;
    }
    memcpy(c->device, r.found[0].fingerprint, sizeof(c->device));
    return give(c, list);
}
