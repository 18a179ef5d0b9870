/*
 * The file of `pra-admin batch`, one request a line, and those with tables.
 */
#include "server/pra-admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/os.h"
#include "common/utf8.h"

#define BATCH_FILE_MAX (48u * 1024 * 1024)

/* Standard input as a whole. */
static char *read_stdin(size_t *len)
{
    size_t alloc = 0;
    char *text = NULL;

    *len = 0;
    for (;;) {
        size_t n;

        if (alloc - *len < 2) {
            char *larger = realloc(text, alloc = alloc * 2 + 65536);

            if (larger == NULL || *len > BATCH_FILE_MAX) {
                free(larger != NULL ? larger : text);
                return NULL;
            }
            text = larger;
        }
        n = fread(text + *len, 1, alloc - *len - 1, stdin);
        if (n == 0)
            break;
        *len += n;
    }
    text[*len] = '\0';
    return text;
}

/* The file's lines as a list of requests; a sentence names the line that is wrong. */
static json_t *parse_batch(const char *name, const char *text, struct fault *f)
{
    json_t *list = json_array();
    size_t line = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        json_error_t error;
        json_t *request;

        line++;
        if (strspn(text, " \t\r") < len) {
            request = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
            if (request == NULL) {
                fault_set(f, PRA_EINVAL, "%s:%zu: %s", name, line, error.text);
                json_decref(list);
                return NULL;
            }
            json_array_append_new(list, request);
        }
        text += len + (text[len] == '\n');
    }
    return list;
}

/* A file, or standard input, as a whole and with a NUL behind it. NULL with a sentence. */
static char *read_whole(const char *path, size_t *len, struct fault *f)
{
    char *text = NULL;

    if (strcmp(path, "-") == 0) {
        text = read_stdin(len);
        if (text == NULL)
            fault_set(f, PRA_ETOOBIG, "standard input is too large");
    } else {
        os_file_read(path, BATCH_FILE_MAX, &text, len, f);
    }
    if (text != NULL && strlen(text) != *len) {
        fault_set(f, PRA_EINVAL, "%s: holds a NUL character", path);
        free(text);
        return NULL;
    }
    return text;
}

json_t *batch_read(const char *path, struct fault *f)
{
    size_t len = 0;
    char *text = read_whole(path, &len, f);
    json_t *list = text == NULL ? NULL : parse_batch(path, text, f);

    free(text);
    return list;
}

json_t *table_read(const char *path, struct fault *f)
{
    size_t len = 0;
    char *text = read_whole(path, &len, f);
    json_t *table = NULL;

    if (text != NULL && !utf8_valid(text, len))
        fault_set(f, PRA_EINVAL,
                  "%s: is not UTF-8 (from a Japanese Excel: iconv -f CP932 -t UTF-8)", path);
    else if (text != NULL)
        table = json_stringn(text, len);
    free(text);
    return table;
}
