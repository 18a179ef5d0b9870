/* The registry as live.c and tunnel.c share it. */
#ifndef PRA_SERVER_PRAD_LIVE_INTERNAL_H
#define PRA_SERVER_PRAD_LIVE_INTERNAL_H

#include <pthread.h>

#include "server/prad/live.h"

/* Users with sessions, by their names. Names are those of registered users: nobody chooses them so
   that they meet in one place. */
#define LIVE_PLACES 4096

struct live_user {
    struct live_user *next;
    size_t sessions;
    char name[]; /* ends with a zero byte */
};

struct live {
    pthread_mutex_t lock; /* may be held while mail is posted, never the other way round */
    struct live_entry *head;
    uint64_t gone_in, gone_out; /* moved by sessions that have ended */
    uint64_t said;              /* how many sessions have said what they are, ever */
    struct live_user *user[LIVE_PLACES];
};

#endif
