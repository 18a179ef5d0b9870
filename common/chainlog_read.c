/* Reads chained logs and finds where a chain is broken. The format is in common/README.md. */
#include "common/chainlog_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int chain_path(char dst[OS_PATH_MAX], const char *dir, const char *name, unsigned number)
{
    char numbered[OS_PATH_MAX];
    int n;

    if (number == 0)
        return os_path_join(dst, dir, name);
    n = snprintf(numbered, sizeof(numbered), "%s.%u", name, number);
    return n < 0 || n >= (int)sizeof(numbered) ? PRA_ETOOBIG : os_path_join(dst, dir, numbered);
}

int chain_next(const uint8_t prev[CRYPTO_SHA256_LEN], const char *text, size_t len,
               uint8_t out[CRYPTO_SHA256_LEN])
{
    uint8_t joined[CRYPTO_SHA256_LEN + CHAINLOG_LINE_MAX];

    if (len > CHAINLOG_LINE_MAX)
        return PRA_ECRYPTO;
    memcpy(joined, prev, CRYPTO_SHA256_LEN);
    memcpy(joined + CRYPTO_SHA256_LEN, text, len);
    return crypto_sha256(joined, CRYPTO_SHA256_LEN + len, out);
}

int chain_digest_shown(const char *data, size_t len, char hex[CHAIN_SHOWN_HEX + 1])
{
    uint8_t hash[CRYPTO_SHA256_LEN];

    if (crypto_sha256(data, len, hash) != 0)
        return PRA_ECRYPTO;
    crypto_hex_encode(hash, CHAIN_SHOWN_LEN, hex);
    return 0;
}

/* Decimal digits up to `stop`; moves *p behind it. */
static bool take_count(const char **p, const char *end, char stop, uint64_t *out)
{
    uint64_t value = 0;
    const char *s = *p;

    while (s < end && *s >= '0' && *s <= '9') {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
            return false;
        s++;
    }
    if (s == *p || s == end || *s != stop)
        return false;
    *p = s + 1;
    *out = value;
    return true;
}

bool chain_split_line(const char *line, size_t len, size_t *text_len, uint64_t *n,
                      const char **hash)
{
    const char *end = line + len;
    const char *p;

    if (len < CHAIN_SHOWN_HEX + 4 || len > CHAINLOG_LINE_MAX)
        return false;
    *hash = end - CHAIN_SHOWN_HEX;
    for (p = *hash - 2; p > line && *p >= '0' && *p <= '9'; p--)
        ;
    if (p <= line || p[0] != '#' || p[-1] != ' ')
        return false;
    *text_len = (size_t)(p - 1 - line);
    p++;
    return take_count(&p, end, ' ', n) && p == *hash;
}

/* Takes a line if it carries on the chain. */
static bool accept_line(struct chain_walk *w, const char *line, size_t len)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char hex[CHAIN_SHOWN_HEX + 1];
    const char *shown;
    size_t text_len;
    uint64_t n;

    if (!chain_split_line(line, len, &text_len, &n, &shown) || n != w->head.lines + 1)
        return false;
    if (chain_next(w->head.hash, line, text_len, hash) != 0)
        return false;
    crypto_hex_encode(hash, CHAIN_SHOWN_LEN, hex);
    if (memcmp(hex, shown, CHAIN_SHOWN_HEX) != 0)
        return false;
    w->head.lines = n;
    memcpy(w->head.hash, hash, sizeof(hash));
    return true;
}

/* Finds `word` behind the time at the front of a line; *p is set behind it and a space. */
static bool skip_to_word(const char *line, size_t len, const char *word, const char **p)
{
    const char *space = memchr(line, ' ', len);
    size_t word_len = strlen(word);
    size_t left;

    if (!space)
        return false;
    left = (size_t)(line + len - space - 1);
    if (left <= word_len || memcmp(space + 1, word, word_len) != 0 || space[1 + word_len] != ' ')
        return false;
    *p = space + word_len + 2;
    return true;
}

static bool skip_key(const char **p, const char *end, const char *key)
{
    size_t len = strlen(key);

    if ((size_t)(end - *p) < len || memcmp(*p, key, len) != 0)
        return false;
    *p += len;
    return true;
}

bool chain_read_start(const char *line, size_t len, struct chainlog_head *out)
{
    const char *end = line + len;
    const char *p;
    size_t n;

    return skip_to_word(line, len, CHAIN_WORD_START, &p) && skip_key(&p, end, "lines=") &&
           take_count(&p, end, ' ', &out->lines) && skip_key(&p, end, "chain=") &&
           (size_t)(end - p) > CHAIN_FULL_HEX && p[CHAIN_FULL_HEX] == ' ' &&
           crypto_hex_decode(p, CHAIN_FULL_HEX, out->hash, sizeof(out->hash), &n) == 0;
}

bool chain_mends(const char *line, size_t len, const char *damaged, size_t damaged_len)
{
    const char *end = line + len;
    const char *p;
    uint64_t bytes;
    char hex[CHAIN_SHOWN_HEX + 1];

    return skip_to_word(line, len, CHAIN_WORD_MEND, &p) && skip_key(&p, end, "bytes=") &&
           take_count(&p, end, ' ', &bytes) && bytes == damaged_len &&
           skip_key(&p, end, "sha256=") && (size_t)(end - p) > CHAIN_SHOWN_HEX &&
           chain_digest_shown(damaged, damaged_len, hex) == 0 &&
           memcmp(p, hex, CHAIN_SHOWN_HEX) == 0 && p[CHAIN_SHOWN_HEX] == ' ';
}

