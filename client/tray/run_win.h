/* Running one of our own programs and reading what it prints. */
#ifndef PRA_CLIENT_TRAY_RUN_WIN_H
#define PRA_CLIENT_TRAY_RUN_WIN_H

/*
 * Runs `program` (a path) with `arguments` (without blanks inside one) and no window. Returns what it
 * wrote to standard output, at most 1 MiB, NUL-terminated; NULL if it cannot be run or takes longer than
 * `timeout_ms` (it is ended then). Its exit code does not matter. Free with free().
 */
char *run_read(const char *program, const char *arguments, unsigned timeout_ms);

#endif
