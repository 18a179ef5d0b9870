/*
 * A byte queue with a ceiling: append at the end, take from the front. Memory grows in steps up
 * to `cap` (a third more while the queue is full and moving) and is given back when the queue
 * runs empty, so that an idle connection keeps none.
 */
#ifndef PRA_COMMON_BUF_H
#define PRA_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct buf {
    uint8_t *data;
    size_t start;
    size_t len;      /* bytes queued, from data + start */
    size_t alloc;    /* bytes allocated */
    size_t cap;      /* ceiling for len */
    size_t searched; /* bytes at the front in which buf_find() found nothing */
};

void buf_init(struct buf *b, size_t cap);
void buf_free(struct buf *b);

/* Appends all or nothing. Returns 0, PRA_EFULL, PRA_ENOMEM. */
int buf_append(struct buf *b, const void *data, size_t len);
/*
 * Room for `want` bytes behind the end (fewer near the ceiling): sets *room and returns where to
 * write, NULL if full or out of memory. Follow with buf_commit(n), n <= *room.
 */
uint8_t *buf_reserve(struct buf *b, size_t want, size_t *room);
void buf_commit(struct buf *b, size_t n);

/* The first byte queued; NULL when the queue is empty. */
static inline const uint8_t *buf_head(const struct buf *b)
{
    return b->data ? b->data + b->start : NULL;
}
/* Drops `n` <= len bytes from the front; frees the memory when nothing is left. */
void buf_consume(struct buf *b, size_t n);

/*
 * Looks for the first `byte` in the queue; *at counts from the head. What was searched in vain is
 * not searched again when more has been appended, so always look for the same byte in one queue.
 */
bool buf_find(struct buf *b, uint8_t byte, size_t *at);

#endif
