/* See privileges.h. */
#include "server/prad/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int privileges_drop(const char *user, struct fault *f)
{
    if (*user == '\0' || geteuid() != 0)
        return 0;
    char buf[4096];
    struct passwd pw, *found = NULL;
    if (getpwnam_r(user, &pw, buf, sizeof(buf), &found) != 0 || !found)
        return fault_set(f, PRA_ENOENT, "[gateway] user: there is no user '%s'", user);
    if (initgroups(user, pw.pw_gid) != 0 || setresgid(pw.pw_gid, pw.pw_gid, pw.pw_gid) != 0 ||
        setresuid(pw.pw_uid, pw.pw_uid, pw.pw_uid) != 0)
        return fault_set(f, PRA_EACCES, "cannot become user '%s': %s", user,
                         strerrordesc_np(errno));
    if (pw.pw_uid != 0 && setuid(0) == 0)
        return fault_set(f, PRA_EACCES, "privileges come back after becoming '%s'", user);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* a change of user turns it on again */
    return 0;
}

void privileges_raise_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}
