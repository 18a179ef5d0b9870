/* `pra-admin log export` and `log verify`; see pra-admin.h. */
#include "server/pra-admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/timefmt.h"

/* Lines of the time line that are asked for at once. */
#define PART 500

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text != NULL ? text : "";
}

static long long number_of(const json_t *o, const char *key)
{
    return (long long)json_integer_value(json_object_get(o, key));
}

/* The result of one operation; a new reference, NULL with a sentence. */
static json_t *ask(struct link *l, const char *op, json_t *args, struct fault *f)
{
    json_t *request = json_pack("{s:s, s:o}", "op", op, "args", args);
    json_t *answer = link_ask(l, request, f), *result = NULL;

    if (answer != NULL && json_is_true(json_object_get(answer, "ok")))
        result = json_incref(json_object_get(answer, "result"));
    else if (answer != NULL)
        fault_set(f, PRA_EIO, "%s", text_of(json_object_get(answer, "error"), "message"));
    json_decref(answer);
    json_decref(request);
    return result;
}

/* ---- export ------------------------------------------------------------------------------------ */

/* Adds one part to `data`. Returns its size, 0 at the end, or -1 with a sentence. */
static long fetch_part(struct link *l, const char *id, char **data, size_t len, json_t **last,
                       struct fault *f)
{
    const char *base64;
    char *more;
    size_t room;

    json_decref(*last);
    *last = ask(l, "log.fetch", json_pack("{s:s, s:I}", "id", id, "offset", (json_int_t)len), f);
    if (*last == NULL)
        return -1;
    base64 = text_of(*last, "data");
    room = strlen(base64) / 4 * 3 + 3;
    more = realloc(*data, len + room);
    if (more == NULL) {
        fault_set(f, PRA_ENOMEM, "out of memory");
        return -1;
    }
    *data = more;
    if (crypto_base64_decode(base64, strlen(base64), *data + len, &room) != 0) {
        fault_set(f, PRA_EIO, "the bundle did not arrive whole");
        return -1;
    }
    return (long)room;
}

int logs_export(struct link *l, const json_t *args, struct output_file *file, bool json,
                json_t **result, struct fault *f)
{
    json_t *last = NULL;
    char *data = NULL;
    size_t len = 0;
    long n;
    int rc = EXIT_FAILED;

    while ((n = fetch_part(l, text_of(args, "id"), &data, len, &last, f)) > 0)
        len += (size_t)n;
    if (n == 0 && file->path != NULL && output_write(file, data, len, f) == 0) {
        fprintf(stderr, "%zu bytes written to ", len);
        print_safe(stderr, file->path);
        fputc('\n', stderr);
        rc = EXIT_OK;
    } else if (n == 0 && file->path == NULL) {
        rc = fwrite(data, 1, len, stdout) == len ? EXIT_OK : EXIT_FAILED;
    }
    if (rc == EXIT_OK && json && file->path != NULL)
        *result = json_pack("{s:s, s:s, s:I}", "id", text_of(args, "id"), "file", file->path,
                            "size", (json_int_t)len);
    json_decref(last);
    free(data);
    return rc;
}

/* ---- verify ------------------------------------------------------------------------------------ */

static const char *words_of(const char *kind)
{
    static const struct {
        const char *kind, *words;
    } table[] = {
        {"missing", "lines are missing in front of it"},
        {"not-joined", "the file does not carry on the one before"},
        {"not-as-told", "is not the line that the gateway was told of"},
        {"end-missing", "the end is missing: the gateway was told of more lines"},
        {"altered", "the line was altered"},
        {"misplaced", "the line stands in a wrong place"},
        {"unreadable", "is no line of this log"},
        {"taken-out", "something secret was taken out before it was sent"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(kind, table[i].kind) == 0)
            return table[i].words;
    return kind;
}

static void print_breaks(const json_t *report)
{
    json_t *log, *b;
    size_t i, k;

    json_array_foreach(json_object_get(report, "logs"), i, log)
    {
        printf("%s: %lld lines (#%lld to #%lld), %s; %lld confirmed by what the gateway was told\n",
               text_of(log, "name"), number_of(log, "lines"), number_of(log, "first"),
               number_of(log, "last"),
               json_is_true(json_object_get(log, "whole")) ? "whole" : "NOT WHOLE",
               number_of(log, "confirmed"));
        if (number_of(log, "earlier") > 0)
            printf("  an earlier log of this PC, of which the gateway was told, is not here\n");
        json_array_foreach(json_object_get(log, "breaks"), k, b)
        {
            printf("  %s:%lld: ", text_of(b, "file"), number_of(b, "line"));
            if (number_of(b, "count") > 0)
                printf("%lld: ", number_of(b, "count"));
            printf("%s (#%lld)\n", words_of(text_of(b, "kind")), number_of(b, "number"));
        }
    }
}

static void print_event(const json_t *e)
{
    const char *state = text_of(e, "state");
    char when[TIMEFMT_MAX];

    printf("%s %-10s ", timefmt_rfc3339_ms(json_integer_value(json_object_get(e, "at")), when),
           text_of(e, "log"));
    if (strcmp(text_of(e, "log"), "gateway") == 0) {
        print_safe(stdout, text_of(e, "kind"));
        for (const char *const *key = (const char *const[]){"reason", "target", "text", NULL};
             *key != NULL; key++) {
            if (text_of(e, *key)[0] != '\0') {
                putchar(' ');
                print_safe(stdout, text_of(e, *key));
            }
        }
    } else {
        printf("%s%s%s ", strcmp(state, "good") == 0 ? "" : "[",
               strcmp(state, "good") == 0 ? "" : state, strcmp(state, "good") == 0 ? "" : "]");
        printf("%s ", text_of(e, "level"));
        print_safe(stdout, text_of(e, "text"));
    }
    putchar('\n');
}

/* All of the time line: printed, or added to `all`. */
static int walk_timeline(struct link *l, const char *id, json_t *all, struct fault *f)
{
    for (json_int_t offset = 0;; offset += PART) {
        json_t *part =
            ask(l, "log.timeline",
                json_pack("{s:s, s:I, s:i}", "id", id, "offset", offset, "limit", PART), f);
        size_t count = json_array_size(part), i;
        json_t *event;

        if (part == NULL)
            return EXIT_FAILED;
        json_array_foreach(part, i, event)
        {
            if (all != NULL)
                json_array_append(all, event);
            else
                print_event(event);
        }
        json_decref(part);
        if (count < PART)
            return EXIT_OK;
    }
}

int logs_verify(struct link *l, const json_t *args, bool json, json_t **result, struct fault *f)
{
    const char *id = text_of(args, "id");
    json_t *report = ask(l, "log.show", json_pack("{s:s}", "id", id), f);
    json_t *all = json ? json_array() : NULL;
    int rc = EXIT_FAILED;

    if (report == NULL) {
        json_decref(all);
        return EXIT_FAILED;
    }
    if (!json) {
        print_breaks(report);
        putchar('\n');
    }
    rc = walk_timeline(l, id, all, f);
    if (rc == EXIT_OK && json) {
        json_object_set(report, "timeline", all);
        *result = json_incref(report);
    }
    if (rc == EXIT_OK && !json_is_true(json_object_get(report, "whole")))
        rc = EXIT_FAILED;
    json_decref(all);
    json_decref(report);
    return rc;
}
