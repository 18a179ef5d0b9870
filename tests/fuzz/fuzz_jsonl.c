/*
 * Fuzz target: JSON lines as a peer sends them, in pieces. The first byte says how large the pieces
 * are. What is accepted must come back the same when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MAX_HERE 4096u

static void check_accepted(const json_t *object)
{
    struct buf b;
    json_t *again = NULL;
    struct fault f = {0};

    buf_init(&b, 1u << 20);
    if (jsonl_append(&b, object) != 0 || jsonl_next(&b, 1u << 20, &again, &f) != 0 || b.len != 0 ||
        !json_equal(object, again))
        abort();
    json_decref(again);
    buf_free(&b);
}

static void check_members(const json_t *object)
{
    const char *text = NULL;
    int64_t number = 0;
    bool flag = false;
    struct fault f = {0};

    if (jsonl_get_string(object, "s", 16, &text, &f) == 0 && strlen(text) > 16)
        abort();
    if (jsonl_get_int(object, "i", -5, 5, &number, &f) == 0 && (number < -5 || number > 5))
        abort();
    (void)jsonl_get_bool(object, "b", &flag, &f);
    (void)jsonl_opt_string(object, "s", 0, &text, &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece = size > 0 ? data[0] % 64u + 1u : 1;
    struct buf b;

    buf_init(&b, 2 * LINE_MAX_HERE);
    for (size_t at = 1; at < size; at += piece) {
        struct fault f = {0};
        json_t *object = NULL;
        int rc;

        if (buf_append(&b, data + at, size - at < piece ? size - at : piece) != 0)
            break;
        while ((rc = jsonl_next(&b, LINE_MAX_HERE, &object, &f)) != PRA_EAGAIN) {
            if (rc == 0) {
                check_accepted(object);
                check_members(object);
                json_decref(object);
            } else if (f.code != rc || f.text[0] == '\0') {
                abort();
            }
        }
        if (b.len > LINE_MAX_HERE)
            abort();
    }
    buf_free(&b);
    return 0;
}
