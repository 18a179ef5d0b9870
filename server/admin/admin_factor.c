/*
 * Second factors of users: who needs one, enrolment by an administrator, and the questions of prad
 * (factor.h). A secret is made here, shown once as a QR code, and good when a code of it was seen.
 */
#include "server/admin/factor.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "server/admin/admin_internal.h"

static const char *const policy_words[] = {[POLICY_FACTOR_INHERIT] = "inherit",
                                           [POLICY_FACTOR_OFF] = "off",
                                           [POLICY_FACTOR_REQUIRED] = "required"};

const char *factor_policy_word(enum policy_factor policy)
{
    return (unsigned)policy < sizeof(policy_words) / sizeof(policy_words[0]) ? policy_words[policy]
                                                                             : "unknown";
}

static int read_policy(struct call *c, enum policy_factor *out)
{
    const char *word = arg_text(c, "policy");

    for (unsigned i = 0; i < sizeof(policy_words) / sizeof(policy_words[0]); i++) {
        if (strcmp(word, policy_words[i]) != 0)
            continue;
        *out = (enum policy_factor)i;
        return 0;
    }
    return fault_set(&c->f, PRA_EINVAL, "policy: must be required, off or inherit");
}

/* ---- what is known of a user -------------------------------------------------------------------- */

struct known {
    struct store_user user;
    struct store_factor factor;
    bool has; /* a factor, confirmed or not */
};

static int read_known(struct call *c, const char *arg, struct known *k)
{
    struct store *s = c->a->store;
    int rc = s->ops->user_get(s, arg_text(c, arg), &k->user, &c->f);

    if (rc != 0)
        return rc;
    rc = s->ops->factor->get(s, k->user.id, &k->factor, &c->f);
    k->has = rc == 0;
    return rc == PRA_ENOENT ? 0 : rc;
}

/* The same, of somebody whose factor is on. */
static int read_enrolled(struct call *c, struct known *k)
{
    int rc = read_known(c, "user", k);

    if (rc == 0 && (!k->has || !k->factor.on))
        rc = fault_set(&c->f, PRA_ENOENT, "user: '%s' has no second factor", k->user.name);
    return rc;
}

static int list_lease(const struct store_lease *l, void *ctx)
{
    json_t *one = json_pack("{s:I, s:I, s:o, s:o, s:o}", "id", (json_int_t)l->id, "key",
                            (json_int_t)l->key_id, "machine", json_text(l->machine), "made",
                            json_when(l->made), "expires", json_when(l->expires));

    if (os_time_now() >= l->expires) {
        json_decref(one);
        return 0;
    }
    return json_array_append_new(ctx, one) == 0 ? 0 : PRA_ENOMEM;
}

/* Own word, else the strictest of the groups, else the gateway's. */
static enum policy_factor effective(const struct admin *a, const char *name)
{
    const struct policy_user *u = a->policy != NULL ? policy_find_user(a->policy, name) : NULL;
    enum policy_factor set = u != NULL ? u->factor : POLICY_FACTOR_INHERIT;

    return set != POLICY_FACTOR_INHERIT ? set : a->factor_default;
}

static const char *state_word(const struct known *k)
{
    return !k->has ? "none" : k->factor.on ? "on" : "unconfirmed";
}

int op_factor_show(struct call *c)
{
    struct store *s = c->a->store;
    struct known k = {0};
    enum policy_factor own = POLICY_FACTOR_INHERIT;
    json_t *leases = json_array();
    int64_t codes = 0, now = os_time_now();
    int rc = read_known(c, "user", &k);

    if (rc == 0)
        rc = s->ops->factor->policy_get(s, false, k.user.id, &own, &c->f);
    if (rc == 0)
        rc = s->ops->factor->recovery_count(s, k.user.id, &codes, &c->f);
    if (rc == 0)
        rc = s->ops->factor->lease_each(s, k.user.id, list_lease, leases, &c->f);
    if (rc != 0) {
        json_decref(leases);
        return rc;
    }
    return give(c, json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "user",
                             json_text(k.user.name), "policy", factor_policy_word(own), "effective",
                             policy_words[effective(c->a, k.user.name)], "state", state_word(&k),
                             "made", json_when(k.factor.made), "made-by",
                             json_text_or_null(k.factor.made_by), "used", json_when(k.factor.used),
                             "recovery-codes", (json_int_t)codes, "wrong",
                             (json_int_t)k.factor.wrong, "paused-until",
                             json_when(k.factor.paused_until > now ? k.factor.paused_until : 0),
                             "leases", leases));
}

