/*
 * Writing down what happened: one call makes the audit event and the operator's log line from the
 * same facts, so that the two never disagree. Any thread.
 */
#ifndef PRA_SERVER_PRAD_RECORD_H
#define PRA_SERVER_PRAD_RECORD_H

#include "common/addr.h"
#include "common/log.h"
#include "server/audit/audit.h"

#define RECORD_ENDPOINT_MAX 56 /* "[address]:port" and NUL */

struct channel;
struct session;

/* "192.0.2.7:5011", "[2001:db8::1]:5011". Returns `dst`. */
const char *record_endpoint(char dst[RECORD_ENDPOINT_MAX], const struct addr_ip *ip, uint16_t port);

/* Refusals of one session that are written down one by one in a minute; the rest is counted. */
#define RECORD_REFUSALS_MAX 300
#define RECORD_THINNED      3 /* kinds of event to which that applies */

/*
 * An event of a session: who, from where, why. `reason` is a fixed word; `detail` is text for
 * people, peer text in it already escaped, "" if none.
 */
void record_session(struct session *s, enum audit_kind kind, const char *reason,
                    const char *detail);

/* An event of a channel: as above with target, rule and bytes. Openings and ends are in the
   operator's log only if the rule asks for it (--log), in the audit always. */
void record_channel(struct channel *ch, enum audit_kind kind, const char *reason,
                    const char *detail);

/* A refusal by a limit: the first of each in a minute; the others are counted. */
void record_limited(struct channel *ch, const char *detail);

/* Records, for each kind, how many refusals were not written down one by one since the last call. */
void record_suppressed(struct session *s);

/* An event before there is a session (a connection turned away). */
void record_source(struct audit_queue *q, const struct addr_ip *ip, uint16_t port,
                   enum audit_kind kind, const char *reason);

#endif
