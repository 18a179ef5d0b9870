/*
 * Bounded blocking steps of the network for `pra check`: look a name up, connect, exchange a few
 * bytes. Every step ends by its deadline whatever the other side does.
 */
#ifndef PRA_CLIENT_DIAL_H
#define PRA_CLIENT_DIAL_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define DIAL_ADDRESSES_MAX 8

struct dial_addresses {
    struct addr_ip ip[DIAL_ADDRESSES_MAX];
    size_t count;
};

/*
 * Addresses of a host; an address stands for itself. The lookup runs on a thread of its own that is
 * left behind when the system's resolver does not come back in time. Returns 0, PRA_ENOENT (the
 * name is not known), PRA_ETIMEOUT, PRA_EIO, with a sentence.
 */
int dial_resolve(const struct addr_host *host, int timeout_ms, struct dial_addresses *out,
                 struct fault *f);

/*
 * Connects to the first address that answers; *used is its index. Returns 0 and a non-blocking
 * descriptor, PRA_ETIMEOUT, PRA_ECLOSED (refused), PRA_EIO, with a sentence.
 */
int dial_connect(const struct dial_addresses *to, uint16_t port, int timeout_ms, int *fd,
                 size_t *used, struct fault *f);

/* Writes all of `data`. Returns 0, PRA_ETIMEOUT, PRA_ECLOSED. */
int dial_write(int fd, const void *data, size_t len, int timeout_ms);

/*
 * Reads once what is there, at most `cap` bytes. Returns 0 with *got > 0, PRA_ECLOSED (end of
 * stream or reset), PRA_ETIMEOUT.
 */
int dial_read(int fd, void *dst, size_t cap, int timeout_ms, size_t *got);

#endif
