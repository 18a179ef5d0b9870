/*
 * Inside of the pra-admin program: the table of commands, the way to whoever answers, printing.
 */
#ifndef PRA_SERVER_PRA_ADMIN_H
#define PRA_SERVER_PRA_ADMIN_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "common/addr.h"
#include "common/err.h"
#include "server/admin/admin.h"
#include "server/config.h"

enum exit_code { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_CONNECTED = 3 };

/* ---- the table of commands (pra-admin_commands.c) --------------------------------------------- */

enum option_type { OPTION_TEXT, OPTION_NEEDED, OPTION_NUMBER, OPTION_FLAG };

struct cli_option {
    const char *name; /* without dashes: the operation's argument, too */
    enum option_type type;
    const char *value; /* placeholder in the help, NULL for a flag */
    const char *help;
};

struct cli_positional {
    const char *name; /* the operation's argument */
    const char *value;
    bool number;
};

struct cli_column {
    const char *key, *title;
    bool always; /* shown even if no row has a value */
};

enum cli_style {
    STYLE_TABLE,   /* a list: columns */
    STYLE_DONE,    /* a change: one sentence on stderr */
    STYLE_DETAILS, /* one object: a line per member */
    STYLE_EXPLAIN, /* the answer of explain, in sentences */
    STYLE_AUDIT,   /* the newest audit records */
    STYLE_RECORDS, /* all of them, as they come */
    STYLE_BATCH,   /* the argument is a file of requests */
    STYLE_PROFILE, /* a file for a user */
    STYLE_REPORT,  /* a text, as it is */
    STYLE_MAIL,    /* a mail whose sending is waited for */
    STYLE_EXPORT,  /* a log bundle as a file */
    STYLE_VERIFY,  /* is a log bundle whole, and its lines beside the gateway's records */
    STYLE_SAVE,    /* a table for a file */
    STYLE_LOAD,    /* the argument is a file with a table */
    STYLE_FACTOR,  /* a QR code, or recovery codes */
    STYLE_CONFIRM  /* the same, of a code that a person types */
};

struct cli_command {
    const char *words; /* "group member add" */
    const char *op;
    const struct cli_positional *positionals; /* end with a NULL name */
    const struct cli_option *options;         /* end with a NULL name */
    enum cli_style style;
    const struct cli_column *columns; /* STYLE_TABLE, STYLE_AUDIT */
    const char *sentence;             /* STYLE_DONE: {member} is filled in */
    const char *summary, *example;
};

extern const struct cli_command cli_commands[]; /* end with NULL words */

/*
 * The command that the first words name; *used is how many. NULL if there is none, then *used is
 * how many words begin some command.
 */
const struct cli_command *cli_find(int argc, char **argv, int *used);

/* All commands; the commands that begin with `words`; one command. */
void cli_help_all(FILE *to);
void cli_help_prefix(FILE *to, int argc, char **argv);
void cli_help_command(FILE *to, const struct cli_command *cmd);

/* ---- whoever answers (pra-admin_link.c) -------------------------------------------------------- */

struct link;

/*
 * Connects to prad, or takes the store's lock and does the work in this process. As root it then
 * continues as the owner of the store's folder, so that no file there becomes root's. Returns 0 or
 * a PRA_E* with a sentence.
 */
int link_open(const struct config *c, bool create, struct link **out, struct fault *f);
void link_close(struct link *l);
/* Does prad answer, or this process itself? */
bool link_to_prad(const struct link *l);
/* One request, one answer (new reference). NULL with a sentence when nobody answers any more. */
json_t *link_ask(struct link *l, const json_t *request, struct fault *f);

/* The same for a list, which is asked for in parts unless the request says which part it wants. */
json_t *link_ask_all(struct link *l, const json_t *request, struct fault *f);

/* ---- what explain tries by itself (pra-admin_probe.c) ------------------------------------------ */

/* The target of an `explain` and what its name resolved to. */
struct probe {
    struct addr_ip ips[ADMIN_ADDRESSES_MAX];
    size_t count;
    uint16_t port;     /* 0 = the target is no host and port: the operation says so */
    const char *error; /* why there is no address; static */
};

/*
 * Resolves the argument "target"; a name's addresses become the argument "addresses". Waits for
 * the name server as long as the system's resolver does.
 */
void probe_resolve(json_t *args, struct probe *p);
/*
 * Tries to connect (at most 3 s) and adds what was found to the operation's answer: "dns":
 * {"ok","addresses","error"} and "connect": {"ok","ms","error"}, or null for both where the rules
 * refuse the target whatever its address is.
 */
void probe_connect(const struct probe *p, json_t *result);

/* Sends a request; prints warnings or the error. *result is borrowed from *answer (new reference).
   Returns an exit code. */
