/*
 * pra-mailer: sends one mail, which it reads from standard input together with where to send it, and
 * says on standard output what became of it. prad starts one for each mail (server/prad/mailer.c); it is
 * the only program with libcurl in it. Exit code 0 with an answer, 2 without one.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os.h"
#include "server/mailer/mailer_job.h"

static const char USAGE[] =
    "usage: pra-mailer < JOB\n"
    "\n"
    "Sends one mail. prad starts it for each mail in its queue; it is of no use by hand\n"
    "(see pra-admin mail test).\n";

static const char *text_of(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}

/* Returns false if something is missing. */
static bool read_job(json_t *object, struct job *j)
{
    const json_t *server = json_object_get(object, "server");
    const json_t *mail = json_object_get(object, "message");

    *j = (struct job){.object = object,
                      .host = text_of(server, "host"),
                      .tls = text_of(server, "tls"),
                      .user = text_of(server, "user"),
                      .password_file = text_of(server, "password_file"),
                      .ca_file = text_of(server, "ca_file"),
                      .port = json_integer_value(json_object_get(server, "port")),
                      .timeout = json_integer_value(json_object_get(server, "timeout")),
                      .id = text_of(mail, "id"),
                      .from = text_of(mail, "from"),
                      .to = text_of(mail, "to"),
                      .subject = text_of(mail, "subject"),
                      .text = text_of(mail, "text"),
                      .html = text_of(mail, "html"),
                      .date = json_integer_value(json_object_get(mail, "date")),
                      .parts = json_object_get(mail, "parts")};
    return j->host != NULL && j->tls != NULL && j->user != NULL && j->password_file != NULL &&
           j->ca_file != NULL && j->port > 0 && j->timeout > 0 && j->id != NULL &&
           j->from != NULL && j->to != NULL && j->subject != NULL && j->text != NULL;
}

static json_t *read_input(void)
{
    char *text = malloc(JOB_MAX);
    size_t len = text == NULL ? 0 : fread(text, 1, JOB_MAX, stdin);
    json_t *object = len == 0 ? NULL : json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

    if (text != NULL)
        crypto_wipe(text, len);
    free(text);
    return object;
}

static void say(enum outcome outcome, const char *why)
{
    static const char *const words[] = {[SENT] = "sent", [LATER] = "later", [NEVER] = "never"};
    json_t *answer = json_pack("{s:s, s:s}", "result", words[outcome], "detail", why);

    json_dumpf(answer, stdout, JSON_COMPACT);
    fflush(stdout);
    json_decref(answer);
}

static void run(const struct job *j)
{
    char password[PASSWORD_MAX] = "", why[WHY_MAX] = "";
    enum outcome outcome = LATER;
    struct fault f = {0};

    if (j->password_file[0] != '\0' &&
        os_read_secret_file(j->password_file, password, sizeof(password), &f) != 0) {
        snprintf(why, sizeof(why), "[mail] password_file: %.200s", f.text);
    } else if (sandbox_enter(j, &f) != 0) {
        snprintf(why, sizeof(why), "the sandbox: %.200s", f.text);
    } else {
        outcome = smtp_send(j, password, why);
    }
    crypto_wipe(password, sizeof(password));
    say(outcome, why);
}

int main(int argc, char **argv)
{
    struct job j;
    json_t *object;

    if (argc > 1) {
        bool version = strcmp(argv[1], "--version") == 0;

        fputs(version ? "pra-mailer " PRA_VERSION "\n" : USAGE, stdout);
        return version || strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    os_process_harden();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0,
          0); /* what is sent for a prad that is gone is sent twice */
    close_range(STDERR_FILENO + 1, ~0u, 0);
    object = read_input();
    if (object == NULL || !read_job(object, &j) ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 2;
    run(&j);
    fflush(stdout);
    _exit(0); /* the system takes everything back; nothing is left that would have to be said */
}
