/*
 * Where a user's PRA keeps its files. PRA_HOME, when set, holds everything in one folder;
 * otherwise the XDG folders of requirement A15.
 */
#ifndef PRA_CLIENT_PATHS_H
#define PRA_CLIENT_PATHS_H

#include "common/err.h"
#include "common/os.h"

struct paths {
    char config_file[OS_PATH_MAX];   /* config.ini */
    char known_host[OS_PATH_MAX];    /* pinned host key of the gateway */
    char key_file[OS_PATH_MAX];      /* id.prakey */
    char ticket_file[OS_PATH_MAX];   /* id.prakey.tickets, see ticket.h */
    char log_dir[OS_PATH_MAX];       /* System.log and User.log */
    char runtime_dir[OS_PATH_MAX];   /* 0700, owned; holds the socket */
    char agent_socket[OS_PATH_MAX];  /* agent.sock */
    char agent_lock[OS_PATH_MAX];    /* one agent per user */
    char agent_program[OS_PATH_MAX]; /* what is run as `pra agent`: this program, unless changed */
};

/*
 * Fills in all paths and makes the folders (0700). PRA_HOME/{config.ini,known_host,id.prakey,
 * log/,run/agent.sock}, or $XDG_CONFIG_HOME/pra, $XDG_DATA_HOME/pra (key), $XDG_STATE_HOME/pra/log,
 * $XDG_RUNTIME_DIR/pra (else $XDG_STATE_HOME/pra/run). A socket path longer than the system's
 * limit (107 bytes) is refused with a sentence. Returns 0, PRA_ETOOBIG, PRA_EACCES, PRA_EIO.
 */
int paths_init(struct paths *p, struct fault *f);

#endif
