/* Audit records for other programs; see export.h. */
#include "server/audit/export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/format.h"
#include "common/jsonl.h"
#include "server/admin/csv.h"

/* In the order of the columns. */
static const char *const members[] = {
    "id",     "time",      "kind", "user",   "session", "device",   "source",    "source_port",
    "target", "target_ip", "rule", "reason", "detail",  "bytes_in", "bytes_out", "times"};
#define MEMBERS    (sizeof(members) / sizeof(members[0]))
#define NUMBER_MAX 24

static const struct {
    const char *word, *type;
} formats[EXPORT_FORMATS] = {
    [EXPORT_CSV] = {"csv", "text/csv; charset=utf-8; header=present"},
    [EXPORT_JSONL] = {"jsonl", "application/jsonl; charset=utf-8"},
    [EXPORT_SYSLOG] = {"syslog", "text/plain; charset=utf-8"},
};

int export_format_of(const char *word)
{
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        if (word != NULL && strcmp(formats[i].word, word) == 0)
            return i;
    }
    return -1;
}

const char *export_type(enum export_format format)
{
    return formats[format].type;
}

const char *export_ending(enum export_format format)
{
    return format == EXPORT_SYSLOG ? "log" : formats[format].word;
}

/* A member as text: "" for null. A number is written into `number`. */
static const char *text_of(const json_t *record, const char *member, char number[NUMBER_MAX])
{
    const json_t *value = json_object_get(record, member);

    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_integer(value))
        return "";
    snprintf(number, NUMBER_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return number;
}

/* ---- CSV ----------------------------------------------------------------------------------------- */

static int csv_line(const json_t *record, struct buf *out)
{
    char number[NUMBER_MAX];
    int rc = 0;

    for (size_t i = 0; i < MEMBERS && rc == 0; i++)
        rc =
            csv_put(out, record == NULL ? members[i] : text_of(record, members[i], number), i == 0);
    return rc == 0 ? csv_end_row(out) : rc;
}

/* ---- syslog -------------------------------------------------------------------------------------- */

#define FACILITY_AUDIT  13 /* "log audit", RFC 5424, 6.2.1 */
#define SEVERITY_WARN   4
#define SEVERITY_INFO   6
#define MSGID_MAX       32
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

FORMAT_PRINTF(2, 3) static int append_text(struct buf *out, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return n < 0 || (size_t)n >= sizeof(text) ? PRA_EFULL : buf_append(out, text, (size_t)n);
}

/*
 * One line a message: a control character becomes \xNN. In a parameter quotes, backslashes and
 * closing brackets have a backslash in front (6.3.3).
 */
static int append_safe(struct buf *out, const char *text, bool parameter)
{
    int rc = 0;

    for (; *text != '\0' && rc == 0; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            rc = append_text(out, "%s\\x%02x", parameter ? "\\" : "", c);
        else if (parameter && strchr("\"\\]", c) != NULL)
            rc = append_text(out, "\\%c", c);
        else
            rc = buf_append(out, text, 1);
    }
    return rc;
}

static bool is_trouble(const char *kind)
{
    static const char *const pieces[] = {"refused", "failed", "error", "cut", "overflow"};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        if (strstr(kind, pieces[i]) != NULL)
            return true;
    }
    return false;
}

/* `id="7" user="suzuki"`: all that the record has, but for time and kind, which are in the header. */
static int append_parameters(struct buf *out, const json_t *record, const char *before)
{
    char number[NUMBER_MAX];
    int rc = 0;

    for (size_t i = 0; i < MEMBERS && rc == 0; i++) {
        const char *text = text_of(record, members[i], number);

        if (text[0] == '\0' || strcmp(members[i], "time") == 0 || strcmp(members[i], "kind") == 0)
            continue;
        rc = append_text(out, "%s%s=\"", before, members[i]);
        if (rc == 0)
            rc = append_safe(out, text, true);
        if (rc == 0)
            rc = buf_append(out, "\"", 1);
        before = " ";
    }
    return rc;
}

/*
 * STRUCTURED-DATA, "[pra@ENTERPRISE id="7" ...]". An id of one's own needs a private enterprise number
 * (6.3.2), and PRA has none: without the operator's there is none, "-", and the members stand at the
 * end of the message instead.
 */
static int append_data(struct buf *out, const json_t *record, const char *enterprise)
{
    int rc =
        enterprise[0] == '\0' ? append_text(out, "-") : append_text(out, "[pra@%s", enterprise);

    if (rc == 0 && enterprise[0] != '\0')
        rc = append_parameters(out, record, " ");
    if (rc == 0)
        rc = append_text(out, "%s " BYTE_ORDER_MARK, enterprise[0] != '\0' ? "]" : "");
    return rc;
}

/* For people: "login-refused user suzuki from 192.0.2.7: unknown-key". */
static int append_words(struct buf *out, const json_t *record)
{
    static const struct {
        const char *before, *member;
    } parts[] = {{"", "kind"},       {" user ", "user"}, {" from ", "source"},
                 {" to ", "target"}, {": ", "reason"},   {" - ", "detail"}};
    char number[NUMBER_MAX];
    int rc = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
        const char *text = text_of(record, parts[i].member, number);

        if (text[0] == '\0')
            continue;
        rc = append_text(out, "%s", parts[i].before);
        if (rc == 0)
            rc = append_safe(out, text, false);
    }
    return rc;
}

static int append_message(struct buf *out, const json_t *record, const char *enterprise)
{
    int rc = append_words(out, record);

    if (rc == 0 && enterprise[0] == '\0') {
        rc = append_text(out, " [");
        if (rc == 0)
            rc = append_parameters(out, record, "");
        if (rc == 0)
            rc = append_text(out, "]");
    }
    return rc == 0 ? buf_append(out, "\n", 1) : rc;
}

static int syslog_line(const json_t *record, const struct export_names *names, struct buf *out)
{
    char number[NUMBER_MAX];
    const char *kind = text_of(record, "kind", number);
    int severity = is_trouble(kind) ? SEVERITY_WARN : SEVERITY_INFO;
    int rc = append_text(out, "<%d>1 %s %s prad - %.*s ", FACILITY_AUDIT * 8 + severity,
                         text_of(record, "time", number), names->host, MSGID_MAX,
                         kind[0] != '\0' ? kind : "-");

    if (rc == 0)
        rc = append_data(out, record, names->enterprise);
    return rc == 0 ? append_message(out, record, names->enterprise) : rc;
}

const char *export_host(char dst[EXPORT_HOST_MAX])
{
    dst[0] = '\0';
    if (gethostname(dst, EXPORT_HOST_MAX) != 0)
        dst[0] = '\0';
    dst[EXPORT_HOST_MAX - 1] = '\0';
    for (char *c = dst; *c != '\0'; c++) {
        if (*c <= 0x20 || *c >= 0x7f)
            *c = '?';
    }
    if (dst[0] == '\0')
        memcpy(dst, "-", 2);
    return dst;
}

/* ---- all of them --------------------------------------------------------------------------------- */

int export_begin(enum export_format format, struct buf *out)
{
    int rc = format == EXPORT_CSV ? csv_begin(out) : 0;

    return rc == 0 && format == EXPORT_CSV ? csv_line(NULL, out) : rc;
}

int export_record(enum export_format format, const json_t *record, const struct export_names *names,
                  struct buf *out)
{
    switch (format) {
    case EXPORT_CSV:
        return csv_line(record, out);
    case EXPORT_SYSLOG:
        return syslog_line(record, names, out);
    default:
        return jsonl_append(out, record);
    }
}
