/* Examines log bundles; see bundle.h. */
#include "server/bundle/bundle.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chainlog_scan.h"
#include "common/timefmt.h"
#include "common/utf8.h"
#include "server/bundle/unzip.h"

#define SESSION_DIGITS 32
#define JSON_FILE_MAX  (256u * 1024) /* status.json, check.json */
/* What client/redact.h leaves in the place of a secret. */
#define TAKEN_OUT "[removed]"
/* How far the two clocks may differ, and how long a first line may wait to be told of. */
#define CLOCK_MARGIN_MS (5 * 60 * 1000)

static const char *const log_names[BUNDLE_LOGS] = {"System.log", "User.log"};

struct exam {
    struct chain_scan scan;
    const char *log;
    json_t *entry, *breaks; /* of the log that is being read */
    json_t *events, *sessions, *problems;
    json_t **ring; /* newest events of this log; owned */
    size_t ring_at, ring_count;
    size_t lines, found, older;
    bool whole;
    uint64_t first, last;
    struct bundle_summary *sum;
    char session[SESSION_DIGITS + 1]; /* that lines belong to from here on */
};

void bundle_tell(struct bundle_told *told, enum bundle_log log, const struct chainlog_head *head,
                 int64_t at)
{
    size_t *count = &told->count[log];

    if (*count == BUNDLE_HEADS_MAX) {
        (*count)--;
        memmove(told->head[log], told->head[log] + 1, *count * sizeof(told->head[log][0]));
        memmove(told->at[log], told->at[log] + 1, *count * sizeof(told->at[log][0]));
    }
    told->head[log][*count] = (struct chain_told){.head = *head};
    told->at[log][(*count)++] = at;
}

/* ---- texts ------------------------------------------------------------------------------------- */

static json_t *safe(const char *text, size_t len)
{
    char out[BUNDLE_TEXT_MAX + UTF8_SAFE_MAX];
    size_t n = 0, used;

    for (size_t i = 0; i < len && n < BUNDLE_TEXT_MAX; i += used)
        n += utf8_take_safe(text + i, len - i, "", out + n, &used);
    return json_stringn(out, n);
}

/* "2026-11-22T10:00:00.123Z" at the front of a line, in ms; 0 if there is none. */
static int64_t time_of(const char *text, size_t len)
{
    char copy[TIMEFMT_MAX];
    const char *space = memchr(text, ' ', len);
    size_t n = space != NULL ? (size_t)(space - text) : len;
    int64_t seconds;

    if (n >= sizeof(copy) || n < 20)
        return 0;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (timefmt_parse(copy, &seconds) != 0)
        return 0;
    return seconds * 1000 + (n == 24 && copy[19] == '.' ? strtol(copy + 20, NULL, 10) % 1000 : 0);
}

/* The word behind the time: the level. */
static const char *level_of(const char *text, size_t len, const char **rest, size_t *left)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const char *end = text + len, *p = memchr(text, ' ', len);

    for (size_t i = 0; p != NULL && i < sizeof(levels) / sizeof(levels[0]); i++) {
        size_t n = strlen(levels[i]);

        if ((size_t)(end - p) > n + 1 && memcmp(p + 1, levels[i], n) == 0 && p[n + 1] == ' ') {
            *rest = p + n + 2;
            *left = (size_t)(end - *rest);
            return levels[i];
        }
    }
    *rest = text;
    *left = len;
    return "";
}

/* "session <32 hex digits>" or "session=...": lines from here on belong to it. */
static void note_session(struct exam *e, const char *text, size_t len)
{
    static const char key[] = "session";
    const char *p = text, *end = text + len;

    while ((p = memmem(p, (size_t)(end - p), key, sizeof(key) - 1)) != NULL) {
        size_t n = 0;

        p += sizeof(key) - 1;
        p += p < end && (*p == ' ' || *p == '=');
        while (p + n < end && strchr("0123456789abcdef", p[n]) != NULL && p[n] != '\0')
            n++;
        if (n != SESSION_DIGITS || memcmp(p, e->session, n) == 0)
            continue;
        memcpy(e->session, p, n);
        memcpy(e->sum->session, p, n);
        e->sum->session[n] = '\0';
        json_array_append_new(e->sessions, json_stringn(p, n));
        if (json_array_size(e->sessions) > BUNDLE_SESSIONS_MAX)
            json_array_remove(e->sessions, 0);
    }
}

/* "ERR(10203)" or "WAR(10102)". */
static void note_problem(struct exam *e, int64_t at, const char *text, size_t len)
{
    for (size_t i = 0; i + 10 <= len; i++) {
        const char *p = text + i;
        bool digits = true;

        if ((memcmp(p, "ERR(", 4) != 0 && memcmp(p, "WAR(", 4) != 0) || p[9] != ')')
            continue;
        for (size_t k = 4; k < 9; k++)
            digits = digits && isdigit((unsigned char)p[k]);
        if (!digits)
            continue;
        json_array_append_new(e->problems,
                              json_pack("{s:I, s:o, s:o}", "at", (json_int_t)at, "code",
                                        json_stringn(p, 10), "text", safe(text, len)));
        if (json_array_size(e->problems) > BUNDLE_PROBLEMS_MAX)
            json_array_remove(e->problems, 0);
        return;
    }
}

