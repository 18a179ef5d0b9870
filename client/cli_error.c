/*
 * How `pra` says that something failed: a sentence with the place for local trouble, and code,
 * cause and remedy of common/msg.def for what an employee meets (A14). All of it goes to stderr.
 */
#include "client/cli.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli_text.h"
#include "client/problem.h"

int cli_fail(const char *what, const struct fault *f)
{
    char clean[FAULT_TEXT_MAX];

    if (f != NULL && f->text[0] != '\0')
        fprintf(stderr, "pra: %s: %s\n", what, text_clean(clean, sizeof(clean), f->text));
    else
        fprintf(stderr, "pra: %s\n", what);
    return CLI_FAILED;
}

static void print_labelled(FILE *to, const char *label, const char *text)
{
    char clean[MSG_TEXT_MAX];

    if (text[0] == '\0')
        return;
    fprintf(to, "  %s", label);
    text_wrapped(to, 2 + text_width(label), text_clean(clean, sizeof(clean), text));
}

void cli_print_message(FILE *to, const char *code, const char *title, const char *cause,
                       const char *remedy)
{
    char line[MSG_TEXT_MAX], clean[MSG_TEXT_MAX];
    bool warning = strncmp(code, "WAR", 3) == 0;

    if (code[0] == '\0') { /* an answer to a question that has no code of its own */
        fprintf(to, "pra: %s\n", text_clean(clean, sizeof(clean), title));
        return;
    }
    snprintf(line, sizeof(line), "%s %s", code, title);
    text_styled(to, warning ? TEXT_WARN : TEXT_BAD, text_clean(clean, sizeof(clean), line));
    fputc('\n', to);
    print_labelled(to, tr("Cause:  ", "原因: "), cause);
    print_labelled(to, tr("Remedy: ", "対処: "), remedy);
}

int cli_fail_msg(enum msg_id id, const struct msg_args *args)
{
    struct msg_text text;

    msg_format(id, i18n_lang(), args, &text);
    cli_print_message(stderr, text.code, text.title, text.cause, text.remedy);
    return CLI_FAILED;
}

static const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Formats an error object anew in this language. False when its `id` is missing or unknown. */
static bool translate(const json_t *error, struct msg_text *out)
{
    struct msg_args values;
    enum msg_id id = problem_read(error, &values);

    if (id == MSG_NONE)
        return false;
    msg_format(id, i18n_lang(), &values, out);
    return true;
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

void cli_print_error(FILE *to, const json_t *error)
{
    struct msg_text text;

    if (translate(error, &text))
        cli_print_message(to, text.code, text.title, text.cause, text.remedy);
    else
        cli_print_message(to, or_empty(member(error, "code")), or_empty(member(error, "message")),
                          or_empty(member(error, "cause")), or_empty(member(error, "remedy")));
}

int cli_fail_error(const json_t *error)
{
    if (!json_is_object(error))
        return cli_fail(tr("the agent gave no reason", "エージェントが理由を返しませんでした"),
                        NULL);
    cli_print_error(stderr, error);
    return CLI_FAILED;
}

json_t *cli_error_json(const json_t *error)
{
    struct msg_text text;

    if (!json_is_object(error))
        return NULL;
    if (translate(error, &text))
        return json_pack("{s:s, s:s, s:s, s:s}", "code", text.code, "message", text.title, "cause",
                         text.cause, "remedy", text.remedy);
    return json_pack("{s:s, s:s, s:s, s:s}", "code", or_empty(member(error, "code")), "message",
                     or_empty(member(error, "message")), "cause", or_empty(member(error, "cause")),
                     "remedy", or_empty(member(error, "remedy")));
}

int cli_print_json(const json_t *doc)
{
    char *text = json_dumps(doc, JSON_INDENT(2));

    if (text == NULL)
        return cli_fail(tr("out of memory", "メモリが足りません"), NULL);
    puts(text);
    free(text);
    return CLI_OK;
}
