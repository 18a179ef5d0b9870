/*
 * Carries out an attempt to connect; see cli_attempt.h. Single-threaded. The passphrase lives in
 * struct attempt, which its owner wipes.
 */
#include "client/cli_attempt.h"

#include <stdlib.h>
#include <string.h>

#include "client/agent.h"
#include "client/cli.h"
#include "client/cli_ask.h"
#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/cli_text.h"
#include "common/crypto.h"
#include "common/os.h"

/* Opening the key is one scrypt run; a slow laptop under load may take seconds. */
#define BEGIN_TIMEOUT_MS 60000
/* How often a person may mistype. */
#define PASSPHRASE_TRIES 3
#define CODE_TRIES       3

static enum msg_id error_id(const json_t *error)
{
    return msg_find(show_member(error, "id"));
}

bool attempt_in_state(const json_t *status, const char *state)
{
    return strcmp(show_member(status, "state"), state) == 0;
}

static void show_success(const json_t *status)
{
    text_styled(
        stdout, TEXT_GOOD,
        tr("Connected; port forwarding has begun", "接続が完了し、ポート転送を開始しました"));
    fputc('\n', stdout);
    show_forwards(stdout, json_object_get(status, "forwards"), false);
    fflush(stdout);
    if (json_is_object(json_object_get(status, "error")))
        cli_print_error(stderr, json_object_get(status, "error"));
}

/* What was said last, so that nothing is said twice. */
struct progress {
    char line[ADDR_TEXT_MAX + 64];
    enum msg_id told;
};

static void show_progress(struct progress *p, const json_t *status)
{
    const json_t *retry = json_object_get(status, "retry_in");
    const json_t *error = json_object_get(status, "error");
    char line[sizeof(p->line)], clean[ADDR_TEXT_MAX];

    if (attempt_in_state(status, "waiting") && json_is_object(error) &&
        error_id(error) != p->told) {
        p->told = error_id(error);
        cli_print_error(stderr, error);
    }
    if (attempt_in_state(status, "connecting"))
        snprintf(line, sizeof(line), tr("Connecting to %s ...", "%s に接続しています ..."),
                 text_clean(clean, sizeof(clean), show_member(status, "server")));
    else if (attempt_in_state(status, "waiting") && json_is_number(retry))
        snprintf(line, sizeof(line),
                 tr("Trying again in %.0f s ...", "%.0f 秒後に再試行します ..."),
                 json_number_value(retry));
    else
        return;
    if (strcmp(line, p->line) != 0)
        fprintf(stderr, "%s\n", line);
    snprintf(p->line, sizeof(p->line), "%s", line);
}

/* The attempt goes on by itself; the command has waited long enough. */
static int still_trying(const struct attempt *a)
{
    fprintf(stderr,
            tr("pra: not connected after %ld s; PRA goes on trying in the background "
               "('pra status' shows how it stands, 'pra disconnect' stops it)\n",
               "pra: %ld 秒待ちましたが接続できていません。バックグラウンドで再試行を続けます"
               "(状態は「pra status」、中止は「pra disconnect」)\n"),
            a->wait_s);
    return CLI_FAILED;
}

/*
 * Follows the pushed states until the attempt is decided. Gives the last status (new reference) and
 * CLI_OK when connected or stopped by a cause; CLI_FAILED after a report otherwise.
 */
static int follow(struct ipc *ipc, const struct attempt *a, json_t **last)
{
    uint64_t deadline = os_monotonic_ms() + (uint64_t)a->wait_s * 1000;
    struct progress progress = {.told = MSG_NONE};
    struct fault f = {0};
    json_t *reply = NULL;
    int code = remote_call(ipc, json_pack("{s:s}", "op", "subscribe"), REMOTE_TIMEOUT_MS, &reply);

    json_decref(reply);
    while (code == CLI_OK) {
        uint64_t now = os_monotonic_ms();
        json_t *event = NULL, *status;
        int rc = PRA_ETIMEOUT;

        if (now < deadline)
            rc = ipc_next_event(ipc, (int)(deadline - now), &event, &f);
        if (rc == PRA_ETIMEOUT)
            return still_trying(a);
        if (rc != 0)
            return cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = f.text});
        status = json_incref(json_object_get(event, "status"));
        json_decref(event);
        if (attempt_in_state(status, "connected") || attempt_in_state(status, "error") ||
            attempt_in_state(status, "disconnected") || attempt_in_state(status, "code")) {
            *last = status;
            return CLI_OK;
        }
        show_progress(&progress, status);
        json_decref(status);
    }
    return code;
}

/*
 * What a person can add after a failed attempt: confirm the host key, or type the passphrase again.
 * Reports the error. CLI_OK = try once more, else CLI_FAILED.
 */
