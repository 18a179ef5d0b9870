/* The agent as its files share it. One thread owns all of this; see agent.h. */
#ifndef PRA_CLIENT_AGENT_INTERNAL_H
#define PRA_CLIENT_AGENT_INTERNAL_H

#include "client/agent.h"
#include "client/agentlog.h"
#include "client/config.h"
#include "client/control.h"
#include "client/forward.h"
#include "client/hostkey.h"
#include "client/ipc_server.h"
#include "client/namewatch.h"
#include "client/netwatch.h"
#include "client/plan.h"
#include "client/problem.h"
#include "client/retry.h"
#include "client/session.h"
#include "client/spread.h"
#include "client/ticket.h"
#include "keys/keyfile.h"

/* After the control channel runs, the gateway has this long to answer hello. */
#define AGENT_HELLO_MS (20 * 1000)
/* How often the gateway hears the heads of the logs. */
#define AGENT_HEADS_MS (60u * 60 * 1000)
/* How long an `explain` may take, and how many may be under way. */
#define AGENT_EXPLAIN_MS  (12 * 1000)
#define AGENT_EXPLAIN_MAX 16
/* So long after the last connection has ended memory is given back. */
#define AGENT_QUIET_MS 2000
/* Counters of traffic are pushed this often at most. */
#define AGENT_COUNT_MS 1000
/* So long a limit of the gateway that was reached stands in the status. */
#define AGENT_LIMIT_MS 120000
/* A clock that is off by more than this is told. */
#define AGENT_CLOCK_S 120
/* The longest code that is taken. */
#define AGENT_CODE_MAX 63

enum agent_state {
    AGENT_DISCONNECTED,
    AGENT_CONNECTING,
    AGENT_CONNECTED,
    AGENT_WAITING,
    AGENT_CODE, /* the gateway wants a code, which a person has to type */
    AGENT_ERROR
};

/* A question to the gateway that a program waits for; client 0 = free. */
struct explain {
    uint64_t client;
    int64_t id;
    int64_t rule;
    uint64_t deadline; /* monotonic ms */
};

struct key_job; /* agent_key.c: the key being unsealed on the pool */

#define AGENT_SECONDARIES (SPREAD_MAX - 1)

/* One more connection of the tunnel; `session` NULL = a free place. */
struct secondary {
    struct agent *agent;
    struct session *session;
    bool joined; /* the gateway takes channels on it */
    bool ending; /* a wanted end is under way */
    char token[CONTROL_TOKEN_LEN + 1];
    uint64_t started, idle_since; /* monotonic ms */
};

struct tunnel {
    struct session_shared shared; /* by the primary and these */
    unsigned allowed;             /* connections, by the gateway and by the settings */
    struct secondary secondary[AGENT_SECONDARIES];
    uv_timer_t timer;         /* looks at all connections while anything runs over them */
    uint64_t sampled, cpu_us; /* when that was (ns), and the processor time used by then */
    unsigned eager;           /* looks in a row that asked for one more */
    bool fresh;               /* a channel was opened since one more was asked for */
    bool asked;               /* for a token */
    int64_t asked_id;
    uint64_t asked_at, not_before; /* monotonic ms */
    uint32_t pause_ms;             /* how long the last pause was */
    bool told;                     /* why there is no further one */
};

struct agent {
    uv_loop_t loop;
    const struct paths *paths;
    const struct agent_foreground *fg; /* NULL = background */
    int lock;                          /* descriptor of the lock file */
    int result;                        /* of agent_run() */
    bool ending;
    struct agentlog *log;
    struct ipc_server *ipc;
    struct netwatch *netwatch;
    uv_signal_t sigterm, sigint;
    uv_prepare_t prepare; /* tells of changes once per loop iteration */
    uv_timer_t idle;      /* the end of an agent that nobody uses */

    enum agent_state state;
    int64_t since; /* of the state, seconds UTC */
    bool changed;  /* status must be pushed */
    bool ports_changed;

    /* the wanted connection */
    struct config config;
    char server[ADDR_TEXT_MAX]; /* "" = none */
    char user[KEYFILE_USER_MAX + 1];
    char accept[SSHKEY_FINGERPRINT_MAX];
    char seen[SSHKEY_FINGERPRINT_MAX]; /* the host key the gateway showed last */
    struct key_job *opening;
    struct key *key;
    char lease[CONTROL_TOKEN_LEN + 1]; /* from the last code; "" = none */
    char code[AGENT_CODE_MAX + 1];     /* typed for the next attempt; "" = none */
    bool lock_told;                    /* the log says that memory cannot be locked */
    struct keyfile_info info;
    char machine_tag[17];
    char ticket[TICKET_HEX + 1]; /* what hello has shown; "" = none, or replaced since */
    bool helped;                 /* the root helper told identifiers when the key was opened last */

    struct session *session;     /* the primary connection */
    struct tunnel tunnel;        /* and the others */
    struct namewatch *namewatch; /* of a session that stands; NULL = not wanted */
    bool moved_told;             /* the log says that the name leads elsewhere */
    bool online;                 /* the gateway has welcomed this session */
    bool stood;                  /* connected since the user asked for it */
    bool farewell;               /* a wanted end is under way */
    enum cause announced;        /* what the gateway said the session will end with */
    uint32_t asked_retry_ms;
    enum cause away; /* how the tunnel that stood was lost */
    struct retry retry;
    uv_timer_t retry_timer, hello_timer, heads_timer, explain_timer, quiet_timer, count_timer,
        limit_timer;            /* while `limit` is shown */
    uint64_t retry_at;          /* monotonic ms */
    uint64_t disconnect_client; /* who waits for the end */
    char session_id[65];
    int64_t clock_off; /* seconds this PC is ahead of the gateway; 0 = right enough */

