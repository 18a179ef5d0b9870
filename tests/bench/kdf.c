/* One key derivation as opening a key file makes it, and nothing else. Prints seconds. */
#include <stdio.h>
#include <time.h>

#include "common/crypto.h"

/* As in a key file of the default tier: N = 2^17, r = 8, p = 1. */
#define LOG2_N 17

int main(void)
{
    uint8_t salt[16] = {0}, out[CRYPTO_KEY_LEN];
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    if (crypto_scrypt("passphrase", 10, salt, sizeof(salt), LOG2_N, 8, 1, out, sizeof(out)) != 0)
        return 1;
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.6f\n", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9);
    return 0;
}
