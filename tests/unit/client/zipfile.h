/* Reads archives with a program that is not ours: Python's zipfile. For unit tests. */
#ifndef PRA_TESTS_UNIT_CLIENT_ZIPFILE_H
#define PRA_TESTS_UNIT_CLIENT_ZIPFILE_H

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os.h"

extern char **environ;

#define ZIPFILE_TEXT_MAX (64u * 1024 * 1024)

/*
 * Runs a line of Python that finds `z` (the open archive), `a` (arguments behind it) and `out` (a
 * binary file). Returns what it wrote there (caller frees), NULL if it failed.
 */
static inline char *zipfile_ask(const char *path, const char *line, const char *arg)
{
    static const char head[] = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); "
                               "assert z.testzip() is None; a = sys.argv[2:]; "
                               "out = sys.stdout.buffer\n";
    char program[2048], out[] = "/tmp/pra-zipfile-XXXXXX", *text = NULL;
    char name[] = "python3", flag[] = "-c";
    char *argv[] = {name, flag, program, (char *)(uintptr_t)path, (char *)(uintptr_t)arg, NULL};
    posix_spawn_file_actions_t actions;
    int fd = mkstemp(out), status = -1;
    struct fault f = {0};
    size_t len;
    pid_t pid;

    if (fd < 0)
        return NULL;
    snprintf(program, sizeof(program), "%s%s", head, line);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    if (posix_spawn(&pid, "/usr/bin/python3", &actions, NULL, argv, environ) == 0)
        waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fd);
    if (status == 0 && os_file_read(out, ZIPFILE_TEXT_MAX, &text, &len, &f) != 0)
        text = NULL;
    unlink(out);
    return text;
}

/* Text of one file in the archive; caller frees. NULL if it is not there or damaged. */
static inline char *zipfile_text(const char *path, const char *name)
{
    return zipfile_ask(path, "out.write(z.read(a[0]))", name);
}

#endif
