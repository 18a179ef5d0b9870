/*
 * pra-passkey: answers one question about passkeys and ends. prad starts it for every registration
 * and every log-in with one. It parses what authenticators said, so it is as good as nothing for
 * whoever breaks it: it can open no file and no socket, start nothing, and has a second of time.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "common/os.h"
#include "server/passkey/passkey.h"
#include "server/sandbox/sandbox.h"

#define QUESTION_MAX 16384
#define MEMORY_MAX   (256u << 20)
#define SECONDS_MAX  2

static void limit(int what, rlim_t value)
{
    const struct rlimit l = {.rlim_cur = value, .rlim_max = value};

    setrlimit((__rlimit_resource_t)what, &l);
}

/* What is needed is loaded by now. Returns false if the door stays open. */
static bool close_the_door(void)
{
    const struct sandbox_files nothing = {.count = 0};
    struct fault f = {0};
    int rc;

    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    os_process_harden();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    rc = sandbox_files(&nothing, &f); /* takes a descriptor, so before there are none to have */
    limit(RLIMIT_CPU, SECONDS_MAX);
    limit(RLIMIT_FSIZE, 0);
#ifndef __SANITIZE_ADDRESS__ /* which wants much of all three */
    limit(RLIMIT_AS, MEMORY_MAX);
    limit(RLIMIT_NPROC, 0);
#endif
    if (rc != 0 || sandbox_calls(SANDBOX_PASSKEY, -1, &f) != 0) {
        fprintf(stderr, "pra-passkey: %s\n", f.text);
        return false;
    }
    return true;
}

/* Reads until the other side has said all. Returns the length, 0 = nothing, or too much. */
static size_t read_question(char *dst, size_t cap)
{
    size_t len = 0;
    ssize_t n;

    while (len < cap && (n = read(STDIN_FILENO, dst + len, cap - len)) > 0)
        len += (size_t)n;
    return len == cap ? 0 : len;
}

int main(void)
{
    static char text[QUESTION_MAX];
    json_t *question, *answer;
    size_t len;
    char *line;
    int rc = 1;

    if (!close_the_door())
        return rc;
    len = read_question(text, sizeof(text));
    question = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    answer = passkey_answer(question);
    line = json_dumps(answer, JSON_COMPACT);
    if (line != NULL && write(STDOUT_FILENO, line, strlen(line)) == (ssize_t)strlen(line))
        rc = 0;
    free(line);
    json_decref(answer);
    json_decref(question);
    return rc;
}
