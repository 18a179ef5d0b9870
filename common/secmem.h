/*
 * Memory for secrets that live longer than one function: pages of their own between two that
 * cannot be touched, kept out of swap, core dumps and the memory of child processes. Any thread.
 */
#ifndef PRA_COMMON_SECMEM_H
#define PRA_COMMON_SECMEM_H

#include <stddef.h>

/*
 * Zeroed memory for `len` > 0 bytes, NULL if there is none. A system that will not lock it
 * (RLIMIT_MEMLOCK) gives it unlocked; secmem_lock_error() tells. Costs whole pages: for a few
 * secrets, not for many.
 */
void *secmem_new(size_t len);

/* Wipes and gives back. NULL is fine. */
void secmem_free(void *p);

/* Why (errno) a lock was refused first in this process; 0 while none was. */
int secmem_lock_error(void);

#endif
