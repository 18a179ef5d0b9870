/*
 * Result codes of PRA and the sentence that goes with a failure.
 *
 * A fallible function returns 0 or one of the negative PRA_E* codes below. Where the code alone
 * does not tell a person what to mend (a file, a line, a field), the function also takes a
 * `struct fault` and leaves one sentence in it.
 */
#ifndef PRA_COMMON_ERR_H
#define PRA_COMMON_ERR_H

#include <stdarg.h>
#include <stddef.h>

#include "common/format.h"

/* One table: name, value, short English sentence. */
#define PRA_ERR_MAP(X)                                                                             \
    X(PRA_ENOMEM, -1, "out of memory")                                                             \
    X(PRA_EIO, -2, "input or output failed")                                                       \
    X(PRA_ENOENT, -3, "not found")                                                                 \
    X(PRA_EEXIST, -4, "exists already")                                                            \
    X(PRA_EINVAL, -5, "not valid")                                                                 \
    X(PRA_EACCES, -6, "not permitted")                                                             \
    X(PRA_ETIMEOUT, -7, "took too long")                                                           \
    X(PRA_ECLOSED, -8, "closed by the other side")                                                 \
    X(PRA_EAGAIN, -9, "not ready yet")                                                             \
    X(PRA_ETOOBIG, -10, "larger than the limit")                                                   \
    X(PRA_ECRYPTO, -11, "the crypto library failed")                                               \
    X(PRA_EPASSPHRASE, -12, "wrong passphrase")                                                    \
    X(PRA_EMACHINE, -13, "made on another machine")                                                \
    X(PRA_ECORRUPT, -14, "damaged")                                                                \
    X(PRA_EVERSION, -15, "of a version that this program does not know")                           \
    X(PRA_EBUSY, -16, "in use")                                                                    \
    X(PRA_EWEAK, -17, "too weak")                                                                  \
    X(PRA_EUNSUPPORTED, -18, "not supported here")                                                 \
    X(PRA_EFULL, -19, "full")

enum pra_err {
#define X(name, value, text) name = (value),
    PRA_ERR_MAP(X)
#undef X
};

/* Short English sentence for a code; "ok" for 0, "unknown error" for a code that is not ours. */
const char *err_text(int code);

/* Name of a code ("PRA_EIO"), for logs. */
const char *err_name(int code);

/* What went wrong, as one sentence without a trailing newline. Zero-initialise before use. */
#define FAULT_TEXT_MAX 512
struct fault {
    int code;
    char text[FAULT_TEXT_MAX];
};

/*
 * Notes `code` and a printf-style sentence (cut at FAULT_TEXT_MAX) and returns `code`, so that
 * `return fault_set(f, PRA_EINVAL, "%s:%d: unknown key '%.80s'", ...)` works. The sentence is UTF-8
 * whatever goes in: see utf8_mend(). `f` may be NULL.
 */
int fault_set(struct fault *f, int code, const char *fmt, ...) FORMAT_PRINTF(3, 4);

/* Puts "prefix: " in front of a fault's sentence; returns its code. `f` may be NULL. */
int fault_wrap(struct fault *f, int code, const char *fmt, ...) FORMAT_PRINTF(3, 4);

#endif
