/* Takes secrets out of text, line by line; see redact.h. */
#include "client/redact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MARK_LEN (sizeof(REDACT_MARK) - 1)

static const char *const words[] = {"passphrase", "password", "passwd",        "passcode", "token",
                                    "secret",     "api_key",  "authorization", "cookie"};

static const char pem_begin[] = "-----BEGIN", pem_end[] = "-----END";

struct output {
    char *data;
    size_t len, room;
    bool failed;
};

static void put(struct output *o, const char *data, size_t len)
{
    if (o->failed || len == 0)
        return;
    if (o->room - o->len <= len) {
        size_t room = (o->len + len + 1) * 2;
        char *more = realloc(o->data, room);

        if (more == NULL) {
            o->failed = true;
            return;
        }
        o->data = more;
        o->room = room;
    }
    memcpy(o->data + o->len, data, len);
    o->len += len;
}

/* Where the value of a secret word begins in the line, or `len` when there is none. */
static size_t find_secret(const char *line, size_t len)
{
    size_t first = len;

    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
        size_t n = strlen(words[w]);

        for (size_t i = 0; i + n < len && i < first; i++) {
            size_t at = i + n;

            if (strncasecmp(line + i, words[w], n) != 0)
                continue;
            while (at < len && (line[at] == ' ' || line[at] == '"' || line[at] == '\''))
                at++;
            if (at < len && (line[at] == '=' || line[at] == ':') && at + 1 < len)
                first = at + 1;
        }
    }
    return first;
}

/* "://name:password@host": [begin, end) of what stands before the '@'. False when there is none. */
static bool find_userinfo(const char *line, size_t len, size_t *begin, size_t *end)
{
    const char *scheme = memmem(line, len, "://", 3);
    size_t at, stop;

    if (scheme == NULL)
        return false;
    *begin = (size_t)(scheme - line) + 3;
    for (stop = *begin; stop < len && strchr(" /?#\t\"'", line[stop]) == NULL; stop++)
        continue;
    for (at = stop; at > *begin && line[at - 1] != '@'; at--)
        continue;
    if (at == *begin)
        return false;
    *end = at - 1;
    return true;
}

/* One line without its newline. Returns whether something was taken out. */
static bool redact_line(struct output *o, const char *line, size_t len)
{
    size_t secret = find_secret(line, len), left = secret, begin, end;
    bool changed = secret < len;

    while (find_userinfo(line, left, &begin, &end)) {
        put(o, line, begin);
        put(o, REDACT_MARK, MARK_LEN);
        line += end;
        left -= end;
        changed = true;
    }
    put(o, line, left);
    if (secret < len)
        put(o, REDACT_MARK, MARK_LEN);
    return changed;
}

char *redact_text(const char *text, size_t len, size_t *out_len, size_t *lines)
{
    struct output o = {.data = NULL};
    bool in_key = false;

    *lines = 0;
    put(&o, "", 1); /* so that an empty text has a buffer, too */
    o.len = 0;
    while (len > 0 && !o.failed) {
        const char *newline = memchr(text, '\n', len);
        size_t n = newline != NULL ? (size_t)(newline - text) : len;
        bool begins = memmem(text, n, pem_begin, sizeof(pem_begin) - 1) != NULL &&
                      memmem(text, n, "PRIVATE KEY", 11) != NULL;

        if (in_key || begins) {
            if (begins)
                put(&o, REDACT_MARK "\n", MARK_LEN + 1);
            in_key = memmem(text, n, pem_end, sizeof(pem_end) - 1) == NULL;
            (*lines)++;
        } else {
            *lines += redact_line(&o, text, n) ? 1 : 0;
            put(&o, "\n", newline != NULL ? 1 : 0);
        }
        text += n + (newline != NULL);
        len -= n + (newline != NULL);
    }
    if (o.failed) {
        free(o.data);
        return NULL;
    }
    o.data[o.len] = '\0';
    *out_len = o.len;
    return o.data;
}
