/* The report as a table for spreadsheets: every line is of one day, user, rule, kind or severity. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/admin/csv.h"
#include "server/admin/report.h"

#define CSV_MAX (16u * 1024 * 1024)

static const char *const numbers[] = {"users",     "days",    "sessions", "seconds", "bytes_in",
                                      "bytes_out", "refused", "channels", "count"};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static int put_row(struct buf *to, const char *table, const char *item, const char *name,
                   const json_t *row)
{
    int rc = csv_put(to, table, true);

    if (rc == 0)
        rc = csv_put(to, item, false);
    if (rc == 0)
        rc = csv_put(to, name != NULL ? name : "", false);
    for (size_t i = 0; i < NUMBERS && rc == 0; i++) {
        const json_t *n = json_object_get(row, numbers[i]);
        char text[24] = "";

        if (n != NULL)
            snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(n));
        rc = csv_put(to, text, false);
    }
    return rc == 0 ? csv_end_row(to) : rc;
}

static int put_table(struct buf *to, const char *table, const json_t *rows, const char *item)
{
    json_t *row;
    size_t i;
    int rc = 0;

    json_array_foreach(rows, i, row)
    {
        const json_t *what = json_object_get(row, item);
        char id[24];

        snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(what));
        rc = put_row(to, table, json_is_string(what) ? json_string_value(what) : id,
                     json_string_value(json_object_get(row, "name")), row);
        if (rc != 0)
            break;
    }
    return rc;
}

static int put_all(struct buf *to, const json_t *report)
{
    static const char *const tables[][3] = {{"day", "days", "day"},
                                            {"user", "users", "user"},
                                            {"rule", "rules", "rule"},
                                            {"count", "counts", "kind"},
                                            {"alert", "alerts", "severity"}};
    const char *user = json_string_value(json_object_get(report, "user"));
    int rc = csv_begin(to);

    if (rc == 0)
        rc = csv_put(to, "table", true);
    if (rc == 0)
        rc = csv_put(to, "item", false);
    if (rc == 0)
        rc = csv_put(to, "name", false);
    for (size_t i = 0; i < NUMBERS && rc == 0; i++)
        rc = csv_put(to, numbers[i], false);
    if (rc == 0)
        rc = csv_end_row(to);
    if (rc == 0)
        rc = put_row(to, "total", json_string_value(json_object_get(report, "month")), user,
                     json_object_get(report, "totals"));
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc == 0; i++)
        rc = put_table(to, tables[i][0], json_object_get(report, tables[i][1]), tables[i][2]);
    return rc;
}

char *report_csv(const json_t *report)
{
    char *text = NULL;
    struct buf to;

    buf_init(&to, CSV_MAX);
    if (put_all(&to, report) == 0 && (text = malloc(to.len + 1)) != NULL) {
        memcpy(text, buf_head(&to), to.len);
        text[to.len] = '\0';
    }
    buf_free(&to);
    return text;
}
