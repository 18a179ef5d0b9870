/* The terminal that the command line writes to: cli_term_posix.c, cli_term_win.c. */
#ifndef PRA_CLIENT_CLI_TERM_H
#define PRA_CLIENT_CLI_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal; SIZE_MAX where `to` is none. */
size_t term_width(FILE *to);

/* Is it a terminal that knows colours? */
bool term_has_colour(FILE *to);

/* Columns that a letter takes: 0, 1 or 2; 1 for what cannot be shown. After text_init(). */
size_t term_letter_width(uint32_t letter);

#endif
