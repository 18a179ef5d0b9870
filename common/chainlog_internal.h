/* What the writer (chainlog.c) and the reader (chainlog_read.c) of chained logs share. */
#ifndef PRA_COMMON_CHAINLOG_INTERNAL_H
#define PRA_COMMON_CHAINLOG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/chainlog.h"
#include "common/os.h"

/* Digits of the hash that a line shows. */
#define CHAIN_SHOWN_LEN 16
#define CHAIN_SHOWN_HEX (2 * CHAIN_SHOWN_LEN)
#define CHAIN_FULL_HEX  (2 * CRYPTO_SHA256_LEN)
/* " #" 20 digits " " hash newline. */
#define CHAIN_TAIL_MAX (2 + 20 + 1 + CHAIN_SHOWN_HEX + 1)
/* Longest text of a line, in front of the tail. */
#define CHAIN_TEXT_MAX (CHAINLOG_LINE_MAX - CHAIN_TAIL_MAX)
/* Files larger than this are not ours. */
#define CHAIN_FILE_MAX (64u * 1024 * 1024)
/* Rotated files are looked for up to this number. */
#define CHAIN_KEEP_MAX 99u

/* Words behind the time: the first line of every file, and the line behind a mended end. */
#define CHAIN_WORD_START "info log-start"
#define CHAIN_WORD_MEND  "warn log-mended"

/* hash(prev || text) into `out` (may be `prev`). Returns 0, PRA_ECRYPTO. */
int chain_next(const uint8_t prev[CRYPTO_SHA256_LEN], const char *text, size_t len,
               uint8_t out[CRYPTO_SHA256_LEN]);

/* The first digits of the SHA-256 of a damaged end, as its mending line shows them. */
int chain_digest_shown(const char *data, size_t len, char hex[CHAIN_SHOWN_HEX + 1]);

/* Splits "text #n hash". Returns false if the line has no such end. */
bool chain_split_line(const char *line, size_t len, size_t *text_len, uint64_t *n,
                      const char **hash);
/* Reads "log-start lines=N chain=HASH": the chain as it stood when the file was begun. */
bool chain_read_start(const char *line, size_t len, struct chainlog_head *out);
/* True if `line` is the one that was written when the damaged bytes in front of it were found. */
bool chain_mends(const char *line, size_t len, const char *damaged, size_t damaged_len);

/* `dir`/`name`, or `dir`/`name`.`number`. Returns 0, PRA_ETOOBIG. */
int chain_path(char dst[OS_PATH_MAX], const char *dir, const char *name, unsigned number);

/* A walk along the chain, file after file. Start with all zero. */
struct chain_walk {
    struct chainlog_head head;        /* behind the last good line */
    bool joined;                      /* a file was read: the next must carry on its chain */
    const struct chainlog_head *told; /* a head to look for, or NULL */
    bool told_found;
    bool told_before; /* the first file begins behind it */
    size_t good;      /* bytes of the current file that are good */
    bool unfinished;  /* behind them the file ends in a line without newline that is not good */
    bool no_newline;  /* the last good line lacks its newline */
};

/* Reads one file's text. Returns 0, PRA_ECORRUPT with "path:line: ..." in `f`. */
int chain_walk_text(struct chain_walk *w, const char *path, const char *text, size_t len,
                    struct fault *f);

#endif
