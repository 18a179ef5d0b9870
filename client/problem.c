/* Problems as JSON and as log text; see problem.h. */
#include "client/problem.h"

#include <stdio.h>

#include "common/i18n.h"

void problem_clear(struct problem *p)
{
    *p = (struct problem){.id = MSG_NONE};
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static struct msg_args args_of(const struct problem *p)
{
    return (struct msg_args){.server = or_null(p->server),
                             .user = or_null(p->user),
                             .detail = or_null(p->detail),
                             .name = or_null(p->name),
                             .target = or_null(p->target),
                             .seconds = or_null(p->seconds)};
}

json_t *problem_json(const struct problem *p)
{
    struct msg_args a = args_of(p);
    struct msg_text text;
    json_t *args;

    if (p->id == MSG_NONE)
        return json_null();
    msg_format(p->id, i18n_lang(), &a, &text);
    args = json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "server", a.server, "user", a.user,
                     "detail", a.detail, "name", a.name, "target", a.target, "seconds", a.seconds);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "code", text.code, "message", text.title,
                     "cause", text.cause, "remedy", text.remedy, "id", msg_name(p->id), "args",
                     args);
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

enum msg_id problem_read(const json_t *error, struct msg_args *args)
{
    const char *name = member(error, "id");
    const json_t *values = json_object_get(error, "args");

    *args = (struct msg_args){
        .server = member(values, "server"),
        .user = member(values, "user"),
        .port = member(values, "port"),
        .program = member(values, "program"),
        .pid = member(values, "pid"),
        .target = member(values, "target"),
        .detail = member(values, "detail"),
        .seconds = member(values, "seconds"),
        .name = member(values, "name"),
    };
    return name != NULL ? msg_find(name) : MSG_NONE;
}

const char *problem_text(const struct problem *p, char dst[PROBLEM_TEXT_MAX])
{
    struct msg_args a = args_of(p);
    struct msg_text text;

    msg_format(p->id, i18n_lang(), &a, &text);
    (void)snprintf(dst, PROBLEM_TEXT_MAX, "%s %s: %s", text.code, text.title, text.cause);
    return dst;
}
