/*
 * JSON lines: one JSON object per line, over the control channel, the admin socket and the
 * agent's socket. Reading is incremental and bounded; a line over the limit is an error, not a
 * reallocation. Also the small accessors with which messages are taken apart.
 */
#ifndef PRA_COMMON_JSONL_H
#define PRA_COMMON_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"

/* Largest line from a client to the gateway, from the gateway to a client, on local sockets. */
#define JSONL_CLIENT_MAX  (64u * 1024)
#define JSONL_GATEWAY_MAX (4u * 1024 * 1024)
#define JSONL_LOCAL_MAX   (64u * 1024 * 1024)
/* Objects may nest this deep; deeper input is refused before it is parsed. */
#define JSONL_DEPTH_MAX 16

/*
 * Takes the next whole line out of `in` and parses it. Returns 0 with a new reference in *out,
 * PRA_EAGAIN when no whole line is there yet, PRA_ETOOBIG when a line is longer than `max`,
 * PRA_EINVAL (with where in `f`) when it is not a JSON object, is not UTF-8, nests too deep or has
 * a member twice, PRA_ENOMEM; the bad line is consumed. After PRA_ETOOBIG the rest of the line may
 * still come: close the connection. Look for lines in a queue with this function only.
 */
int jsonl_next(struct buf *in, size_t max, json_t **out, struct fault *f);

/* One line with its newline, compact, keys in insertion order. Caller frees. NULL = no memory. */
char *jsonl_encode(const json_t *object, size_t *len);
/* Encodes and appends to a queue. Returns 0, PRA_EFULL, PRA_ENOMEM. */
int jsonl_append(struct buf *out, const json_t *object);

/*
 * Required members. `max` counts bytes without NUL; strings with an embedded NUL are refused.
 * Return 0, PRA_EINVAL with "member 'x' is missing|not a string|longer than N bytes" in `f`.
 * The string belongs to the object.
 */
int jsonl_get_string(const json_t *o, const char *key, size_t max, const char **out,
                     struct fault *f);
int jsonl_get_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out,
                  struct fault *f);
int jsonl_get_bool(const json_t *o, const char *key, bool *out, struct fault *f);
/* Optional members: absent or null leaves *out as it was and returns 0. */
int jsonl_opt_string(const json_t *o, const char *key, size_t max, const char **out,
                     struct fault *f);
int jsonl_opt_int(const json_t *o, const char *key, int64_t min, int64_t max, int64_t *out,
                  struct fault *f);
int jsonl_opt_bool(const json_t *o, const char *key, bool *out, struct fault *f);

#endif
