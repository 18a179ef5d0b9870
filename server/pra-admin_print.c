/*
 * Printing for people: aligned tables, objects, sentences. Text may come from clients (their
 * version, their system), so nothing reaches the terminal that is not printable.
 */
#include "server/pra-admin.h"

#include <string.h>
#include <wchar.h>

#include "common/utf8.h"

#define CELL_MAX   512
#define COLUMN_MAX 16
/* Of the names in front of details, at least; a longer one moves the values of all to the right. */
#define DETAIL_WIDTH 11

/* ---- text -------------------------------------------------------------------------------------- */

/* A safe copy, cut at a character if it is too long. */
static void copy_safe(char dst[CELL_MAX], const char *src)
{
    size_t len = strlen(src), n = 0, used;
    char one[UTF8_SAFE_MAX];

    for (size_t i = 0; i < len; i += used) {
        size_t add = utf8_take_safe(src + i, len - i, "", one, &used);

        if (n + add >= CELL_MAX)
            break;
        memcpy(dst + n, one, add);
        n += add;
    }
    dst[n] = '\0';
}

void print_safe(FILE *to, const char *text)
{
    size_t len = strlen(text), used;
    char one[UTF8_SAFE_MAX];

    for (size_t i = 0; i < len; i += used)
        fwrite(one, 1, utf8_take_safe(text + i, len - i, "", one, &used), to);
}

/* Columns that a text takes on a terminal: two for a full-width letter. */
static int width(const char *text)
{
    size_t len = strlen(text);
    uint32_t cp;
    int total = 0;

    for (size_t i = 0, n; i < len && (n = utf8_decode(text + i, len - i, &cp)) > 0; i += n) {
        int w = wcwidth((wchar_t)cp);

        total += w < 0 ? 1 : w;
    }
    return total;
}

/* A value that is no list and no object, as people read it. */
static void scalar(char dst[CELL_MAX], const json_t *value)
{
    if (json_is_string(value))
        copy_safe(dst, json_string_value(value));
    else if (json_is_integer(value))
        snprintf(dst, CELL_MAX, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(dst, CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(dst, CELL_MAX, "%s", json_is_array(value) || json_is_object(value) ? "..." : "");
}

/* Puts one value of several behind the others; false: it has no room. */
static bool append(char dst[CELL_MAX], const char *between, const char *name, const json_t *value)
{
    size_t len = strlen(dst);
    char one[CELL_MAX];
    int n;

    scalar(one, value);
    n = snprintf(dst + len, CELL_MAX - len, "%s%s%s%s", len > 0 ? between : "", name,
                 name[0] != '\0' ? " " : "", one[0] != '\0' ? one : "-");
    if (n >= 0 && (size_t)n < CELL_MAX - len)
        return true;
    dst[len] = '\0';
    return false;
}

/* One value as people read it: "value", "value,value" or "name value, name value". */
static void cell(char dst[CELL_MAX], const json_t *value)
{
    const char *name;
    json_t *item;
    size_t i;

    dst[0] = '\0';
    if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            if (!append(dst, ",", "", item))
                return;
        }
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, name, item)
        {
            if (!append(dst, ", ", name, item))
                return;
        }
    } else {
        scalar(dst, value);
    }
}

/* ---- tables ------------------------------------------------------------------------------------ */

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* Widths of the columns; 0 = not shown, because no row has a value there. */
static void measure(const json_t *rows, const struct cli_column *columns, int widths[COLUMN_MAX])
{
    for (int c = 0; columns[c].key != NULL; c++) {
        bool shown = columns[c].always;
        json_t *row;
        size_t i;

        widths[c] = width(columns[c].title);
        json_array_foreach(rows, i, row)
        {
            const json_t *value = json_object_get(row, columns[c].key);
            char text[CELL_MAX];
            int w;

            shown = shown || !is_empty(value);
            cell(text, value);
            w = width(text);
            if (w > widths[c])
                widths[c] = w;
        }
        if (!shown)
            widths[c] = 0;
    }
}

