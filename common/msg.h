/*
 * Every message with a code that an employee can see (A14): code, what failed, the cause that
 * was found, and the remedy, in English and Japanese. The table is common/msg.def, one entry per
 * cause; README.md's list and `pra --help errors` are generated from it.
 */
#ifndef PRA_COMMON_MSG_H
#define PRA_COMMON_MSG_H

#include <stddef.h>

#include "common/i18n.h"

/*
 * MSG(id, code, title_en, title_ja, cause_en, cause_ja, remedy_en, remedy_ja)
 * Causes and remedies may hold the place-holders {server} {user} {port} {program} {pid} {target}
 * {detail} {seconds} {name}, and {gateway_port}: the port that {server} names, 10022 if it names none.
 * What a person does about it stands as {do_...}, see msg_do.def.
 */
enum msg_id {
    MSG_NONE = 0,
#define MSG(id, ...) id,
#include "common/msg.def"
#undef MSG
    MSG_COUNT
};

/* One row of the table in one language, place-holders as they are; for lists of all messages. */
struct msg_entry {
    const char *code; /* "ERR(10203)" */
    const char *title;
    const char *cause;
    const char *remedy;
};

/* The row of an id (ids run from MSG_NONE + 1 to MSG_COUNT - 1). Never NULL; static. */
const struct msg_entry *msg_entry(enum msg_id id, enum i18n_lang lang);

/* Values for the place-holders; NULL members read as "?". */
struct msg_args {
    const char *server; /* host:port of the gateway */
    const char *user;
    const char *port;    /* local address:port */
    const char *program; /* holder of a busy port */
    const char *pid;
    const char *target;
    const char *detail; /* operating system's or gateway's words */
    const char *seconds;
    const char *name; /* of a rule, or of what changed */
};

#define MSG_TEXT_MAX 1024

struct msg_text {
    const char *code;         /* "ERR(10203)" */
    const char *title;        /* static */
    char cause[MSG_TEXT_MAX]; /* place-holders filled in */
    char remedy[MSG_TEXT_MAX];
};

/*
 * Fills `out` in the given language. `args` may be NULL. MSG_NONE gives empty strings. Values may
 * come from peers: characters that are not printable UTF-8 become '?'.
 */
void msg_format(enum msg_id id, enum i18n_lang lang, const struct msg_args *args,
                struct msg_text *out);

/* The same for a list of all messages: place-holders of values stay, what to do is said. */
void msg_describe(enum msg_id id, enum i18n_lang lang, struct msg_text *out);

/*
 * From now on messages say where to click in the windows instead of which command to type. For the start of
 * the program that has the windows.
 */
void msg_speak_of_windows(void);

/* The identifier as text ("MSG_KEY_PASSPHRASE") and back; MSG_NONE if unknown. */
const char *msg_name(enum msg_id id);
enum msg_id msg_find(const char *name);

#endif