int cli_ask(struct link *l, const json_t *request, json_t **answer, json_t **result);

/* ---- the audit (pra-admin_audit.c) -------------------------------------------------------------- */

/* The newest records that fit, oldest first; "limit" 0 = all of them. Returns an exit code. */
int audit_print(struct link *l, json_t *args, bool json, const struct cli_column *columns);
/* All records that fit, in the format that is asked for. Likewise. */
int audit_export(struct link *l, json_t *args);

/* The list of requests in a file, "-" = stdin (pra-admin_batch.c). NULL with a sentence. */
json_t *batch_read(const char *path, struct fault *f);

/* ---- asking and saying what came of it (pra-admin.c) ------------------------------------------ */

/* Prints ERR(code) and the message; gives the exit code. */
int cli_failed(const char *code, const char *message);
void cli_print_json(const json_t *value);

/* ---- tables (pra-admin_tables.c) --------------------------------------------------------------- */

#define TABLE_MODE 0600

struct output_file;
/* Run their commands; exit codes. With --check, or where there are problems, every one is shown. */
int table_export(const struct cli_command *cmd, json_t *args, bool json, struct link *l,
                 struct output_file *file);
int table_import(const struct cli_command *cmd, json_t *args, bool json, struct link *l);

/* The text of a table, "-" = stdin; UTF-8 (pra-admin_batch.c). NULL with a sentence. */
json_t *table_read(const char *path, struct fault *f);

/* ---- files that are written (pra-admin_profile.c) ------------------------------------------------- */

/*
 * `profile` and `log export` write as whoever called, so their file is opened before link_open(), which may
 * give up being root, and filled when the answer is there.
 */
struct output_file {
    char *path; /* NULL = standard output */
    int fd;
    bool made; /* by us: removed if nothing comes of it */
    mode_t mode;
};

/* Takes "output" out of the arguments, puts the configured address where no "server" is, and opens
   the file. Returns 0, PRA_EINVAL, PRA_EIO, with a sentence. */
int profile_begin(json_t *args, const struct config *c, struct output_file *out, struct fault *f);
/* Puts the answer's `member` there and takes it out of `result`. Returns 0, PRA_EIO. */
int profile_write(struct output_file *file, json_t *result, const char *member, bool json,
                  struct fault *f);
/* Takes "output" out of the arguments and opens the file, if there is one. Returns 0, PRA_EIO. */
int output_begin(json_t *args, mode_t mode, struct output_file *out, struct fault *f);
/* Replaces its content. Returns 0, PRA_EIO. */
int output_write(struct output_file *file, const char *data, size_t len, struct fault *f);
/* Closes; what was made and not written is removed. */
void output_end(struct output_file *file);

/* ---- log bundles (pra-admin_logs.c) ------------------------------------------------------------- */

#define LOGS_MODE 0600

/*
 * Each asks on its own and leaves what is to be printed as JSON in *result (NULL: it was printed, or there is an
 * error in `f`). Return an enum exit_code; EXIT_FAILED of logs_verify() without a fault: the logs are not whole.
 */
int logs_export(struct link *l, const json_t *args, struct output_file *file, bool json,
                json_t **result, struct fault *f);
int logs_verify(struct link *l, const json_t *args, bool json, json_t **result, struct fault *f);

/* ---- second factors (pra-admin_factor.c) -------------------------------------------------------- */

/* Puts what a person types, or a file holds, into the arguments. Returns 0 or a PRA_E*, with a sentence. */
int factor_read_code(json_t *args, struct fault *f);
/* Returns an exit code. */
int factor_run(const struct cli_command *cmd, json_t *args, bool json, struct link *l);

/* ---- waiting for a mail (pra-admin_mail.c) ------------------------------------------------------ */

/*
 * Waits, at most `seconds`, until the mail has been tried. Gives what mail.list says of it then (new
 * reference), NULL with a sentence when nobody answers any more.
 */
json_t *mail_wait(struct link *l, json_int_t id, long seconds, struct fault *f);
/* Prints what became of it. Returns EXIT_OK if it was sent, EXIT_FAILED. */
int mail_print(const json_t *mail, bool sending);

/* ---- printing (pra-admin_print.c) -------------------------------------------------------------- */

/* Takes a list's rows apart into aligned columns on stdout. */
void print_table(const json_t *rows, const struct cli_column *columns);
void print_details(const json_t *object);
void print_explained(const json_t *answer);
/* "{member}" is replaced by the member's text. */
void print_sentence(FILE *to, const char *sentence, const json_t *object);
/* Text that may come from elsewhere, safe for a terminal. */
void print_safe(FILE *to, const char *text);

#endif