/* ---- one log ----------------------------------------------------------------------------------- */

static void add_break(struct exam *e, const char *kind, const char *file, unsigned line,
                      uint64_t number, uint64_t count)
{
    e->whole = false;
    e->found++;
    if (json_array_size(e->breaks) < BUNDLE_BREAKS_MAX)
        json_array_append_new(
            e->breaks, json_pack("{s:s, s:I, s:I, s:s, s:I}", "file", file, "line",
                                 (json_int_t)line, "number", (json_int_t)number, "kind", kind,
                                 "count", (json_int_t)(count > INT64_MAX ? INT64_MAX : count)));
}

static void on_break(void *ctx, enum chain_break what, const char *file, unsigned line,
                     uint64_t count)
{
    static const char *const kinds[] = {[CHAIN_LINES_MISSING] = "missing",
                                        [CHAIN_NOT_JOINED] = "not-joined",
                                        [CHAIN_NOT_AS_TOLD] = "not-as-told",
                                        [CHAIN_END_MISSING] = "end-missing"};
    struct exam *e = ctx;

    add_break(e, kinds[what], file, line, e->scan.head.lines, count);
}

static const char *judge_line(struct exam *e, const struct chain_scan_line *l)
{
    static const char *const words[] = {[CHAIN_GOOD] = "good",
                                        [CHAIN_UNPROVEN] = "unproven",
                                        [CHAIN_ALTERED] = "altered",
                                        [CHAIN_MISPLACED] = "misplaced",
                                        [CHAIN_UNREADABLE] = "unreadable"};
    bool taken_out = l->state != CHAIN_GOOD && l->state != CHAIN_UNPROVEN &&
                     memmem(l->text, l->len, TAKEN_OUT, strlen(TAKEN_OUT)) != NULL;
    const char *word = taken_out ? "taken-out" : words[l->state];

    if (l->state != CHAIN_GOOD && l->state != CHAIN_UNPROVEN)
        add_break(e, word, l->file, l->line, l->number, 0);
    return word;
}

static void on_line(void *ctx, const struct chain_scan_line *l)
{
    struct exam *e = ctx;
    int64_t at = time_of(l->text, l->len);
    const char *state = judge_line(e, l), *level, *rest;
    json_t **slot = &e->ring[e->ring_at];
    size_t left;

    e->lines++;
    if (l->number > 0) {
        e->first = e->first == 0 ? l->number : e->first;
        e->last = l->number;
    }
    note_session(e, l->text, l->len);
    note_problem(e, at, l->text, l->len);
    level = level_of(l->text, l->len, &rest, &left);
    json_decref(*slot);
    *slot = json_pack("{s:I, s:s, s:s, s:I, s:I, s:s, s:o, s:s, s:s}", "at", (json_int_t)at, "log",
                      e->log, "file", l->file, "line", (json_int_t)l->line, "number",
                      (json_int_t)(l->number > INT64_MAX ? INT64_MAX : l->number), "level", level,
                      "text", safe(rest, left), "state", state, "session", e->session);
    e->ring_at = (e->ring_at + 1) % BUNDLE_EVENTS_MAX;
    e->ring_count += e->ring_count < BUNDLE_EVENTS_MAX;
}

static const struct unzip_file *find(const struct unzip *z, const char *name)
{
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->file[i].name, name) == 0)
            return &z->file[i];
    return NULL;
}

/* NAME.9 ... NAME.1, NAME: oldest first. */
struct files {
    const struct unzip_file *file[UNZIP_FILES_MAX];
    size_t count;
};

static void list_log(const struct unzip *z, const char *log, struct files *fs)
{
    *fs = (struct files){0};
    for (int i = UNZIP_FILES_MAX - 1; i >= 0; i--) {
        char name[UNZIP_NAME_MAX + 1];

        if (i > 0)
            snprintf(name, sizeof(name), "%s.%d", log, i);
        else
            snprintf(name, sizeof(name), "%s", log);
        fs->file[fs->count] = find(z, name);
        fs->count += fs->file[fs->count] != NULL;
    }
}

/* Heads that were told before the first line was written are of lines that have been rotated away, or of a
   log that is gone: they say nothing of this one. Returns how many there are. */
static size_t pass_over_older(struct exam *e, struct bundle_told *told, enum bundle_log log,
                              const char *text, size_t len)
{
    const char *newline = memchr(text, '\n', len);
    int64_t first = time_of(text, newline != NULL ? (size_t)(newline - text) : len);
    size_t n = 0;

    while (n < told->count[log] && told->at[log][n] < first - CLOCK_MARGIN_MS)
        n++;
    e->scan.told = told->head[log] + n;
    e->scan.told_count = told->count[log] - n;
    return n;
}

static int read_files(struct exam *e, const struct unzip *z, enum bundle_log log,
                      struct bundle_told *told, struct fault *f)
{
    struct files fs;
    int rc = 0;

