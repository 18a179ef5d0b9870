/*
 * pra-admin: administers the gateway from a terminal or a script. A thin client: it turns its
 * arguments into one request of admin/, sends it (pra-admin_link.c), and prints the answer. Data
 * goes to stdout, people's text to stderr.
 */
#include "server/pra-admin.h"

#include <errno.h>
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/format.h"
#include "common/jsonl.h"
#include "common/os.h"
#include "keys/sshkey.h"

#define ARGUMENTS_MAX 64
/* Until prad takes a mail out of the queue, behind another one perhaps, and says how it went. */
#define MAIL_PATIENCE_S 15
#define STORE_DIR_MODE  0750

struct cli {
    const char *config_path;
    bool json, help, version, options_ended;
    char *words[ARGUMENTS_MAX]; /* the command and its positionals */
    int word_count;
    const struct cli_command *cmd;
    json_t *args;
    const char *file; /* of key add, batch */
    json_t *batch;    /* its requests */
};

/* ---- reading the command line ------------------------------------------------------------------ */

FORMAT_PRINTF(2, 3) static int usage(const struct cli *cli, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fputs("pra-admin: ", stderr);
    print_safe(stderr, text);
    if (cli->cmd != NULL)
        fprintf(stderr, "; see pra-admin %s --help\n", cli->cmd->words);
    else
        fputs("; see pra-admin --help\n", stderr);
    return EXIT_USAGE;
}

/* A whole number, nothing around it. */
static bool read_number(const char *text, json_t **out)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
        return false;
    *out = json_integer(n);
    return true;
}

static int set_argument(struct cli *cli, const char *name, const char *value, bool number)
{
    json_t *v = NULL;

    if (number) {
        if (!read_number(value, &v))
            return usage(cli, "%s must be a number", name);
    } else {
        v = json_string(value);
        if (v == NULL) {
            fprintf(stderr, "pra-admin: ERR(invalid) %s: is not UTF-8\n", name);
            return EXIT_FAILED;
        }
    }
    json_object_set_new(cli->args, name, v);
    return EXIT_OK;
}

static const struct cli_option *find_option(const struct cli_command *cmd, const char *name,
                                            size_t len)
{
    if (cmd == NULL)
        return NULL;
    for (const struct cli_option *o = cmd->options; o->name != NULL; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return o;
    }
    return NULL;
}

/* Options that every command has. True if `arg` is one; *i moves over its value. */
static bool take_common(struct cli *cli, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];

    if (strcmp(arg, "--json") == 0)
        cli->json = true;
    else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        cli->help = true;
    else if (strcmp(arg, "--version") == 0)
        cli->version = true;
    else if (strcmp(arg, "--config") == 0 && *i + 1 < argc)
        cli->config_path = argv[++*i];
    else if (strncmp(arg, "--config=", 9) == 0)
        cli->config_path = arg + 9;
    else
        return false;
    return true;
}

static int take_option(struct cli *cli, int argc, char **argv, int *i)
{
    const char *name = strcmp(argv[*i], "-o") == 0 ? "output" : argv[*i] + 2, *value;
    size_t len = strcspn(name, "=");
    const struct cli_option *o = find_option(cli->cmd, name, len);

    if (o == NULL)
        return usage(cli, "unknown option %s", argv[*i]);
    if (json_object_get(cli->args, o->name) != NULL)
        return usage(cli, "--%s is given twice", o->name);
    if (o->type == OPTION_FLAG) {
        if (name[len] == '=')
            return usage(cli, "--%s takes no value", o->name);
        json_object_set_new(cli->args, o->name, json_true());
        return EXIT_OK;
    }
    if (name[len] == '=')
        value = name + len + 1;
    else if (*i + 1 < argc)
        value = argv[++*i];
    else
        return usage(cli, "--%s needs a value", o->name);
    return set_argument(cli, o->name, value, o->type == OPTION_NUMBER);
}

