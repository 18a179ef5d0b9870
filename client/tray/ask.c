/* ask.h: what needs no toolkit. */
#include "client/tray/ask.h"

#include <stdio.h>

#include "client/tray/words.h"

void ask_problem(struct tray_app *app, enum msg_id id, const struct msg_args *args)
{
    char body[2 * MSG_TEXT_MAX + 4];
    struct words_trouble t;

    words_trouble(id, args, &t);
    snprintf(body, sizeof(body), "%s\n\n%s", t.text.cause, t.text.remedy);
    ask_message(app, ASK_ERROR, t.title, body);
}
