/*
 * Which back end a url names.
 */
#include "server/store/store.h"

#include <stdio.h>
#include <string.h>

#include "server/store/store_sqlite.h"

int store_open(const char *url, bool create, struct store **out, struct fault *f)
{
    if (strncmp(url, "sqlite:", 7) == 0 && url[7] != '\0')
        return store_sqlite_open(url + 7, create, out, f);
    if (strcmp(url, "ram:") == 0)
        return store_sqlite_open(NULL, true, out, f);
    return fault_set(f, PRA_EINVAL, "store url '%.80s' is not sqlite:PATH", url);
}

void store_close(struct store *s)
{
    if (s != NULL)
        s->ops->close(s);
}

bool store_is_touched(const struct store *s, bool is_group, const char *owner)
{
    const struct store_touched *t = &s->touched;

    for (size_t i = 0; i < t->count; i++) {
        if (t->owner[i].is_group == is_group && strcmp(t->owner[i].name, owner) == 0)
            return true;
    }
    return t->all;
}

void store_touch(struct store *s, bool is_group, const char *owner)
{
    struct store_touched *t = &s->touched;

    if (store_is_touched(s, is_group, owner))
        return;
    if (t->count == STORE_TOUCHED_MAX) {
        t->all = true;
        return;
    }
    t->owner[t->count].is_group = is_group;
    snprintf(t->owner[t->count].name, sizeof(t->owner[0].name), "%s", owner);
    t->count++;
}
