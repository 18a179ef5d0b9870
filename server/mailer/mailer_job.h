/*
 * Inside of pra-mailer: one mail and where it is to go, as read from standard input. All texts belong
 * to the JSON object.
 */
#ifndef PRA_SERVER_MAILER_MAILER_JOB_H
#define PRA_SERVER_MAILER_MAILER_JOB_H

#include <stdint.h>

#include <curl/curl.h>
#include <jansson.h>

#include "common/err.h"

#define JOB_MAX      (8u * 1024 * 1024)
#define PASSWORD_MAX 1024
#define WHY_MAX      256

struct job {
    json_t *object;
    /* The server. */
    const char *host, *tls, *user, *password_file, *ca_file;
    int64_t port, timeout;
    /* The mail. */
    const char *id, *from, *to, *subject, *text, *html; /* html may be NULL */
    int64_t date;
    json_t *parts; /* borrowed */
};

/*
 * Makes the mail: headers into *headers, the rest into `mime` (RFC 5322, 2045, 2047; by curl but for
 * the subject's letters). Returns 0, PRA_EINVAL (something that may not stand in a header, or an attachment
 * that is none), PRA_ENOMEM. The caller frees both, also after a failure.
 */
int message_make(const struct job *j, CURL *curl, curl_mime *mime, struct curl_slist **headers);

enum outcome { SENT, LATER, NEVER };

/* Sends it: one connection, one try. `why` becomes a sentence unless it was sent. */
enum outcome smtp_send(const struct job *j, const char *password, char why[WHY_MAX]);

/*
 * From here on this process reads libraries, settings of the system and the job's ca_file, writes no file,
 * starts no program, connects to the job's port. A kernel without Landlock gives less. Returns 0, PRA_EIO.
 */
int sandbox_enter(const struct job *j, struct fault *f);

#endif
