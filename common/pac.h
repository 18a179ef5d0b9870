/*
 * A proxy auto-configuration file (PAC) for browsers: the company's names go through the forward to
 * the company's proxy, everything else goes where it went before. Pure.
 */
#ifndef PRA_COMMON_PAC_H
#define PRA_COMMON_PAC_H

#include <stdbool.h>
#include <stddef.h>

#define PAC_NAMES_MAX 64
#define PAC_NAME_MAX  253

/*
 * Is this the name of a domain or a host ("example.co.jp", "intra")? Letters, digits, '-', '_' and dots
 * between them; at least one letter, so that it is no address.
 */
bool pac_name_valid(const char *name);

/*
 * Writes the file to `dst` (an empty one of room enough): `proxy` ("127.0.0.1:10080", an address and a
 * port) for the `n` names, whatever lies below them, and names without a dot but localhost. Names are
 * valid ones. There is no second choice for them: what belongs into the tunnel goes nowhere else.
 * Returns 0, PRA_EIO if it does not fit.
 */
int pac_write(const char *proxy, const char *const *names, size_t n, char *dst, size_t cap);

#endif
