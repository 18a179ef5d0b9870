/*
 * Prints the table of people's messages (common/msg.def) as Markdown, one foldable piece for each
 * code, for the list in README.md.
 * Built and run by packaging/check/messages.sh; part of no program.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *code, *title_en, *title_ja, *cause_en, *cause_ja, *remedy_en, *remedy_ja;
};

static const struct row rows[] = {
#define MSG(id, ...) {__VA_ARGS__},
#include "common/msg.def"
#undef MSG
};

static const struct {
    const char *word, *command_en, *command_ja, *window_en, *window_ja;
} deeds[] = {
#define MSG_DO(...) {__VA_ARGS__},
#include "common/msg_do.def"
#undef MSG_DO
};

/* The command that the place-holder at `text` stands for, and behind it in *end; NULL if it is none. */
static const char *command_at(const char *text, bool ja, const char **end)
{
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        size_t len = strlen(deeds[i].word);

        if (text[0] == '{' && strncmp(text + 1, deeds[i].word, len) == 0 && text[1 + len] == '}') {
            *end = text + len + 2;
            return ja ? deeds[i].command_ja : deeds[i].command_en;
        }
    }
    return NULL;
}

/* One cell; place-holders stand as code, so that "{port}" is seen to be one, and deeds as commands. */
static void cell(const char *text, bool ja)
{
    for (; *text != '\0'; text++) {
        const char *end, *command = command_at(text, ja, &end);

        if (command != NULL) {
            cell(command, ja);
            text = end - 1;
            continue;
        }
        if (*text == '|' || *text == '<')
            putchar('\\');
        if (*text == '{')
            putchar('`');
        putchar(*text);
        if (*text == '}')
            putchar('`');
    }
}

static void both(const char *en, const char *ja)
{
    cell(en, false);
    fputs("<br>", stdout);
    cell(ja, true);
    fputs(" | ", stdout);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];

        if (i == 0 || strcmp(r->code, rows[i - 1].code) != 0) {
            printf("%s<details><summary><code>%s</code> %s / %s</summary>\n\n",
                   i == 0 ? "" : "\n</details>\n", r->code, r->title_en, r->title_ja);
            puts("| cause found | what to do |\n|---|---|");
        }
        fputs("| ", stdout);
        both(r->cause_en, r->cause_ja);
        cell(r->remedy_en, false);
        fputs("<br>", stdout);
        cell(r->remedy_ja, true);
        puts(" |");
    }
    puts("\n</details>");
    return ferror(stdout) || fflush(stdout) != 0;
}