/* ---- who needs one ------------------------------------------------------------------------------ */

/* Whoever is asked anew is asked now: what was spared before is over. */
int op_user_factor(struct call *c)
{
    struct store *s = c->a->store;
    struct known k = {0};
    enum policy_factor policy = POLICY_FACTOR_INHERIT;
    int64_t dropped;
    int rc = read_policy(c, &policy);

    if (rc == 0)
        rc = read_known(c, "name", &k);
    if (rc == 0)
        rc = s->ops->factor->policy_set(s, false, k.user.id, policy, &c->f);
    if (rc == 0)
        rc = s->ops->factor->lease_clear(s, k.user.id, &dropped, &c->f);
    if (rc != 0)
        return rc;
    c->a->lease_changes++;
    if (policy == POLICY_FACTOR_REQUIRED && (!k.has || !k.factor.on))
        warn(c, "user '%s' has no second factor yet and cannot log in without: factor begin %s",
             k.user.name, k.user.name);
    return give(
        c, json_pack("{s:o, s:s}", "name", json_text(k.user.name), "policy", policy_words[policy]));
}

int op_group_factor(struct call *c)
{
    struct store *s = c->a->store;
    struct store_group g;
    enum policy_factor policy = POLICY_FACTOR_INHERIT;
    int rc = read_policy(c, &policy);

    if (rc == 0)
        rc = s->ops->group_get(s, arg_text(c, "name"), &g, &c->f);
    if (rc == 0)
        rc = s->ops->factor->policy_set(s, true, g.id, policy, &c->f);
    if (rc == 0)
        rc = s->ops->factor->lease_clear_group(s, g.id, &c->f);
    if (rc != 0)
        return rc;
    c->a->lease_changes++;
    return give(c,
                json_pack("{s:o, s:s}", "name", json_text(g.name), "policy", policy_words[policy]));
}

/* ---- enrolment ---------------------------------------------------------------------------------- */

int op_factor_begin(struct call *c)
{
    struct store *s = c->a->store;
    char label[POLICY_NAME_MAX + 16];
    struct known k = {0};
    int rc = read_known(c, "user", &k);

    if (rc == 0 && k.has && k.factor.on)
        rc = fault_set(&c->f, PRA_EEXIST, "user: '%s' has a second factor already: reset it first",
                       k.user.name);
    if (rc != 0)
        return rc;
    k.factor = (struct store_factor){.user_id = k.user.id, .made = os_time_now()};
    snprintf(k.factor.made_by, sizeof(k.factor.made_by), "%s",
             c->account.id != 0 ? c->account.name : c->peer->name);
    crypto_random(k.factor.secret, sizeof(k.factor.secret));
    rc = s->ops->factor->set(s, &k.factor, &c->f);
    /* Another entry in the app than an account of the same name for the portal. */
    snprintf(label, sizeof(label), "%s (tunnel)", k.user.name);
    if (rc == 0)
        rc = totp_give_secret(c, label, k.factor.secret);
    crypto_wipe(k.factor.secret, sizeof(k.factor.secret));
    return rc == 0 && json_object_set_new(c->result, "user", json_text(k.user.name)) != 0
               ? PRA_ENOMEM
               : rc;
}

/* New recovery codes, which are shown this once. */
static int give_recovery(struct call *c, const struct store_user *u)
{
    struct store *s = c->a->store;
    uint8_t hashes[RECOVERY_COUNT][STORE_HASH_LEN];
    json_t *list = json_array();
    int rc = recovery_make(hashes, list);

    if (rc == 0)
        rc = s->ops->factor->recovery_set(s, u->id, hashes, RECOVERY_COUNT, &c->f);
    if (rc == 0)
        return give(c, json_pack("{s:o, s:o}", "user", json_text(u->name), "recovery-codes", list));
    json_decref(list);
    return rc;
}

int op_factor_confirm(struct call *c)
{
    struct store *s = c->a->store;
    const char *code = arg_text(c, "code");
    struct known k = {0};
    int64_t step = 0;
    int rc = read_known(c, "user", &k);

    if (rc == 0 && (!k.has || k.factor.on))
        rc = fault_set(&c->f, PRA_EEXIST, "user: there is no second factor to confirm");
    if (rc != 0)
        return rc;
    rc = totp_is_code(code)
             ? totp_find(k.factor.secret, code, os_time_now(), TOTP_WINDOW, &step, &c->f)
             : PRA_EPASSPHRASE;
    if (rc == PRA_EPASSPHRASE)
        return fault_set(&c->f, rc, "code: is not what the authenticator should show now");
    k.factor.on = true;
    k.factor.step = step;
    if (rc == 0)
        rc = s->ops->factor->set(s, &k.factor, &c->f);
    return rc == 0 ? give_recovery(c, &k.user) : rc;
}

