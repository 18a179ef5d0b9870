/*
 * Says on the terminal that the passphrase is being worked on and how long it will take. scrypt
 * itself tells nothing on its way, so what is shown is honest about that: time passed, and a forecast
 * from a small run on this machine.
 */
#ifndef PRA_CLIENT_KDF_PROGRESS_H
#define PRA_CLIENT_KDF_PROGRESS_H

#include <stdint.h>

struct kdf_progress;

/* How long the derivation will take on this machine, in milliseconds, from a sample that costs 1/32
   of it; 0 = unknown. */
uint64_t kdf_forecast_ms(void);

/*
 * Starts showing `what` and the time on standard error from a thread of its own, if that is a
 * terminal. Returns NULL if it is none (or no thread could be made): nothing is shown then.
 */
struct kdf_progress *kdf_progress_start(const char *what);

/* Ends it and clears the line. NULL is fine. */
void kdf_progress_stop(struct kdf_progress *p);

#endif
