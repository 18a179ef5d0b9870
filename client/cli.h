/*
 * What the subcommands of `pra` share: the description of a command (from which parsing, `--help`
 * and the list of commands are made), exit codes, and how results and errors are put on a
 * terminal. Text that a gateway or another program chose passes text_clean() before it is printed.
 */
#ifndef PRA_CLIENT_CLI_H
#define PRA_CLIENT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "common/err.h"
#include "common/format.h"
#include "common/i18n.h"
#include "common/msg.h"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_NOT_CONNECTED = 3 };

/* Text in both languages; the index is enum i18n_lang. */
#define CLI_LANGS 2

struct cli_option {
    const char *name;            /* long name without dashes */
    char letter;                 /* short form, 0 = none */
    const char *argument;        /* "FILE"; NULL = a flag */
    const char *help[CLI_LANGS]; /* one line */
};

struct cli_command {
    const char *name;     /* one or two words: "server set" */
    const char *synopsis; /* what follows the name, "" = nothing */
    const char *summary[CLI_LANGS];
    const char *about[CLI_LANGS];     /* a few sentences, lines broken by hand */
    const struct cli_option *options; /* ends with name NULL; --help and --version are implied */
    int min_operands, max_operands;
    const char *example; /* one command line without the "pra " in front */
    bool hidden;         /* not in the list of commands */
    /* argv[0] is the first word of the name; returns an enum cli_exit. */
    int (*run)(int argc, char **argv);
};

#define CLI_OPTIONS_MAX 12

/* value[i] belongs to options[i]: its argument, "" for a flag that was given, NULL if absent. */
struct cli_args {
    const char *value[CLI_OPTIONS_MAX];
    int count; /* operands */
    char **operand;
};

/* Commands that live in files of their own; the table of all is cli_commands(). */
extern const struct cli_command cli_server_set, cli_server_show, cli_profile_import;
extern const struct cli_command cli_keygen_command, cli_key_export, cli_key_show;
extern const struct cli_command cli_connect, cli_disconnect, cli_agent;
extern const struct cli_command cli_status, cli_rules, cli_explain;
extern const struct cli_command cli_check, cli_log_collect, cli_log_send, cli_errors, cli_pac,
    cli_enroll;

/* NULL-terminated, in the order of `pra --help`. */
const struct cli_command *const *cli_commands(void);

/* All of `pra`: finds the command and runs it. Returns the process's exit code. */
int cli_main(int argc, char **argv);

/*
 * Parses the options and operands of `c` (argv[0] is the first word of its name). Returns
 * CLI_GO_ON when the command shall run, or the exit code after --help, --version or a usage error
 * that has been reported.
 */
#define CLI_GO_ON (-1)
int cli_parse(const struct cli_command *c, int argc, char **argv, struct cli_args *out);

/* Reports a wrong argument and where help is; returns CLI_USAGE. `c` may be NULL. */
int cli_usage(const struct cli_command *c, const char *fmt, ...) FORMAT_PRINTF(2, 3);

void cli_help(const struct cli_command *c, FILE *to);
void cli_help_all(FILE *to);

/* The closest of `words` (NULL-terminated) to `word` for "did you mean", or NULL. */
const char *cli_nearest(const char *word, const char *const *words);

/* Prints `pra: what: the fault's sentence` (`what` in this language, the sentence is English and
   names places; `f` may be NULL); returns CLI_FAILED. */
int cli_fail(const char *what, const struct fault *f);

/* Prints code and title, cause and remedy on lines of their own; returns CLI_FAILED. */
int cli_fail_msg(enum msg_id id, const struct msg_args *args);

/*
 * The same for an error object of the agent. Its `id` and `args` are put into the language of this
 * terminal; without them its own words are shown.
 */
int cli_fail_error(const json_t *error);
void cli_print_error(FILE *to, const json_t *error);
void cli_print_message(FILE *to, const char *code, const char *title, const char *cause,
                       const char *remedy);

/* An error object as the contract has it ({"code","message","cause","remedy"}) in this language.
   New reference; NULL for null or absent. */
json_t *cli_error_json(const json_t *error);

/* Prints a JSON document with a newline on stdout. Returns CLI_OK, CLI_FAILED. */
int cli_print_json(const json_t *doc);

#endif
