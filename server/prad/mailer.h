/*
 * Sends the mail in the queue, one at a time, each by a process of its own: pra-mailer. So neither a
 * mail server that does not answer, nor libcurl with what it needs, is anywhere near the process that
 * holds the host key and forwards; and what a mail does to its sender ends with that mail.
 *
 * Owned by the keeper's thread: it has the process started (server/sandbox/spawner.h) and hears how it ended, and waits for nothing.
 */
#ifndef PRA_SERVER_PRAD_MAILER_H
#define PRA_SERVER_PRAD_MAILER_H

#include <event2/event.h>

#include "server/admin/admin.h"
#include "server/config.h"

/* How long a process may take beyond [mail] timeout, which it keeps by itself. */
#define MAILER_GRACE_S 10
/* What it may say. */
#define MAILER_ANSWER_MAX 4096

struct mailer;

/*
 * Returns 0, PRA_ENOMEM, PRA_ENOENT (mail is set up and pra-mailer is missing), PRA_EACCES (a file that
 * [mail] names cannot be read by the user that prad runs as).
 */
int mailer_new(struct event_base *base, struct admin *a, const struct config *c,
               struct mailer **out, struct fault *f);
/* Ends a process that is at work: its mail will be tried again. */
void mailer_free(struct mailer *m);
/* Other settings, from the next mail on. Returns 0, PRA_ENOMEM. */
int mailer_set(struct mailer *m, const struct config *c);
/* Starts the next mail, if one is due and none is under way. */
void mailer_look(struct mailer *m);

#endif