/* First pass: the words in front, so that the command's own options are known. */
static void find_command(struct cli *cli, int argc, char **argv, int *used)
{
    char *words[ARGUMENTS_MAX];
    int n = 0;

    for (int i = 1; i < argc && n < ARGUMENTS_MAX && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--config") == 0)
            i++;
        else if (argv[i][0] != '-')
            words[n++] = argv[i];
        else if (!take_common(&(struct cli){0}, argc, argv, &i))
            break;
    }
    cli->cmd = cli_find(n, words, used);
}

static int take_positionals(struct cli *cli, int first)
{
    const struct cli_positional *p = cli->cmd->positionals;
    int i = first;

    for (; p->name != NULL; p++, i++) {
        int rc;

        if (i >= cli->word_count)
            return usage(cli, "%s is missing", p->value);
        if (strcmp(p->name, "file") == 0) {
            cli->file = cli->words[i];
            continue;
        }
        rc = set_argument(cli, p->name, cli->words[i], p->number);
        if (rc != EXIT_OK)
            return rc;
    }
    if (i < cli->word_count)
        return usage(cli, "'%s' is one argument too many", cli->words[i]);
    for (const struct cli_option *o = cli->cmd->options; o->name != NULL; o++) {
        if (o->type == OPTION_NEEDED && json_object_get(cli->args, o->name) == NULL)
            return usage(cli, "--%s is missing", o->name);
    }
    return EXIT_OK;
}

static int parse(struct cli *cli, int argc, char **argv)
{
    int used = 0, rc;

    find_command(cli, argc, argv, &used);
    for (int i = 1; i < argc; i++) {
        bool dashes = !cli->options_ended && argv[i][0] == '-' && argv[i][1] != '\0';

        if (dashes && take_common(cli, argc, argv, &i))
            continue;
        if (dashes && strcmp(argv[i], "--") == 0) {
            cli->options_ended = true;
        } else if (dashes) {
            rc = strncmp(argv[i], "--", 2) == 0 || strcmp(argv[i], "-o") == 0
                     ? take_option(cli, argc, argv, &i)
                     : usage(cli, "unknown option %s", argv[i]);
            if (rc != EXIT_OK)
                return cli->help ? EXIT_OK : rc;
        } else if (cli->word_count == ARGUMENTS_MAX) {
            return usage(cli, "more than %d arguments", ARGUMENTS_MAX);
        } else {
            cli->words[cli->word_count++] = argv[i];
        }
    }
    if (cli->help || cli->version)
        return EXIT_OK;
    if (cli->cmd == NULL) {
        if (cli->word_count == 0)
            return usage(cli, "no command");
        if (used == 0)
            return usage(cli, "'%s' is no command", cli->words[0]);
        cli_help_prefix(stderr, used, cli->words);
        return EXIT_USAGE;
    }
    return take_positionals(cli, used);
}

/* ---- what a command needs beside its arguments -------------------------------------------------- */

/* A public key file becomes the request's key line. */
static int read_key_file(struct cli *cli)
{
    char base64[4 * ((SSHKEY_BLOB_MAX + 2) / 3) + 1];
    struct sshkey_public pub;
    struct fault f = {0};
    json_t *line;

    if (sshkey_parse_file(cli->file, &pub, &f) != 0) {
        fprintf(stderr, "pra-admin: ERR(invalid) %s: ", cli->file);
        print_safe(stderr, f.text);
        fputc('\n', stderr);
        return EXIT_FAILED;
    }
    crypto_base64_encode(pub.blob, pub.blob_len, base64);
    line = json_sprintf("%s %s %s", pub.type, base64, pub.comment);
    if (line == NULL) {
        fprintf(stderr, "pra-admin: ERR(invalid) %s: the comment is not UTF-8\n", cli->file);
        return EXIT_FAILED;
    }
    json_object_set_new(cli->args, "line", line);
    return EXIT_OK;
}

/* The folder of the database, made by init where it is missing, owned by prad's user. */
static int make_folder(const struct config *c, struct fault *f)
{
    struct passwd *pw = NULL;

    if (mkdir(c->store_dir, STORE_DIR_MODE) != 0)
        return errno == EEXIST ? 0 : fault_set(f, PRA_EIO, "%s: %s", c->store_dir, strerror(errno));
    if (geteuid() != 0 || c->user[0] == '\0')
        return 0;
    pw = getpwnam(c->user);
    if (pw == NULL)
        return fault_set(f, PRA_ENOENT, "%s: [gateway] user: there is no user '%s'", c->file,
                         c->user);
    return chown(c->store_dir, pw->pw_uid, pw->pw_gid) == 0
               ? 0
               : fault_set(f, PRA_EIO, "%s: %s", c->store_dir, strerror(errno));
}

