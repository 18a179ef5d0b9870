/*
 * Reads a ZIP file that a client made (client/archive.c; PKWARE's APPNOTE 6.3) and nothing more of that
 * format: stored or deflated files in one level, no ZIP64, no encryption, no data descriptors, no
 * comment. Everything in it is the sender's: names are plain or refused, sizes are capped before memory is
 * taken, and what is inflated must have the size and the CRC-32 that was promised. Inflating is zlib's. Pure.
 */
#ifndef PRA_SERVER_BUNDLE_UNZIP_H
#define PRA_SERVER_BUNDLE_UNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define UNZIP_FILES_MAX 64
#define UNZIP_NAME_MAX  63
/* Of one file, and of all together. */
#define UNZIP_FILE_MAX  (32u * 1024 * 1024)
#define UNZIP_TOTAL_MAX (64u * 1024 * 1024)

struct unzip_file {
    char name[UNZIP_NAME_MAX + 1]; /* letters, digits, '.', '-', '_'; not ".", ".." */
    size_t at, packed, size;
    uint32_t crc;
    uint16_t method;
};

struct unzip {
    const uint8_t *data; /* borrowed */
    size_t len, count;
    struct unzip_file file[UNZIP_FILES_MAX];
};

/* Reads the directory. Returns 0, PRA_ECORRUPT or PRA_ETOOBIG with a sentence. */
int unzip_open(struct unzip *z, const void *data, size_t len, struct fault *f);

/* A file's content with a NUL behind it; the caller frees. Returns 0, PRA_ECORRUPT, PRA_ENOMEM. */
int unzip_read(const struct unzip *z, const struct unzip_file *file, char **out, struct fault *f);

#endif
