/* Reads chained logs to their end, whatever is in them; see chainlog_scan.h. */
#include "common/chainlog_scan.h"

#include <string.h>

#include "common/chainlog_internal.h"

struct place {
    const char *file;
    unsigned line;
};

static void broken(const struct chain_scan *s, enum chain_break what, const struct place *at,
                   uint64_t count)
{
    s->events->broken(s->ctx, what, at->file, at->line, count);
}

/* The first line of a file says which chain it carries on. */
static void begin_file(struct chain_scan *s, const struct place *at, const char *line, size_t len)
{
    struct chainlog_head start;

    if (!chain_read_start(line, len, &start)) {
        broken(s, CHAIN_NOT_JOINED, at, 0);
        s->proven = false;
        return;
    }
    if (s->joined && (start.lines != s->head.lines ||
                      (s->proven && !crypto_equal(start.hash, s->head.hash, sizeof(start.hash)))))
        broken(s, CHAIN_NOT_JOINED, at,
               start.lines > s->head.lines ? start.lines - s->head.lines : 0);
    s->head = start;
    s->proven = true;
}

/* Compares a line with what the gateway was told of it, which may prove what follows. */
static void compare_told(struct chain_scan *s, const struct place *at, const char *shown)
{
    for (size_t i = 0; i < s->told_count; i++) {
        struct chain_told *told = &s->told[i];
        char hex[CHAIN_SHOWN_HEX + 1];

        if (told->head.lines != s->head.lines || told->found)
            continue;
        crypto_hex_encode(told->head.hash, CHAIN_SHOWN_LEN, hex);
        told->found = memcmp(hex, shown, CHAIN_SHOWN_HEX) == 0;
        told->file = at->file;
        told->line = at->line;
        if (told->found) {
            memcpy(s->head.hash, told->head.hash, sizeof(s->head.hash));
            s->proven = true;
        }
    }
}

static enum chain_line judge(struct chain_scan *s, const struct place *at, const char *line,
                             size_t text_len, uint64_t number, const char *shown)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    char hex[CHAIN_SHOWN_HEX + 1];
    enum chain_line state = CHAIN_UNPROVEN;

    if (number <= s->head.lines) {
        s->proven = false;
        return CHAIN_MISPLACED;
    }
    if (number != s->head.lines + 1) {
        broken(s, CHAIN_LINES_MISSING, at, number - s->head.lines - 1);
        s->proven = false;
    }
    if (s->proven && chain_next(s->head.hash, line, text_len, hash) == 0) {
        crypto_hex_encode(hash, CHAIN_SHOWN_LEN, hex);
        state = memcmp(hex, shown, CHAIN_SHOWN_HEX) == 0 ? CHAIN_GOOD : CHAIN_ALTERED;
        s->proven = state == CHAIN_GOOD;
        memcpy(s->head.hash, hash, sizeof(hash));
    }
    s->head.lines = number;
    if (number > s->highest)
        s->highest = number;
    compare_told(s, at, shown);
    return state;
}

/* A damaged line is none if the line behind it says that it was found at a start (a power cut). */
static bool mended(const char *line, size_t len, const char *next, size_t left)
{
    const char *end = memchr(next, '\n', left);

    return left > 0 && chain_mends(next, end != NULL ? (size_t)(end - next) : left, line, len);
}

void chain_scan_file(struct chain_scan *s, const char *file, const char *text, size_t len)
{
    struct place at = {.file = file};

    for (size_t from = 0, next; from < len; from = next) {
        const char *line = text + from, *shown = NULL;
        const char *newline = memchr(line, '\n', len - from);
        size_t n = newline != NULL ? (size_t)(newline - line) : len - from;
        struct chain_scan_line out = {.file = file, .line = ++at.line, .text = line, .len = n};

        next = from + n + (newline != NULL);
        if (at.line == 1)
            begin_file(s, &at, line, n);
        if (chain_split_line(line, n, &out.len, &out.number, &shown)) {
            out.state = judge(s, &at, line, out.len, out.number, shown);
        } else {
            out.len = n;
            out.number = 0;
            out.state = mended(line, n, text + next, len - next) ? CHAIN_GOOD : CHAIN_UNREADABLE;
            s->proven = s->proven && out.state == CHAIN_GOOD;
        }
        s->events->line(s->ctx, &out);
    }
    s->joined = true;
}

void chain_scan_end(struct chain_scan *s, const char *file)
{
    uint64_t beyond = 0;

    for (size_t i = 0; i < s->told_count; i++) {
        const struct chain_told *told = &s->told[i];
        const struct place at = {.file = told->file, .line = told->line};

        if (told->found)
            continue;
        if (told->file != NULL)
            s->events->broken(s->ctx, CHAIN_NOT_AS_TOLD, at.file, at.line, 0);
        else if (told->head.lines > s->highest && told->head.lines - s->highest > beyond)
            beyond = told->head.lines - s->highest;
    }
    if (beyond > 0)
        s->events->broken(s->ctx, CHAIN_END_MISSING, file, 0, beyond);
}
