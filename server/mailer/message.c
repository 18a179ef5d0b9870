/* The mail itself, by curl's MIME functions. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crypto.h"
#include "common/utf8.h"
#include "server/mailer/mailer_job.h"

#define HEADER_MAX 2048
/* Bytes in one encoded word: 60 letters of base64 and 12 around them are at most 75 (RFC 2047, 2). */
#define WORD_BYTES 45

static bool plain_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x7f || ((unsigned char)*text < ' ' && *text != '\n'))
            return false;
    }
    return true;
}

/* ---- headers ------------------------------------------------------------------------------------ */

/* Nothing that ends a line may get into one: prad has looked, and this is the last place to look. */
static int add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[HEADER_MAX];
    struct curl_slist *longer;
    int n = snprintf(line, sizeof(line), "%s: %s", name, value);

    if (n < 0 || (size_t)n >= sizeof(line))
        return PRA_EINVAL;
    for (const char *p = value; *p != '\0'; p++) {
        /* Only our own folding: a line's end and a blank. */
        if (iscntrl((unsigned char)*p) && !(p[0] == '\r' && p[1] == '\n' && p[2] == ' ') &&
            !(p[0] == '\n' && p[1] == ' '))
            return PRA_EINVAL;
    }
    longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return PRA_ENOMEM;
    *list = longer;
    return 0;
}

/* How many bytes of `text` go into one encoded word: whole characters only. */
static size_t word_len(const char *text)
{
    size_t len = 0, left = strlen(text);
    uint32_t cp;

    while (len < left) {
        size_t n = utf8_decode(text + len, left - len, &cp);

        if (n == 0 || len + n > WORD_BYTES)
            break;
        len += n;
    }
    return len;
}

/* The subject as it is, or as encoded words, each on a line of its own. */
static int encode_subject(const char *text, char *out, size_t cap)
{
    size_t at = 0;

    if (strpbrk(text, "\r\n") != NULL)
        return PRA_EINVAL;
    if (plain_ascii(text) && strstr(text, "=?") == NULL)
        return snprintf(out, cap, "%s", text) < (int)cap ? 0 : PRA_EINVAL;
    while (*text != '\0') {
        char word[4 * ((WORD_BYTES + 2) / 3) + 1];
        size_t len = word_len(text);
        int n;

        if (len == 0)
            return PRA_EINVAL;
        crypto_base64_encode(text, len, word);
        n = snprintf(out + at, cap - at, "%s=?UTF-8?B?%s?=", at == 0 ? "" : "\r\n ", word);
        if (n < 0 || (size_t)n >= cap - at)
            return PRA_EINVAL;
        at += (size_t)n;
        text += len;
    }
    return 0;
}

static int add_date(struct curl_slist **list, int64_t date)
{
    time_t t = (time_t)date;
    char text[64];
    struct tm tm;

    if (localtime_r(&t, &tm) == NULL ||
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %z", &tm) == 0)
        return PRA_EINVAL;
    return add_header(list, "Date", text);
}

static int make_headers(const struct job *j, struct curl_slist **list)
{
    char subject[HEADER_MAX], id[HEADER_MAX];
    int rc = encode_subject(j->subject, subject, sizeof(subject));

    snprintf(id, sizeof(id), "<%s>", j->id);
    if (rc == 0 && (strpbrk(j->from, "\r\n") != NULL || strpbrk(j->to, "\r\n") != NULL ||
                    strpbrk(id, "\r\n") != NULL))
        rc = PRA_EINVAL;
    if (rc == 0)
        rc = add_date(list, j->date);
    if (rc == 0)
        rc = add_header(list, "From", j->from);
    if (rc == 0)
        rc = add_header(list, "To", j->to);
    if (rc == 0)
        rc = add_header(list, "Subject", subject);
    if (rc == 0)
        rc = add_header(list, "Message-ID", id);
    /* So that no absence notice comes back (RFC 3834, 5). */
    return rc == 0 ? add_header(list, "Auto-Submitted", "auto-generated") : rc;
}

/* ---- body --------------------------------------------------------------------------------------- */

/* The text with lines that end in CRLF, as mail has them. Caller frees. */
static char *with_crlf(const char *text)
{
    size_t at = 0;
    char *out = malloc(2 * strlen(text) + 1);

    if (out == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        if (*text == '\r')
            continue;
        if (*text == '\n')
            out[at++] = '\r';
        out[at++] = *text;
    }
    out[at] = '\0';
    return out;
}

static int add_text(curl_mimepart *part, const char *text, const char *type)
{
    char *lines = with_crlf(text);
    int rc = 0;

    if (part == NULL || lines == NULL)
        rc = PRA_ENOMEM;
    else if (curl_mime_data(part, lines, CURL_ZERO_TERMINATED) != CURLE_OK ||
             curl_mime_type(part, type) != CURLE_OK ||
             curl_mime_encoder(part, plain_ascii(text) ? "quoted-printable" : "base64") != CURLE_OK)
        rc = PRA_ENOMEM;
    free(lines);
    return rc;
}

/* The text, and beside it the same as a page, of which the reader shows one (RFC 2046, 5.1.4). */
static int add_body(const struct job *j, CURL *curl, curl_mime *mime)
{
    static const char text_type[] = "text/plain; charset=UTF-8";
    curl_mime *both;
    int rc;

    if (j->html == NULL)
        return add_text(curl_mime_addpart(mime), j->text, text_type);
    both = curl_mime_init(curl);
    if (both == NULL)
        return PRA_ENOMEM;
    rc = add_text(curl_mime_addpart(both), j->text, text_type);
    if (rc == 0)
        rc = add_text(curl_mime_addpart(both), j->html, "text/html; charset=UTF-8");
    if (rc == 0) {
        curl_mimepart *part = curl_mime_addpart(mime);

        if (part != NULL && curl_mime_subparts(part, both) == CURLE_OK) /* takes it over */
            return curl_mime_type(part, "multipart/alternative") == CURLE_OK ? 0 : PRA_ENOMEM;
        rc = PRA_ENOMEM;
    }
    curl_mime_free(both);
    return rc;
}

static int add_attachment(curl_mime *mime, const json_t *o)
{
    const char *name = json_string_value(json_object_get(o, "name"));
    const char *type = json_string_value(json_object_get(o, "type"));
    const char *data = json_string_value(json_object_get(o, "data"));
    curl_mimepart *part = curl_mime_addpart(mime);
    size_t len = data == NULL ? 0 : strlen(data);
    char *bytes = malloc(len + 1);
    int rc = 0;

    if (part == NULL || bytes == NULL)
        rc = PRA_ENOMEM;
    else if (name == NULL || type == NULL || data == NULL || strpbrk(name, "\r\n\"") != NULL ||
             strpbrk(type, "\r\n\"") != NULL || crypto_base64_decode(data, len, bytes, &len) != 0)
        rc = PRA_EINVAL;
    else if (curl_mime_data(part, bytes, len) != CURLE_OK ||
             curl_mime_filename(part, name) != CURLE_OK || curl_mime_type(part, type) != CURLE_OK ||
             curl_mime_encoder(part, "base64") != CURLE_OK)
        rc = PRA_ENOMEM;
    free(bytes);
    return rc;
}

int message_make(const struct job *j, CURL *curl, curl_mime *mime, struct curl_slist **headers)
{
    json_t *part;
    size_t i;
    int rc = make_headers(j, headers);

    if (rc == 0)
        rc = add_body(j, curl, mime);
    json_array_foreach(j->parts, i, part)
    {
        if (rc == 0)
            rc = add_attachment(mime, part);
    }
    return rc;
}
