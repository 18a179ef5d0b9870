/*
 * The frame of `pra`: finds the command, parses its options from its table and prints its help.
 * What the commands do is in the cli_*.c files named after them. Single-threaded.
 */
#include "client/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli_text.h"

/* getopt's value of options[i]; above every letter. */
#define OPTION_BASE    1000
#define OPTION_HELP    (OPTION_BASE - 1)
#define OPTION_VERSION (OPTION_BASE - 2)
#define WORD_MAX       64

static const struct cli_command *const commands[] = {
    &cli_server_set,
    &cli_server_show,
    &cli_profile_import,
    &cli_keygen_command,
    &cli_key_export,
    &cli_key_show,
    &cli_enroll,
    &cli_connect,
    &cli_disconnect,
    &cli_status,
    &cli_rules,
    &cli_explain,
    &cli_check,
    &cli_log_collect,
    &cli_log_send,
    &cli_pac,
    &cli_errors,
    &cli_agent,
    NULL,
};

const struct cli_command *const *cli_commands(void)
{
    return commands;
}

/* How many words of argv begin a command of that name: 0, 1 or 2. `whole` tells if all did. */
static int words_matching(const struct cli_command *c, int argc, char **argv, bool *whole)
{
    const char *blank = strchr(c->name, ' ');
    size_t first = blank != NULL ? (size_t)(blank - c->name) : strlen(c->name);

    *whole = false;
    if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], c->name, first) != 0)
        return 0;
    if (blank == NULL) {
        *whole = true;
        return 1;
    }
    if (argc < 2 || strcmp(argv[1], blank + 1) != 0)
        return 1;
    *whole = true;
    return 2;
}

/* The command that argv begins with, or NULL; *partly is set when only its first word is one. */
static const struct cli_command *find_command(int argc, char **argv, bool *partly)
{
    *partly = false;
    for (size_t i = 0; commands[i] != NULL; i++) {
        bool whole;

        if (words_matching(commands[i], argc, argv, &whole) == 0)
            continue;
        if (whole)
            return commands[i];
        *partly = true;
    }
    return NULL;
}

/* Levenshtein distance; words longer than WORD_MAX are far from everything. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b);

    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t swap = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            diagonal = row[j];
            row[j] = swap < best ? swap : best;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t least = (strlen(word) + 1) / 3;

    for (; *words != NULL; words++) {
        size_t d = distance(word, *words);
        bool begins = strlen(word) >= 2 && strncmp(word, *words, strlen(word)) == 0;

        if (begins)
            d = 0;
        if (d <= least) {
            least = d;
            best = *words;
        }
    }
    return best;
}

int cli_usage(const struct cli_command *c, const char *fmt, ...)
{
    char raw[FAULT_TEXT_MAX], clean[FAULT_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    fprintf(stderr, "pra%s%s: %s\n", c != NULL ? " " : "", c != NULL ? c->name : "",
            text_clean(clean, sizeof(clean), raw));
    if (c != NULL)
        fprintf(stderr, "%s: pra %s%s%s\n%s: pra %s --help\n", tr("Usage", "使い方"), c->name,
                c->synopsis[0] != '\0' ? " " : "", c->synopsis, tr("More", "詳しくは"), c->name);
    else
        fprintf(stderr, "%s: pra --help\n", tr("More", "詳しくは"));
    return CLI_USAGE;
}

static void print_option(struct table *t, char letter, const char *name, const char *argument,
                         const char *help)
{
    char left[2 * WORD_MAX], prefix[8] = "    ";

    if (letter != 0)
        snprintf(prefix, sizeof(prefix), "-%c, ", letter);
    snprintf(left, sizeof(left), "%s--%s%s%s", prefix, name, argument != NULL ? " " : "",
             argument != NULL ? argument : "");
    table_row(t, TEXT_PLAIN, (const char *const[]){left, help});
}

void cli_help(const struct cli_command *c, FILE *to)
{
    struct table *t = table_new(2);
    int lang = (int)i18n_lang();

    fprintf(to, "%s: pra %s%s%s\n\n%s\n\n%s:\n", tr("Usage", "使い方"), c->name,
            c->synopsis[0] != '\0' ? " " : "", c->synopsis, c->about[lang],
            tr("Options", "オプション"));
    for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
        print_option(t, o->letter, o->name, o->argument, o->help[lang]);
    print_option(t, 'h', "help", NULL, tr("this text", "この説明を表示します"));
    print_option(t, 0, "version", NULL, tr("the version of PRA", "PRA の版を表示します"));
    table_print(t, to, 2);
    table_free(t);
    if (c->example != NULL)
        fprintf(to, "\n%s:\n  pra %s\n", tr("Example", "例"), c->example);
}

void cli_help_all(FILE *to)
{
    struct table *t = table_new(2);

    fprintf(
        to, "%s\n\n%s: pra %s\n\n%s:\n",
        tr("PRA " PRA_VERSION ": the company's servers on ports of this PC, through one secure "
           "connection.",
           "PRA " PRA_VERSION
           ": 会社のサーバを、一本の安全な接続を通して、この PC のポートで使えるようにします。"),
        tr("Usage", "使い方"), tr("COMMAND [OPTIONS]", "コマンド [オプション]"),
        tr("Commands", "コマンド"));
    for (size_t i = 0; commands[i] != NULL; i++)
        if (!commands[i]->hidden)
            table_row(t, TEXT_PLAIN,
                      (const char *const[]){commands[i]->name, commands[i]->summary[i18n_lang()]});
    table_print(t, to, 2);
    table_free(t);
    fprintf(
        to, "\n%s\n",
        tr("'pra COMMAND --help' explains a command. Exit codes: 0 done, 1 failed, 2 wrong "
           "arguments,\n3 not connected.",
           "各コマンドの説明は「pra コマンド --help」で表示されます。終了コード: 0 成功、1 失敗、\n"
           "2 引数の誤り、3 未接続。"));
}

/* Which option of `c` getopt's value stands for, or -1. */
static int option_index(const struct cli_command *c, int value)
{
    if (value >= OPTION_BASE)
        return value - OPTION_BASE;
    for (int i = 0; c->options != NULL && c->options[i].name != NULL; i++)
        if (c->options[i].letter == value)
            return i;
    return -1;
}

