/* The table of cause.h. */
#include "client/cause.h"

static const struct {
    enum msg_id msg;
    enum cause_policy policy;
    const char *word;
} table[CAUSE_COUNT] = {
#define X(id, msg, policy, word) [id] = {msg, policy, word},
    CAUSE_MAP(X)
#undef X
};

enum msg_id cause_msg(enum cause c)
{
    return table[c].msg;
}

const char *cause_word(enum cause c)
{
    return table[c].word;
}

bool cause_retries(enum cause c, bool stood)
{
    return table[c].policy == CAUSE_RETRIES || (table[c].policy == CAUSE_DEPENDS && stood);
}

bool cause_asks(enum cause c)
{
    return table[c].policy == CAUSE_ASKS;
}

bool cause_is_absence(enum cause c)
{
    return cause_retries(c, true) && c != CAUSE_PROXY && c != CAUSE_SHUTDOWN;
}
