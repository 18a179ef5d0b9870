/* Between ui_win.c, ui_items_win.c and ui_layout_win.c only. */
#ifndef PRA_CLIENT_TRAY_UI_INTERNAL_WIN_H
#define PRA_CLIENT_TRAY_UI_INTERNAL_WIN_H

#include "client/tray/ui_win.h"

/* The main window's class: a dialog by another name, so that a second instance can find it. */
#define UI_WINDOW_CLASS L"PraTrayWindow"

HINSTANCE ui_instance(void);
enum theme_font ui_font_of(enum ui_kind kind);
/* The controls' own drawing, light or dark. */
void ui_theme_items(struct ui *u);

#endif
