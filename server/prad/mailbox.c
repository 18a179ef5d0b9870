/* Mailboxes between threads; see mailbox.h. */
#include "server/prad/mailbox.h"

#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *box)
{
    *box = (struct mailbox){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (box->fd < 0)
        return PRA_EIO;
    pthread_mutex_init(&box->lock, NULL);
    return 0;
}

void mailbox_post(struct mailbox *box, struct mail *m)
{
    m->next = NULL;
    pthread_mutex_lock(&box->lock);
    bool closed = box->closed;
    if (!closed) {
        bool wake = box->head == NULL;
        if (wake)
            box->head = m;
        else
            box->tail->next = m;
        box->tail = m;
        /* Inside the lock, so that the descriptor cannot be closed meanwhile. An eventfd's write
           of 1 fails only at 2^64 - 2, and then it is readable anyway. */
        ssize_t n = wake ? write(box->fd, &(uint64_t){1}, sizeof(uint64_t)) : 0;
        (void)n;
    }
    pthread_mutex_unlock(&box->lock);
    if (closed)
        m->deliver(m, NULL);
}

static struct mail *take_all(struct mailbox *box)
{
    uint64_t count;
    /* Before the list is taken: mail posted in between signals once more, for nothing. */
    if (read(box->fd, &count, sizeof(count)) < 0)
        count = 0; /* not signalled: the list is the truth */
    pthread_mutex_lock(&box->lock);
    struct mail *m = box->head;
    box->head = box->tail = NULL;
    pthread_mutex_unlock(&box->lock);
    return m;
}

void mailbox_deliver(struct mailbox *box, void *owner)
{
    struct mail *m = take_all(box);
    while (m) {
        struct mail *next = m->next;
        m->deliver(m, owner);
        m = next;
    }
}

void mailbox_close(struct mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    box->closed = true;
    pthread_mutex_unlock(&box->lock);
    mailbox_deliver(box, NULL);
    close(box->fd);
    box->fd = -1;
}
