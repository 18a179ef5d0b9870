/* Files that pra-admin writes: of `profile`, `log export` and tables; see pra-admin.h. */
#include "server/pra-admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROFILE_MODE 0644 /* it is meant to be handed on and holds no secret */

static int open_file(struct output_file *file, struct fault *f)
{
    const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;

    file->fd = open(file->path, flags | O_CREAT | O_EXCL, file->mode);
    file->made = file->fd >= 0;
    if (file->fd < 0 && errno == EEXIST)
        file->fd = open(file->path, flags);
    return file->fd >= 0 ? 0 : fault_set(f, PRA_EIO, "%s: %s", file->path, strerror(errno));
}

int output_begin(json_t *args, mode_t mode, struct output_file *out, struct fault *f)
{
    json_t *output = json_object_get(args, "output");

    *out = (struct output_file){.fd = -1, .mode = mode};
    if (output == NULL)
        return 0;
    out->path = strdup(json_string_value(output));
    json_object_del(args, "output");
    return out->path != NULL ? open_file(out, f) : fault_set(f, PRA_ENOMEM, "no memory");
}

int profile_begin(json_t *args, const struct config *c, struct output_file *out, struct fault *f)
{
    *out = (struct output_file){.fd = -1};
    if (json_object_get(args, "server") == NULL) {
        if (c->public_address[0] == '\0')
            return fault_set(f, PRA_EINVAL,
                             "server: say where clients reach this gateway, with --server "
                             "HOST[:PORT] or [gateway] public_address in %s",
                             c->file);
        json_object_set_new(args, "server", json_string(c->public_address));
    }
    return output_begin(args, PROFILE_MODE, out, f);
}

int output_write(struct output_file *file, const char *data, size_t len, struct fault *f)
{
    struct stat st;
    bool regular = fstat(file->fd, &st) == 0 && S_ISREG(st.st_mode);

    if (regular && ftruncate(file->fd, 0) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", file->path, strerror(errno));
    while (len > 0) {
        ssize_t n = write(file->fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set(f, PRA_EIO, "%s: %s", file->path, strerror(errno));
        data += n;
        len -= (size_t)n;
    }
    if (regular && fsync(file->fd) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", file->path, strerror(errno));
    if (file->made && fchmod(file->fd, file->mode) != 0) /* whatever the umask */
        return fault_set(f, PRA_EIO, "%s: %s", file->path, strerror(errno));
    file->made = false;
    return 0;
}

int profile_write(struct output_file *file, json_t *result, const char *member, bool json,
                  struct fault *f)
{
    const char *text = json_string_value(json_object_get(result, member));
    int rc = 0;

    if (text == NULL)
        return fault_set(f, PRA_EIO, "the answer holds no %s", member);
    if (file->path != NULL)
        rc = output_write(file, text, strlen(text), f);
    else if (!json)
        fputs(text, stdout);
    if (rc == 0 && file->path != NULL)
        json_object_set_new(result, "file", json_string(file->path));
    json_object_del(result, member);
    return rc;
}

void output_end(struct output_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    if (file->made)
        (void)unlink(file->path);
    free(file->path);
}
