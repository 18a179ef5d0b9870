/* The byte queue of buf.h: one block of memory, moved to its front before it grows. */
#include "common/buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ALLOC 4096u

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){.cap = cap};
}

void buf_free(struct buf *b)
{
    free(b->data);
    buf_init(b, b->cap);
}

/* A block of `need` bytes at least. Returns 0, PRA_ENOMEM. */
static int grow(struct buf *b, size_t need)
{
    size_t alloc = b->alloc > 0 ? b->alloc : FIRST_ALLOC;
    uint8_t *data;

    while (alloc < need && alloc < b->cap)
        alloc *= 2;
    if (alloc > b->cap)
        alloc = b->cap;
    if (alloc < need)
        alloc = b->cap + b->cap / 3 + 1;
    data = realloc(b->data, alloc);
    if (!data)
        return PRA_ENOMEM;
    b->data = data;
    b->alloc = alloc;
    return 0;
}

/*
 * Bytes are moved only when a quarter of the block or more was consumed in front of them, so that
 * a queue that stays nearly full costs at most three bytes moved for each byte consumed. For that
 * the block may be a third larger than the ceiling: with less than a quarter in front,
 * start + len + want < alloc / 4 + cap, which is at most 4/3 cap.
 */
uint8_t *buf_reserve(struct buf *b, size_t want, size_t *room)
{
    size_t space = b->cap - b->len;

    if (want > space)
        want = space;
    if (want == 0)
        return NULL;
    if (want > b->alloc - b->start - b->len && b->start > 0 && b->start >= b->alloc / 4) {
        memmove(b->data, b->data + b->start, b->len);
        b->start = 0;
    }
    if (want > b->alloc - b->start - b->len && grow(b, b->start + b->len + want) != 0)
        return NULL;
    *room = want;
    return b->data + b->start + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
    b->len += n;
    if (b->len == 0)
        buf_free(b);
}

int buf_append(struct buf *b, const void *data, size_t len)
{
    size_t room;
    uint8_t *dst;

    if (len == 0)
        return 0;
    if (len > b->cap - b->len)
        return PRA_EFULL;
    dst = buf_reserve(b, len, &room);
    if (!dst)
        return PRA_ENOMEM;
    memcpy(dst, data, len);
    buf_commit(b, len);
    return 0;
}

void buf_consume(struct buf *b, size_t n)
{
    b->start += n;
    b->len -= n;
    b->searched = b->searched > n ? b->searched - n : 0;
    if (b->len == 0)
        buf_free(b);
}

bool buf_find(struct buf *b, uint8_t byte, size_t *at)
{
    const uint8_t *found = NULL;

    if (b->searched < b->len)
        found = memchr(b->data + b->start + b->searched, byte, b->len - b->searched);
    if (!found) {
        b->searched = b->len;
        return false;
    }
    *at = (size_t)(found - (b->data + b->start));
    b->searched = *at;
    return true;
}
