/* secmem.h: pages between two guards. In front of the caller's bytes stands how many there are. */
#include "common/secmem.h"

#include <stdatomic.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/secmem_internal.h"

#define HEAD_LEN 64u /* keeps what follows aligned for anything */

struct head {
    size_t len; /* of the pages between the two guards */
};

static _Atomic int lock_error;

int secmem_lock_error(void)
{
    return atomic_load(&lock_error);
}

void *secmem_new(size_t len)
{
    size_t page = secmem_page_size();
    int none = 0, error = 0;
    struct head *head;
    uint8_t *all;

    if (len > SIZE_MAX / 2 - HEAD_LEN - 3 * page)
        return NULL;
    len = (len + HEAD_LEN + page - 1) / page * page;
    /* What is reserved and not committed cannot be touched: the guards. */
    all = secmem_reserve(len + 2 * page);
    if (all == NULL)
        return NULL;
    if (!secmem_commit(all + page, len, &error)) {
        secmem_release(all, len + 2 * page);
        return NULL;
    }
    if (error != 0)
        (void)atomic_compare_exchange_strong(&lock_error, &none, error);
    head = (struct head *)(void *)(all + page);
    head->len = len;
    return all + page + HEAD_LEN;
}

void secmem_free(void *p)
{
    size_t page = secmem_page_size(), len;
    uint8_t *first;

    if (p == NULL)
        return;
    first = (uint8_t *)p - HEAD_LEN;
    len = ((struct head *)(void *)first)->len;
    crypto_wipe(first, len);
    secmem_release(first - page, len + 2 * page);
}
