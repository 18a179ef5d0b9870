/*
 * Log files whose lines are chained by hash, for the helpdesk: System.log and User.log (A15, N9).
 *
 * Each line ends with " #<n> <hash>" where n counts lines from 1 over the life of the log and
 * hash = first 16 bytes (32 hex digits) of SHA-256(previous full hash || line text). A removed,
 * changed or moved line breaks the chain; a cut end is found by comparing with the head that the
 * gateway was told. A rotated file begins with a line that carries on the chain of the file
 * before it. The whole format is in common/README.md.
 *
 * Owned by one thread (the agent's loop); one process at a time (the file is locked).
 */
#ifndef PRA_COMMON_CHAINLOG_H
#define PRA_COMMON_CHAINLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/err.h"
#include "common/format.h"

struct chainlog;

/* Rotation: at this size the file becomes NAME.1, NAME.1 becomes NAME.2, ... up to `keep`. */
#define CHAINLOG_SIZE_DEFAULT (4u * 1024 * 1024)
#define CHAINLOG_KEEP_DEFAULT 5
#define CHAINLOG_LINE_MAX     4096

struct chainlog_head {
    uint64_t lines;
    uint8_t hash[CRYPTO_SHA256_LEN];
};

/*
 * Opens or creates `dir`/`name` (mode 0600) and carries on its chain. A half line at the end (a
 * power cut) is kept, and the line behind it says so within the chain. A file that is damaged
 * elsewhere is put aside as NAME.1, and the new file says so. `keep` is 1 to 99. Returns 0,
 * PRA_EBUSY (another process writes it), PRA_EIO.
 */
int chainlog_open(const char *dir, const char *name, size_t max_size, unsigned keep,
                  struct chainlog **out, struct fault *f);
void chainlog_close(struct chainlog *log);

/*
 * Writes one line: time, level word, text. Control characters in it are escaped, what does not
 * fit into CHAINLOG_LINE_MAX is cut. Returns 0, PRA_EIO (nothing was written; try again later).
 */
int chainlog_write(struct chainlog *log, const char *level, const char *fmt, ...)
    FORMAT_PRINTF(3, 4);

/* Where the chain stands. Waits until the log is on the disk: call it now and then only. */
void chainlog_get_head(const struct chainlog *log, struct chainlog_head *out);

/*
 * Checks `dir`/`name` and its rotated files, oldest first. Returns 0 and the head, PRA_ECORRUPT
 * with file and line in `f`, PRA_ENOENT, PRA_EIO.
 */
int chainlog_verify(const char *dir, const char *name, struct chainlog_head *out, struct fault *f);

/*
 * Checks the files and that line `told->lines` is the one that was told. Returns 0, PRA_ECORRUPT
 * (damaged, cut off before that line, or another line), PRA_ENOENT (that line was rotated away),
 * PRA_EIO.
 */
int chainlog_check_head(const char *dir, const char *name, const struct chainlog_head *told,
                        struct fault *f);

#endif
