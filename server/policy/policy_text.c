/*
 * Text forms of a rule's parts: target, local address, hours. Strict, and every refusal says
 * what was read and what is expected.
 */
#include "server/policy/policy_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHOWN 80 /* bytes of a refused text that are repeated in the sentence */

/* ---- targets ----------------------------------------------------------------------------------- */

/* The host part, `len` bytes: an address or name, or with a slash a network. */
static int parse_target_host(const char *text, size_t len, struct policy_target *t, struct fault *f)
{
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';

    if (memchr(text, '/', len) == NULL) {
        if (addr_parse_host(text, len, &t->host) == 0)
            return 0;
        return fault_set(f, PRA_EINVAL,
                         "target '%.*s': not a host name and not an address (letters, digits, "
                         "'-' and '.'; IPv4 as four decimal numbers; IPv6 in brackets)",
                         (int)(len < SHOWN ? len : SHOWN), text);
    }
    t->is_network = true;
    if (bracketed ? addr_parse_cidr(text + 1, len - 2, &t->cidr) == 0
                  : addr_parse_cidr(text, len, &t->cidr) == 0)
        return 0;
    return fault_set(
        f, PRA_EINVAL,
        "target '%.*s': not a network such as 10.1.0.0/16 or [2001:db8::/32] (the bits "
        "behind the prefix must be zero)",
        (int)(len < SHOWN ? len : SHOWN), text);
}

int policy_parse_target(const char *text, struct policy_target *out, struct fault *f)
{
    struct policy_target t = {0};
    const char *colon = strrchr(text, ':');
    size_t host_len;

    if (colon == NULL || colon == text)
        return fault_set(f, PRA_EINVAL, "target '%.*s': expected HOST:PORT", SHOWN, text);
    host_len = (size_t)(colon - text);
    if (text[0] != '[' && memchr(text, ':', host_len) != NULL)
        return fault_set(f, PRA_EINVAL,
                         "target '%.*s': put an IPv6 address in brackets, [2001:db8::1]:443", SHOWN,
                         text);
    if (addr_parse_port_range(colon + 1, strlen(colon + 1), &t.port_first, &t.port_last) != 0)
        return fault_set(f, PRA_EINVAL,
                         "target '%.*s': the port must be 1-65535, or a range such as 8000-8099",
                         SHOWN, text);
    if (parse_target_host(text, host_len, &t, f) != 0)
        return PRA_EINVAL;
    *out = t;
    return 0;
}

void policy_format_target(const struct policy_target *t, char *dst, size_t cap)
{
    char net[50], ports[12];
    const char *host = t->host.name;
    bool v6 = t->is_network ? t->cidr.ip.family == 6 : t->host.is_ip && t->host.ip.family == 6;

    if (t->is_network)
        host = addr_format_cidr(&t->cidr, net);
    if (t->port_first == t->port_last)
        snprintf(ports, sizeof(ports), "%u", t->port_first);
    else
        snprintf(ports, sizeof(ports), "%u-%u", t->port_first, t->port_last);
    snprintf(dst, cap, v6 ? "[%s]:%s" : "%s:%s", host, ports);
}

/* ---- local addresses --------------------------------------------------------------------------- */

int policy_parse_local(const char *text, struct policy_local *out, struct fault *f)
{
    struct policy_local l = {.ip = {.family = 4, .bytes = {127, 0, 0, 1}}};
    const char *colon = strchr(text, ':');
    const char *port = colon == NULL ? text : colon + 1;

    if (addr_parse_port(port, strlen(port), &l.port) != 0)
        return fault_set(f, PRA_EINVAL, "local '%.*s': the port must be 1-65535", SHOWN, text);
    if (colon != NULL && addr_parse_ip(text, (size_t)(colon - text), &l.ip) != 0)
        return fault_set(f, PRA_EINVAL, "local '%.*s': expected PORT or 127.x.x.x:PORT", SHOWN,
                         text);
    if (l.ip.family != 4 || l.ip.bytes[0] != 127)
        return fault_set(f, PRA_EINVAL,
                         "local '%.*s': the address must lie within 127.0.0.0/8, which only "
                         "programs on the same PC can reach",
                         SHOWN, text);
    *out = l;
    return 0;
}

void policy_format_local(const struct policy_local *l, char *dst, size_t cap)
{
    char ip[46];

    snprintf(dst, cap, "%s:%u", addr_format_ip(&l->ip, ip), l->port);
}

