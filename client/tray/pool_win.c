/* pool_win.h */
#include "client/tray/pool_win.h"

#include "client/tray/theme_win.h"

#define CELL 13

bool pool_event(struct pool_state *p, const MSG *m, bool *grew)
{
    unsigned before = p->filled;
    LARGE_INTEGER now;
    bool filled = false;

    (void)QueryPerformanceCounter(&now);
    if (m->message == WM_MOUSEMOVE)
        filled = pool_state_move(p, now.QuadPart, m->time, m->pt.x, m->pt.y);
    else if (m->message == WM_KEYDOWN && (m->lParam & 0x40000000) == 0) /* no repetition of a key */
        filled = pool_state_key(p, now.QuadPart, m->time);
    *grew = p->filled != before || pool_state_full(p);
    return filled;
}

static COLORREF blend(COLORREF a, COLORREF b, unsigned part)
{
    return RGB((GetRValue(a) * part + GetRValue(b) * (255 - part)) / 255,
               (GetGValue(a) * part + GetGValue(b) * (255 - part)) / 255,
               (GetBValue(a) * part + GetBValue(b) * (255 - part)) / 255);
}

void pool_draw(const struct pool_state *p, HDC dc, const RECT *r, UINT dpi)
{
    int cell = MulDiv(CELL, (int)dpi, USER_DEFAULT_SCREEN_DPI);
    int left = (r->right - POOL_CELLS_X * cell) / 2;
    COLORREF back = theme_colour(THEME_BACK);

    (void)FillRect(dc, r, theme_brush(THEME_BACK));
    for (int i = 0; i < POOL_CELLS; i++) {
        int x = left + i % POOL_CELLS_X * cell, y = i / POOL_CELLS_X * cell;
        RECT square = {x + 1, y + 1, x + cell - 1, y + cell - 1};
        COLORREF colour = (unsigned)i < p->filled
                              ? blend(RGB(54, 133, 227), back, 64 + p->cell[i] * 191u / 255)
                              : blend(theme_colour(THEME_TEXT), back, 26);
        HBRUSH brush = CreateSolidBrush(colour);

        (void)FillRect(dc, &square, brush);
        (void)DeleteObject(brush);
    }
}
