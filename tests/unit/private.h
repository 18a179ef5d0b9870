/* Whether a file is for its user alone. */
#ifndef PRA_TESTS_UNIT_PRIVATE_H
#define PRA_TESTS_UNIT_PRIVATE_H

#include <sys/stat.h>

/* Where there are no modes, tests/unit/win/posix.h knows another way. */
#ifndef assert_private
static inline void assert_private(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}
#endif

#endif