static int after_failure(struct attempt *a, const json_t *error, const char *server, unsigned tries)
{
    const char *seen = show_member(json_object_get(error, "args"), "detail");
    int code;

    if (error_id(error) == MSG_HOSTKEY_UNKNOWN && a->accept[0] == '\0' && ask_possible() &&
        config_check_fingerprint(seen, NULL) == 0) {
        code = ask_host_key(server, seen);
        if (code == CLI_OK)
            snprintf(a->accept, sizeof(a->accept), "%s", seen);
        return code;
    }
    code = cli_fail_error(error);
    if (error_id(error) == MSG_KEY_PASSPHRASE && a->typed && tries < PASSPHRASE_TRIES)
        code = ask_passphrase(&cli_connect, a->shown_user, a->passphrase, sizeof(a->passphrase));
    return code == CLI_OK ? CLI_OK : CLI_FAILED;
}

/* The code that was given, once, or what a person types. */
static int get_code(struct attempt *a, char *dst, size_t cap)
{
    bool given = a->code[0] != '\0';

    snprintf(dst, cap, "%s", a->code);
    crypto_wipe(a->code, sizeof(a->code));
    return given ? CLI_OK : ask_code(dst, cap);
}

/* Hands a code to the agent, which waits for one. CLI_OK: it goes on with it. */
static int give_code(struct attempt *a, struct ipc *ipc)
{
    char code[sizeof(a->code)];
    json_t *reply = NULL;
    struct fault f = {0};
    int code_is = get_code(a, code, sizeof(code)), rc;

    if (code_is != CLI_OK)
        return code_is;
    rc = ipc_call_code(ipc, code, REMOTE_TIMEOUT_MS, &reply, &f);
    crypto_wipe(code, sizeof(code));
    if (rc != 0)
        return remote_failed(rc, &f);
    if (!json_is_true(json_object_get(reply, "ok")))
        code_is = cli_fail_error(json_object_get(reply, "error"));
    json_decref(reply);
    return code_is;
}

/*
 * As long as the agent waits for a code: asks, hands it over, follows what comes of it. *status is what
 * the agent said last (a reference, replaced). CLI_OK: it waits for none any more.
 */
static int answer_codes(struct attempt *a, struct ipc *ipc, json_t **status)
{
    int code = CLI_OK;

    for (unsigned tries = 0; code == CLI_OK && attempt_in_state(*status, "code"); tries++) {
        const json_t *error = json_object_get(*status, "error");
        json_t *next = NULL;

        /* At first it is only a question, and what became of an earlier code is nothing to who brings one;
           where nobody can be asked, or often enough, it is the end. */
        if (tries > 0 ||
            (a->code[0] == '\0' && (error_id(error) != MSG_CODE_NEEDED || !ask_possible())))
            cli_print_error(stderr, error);
        if (tries == CODE_TRIES || error_id(error) == MSG_CODE_PAUSED ||
            (a->code[0] == '\0' && !ask_possible()))
            return CLI_FAILED;
        code = give_code(a, ipc);
        if (code == CLI_OK)
            code = follow(ipc, a, &next);
        if (next == NULL)
            continue;
        json_decref(*status);
        *status = next;
    }
    return code;
}

/* One attempt: CLI_GO_ON = decided to try again, else the exit code. */
static int attempt_once(struct attempt *a, struct ipc *ipc, unsigned tries)
{
    const char *accept = a->accept[0] != '\0' ? a->accept : NULL;
    json_t *reply = NULL, *status = NULL;
    const json_t *error;
    struct fault f = {0};
    int rc, code = CLI_OK;

    if (ask_possible())
        fputs(tr("Opening the key ...\n", "鍵を読み込んでいます ...\n"), stderr);
    rc = ipc_call_connect(ipc, a->user, a->passphrase, accept, BEGIN_TIMEOUT_MS, &reply, &f);
    if (rc != 0)
        return remote_failed(rc, &f);
    error = json_object_get(reply, "error");
    if (json_is_true(json_object_get(reply, "ok")) && a->wait_s == 0) {
        fputs(tr("Connecting in the background; 'pra status' shows how it stands.\n",
                 "バックグラウンドで接続しています。状態は「pra status」で確認できます。\n"),
              stderr);
        json_decref(reply);
        return CLI_OK;
    }
    if (json_is_true(json_object_get(reply, "ok"))) {
        code = follow(ipc, a, &status);
        if (code == CLI_OK)
            code = answer_codes(a, ipc, &status);
        error = json_object_get(status, "error");
    }
    if (code == CLI_OK && attempt_in_state(status, "connected"))
        show_success(status);
    else if (code == CLI_OK &&
             after_failure(a, error, show_member(status, "server"), tries) == CLI_OK)
        code = CLI_GO_ON;
    else if (code == CLI_OK)
        code = CLI_FAILED;
    json_decref(status);
    json_decref(reply);
    return code;
}

