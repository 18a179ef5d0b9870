/*
 * The audit on the terminal: the newest records, in the order in which they happened, and exports.
 * Prad answers with a part at a time, so that it does other things between.
 */
#include "server/pra-admin.h"

#include <string.h>

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX     100000 /* records held here to turn them round */
#define PART          1000

/* One part of an operation's answer. On EXIT_OK *answer is a new reference. */
static int ask_part(struct link *l, const char *op, json_t *args, json_t **answer, json_t **result)
{
    json_t *request = json_pack("{s:s, s:O}", "op", op, "args", args);
    int rc = cli_ask(l, request, answer, result);

    json_decref(request);
    if (rc != EXIT_OK)
        json_decref(*answer);
    return rc;
}

static int usage_limit(void)
{
    fprintf(stderr,
            "pra-admin: --limit is at most %d: 0 prints all, and so does pra-admin audit export\n",
            LIMIT_MAX);
    return EXIT_USAGE;
}

/* ---- exports ------------------------------------------------------------------------------------- */

/* Hands the export to `fn`, part by part. Returns an exit code. */
static int each_part(struct link *l, json_t *args, void (*fn)(const char *text, void *ctx),
                     void *ctx)
{
    json_t *answer, *result, *next;
    bool more = true;

    while (more) {
        const char *text;
        int rc = ask_part(l, "audit.export", args, &answer, &result);

        if (rc != EXIT_OK)
            return rc;
        text = json_string_value(json_object_get(result, "text"));
        fn(text != NULL ? text : "", ctx);
        next = json_object_get(result, "next");
        more = json_is_integer(next);
        if (more)
            json_object_set(args, "after", next);
        json_object_set(args, "upto", json_object_get(result, "upto"));
        json_decref(answer);
    }
    return EXIT_OK;
}

static void print_part(const char *text, void *ctx)
{
    (void)ctx;
    fputs(text, stdout); /* a disk that is full is noticed at the end */
}

int audit_export(struct link *l, json_t *args)
{
    return each_part(l, args, print_part, NULL);
}

/* ---- the list ------------------------------------------------------------------------------------ */

/* What is printed is one JSON array, or tables. */
struct printer {
    bool json, any;
    const struct cli_column *columns;
};

static void print_record(struct printer *p, const json_t *record)
{
    fputs(p->any ? ",\n  " : "[\n  ", stdout);
    p->any = true;
    json_dumpf(record, stdout, JSON_COMPACT);
}

/* A part as JSON lines. */
static void print_lines(const char *text, void *ctx)
{
    json_t *records = json_array(), *record;
    struct printer *p = ctx;
    size_t i;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        record = json_loadb(text, len, 0, NULL);
        if (record != NULL)
            json_array_append_new(records, record);
        text += len + (text[len] == '\n');
    }
    if (!p->json)
        print_table(records, p->columns);
    json_array_foreach(records, i, record)
    {
        if (p->json)
            print_record(p, record);
    }
    json_decref(records);
}

/* The newest `limit` records that fit, newest first, into `list`. Returns an exit code. */
static int newest(struct link *l, json_t *args, json_int_t limit, json_t *list)
{
    bool more = true;

    while (more && (json_int_t)json_array_size(list) < limit) {
        json_int_t want = limit - (json_int_t)json_array_size(list);
        json_t *answer, *result, *page, *place;
        int rc;

        if (want > PART)
            want = PART;
        json_object_set_new(args, "limit", json_integer(want));
        rc = ask_part(l, "audit.list", args, &answer, &result);
        if (rc != EXIT_OK)
            return rc;
        json_array_extend(list, result);
        page = json_object_get(answer, "page");
        /* A full part goes on behind its last record, another one where prad stopped to look. */
        place =
            json_object_get(page, (json_int_t)json_array_size(result) == want ? "last" : "before");
        more = json_is_string(place);
        if (more)
            json_object_set(args, "before", place);
        json_decref(answer);
    }
    return EXIT_OK;
}

int audit_print(struct link *l, json_t *args, bool json, const struct cli_column *columns)
{
    json_t *given = json_object_get(args, "limit"), *list = json_array(), *turned = json_array();
    json_int_t limit = given == NULL ? LIMIT_DEFAULT : json_integer_value(given);
    struct printer p = {.json = json, .columns = columns};
    int rc;

    if (limit > LIMIT_MAX)
        rc = usage_limit();
    else if (limit == 0) {
        json_object_del(args, "limit");
        json_object_set_new(args, "format", json_string("jsonl"));
        rc = each_part(l, args, print_lines, &p);
    } else {
        rc = newest(l, args, limit, list);
        for (size_t i = json_array_size(list); i > 0; i--)
            json_array_append(turned, json_array_get(list, i - 1));
        for (size_t i = 0; json && i < json_array_size(turned); i++)
            print_record(&p, json_array_get(turned, i));
        if (!json)
            print_table(turned, columns);
    }
    if (rc == EXIT_OK && json)
        puts(p.any ? "\n]" : "[]");
    json_decref(list);
    json_decref(turned);
    return rc;
}
