/* One client of crowd.c: a state machine around a socket and a libssh2 session that never blocks. */
#ifndef PRA_TESTS_BENCH_CROWD_CLIENT_H
#define PRA_TESTS_BENCH_CROWD_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <libssh2.h>

#include "client/retry.h"

#define BLOCK 16384

enum state {
    IDLE,
    WAITING,
    CONNECTING,
    HANDSHAKE,
    AUTH,
    OPEN,
    SUBSYSTEM,
    HELLO,
    RULES,
    UP,
    FAILED
};

/* "ssh-ed25519" and the public half, each behind its length (RFC 8709 4). */
#define BLOB_LEN (4 + 11 + 4 + 32)

struct client {
    enum state state;
    int fd;
    unsigned index;
    uint32_t events;
    LIBSSH2_SESSION *ssh;
    LIBSSH2_CHANNEL *control;
    struct retry retry;
    uint64_t due_ms;        /* WAITING: when to dial; before UP: when the attempt is given up */
    uint8_t matched;        /* of RULES_WORD, in what was read */
    uint8_t blob[BLOB_LEN]; /* its public key, once it was asked for */
    bool has_blob;
};

/* What all clients share: who they are, set before the first one dials, and how they fare. */
struct crowd {
    const char *seed, *user; /* of the keys; name at the gateway */
    bool many, plain;        /* see crowd.c */
    unsigned first;          /* number of client 0 */
    unsigned source_count;
    struct sockaddr_in gateway;
    char hello[512];
    int epoll_fd; /* events carry the struct client */

    unsigned up, failed;    /* clients now */
    unsigned attempts_lost; /* logins that broke, and will be tried again */
    uint64_t lost_since_ms, last_up_ms;
};
extern struct crowd crowd;

/* Says what failed, with errno, and ends the program. */
_Noreturn void crowd_die(const char *what);

/* Public key lines of `count` clients. Returns 0. */
int crowd_print_keys(unsigned from, unsigned count);

/* Begins an attempt. The client is IDLE, or WAITING and due. */
void client_dial(struct client *c);
/* Goes on as far as it can; after an event of its socket. */
void client_run(struct client *c);
/* Its connection is gone, at once and without a goodbye; it dials again when its back-off says. */
void client_lose(struct client *c);
/* As client_lose(), for good: what an agent would not try again. `what` is said on stderr. */
void client_give_up(struct client *c, const char *what);
/* Closes what it has; its state stays. */
void client_release(struct client *c);

#endif
