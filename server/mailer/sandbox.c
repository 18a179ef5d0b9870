/*
 * Least rights. Landlock (Linux 5.13 and later) takes the file system away but for what libcurl, libssl
 * and the resolver read: above all the folder with database and host key, which belongs to the same user.
 */
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/mailer/mailer_job.h"

#define DESCRIPTORS_MAX 64
#define CPU_SECONDS     30

#define FILE_READS (LANDLOCK_ACCESS_FS_READ_FILE)
#define READS      (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* All that the first version knows: what is not allowed again below is gone. */
#define HANDLED ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

static void allow(int rules, const char *path, uint64_t what)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = what,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};

    if (rule.parent_fd < 0)
        return; /* is not there: nothing to read */
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

static void limit(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit r = {.rlim_cur = most, .rlim_max = most};

    setrlimit(what, &r);
}

void sandbox_enter(const char *ca_file)
{
    static const char *const readable[] = {"/etc", "/usr", "/lib", "/lib64", "/run", "/dev"};
    struct landlock_ruleset_attr attr = {.handled_access_fs = HANDLED};
    int rules;

    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
    limit(RLIMIT_CPU, CPU_SECONDS);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (rules < 0)
        return;
    for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
        allow(rules, readable[i], READS);
    if (ca_file[0] != '\0')
        allow(rules, ca_file, FILE_READS);
    syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}
