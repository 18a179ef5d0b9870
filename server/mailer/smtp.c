/* One SMTP session, by libcurl: encrypted unless told otherwise, the certificate checked. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "server/mailer/mailer_job.h"

#define CONNECT_S    20
#define PERMANENT(c) ((c) >= 500 && (c) < 600)

struct session {
    CURL *curl;
    curl_mime *mime;
    struct curl_slist *headers, *to;
    char error[CURL_ERROR_SIZE];
    char said[WHY_MAX]; /* the last line with which the server refused something */
};

/* Keeps what the server refuses with; what we say has the password in it and is not looked at. */
static int on_debug(CURL *curl, curl_infotype type, char *data, size_t len, void *arg)
{
    struct session *s = arg;

    (void)curl;
    if (type != CURLINFO_HEADER_IN || len < 3 || (data[0] != '4' && data[0] != '5'))
        return 0;
    while (len > 0 && (data[len - 1] == '\r' || data[len - 1] == '\n'))
        len--;
    snprintf(s->said, sizeof(s->said), "%.*s", (int)(len < 200 ? len : 200), data);
    utf8_mend(s->said);
    return 0;
}

/* Where to, and how. True if curl took it all. */
static bool set_server(struct session *s, const struct job *j, const char *password)
{
    const char *scheme = strcmp(j->tls, "implicit") == 0 ? "smtps" : "smtp";
    bool bare = strchr(j->host, ':') != NULL && j->host[0] != '[';
    long tls = strcmp(j->tls, "none") == 0 ? CURLUSESSL_NONE : CURLUSESSL_ALL;
    char url[512];

    snprintf(url, sizeof(url), "%s://%s%s%s:%lld", scheme, bare ? "[" : "", j->host,
             bare ? "]" : "", (long long)j->port);
    if (curl_easy_setopt(s->curl, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_USE_SSL, tls) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYPEER, 1L) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_SSL_VERIFYHOST, 2L) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_PROXY, "") != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT,
                         (long)(j->timeout < CONNECT_S ? j->timeout : CONNECT_S)) != CURLE_OK ||
        curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, (long)j->timeout) != CURLE_OK)
        return false;
    if (j->ca_file[0] != '\0' &&
        (curl_easy_setopt(s->curl, CURLOPT_CAINFO, j->ca_file) != CURLE_OK ||
         curl_easy_setopt(s->curl, CURLOPT_CAPATH, NULL) != CURLE_OK))
        return false;
    return j->user[0] == '\0' ||
           (curl_easy_setopt(s->curl, CURLOPT_USERNAME, j->user) == CURLE_OK &&
            curl_easy_setopt(s->curl, CURLOPT_PASSWORD, password) == CURLE_OK);
}

static bool set_mail(struct session *s, const struct job *j)
{
    char from[300], to[300];

    snprintf(from, sizeof(from), "<%s>", j->from);
    snprintf(to, sizeof(to), "<%s>", j->to);
    s->to = curl_slist_append(NULL, to);
    return s->to != NULL && curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, s->to) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, s->mime) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->error) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, on_debug) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_DEBUGDATA, s) == CURLE_OK &&
           curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 1L) == CURLE_OK;
}

/*
 * A 5xx about this mail (sender, recipient or what it says) will not become better. One to the greeting
 * or the password is about the server or our settings, which somebody may mend meanwhile.
 */
static enum outcome judge(struct session *s, CURLcode code, char why[WHY_MAX])
{
    curl_off_t sent = 0;
    long answer = 0;
    bool about_mail;

    if (code == CURLE_OK)
        return SENT;
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &answer);
    curl_easy_getinfo(s->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    about_mail = code == CURLE_SEND_ERROR || sent > 0;
    if (answer >= 400 && s->said[0] != '\0')
        snprintf(why, WHY_MAX, "%s: the server said: %.200s", curl_easy_strerror(code), s->said);
    else
        snprintf(why, WHY_MAX, "%.250s", s->error[0] != '\0' ? s->error : curl_easy_strerror(code));
    if (code == CURLE_SEND_ERROR && answer >= 400) /* "Failed sending data to the peer" it is not */
        snprintf(why, WHY_MAX, "the server said: %.200s", s->said);
    utf8_mend(why);
    return about_mail && PERMANENT(answer) ? NEVER : LATER;
}

enum outcome smtp_send(const struct job *j, const char *password, char why[WHY_MAX])
{
    struct session s = {.curl = curl_easy_init()};
    enum outcome outcome = LATER;
    int rc = PRA_ENOMEM;

    if (s.curl != NULL && (s.mime = curl_mime_init(s.curl)) != NULL)
        rc = message_make(j, s.curl, s.mime, &s.headers);
    if (rc == PRA_EINVAL) {
        snprintf(why, WHY_MAX, "this mail cannot be written: something in it is not allowed");
        outcome = NEVER;
    } else if (rc != 0 || !set_server(&s, j, password) || !set_mail(&s, j)) {
        snprintf(why, WHY_MAX, "libcurl could not be set up for this");
    } else {
        outcome = judge(&s, curl_easy_perform(s.curl), why);
    }
    curl_mime_free(s.mime);
    curl_slist_free_all(s.headers);
    curl_slist_free_all(s.to);
    curl_easy_cleanup(s.curl);
    return outcome;
}
