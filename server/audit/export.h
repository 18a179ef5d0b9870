/*
 * Audit records as other programs read them: CSV for spreadsheets, JSON lines, and syslog messages
 * (RFC 5424) with structured data. A record comes as the JSON object that audit.list answers with.
 */
#ifndef PRA_SERVER_AUDIT_EXPORT_H
#define PRA_SERVER_AUDIT_EXPORT_H

#include <jansson.h>

#include "common/buf.h"

enum export_format { EXPORT_CSV, EXPORT_JSONL, EXPORT_SYSLOG, EXPORT_FORMATS };

/* One answer of audit.export in any format: 1,000 records of a few KiB each. */
#define EXPORT_PART_MAX (8u * 1024 * 1024)
#define EXPORT_HOST_MAX 256 /* RFC 5424, 6: 255 characters */
/* Of a private enterprise number with what may follow it, "12345.1.2": an SD-ID is 32 characters. */
#define EXPORT_ENTERPRISE_MAX 29

/* Whose records they are, for syslog messages. */
struct export_names {
    char host[EXPORT_HOST_MAX];             /* from export_host() */
    char enterprise[EXPORT_ENTERPRISE_MAX]; /* "": the operator has none */
};

/* By its word: "csv", "jsonl", "syslog". -1 = none. */
int export_format_of(const char *word);
/* Its media type, and how a file's name ends ("csv"). */
const char *export_type(enum export_format format);
const char *export_ending(enum export_format format);

/* This machine's name as a syslog message may have it; "-" if there is none. Returns `dst`. */
const char *export_host(char dst[EXPORT_HOST_MAX]);

/* What stands before the first record. Both return 0, PRA_EFULL, PRA_ENOMEM. */
int export_begin(enum export_format format, struct buf *out);
int export_record(enum export_format format, const json_t *record, const struct export_names *names,
                  struct buf *out);

#endif
