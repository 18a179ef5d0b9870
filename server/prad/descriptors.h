/* How many descriptors this process has open, and how many it may have. Any thread, prad and portal. */
#ifndef PRA_SERVER_PRAD_DESCRIPTORS_H
#define PRA_SERVER_PRAD_DESCRIPTORS_H

#include <stdint.h>

struct descriptors {
    uint64_t open; /* 0: the system does not say */
    uint64_t limit;
};

void descriptors_count(struct descriptors *d);

#endif
