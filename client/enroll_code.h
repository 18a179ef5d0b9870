/* The administrator's code for `pra enroll`, as it is typed. */
#ifndef PRA_CLIENT_ENROLL_CODE_H
#define PRA_CLIENT_ENROLL_CODE_H

#include <stdbool.h>

/* Letters of a code without its dashes. */
#define ENROLL_CODE_LEN 16

/* Does it look like a code? Case, blanks and dashes do not count. */
bool enroll_code_ok(const char *code);

#endif
