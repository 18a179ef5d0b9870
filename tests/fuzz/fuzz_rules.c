/*
 * Fuzz target: what an administrator writes into a rule - targets, local ports, hours. What is
 * accepted is written back in one way that reads the same; hours lie within the week.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MINUTES_OF_WEEK 10080

static void refused(const struct fault *f)
{
    if (f->code == 0 || f->text[0] == '\0')
        abort();
}

static void check_target(const char *text)
{
    struct policy_target t;
    struct policy_target again;
    char shown[ADDR_TEXT_MAX + 16];
    char twice[ADDR_TEXT_MAX + 16];
    struct fault f = {0};

    if (policy_parse_target(text, &t, &f) != 0) {
        refused(&f);
        return;
    }
    if (t.port_first == 0 || t.port_first > t.port_last)
        abort();
    policy_format_target(&t, shown, sizeof(shown));
    if (policy_parse_target(shown, &again, &f) != 0)
        abort();
    policy_format_target(&again, twice, sizeof(twice));
    if (strcmp(shown, twice) != 0 || t.is_network != again.is_network)
        abort();
}

static void check_local(const char *text)
{
    struct policy_local l;
    struct policy_local again;
    char shown[ADDR_TEXT_MAX];
    struct fault f = {0};

    if (policy_parse_local(text, &l, &f) != 0) {
        refused(&f);
        return;
    }
    if (l.port == 0 || l.ip.family != 4 || l.ip.bytes[0] != 127)
        abort();
    policy_format_local(&l, shown, sizeof(shown));
    if (policy_parse_local(shown, &again, &f) != 0 || again.port != l.port ||
        !addr_ip_equal(&again.ip, &l.ip))
        abort();
}

static void check_hours(const char *text)
{
    struct policy_hours h;
    struct fault f = {0};

    if (policy_parse_hours(text, &h, &f) != 0) {
        refused(&f);
        return;
    }
    if (h.count > POLICY_HOURS_MAX)
        abort();
    for (unsigned i = 0; i < h.count; i++)
        if (h.span[i].from >= h.span[i].to || h.span[i].to > MINUTES_OF_WEEK)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_target(text);
    check_local(text);
    check_hours(text);
    free(text);
    return 0;
}
