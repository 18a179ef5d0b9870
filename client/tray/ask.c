/* ask.h: what needs no toolkit. */
#include "client/tray/ask.h"

#include <stdio.h>

#include "common/i18n.h"

void ask_problem(struct tray_app *app, enum msg_id id, const struct msg_args *args)
{
    struct msg_text text;
    char title[512], body[2 * MSG_TEXT_MAX + 4];

    msg_format(id, i18n_lang(), args, &text);
    snprintf(title, sizeof(title), "%s %s", text.code, text.title);
    snprintf(body, sizeof(body), "%s\n\n%s", text.cause, text.remedy);
    ask_message(app, ASK_ERROR, title, body);
}