static void print_cell(const char *text, int cell_width, bool last)
{
    fputs(text[0] != '\0' ? text : "-", stdout);
    if (!last)
        printf("%*s", cell_width - (text[0] != '\0' ? width(text) : 1) + 2, "");
}

void print_table(const json_t *rows, const struct cli_column *columns)
{
    int widths[COLUMN_MAX] = {0}, last = 0;
    json_t *row;
    size_t i;

    if (json_array_size(rows) == 0)
        return;
    measure(rows, columns, widths);
    for (int c = 0; columns[c].key != NULL; c++) {
        if (widths[c] > 0)
            last = c;
    }
    for (int c = 0; columns[c].key != NULL; c++) {
        if (widths[c] > 0)
            print_cell(columns[c].title, widths[c], c == last);
    }
    putchar('\n');
    json_array_foreach(rows, i, row)
    {
        for (int c = 0; columns[c].key != NULL; c++) {
            char text[CELL_MAX];

            cell(text, json_object_get(row, columns[c].key));
            if (widths[c] > 0)
                print_cell(text, widths[c], c == last);
        }
        putchar('\n');
    }
}

/* ---- objects and sentences --------------------------------------------------------------------- */

/* What a value takes after its name: one line, and one for each object of a list. */
static void print_detail(const char *name, int name_width, const json_t *value)
{
    char text[CELL_MAX];
    size_t i, lines = json_is_array(value) && json_is_object(json_array_get(value, 0))
                          ? json_array_size(value)
                          : 0;

    for (i = 0; i < lines; i++) {
        cell(text, json_array_get(value, i));
        printf("%-*s  %s\n", name_width, name, text);
    }
    if (lines > 0)
        return;
    cell(text, value);
    printf("%-*s  %s\n", name_width, name, text[0] != '\0' ? text : "-");
}

void print_details(const json_t *object)
{
    int name_width = DETAIL_WIDTH;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value) name_width =
        width(name) > name_width ? width(name) : name_width;
    json_object_foreach((json_t *)object, name, value) print_detail(name, name_width, value);
}

/* "label   value", for one member of an object; nothing if it is null. */
static void print_line(const char *label, const json_t *value)
{
    char text[CELL_MAX];

    cell(text, value);
    if (text[0] != '\0')
        printf("%-10s %s\n", label, text);
}

void print_explained(const json_t *answer)
{
    const json_t *dns = json_object_get(answer, "dns"), *tried = json_object_get(answer, "connect");
    json_t *one;
    size_t i;

    print_line("decision", json_object_get(answer, "decision"));
    print_line("why", json_object_get(answer, "sentence"));
    json_array_foreach(json_object_get(answer, "addresses"), i, one)
    {
        fputs(i == 0 ? "addresses  " : "           ", stdout);
        print_sentence(stdout, "{address}: {decision} ({reason})", one);
    }
    if (json_is_false(json_object_get(dns, "ok")))
        print_line("name", json_object_get(dns, "error"));
    if (json_is_true(json_object_get(tried, "ok"))) {
        fputs("target     ", stdout);
        print_sentence(stdout, "answers after {ms} ms", tried);
    } else {
        print_line("target", json_object_get(tried, "error"));
    }
    json_array_foreach(json_object_get(answer, "keys"), i, one)
    {
        fputs(i == 0 ? "keys       " : "           ", stdout);
        print_sentence(stdout, "{fingerprint} {state}, {comment}, last seen {seen}", one);
    }
    if (json_array_size(json_object_get(answer, "keys")) == 0)
        puts("keys       none is registered: this user cannot log in");
}

void print_sentence(FILE *to, const char *sentence, const json_t *object)
{
    while (*sentence != '\0') {
        size_t plain = strcspn(sentence, "{");
        size_t len = strcspn(sentence + plain, "}");
        char text[CELL_MAX];

        fwrite(sentence, 1, plain, to);
        sentence += plain;
        if (*sentence == '\0')
            break;
        cell(text, json_object_getn(object, sentence + 1, len - 1));
        fputs(text[0] != '\0' ? text : "-", to);
        sentence += len + 1;
    }
    fputc('\n', to);
}
