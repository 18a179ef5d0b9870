/* What a function prints, as text: by a file, since a stream in memory is not on every system. */
#ifndef PRA_TESTS_CLIENT_PRINTED_H
#define PRA_TESTS_CLIENT_PRINTED_H

#include <stdio.h>
#include <stdlib.h>

#define PRINTED_MAX (64u * 1024)

/* Closes `from`, a tmpfile(); what was written to it, to be freed. */
static inline char *printed_text(FILE *from)
{
    char *text = calloc(1, PRINTED_MAX);

    assert_non_null(text);
    rewind(from);
    assert_true(fread(text, 1, PRINTED_MAX - 1, from) < PRINTED_MAX - 1);
    assert_int_equal(fclose(from), 0);
    return text;
}

#endif
