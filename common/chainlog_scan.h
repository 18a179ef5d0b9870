/*
 * Reads chained logs that came from elsewhere, line by line, and goes on behind a break: for the
 * gateway, which shows the helpdesk each place where a line was altered, removed or moved. What the
 * gateway was told of the chain while it grew (its heads) vouches for lines and lets the check go on
 * behind a break; without that it goes on at the next file. Pure; the format is in common/README.md.
 */
#ifndef PRA_COMMON_CHAINLOG_SCAN_H
#define PRA_COMMON_CHAINLOG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/chainlog.h"

enum chain_line {
    CHAIN_GOOD,      /* follows the line before */
    CHAIN_UNPROVEN,  /* behind a break: its number is in order, nothing proves its text */
    CHAIN_ALTERED,   /* its text, or its hash, was changed */
    CHAIN_MISPLACED, /* its number is not the next one, and not a later one either */
    CHAIN_UNREADABLE /* it has no number and hash */
};

struct chain_scan_line {
    const char *file;
    unsigned line;    /* in the file, from 1 */
    uint64_t number;  /* over the life of the log; 0 = unreadable */
    const char *text; /* without number and hash */
    size_t len;
    enum chain_line state;
};

enum chain_break {
    CHAIN_LINES_MISSING, /* `count` lines in front of this one */
    CHAIN_NOT_JOINED,    /* the file does not carry on the one before */
    CHAIN_NOT_AS_TOLD,   /* the gateway was told of another line with this number */
    CHAIN_END_MISSING    /* the gateway was told of `count` lines behind the last */
};

/* A head that the gateway was told, and where the scan came by a line with its number. */
struct chain_told {
    struct chainlog_head head;
    bool found;       /* that very line is there */
    const char *file; /* another line with this number, NULL = none */
    unsigned line;
};

struct chain_scan;

struct chain_scan_events {
    void (*line)(void *ctx, const struct chain_scan_line *l);
    void (*broken)(void *ctx, enum chain_break what, const char *file, unsigned line,
                   uint64_t count);
};

struct chain_scan {
    const struct chain_scan_events *events;
    void *ctx;
    struct chain_told *told; /* borrowed; in any order */
    size_t told_count;
    struct chainlog_head head; /* behind the last line */
    bool joined;               /* a file was read */
    bool proven;               /* head.hash is known */
    uint64_t highest;          /* number of a line */
};

/* One file; oldest first. A last line without newline counts as a line. */
void chain_scan_file(struct chain_scan *s, const char *file, const char *text, size_t len);
/* Behind the last file: heads that no line fits are breaks. A log that was begun anew in between has numbers
   twice; one of the two lines has to fit. */
void chain_scan_end(struct chain_scan *s, const char *file);

#endif