/* An attempt that goes on with old settings ends first, so that `connect` uses what is set now. */
static int end_old_attempt(struct ipc *ipc)
{
    json_t *reply = NULL;
    const json_t *status;
    bool old = false;
    int code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);

    if (code != CLI_OK)
        return code;
    status = json_object_get(reply, "status");
    old = attempt_in_state(status, "waiting") || attempt_in_state(status, "connecting");
    json_decref(reply);
    reply = NULL;
    if (old)
        code = remote_call(ipc, json_pack("{s:s}", "op", "disconnect"), BEGIN_TIMEOUT_MS, &reply);
    json_decref(reply);
    return code;
}

int attempt_in_background(struct attempt *a)
{
    struct ipc *ipc = NULL;
    struct fault f = {0};
    int code;

    if (ipc_connect_or_start(&a->paths, &ipc, &f) != 0)
        return cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = f.text});
    code = end_old_attempt(ipc);
    if (code == CLI_OK)
        code = CLI_GO_ON;
    for (unsigned tries = 1; code == CLI_GO_ON; tries++)
        code = attempt_once(a, ipc, tries);
    ipc_close(ipc);
    return code == CLI_OK ? CLI_OK : CLI_FAILED;
}

int attempt_with_code(struct attempt *a)
{
    struct ipc *ipc = NULL;
    json_t *reply = NULL, *status = NULL;
    int code = remote_open(&a->paths, false, &ipc);

    if (code == CLI_OK)
        code = remote_call(ipc, json_pack("{s:s}", "op", "status"), REMOTE_TIMEOUT_MS, &reply);
    if (code == CLI_OK) {
        status = json_incref(json_object_get(reply, "status"));
        code = answer_codes(a, ipc, &status);
    }
    if (code == CLI_OK && attempt_in_state(status, "connected"))
        show_success(status);
    else if (code == CLI_OK)
        code = cli_fail_error(json_object_get(status, "error"));
    json_decref(status);
    json_decref(reply);
    ipc_close(ipc);
    return code == CLI_OK || code == CLI_USAGE ? code : CLI_FAILED;
}

/* --- foreground --------------------------------------------------------------------------- */

struct foreground {
    struct attempt *attempt;
    struct progress progress;
    json_t *last; /* status */
    unsigned codes;
};

static bool foreground_code(void *arg, char *dst, size_t cap)
{
    struct foreground *fg = arg;
    const json_t *error = json_object_get(fg->last, "error");
    bool possible = fg->attempt->code[0] != '\0' || ask_possible();

    if (fg->codes > 0 && possible)
        cli_print_error(stderr, error);
    return possible && fg->codes++ < CODE_TRIES && error_id(error) != MSG_CODE_PAUSED &&
           get_code(fg->attempt, dst, cap) == CLI_OK;
}

static void on_status(void *arg, const json_t *status)
{
    struct foreground *fg = arg;

    if (attempt_in_state(status, "connected") &&
        (fg->last == NULL || !attempt_in_state(fg->last, "connected"))) {
        fg->codes = 0;
        show_success(status);
    } else
        show_progress(&fg->progress, status);
    json_decref(fg->last);
    fg->last = json_deep_copy(status);
}

int attempt_fail_running(const struct fault *f)
{
    return cli_fail(tr("PRA runs already in the background; 'pra disconnect' ends that connection",
                       "PRA はすでにバックグラウンドで動作しています。"
                       "「pra disconnect」で切断してください"),
                    f);
}

/* Runs the agent in this process once. CLI_GO_ON = a person has added what was missing. */
static int foreground_once(struct attempt *a, unsigned tries)
{
    struct foreground state = {.attempt = a};
    struct agent_foreground fg = {.user = a->user,
                                  .passphrase = a->passphrase,
                                  .accept_host_key = a->accept[0] != '\0' ? a->accept : NULL,
                                  .on_status = on_status,
                                  .ask_code = foreground_code,
                                  .arg = &state};
    struct fault f = {0};
    int rc = agent_run(&a->paths, &fg, &f), code = CLI_OK;
    const json_t *error = json_object_get(state.last, "error");

    if (rc == PRA_EBUSY)
        code = attempt_fail_running(&f);
    else if (rc == PRA_ECLOSED && json_is_object(error))
        code = after_failure(a, error, show_member(state.last, "server"), tries) == CLI_OK
                   ? CLI_GO_ON
                   : CLI_FAILED;
    else if (rc != 0)
        code = cli_fail_msg(MSG_AGENT, &(struct msg_args){.detail = f.text});
    else
        fputs(tr("Disconnected.\n", "切断しました。\n"), stderr);
    json_decref(state.last);
    return code;
}

int attempt_in_foreground(struct attempt *a)
{
    int code = CLI_GO_ON;

    for (unsigned tries = 1; code == CLI_GO_ON; tries++)
        code = foreground_once(a, tries);
    return code;
}