/* ---- asking and printing ----------------------------------------------------------------------- */

int cli_failed(const char *code, const char *message)
{
    fprintf(stderr, "pra-admin: ERR(%s) ", code);
    print_safe(stderr, message);
    fputc('\n', stderr);
    return strcmp(code, "not-running") == 0 ? EXIT_NOT_CONNECTED : EXIT_FAILED;
}

/* Does the operation give a list that can be asked for in parts? Its command has an offset then. */
static bool is_list(const json_t *request)
{
    const char *op = json_string_value(json_object_get(request, "op"));

    for (const struct cli_command *cmd = cli_commands; op != NULL && cmd->words != NULL; cmd++) {
        if (cmd->op == NULL || strcmp(cmd->op, op) != 0)
            continue;
        for (const struct cli_option *o = cmd->options; o->name != NULL; o++) {
            if (strcmp(o->name, "offset") == 0)
                return true;
        }
    }
    return false;
}

int cli_ask(struct link *l, const json_t *request, json_t **answer, json_t **result)
{
    struct fault f = {0};
    json_t *warning, *error;
    size_t i;

    *answer = is_list(request) ? link_ask_all(l, request, &f) : link_ask(l, request, &f);
    if (*answer == NULL)
        return cli_failed("no-answer", f.text);
    json_array_foreach(json_object_get(*answer, "warnings"), i, warning)
    {
        fputs("warning: ", stderr);
        print_safe(stderr, json_string_value(warning));
        fputc('\n', stderr);
    }
    *result = json_object_get(*answer, "result");
    if (json_is_true(json_object_get(*answer, "ok")) && *result != NULL)
        return EXIT_OK;
    error = json_object_get(*answer, "error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message = json_string_value(json_object_get(error, "message"));
    return cli_failed(code != NULL ? code : "no-answer",
                      message != NULL ? message : "no reason given");
}

void cli_print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}

/* Changes of several things at once (one key, several users) answer with a list. */
static void print_done(const struct cli *cli, const json_t *result)
{
    size_t i;
    json_t *one;

    if (!json_is_array(result)) {
        print_sentence(stderr, cli->cmd->sentence, result);
        return;
    }
    json_array_foreach(result, i, one) print_sentence(stderr, cli->cmd->sentence, one);
}

static int run_simple(struct cli *cli, struct link *l)
{
    json_t *request = json_pack("{s:s, s:O}", "op", cli->cmd->op, "args", cli->args);
    json_t *answer = NULL, *result = NULL;
    int rc = cli_ask(l, request, &answer, &result);
    const char *text;

    text = json_string_value(json_object_get(result, "text"));
    if (rc == EXIT_OK && cli->cmd->style == STYLE_REPORT && text != NULL && !cli->json)
        fputs(text, stdout);
    else if (rc == EXIT_OK && (cli->json || cli->cmd->style == STYLE_REPORT))
        cli_print_json(result);
    else if (rc == EXIT_OK && cli->cmd->style == STYLE_TABLE)
        print_table(result, cli->cmd->columns);
    else if (rc == EXIT_OK && cli->cmd->style == STYLE_DETAILS)
        print_details(result);
    else if (rc == EXIT_OK)
        print_done(cli, result);
    json_decref(answer);
    json_decref(request);
    return rc;
}

/* The operation judges by policy alone; whether name and target answer is tried from here. */
static int run_explain(struct cli *cli, struct link *l, const struct probe *p)
{
    json_t *request = json_pack("{s:s, s:O}", "op", cli->cmd->op, "args", cli->args);
    json_t *answer = NULL, *result = NULL;
    int rc = cli_ask(l, request, &answer, &result);

    if (rc == EXIT_OK)
        probe_connect(p, result);
    if (rc == EXIT_OK && cli->json)
        cli_print_json(result);
    else if (rc == EXIT_OK)
        print_explained(result);
    json_decref(answer);
    json_decref(request);
    return rc;
}

