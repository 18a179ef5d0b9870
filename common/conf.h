/*
 * INI files by inih, checked against a table: an unknown section or key, a value that does not
 * parse, a key given twice are errors that name file and line.
 */
#ifndef PRA_COMMON_CONF_H
#define PRA_COMMON_CONF_H

#include <stddef.h>

#include "common/err.h"

struct conf_key {
    const char *section;
    const char *key;
    /*
     * Parses `value` into `target` (the caller's configuration struct). Returns 0 or a PRA_E*
     * with a sentence in `f`; conf_load() puts "file:line: [section] key: " in front.
     */
    int (*set)(void *target, const char *value, struct fault *f);
};

/* Longest line and largest file accepted. */
#define CONF_LINE_MAX 1024
#define CONF_FILE_MAX (256u * 1024)

/*
 * Reads `path`. `keys` ends with a NULL section. Returns 0, PRA_ENOENT, PRA_EIO, PRA_EINVAL.
 * On failure `target` may be half filled: throw it away.
 */
int conf_load(const char *path, const struct conf_key *keys, void *target, struct fault *f);

/* Parsers to build setters from. Return 0, PRA_EINVAL. */
int conf_parse_bool(const char *value, int *out, struct fault *f);
int conf_parse_number(const char *value, long min, long max, long *out, struct fault *f);
/* "30s", "5m", "2h", "1d", or seconds. */
int conf_parse_duration(const char *value, long min, long max, long *seconds, struct fault *f);
/* "64K", "4M", "1G", or bytes. */
int conf_parse_size(const char *value, long min, long max, long *bytes, struct fault *f);

#endif
