/*
 * 公開鍵のエクスポート (A5) without its widgets: fingerprint, binding, and the public key as a file or by
 * the clipboard. The functions export_ui_*() are the toolkit's.
 */
#ifndef PRA_CLIENT_TRAY_EXPORT_DIALOG_H
#define PRA_CLIENT_TRAY_EXPORT_DIALOG_H

#include "client/keymake.h"
#include "client/tray/app.h"

struct ui; /* the toolkit's window of it */

struct export_dialog {
    struct tray_app *app;
    struct ui *ui;
    struct keyfile_info info;
    char line[SSHKEY_LINE_MAX];
    /* What is shown. */
    char who[160], fingerprint[SSHKEY_FINGERPRINT_MAX], binding[KEY_BINDING_MAX];
    bool can_connect, can_enroll; /* buttons that lead on */
};

#define EXPORT_NAME_MAX (KEYFILE_USER_MAX + 8)

/* --- export_dialog.c, for the toolkit ----------------------------------------------------------- */

/* The buttons. The name is the one to propose; export_save() writes and says what came of it. */
void export_copy(const struct export_dialog *d);
void export_name(const struct export_dialog *d, char dst[EXPORT_NAME_MAX]);
void export_save(const struct export_dialog *d, const char *path);
/* Is it still the dialog that is open? For what comes back from choosing a file. */
bool export_is_open(const struct export_dialog *d);
/* The widgets are gone; `d` is freed. */
void export_gone(struct export_dialog *d);

/* --- export_gtk.c, export_win.c ----------------------------------------------------------------- */

struct ui *export_ui_new(struct export_dialog *d);
void export_ui_front(struct ui *u);
/* What has been done, in the place of the words about waiting. */
void export_ui_say(struct ui *u, const char *text);

#endif
