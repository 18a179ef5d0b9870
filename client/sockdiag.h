/*
 * Who owns a TCP socket of this machine, asked of the kernel (sock_diag(7) on Linux;
 * sockdiag_linux.c). Used to keep the users of a shared PC apart and to name the holder of a busy
 * port.
 */
#ifndef PRA_CLIENT_SOCKDIAG_H
#define PRA_CLIENT_SOCKDIAG_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/err.h"

/*
 * The user whose process holds the far end of an accepted loopback connection, or has closed it
 * just now (Linux 6.17 or newer). `peer` and `local` are the accepted socket's. Returns 0; PRA_ENOENT
 * (no process holds it any more, so nobody can be named); PRA_EIO (the kernel does not answer).
 */
int sockdiag_peer_uid(const struct sockaddr_storage *peer, const struct sockaddr_storage *local,
                      uid_t *uid, struct fault *f);

#define SOCKDIAG_PROGRAM_MAX 80

struct sockdiag_holder {
    uint64_t inode;
    uid_t uid;
    long pid;                           /* 0 = not visible for this user */
    char program[SOCKDIAG_PROGRAM_MAX]; /* or "a program of user root" when pid is 0 */
};

/*
 * Which socket stands in the way of listening on ip:port: the same address or the wildcard.
 * `known` (may be NULL) is the last answer: while the socket is the same, pid and program are
 * taken from it, since looking for them reads all of /proc. Returns 0, PRA_ENOENT, PRA_EIO.
 */
int sockdiag_port_holder(const struct addr_ip *ip, uint16_t port,
                         const struct sockdiag_holder *known, struct sockdiag_holder *out);

#endif
