/*
 * A mailbox: how one thread hands work to another that runs an event loop. Any thread posts; the
 * owner's loop watches mailbox_fd() and calls mailbox_deliver(). A mutex guards the list; nothing
 * else is shared.
 */
#ifndef PRA_SERVER_PRAD_MAILBOX_H
#define PRA_SERVER_PRAD_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"

/* Embedded at the start of whatever is sent. */
struct mail {
    struct mail *next;
    /* Runs on the owner's thread and frees the mail. `owner` NULL: the mailbox is closed, so the
       mail is only freed; that may happen on the sender's thread. */
    void (*deliver)(struct mail *m, void *owner);
};

struct mailbox {
    pthread_mutex_t lock;
    struct mail *head, *tail;
    bool closed;
    int fd; /* eventfd, readable when mail waits */
};

/* Returns 0, PRA_EIO. */
int mailbox_init(struct mailbox *box);
/* Takes ownership of `m`; after mailbox_close() it is delivered to NULL at once. */
void mailbox_post(struct mailbox *box, struct mail *m);
/* Owner only: delivers everything that waits. */
void mailbox_deliver(struct mailbox *box, void *owner);
/* Owner only: refuses further mail and drops what waits. */
void mailbox_close(struct mailbox *box);

static inline int mailbox_fd(const struct mailbox *box)
{
    return box->fd;
}

#endif
