/*
 * Mail that administration sends: put into the queue in the same transaction as what causes it, sent
 * by another process (server/prad/mailer.c) and tried again for five days. Who queues never waits.
 */
#ifndef PRA_SERVER_ADMIN_MAIL_H
#define PRA_SERVER_ADMIN_MAIL_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define MAIL_QUEUE_MAX   1000               /* that wait; more are dropped, and counted */
#define MAIL_BYTES_MAX   (64 * 1024 * 1024) /* of all that is kept */
#define MAIL_CONTENT_MAX (4 * 1024 * 1024)  /* of one, attachments in base64 */
#define MAIL_PARTS_MAX   8
#define MAIL_VALID_S     (5 * 86400)  /* how long it is tried */
#define MAIL_KEPT_S      (14 * 86400) /* what became of it is shown so long ... */
#define MAIL_KEPT_MAX    1000         /* ... of the newest so many */
#define MAIL_WAIT_MAX_S  3600         /* between two tries */

struct admin;

/* An attachment. */
struct mail_part {
    const char *name; /* letters, digits, ". _ -" */
    const char *type; /* "text/csv" */
    const void *data;
    size_t len;
};

struct mail_message {
    const char *kind;    /* a word for lists: "alert", "report" ... */
    const char *to;      /* one address */
    const char *subject; /* one line */
    const char *text;    /* lines end in \n */
    const char *html;    /* the same as a page, or NULL */
    const struct mail_part *parts;
    size_t part_count;
    int64_t valid_s; /* how long it is worth sending; 0 = MAIL_VALID_S */
};

/*
 * Puts a mail into the queue; a transaction of the store is open. Everything is copied. Returns 0
 * with its number in *id (may be NULL), PRA_EUNSUPPORTED ([mail] is not set up, or the host key cannot be
 * read, without which nothing is sealed), PRA_EINVAL (an address, subject or attachment that cannot be; line
 * breaks in them above all), PRA_EFULL (the queue is full: it is dropped, which the store counts),
 * PRA_ETOOBIG, or the store's error.
 */
int mail_queue(struct admin *a, const struct mail_message *m, int64_t *id, struct fault *f);

/* ---- as the database keeps it (admin_mailseal.c) ---- */

/* Gets the key ready, while the host key may be read. Returns 0, or what hostkey_load() says. */
int mail_key_load(struct admin *a, struct fault *f);
/* What a mail to `to` says, as text that only this gateway can read; the caller frees *out. PRA_EUNSUPPORTED:
   not without the host key. */
int mail_seal(struct admin *a, const char *to, const char *content, char **out, struct fault *f);
/* The other way, in place: *content is freed and replaced, or stays as it is with a failure. Returns 0,
   PRA_ECORRUPT (damaged, or sealed with another host key), PRA_ENOMEM. */
int mail_unseal(struct admin *a, const char *to, char **content, struct fault *f);

#endif