/* Compares the chain with the head that was told, when the walk comes by it. */
static int check_told(struct chain_walk *w, const char *path, unsigned line, struct fault *f)
{
    if (!w->told || w->told->lines != w->head.lines)
        return 0;
    if (!crypto_equal(w->told->hash, w->head.hash, sizeof(w->head.hash)))
        return fault_set(f, PRA_ECORRUPT,
                         "%s:%u: line #%" PRIu64 " is not the one that the gateway was told of",
                         path, line, w->head.lines);
    w->told_found = true;
    return 0;
}

/* The first line of a file: where the chain comes from. */
static int begin_file(struct chain_walk *w, const char *path, const char *line, size_t len,
                      struct fault *f)
{
    struct chainlog_head start = {0};

    if (!chain_read_start(line, len, &start))
        return fault_set(f, PRA_ECORRUPT, "%s:1: does not say which chain the file carries on",
                         path);
    if (w->joined && (start.lines != w->head.lines ||
                      !crypto_equal(start.hash, w->head.hash, sizeof(start.hash))))
        return fault_set(f, PRA_ECORRUPT,
                         "%s:1: carries on behind line #%" PRIu64
                         ", but the file before ends with line #%" PRIu64 " or with another hash",
                         path, start.lines, w->head.lines);
    if (!w->joined && w->told && w->told->lines < start.lines)
        w->told_before = true;
    w->head = start;
    w->joined = true;
    return check_told(w, path, 1, f);
}

static int broken(const struct chain_walk *w, const char *path, unsigned line, struct fault *f)
{
    return fault_set(f, PRA_ECORRUPT,
                     "%s:%u: does not follow line #%" PRIu64
                     ": a line was removed, changed or moved here",
                     path, line, w->head.lines);
}

int chain_walk_text(struct chain_walk *w, const char *path, const char *text, size_t len,
                    struct fault *f)
{
    const char *damaged = NULL; /* a line that was not good; the one behind it must mend it */
    size_t damaged_len = 0;
    unsigned number = 0;
    size_t at = 0;

    w->good = 0;
    w->unfinished = false;
    w->no_newline = false;
    while (at < len) {
        const char *line = text + at;
        const char *newline = memchr(line, '\n', len - at);
        size_t n = newline ? (size_t)(newline - line) : len - at;
        int rc = 0;

        number++;
        if (number == 1 && newline)
            rc = begin_file(w, path, line, n, f);
        if (rc != 0)
            return rc;
        if (damaged && !chain_mends(line, n, damaged, damaged_len))
            return broken(w, path, number - 1, f);
        if (accept_line(w, line, n)) {
            damaged = NULL;
            at += n + (newline ? 1 : 0);
            w->good = at;
            w->no_newline = !newline;
            rc = check_told(w, path, number, f);
            if (rc != 0)
                return rc;
            continue;
        }
        if (!newline) {
            w->unfinished = true;
            return fault_set(f, PRA_ECORRUPT, "%s:%u: the file ends within this line", path,
                             number);
        }
        if (damaged)
            return broken(w, path, number, f);
        damaged = line;
        damaged_len = n;
        at += n + 1;
    }
    return damaged ? broken(w, path, number, f) : 0;
}

static int walk_file(struct chain_walk *w, const char *path, struct fault *f)
{
    char *text;
    size_t len;
    int rc = os_file_read(path, CHAIN_FILE_MAX, &text, &len, f);

    if (rc != 0)
        return rc;
    rc = chain_walk_text(w, path, text, len, f);
    free(text);
    return rc;
}

/* All files of a log, oldest first. */
static int walk_log(struct chain_walk *w, const char *dir, const char *name, struct fault *f)
{
    char path[OS_PATH_MAX];

    for (unsigned number = CHAIN_KEEP_MAX;; number--) {
        int rc = chain_path(path, dir, name, number);

        if (rc != 0)
            return fault_set(f, rc, "%.64s...: the path is too long", dir);
        if (number == 0)
            return walk_file(w, path, f);
        if (access(path, F_OK) == 0) {
            rc = walk_file(w, path, f);
            if (rc != 0)
                return rc;
        }
    }
}

int chainlog_verify(const char *dir, const char *name, struct chainlog_head *out, struct fault *f)
{
    struct chain_walk w = {0};
    int rc = walk_log(&w, dir, name, f);

    if (rc == 0)
        *out = w.head;
    return rc;
}

int chainlog_check_head(const char *dir, const char *name, const struct chainlog_head *told,
                        struct fault *f)
{
    struct chain_walk w = {.told = told};
    int rc = walk_log(&w, dir, name, f);

    if (rc != 0 || w.told_found || told->lines == 0)
        return rc;
    if (w.told_before)
        return fault_set(f, PRA_ENOENT, "line #%" PRIu64 " is older than the oldest file kept",
                         told->lines);
    return fault_set(f, PRA_ECORRUPT,
                     "%s ends with line #%" PRIu64 ", but the gateway was told of %" PRIu64
                     " lines: the end was cut off",
                     name, w.head.lines, told->lines);
}
