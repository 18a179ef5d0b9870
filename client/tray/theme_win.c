/* theme_win.h. The setting is a registry value; Windows has no call for it outside WinRT. */
#include "client/tray/theme_win.h"

#include <string.h>

#include <dwmapi.h>
#include <uxtheme.h>

/* DWMWA_USE_IMMERSIVE_DARK_MODE of newer headers, since Windows 10 20H1. */
#define DARK_TITLE_BAR 20

static const COLORREF dark_colours[THEME_COLOURS] = {
    [THEME_TEXT] = RGB(240, 240, 240), [THEME_DIM] = RGB(176, 176, 176),
    [THEME_GOOD] = RGB(98, 204, 138),  [THEME_BAD] = RGB(255, 133, 128),
    [THEME_BACK] = RGB(32, 32, 32),    [THEME_FIELD] = RGB(45, 45, 45)};

static bool known, dark;
static HBRUSH brushes[THEME_COLOURS];

static bool high_contrast(void)
{
    HIGHCONTRASTW hc = {.cbSize = sizeof(hc)};

    return SystemParametersInfoW(SPI_GETHIGHCONTRAST, sizeof(hc), &hc, 0) &&
           (hc.dwFlags & HCF_HIGHCONTRASTON) != 0;
}

static bool read_dark(void)
{
    DWORD light = 1, size = sizeof(light);

    (void)RegGetValueW(HKEY_CURRENT_USER,
                       L"Software\\Microsoft\\Windows\\CurrentVersion\\Themes\\Personalize",
                       L"AppsUseLightTheme", RRF_RT_REG_DWORD, NULL, &light, &size);
    return light == 0 && !high_contrast();
}

bool theme_is_dark(void)
{
    if (!known)
        (void)theme_reload();
    return dark;
}

COLORREF theme_colour(enum theme_colour c)
{
    if (theme_is_dark())
        return dark_colours[c];
    if (high_contrast() && (c == THEME_DIM || c == THEME_GOOD || c == THEME_BAD))
        return GetSysColor(COLOR_WINDOWTEXT);
    switch (c) {
    case THEME_DIM:
        return RGB(92, 92, 92);
    case THEME_GOOD:
        return RGB(16, 110, 50);
    case THEME_BAD:
        return RGB(176, 16, 24);
    case THEME_BACK:
        return GetSysColor(COLOR_BTNFACE);
    case THEME_FIELD:
        return GetSysColor(COLOR_WINDOW);
    default:
        return GetSysColor(COLOR_WINDOWTEXT);
    }
}

HBRUSH theme_brush(enum theme_colour c)
{
    if (brushes[c] == NULL)
        brushes[c] = CreateSolidBrush(theme_colour(c));
    return brushes[c];
}

bool theme_reload(void)
{
    bool now = read_dark(), changed = known && now != dark;

    known = true;
    dark = now;
    /* Old brushes may still be selected somewhere: a change happens a few times a day at most. */
    memset(brushes, 0, sizeof(brushes));
    return changed;
}

void theme_frame(HWND window)
{
    BOOL on = theme_is_dark();

    (void)DwmSetWindowAttribute(window, DARK_TITLE_BAR, &on, sizeof(on));
}

void theme_control(HWND control, const wchar_t *dark_class)
{
    (void)SetWindowTheme(control, theme_is_dark() ? dark_class : NULL, NULL);
}

void theme_fonts_make(struct theme_fonts *f, UINT dpi)
{
    NONCLIENTMETRICSW m = {.cbSize = sizeof(m)};
    LOGFONTW font;

    if (!SystemParametersInfoForDpi(SPI_GETNONCLIENTMETRICS, sizeof(m), &m, 0, dpi))
        (void)SystemParametersInfoW(SPI_GETNONCLIENTMETRICS, sizeof(m), &m, 0);
    font = m.lfMessageFont;
    f->font[THEME_PLAIN] = CreateFontIndirectW(&font);
    font.lfWeight = FW_BOLD;
    f->font[THEME_BOLD] = CreateFontIndirectW(&font);
    font.lfHeight = MulDiv(font.lfHeight, 13, 10);
    f->font[THEME_BIG] = CreateFontIndirectW(&font);
    font = m.lfMessageFont;
    memcpy(font.lfFaceName, L"Consolas", sizeof(L"Consolas"));
    font.lfPitchAndFamily = FIXED_PITCH | FF_MODERN;
    f->font[THEME_MONO] = CreateFontIndirectW(&font);
}

void theme_fonts_free(struct theme_fonts *f)
{
    for (int i = 0; i < THEME_FONTS; i++) {
        if (f->font[i] != NULL)
            (void)DeleteObject(f->font[i]);
        f->font[i] = NULL;
    }
}
