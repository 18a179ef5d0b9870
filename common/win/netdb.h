/* Sockets of Windows under the name that POSIX gives them. */
#include "common/posix_win.h"
