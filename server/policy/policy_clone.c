/* The words for what is done about clones; prad.ini has them, too. */
#include <string.h>

#include "server/policy/policy.h"

static const char *const clone_words[] = {
#define X(id, word) [id] = word,
    POLICY_CLONE_MAP(X)
#undef X
};

const char *policy_clone_word(enum policy_clone c)
{
    return (unsigned)c < POLICY_CLONE_COUNT ? clone_words[c] : "";
}

int policy_clone_parse(const char *word, enum policy_clone *out)
{
    for (int i = 0; i < POLICY_CLONE_COUNT; i++) {
        if (strcmp(word, clone_words[i]) == 0) {
            *out = (enum policy_clone)i;
            return 0;
        }
    }
    return PRA_EINVAL;
}
