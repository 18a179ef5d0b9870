/* enroll_code.h; of its own, since windows ask it as well and speak no SSH. */
#include "client/enroll_code.h"

#include <ctype.h>
#include <stddef.h>

bool enroll_code_ok(const char *code)
{
    size_t letters = 0;

    for (; *code != '\0'; code++) {
        if (isalnum((unsigned char)*code))
            letters++;
        else if (*code != '-' && *code != ' ')
            return false;
    }
    return letters == ENROLL_CODE_LEN;
}
