/* The folders of requirement A15 by the XDG base directory specification, or all in PRA_HOME. */
#include "client/paths_internal.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PASSWD_BUFFER 16384

/* An environment variable that holds an absolute path; XDG says to ignore a relative one. */
static const char *absolute_env(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] == '/' ? value : NULL;
}

static int copy_path(char dst[OS_PATH_MAX], const char *src, struct fault *f)
{
    if (strlen(src) >= OS_PATH_MAX)
        return fault_set(f, PRA_ETOOBIG, "%.64s...: the path is too long", src);
    snprintf(dst, OS_PATH_MAX, "%s", src);
    return 0;
}

/* $HOME, or what the system's user database says. */
static int find_home(char dst[OS_PATH_MAX], struct fault *f)
{
    const char *home = absolute_env("HOME");
    char buffer[PASSWD_BUFFER];
    struct passwd entry;
    struct passwd *found = NULL;

    if (home)
        return copy_path(dst, home, f);
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof(buffer), &found) != 0 || !found ||
        entry.pw_dir[0] != '/')
        return fault_set(f, PRA_EIO, "this user has no home folder: set HOME or PRA_HOME");
    return copy_path(dst, entry.pw_dir, f);
}

/* `variable`/pra, or ~/`fallback`/pra. */
static int xdg_dir(char dst[OS_PATH_MAX], const char *variable, const char *fallback,
                   struct fault *f)
{
    const char *base = absolute_env(variable);
    char home[OS_PATH_MAX];
    char dir[OS_PATH_MAX];
    int rc;

    if (base)
        return paths_join(dst, base, "pra", f);
    rc = find_home(home, f);
    if (rc == 0)
        rc = paths_join(dir, home, fallback, f);
    return rc == 0 ? paths_join(dst, dir, "pra", f) : rc;
}

/* Set, there and ours: after su(1) it may name the folder of the user before. */
static bool runtime_dir_usable(const char *dir)
{
    struct stat st;

    return dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

struct folders {
    char config[OS_PATH_MAX];
    char data[OS_PATH_MAX];
    char state[OS_PATH_MAX];
};

/* Everything in one folder. A relative PRA_HOME is taken from where the program was started. */
static int folders_in_home(struct folders *d, struct paths *p, const char *home, struct fault *f)
{
    char cwd[OS_PATH_MAX];
    int rc;

    if (home[0] == '/')
        rc = copy_path(d->config, home, f);
    else if (!getcwd(cwd, sizeof(cwd)))
        return fault_set(f, PRA_EIO, "the current folder is unknown: %s", strerror(errno));
    else
        rc = paths_join(d->config, cwd, home, f);
    if (rc == 0)
        rc = copy_path(d->data, d->config, f);
    if (rc == 0)
        rc = copy_path(d->state, d->config, f);
    if (rc == 0)
        rc = paths_join(p->runtime_dir, d->config, "run", f);
    return rc;
}

static int folders_of_xdg(struct folders *d, struct paths *p, struct fault *f)
{
    const char *runtime = absolute_env("XDG_RUNTIME_DIR");
    int rc = xdg_dir(d->config, "XDG_CONFIG_HOME", ".config", f);

    if (rc == 0)
        rc = xdg_dir(d->data, "XDG_DATA_HOME", ".local/share", f);
    if (rc == 0)
        rc = xdg_dir(d->state, "XDG_STATE_HOME", ".local/state", f);
    if (rc != 0)
        return rc;
    if (runtime_dir_usable(runtime))
        return paths_join(p->runtime_dir, runtime, "pra", f);
    return paths_join(p->runtime_dir, d->state, "run", f);
}

static int make_folders(const struct folders *d, const struct paths *p, struct fault *f)
{
    const char *const all[] = {d->config, d->data, d->state, p->log_dir, p->runtime_dir};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int rc = os_dir_ensure(all[i], 0700, f);

        if (rc != 0)
            return rc;
    }
    return 0;
}

int paths_init(struct paths *p, struct fault *f)
{
    const size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    const char *home = getenv("PRA_HOME");
    struct folders d;
    int rc;

    snprintf(p->agent_program, sizeof(p->agent_program), "/proc/self/exe");
    if (home && home[0] != '\0')
        rc = folders_in_home(&d, p, home, f);
    else
        rc = folders_of_xdg(&d, p, f);
    if (rc == 0)
        rc = paths_name_files(p, d.config, d.data, f);
    if (rc == 0)
        rc = paths_join(p->log_dir, d.state, "log", f);
    if (rc == 0)
        rc = paths_join(p->agent_socket, p->runtime_dir, "agent.sock", f);
    if (rc != 0)
        return rc;
    if (strlen(p->agent_socket) > limit)
        return fault_set(f, PRA_ETOOBIG,
                         "%s: is longer than the %zu bytes that a socket's path may have; "
                         "choose a shorter %s",
                         p->agent_socket, limit,
                         home && home[0] != '\0' ? "PRA_HOME" : "XDG_RUNTIME_DIR");
    return make_folders(&d, p, f);
}
