/*
 * What the user is told when something is wrong: a message of the table with the values that fill
 * its place-holders, kept by value so that it can be shown in any language later.
 */
#ifndef PRA_CLIENT_PROBLEM_H
#define PRA_CLIENT_PROBLEM_H

#include <jansson.h>

#include "common/addr.h"
#include "common/msg.h"

struct problem {
    enum msg_id id; /* MSG_NONE: all is well */
    char server[ADDR_TEXT_MAX + 2];
    char user[72];
    char detail[256];
    char name[512]; /* every identifier of a machine, in Japanese */
    char target[ADDR_TEXT_MAX];
    char seconds[24];
};

void problem_clear(struct problem *p);

/*
 * {"code","message","cause","remedy","id","args"} in the agent's language; null when all is well.
 * New reference.
 */
json_t *problem_json(const struct problem *p);

/*
 * The way back from problem_json(): the message of an error object and the values for its
 * place-holders, which point into `error`. MSG_NONE when its `id` is missing or unknown here.
 */
enum msg_id problem_read(const json_t *error, struct msg_args *args);

/* "ERR(10203) title: cause" for a log. Returns `dst`. */
#define PROBLEM_TEXT_MAX (2 * MSG_TEXT_MAX)
const char *problem_text(const struct problem *p, char dst[PROBLEM_TEXT_MAX]);

#endif
