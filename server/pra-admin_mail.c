/*
 * Waiting for a test mail: whoever asks for one wants to know what the mail server says, and prad sends in
 * the background. So the queue is asked again and again.
 */
#include "server/pra-admin.h"

#include <string.h>
#include <time.h>

#include "common/os.h"

#define ASK_EVERY_NS (200 * 1000 * 1000)

static const char *member(const json_t *mail, const char *name)
{
    const char *text = json_string_value(json_object_get(mail, name));

    return text != NULL ? text : "";
}

static bool tried(const json_t *mail)
{
    return strcmp(member(mail, "state"), "sending") != 0 &&
           (json_integer_value(json_object_get(mail, "tries")) > 0 ||
            strcmp(member(mail, "state"), "waiting") != 0);
}

json_t *mail_wait(struct link *l, json_int_t id, long seconds, struct fault *f)
{
    const struct timespec pause = {.tv_nsec = ASK_EVERY_NS};
    uint64_t end = os_monotonic_ms() + (uint64_t)seconds * 1000;
    json_t *request = json_pack("{s:s, s:{s:I}}", "op", "mail.list", "args", "id", id);
    json_t *mail = NULL;

    do {
        json_t *answer;

        json_decref(mail);
        nanosleep(&pause, NULL);
        answer = link_ask(l, request, f);
        mail = json_incref(json_array_get(json_object_get(answer, "result"), 0));
        if (answer != NULL && mail == NULL)
            fault_set(f, PRA_ENOENT, "the mail is not in the queue any more");
        json_decref(answer);
    } while (mail != NULL && !tried(mail) && os_monotonic_ms() < end);
    json_decref(request);
    return mail;
}

int mail_print(const json_t *mail, bool sending)
{
    bool sent = strcmp(member(mail, "state"), "sent") == 0;

    if (sent)
        print_sentence(stderr, "mail {id} to {to} sent: the mail server has taken it", mail);
    else if (!sending)
        print_sentence(stderr, "mail {id} to {to} is in the queue; prad sends it", mail);
    else if (strcmp(member(mail, "state"), "failed") == 0)
        print_sentence(stderr, "pra-admin: ERR(mail) mail {id} to {to} was given up: {error}",
                       mail);
    else
        print_sentence(stderr,
                       "pra-admin: ERR(mail) mail {id} to {to} is not sent yet and is tried again: "
                       "{error}",
                       mail);
    return sent || !sending ? EXIT_OK : EXIT_FAILED;
}
