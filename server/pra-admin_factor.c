/*
 * `pra-admin factor ...`: a new secret as a QR code that a phone reads from the terminal, the code that
 * confirms it, and recovery codes. The code is never an argument: it comes from the terminal or a file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <qrencode.h>

#include "common/crypto.h"
#include "common/os.h"
#include "server/pra-admin.h"

/* Modules of light around the code: ISO 18004 wants four. */
#define QUIET     4
#define CODE_MAX  64
#define URI_COLOR "\033[38;5;16;48;5;231m" /* black on white, whatever the terminal's theme is */
#define RESET     "\033[0m"

static bool is_dark(const QRcode *qr, int x, int y)
{
    bool inside = x >= 0 && y >= 0 && x < qr->width && y < qr->width;

    return inside && (qr->data[y * qr->width + x] & 1) != 0;
}

/*
 * Two rows of modules in a line of text, by half blocks. With colours dark modules are drawn, on white;
 * without them light ones, for a terminal that is dark.
 */
static void draw(FILE *to, const QRcode *qr, bool colors)
{
    static const char *const blocks[] = {" ", "▄", "▀", "█"};

    for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
        fputs(colors ? URI_COLOR : "", to);
        for (int x = -QUIET; x < qr->width + QUIET; x++) {
            /* An odd size ends with half a line, which is light. */
            bool upper = is_dark(qr, x, y) == colors, lower = is_dark(qr, x, y + 1) == colors;

            fputs(blocks[2 * upper + lower], to);
        }
        fputs(colors ? RESET "\n" : "\n", to);
    }
}

static bool wants_colors(void)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) == 1 && (no == NULL || no[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static int show_secret(const json_t *result, bool with_uri)
{
    const char *uri = json_string_value(json_object_get(result, "uri"));
    QRcode *qr = uri != NULL ? QRcode_encodeString8bit(uri, 0, QR_ECLEVEL_L) : NULL;

    if (qr == NULL)
        return cli_failed("internal", "the QR code cannot be made");
    draw(stdout, qr, wants_colors());
    QRcode_free(qr);
    if (with_uri)
        printf("%s\n", uri);
    print_sentence(stderr,
                   "The user scans this with an authenticator app. It is shown this once, and good "
                   "when a code of it was seen: pra-admin factor confirm {user}",
                   result);
    return EXIT_OK;
}

static int show_recovery(const json_t *result)
{
    const json_t *codes = json_object_get(result, "recovery-codes");
    size_t i;
    json_t *code;

    json_array_foreach(codes, i, code) printf("%s\n", json_string_value(code));
    print_sentence(stderr,
                   "Recovery codes of user {user}: each is good once instead of a code of the app. "
                   "They are shown this once; hand them over in private.",
                   result);
    return EXIT_OK;
}

int factor_read_code(json_t *args, struct fault *f)
{
    const char *file = json_string_value(json_object_get(args, "code-file"));
    char code[CODE_MAX] = "";
    int rc = file != NULL ? os_read_secret_file(file, code, sizeof(code), f)
                          : os_read_secret("Code that the app shows: ", code, sizeof(code), f);

    if (rc == PRA_EUNSUPPORTED && file == NULL)
        fault_set(f, rc, "there is no terminal to ask for the code: give it with --code-file");
    if (rc == 0 && json_object_set_new(args, "code", json_string(code)) != 0)
        rc = fault_set(f, PRA_EINVAL, "the code is not UTF-8");
    json_object_del(args, "code-file");
    crypto_wipe(code, sizeof(code));
    return rc;
}

int factor_run(const struct cli_command *cmd, json_t *args, bool json, struct link *l)
{
    bool uri = json_is_true(json_object_get(args, "uri"));
    json_t *request, *answer = NULL, *result = NULL;
    int rc;

    json_object_del(args, "uri");
    request = json_pack("{s:s, s:O}", "op", cmd->op, "args", args);
    rc = cli_ask(l, request, &answer, &result);
    if (rc == EXIT_OK && json)
        cli_print_json(result);
    else if (rc == EXIT_OK && json_object_get(result, "uri") != NULL)
        rc = show_secret(result, uri);
    else if (rc == EXIT_OK)
        rc = show_recovery(result);
    json_decref(answer);
    json_decref(request);
    return rc;
}
