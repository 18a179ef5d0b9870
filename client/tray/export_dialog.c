/* export_dialog.h */
#include "client/tray/export_dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/tray/ask.h"
#include "client/tray/texts.h"
#include "client/tray/words.h"
#include "client/tray/work.h"

static struct export_dialog *current; /* one at a time; NULL = not open */

void export_copy(const struct export_dialog *d)
{
    export_ui_say(d->ui, shell_copy(d->app, d->line) ? TXT_EXPORT_COPIED : TXT_COPY_FAILED);
}

void export_name(const struct export_dialog *d, char dst[EXPORT_NAME_MAX])
{
    words_public_name(d->info.user, dst, EXPORT_NAME_MAX);
}

void export_save(const struct export_dialog *d, const char *path)
{
    char said[WORDS_MAX];
    struct fault f = {0};

    if (keymake_write_public(path, d->line, &f) == 0) {
        snprintf(said, sizeof(said), TXT_EXPORT_SAVED, path);
        app_note(d->app, "public key exported");
    } else {
        snprintf(said, sizeof(said), "%s: %s", TXT_EXPORT_FAILED, f.text);
    }
    export_ui_say(d->ui, said);
}

static bool is_absent(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 && errno == ENOENT;
}

/*
 * Beside the profile that led here (on the administrator's stick, as often as not) the public key is
 * saved without being asked for; never over another file, and once for each profile.
 */
static void save_beside_profile(const struct export_dialog *d)
{
    char name[EXPORT_NAME_MAX], path[OS_PATH_MAX];
    char *folder = d->app->profile_folder;

    if (folder[0] == '\0')
        return;
    export_name(d, name);
    if (os_path_join(path, folder, name) == 0 && is_absent(path) && access(folder, W_OK) == 0)
        export_save(d, path);
    folder[0] = '\0';
}

/* Reads the key's public half and what is said about it. Returns 0 or PRA_E*. */
static int look(struct export_dialog *d, struct fault *f)
{
    int rc = keyfile_inspect(d->app->paths.key_file, &d->info, f);

    if (rc == 0)
        rc = sshkey_format_line(&d->info, d->line, sizeof(d->line));
    if (rc != 0)
        return rc;
    (void)keymake_fingerprint(&d->info, d->fingerprint);
    (void)key_binding_words(&d->info, d->binding);
    snprintf(d->who, sizeof(d->who), "%s@%s", d->info.user, d->info.computer);
    d->can_enroll = d->app->facts.has_server;
    d->can_connect = d->app->facts.has_server && d->app->view.can_connect;
    return 0;
}

void export_dialog_open(struct tray_app *app)
{
    struct export_dialog *d;
    struct fault f = {0};
    int rc;

    if (current != NULL) {
        export_ui_front(current->ui);
        return;
    }
    d = work_alloc(sizeof(*d));
    d->app = app;
    rc = look(d, &f);
    if (rc != 0) {
        ask_problem(app, keymake_inspect_problem(rc),
                    &(struct msg_args){.detail = f.text, .user = TXT_NAME_HOLDER});
        free(d);
        return;
    }
    current = d;
    d->ui = export_ui_new(d);
    save_beside_profile(d);
}

bool export_is_open(const struct export_dialog *d)
{
    return current != NULL && current == d;
}

void export_gone(struct export_dialog *d)
{
    current = NULL;
    free(d);
}
