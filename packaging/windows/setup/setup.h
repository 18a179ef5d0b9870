/*
 * What the installers (MSI custom actions, NSIS) cannot do with tables and scripts alone. Windows
 * only; the one library prasetup.dll runs elevated, so everything that a user of the PC can have
 * prepared (files in a profile, a folder in ProgramData, running programs) is hostile input here.
 */
#ifndef PRA_SETUP_H
#define PRA_SETUP_H

#include <stdbool.h>

#include <windows.h>

#define SETUP_TEXT_MAX 512

/*
 * The name that Windows shows for an older client which has to be removed first: PRA PLUS or PRA
 * ポートフォワード of another maker, or PRA by the other kind of installer. `own` is the name of the
 * caller's own entry below Uninstall ("" for none), which does not count.
 */
bool setup_find_older(const wchar_t *own, wchar_t name[SETUP_TEXT_MAX]);

/*
 * Ends the programs that run from `folder`: asks their windows as Windows does when a session ends,
 * and after some seconds terminates what is left. Returns how many could not be ended.
 */
int setup_close_clients(const wchar_t *folder);

/*
 * ProgramData\Pra and its folder log: made, or taken over when somebody made them before, so that
 * only administrators write here and everybody may make a folder of his own below log. Returns a
 * Windows error code.
 */
DWORD setup_prepare_data(void);

/*
 * Makes the folder `path`, or takes it over with the owner and the access list of `sddl`; a link in its
 * place is deleted. Returns a Windows error code.
 */
DWORD setup_secure_folder(const wchar_t *path, const wchar_t *sddl);

/*
 * May the programs go to `folder`? Anywhere below Program Files; elsewhere it has to be new, empty or
 * where PRA is, no drive as a whole, and below folders that only administrators can replace.
 */
bool setup_folder_fits(const wchar_t *folder);

/*
 * Makes it, so that only administrators write there; below Program Files there is nothing to do.
 * `upgrade`: PRA was there until now, so that it need not be empty. Returns a Windows error code.
 */
DWORD setup_prepare_folder(const wchar_t *folder, bool upgrade);

/*
 * Deletes keys, settings and logs of every user, and what the installer remembers. Links are
 * deleted, never followed. Returns how many entries could not be deleted.
 */
int setup_purge(void);

/*
 * What the command line says behind "/NAME=": whole, even with blanks or with the slashes that NSIS's
 * own macro would stop at; the first SETUP_TEXT_MAX - 1 letters of it. Returns false if it says nothing.
 */
bool setup_option(const wchar_t *name, wchar_t out[SETUP_TEXT_MAX]);

/* Puts `folder` at the end of the machine's PATH, or takes it out. Returns a Windows error code. */
DWORD setup_path(const wchar_t *folder, bool wanted);

/* "host", "host:port" or "[v6]:port"; "" is fine as well: none given. */
bool setup_server_valid(const wchar_t *text);

/* "SHA256:" and 43 base64 digits; "" is fine as well: none given. */
bool setup_fingerprint_valid(const wchar_t *text);

/* Switches `name` (SE_..._NAME) on for this process. Without it what needs it fails and says so. */
void setup_enable_privilege(const wchar_t *name);

#endif
