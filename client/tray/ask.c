/* ask.h: what needs no toolkit. */
#include "client/tray/ask.h"

#include <stdio.h>

#include "client/tray/settings.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"
#include "keys/sshkey.h"

void ask_problem(struct tray_app *app, enum msg_id id, const struct msg_args *args)
{
    char body[2 * MSG_TEXT_MAX + 4];
    struct words_trouble t;

    words_trouble(id, args, &t);
    snprintf(body, sizeof(body), "%s\n\n%s", t.text.cause, t.text.remedy);
    ask_message(app, ASK_ERROR, t.title, body);
}

struct shown {
    struct tray_app *app;
    void (*same)(struct tray_app *app, const char *fingerprint);
    char fingerprint[SSHKEY_FINGERPRINT_MAX];
};

static void host_key_is_the_same(void *data)
{
    const struct shown *shown = data;

    shown->same(shown->app, shown->fingerprint);
}

void ask_about_host_key(struct tray_app *app, const char *seen,
                        void (*same)(struct tray_app *app, const char *fingerprint))
{
    struct shown *shown = work_alloc(sizeof(*shown));
    char text[MSG_TEXT_MAX], server[ADDR_TEXT_MAX];

    *shown = (struct shown){.app = app, .same = same};
    snprintf(shown->fingerprint, sizeof(shown->fingerprint), "%s", seen);
    settings_address(app, server);
    snprintf(text, sizeof(text), TXT_HOST_KEY_WHY, server, seen);
    ask(app, &(struct ask_question){.title = TXT_ASK_HOST_KEY,
                                    .text = text,
                                    .action = TXT_B_SAME,
                                    .careful = true,
                                    .yes = host_key_is_the_same,
                                    .data = shown,
                                    .owned = true});
}
