/*
 * The HTTP CONNECT handshake with a proxy (RFC 9110 9.3.6), without I/O: builds the request and
 * reads the head of the response out of what has arrived. The head is bounded, and bytes behind it
 * belong to the tunnel.
 */
#ifndef PRA_CLIENT_PROXY_H
#define PRA_CLIENT_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

/* Largest response head that is read. */
#define PROXY_HEAD_MAX    8192
#define PROXY_REQUEST_MAX (2 * ADDR_TEXT_MAX + 128)

/* Writes the CONNECT request for host:port. Returns its length. */
size_t proxy_request(const struct addr_host *host, uint16_t port, char dst[PROXY_REQUEST_MAX]);

/*
 * Looks at `len` bytes of response. Returns
 *   0            the proxy has opened the way; *used bytes are the head, the rest is the tunnel's
 *   PRA_EAGAIN   the head is not complete
 *   PRA_ETOOBIG  the head is longer than PROXY_HEAD_MAX
 *   PRA_EINVAL   this is no HTTP response
 *   PRA_EACCES   the proxy asks for a login (407)
 *   PRA_ECLOSED  the proxy refuses; `f` has status and reason
 */
int proxy_response(const char *data, size_t len, size_t *used, struct fault *f);

#endif
