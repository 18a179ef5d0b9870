/* The registry as live.c and tunnel.c share it. */
#ifndef PRA_SERVER_PRAD_LIVE_INTERNAL_H
#define PRA_SERVER_PRAD_LIVE_INTERNAL_H

#include <pthread.h>

#include "server/prad/live.h"

struct live {
    pthread_mutex_t lock; /* may be held while mail is posted, never the other way round */
    struct live_entry *head;
};

#endif
