/*
 * Fuzz target: chained log files as a helpdesk gets them. A refusal names file and line; what is
 * good lies within the file; a chain that is accepted carries on as many lines as it counts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/chainlog_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chain_walk w = {0};
    struct chain_walk second = {0};
    struct chainlog_head told;
    struct fault f = {0};
    int rc = chain_walk_text(&w, "f", (const char *)data, size, &f);

    if (w.good > size)
        abort();
    if (rc != 0) {
        if (rc != PRA_ECORRUPT || strncmp(f.text, "f:", 2) != 0)
            abort();
        return 0;
    }
    if (w.unfinished || w.good != size)
        abort();
    /* The head that was found is found again when it is looked for, and no other one. */
    told = w.head;
    second.told = &told;
    if (size > 0 &&
        (chain_walk_text(&second, "f", (const char *)data, size, &f) != 0 || !second.told_found))
        abort();
    told.hash[0] ^= 1;
    second = (struct chain_walk){.told = &told};
    if (size > 0 && chain_walk_text(&second, "f", (const char *)data, size, &f) != PRA_ECORRUPT)
        abort();
    return 0;
}
