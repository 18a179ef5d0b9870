/* Colours and fonts of the windows: light or dark as the system is set, for one monitor's DPI. */
#ifndef PRA_CLIENT_TRAY_THEME_WIN_H
#define PRA_CLIENT_TRAY_THEME_WIN_H

#include <stdbool.h>

#include <windows.h>

enum theme_colour {
    THEME_TEXT,
    THEME_DIM,
    THEME_GOOD,
    THEME_BAD,
    THEME_BACK,
    THEME_FIELD,
    THEME_COLOURS
};

/* Is the system set to dark? False under high contrast: the person's own colours are used then. */
bool theme_is_dark(void);
COLORREF theme_colour(enum theme_colour c);
/* A brush that is never freed. */
HBRUSH theme_brush(enum theme_colour c);
/* Looks at the system's setting anew (WM_SETTINGCHANGE). True if it is another one. */
bool theme_reload(void);

/* Title bar and control as the setting is. Call once for each after it is made. */
void theme_frame(HWND window);
void theme_control(HWND control, const wchar_t *dark_class);

enum theme_font { THEME_PLAIN, THEME_BOLD, THEME_BIG, THEME_MONO, THEME_FONTS };

struct theme_fonts {
    HFONT font[THEME_FONTS];
};
void theme_fonts_make(struct theme_fonts *f, UINT dpi);
void theme_fonts_free(struct theme_fonts *f);

#endif