static int run_profile(struct cli *cli, struct link *l, struct output_file *file)
{
    json_t *request = json_pack("{s:s, s:O}", "op", cli->cmd->op, "args", cli->args);
    json_t *answer = NULL, *result = NULL;
    struct fault f = {0};
    int rc = cli_ask(l, request, &answer, &result);

    if (rc == EXIT_OK && profile_write(file, result, "text", cli->json, &f) != 0)
        rc = cli_failed("output", f.text);
    if (rc == EXIT_OK && cli->json)
        cli_print_json(result);
    else if (rc == EXIT_OK && file->path != NULL)
        print_sentence(stderr, "profile of {user} for {server} written to {file}", result);
    json_decref(answer);
    json_decref(request);
    return rc;
}

/* With prad there the answer of the mail server is waited for; otherwise it is in the queue. */
static int run_mail(struct cli *cli, struct link *l, const struct config *c)
{
    bool wait = link_to_prad(l) && json_object_get(cli->args, "no-wait") == NULL;
    json_t *request, *answer = NULL, *result = NULL, *mail = NULL;
    struct fault f = {0};
    int rc;

    json_object_del(cli->args, "no-wait");
    request = json_pack("{s:s, s:O}", "op", cli->cmd->op, "args", cli->args);
    rc = cli_ask(l, request, &answer, &result);
    if (rc == EXIT_OK && wait) {
        mail = mail_wait(l, json_integer_value(json_object_get(result, "id")),
                         c->mail_timeout + MAIL_PATIENCE_S, &f);
        if (mail == NULL)
            rc = cli_failed("no-answer", f.text);
    }
    if (rc == EXIT_OK && cli->json)
        cli_print_json(mail != NULL ? mail : result);
    if (rc == EXIT_OK)
        rc = mail_print(mail != NULL ? mail : result, wait);
    json_decref(mail);
    json_decref(answer);
    json_decref(request);
    return rc;
}

static int run_logs(struct cli *cli, struct link *l, struct output_file *file)
{
    json_t *result = NULL;
    struct fault f = {0};
    int rc = cli->cmd->style == STYLE_EXPORT
                 ? logs_export(l, cli->args, file, cli->json, &result, &f)
                 : logs_verify(l, cli->args, cli->json, &result, &f);

    if (result != NULL)
        cli_print_json(result);
    json_decref(result);
    return f.text[0] != '\0' ? cli_failed("log", f.text) : rc;
}

/* ---- batches ----------------------------------------------------------------------------------- */

static int run_batch(struct cli *cli, struct link *l)
{
    json_t *request = json_pack("{s:O}", "batch", cli->batch), *answer = NULL, *result = NULL;
    int rc = cli_ask(l, request, &answer, &result);

    if (rc == EXIT_OK && cli->json)
        cli_print_json(result);
    else if (rc == EXIT_OK)
        fprintf(stderr, "%zu changes made\n", json_array_size(result));
    json_decref(answer);
    json_decref(request);
    return rc;
}

/* ---- main -------------------------------------------------------------------------------------- */

