/*
 * The log bundle for the helpdesk (`pra log collect`, C11, N9): one zip with the logs, the
 * environment, the checks, the status, the settings without secrets, the result of checking the
 * logs' hash chains, and the session id under which the gateway has its side.
 */
#ifndef PRA_CLIENT_COLLECT_H
#define PRA_CLIENT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/err.h"
#include "common/os.h"
#include "client/paths.h"

#define COLLECT_FILES_MAX 64
#define COLLECT_NAME_MAX  64
/* Older log files that do not fit are left out, and the manifest says so. */
#define COLLECT_TOTAL_MAX (256u * 1024 * 1024)

struct collect_file {
    char name[COLLECT_NAME_MAX];
    char *data; /* owned */
    size_t len;
    size_t redacted; /* lines changed */
};

struct collect {
    size_t count, total;
    size_t limit; /* bytes of all files; 0 = COLLECT_TOTAL_MAX */
    struct collect_file file[COLLECT_FILES_MAX];
    char session[64];  /* audit reference, "" = none found */
    bool chain_broken; /* a log was changed or lines are missing; chain.txt says where */
};

/* What a file of the bundle is, in this language; "" if it is none of ours. */
const char *collect_describe(const char *name);

/* A name for the bundle made of the key's user, this computer and the time. */
void collect_propose_name(const struct paths *paths, char dst[OS_PATH_MAX]);

/* "pra-log-suzuki-pc12-20261122-193000.zip". */
void collect_default_name(const char *user, const char *computer, int64_t now,
                          char dst[OS_PATH_MAX]);

/*
 * Gathers everything. `check` is what `pra check --json` says (borrowed; NULL = it could not be run).
 * Files that would be too much for `limit` bytes are left out, the oldest logs first, and noted.
 * What cannot be read is noted in the manifest, not a failure. Returns 0, PRA_ENOMEM. collect_free()
 * in either case.
 */
int collect_gather(const struct paths *paths, json_t *check, size_t limit, struct collect *c,
                   struct fault *f);
void collect_free(struct collect *c);

/* Adds a text file; secrets are taken out of it. Returns 0, PRA_ENOMEM, PRA_EFULL. */
int collect_add(struct collect *c, const char *name, const char *text, size_t len);

/* Can a new file be made at `path`? Returns 0, PRA_EEXIST, PRA_EACCES, PRA_EIO with a sentence. */
int collect_check_target(const char *path, struct fault *f);

/* Packs and writes a new file (0600); an existing one is never touched, and a failure leaves nothing.
   Returns 0 or what archive.h says. */
int collect_write(const struct collect *c, const char *path, struct fault *f);

#endif