int op_factor_recovery(struct call *c)
{
    struct known k = {0};
    int rc = read_enrolled(c, &k);

    return rc == 0 ? give_recovery(c, &k.user) : rc;
}

int op_factor_reset(struct call *c)
{
    struct store *s = c->a->store;
    struct known k = {0};
    int rc = read_known(c, "user", &k);

    if (rc == 0 && !k.has)
        rc = fault_set(&c->f, PRA_ENOENT, "user: '%s' has no second factor", k.user.name);
    if (rc == 0)
        rc = s->ops->factor->remove(s, k.user.id, &c->f);
    if (rc != 0)
        return rc;
    c->a->lease_changes++;
    if (effective(c->a, k.user.name) == POLICY_FACTOR_REQUIRED)
        warn(c, "user '%s' cannot log in until he has a new one: factor begin %s", k.user.name,
             k.user.name);
    return give(c, json_pack("{s:o}", "user", json_text(k.user.name)));
}

/* All of the user's devices are asked for a code when they connect the next time. */
int op_factor_forget(struct call *c)
{
    struct store *s = c->a->store;
    struct known k = {0};
    int64_t count = 0;
    int rc = read_known(c, "user", &k);

    if (rc == 0)
        rc = s->ops->factor->lease_clear(s, k.user.id, &count, &c->f);
    if (rc != 0)
        return rc;
    c->a->lease_changes++;
    return give(
        c, json_pack("{s:o, s:I}", "user", json_text(k.user.name), "leases", (json_int_t)count));
}

/* A pause after wrong codes is over. */
int op_factor_retry(struct call *c)
{
    struct store *s = c->a->store;
    struct known k = {0};
    int rc = read_enrolled(c, &k);

    k.factor.wrong = k.factor.paused_until = 0;
    k.factor.told = false;
    if (rc == 0)
        rc = s->ops->factor->set(s, &k.factor, &c->f);
    return rc == 0 ? give(c, json_pack("{s:o}", "user", json_text(k.user.name))) : rc;
}

/* ---- what prad asks ----------------------------------------------------------------------------- */

/* Is the answer good? Notes in `factor` what it uses up. */
static int judge(struct store *s, struct store_factor *factor, const char *answer, int64_t now,
                 enum factor_answer *out, struct fault *f)
{
    uint8_t hash[STORE_HASH_LEN];
    int64_t step = 0;
    int rc;

    *out = FACTOR_WRONG;
    if (!totp_is_code(answer)) {
        rc = code_hash(answer, hash);
        if (rc == 0)
            rc = s->ops->factor->recovery_use(s, factor->user_id, hash, f);
        if (rc == 0)
            *out = FACTOR_RECOVERY;
        return rc == PRA_ENOENT ? 0 : rc;
    }
    rc = totp_find(factor->secret, answer, now, TOTP_WINDOW, &step, f);
    if (rc == 0) {
        *out = step > factor->step ? FACTOR_CODE : FACTOR_USED;
        factor->step = step > factor->step ? step : factor->step;
        return 0;
    }
    if (rc == PRA_EPASSPHRASE &&
        totp_find(factor->secret, answer, now - FACTOR_LATE_STEPS / 2 * TOTP_STEP_S,
                  FACTOR_LATE_STEPS / 2, &step, f) == 0)
        *out = step > factor->step ? FACTOR_LATE : FACTOR_USED;
    return rc == PRA_EPASSPHRASE ? 0 : rc;
}

static void count_wrong(struct store_factor *factor, int64_t now, struct factor_result *out)
{
    int64_t over = ++factor->wrong - FACTOR_FREE_TRIES, pause = FACTOR_PAUSE_S;

    if (over < 0)
        return;
    while (over-- > 0 && pause < FACTOR_PAUSE_MAX_S)
        pause *= 2;
    out->wait = pause < FACTOR_PAUSE_MAX_S ? pause : FACTOR_PAUSE_MAX_S;
    factor->paused_until = now + out->wait;
    factor->told = false;
}

