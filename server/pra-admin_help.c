/* Finding a command of pra-admin, and its help. */
#include "server/pra-admin.h"

#include <string.h>

/* ---- finding ----------------------------------------------------------------------------------- */

/* How many of argv's words are the first words of `words`; *whole if they are all of them. */
static int match(const char *words, int argc, char **argv, bool *whole)
{
    int n = 0;

    *whole = false;
    while (n < argc) {
        size_t len = strcspn(words, " ");

        if (strlen(argv[n]) != len || strncmp(words, argv[n], len) != 0)
            return n;
        n++;
        if (words[len] == '\0') {
            *whole = true;
            return n;
        }
        words += len + 1;
    }
    return n;
}

const struct cli_command *cli_find(int argc, char **argv, int *used)
{
    int best = 0;

    for (const struct cli_command *cmd = cli_commands; cmd->words != NULL; cmd++) {
        bool whole;
        int n = match(cmd->words, argc, argv, &whole);

        if (whole) {
            *used = n;
            return cmd;
        }
        if (n > best)
            best = n;
    }
    *used = best;
    return NULL;
}

/* ---- help -------------------------------------------------------------------------------------- */

static void print_usage(FILE *to, const struct cli_command *cmd)
{
    fprintf(to, "pra-admin %s", cmd->words);
    for (const struct cli_positional *p = cmd->positionals; p->name != NULL; p++)
        fprintf(to, " %s", p->value);
}

static const char common_options[] =
    "  --config FILE        configuration (default " CONFIG_DEFAULT_PATH ")\n"
    "  --json               print JSON\n"
    "  --help, --version\n";

void cli_help_prefix(FILE *to, int argc, char **argv)
{
    fputs("Commands:\n", to);
    for (const struct cli_command *cmd = cli_commands; cmd->words != NULL; cmd++) {
        bool whole;
        int n = match(cmd->words, argc, argv, &whole);
        long start;

        if (n < argc)
            continue;
        start = 2 + (long)strlen("pra-admin ") + (long)strlen(cmd->words);
        fputs("  ", to);
        print_usage(to, cmd);
        for (const struct cli_positional *p = cmd->positionals; p->name != NULL; p++)
            start += 1 + (long)strlen(p->value);
        fprintf(to, "%*s%s\n", start <= 42 ? (int)(44 - start) : 2, "", cmd->summary);
    }
}

void cli_help_all(FILE *to)
{
    fputs("Usage: pra-admin [--config FILE] COMMAND [OPTIONS]\n"
          "Administers a PRA gateway: through prad if it runs, else on its database directly.\n\n",
          to);
    cli_help_prefix(to, 0, NULL);
    fprintf(to,
            "\nOptions of every command:\n%s\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 "
            "prad is not running.\n",
            common_options);
}

void cli_help_command(FILE *to, const struct cli_command *cmd)
{
    fputs("Usage: ", to);
    print_usage(to, cmd);
    for (const struct cli_option *o = cmd->options; o->name != NULL; o++) {
        if (o->type == OPTION_NEEDED)
            fprintf(to, " --%s %s", o->name, o->value);
    }
    fprintf(to, "%s\n%s.\n\nOptions:\n", cmd->options[0].name != NULL ? " [OPTIONS]" : "",
            cmd->summary);
    for (const struct cli_option *o = cmd->options; o->name != NULL; o++) {
        int n = fprintf(to, "  --%s%s%s", o->name, o->value != NULL ? " " : "",
                        o->value != NULL ? o->value : "");

        fprintf(to, "%*s%s\n", n < 23 ? 23 - n : 2, "", o->help);
    }
    fprintf(to, "%s\nExample:\n  %s\n", common_options, cmd->example);
}
