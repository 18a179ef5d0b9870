/* Between paths.c, paths_posix.c and paths_win.c only. */
#ifndef PRA_CLIENT_PATHS_INTERNAL_H
#define PRA_CLIENT_PATHS_INTERNAL_H

#include "client/paths.h"

/* os_path_join() with a sentence. */
int paths_join(char dst[OS_PATH_MAX], const char *dir, const char *name, struct fault *f);

/* Names the files of settings and key; and the agent's lock, in p->runtime_dir. */
int paths_name_files(struct paths *p, const char *config, const char *data, struct fault *f);

#endif
