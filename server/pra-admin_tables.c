/* Tables that go out and come in: `export` and `import` of users and rules; see pra-admin.h. */
#include "server/pra-admin.h"

int table_export(const struct cli_command *cmd, json_t *args, bool json, struct link *l,
                 struct output_file *file)
{
    json_t *request = json_pack("{s:s, s:O}", "op", cmd->op, "args", args);
    json_t *answer = NULL, *result = NULL;
    struct fault f = {0};
    int rc = cli_ask(l, request, &answer, &result);

    if (rc == EXIT_OK && profile_write(file, result, "csv", json, &f) != 0)
        rc = cli_failed("output", f.text);
    if (rc == EXIT_OK && json)
        cli_print_json(result);
    else if (rc == EXIT_OK && file->path != NULL)
        print_sentence(stderr, "{rows} rows written to {file}", result);
    json_decref(answer);
    json_decref(request);
    return rc;
}

/* With --check, or when there are problems, every one of them is shown. */
int table_import(const struct cli_command *cmd, json_t *args, bool json, struct link *l)
{
    bool check = json_is_true(json_object_get(args, "check"));
    json_t *request, *answer = NULL, *result = NULL;
    int rc;

    json_object_del(args, "check");
    request = json_pack("{s:s+, s:O}", "op", cmd->op, ".check", "args", args);
    rc = cli_ask(l, request, &answer, &result);
    if (rc == EXIT_OK && !check &&
        json_integer_value(json_object_get(result, "problem-count")) == 0) {
        json_decref(answer);
        json_object_set_new(request, "op", json_string(cmd->op));
        rc = cli_ask(l, request, &answer, &result);
    }
    if (rc == EXIT_OK && json)
        cli_print_json(result);
    else if (rc == EXIT_OK) {
        print_table(json_object_get(result, "problems"), cmd->columns);
        print_sentence(stderr,
                       "{rows} rows: {added} added, {changed} changed, {removed} removed, "
                       "{unchanged} unchanged; {problem-count} problems",
                       result);
    }
    if (rc == EXIT_OK && json_integer_value(json_object_get(result, "problem-count")) > 0)
        rc = check ? EXIT_FAILED
                   : cli_failed("invalid", "the table has problems: nothing was changed");
    json_decref(answer);
    json_decref(request);
    return rc;
}
