/* Running one of our own programs and reading what it prints: run_gtk.c, run_win.c. */
#ifndef PRA_CLIENT_TRAY_RUN_H
#define PRA_CLIENT_TRAY_RUN_H

/*
 * Runs `program` (a path) with two arguments (without blanks in them) and no window. Returns what it
 * wrote to standard output, NUL-terminated; NULL if it cannot be run or takes too long. Its exit code does
 * not matter. Free with free(). For a thread: blocks.
 */
char *run_read(const char *program, const char *first, const char *second);

/*
 * The same with what it reads from standard input (some hundred bytes), line by line. `args` (without blanks
 * in them) ends with NULL. Returns NULL if it cannot be run.
 */
struct run;
struct run *run_start(const char *program, const char *const *args, const char *input);
/* The next line without its end, or NULL: it is over. free() it. For a thread: blocks. */
char *run_line(struct run *r);
/* Ends the program, from any thread; run_line() comes to its end then. */
void run_stop(struct run *r);
/* When no thread is in run_line() any more. */
void run_free(struct run *r);

#endif
