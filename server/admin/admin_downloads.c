/*
 * What is handed out with the management tool: the installers of the client, in the folder that prad.ini
 * names ([portal] downloads). Only plain files with plain names are seen, links are not followed, and a
 * name that is asked for is looked up among those that were found: no path is ever made of it.
 *
 * A file's SHA-256 is computed when it was changed, once: a few milliseconds a megabyte.
 */
#include "server/admin/admin_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/pac.h"

struct downloads {
    struct download file[DOWNLOADS_MAX];
    size_t count;
};

/* ---- looking ----------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    static const char *const kinds[] = {".msi", ".exe", ".deb", ".zip", ".pra", ".txt", ".pdf"};
    const char *dot = strrchr(name, '.');
    size_t len = strlen(name);

    if (len == 0 || len > DOWNLOAD_NAME_MAX || !isalnum((unsigned char)name[0]) || dot == NULL)
        return false;
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-") != len)
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcasecmp(dot, kinds[i]) == 0)
            return true;
    }
    return false;
}

/* "0.1.0" of "PRA-0.1.0-ja.msi": the first number with a dot in it. */
static void read_version(const char *name, char dst[STORE_WORD_MAX + 1])
{
    dst[0] = '\0';
    for (const char *at = name; *at != '\0'; at++) {
        size_t len = strspn(at, "0123456789.");

        while (len > 0 && at[len - 1] == '.')
            len--;
        if (isdigit((unsigned char)at[0]) && memchr(at, '.', len) != NULL &&
            (at == name || !isalnum((unsigned char)at[-1]))) {
            snprintf(dst, STORE_WORD_MAX + 1, "%.*s", (int)len, at);
            return;
        }
    }
}

static ptrdiff_t read_part(void *ctx, void *dst, size_t cap)
{
    ssize_t n;

    do {
        n = read(*(int *)ctx, dst, cap);
    } while (n < 0 && errno == EINTR);
    return n;
}

static bool same(const struct download *a, const struct download *b)
{
    return a->size == b->size && a->modified_ns == b->modified_ns && strcmp(a->name, b->name) == 0;
}

/* Fills in a file that is one to hand out; false if it is none. */
static bool look(const struct downloads *before, int folder, const char *name, struct download *d)
{
    struct stat st;
    int fd;
    bool good = false;

    if (!is_name(name))
        return false;
    fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        st.st_size <= DOWNLOAD_SIZE_MAX) {
        *d = (struct download){.size = st.st_size,
                               .modified_ns =
                                   (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec};
        snprintf(d->name, sizeof(d->name), "%.*s", (int)sizeof(d->name) - 1, name);
        read_version(name, d->version);
        for (size_t i = 0; i < before->count && !good; i++) {
            good = same(&before->file[i], d);
            if (good)
                memcpy(d->sha256, before->file[i].sha256, sizeof(d->sha256));
        }
        good = good || crypto_sha256_of(read_part, &fd, d->sha256) == 0;
    }
    close(fd);
    return good;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct download *)a)->name, ((const struct download *)b)->name);
}

/* Looks what is there now. Returns 0, PRA_EUNSUPPORTED (nothing is handed out), PRA_EIO, PRA_ENOMEM. */
static int refresh(struct call *c)
{
    struct admin *a = c->a;
    struct downloads *before = a->downloads, *now = calloc(1, sizeof(*now));
    static const struct downloads none;
    DIR *dir;

    if (now == NULL)
        return fault_set(&c->f, PRA_ENOMEM, "no memory");
    dir = a->downloads_path[0] == '\0' ? NULL : opendir(a->downloads_path);
    if (dir == NULL) {
        free(now);
        return a->downloads_path[0] == '\0'
                   ? 0
                   : fault_set(&c->f, PRA_EIO, "[portal] downloads: %s: %s", a->downloads_path,
                               strerror(errno));
    }
    for (struct dirent *e; now->count < DOWNLOADS_MAX && (e = readdir(dir)) != NULL;)
        now->count +=
            look(before != NULL ? before : &none, dirfd(dir), e->d_name, &now->file[now->count]);
    closedir(dir);
    qsort(now->file, now->count, sizeof(now->file[0]), by_name);
    free(before);
    a->downloads = now;
    return 0;
}

/* ---- operations -------------------------------------------------------------------------------- */

static json_t *download_json(const struct download *d)
{
    char hex[2 * CRYPTO_SHA256_LEN + 1];

    crypto_hex_encode(d->sha256, sizeof(d->sha256), hex);
    return json_pack("{s:s, s:o, s:I, s:s, s:o}", "name", d->name, "version",
                     json_text_or_null(d->version), "size", (json_int_t)d->size, "sha256", hex,
                     "modified", json_when(d->modified_ns / 1000000000));
}

int op_download_list(struct call *c)
{
    json_t *list;
    int rc = refresh(c);

    if (rc != 0)
        return rc;
    list = json_array();
    for (size_t i = 0; c->a->downloads != NULL && i < c->a->downloads->count; i++)
        json_array_append_new(list, download_json(&c->a->downloads->file[i]));
    return give(c, list);
}

int op_download_show(struct call *c)
{
    const char *name = arg_text(c, "name");
    int rc = refresh(c);

    for (size_t i = 0; rc == 0 && c->a->downloads != NULL && i < c->a->downloads->count; i++) {
        const struct download *d = &c->a->downloads->file[i];

        if (strcmp(d->name, name) == 0)
            return give(c, download_json(d));
    }
    return rc != 0
               ? rc
               : fault_set(&c->f, PRA_ENOENT, "name: there is no file '%.80s' to hand out", name);
}

/* ---- PAC (A12) --------------------------------------------------------------------------------- */

#define PAC_TEXT_MAX 32768

/* A file that sends only the company's names through the forward to its proxy. */
int op_pac(struct call *c)
{
    char *names = strdup(arg_text(c, "names")), *rest = names, *name;
    const char *local = arg_text(c, "local"), *list[PAC_NAMES_MAX];
    char text[PAC_TEXT_MAX];
    struct addr_host host;
    uint16_t port;
    size_t count = 0;
    int rc = names == NULL ? fault_set(&c->f, PRA_ENOMEM, "no memory") : 0;

    while (rc == 0 && (name = strsep(&rest, " ,\t\r\n")) != NULL) {
        if (name[0] == '\0')
            continue;
        if (!pac_name_valid(name) || count == PAC_NAMES_MAX)
            rc = fault_set(&c->f, PRA_EINVAL,
                           "names: '%.80s' is not the name of a domain such as example.co.jp, or "
                           "one of more than %d",
                           name, PAC_NAMES_MAX);
        else
            list[count++] = name;
    }
    if (rc == 0 && count == 0)
        rc = fault_set(&c->f, PRA_EINVAL, "names: is empty");
    if (rc == 0 && addr_parse_host_port(local, 0, &host, &port) != 0)
        rc = fault_set(&c->f, PRA_EINVAL, "local: '%.80s' is not ADDRESS:PORT", local);
    if (rc == 0 && pac_write(local, list, count, text, sizeof(text)) != 0)
        rc = fault_set(&c->f, PRA_EINVAL, "names: are too long together");
    free(names);
    return rc != 0 ? rc : give(c, json_pack("{s:s}", "text", text));
}