/* While a pause lasts nothing is looked at, and only the first who comes is worth a record. */
static int look(struct store *s, struct store_factor *factor, const char *answer, int64_t now,
                struct factor_result *out, struct fault *f)
{
    int64_t latest = now + FACTOR_PAUSE_MAX_S;
    bool too_late = factor->paused_until > latest;
    int rc;

    /* A clock that was set back makes nobody wait for longer than a pause, which begins now. */
    if (too_late)
        factor->paused_until = latest;
    if (factor->paused_until > now) {
        out->answer = FACTOR_PAUSED;
        out->wait = factor->paused_until - now;
        out->told = factor->told;
        factor->told = true;
        return out->told && !too_late ? 0 : s->ops->factor->set(s, factor, f);
    }
    if (factor->paused_until != 0 && now - factor->paused_until > FACTOR_FORGET_S)
        factor->wrong = factor->paused_until = 0;
    rc = judge(s, factor, answer, now, &out->answer, f);
    if (rc != 0)
        return rc;
    if (out->answer == FACTOR_CODE || out->answer == FACTOR_RECOVERY) {
        factor->used = now;
        factor->wrong = factor->paused_until = 0;
    } else {
        count_wrong(factor, now, out);
    }
    return s->ops->factor->set(s, factor, f);
}

void admin_factor_try(struct admin *a, const char *user, const char *answer, int64_t now,
                      struct factor_result *out)
{
    const struct store_ops *db = a->store->ops;
    struct factor_result result = {.answer = FACTOR_FAILED, .changes = a->lease_changes};
    struct store_factor factor = {0};
    struct fault f = {0};
    struct store_user u;
    int rc = db->begin(a->store, &f);

    *out = result;
    if (rc == 0) {
        rc = db->user_get(a->store, user, &u, &f);
        if (rc == 0)
            rc = db->factor->get(a->store, u.id, &factor, &f);
        if (rc == 0 && !factor.on)
            rc = PRA_ENOENT;
        if (rc == 0)
            rc = look(a->store, &factor, answer, now, &result, &f);
        rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    }
    crypto_wipe(factor.secret, sizeof(factor.secret));
    if (rc == 0)
        *out = result;
    else if (rc == PRA_ENOENT)
        out->answer = FACTOR_MISSING;
    else
        log_event(LOG_ERROR, "second-factor-not-checked", "error=\"%s\"", f.text);
}

int admin_lease_add(struct admin *a, const char *user, struct store_lease *l)
{
    const struct store_ops *db = a->store->ops;
    struct fault f = {0};
    struct store_user u;
    int rc = db->begin(a->store, &f);

    if (rc != 0)
        return PRA_EIO;
    rc = db->user_get(a->store, user, &u, &f);
    if (rc == 0)
        rc = db->factor->lease_expire(a->store, l->made, &f);
    if (rc == 0) {
        l->user_id = u.id;
        rc = db->factor->lease_add(a->store, l, FACTOR_LEASES_MAX, &l->id, &f);
    }
    rc = rc == 0 ? db->commit(a->store, &f) : (db->rollback(a->store), rc);
    if (rc != 0 && rc != PRA_ENOENT)
        log_event(LOG_ERROR, "lease-not-kept", "error=\"%s\"", f.text);
    return rc;
}

void admin_lease_drop(struct admin *a, int64_t id)
{
    struct fault f = {0};
    int rc = a->store->ops->begin(a->store, &f);

    if (rc == 0) {
        rc = a->store->ops->factor->lease_delete(a->store, id, &f);
        rc =
            rc == 0 ? a->store->ops->commit(a->store, &f) : (a->store->ops->rollback(a->store), rc);
    }
    if (rc != 0)
        log_event(LOG_ERROR, "lease-not-dropped", "error=\"%s\"", f.text);
}

uint64_t admin_lease_changes(const struct admin *a)
{
    return a->lease_changes;
}

int admin_lease_each(struct admin *a, store_lease_fn fn, void *ctx)
{
    struct fault f = {0};
    int rc = a->store->ops->factor->lease_each(a->store, 0, fn, ctx, &f);

    if (rc < 0)
        log_event(LOG_ERROR, "leases-not-read", "error=\"%s\"", f.text);
    return rc;
}

void admin_factor_default(struct admin *a, bool required)
{
    a->factor_default = required ? POLICY_FACTOR_REQUIRED : POLICY_FACTOR_OFF;
}