/* ---- hours ------------------------------------------------------------------------------------- */

#define DAY_MINUTES 1440u

/* "Mon" ... "Sun" in any letter case: 0 ... 6 and *text moves on; -1 if it is none of them. */
static int take_day(const char **text)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

    for (int d = 0; d < 7; d++) {
        if (strncasecmp(*text, names[d], 3) == 0) {
            *text += 3;
            return d;
        }
    }
    return -1;
}

/* "Mon-Fri,Sun" or "daily" up to the blank behind it. Returns a bit per day, 0 = not valid. */
static unsigned take_days(const char **text)
{
    unsigned days = 0;

    if (strncasecmp(*text, "daily ", 6) == 0) {
        *text += 6;
        return 0x7f;
    }
    for (;;) {
        int first = take_day(text), last = first;

        if (first < 0)
            return 0;
        if (**text == '-') {
            ++*text;
            last = take_day(text);
            if (last < 0)
                return 0;
        }
        for (int d = first;; d = (d + 1) % 7) { /* Fri-Mon goes over Sunday */
            days |= 1u << d;
            if (d == last)
                break;
        }
        if (**text == ' ') {
            ++*text;
            return days;
        }
        if (**text != ',')
            return 0;
        ++*text;
    }
}

/* "08:30", "24:00": minutes of the day and *text moves on; -1 if it is no time. */
static int take_clock(const char **text)
{
    const char *t = *text;
    int minutes;

    for (int i = 0; i < 5; i++) {
        if (i == 2 ? t[i] != ':' : t[i] < '0' || t[i] > '9')
            return -1;
    }
    minutes = ((t[0] - '0') * 10 + t[1] - '0') * 60 + (t[3] - '0') * 10 + t[4] - '0';
    if (t[3] > '5' || minutes > (int)DAY_MINUTES)
        return -1;
    *text += 5;
    return minutes;
}

/* One "days from-to", marked minute by minute. Returns false if it is not valid. */
static bool take_span(const char **text, bool week[WEEK_MINUTES])
{
    unsigned days = take_days(text);
    int from, to;

    if (days == 0 || (from = take_clock(text)) < 0 || **text != '-')
        return false;
    ++*text;
    if ((to = take_clock(text)) < 0 || from == to || from == (int)DAY_MINUTES)
        return false;
    if (to < from)
        to += (int)DAY_MINUTES; /* over midnight, into the next day */
    for (unsigned d = 0; d < 7; d++) {
        for (int m = from; (days >> d & 1) != 0 && m < to; m++)
            week[(d * DAY_MINUTES + (unsigned)m) % WEEK_MINUTES] = true;
    }
    return true;
}

static int collect_spans(const bool week[WEEK_MINUTES], struct policy_hours *h)
{
    for (unsigned m = 0; m < WEEK_MINUTES; m++) {
        if (!week[m] || (m > 0 && week[m - 1]))
            continue;
        if (h->count == POLICY_HOURS_MAX)
            return PRA_EINVAL;
        h->span[h->count].from = (uint16_t)m;
        while (m < WEEK_MINUTES && week[m])
            m++;
        h->span[h->count++].to = (uint16_t)m;
    }
    return 0;
}

int policy_parse_hours(const char *text, struct policy_hours *out, struct fault *f)
{
    bool week[WEEK_MINUTES] = {false};
    struct policy_hours h = {0};
    const char *at = text;

    for (;;) {
        if (!take_span(&at, week))
            return fault_set(f, PRA_EINVAL,
                             "hours '%.*s': not understood at '%.20s'; expected such as 'Mon-Fri "
                             "08:00-19:00', 'Sat,Sun 10:00-12:00' or 'daily 22:00-06:00', several "
                             "joined by ', '",
                             SHOWN, text, at);
        if (*at == '\0')
            break;
        if (*at != ',')
            return fault_set(f, PRA_EINVAL, "hours '%.*s': not understood at '%.20s'", SHOWN, text,
                             at);
        at += at[1] == ' ' ? 2 : 1;
    }
    if (collect_spans(week, &h) != 0)
        return fault_set(f, PRA_EINVAL, "hours '%.*s': more than %d separate times in a week",
                         SHOWN, text, POLICY_HOURS_MAX);
    *out = h;
    return 0;
}
