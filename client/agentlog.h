/*
 * The agent's two logs (A15): System.log tells the story of the connection, its states, causes and
 * changes, for the helpdesk; User.log tells what the user did and was shown. Both are chained
 * (common/chainlog.h). Owned by the agent's thread. Text from a gateway or another program may be
 * passed as it is: control characters are escaped by chainlog.
 */
#ifndef PRA_CLIENT_AGENTLOG_H
#define PRA_CLIENT_AGENTLOG_H

#include "client/config.h"
#include "common/chainlog.h"
#include "common/err.h"
#include "common/format.h"
#include "common/log.h"

struct agentlog;

/* Opens both in `dir`. Returns 0, PRA_EBUSY, PRA_EIO, PRA_ENOMEM. */
int agentlog_open(const char *dir, const struct config *config, struct agentlog **out,
                  struct fault *f);
void agentlog_close(struct agentlog *log);

/* Lines of System.log below this level are left out. */
void agentlog_set_level(struct agentlog *log, enum log_level min);

void agentlog_system(struct agentlog *log, enum log_level level, const char *fmt, ...)
    FORMAT_PRINTF(3, 4);
void agentlog_user(struct agentlog *log, enum log_level level, const char *fmt, ...)
    FORMAT_PRINTF(3, 4);

void agentlog_heads(const struct agentlog *log, struct chainlog_head *system,
                    struct chainlog_head *user);

#endif
