/* Other programs' output, programs of the build, and links: what only tests on Linux ask for. */
#ifndef PRA_TESTS_KEYS_PROGRAM_H
#define PRA_TESTS_KEYS_PROGRAM_H

#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/keys/support.h"

static inline void put_link(const char *name, const char *target)
{
    put_file(name, "");
    assert_int_equal(unlink(in_folder(name)), 0);
    assert_int_equal(symlink(target, in_folder(name)), 0);
}

/* Runs a program to its end, its output in `out` (cut at `cap`). Returns its exit code. */
static inline int run_program(const char *const argv[], char *out, size_t cap)
{
    int ends[2];
    int status;
    size_t got = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(ends[1]);
    while (got + 1 < cap && (n = read(ends[0], out + got, cap - 1 - got)) > 0) {
        got += (size_t)n;
    }
    out[got] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* A file of the build folder that this program was built in: .../tests/unit/keys/NAME. */
static inline const char *built(const char *name)
{
    static char path[PATH_MAX];
    const char *build = getenv("PRA_BUILD");
    ssize_t n;

    if (build == NULL) {
        n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        assert_true(n > 0);
        path[n] = '\0';
        for (int i = 0; i < 4; i++) {
            *strrchr(path, '/') = '\0';
        }
    } else {
        snprintf(path, sizeof(path), "%s", build);
    }
    snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name);
    return path;
}

#endif