static int run(struct cli *cli)
{
    bool init = strcmp(cli->cmd->words, "init") == 0;
    struct output_file file = {.fd = -1};
    struct config *c = calloc(1, sizeof(*c));
    struct link *l = NULL;
    struct probe probe = {0};
    struct fault f = {0};
    int rc = EXIT_OK;

    if (c == NULL)
        return cli_failed("internal", "no memory");
    if (config_load(cli->config_path, c, &f) != 0)
        rc = cli_failed("config", f.text);
    /* Files are read as whoever called us, before link_open() may give up being root. */
    if (rc == EXIT_OK && strcmp(cli->cmd->words, "key add") == 0)
        rc = read_key_file(cli);
    if (rc == EXIT_OK && cli->cmd->style == STYLE_BATCH) {
        cli->batch = batch_read(cli->file, &f);
        if (cli->batch == NULL)
            rc = cli_failed("invalid", f.text);
    }
    if (rc == EXIT_OK && cli->cmd->style == STYLE_PROFILE &&
        profile_begin(cli->args, c, &file, &f) != 0)
        rc = cli_failed(f.code == PRA_EINVAL ? "invalid" : "output", f.text);
    if (rc == EXIT_OK && cli->cmd->style == STYLE_EXPORT &&
        output_begin(cli->args, LOGS_MODE, &file, &f) != 0)
        rc = cli_failed("output", f.text);
    if (rc == EXIT_OK && cli->cmd->style == STYLE_SAVE &&
        output_begin(cli->args, TABLE_MODE, &file, &f) != 0)
        rc = cli_failed("output", f.text);
    if (rc == EXIT_OK && cli->cmd->style == STYLE_LOAD) {
        json_t *table = table_read(cli->file, &f);

        if (table == NULL)
            rc = cli_failed("invalid", f.text);
        else
            json_object_set_new(cli->args, "csv", table);
    }
    if (rc == EXIT_OK && cli->cmd->style == STYLE_CONFIRM && factor_read_code(cli->args, &f) != 0)
        rc = cli_failed("invalid", f.text);
    if (rc == EXIT_OK && init && make_folder(c, &f) != 0)
        rc = cli_failed("store", f.text);
    /* Before link_open(), which may take the store's lock: a name server can be slow. */
    if (rc == EXIT_OK && cli->cmd->style == STYLE_EXPLAIN)
        probe_resolve(cli->args, &probe);
    if (rc == EXIT_OK && link_open(c, init, &l, &f) != 0)
        rc = cli_failed(f.code == PRA_EBUSY ? "busy" : "store", f.text);
    if (rc == EXIT_OK) {
        if (cli->cmd->style == STYLE_BATCH)
            rc = run_batch(cli, l);
        else if (cli->cmd->style == STYLE_AUDIT)
            rc = audit_print(l, cli->args, cli->json, cli->cmd->columns);
        else if (cli->cmd->style == STYLE_RECORDS)
            rc = audit_export(l, cli->args);
        else if (cli->cmd->style == STYLE_EXPLAIN)
            rc = run_explain(cli, l, &probe);
        else if (cli->cmd->style == STYLE_PROFILE)
            rc = run_profile(cli, l, &file);
        else if (cli->cmd->style == STYLE_MAIL)
            rc = run_mail(cli, l, c);
        else if (cli->cmd->style == STYLE_EXPORT || cli->cmd->style == STYLE_VERIFY)
            rc = run_logs(cli, l, &file);
        else if (cli->cmd->style == STYLE_SAVE)
            rc = table_export(cli->cmd, cli->args, cli->json, l, &file);
        else if (cli->cmd->style == STYLE_LOAD)
            rc = table_import(cli->cmd, cli->args, cli->json, l);
        else if (cli->cmd->style == STYLE_FACTOR || cli->cmd->style == STYLE_CONFIRM)
            rc = factor_run(cli->cmd, cli->args, cli->json, l);
        else
            rc = run_simple(cli, l);
    }
    link_close(l);
    output_end(&file);
    free(c);
    if (fflush(stdout) != 0 || ferror(stdout))
        rc = cli_failed("output", strerror(errno));
    return rc;
}

int main(int argc, char **argv)
{
    struct cli cli = {.config_path = CONFIG_DEFAULT_PATH, .args = json_object()};
    int rc;

    os_process_harden();
    setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of letters only */
    rc = parse(&cli, argc, argv);
    if (rc == EXIT_OK && cli.version)
        puts("pra-admin " PRA_VERSION);
    else if (rc == EXIT_OK && cli.help && cli.cmd != NULL)
        cli_help_command(stdout, cli.cmd);
    else if (rc == EXIT_OK && cli.help && cli.word_count > 0)
        cli_help_prefix(stdout, cli.word_count, cli.words);
    else if (rc == EXIT_OK && cli.help)
        cli_help_all(stdout);
    else if (rc == EXIT_OK)
        rc = run(&cli);
    json_decref(cli.args);
    json_decref(cli.batch);
    return rc;
}
