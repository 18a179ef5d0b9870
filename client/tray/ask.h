/* Messages and questions. None of them waits: what follows from an answer is called back. */
#ifndef PRA_CLIENT_TRAY_ASK_H
#define PRA_CLIENT_TRAY_ASK_H

#include <stdbool.h>

#include "common/msg.h"

struct tray_app;

enum ask_icon { ASK_INFO, ASK_WARNING, ASK_ERROR };

/* A message with one OK button. */
void ask_message(struct tray_app *app, enum ask_icon icon, const char *title, const char *text);

/* Code, cause and remedy of a message (A14), with one OK button. */
void ask_problem(struct tray_app *app, enum msg_id id, const struct msg_args *args);

struct ask_question {
    const char *title, *text;
    const char *action; /* the button that says yes, beside "cancel" */
    bool careful;       /* Enter means cancel: a yes has to be meant */
    void (*yes)(void *data);
    void *data;
    bool owned; /* `data` is the question's own: free()d with it */
};

/* Nothing happens if the answer is no, or the window is closed. */
void ask(struct tray_app *app, const struct ask_question *question);

/*
 * Is this the gateway's key? `seen` has to be compared by the person, and nothing is trusted before.
 * `same` gets the very key that the question showed: an older question may still be open.
 */
void ask_about_host_key(struct tray_app *app, const char *seen,
                        void (*same)(struct tray_app *app, const char *fingerprint));

#endif
