/* Inside of the second factor; only for factor*.c. */
#ifndef PRA_SERVER_PRAD_FACTOR_BOOK_H
#define PRA_SERVER_PRAD_FACTOR_BOOK_H

#include "server/prad/factor.h"

struct gateway;

/* Is there such a lease now, of this key and machine, and no older than leases may become now? Its id,
   0 = no. */
int64_t factor_book_find(struct factor_book *b, const uint8_t hash[STORE_FACTOR_HASH_LEN],
                         int64_t key_id, const char *machine, int64_t now, int64_t oldest);
/* Any thread: to the keeper, who stores the lease and then has it in the book; unless leases were revoked
   since the code was good (`changes`, as admin_lease_changes() counts): it may be one of those. */
void factor_book_keep(struct gateway *g, const char *user, const struct store_lease *l,
                      uint64_t changes);
/* Any thread: takes a lease out of book and store. */
void factor_book_drop(struct gateway *g, const uint8_t hash[STORE_FACTOR_HASH_LEN]);

#endif
