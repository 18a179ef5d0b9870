/* Local ports that connected PCs could not open, by port and program: the port plan's other half. */
#include <stdlib.h>
#include <string.h>

#include "server/prad/live_internal.h"

#define GROUPS_MAX      1000 /* different (port, state, program) in an answer */
#define GROUP_USERS_MAX 10

/* The group of a port, made if there is room. Borrowed; NULL = there is none. */
static json_t *group_of(json_t *groups, const json_t *port)
{
    const char *local = json_string_value(json_object_get(port, "local"));
    const char *state = json_string_value(json_object_get(port, "state"));
    const char *program = json_string_value(json_object_get(port, "program"));
    char name[2048];
    if (!local || !state || !program ||
        snprintf(name, sizeof(name), "%s\n%s\n%s", local, state, program) >= (int)sizeof(name))
        return NULL;
    json_t *g = json_object_get(groups, name);
    if (g || json_object_size(groups) >= GROUPS_MAX)
        return g;
    g = json_pack("{s:s, s:s, s:s, s:i, s:[]}", "local", local, "state", state, "program", program,
                  "pcs", 0, "users");
    return json_object_set_new(groups, name, g) == 0 ? g : NULL;
}

static void count(json_t *groups, const struct live_entry *e)
{
    size_t i;
    json_t *port;
    json_array_foreach(e->ports, i, port)
    {
        json_t *g = group_of(groups, port), *users = json_object_get(g, "users");
        if (!g)
            continue;
        json_object_set_new(g, "pcs",
                            json_integer(json_integer_value(json_object_get(g, "pcs")) + 1));
        if (json_array_size(users) < GROUP_USERS_MAX)
            json_array_append_new(users, json_string(e->user));
    }
}

static int by_pcs(const void *va, const void *vb)
{
    json_int_t a = json_integer_value(json_object_get(*(json_t *const *)va, "pcs"));
    json_int_t b = json_integer_value(json_object_get(*(json_t *const *)vb, "pcs"));
    return (a < b) - (a > b);
}

json_t *live_ports(struct live *l)
{
    json_t *groups = json_object(), *list = json_array(), *sorted[GROUPS_MAX], *g;
    const char *name;
    size_t n = 0;
    pthread_mutex_lock(&l->lock);
    for (const struct live_entry *e = l->head; groups && e; e = e->next)
        count(groups, e);
    pthread_mutex_unlock(&l->lock);
    json_object_foreach(groups, name, g) sorted[n++] = g;
    qsort(sorted, n, sizeof(sorted[0]), by_pcs);
    for (size_t i = 0; i < n; i++)
        json_array_append(list, sorted[i]);
    json_decref(groups);
    return list;
}
