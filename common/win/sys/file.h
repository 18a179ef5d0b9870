/* flock(), see common/posix_win.h. */
#include "common/posix_win.h"
