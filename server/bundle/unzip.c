/* Reads ZIP files of clients; see unzip.h. */
#include "server/bundle/unzip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

/* Records of the format: signature and length without names. */
#define LOCAL_SIGNATURE   0x04034b50u
#define LOCAL_LEN         30u
#define CENTRAL_SIGNATURE 0x02014b50u
#define CENTRAL_LEN       46u
#define END_SIGNATURE     0x06054b50u
#define END_LEN           22u

#define METHOD_STORED   0
#define METHOD_DEFLATED 8
#define FLAG_UTF8       0x0800u

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static int damaged(struct fault *f, const char *what)
{
    return fault_set(f, PRA_ECORRUPT, "the bundle is damaged: %s", what);
}

static bool take_name(char dst[UNZIP_NAME_MAX + 1], const uint8_t *name, size_t len)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

    if (len == 0 || len > UNZIP_NAME_MAX)
        return false;
    memcpy(dst, name, len);
    dst[len] = '\0';
    return strspn(dst, plain) == len && strcmp(dst, ".") != 0 && strcmp(dst, "..") != 0;
}

/* Where a file's bytes are: behind its local record, in front of the directory. */
static bool find_bytes(const struct unzip *z, size_t directory, size_t local,
                       struct unzip_file *file)
{
    const uint8_t *p = z->data + local;

    if (local > directory || directory - local < LOCAL_LEN || get32(p) != LOCAL_SIGNATURE)
        return false;
    file->at = local + LOCAL_LEN + get16(p + 26) + get16(p + 28);
    return file->at <= directory && file->packed <= directory - file->at;
}

static bool known(const struct unzip *z, const char *name)
{
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->file[i].name, name) == 0)
            return true;
    return false;
}

/* One record of the directory at `at`; moves it behind. */
static int read_record(struct unzip *z, size_t *at, size_t directory, size_t end, size_t *total,
                       struct fault *f)
{
    struct unzip_file *file = &z->file[z->count];
    const uint8_t *p = z->data + *at;
    size_t names, name_len;

    if (end - *at < CENTRAL_LEN || get32(p) != CENTRAL_SIGNATURE)
        return damaged(f, "its directory cannot be read");
    name_len = get16(p + 28);
    names = name_len + get16(p + 30) + get16(p + 32);
    if (end - *at - CENTRAL_LEN < names)
        return damaged(f, "its directory cannot be read");
    if (!take_name(file->name, p + CENTRAL_LEN, name_len) || known(z, file->name))
        return damaged(f, "a file's name is no plain name");
    file->method = get16(p + 10);
    file->crc = get32(p + 16);
    file->packed = get32(p + 20);
    file->size = get32(p + 24);
    if ((get16(p + 8) & ~FLAG_UTF8) != 0 ||
        (file->method != METHOD_STORED && file->method != METHOD_DEFLATED) ||
        (file->method == METHOD_STORED && file->packed != file->size))
        return damaged(f, "a file is packed in a way that PRA does not use");
    if (file->size > UNZIP_FILE_MAX || file->size > UNZIP_TOTAL_MAX - *total)
        return fault_set(f, PRA_ETOOBIG, "the bundle unpacks to more than is taken");
    if (!find_bytes(z, directory, get32(p + 42), file))
        return damaged(f, "a file lies outside of it");
    *total += file->size;
    *at += CENTRAL_LEN + names;
    return 0;
}

int unzip_open(struct unzip *z, const void *data, size_t len, struct fault *f)
{
    const uint8_t *end;
    size_t at, directory, count, total = 0;
    int rc = 0;

    memset(z, 0, sizeof(*z));
    z->data = data;
    z->len = len;
    if (len < END_LEN)
        return damaged(f, "it is too short");
    end = z->data + len - END_LEN;
    directory = at = get32(end + 16);
    count = get16(end + 10);
    if (get32(end) != END_SIGNATURE || get16(end + 8) != count || get32(end + 4) != 0 ||
        at > len - END_LEN || get32(end + 12) != len - END_LEN - at)
        return damaged(f, "its end is missing");
    if (count == 0 || count > UNZIP_FILES_MAX)
        return damaged(f, "it holds no file, or too many");
    for (; z->count < count && rc == 0; z->count += rc == 0)
        rc = read_record(z, &at, directory, len - END_LEN, &total, f);
    return rc;
}

static bool inflate_all(const struct unzip *z, const struct unzip_file *file, char *out)
{
    z_stream s = {.next_in = (Bytef *)(uintptr_t)(z->data + file->at),
                  .avail_in = (uInt)file->packed,
                  .next_out = (Bytef *)out,
                  .avail_out = (uInt)file->size};
    int rc;

    if (inflateInit2(&s, -MAX_WBITS) != Z_OK)
        return false;
    rc = inflate(&s, Z_FINISH);
    inflateEnd(&s);
    return rc == Z_STREAM_END && s.avail_out == 0 && s.avail_in == 0;
}

int unzip_read(const struct unzip *z, const struct unzip_file *file, char **out, struct fault *f)
{
    char *content = malloc(file->size + 1);
    bool good = true;

    if (content == NULL)
        return fault_set(f, PRA_ENOMEM, "no memory for the bundle");
    if (file->method == METHOD_STORED)
        memcpy(content, z->data + file->at, file->size);
    else
        good = inflate_all(z, file, content);
    if (!good || crc32(0, (const Bytef *)content, (uInt)file->size) != file->crc) {
        free(content);
        return fault_set(f, PRA_ECORRUPT, "the bundle is damaged: %s cannot be unpacked",
                         file->name);
    }
    content[file->size] = '\0';
    *out = content;
    return 0;
}
