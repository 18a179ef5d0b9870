/*
 * What is in a log bundle that a client has sent (`pra log send`): is each line of its logs there and as
 * it was written (N9), which sessions and problems do they tell of, how did the client stand. Pure: bytes
 * and what the gateway was told of the chains in, a report out. Everything in a bundle is the sender's.
 */
#ifndef PRA_SERVER_BUNDLE_BUNDLE_H
#define PRA_SERVER_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/chainlog_scan.h"
#include "common/err.h"

#define BUNDLE_SIZE_MAX (8u * 1024 * 1024) /* as it is sent */
/* The report: newest lines of each log, bytes of a line, breaks, sessions, problems, heads. */
#define BUNDLE_EVENTS_MAX   2000
#define BUNDLE_TEXT_MAX     400
#define BUNDLE_BREAKS_MAX   200
#define BUNDLE_SESSIONS_MAX 32
#define BUNDLE_PROBLEMS_MAX 50
#define BUNDLE_HEADS_MAX    256

enum bundle_log { BUNDLE_SYSTEM, BUNDLE_USER, BUNDLE_LOGS };

/* What the gateway was told of the chains, and when (ms). */
struct bundle_told {
    struct chain_told head[BUNDLE_LOGS][BUNDLE_HEADS_MAX];
    int64_t at[BUNDLE_LOGS][BUNDLE_HEADS_MAX];
    size_t count[BUNDLE_LOGS];
};

/* Takes one head; of more than fit the oldest go. They come in the order in which they were told. */
void bundle_tell(struct bundle_told *told, enum bundle_log log, const struct chainlog_head *head,
                 int64_t at);

struct bundle_summary {
    bool whole;       /* no break was found */
    size_t lines;     /* of both logs */
    size_t breaks;    /* found, also those that the report has no room for */
    char session[33]; /* the last one that the logs name, or "" */
};

/*
 * Returns 0 with a new reference in *report:
 * {"files": [{"name","bytes"}],
 *  "logs": [{"name","lines","first","last","whole","confirmed": heads that were found as told,
 *            "earlier": heads of a log before this one, which begins with line 1,
 *            "breaks": [{"file","line","number","kind","count"}]}],
 *  "sessions": ids, newest last, "problems": [{"at","code","text"}], "status": object or null,
 *  "check": object or null,
 *  "events": [{"at": ms,"log","file","line","number","level","text","state","session"}], by log}
 * `kind` is missing, not-joined, not-as-told, end-missing, altered, misplaced, unreadable or
 * taken-out (a secret was removed from that line before it was sent). PRA_ECORRUPT, PRA_ETOOBIG, PRA_ENOMEM
 * with a sentence.
 */
int bundle_examine(const void *data, size_t len, struct bundle_told *told, json_t **report,
                   struct bundle_summary *sum, struct fault *f);

#endif
