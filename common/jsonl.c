/*
 * JSON lines by jansson. Before a line is parsed its nesting is counted, since jansson recurses
 * and its own limit is 2048; a duplicate member is an error, since two readers may pick different
 * ones; a NUL inside a string is an error, since C would see half of it.
 */
#include "common/jsonl.h"

#include <stdlib.h>
#include <string.h>

/* Deepest nesting of a line. Brackets within strings do not count. */
static unsigned nesting(const char *text, size_t len)
{
    unsigned depth = 0;
    unsigned deepest = 0;
    bool quoted = false;

    for (size_t i = 0; i < len; i++) {
        char ch = text[i];

        if (quoted) {
            if (ch == '\\')
                i++;
            else if (ch == '"')
                quoted = false;
        } else if (ch == '"') {
            quoted = true;
        } else if (ch == '{' || ch == '[') {
            if (++depth > deepest)
                deepest = depth;
        } else if ((ch == '}' || ch == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

static int parse(const char *text, size_t len, json_t **out, struct fault *f)
{
    json_error_t error;
    json_t *value;

    if (nesting(text, len) > JSONL_DEPTH_MAX)
        return fault_set(f, PRA_EINVAL, "the message nests deeper than %d levels", JSONL_DEPTH_MAX);
    value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!value && json_error_code(&error) == json_error_out_of_memory)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    if (!value)
        /* jansson quotes the input in its sentence; only the place is safe to repeat. */
        return fault_set(f, PRA_EINVAL, "the message is no valid JSON (byte %d)", error.position);
    if (!json_is_object(value)) {
        json_decref(value);
        return fault_set(f, PRA_EINVAL, "the message is no JSON object");
    }
    *out = value;
    return 0;
}

int jsonl_next(struct buf *in, size_t max, json_t **out, struct fault *f)
{
    size_t len;
    bool whole = buf_find(in, '\n', &len);
    int rc;

    if (!whole)
        len = in->len;
    if (len > max) {
        buf_consume(in, whole ? len + 1 : len);
        return fault_set(f, PRA_ETOOBIG, "the message is longer than %zu bytes", max);
    }
    if (!whole)
        return PRA_EAGAIN;
    rc = parse((const char *)buf_head(in), len, out, f);
    buf_consume(in, len + 1);
    return rc;
}

/* Twice over the object, and no buffer that grows: a line may hold a passphrase, and growing would
   leave pieces of it behind. */
char *jsonl_encode(const json_t *object, size_t *len)
{
    size_t n = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *line = n > 0 ? malloc(n + 2) : NULL;

    if (!line)
        return NULL;
    if (json_dumpb(object, line, n, JSON_COMPACT) != n) {
        /* No memory to look for loops with: the rest of the line is what was in the heap before. */
        free(line);
        return NULL;
    }
    line[n] = '\n';
    line[n + 1] = '\0';
    *len = n + 1;
    return line;
}

int jsonl_append(struct buf *out, const json_t *object)
{
    size_t len;
    char *line = jsonl_encode(object, &len);
    int rc;

    if (!line)
        return PRA_ENOMEM;
    rc = buf_append(out, line, len);
    free(line);
    return rc;
}

/* A member that is there and not null. */
static const json_t *present(const json_t *o, const char *key)
{
    const json_t *value = json_object_get(o, key);

    return json_is_null(value) ? NULL : value;
}

static int missing(const char *key, struct fault *f)
{
    return fault_set(f, PRA_EINVAL, "member '%s' is missing", key);
}

int jsonl_opt_string(const json_t *o, const char *key, size_t max, const char **out,
                     struct fault *f)
{
    const json_t *value = present(o, key);
    const char *text;
    size_t len;

    if (!value)
        return 0;
    if (!json_is_string(value))
        return fault_set(f, PRA_EINVAL, "member '%s' is not a string", key);
    text = json_string_value(value);
    len = json_string_length(value);
    if (len > max)
        return fault_set(f, PRA_EINVAL, "member '%s' is longer than %zu bytes", key, max);
    if (strlen(text) != len)
        return fault_set(f, PRA_EINVAL, "member '%s' holds a NUL character", key);
    *out = text;
    return 0;
}

int jsonl_get_string(const json_t *o, const char *key, size_t max, const char **out,
                     struct fault *f)
{
    return present(o, key) ? jsonl_opt_string(o, key, max, out, f) : missing(key, f);
}

int jsonl_opt_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out,
                  struct fault *f)
{
    const json_t *value = present(o, key);
    int64_t number;

    if (!value)
        return 0;
    if (!json_is_integer(value))
        return fault_set(f, PRA_EINVAL, "member '%s' is not a whole number", key);
    number = json_integer_value(value);
    if (number < min || number > max)
        return fault_set(f, PRA_EINVAL, "member '%s' is not within %lld to %lld", key,
                         (long long)min, (long long)max);
    *out = number;
    return 0;
}

int jsonl_get_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out,
                  struct fault *f)
{
    return present(o, key) ? jsonl_opt_int(o, key, min, max, out, f) : missing(key, f);
}

int jsonl_opt_bool(const json_t *o, const char *key, bool *out, struct fault *f)
{
    const json_t *value = present(o, key);

    if (!value)
        return 0;
    if (!json_is_boolean(value))
        return fault_set(f, PRA_EINVAL, "member '%s' is not true or false", key);
    *out = json_is_true(value);
    return 0;
}

int jsonl_get_bool(const json_t *o, const char *key, bool *out, struct fault *f)
{
    return present(o, key) ? jsonl_opt_bool(o, key, out, f) : missing(key, f);
}
