/*
 * Which back end a url names.
 */
#include "server/store/store.h"

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
