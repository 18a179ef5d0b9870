/* Running one of our own programs and reading what it prints: run_gtk.c, run_win.c. */
#ifndef PRA_CLIENT_TRAY_RUN_H
#define PRA_CLIENT_TRAY_RUN_H

/*
 * Runs `program` (a path) with two arguments (without blanks in them) and no window. Returns what it
 * wrote to standard output, NUL-terminated; NULL if it cannot be run or takes too long. Its exit code does
 * not matter. Free with free(). For a thread: blocks.
 */
char *run_read(const char *program, const char *first, const char *second);

#endif
