/* The system's part of secmem.h: secmem_posix.c, secmem_win.c. */
#ifndef PRA_COMMON_SECMEM_INTERNAL_H
#define PRA_COMMON_SECMEM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

size_t secmem_page_size(void);
/* Address space of whole pages that cannot be touched yet; NULL if there is none. */
void *secmem_reserve(size_t len);
/*
 * Makes some of it memory: zeroed, neither written to disk nor dumped nor inherited as far as the system
 * does that. False without memory; *lock_error is an errno if it could not be locked.
 */
bool secmem_commit(void *p, size_t len, int *lock_error);
/* Gives all of secmem_reserve() back; unlocks, too. */
void secmem_release(void *all, size_t len);

#endif