    struct plan plan;
    struct forward **forwards; /* one per rule of the plan */
    struct problem problem;    /* of the state */
    enum msg_id told;          /* what User.log said last about the connection */
    struct problem last;       /* the last thing that happened to a connection */
    int64_t last_at;
    struct problem limit; /* of the gateway, that was reached a moment ago */
    struct explain explains[AGENT_EXPLAIN_MAX];
    int64_t last_explain;
    struct log_send *log_send; /* a log bundle on its way to the gateway; NULL = none */
    int64_t last_log;
    size_t logs_max; /* the largest one that the gateway takes; 0 = it takes none */
};

/* agent.c */
void agent_set_state(struct agent *a, enum agent_state state);
/* Something of the status is different: it is pushed before the loop sleeps. */
void agent_changed(struct agent *a);
void agent_end(struct agent *a);
uint64_t agent_now(void);

/* agent_key.c */
/* Begins to unseal the key; the answer to `client` (0 = nobody) comes when it is decided. */
int agent_open_key(struct agent *a, uint64_t client, const char *passphrase);
void agent_cancel_key(struct agent *a);

/* agent_connect.c */
/* A user's wish to connect. Returns false and fills `p` when it cannot even begin. */
bool agent_connect(struct agent *a, uint64_t client, const json_t *request, struct problem *p);
void agent_attempt(struct agent *a);
/* A person has typed a code. False: none is waited for. */
bool agent_code(struct agent *a, const char *code);
/* What every connection of the tunnel is made with; borrows from `a`. */
void agent_session_options(struct agent *a, struct session_options *opt);
/* The network has changed, or the machine has slept. */
void agent_network_changed(void *arg);
/* Stops for good: the key is wiped, listeners close, the state tells why. `name` is what the cause
   is about (what differs on this PC), or "". */
void agent_stop(struct agent *a, enum cause cause, const char *detail, const char *name);
void agent_disconnect(struct agent *a, const char *reason);
/* A problem of this connection with the usual values filled in. */
void agent_problem(const struct agent *a, struct problem *p, enum msg_id id, const char *detail);

/* agent_control.c: what the gateway says. */
extern const struct control_handler agent_control;
void agent_hello(struct agent *a);
void agent_report_ports(struct agent *a);
void agent_drop_forwards(struct agent *a);
void agent_fail_explains(struct agent *a);
/* The primary connection if it stands. */
struct session *agent_live_session(void *arg);
/* `cut` came over `s`. */
void agent_cut_channel(struct agent *a, const struct session *s, const struct control_channel *c);

/* agent_tunnel.c: more connections for one tunnel. */
/* The connection for a new channel; NULL while the tunnel does not stand. */
struct session *agent_channel_session(void *arg);
/* The primary was welcomed, and has ended or is about to. */
void agent_tunnel_begin(struct agent *a, unsigned gateway_allows);
void agent_tunnel_end(struct agent *a);
void agent_tunnel_token(struct agent *a, const struct control_join_token *token);
/* The network has changed: are they still there? */
void agent_tunnel_probe(struct agent *a);
/* How many connections take channels, the primary included. */
unsigned agent_tunnel_connections(const struct agent *a);

/* agent_logs.c: a log bundle for the helpdesk. */
/* Sends the file; `client` is answered when the gateway has it, or why not. */
void agent_send_log(struct agent *a, uint64_t client, const char *path);
void agent_log_answer(struct agent *a, const struct control_log *answer);
/* The connection has ended. */
void agent_log_lost(struct agent *a);

/* agent_requests.c: what programs ask. */
void agent_request(void *arg, uint64_t client, json_t *request);
void agent_answer_error(struct agent *a, uint64_t client, const struct problem *p);
void agent_explained(struct agent *a, const struct explain *e, const json_t *answer);

/* status.c */
/* The object of `pra status --json`, with `id` and `args` in its error. New reference. */
json_t *status_json(const struct agent *a);
const char *status_state_word(enum agent_state state);
/* What is shown as the error: the state's, or a warning while connected. */
void status_problem(const struct agent *a, struct problem *p);

/* agent_process.c, agent_posix.c, agent_win.c */
/* One agent per user. Returns a descriptor that holds the lock, or PRA_EBUSY, PRA_EIO. */
int agent_lock(const char *path, struct fault *f);
/* The starter waits for the end of our standard error: it is closed when we are ready. */
void agent_ready(void);
/* Has another file taken the place of the program that this process runs, as an upgrade does it? No while there
   is none, since nothing could be started from there. */
bool agent_program_replaced(void);
/* From here on JSON values are wiped when freed: requests hold passphrases. */
void agent_wipe_json(void);
/* Keeps a little freed memory for bulk data (os_memory_trim() gives it back), and allows many connections. */
void agent_tune_process(void);
/* libuv keeps an array by number of descriptor and ends the program when it has no memory to let that grow:
   this makes it as large as it can get. Call once, before anything else is watched. */
void agent_reserve_watchers(uv_loop_t *loop);

#endif
