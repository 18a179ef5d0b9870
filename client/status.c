/* The agent's state as JSON: what `pra status` shows and what is pushed to subscribers. */
#include <stdio.h>

#include "client/agent_internal.h"
#include "client/sock.h"
#include "common/timefmt.h"

const char *status_state_word(enum agent_state state)
{
    static const char *const words[] = {[AGENT_DISCONNECTED] = "disconnected",
                                        [AGENT_CONNECTING] = "connecting",
                                        [AGENT_CONNECTED] = "connected",
                                        [AGENT_WAITING] = "waiting",
                                        [AGENT_CODE] = "code",
                                        [AGENT_ERROR] = "error"};

    return words[state];
}

/* Seconds until the next attempt, rounded up. */
static long retry_in(const struct agent *a)
{
    uint64_t now = agent_now();

    return a->retry_at > now ? (long)((a->retry_at - now + 999) / 1000) : 0;
}

static bool all_ports_taken(const struct agent *a)
{
    for (size_t i = 0; i < a->plan.count; i++)
        if (a->forwards[i]->state == FORWARD_LISTENING)
            return false;
    return a->plan.count > 0;
}

/* "127.0.0.1:110 (dovecot), 127.0.0.1:25 (master)" */
static void list_holders(const struct agent *a, char *dst, size_t cap)
{
    size_t len = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < a->plan.count && len < cap; i++) {
        const struct forward *fw = a->forwards[i];
        char local[ADDR_TEXT_MAX];
        int n = snprintf(dst + len, cap - len, "%s%s (%s)", len > 0 ? ", " : "",
                         plan_format_local(&fw->rule.local, local),
                         fw->has_holder ? fw->holder.program : sock_error_text(fw->error));

        len += n > 0 ? (size_t)n : 0;
    }
}

void status_problem(const struct agent *a, struct problem *p)
{
    *p = a->problem;
    if (a->state == AGENT_CONNECTED && p->id == MSG_NONE && all_ports_taken(a)) {
        agent_problem(a, p, MSG_NO_LOCAL_PORT, "");
        list_holders(a, p->detail, sizeof(p->detail));
    } else if (a->state == AGENT_CONNECTED && p->id == MSG_NONE && a->clock_off != 0) {
        agent_problem(a, p, MSG_CLOCK, "");
        (void)snprintf(p->seconds, sizeof(p->seconds), "%lld",
                       (long long)(a->clock_off < 0 ? -a->clock_off : a->clock_off));
    }
    if (a->state == AGENT_CONNECTED && p->id == MSG_NONE)
        *p = a->limit;
    if (a->state == AGENT_WAITING)
        (void)snprintf(p->seconds, sizeof(p->seconds), "%ld", retry_in(a));
}

static json_t *forward_json(const struct forward *fw)
{
    char local[ADDR_TEXT_MAX], target[ADDR_TEXT_MAX];

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:i, s:I, s:I}", "name", fw->rule.name,
                     "local", forward_local(fw, local), "target",
                     plan_format_target(&fw->rule, target), "state", forward_state_word(fw->state),
                     "error", forward_error_json(fw), "holder", forward_holder_json(fw),
                     "connections", (int)fw->owner.connections, "bytes_in",
                     (json_int_t)fw->owner.bytes_in, "bytes_out", (json_int_t)fw->owner.bytes_out);
}

json_t *status_json(const struct agent *a)
{
    json_t *forwards = json_array(), *retry = json_null();
    char since[TIMEFMT_MAX];
    struct problem p;

    for (size_t i = 0; i < a->plan.count; i++)
        json_array_append_new(forwards, forward_json(a->forwards[i]));
    if (a->state == AGENT_WAITING)
        retry = json_integer(retry_in(a));
    status_problem(a, &p);
    return json_pack("{s:s, s:s?, s:s?, s:s, s:o, s:o, s:o}", "state", status_state_word(a->state),
                     "server", a->server[0] != '\0' ? a->server : NULL, "user",
                     a->user[0] != '\0' ? a->user : NULL, "since", timefmt_rfc3339(a->since, since),
                     "error", problem_json(&p), "retry_in", retry, "forwards", forwards);
}
