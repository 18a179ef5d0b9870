/*
 * Which part of a list somebody wants to see: what the store, the registry of sessions and the
 * operations of administration understand alike.
 */
#ifndef PRA_SERVER_LISTING_H
#define PRA_SERVER_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#define LIST_PART_MAX 10000 /* the largest limit that can be asked for */

/* NULL means "not asked for". Texts are borrowed. */
struct listing {
    const char *name;         /* exactly this one */
    const char *user, *group; /* that belong to it */
    const char *state;        /* a word of this list */
    const char *search;       /* a piece of what is shown; case of ASCII letters aside */
    const char *sort;         /* a word of this list; NULL: its usual order */
    bool descending;          /* of `sort` */
    int64_t limit;            /* 0 = all */
    int64_t offset;           /* so many are passed over */
};

#endif
