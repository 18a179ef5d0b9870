/*
 * Connection profiles (`*.pra`): what a user needs to know of a gateway, in one file that the
 * administrator makes and the user opens. An INI file, read on every system by the same lines:
 *
 *   [profile]   server = host[:port]   fingerprint = SHA256:...   user = name   name = words shown
 *
 * All but `name` are needed. A profile holds no secret, and nothing in it is believed before a
 * person has seen it: it may come from anybody.
 */
#ifndef PRA_COMMON_PROFILE_H
#define PRA_COMMON_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/err.h"

#define PROFILE_DEFAULT_PORT    10022
#define PROFILE_FINGERPRINT_MAX 64 /* "SHA256:", 43 digits, NUL, and room */
#define PROFILE_USER_MAX        64 /* bytes */
#define PROFILE_NAME_MAX        120
#define PROFILE_TEXT_MAX        1024

struct profile {
    struct addr_host server;
    uint16_t port;
    char fingerprint[PROFILE_FINGERPRINT_MAX];
    char user[PROFILE_USER_MAX + 1];
    char name[PROFILE_NAME_MAX + 1]; /* "" = none */
};

/* Reads a profile. Returns 0, PRA_ENOENT, PRA_EIO, PRA_EINVAL with a sentence that begins with
   "file:line:", or with "file:" where something is missing. `out` is written on success only. */
int profile_load(const char *path, struct profile *out, struct fault *f);

/* The text of a profile that profile_load() takes. Returns 0 and the length in *len; PRA_EINVAL with
   a sentence if a member cannot stand in one. */
int profile_format(const struct profile *p, char dst[PROFILE_TEXT_MAX], size_t *len,
                   struct fault *f);

/* "SHA256:" and 43 base64 digits. Returns 0, PRA_EINVAL. */
int profile_check_fingerprint(const char *text, struct fault *f);
/* At most 64 bytes of UTF-8 without blanks, control characters and letters that are not seen
   (utf8_printable()); may be empty. Returns 0, PRA_EINVAL. */
int profile_check_user(const char *text, struct fault *f);
/* Words for people on one line: UTF-8 without control characters, and without letters that are not
   seen or turn the direction of writing around. Returns 0, PRA_EINVAL. */
int profile_check_name(const char *text, struct fault *f);

#endif