/* Says what was wrong with the option that getopt stopped at. */
static int bad_option(const struct cli_command *c, int answer, char **argv)
{
    const char *names[CLI_OPTIONS_MAX + 3] = {"help", "version"}, *near, *word = argv[optind - 1];
    int i = optopt != 0 ? option_index(c, optopt) : -1;
    char name[WORD_MAX + 1];

    if (answer == ':')
        return cli_usage(
            c, tr("option '%s' needs a value: %s", "オプション '%s' には値が必要です: %s"), word,
            i >= 0 ? c->options[i].argument : "?");
    if (strncmp(word, "--", 2) != 0)
        return cli_usage(c, tr("unknown option '-%c'", "オプション '-%c' はありません"), optopt);
    if (optopt != 0)
        return cli_usage(c, tr("option '%s' takes no value", "オプション '%s' は値を取りません"),
                         word);
    for (int n = 0; c->options != NULL && c->options[n].name != NULL; n++)
        names[n + 2] = c->options[n].name;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    near = cli_nearest(name, names);
    if (near == NULL)
        return cli_usage(c, tr("unknown option '%s'", "オプション '%s' はありません"), word);
    return cli_usage(c,
                     tr("unknown option '%s'; did you mean '--%s'?",
                        "オプション '%s' はありません。'--%s' のことでしょうか。"),
                     word, near);
}

/* Fills in getopt's two tables from the command's. */
static void make_getopt_tables(const struct cli_command *c, struct option *longs, char *shorts)
{
    size_t n = 0;

    *shorts++ = ':';
    *shorts++ = 'h';
    for (; c->options != NULL && c->options[n].name != NULL && n < CLI_OPTIONS_MAX; n++) {
        const struct cli_option *o = &c->options[n];

        longs[n] = (struct option){o->name, o->argument != NULL, NULL, OPTION_BASE + (int)n};
        if (o->letter != 0)
            *shorts++ = o->letter;
        if (o->letter != 0 && o->argument != NULL)
            *shorts++ = ':';
    }
    *shorts = '\0';
    longs[n++] = (struct option){"help", 0, NULL, OPTION_HELP};
    longs[n++] = (struct option){"version", 0, NULL, OPTION_VERSION};
    longs[n] = (struct option){NULL, 0, NULL, 0};
}

