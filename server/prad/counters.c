/* Exact numbers of what happened; see counters.h. */
#include "server/prad/counters.h"

#include <string.h>

static const char *const words[] = {
#define X(id, word) [id] = word,
    COUNTERS_LOGIN_MAP(X)
#undef X
};

const char *counters_login_word(enum counters_login result)
{
    return words[result];
}

static enum counters_login refusal(const char *reason)
{
    for (unsigned i = LOGIN_ACCEPTED + 1; i < LOGIN_OTHER; i++)
        if (strcmp(words[i], reason) == 0)
            return (enum counters_login)i;
    return LOGIN_OTHER;
}

void counters_note(struct counters *c, enum audit_kind kind, const char *reason)
{
    atomic_fetch_add(&c->event[kind], 1);
    if (kind == AUDIT_LOGIN)
        atomic_fetch_add(&c->login[LOGIN_ACCEPTED], 1);
    else if (kind == AUDIT_LOGIN_REFUSED)
        atomic_fetch_add(&c->login[refusal(reason)], 1);
}
