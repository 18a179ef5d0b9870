/*
 * What all lists have in common: their arguments, how much is given at once, and what is said about
 * the rest ("page" beside the result). An account sees at most LIST_MAX entries at once, so that no
 * page of the portal holds up what else prad's keeper does; the console may have all.
 */
#include "server/admin/admin_internal.h"

#include <stdlib.h>
#include <string.h>

int list_read(struct call *c, struct listing *l)
{
    const char *sort = arg_text(c, "sort"), *search = arg_text(c, "search");

    memset(l, 0, sizeof(*l));
    l->descending = sort != NULL && sort[0] == '-';
    l->sort = l->descending ? sort + 1 : sort;
    l->search = search != NULL && search[0] != '\0' ? search : NULL;
    l->name = arg_text(c, "name");
    l->user = arg_text(c, "user");
    l->group = arg_text(c, "group");
    l->state = arg_text(c, "state");
    l->limit = arg_int(c, "limit");
    l->offset = arg_int(c, "offset");
    if (json_is_integer(json_object_get(c->args, "limit")) &&
        (l->limit == 0 || (c->account.id != 0 && l->limit > LIST_MAX)))
        return fault_set(&c->f, PRA_EINVAL, "limit: must be a number from 1 to %d", LIST_MAX);
    if (l->limit == 0 && c->account.id != 0)
        l->limit = LIST_MAX;
    return 0;
}

int list_give(struct call *c, const struct listing *l, json_t *list, int64_t total, int rc)
{
    uint64_t generation = 0;

    if (rc == 0)
        rc = c->a->store->ops->generation(c->a->store, &generation, &c->f);
    if (rc != 0) {
        json_decref(list);
        return rc == PRA_ENOMEM ? fault_set(&c->f, rc, "no memory for the list") : rc;
    }
    json_decref(c->page);
    c->page = json_pack("{s:I, s:I, s:o, s:I}", "total", (json_int_t)total, "offset",
                        (json_int_t)l->offset, "limit",
                        l->limit > 0 ? json_integer(l->limit) : json_null(), "generation",
                        (json_int_t)generation);
    return give(c, list);
}

int list_cut(struct call *c, const struct listing *l, json_t *list, int rc)
{
    size_t total = json_array_size(list);
    size_t from = (uint64_t)l->offset < total ? (size_t)l->offset : total, count = total - from;
    json_t *part = json_array();

    if (l->limit > 0 && (uint64_t)l->limit < count)
        count = (size_t)l->limit;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = json_array_append(part, json_array_get(list, from + i)) == 0 ? 0 : PRA_ENOMEM;
    json_decref(list);
    return list_give(c, l, part, (int64_t)total, rc);
}
