/*
 * Landlock: files and ports (sandbox.h). The kernel tells how much of it it knows; what this was
 * compiled with may be older or newer, so the numbers of linux/landlock.h are written here once more where
 * Debian 12's do not have them.
 */
#include "server/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Beyond version 2. */
#define FS_TRUNCATE   (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL_DEV  (UINT64_C(1) << 15) /* 5 */
#define NET_BIND      (UINT64_C(1) << 0)  /* 4 */
#define NET_CONNECT   (UINT64_C(1) << 1)  /* 4 */
#define SCOPE_SIGNAL  (UINT64_C(1) << 1)  /* 6 */
#define RULE_NET_PORT 2

#define VERSION_REFER    2
#define VERSION_TRUNCATE 3
#define VERSION_NET      4
#define VERSION_IOCTL    5
#define VERSION_SCOPE    6

/* struct landlock_ruleset_attr as of version 6; an older kernel is told a shorter one. */
struct ruleset {
    uint64_t fs, net, scoped;
};

struct net_port {
    uint64_t allowed, port;
};

#define READ_FILE  ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define READ       (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FILE (READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define WRITE                                                                                      \
    (READ | WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |               \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE |                               \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER)
#define RUN (READ | LANDLOCK_ACCESS_FS_EXECUTE)
/* What may be asked of a file that is no folder. */
#define OF_FILE (WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE | FS_IOCTL_DEV)

/* /etc as a whole: resolv.conf, hosts and others are replaced by renaming, often by the network's
   manager while we run, and a single file that was allowed would be the one that is gone. What is secret
   there is guarded by its mode. */
static const struct sandbox_path SYSTEM[] = {
    {"/etc", SANDBOX_READ},
    {"/usr", SANDBOX_READ},
#if defined(__SANITIZE_THREAD__)
    {"/", SANDBOX_READ}, /* what is reported is looked up in the program, wherever it lies */
#endif
    {"/lib", SANDBOX_READ},
    {"/lib64", SANDBOX_READ},
    {"/run", SANDBOX_READ},
    {"/proc", SANDBOX_READ},
    {"/sys/devices/system/cpu", SANDBOX_READ},
    {"/dev/null", SANDBOX_WRITE},
    {"/dev/urandom", SANDBOX_READ},
};

static atomic_int version_in_force;

/* ---- lists of paths ------------------------------------------------------------------------------ */

const char *sandbox_folder(const char *file, char dst[OS_PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - file);

    if (file[0] == '\0' || len >= OS_PATH_MAX)
        dst[0] = '\0';
    else if (slash == NULL)
        memcpy(dst, ".", 2);
    else
        snprintf(dst, OS_PATH_MAX, "%.*s", len == 0 ? 1 : (int)len, file);
    return dst;
}

void sandbox_list_add(struct sandbox_list *l, const char *path, enum sandbox_right right)
{
    if (path[0] == '\0' || l->count == SANDBOX_PATHS_MAX)
        return;
    snprintf(l->name[l->count], OS_PATH_MAX, "%s", path);
    l->path[l->count] = (struct sandbox_path){l->name[l->count], right};
    l->count++;
}

void sandbox_list_add_file(struct sandbox_list *l, const char *file, enum sandbox_right right)
{
    char folder[OS_PATH_MAX], real[PATH_MAX];

    sandbox_list_add(l, sandbox_folder(file, folder), right);
    if (file[0] != '\0' && realpath(file, real) != NULL)
        sandbox_list_add(l, sandbox_folder(real, folder), right);
}

/* ---- rules --------------------------------------------------------------------------------------- */

/* Of the rights that this kernel's Landlock knows. */
static uint64_t known_rights(int version)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

    if (version >= VERSION_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= VERSION_TRUNCATE)
        rights |= FS_TRUNCATE;
    if (version >= VERSION_IOCTL)
        rights |= FS_IOCTL_DEV;
    return rights;
}

static int allow_path(int rules, const struct sandbox_path *p, uint64_t known)
{
    static const uint64_t rights[] = {
        [SANDBOX_READ] = READ, [SANDBOX_WRITE] = WRITE, [SANDBOX_RUN] = RUN};
    struct landlock_path_beneath_attr rule = {.allowed_access = rights[p->right] & known};
    struct stat st;
    int rc = 0;

    if (p->path[0] == '\0')
        return 0;
    int fd = open(p->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0; /* is not there: nothing to open */
    rule.parent_fd = fd;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= OF_FILE;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        rc = PRA_EIO;
    close(fd);
    return rc;
}

static int allow_ports(int rules, uint64_t what, const uint16_t *port, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct net_port rule = {.allowed = what, .port = port[i]};

        if (syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0) != 0)
            return PRA_EIO;
    }
    return 0;
}

static bool any_port(const uint16_t *port, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (port[i] == SANDBOX_ANY_PORT)
            return true;
    }
    return false;
}

static int fill(int rules, const struct sandbox_files *files, const struct ruleset *r)
{
    bool system = files->system || SANDBOX_SANITIZED;
    int rc = 0;

    for (size_t i = 0; rc == 0 && system && i < sizeof(SYSTEM) / sizeof(SYSTEM[0]); i++)
        rc = allow_path(rules, &SYSTEM[i], r->fs);
    for (size_t i = 0; rc == 0 && i < files->count; i++)
        rc = allow_path(rules, &files->path[i], r->fs);
    if (rc == 0 && (r->net & NET_BIND) != 0)
        rc = allow_ports(rules, NET_BIND, files->bind, files->bind_count);
    if (rc == 0 && (r->net & NET_CONNECT) != 0)
        rc = allow_ports(rules, NET_CONNECT, files->connect, files->connect_count);
    return rc;
}

/* ---- entering ------------------------------------------------------------------------------------ */

static int enter(const struct sandbox_files *files, int version)
{
    struct ruleset r = {.fs = known_rights(version)};
    size_t size = sizeof(r.fs);
    int rules, rc;

    if (version >= VERSION_NET) {
        size = sizeof(r.fs) + sizeof(r.net);
        if (!any_port(files->bind, files->bind_count))
            r.net |= NET_BIND;
        if (!any_port(files->connect, files->connect_count))
            r.net |= NET_CONNECT;
    }
    if (version >= VERSION_SCOPE) {
        size = sizeof(r);
        r.scoped = SCOPE_SIGNAL;
    }
    rules = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
    if (rules < 0)
        return PRA_EIO;
    rc = fill(rules, files, &r);
    if (rc == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        rc = PRA_EIO;
    close(rules);
    return rc;
}

int sandbox_files(const struct sandbox_files *files, struct fault *f)
{
    int version;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault_set(f, PRA_EIO, "no new privileges: %s", strerror(errno));
    version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version <
        1) /* not compiled in, not switched on, or a filter of ours around us forbids it */
        return 0;
    if (enter(files, version) != 0)
        return fault_set(f, PRA_EIO, "Landlock: %s", strerror(errno));
    atomic_store(&version_in_force, version);
    return 0;
}

void sandbox_state(struct sandbox_state *out)
{
    *out = (struct sandbox_state){.landlock = atomic_load(&version_in_force),
                                  .seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2,
                                  .no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
                                  .dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1,
                                  .uid = (unsigned)geteuid()};
}
