/*
 * Whether the program that has a process number now can be the one that made a connection. The system
 * notes the number alone, and gives it to another program when the first has ended: somebody could
 * leave an open socket behind and wait until a program of this user has the number.
 */
#ifndef PRA_CLIENT_PID_AGE_H
#define PRA_CLIENT_PID_AGE_H

#include <stdbool.h>
#include <stdint.h>

/* The two times may be read off clocks that differ by one tick of the system's. */
#define PID_AGE_SLACK 160000u

/*
 * Both in units of 100 ns of the same clock. A connection whose time is 0 has none (wine); Windows
 * notes it when a socket gets its address, together with the number.
 */
static inline bool pid_age_fits(uint64_t program_began, uint64_t connection_began)
{
    return connection_began == 0 ||
           (program_began != 0 && program_began <= connection_began + PID_AGE_SLACK);
}

#endif
