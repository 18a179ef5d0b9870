/* Limits that prad.ini sets for those of whom nothing is said; see bounds.h. */
#include "server/prad/bounds.h"

static void fill(struct policy_limits *l, enum policy_limit limit, long value)
{
    if (l->value[limit] == POLICY_UNSET)
        l->value[limit] = value > 0 ? value : POLICY_UNLIMITED;
}

void bounds_fill_user(struct policy_limits *l, const struct config *c)
{
    const long values[LIMIT_COUNT] = {[LIMIT_SESSIONS] = c->max_sessions_per_user,
                                      [LIMIT_DEVICE_SESSIONS] = c->user_device_sessions,
                                      [LIMIT_CONNECTIONS] = c->user_connections,
                                      [LIMIT_RATE] = c->user_rate,
                                      [LIMIT_BURST] = c->user_burst,
                                      [LIMIT_UPLOAD] = c->user_upload,
                                      [LIMIT_DOWNLOAD] = c->user_download,
                                      [LIMIT_QUOTA_DAY] = c->user_quota_day,
                                      [LIMIT_QUOTA_MONTH] = c->user_quota_month,
                                      [LIMIT_CHANNEL_IDLE] = c->channel_idle,
                                      [LIMIT_SESSION_IDLE] = c->session_idle,
                                      [LIMIT_SESSION_TIME] = c->session_time};
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        fill(l, (enum policy_limit)i, values[i]);
}

void bounds_fill_rule(struct policy_limits *l, const struct config *c)
{
    fill(l, LIMIT_CONNECTIONS, c->rule_connections);
    fill(l, LIMIT_RATE, c->rule_rate);
    fill(l, LIMIT_BURST, c->rule_burst);
    fill(l, LIMIT_UPLOAD, c->rule_upload);
    fill(l, LIMIT_DOWNLOAD, c->rule_download);
}
