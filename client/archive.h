/*
 * Writes a ZIP file (PKWARE's APPNOTE 6.3, no ZIP64, no encryption) that unzip, Python and Windows
 * open. The records are our own although a library exists: libzip loads the system's libcrypto,
 * and a process of ours must hold no second one beside the libcrypto it is linked with
 * (packaging/THIRD-PARTY.md). Compression and CRC-32 are zlib's.
 *
 * The file grows under a temporary name beside its place and appears there whole, or not at all;
 * what is there already is never overwritten.
 */
#ifndef PRA_CLIENT_ARCHIVE_H
#define PRA_CLIENT_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ARCHIVE_FILES_MAX 128
#define ARCHIVE_NAME_MAX  255 /* bytes */
/* Offsets and sizes have 32 bits, and the largest of them would mean ZIP64. */
#define ARCHIVE_SIZE_MAX 0xFFFFFFFEu

struct archive;

/* Begins a file (mode 0600). Returns 0, PRA_ENOMEM, PRA_EEXIST, PRA_EIO. */
int archive_new(const char *path, struct archive **out, struct fault *f);

/*
 * Adds one file: `name` is a relative path in UTF-8 with '/', without "..", not used before;
 * `when` its time (seconds UTC). Stored if compression gains nothing. Returns 0, PRA_EINVAL (name),
 * PRA_EFULL, PRA_ETOOBIG, PRA_ENOMEM, PRA_EIO. After PRA_EIO only archive_free() is left.
 */
int archive_add(struct archive *a, const char *name, const void *data, size_t len, int64_t when,
                struct fault *f);

/* Writes the directory, makes all of it durable and gives the file its name. Returns 0, PRA_EEXIST,
   PRA_ETOOBIG, PRA_EIO. */
int archive_finish(struct archive *a, struct fault *f);

/* Frees, and removes the temporary file of an archive that was not finished. NULL is fine. */
void archive_free(struct archive *a);

#endif
