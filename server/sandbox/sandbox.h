/*
 * What a program of the gateway may still do once it has what it needs. Two walls, one behind the other:
 * Landlock takes files and ports away (files.c), a seccomp filter takes system calls away (calls.c).
 * Neither needs privileges, neither can be taken back, and both hold for every process started later.
 *
 * Landlock holds for the calling thread and those that it starts: sandbox_files() before there are
 * threads. sandbox_calls() holds for all threads at once.
 */
#ifndef PRA_SERVER_SANDBOX_SANDBOX_H
#define PRA_SERVER_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/os.h"

/* A build with a sanitizer looks for leaks at its end, and needs more for it than the program. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#else
#define SANDBOX_SANITIZED 0
#endif

/* ---- files and ports ---------------------------------------------------------------------------- */

enum sandbox_right {
    SANDBOX_READ,  /* read what is there, and list folders */
    SANDBOX_WRITE, /* also make, change and remove files, folders and sockets */
    SANDBOX_RUN    /* also be started, with the libraries of the system */
};

/* A file, or a folder with all beneath it. One that is not there is passed over, as is "". */
struct sandbox_path {
    const char *path;
    enum sandbox_right right;
};

#define SANDBOX_ANY_PORT 0

struct sandbox_files {
    const struct sandbox_path *path;
    size_t count;
    /* Also what every program of Debian reads: libraries, settings of the system, name service, time
       zones, authorities, what /run and /proc tell. */
    bool system;
    /* The TCP ports that may be bound and connected to (Linux 6.7); SANDBOX_ANY_PORT = all. */
    const uint16_t *bind, *connect;
    size_t bind_count, connect_count;
};

/* A list of paths, and where their names stand: some 70 KiB, so not on the stack. */
#define SANDBOX_PATHS_MAX 16
struct sandbox_list {
    struct sandbox_path path[SANDBOX_PATHS_MAX];
    char name[SANDBOX_PATHS_MAX][OS_PATH_MAX];
    size_t count;
};

/* More than fit are left out, and are out of reach then. "" is passed over. */
void sandbox_list_add(struct sandbox_list *l, const char *path, enum sandbox_right right);

/*
 * The folder of a file, and if the file is a link also that of what it leads to. Folders, because a file
 * is replaced by renaming another one, and what was allowed would be the old one.
 */
void sandbox_list_add_file(struct sandbox_list *l, const char *file, enum sandbox_right right);

/* Writes the folder of a file into `dst`; "" for "". Returns `dst`. */
const char *sandbox_folder(const char *file, char dst[OS_PATH_MAX]);

/*
 * No new privileges; from here on this thread opens nothing else than `files`. A kernel without
 * Landlock, or one that knows less of it, gives less: sandbox_state() tells. Returns 0, PRA_EIO (a kernel
 * that has it refuses).
 */
int sandbox_files(const struct sandbox_files *files, struct fault *f);

/* ---- system calls -------------------------------------------------------------------------------- */

enum sandbox_program { SANDBOX_PRAD, SANDBOX_PORTAL, SANDBOX_MAILER, SANDBOX_PASSKEY };

/*
 * From here on all threads make only the system calls that the program needs. One that would get it out
 * of its place (another program, another process's memory, mounts, kernel modules, raw or exotic
 * sockets ...) ends the process at once, by SIGSYS; its number, an int, is first written to the descriptor
 * `report` (-1 = nobody is told). Any other call fails with ENOSYS and, for prad and the portal, stands in the
 * kernel's audit log. Returns 0, PRA_EIO (no seccomp).
 */
int sandbox_calls(enum sandbox_program program, int report, struct fault *f);

#define SANDBOX_CALL_MAX 32
/* The name of a system call. */
void sandbox_call_name(unsigned call, char dst[SANDBOX_CALL_MAX]);

/* ---- what is in force ---------------------------------------------------------------------------- */

struct sandbox_state {
    int landlock;      /* its version (ABI); 0 = none */
    bool seccomp;      /* a filter is in force */
    bool no_new_privs; /* no program started from here gets more rights */
    bool dumpable;     /* others of the same user may read its memory */
    unsigned uid;
};

/* Of this process, asked of the kernel where it can be. */
void sandbox_state(struct sandbox_state *out);

#endif
