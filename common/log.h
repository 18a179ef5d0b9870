/*
 * The operator's log: one line per event, event name first, then key=value pairs.
 *
 *   2026-11-22T10:00:00.123Z info session-open user=alice src=192.0.2.7:50111 session=4f1c...
 *
 * Goes to stderr (the journal under systemd) or to a file. Thread-safe: one write(2) per line.
 * Text that a peer controls must pass log_escape() or the %-free helper log_quote().
 */
#ifndef PRA_COMMON_LOG_H
#define PRA_COMMON_LOG_H

#include <stddef.h>

#include "common/err.h"
#include "common/format.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Longest line written, newline included; longer ones are cut and end in "...". */
#define LOG_LINE_MAX 2048

/* `path` NULL = stderr. A file is opened for append, mode 0640. Returns 0, PRA_EIO. */
int log_open(const char *path, enum log_level min, struct fault *f);

/* Opens the file again under the same name (SIGHUP after rotation). Returns 0, PRA_EIO. */
int log_reopen(void);

void log_set_level(enum log_level min);

/* Parses "debug", "info", "warn", "error". Returns 0, PRA_EINVAL. */
int log_parse_level(const char *word, enum log_level *out);

/* `event` is a fixed lower-case word with dashes; `fmt` holds "key=value ..." or is "". */
void log_event(enum log_level level, const char *event, const char *fmt, ...) FORMAT_PRINTF(3, 4);

/*
 * Writes `len` bytes of peer text into `dst` (always NUL-terminated, at most `cap` bytes):
 * printable ASCII except backslash and double quote as is, valid UTF-8 letters kept, everything
 * else as \xNN. Quotes the result if it holds a space or is empty. Returns `dst`.
 */
const char *log_escape(char *dst, size_t cap, const char *src, size_t len);

#endif