int cli_parse(const struct cli_command *c, int argc, char **argv, struct cli_args *out)
{
    struct option longs[CLI_OPTIONS_MAX + 3];
    char shorts[2 * CLI_OPTIONS_MAX + 4];
    int answer, skip = strchr(c->name, ' ') != NULL ? 1 : 0;

    memset(out, 0, sizeof(*out));
    make_getopt_tables(c, longs, shorts);
    argc -= skip;
    argv += skip;
    opterr = 0;
    optind = 0; /* glibc: start anew, forget an earlier scan */
    while ((answer = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        int i;

        if (answer == 'h' || answer == OPTION_HELP) {
            cli_help(c, stdout);
            return CLI_OK;
        }
        if (answer == OPTION_VERSION) {
            printf("pra %s\n", PRA_VERSION);
            return CLI_OK;
        }
        if (answer == '?' || answer == ':')
            return bad_option(c, answer, argv);
        i = option_index(c, answer);
        if (out->value[i] != NULL)
            return cli_usage(
                c, tr("option '--%s' is given twice", "オプション '--%s' が二度指定されています"),
                c->options[i].name);
        out->value[i] = optarg != NULL ? optarg : "";
    }
    out->operand = argv + optind;
    out->count = argc - optind;
    if (out->count > c->max_operands)
        return cli_usage(c, tr("unexpected argument '%s'", "余分な引数 '%s' があります"),
                         out->operand[c->max_operands]);
    if (out->count < c->min_operands)
        return cli_usage(c, "%s", tr("an argument is missing", "引数が足りません"));
    return CLI_GO_ON;
}

/* `pra server`: names the commands that begin with this word. Returns `code`. */
static int show_group(const char *word, FILE *to, int code)
{
    size_t len = strlen(word);

    fprintf(to, "pra %s: %s\n", word,
            tr("one of these commands is meant:", "次のいずれかを指定してください:"));
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strncmp(commands[i]->name, word, len) == 0 && commands[i]->name[len] == ' ')
            fprintf(to, "  pra %s %s\n", commands[i]->name, commands[i]->synopsis);
    return code;
}

static int unknown_command(const char *word)
{
    const char *names[sizeof(commands) / sizeof(commands[0]) + 1], *near;
    char firsts[sizeof(commands) / sizeof(commands[0])][WORD_MAX];
    size_t n = 0;

    for (size_t i = 0; commands[i] != NULL; i++) {
        if (commands[i]->hidden)
            continue;
        snprintf(firsts[n], WORD_MAX, "%.*s", (int)strcspn(commands[i]->name, " "),
                 commands[i]->name);
        names[n] = firsts[n];
        n++;
    }
    names[n++] = "help";
    names[n] = NULL;
    near = cli_nearest(word, names);
    if (near == NULL)
        return cli_usage(NULL, tr("unknown command '%s'", "コマンド '%s' はありません"), word);
    return cli_usage(NULL,
                     tr("unknown command '%s'; did you mean 'pra %s'?",
                        "コマンド '%s' はありません。'pra %s' のことでしょうか。"),
                     word, near);
}

static int run_help(int argc, char **argv)
{
    bool partly;
    const struct cli_command *c = find_command(argc, argv, &partly);

    if (argc == 0) {
        cli_help_all(stdout);
        return CLI_OK;
    }
    if (c != NULL) {
        cli_help(c, stdout);
        return CLI_OK;
    }
    return partly ? show_group(argv[0], stdout, CLI_OK) : unknown_command(argv[0]);
}

int cli_main(int argc, char **argv)
{
    const struct cli_command *c;
    bool partly;

    if (argc < 2) {
        cli_help_all(stderr);
        return CLI_USAGE;
    }
    argc--;
    argv++;
    if (strcmp(argv[0], "--version") == 0 || strcmp(argv[0], "version") == 0) {
        printf("pra %s\n", PRA_VERSION);
        return CLI_OK;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        return run_help(argc - 1, argv + 1);
    if (strcmp(argv[0], "help") == 0)
        return run_help(argc - 1, argv + 1);
    c = find_command(argc, argv, &partly);
    if (c != NULL)
        return c->run(argc, argv);
    if (!partly)
        return unknown_command(argv[0]);
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return show_group(argv[0], stdout, CLI_OK);
    return show_group(argv[0], stderr, CLI_USAGE);
}
