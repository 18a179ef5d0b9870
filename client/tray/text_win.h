/* Text between UTF-8, in which all of PRA is written, and the UTF-16 of Windows; the clipboard. */
#ifndef PRA_CLIENT_TRAY_TEXT_WIN_H
#define PRA_CLIENT_TRAY_TEXT_WIN_H

#include <stdbool.h>
#include <stddef.h>

#include <windows.h>

/* Longest text of a field that is read, in UTF-8 with its NUL. */
#define TEXT_FIELD_MAX 4096

/* A new string, never NULL (ends the program without memory). Broken UTF-8 becomes U+FFFD. Free with
   free(). */
wchar_t *text_wide(const char *utf8);
char *text_utf8(const wchar_t *wide);

/* For controls that break lines by CR LF. */
wchar_t *text_wide_lines(const char *utf8);

/* Labels of texts.h: "_" becomes "&", and "&" is doubled. */
wchar_t *text_label(const char *utf8);

/* Writes `utf8` into `dst`, cut at a whole letter to fit `cap` (units, with NUL). */
void text_wide_copy(wchar_t *dst, size_t cap, const char *utf8);

/* Sets a window's text unless it has it: what is marked stays marked, and nothing flickers. True if
   it was another one. */
bool text_set(HWND w, const char *utf8);
bool text_set_label(HWND w, const char *label);
bool text_set_lines(HWND w, const char *utf8);

/* Reads a field. Returns `dst`, whole or (where it does not fit) cut. */
char *text_get(HWND w, char *dst, size_t cap);
/* The same for a passphrase: what is copied on the way is wiped. False if it does not fit whole. */
bool text_get_secret(HWND w, char *dst, size_t cap);
/* Writes over a field's own memory before it is emptied. */
void text_forget(HWND w);

/* Puts text onto the clipboard; false if another program holds it. */
bool text_copy(HWND owner, const char *utf8);

#endif
