/* RFC 3339 times. Pure; UTC in and out. Times outside the years 0-9999 show as the nearest one. */
#ifndef PRA_COMMON_TIMEFMT_H
#define PRA_COMMON_TIMEFMT_H

#include <stdint.h>

#include "common/err.h"

#define TIMEFMT_MAX 32

/* Seconds since the epoch as "2026-11-22T10:00:00Z". Returns `dst`. */
const char *timefmt_rfc3339(int64_t t, char dst[TIMEFMT_MAX]);
/* Milliseconds since the epoch as "2026-11-22T10:00:00.123Z". Returns `dst`. */
const char *timefmt_rfc3339_ms(int64_t ms, char dst[TIMEFMT_MAX]);
/*
 * Reads RFC 3339 with Z or an offset; a date alone means 00:00:00Z. Fractions are dropped, leap
 * seconds (:60) are refused. Returns 0, PRA_EINVAL.
 */
int timefmt_parse(const char *text, int64_t *out);

#endif
