/*
 * Prints the table of people's messages (common/msg.def) as Markdown, one foldable piece for each
 * code, for the list in README.md.
 * Built and run by packaging/check/messages.sh; part of no program.
 */
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

/* One cell; place-holders stand as code, so that "{port}" is seen to be one. */
static void cell(const char *text)
{
    for (; *text != '\0'; text++) {
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
    cell(en);
    fputs("<br>", stdout);
    cell(ja);
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
        cell(r->remedy_en);
        fputs("<br>", stdout);
        cell(r->remedy_ja);
        puts(" |");
    }
    puts("\n</details>");
    return ferror(stdout) || fflush(stdout) != 0;
}
