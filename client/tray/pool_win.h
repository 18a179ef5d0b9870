/* The random pool of A3 as Windows draws it: fed by moving the mouse and by typing in its dialog. */
#ifndef PRA_CLIENT_TRAY_POOL_WIN_H
#define PRA_CLIENT_TRAY_POOL_WIN_H

#include <stdbool.h>

#include <windows.h>

#include "client/tray/pool_state.h"

/* Takes a message of the dialog or its controls; `grew` says whether to draw. True when it has filled
   the pool. */
bool pool_event(struct pool_state *p, const MSG *m, bool *grew);
void pool_draw(const struct pool_state *p, HDC dc, const RECT *r, UINT dpi);
/* In 1/96 inch. */
#define POOL_HEIGHT 84

#endif
