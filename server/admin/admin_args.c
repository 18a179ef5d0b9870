/*
 * Arguments of operations: checked against the operation's table, read, and the checks that
 * several operations share. Every refusal names the argument.
 */
#include "server/admin/admin_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/os.h"
#include "common/timefmt.h"
#include "common/utf8.h"

#define AGO_MAX (100L * 366 * 86400)

/* ---- against the table ------------------------------------------------------------------------- */

static int check_value(struct call *c, const struct arg_spec *spec, const json_t *value)
{
    switch (spec->type) {
    case ARG_TEXT:
    case ARG_HIDDEN:
        if (!json_is_string(value))
            return fault_set(&c->f, PRA_EINVAL, "%s: must be text", spec->name);
        if (json_string_length(value) > (size_t)spec->max)
            return fault_set(&c->f, PRA_EINVAL, "%s: longer than %lld bytes", spec->name,
                             (long long)spec->max);
        if (strlen(json_string_value(value)) != json_string_length(value))
            return fault_set(&c->f, PRA_EINVAL, "%s: holds a NUL character", spec->name);
        return 0;
    case ARG_INT:
        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) > spec->max)
            return fault_set(&c->f, PRA_EINVAL, "%s: must be a number from 0 to %lld", spec->name,
                             (long long)spec->max);
        return 0;
    case ARG_BOOL:
        return json_is_boolean(value)
                   ? 0
                   : fault_set(&c->f, PRA_EINVAL, "%s: must be true or false", spec->name);
    case ARG_LIST:
        if (!json_is_array(value) || json_array_size(value) > (size_t)spec->max)
            return fault_set(&c->f, PRA_EINVAL, "%s: must be a list of at most %lld", spec->name,
                             (long long)spec->max);
        return 0;
    }
    return PRA_EINVAL;
}

const struct arg_spec *find_spec(const struct operation *op, const char *name)
{
    for (const struct arg_spec *s = op->args; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

int args_check(struct call *c)
{
    const char *name;
    json_t *value;

    json_object_foreach(c->args, name, value)
    {
        const struct arg_spec *spec = find_spec(c->op, name);
        char shown[64];

        if (spec == NULL)
            return fault_set(&c->f, PRA_EINVAL, "%s: unknown argument %s", c->op->name,
                             log_escape(shown, sizeof(shown), name, strlen(name)));
        if (!json_is_null(value) && check_value(c, spec, value) != 0)
            return PRA_EINVAL;
    }
    for (const struct arg_spec *s = c->op->args; s->name != NULL; s++) {
        value = json_object_get(c->args, s->name);
        if (s->required && (value == NULL || json_is_null(value)))
            return fault_set(&c->f, PRA_EINVAL, "%s: is missing", s->name);
    }
    return 0;
}

const char *arg_text(const struct call *c, const char *name)
{
    return json_string_value(json_object_get(c->args, name));
}

int64_t arg_int(const struct call *c, const char *name)
{
    return json_integer_value(json_object_get(c->args, name));
}

bool arg_bool(const struct call *c, const char *name)
{
    return json_is_true(json_object_get(c->args, name));
}

/* ---- shared checks ----------------------------------------------------------------------------- */

int check_name(struct call *c, const char *arg, const char *name)
{
    size_t len = strlen(name);
    char shown[POLICY_NAME_MAX * 4 + 3];
    uint32_t cp;

    if (len == 0)
        return fault_set(&c->f, PRA_EINVAL, "%s: is empty", arg);
    if (len > POLICY_NAME_MAX)
        return fault_set(&c->f, PRA_EINVAL, "%s: longer than %d bytes", arg, POLICY_NAME_MAX);
    log_escape(shown, sizeof(shown), name, len);
    if (name[0] == '-' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fault_set(&c->f, PRA_EINVAL, "%s: %s cannot be told from an option or a folder", arg,
                         shown);
    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_decode(name + i, len - i, &cp);
        if (n == 0 || !utf8_printable(cp) || cp == ' ' || cp == 0xa0 || cp == 0x3000)
            return fault_set(&c->f, PRA_EINVAL,
                             "%s: %s holds a blank or a character that cannot "
                             "be shown",
                             arg, shown);
        if (cp < 0x80 && strchr(":/@\\\"'", (int)cp) != NULL)
            return fault_set(&c->f, PRA_EINVAL, "%s: %s holds '%c', which names may not", arg,
                             shown, (char)cp);
    }
    return 0;
}

int check_label(struct call *c, const char *arg, const char *text)
{
    size_t len = strlen(text);
    bool blank = true;
    uint32_t cp;

    for (size_t i = 0, n; i < len; i += n) {
        n = utf8_decode(text + i, len - i, &cp);
        if (n == 0 || !utf8_printable(cp))
            return fault_set(&c->f, PRA_EINVAL,
                             "%s: holds a character that cannot be shown, at "
                             "byte %zu",
                             arg, i + 1);
        blank = blank && cp == ' ';
    }
    return blank ? fault_set(&c->f, PRA_EINVAL, "%s: is empty", arg) : 0;
}

int parse_when(struct call *c, const char *arg, int64_t *out)
{
    const char *text = arg_text(c, arg);
    long ago;

    if (timefmt_parse(text, out) == 0)
        return 0;
    if (conf_parse_duration(text, 0, AGO_MAX, &ago, NULL) == 0) {
        *out = os_time_now() - ago;
        return 0;
    }
    return fault_set(&c->f, PRA_EINVAL,
                     "%s: '%.40s' is no time such as 2026-11-22T10:00:00Z or 2026-11-22, and no "
                     "time ago such as 90m or 7d",
                     arg, text);
}

int parse_ahead(struct call *c, const char *arg, int64_t *out)
{
    const char *text = arg_text(c, arg);
    long ahead;

    if (timefmt_parse(text, out) == 0)
        return 0;
    if (conf_parse_duration(text, 0, AGO_MAX, &ahead, NULL) == 0) {
        *out = os_time_now() + ahead;
        return 0;
    }
    return fault_set(&c->f, PRA_EINVAL,
                     "%s: '%.40s' is no time such as 2026-11-22T10:00:00Z, and no time ahead such "
                     "as 90m or 2h",
                     arg, text);
}

void warn(struct call *c, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (c->warnings == NULL)
        c->warnings = json_array();
    json_array_append_new(c->warnings, json_text(text));
}

/* ---- results ----------------------------------------------------------------------------------- */

json_t *json_text(const char *s)
{
    json_t *v = json_string(s);
    char escaped[2048];

    return v != NULL ? v : json_string(log_escape(escaped, sizeof(escaped), s, strlen(s)));
}

json_t *json_text_or_null(const char *s)
{
    return s == NULL || s[0] == '\0' ? json_null() : json_text(s);
}

json_t *json_when(int64_t t)
{
    char text[TIMEFMT_MAX];

    return t == 0 ? json_null() : json_string(timefmt_rfc3339(t, text));
}

int give(struct call *c, json_t *result)
{
    if (result == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory for the answer");
    json_decref(c->result);
    c->result = result;
    return 0;
}
