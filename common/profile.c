/* Connection profiles: see profile.h. The lines are conf.c's, so there is no parser here. */
#include "common/profile.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/utf8.h"

#define FINGERPRINT_PREFIX "SHA256:"
#define FINGERPRINT_DIGITS 43 /* base64 of 32 bytes without padding */
#define EXCERPT_MAX        96 /* of a value, in an error */

/* A refused value as an error may show it: escaped, and cut between letters. */
static const char *excerpt(char dst[EXCERPT_MAX], const char *value)
{
    log_escape(dst, EXCERPT_MAX, value, strlen(value));
    return dst;
}

int profile_check_fingerprint(const char *text, struct fault *f)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t prefix = strlen(FINGERPRINT_PREFIX);
    char shown[EXCERPT_MAX];

    if (strncmp(text, FINGERPRINT_PREFIX, prefix) != 0 ||
        strlen(text + prefix) != FINGERPRINT_DIGITS ||
        strspn(text + prefix, digits) != FINGERPRINT_DIGITS)
        return fault_set(f, PRA_EINVAL,
                         "'%s' is not a fingerprint: SHA256: and %d characters are expected",
                         excerpt(shown, text), FINGERPRINT_DIGITS);
    return 0;
}

/* UTF-8 of letters that are seen, and stand where they are: others would let a name hide what it is. */
static bool is_seen(const char *text)
{
    uint32_t cp = ' ';

    for (size_t left = strlen(text), n; left > 0; text += n, left -= n)
        if ((n = utf8_decode(text, left, &cp)) == 0 || !utf8_printable(cp))
            return false;
    return true;
}

int profile_check_user(const char *text, struct fault *f)
{
    size_t len = strlen(text);

    if (len > PROFILE_USER_MAX)
        return fault_set(f, PRA_EINVAL, "the user name is longer than %d bytes", PROFILE_USER_MAX);
    if (!is_seen(text) || strchr(text, ' ') != NULL)
        return fault_set(f, PRA_EINVAL,
                         "a user name holds no blanks, control characters or letters that are not "
                         "seen");
    return 0;
}

int profile_check_name(const char *text, struct fault *f)
{
    size_t len = strlen(text);

    if (len > PROFILE_NAME_MAX)
        return fault_set(f, PRA_EINVAL, "the name is longer than %d bytes", PROFILE_NAME_MAX);
    if (!utf8_valid(text, len))
        return fault_set(f, PRA_EINVAL, "the name is not UTF-8 text");
    if (!is_seen(text))
        return fault_set(f, PRA_EINVAL,
                         "the name holds a control character, or one that is not seen or turns the "
                         "direction of writing around");
    return 0;
}

static int set_server(void *target, const char *value, struct fault *f)
{
    struct profile *p = target;
    char shown[EXCERPT_MAX];

    if (addr_parse_host_port(value, PROFILE_DEFAULT_PORT, &p->server, &p->port) != 0)
        return fault_set(f, PRA_EINVAL, "'%s' is not HOST or HOST:PORT", excerpt(shown, value));
    return 0;
}

static int set_fingerprint(void *target, const char *value, struct fault *f)
{
    struct profile *p = target;
    int rc = profile_check_fingerprint(value, f);

    if (rc == 0)
        snprintf(p->fingerprint, sizeof(p->fingerprint), "%s", value);
    return rc;
}

static int set_user(void *target, const char *value, struct fault *f)
{
    struct profile *p = target;
    int rc = profile_check_user(value, f);

    if (rc == 0 && value[0] == '\0')
        return fault_set(f, PRA_EINVAL, "is empty");
    if (rc == 0)
        snprintf(p->user, sizeof(p->user), "%s", value);
    return rc;
}

static int set_name(void *target, const char *value, struct fault *f)
{
    struct profile *p = target;
    int rc = profile_check_name(value, f);

    if (rc == 0)
        snprintf(p->name, sizeof(p->name), "%s", value);
    return rc;
}

static const struct conf_key keys[] = {
    {"profile", "server", set_server},
    {"profile", "fingerprint", set_fingerprint},
    {"profile", "user", set_user},
    {"profile", "name", set_name},
    {NULL, NULL, NULL},
};

int profile_load(const char *path, struct profile *out, struct fault *f)
{
    struct profile p = {0};
    const char *missing = NULL;
    int rc = conf_load(path, keys, &p, f);

    if (rc != 0)
        return rc;
    if (p.port == 0)
        missing = "server";
    else if (p.fingerprint[0] == '\0')
        missing = "fingerprint";
    else if (p.user[0] == '\0')
        missing = "user";
    if (missing != NULL)
        return fault_set(f, PRA_EINVAL, "%s: [profile] %s is missing", path, missing);
    *out = p;
    return 0;
}

/* Would inih give `text` back as it is? It cuts blanks, and a comment that a blank stands before. */
static bool survives(const char *text)
{
    size_t len = strlen(text);

    return len == 0 ||
           (strchr(" \t", text[0]) == NULL && strchr(" \t", text[len - 1]) == NULL &&
            text[0] != ';' && strstr(text, " ;") == NULL && strstr(text, "\t;") == NULL);
}

int profile_format(const struct profile *p, char dst[PROFILE_TEXT_MAX], size_t *len,
                   struct fault *f)
{
    bool v6 = p->server.is_ip && p->server.ip.family == 6;
    int n, rc = profile_check_fingerprint(p->fingerprint, f);

    if (rc == 0)
        rc = profile_check_user(p->user, f);
    if (rc == 0)
        rc = profile_check_name(p->name, f);
    if (rc != 0)
        return rc;
    if (p->server.name[0] == '\0' || p->port == 0 || p->user[0] == '\0')
        return fault_set(f, PRA_EINVAL, "a profile needs a server and a user");
    if (!survives(p->user) || !survives(p->name))
        return fault_set(f, PRA_EINVAL,
                         "'%s' cannot stand in a profile: no blanks at its ends, no ';' in front "
                         "or behind a blank",
                         survives(p->user) ? p->name : p->user);
    n = snprintf(dst, PROFILE_TEXT_MAX,
                 "; PRA connection profile: open it with PRA. It holds no secret.\n"
                 "[profile]\nserver = %s%s%s:%u\nfingerprint = %s\nuser = %s\n%s%s%s",
                 v6 ? "[" : "", p->server.name, v6 ? "]" : "", p->port, p->fingerprint, p->user,
                 p->name[0] != '\0' ? "name = " : "", p->name, p->name[0] != '\0' ? "\n" : "");
    if (n < 0 || n >= PROFILE_TEXT_MAX)
        return fault_set(f, PRA_EINVAL, "the profile is longer than %d bytes", PROFILE_TEXT_MAX);
    *len = (size_t)n;
    return 0;
}
