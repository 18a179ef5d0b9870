/* What the kernel says about a page of this process. For unit tests. */
#ifndef PRA_TESTS_UNIT_SMAPS_H
#define PRA_TESTS_UNIT_SMAPS_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SMAPS_FLAGS_MAX 128

/* The sanitizers turn mlock() into nothing (they map terabytes). */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SMAPS_LOCKS false
#else
#define SMAPS_LOCKS true
#endif

/*
 * The flags of the mapping that holds `p` (" rd wr mr mw me lo ac dd wf", see proc(5)); "" if
 * nothing is mapped there.
 */
static inline void smaps_flags(const void *p, char dst[SMAPS_FLAGS_MAX])
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    uintptr_t from, to;
    bool inside = false;
    char line[512];

    dst[0] = '\0';
    if (maps == NULL)
        return;
    while (fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            inside = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(dst, SMAPS_FLAGS_MAX, "%.127s", line + 8);
    }
    fclose(maps);
}

#endif
