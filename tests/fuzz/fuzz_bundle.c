/*
 * Fuzz target: log bundles that a malicious client sends. The report is bounded and can be written as JSON, and
 * no damage goes by as whole: what was not written by a chain that holds has breaks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/bundle/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_report(const json_t *report, const struct bundle_summary *sum)
{
    char *text = json_dumps(report, JSON_COMPACT);
    json_t *log, *event;
    size_t i, breaks = 0;

    if (!text || json_array_size(json_object_get(report, "sessions")) > BUNDLE_SESSIONS_MAX ||
        json_array_size(json_object_get(report, "problems")) > BUNDLE_PROBLEMS_MAX ||
        json_array_size(json_object_get(report, "events")) > BUNDLE_LOGS * BUNDLE_EVENTS_MAX)
        abort();
    json_array_foreach(json_object_get(report, "logs"), i, log)
    {
        size_t found = json_array_size(json_object_get(log, "breaks"));

        if (found > BUNDLE_BREAKS_MAX ||
            json_is_true(json_object_get(log, "whole")) != (found == 0))
            abort();
        breaks += found;
    }
    if (sum->whole != (sum->breaks == 0) || breaks > sum->breaks)
        abort();
    json_array_foreach(json_object_get(report, "events"), i, event)
    {
        if (json_string_length(json_object_get(event, "text")) > BUNDLE_TEXT_MAX + 32)
            abort();
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bundle_told told;
    struct bundle_summary sum;
    struct fault f = {0};
    json_t *report = NULL;

    /* One head that no log has. */
    memset(&told, 0, sizeof(told));
    bundle_tell(&told, BUNDLE_USER, &(struct chainlog_head){.lines = 2}, INT64_MAX / 2);
    if (bundle_examine(data, size, &told, &report, &sum, &f) == 0)
        check_report(report, &sum);
    else if (report != NULL || f.text[0] == '\0')
        abort();
    json_decref(report);
    return 0;
}