    list_log(z, e->log, &fs);
    for (size_t i = 0; i < fs.count && rc == 0; i++) {
        char *text = NULL;

        rc = unzip_read(z, fs.file[i], &text, f);
        if (rc == 0 && i == 0)
            e->older = pass_over_older(e, told, log, text, fs.file[i]->size);
        if (rc == 0)
            chain_scan_file(&e->scan, fs.file[i]->name, text, fs.file[i]->size);
        free(text);
    }
    if (rc == 0)
        chain_scan_end(&e->scan, e->log);
    return rc;
}

static size_t count_found(const struct chain_scan *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->told_count; i++)
        n += s->told[i].found;
    return n;
}

/* The newest events, in order. */
static void empty_ring(struct exam *e)
{
    size_t from = (e->ring_at + BUNDLE_EVENTS_MAX - e->ring_count) % BUNDLE_EVENTS_MAX;

    for (size_t i = 0; i < e->ring_count; i++) {
        json_t **slot = &e->ring[(from + i) % BUNDLE_EVENTS_MAX];

        json_array_append_new(e->events, *slot);
        *slot = NULL;
    }
    e->ring_at = e->ring_count = 0;
}

static int read_log(struct exam *e, const struct unzip *z, enum bundle_log log,
                    struct bundle_told *told, json_t *logs, struct fault *f)
{
    static const struct chain_scan_events events = {.line = on_line, .broken = on_break};
    int rc;

    e->log = log_names[log];
    e->scan = (struct chain_scan){
        .events = &events, .ctx = e, .told = told->head[log], .told_count = told->count[log]};
    e->breaks = json_array();
    e->lines = e->found = e->older = 0;
    e->first = e->last = 0;
    e->whole = true;
    e->session[0] = '\0';
    rc = read_files(e, z, log, told, f);
    empty_ring(e);
    e->sum->lines += e->lines;
    e->sum->breaks += e->found;
    e->sum->whole = e->sum->whole && e->whole;
    json_array_append_new(
        logs,
        json_pack("{s:s, s:I, s:I, s:I, s:b, s:I, s:I, s:o}", "name", e->log, "lines",
                  (json_int_t)e->lines, "first", (json_int_t)e->first, "last", (json_int_t)e->last,
                  "whole", e->whole, "confirmed", (json_int_t)count_found(&e->scan), "earlier",
                  (json_int_t)(e->first == 1 ? e->older : 0), "breaks", e->breaks));
    return rc;
}

/* ---- all of it --------------------------------------------------------------------------------- */

/* An object that the client wrote as a file; null if there is none that can be read. */
static json_t *read_json(const struct unzip *z, const char *name)
{
    const struct unzip_file *file = find(z, name);
    json_t *o = NULL;
    char *text = NULL;

    if (file != NULL && file->size <= JSON_FILE_MAX && unzip_read(z, file, &text, NULL) == 0)
        o = json_loadb(text, file->size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    if (json_is_object(o))
        return o;
    json_decref(o);
    return json_null();
}

static json_t *list_files(const struct unzip *z)
{
    json_t *files = json_array();

    for (size_t i = 0; i < z->count; i++)
        json_array_append_new(files, json_pack("{s:s, s:I}", "name", z->file[i].name, "bytes",
                                               (json_int_t)z->file[i].size));
    return files;
}

int bundle_examine(const void *data, size_t len, struct bundle_told *told, json_t **report,
                   struct bundle_summary *sum, struct fault *f)
{
    struct unzip *z = calloc(1, sizeof(*z));
    struct exam e = {.sum = sum,
                     .ring = calloc(BUNDLE_EVENTS_MAX, sizeof(json_t *)),
                     .events = json_array(),
                     .sessions = json_array(),
                     .problems = json_array()};
    json_t *logs = json_array();
    int rc = z == NULL || e.ring == NULL ? fault_set(f, PRA_ENOMEM, "no memory for the bundle")
                                         : unzip_open(z, data, len, f);

    *sum = (struct bundle_summary){.whole = true};
    for (enum bundle_log log = 0; log < BUNDLE_LOGS && rc == 0; log++)
        rc = read_log(&e, z, log, told, logs, f);
    if (rc == 0 && find(z, log_names[BUNDLE_SYSTEM]) == NULL)
        rc = fault_set(f, PRA_ECORRUPT, "the bundle holds no System.log");
    if (rc == 0) {
        *report = json_pack("{s:o, s:O, s:O, s:O, s:o, s:o, s:O}", "files", list_files(z), "logs",
                            logs, "sessions", e.sessions, "problems", e.problems, "status",
                            read_json(z, "status.json"), "check", read_json(z, "check.json"),
                            "events", e.events);
        rc = *report != NULL ? 0 : fault_set(f, PRA_ENOMEM, "no memory for the bundle");
    }
    json_decref(logs);
    json_decref(e.events);
    json_decref(e.sessions);
    json_decref(e.problems);
    free(e.ring);
    free(z);
    return rc;
}
