/*
 * Browsers that are known ("device cookies" of OWASP): whoever was logged in once keeps a word that
 * names his browser, made for this account and its password of now. Wrong passwords and codes of
 * such a browser are counted by themselves, so nobody who guesses elsewhere can lock the owner out;
 * a new password makes strangers of all of them. The word opens nothing.
 *
 * A word is a name of 128 random bits, the time, and an HMAC over both, the account and the salt of
 * its password, under the database's secret: nothing of it is stored. A browser keeps the words of
 * up to BROWSERS_MAX accounts, the newest first, with dots between them.
 */
#include "server/admin/admin_internal.h"

#include <string.h>

#include "common/crypto.h"
#include "common/os.h"

struct word {
    uint8_t name[THROTTLE_BROWSER_LEN];
    uint8_t made[8]; /* seconds since the epoch, big endian */
    uint8_t mac[CRYPTO_SHA256_LEN];
};
_Static_assert(sizeof(struct word) * 2 == BROWSER_TEXT, "a word has no padding");

static int sign(struct call *c, const struct store_account *a, struct word *w)
{
    struct {
        char what[8];
        int64_t account;
        uint8_t salt[STORE_SALT_LEN];
        uint8_t name[THROTTLE_BROWSER_LEN];
        uint8_t made[8];
    } text = {.what = "browser", .account = a->id};
    uint8_t secret[STORE_HASH_LEN];
    int rc = c->a->store->ops->secret(c->a->store, secret, &c->f);

    memcpy(text.salt, a->salt, sizeof(text.salt));
    memcpy(text.name, w->name, sizeof(text.name));
    memcpy(text.made, w->made, sizeof(text.made));
    if (rc == 0)
        rc = crypto_hmac(secret, sizeof(secret), &text, sizeof(text), w->mac);
    crypto_wipe(secret, sizeof(secret));
    return rc;
}

static bool is_good(struct call *c, const struct store_account *a, const struct word *shown)
{
    int64_t made = 0, now = os_time_now();
    struct word right = *shown;

    if (!a->has_password || sign(c, a, &right) != 0 ||
        !crypto_equal(right.mac, shown->mac, sizeof(right.mac)))
        return false;
    for (size_t i = 0; i < sizeof(shown->made); i++)
        made = made << 8 | shown->made[i];
    return made <= now && now - made < BROWSER_VALID_S;
}

/* The next word of the browser's, from *at on; false: there are no more. What is none is passed over. */
static bool next_word(const char **at, const char **text, struct word *w)
{
    while (*at != NULL && **at != '\0') {
        size_t len = strcspn(*at, "."), got = 0;

        *text = *at;
        *at += len + ((*at)[len] == '.');
        if (len == BROWSER_TEXT && crypto_hex_decode(*text, len, w, sizeof(*w), &got) == 0)
            return true;
    }
    return false;
}

bool browser_known(struct call *c, const struct store_account *a,
                   uint8_t name[THROTTLE_BROWSER_LEN])
{
    const char *at = c->browsers, *text;
    struct word w;

    while (next_word(&at, &text, &w)) {
        if (is_good(c, a, &w)) {
            memcpy(name, w.name, sizeof(w.name));
            return true;
        }
    }
    return false;
}

json_t *browser_remember(struct call *c)
{
    char all[BROWSER_TEXT_MAX + 1];
    const char *at = c->browsers, *text;
    uint64_t now = (uint64_t)os_time_now();
    size_t len = BROWSER_TEXT;
    struct word w;

    /* The name stays as long as the browser is known: so does its count of wrong tries. */
    if (!browser_known(c, &c->account, w.name))
        crypto_random(w.name, sizeof(w.name));
    for (size_t i = 0; i < sizeof(w.made); i++)
        w.made[i] = (uint8_t)(now >> (8 * (sizeof(w.made) - 1 - i)));
    if (sign(c, &c->account, &w) != 0)
        return NULL;
    crypto_hex_encode(&w, sizeof(w), all);
    while (len + 1 + BROWSER_TEXT < BROWSER_TEXT_MAX && next_word(&at, &text, &w)) {
        if (is_good(c, &c->account, &w))
            continue;
        all[len++] = '.';
        memcpy(all + len, text, BROWSER_TEXT);
        len += BROWSER_TEXT;
    }
    return json_stringn(all, len);
}
