/* ui_win.h: the controls. A label is made right before its control: that is how screen readers know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COBJMACROS
#include <initguid.h>

#include <windows.h>

#include <commctrl.h>
#include <oleacc.h>

#include "client/tray/text_win.h"
#include "client/tray/ui_internal_win.h"
#include "common/msg.h"

#define ENTRY_MAX 512

struct make {
    const wchar_t *class_name;
    DWORD style, extended;
};

static struct make how(enum ui_kind kind, int flags)
{
    static const DWORD plain = SS_NOPREFIX;
    DWORD scroll = (flags & UI_GROW) != 0 ? WS_VSCROLL : 0;

    switch (kind) {
    case UI_READ:
        return (struct make){L"EDIT", WS_TABSTOP | ES_READONLY | ES_MULTILINE, 0};
    case UI_BOX:
        return (struct make){L"EDIT", WS_TABSTOP | ES_READONLY | ES_MULTILINE | scroll,
                             WS_EX_CLIENTEDGE};
    case UI_ENTRY:
        return (struct make){L"EDIT", WS_TABSTOP | ES_AUTOHSCROLL, WS_EX_CLIENTEDGE};
    case UI_SECRET:
        return (struct make){L"EDIT", WS_TABSTOP | ES_AUTOHSCROLL | ES_PASSWORD, WS_EX_CLIENTEDGE};
    case UI_CHECK:
        return (struct make){L"BUTTON", WS_TABSTOP | BS_AUTOCHECKBOX, 0};
    case UI_CHOICE:
        return (struct make){L"COMBOBOX", WS_TABSTOP | WS_VSCROLL | CBS_DROPDOWNLIST, 0};
    case UI_BAR:
        return (struct make){PROGRESS_CLASSW, 0, 0};
    case UI_LIST:
        return (struct make){WC_LISTVIEWW,
                             WS_TABSTOP | LVS_REPORT | LVS_SINGLESEL | LVS_SHOWSELALWAYS,
                             WS_EX_CLIENTEDGE};
    case UI_PICTURE:
        return (struct make){L"PraPicture", 0, 0};
    default:
        return (struct make){L"STATIC", plain, 0};
    }
}

enum theme_font ui_font_of(enum ui_kind kind)
{
    switch (kind) {
    case UI_HEADING:
    case UI_BAD:
        return THEME_BOLD;
    case UI_STATUS:
        return THEME_BIG;
    default:
        return THEME_PLAIN;
    }
}

static HWND make(const struct ui *u, const struct make *m, int id, wchar_t *text)
{
    HWND w = CreateWindowExW(m->extended, m->class_name, text, WS_CHILD | WS_VISIBLE | m->style, 0,
                             0, 10, 10, u->window, (HMENU)(INT_PTR)id, ui_instance(), NULL);

    free(text);
    if (w == NULL)
        abort();
    (void)SendMessageW(w, WM_SETFONT, (WPARAM)u->fonts.font[THEME_PLAIN], FALSE);
    return w;
}

HWND ui_add(struct ui *u, enum ui_kind kind, int id, const char *label, const char *text, int flags)
{
    static const struct make label_make = {L"STATIC", 0, 0};
    struct ui_item *item = &u->item[u->items];
    struct make m = how(kind, flags);

    if (u->items == UI_ITEMS_MAX)
        abort();
    u->items++;
    *item = (struct ui_item){.kind = kind, .id = id, .flags = flags};
    if (label != NULL)
        item->label = make(u, &label_make, -1, text_label(label));
    item->control = make(u, &m, id, kind == UI_CHECK ? text_label(text) : text_wide_lines(text));
    (void)SendMessageW(item->control, WM_SETFONT, (WPARAM)u->fonts.font[ui_font_of(kind)], FALSE);
    if (kind == UI_ENTRY || kind == UI_SECRET)
        (void)SendMessageW(item->control, EM_SETLIMITTEXT, ENTRY_MAX, 0);
    if (kind == UI_LIST)
        (void)ListView_SetExtendedListViewStyle(
            item->control, LVS_EX_FULLROWSELECT | LVS_EX_DOUBLEBUFFER | LVS_EX_INFOTIP);
    if (kind == UI_BAR)
        (void)SendMessageW(item->control, PBM_SETRANGE32, 0, 1000);
    return item->control;
}

void ui_height(struct ui *u, int height)
{
    u->item[u->items - 1].height = height;
}

HWND ui_make_button(struct ui *u, int id, const char *label)
{
    static const struct make button_make = {L"BUTTON", WS_TABSTOP | BS_PUSHBUTTON, 0};

    return make(u, &button_make, id, text_label(label));
}

HWND ui_button(struct ui *u, int id, const char *label, bool is_default)
{
    HWND w = ui_make_button(u, id, label);

    if (is_default) {
        (void)SetWindowLongPtrW(w, GWL_STYLE,
                                (GetWindowLongPtrW(w, GWL_STYLE) & ~(LONG_PTR)BS_TYPEMASK) |
                                    BS_DEFPUSHBUTTON);
        (void)SendMessageW(u->window, DM_SETDEFID, (WPARAM)id, 0);
    }
    u->button[u->buttons++] = w;
    return w;
}

/* Check boxes draw their text in the theme's colour, which is black: without a theme they ask us. */
static void theme_check(HWND w)
{
    theme_control(w, L"");
}

static void theme_list(HWND w)
{
    theme_control(w, L"DarkMode_Explorer");
    theme_control(ListView_GetHeader(w), L"DarkMode_ItemsView");
    (void)ListView_SetBkColor(w, theme_colour(THEME_FIELD));
    (void)ListView_SetTextBkColor(w, theme_colour(THEME_FIELD));
    (void)ListView_SetTextColor(w, theme_colour(THEME_TEXT));
}

void ui_theme_items(struct ui *u)
{
    for (HWND w = GetWindow(u->window, GW_CHILD); w != NULL; w = GetWindow(w, GW_HWNDNEXT))
        theme_control(w, L"DarkMode_Explorer");
    for (size_t i = 0; i < u->items; i++) {
        if (u->item[i].kind == UI_CHECK)
            theme_check(u->item[i].control);
        else if (u->item[i].kind == UI_LIST)
            theme_list(u->item[i].control);
        else if (u->item[i].kind == UI_CHOICE)
            theme_control(u->item[i].control, L"DarkMode_CFD");
    }
}

/* --- names for screen readers ----------------------------------------------------------------- */

void ui_name(HWND control, const char *name)
{
    IAccPropServices *services = NULL;
    wchar_t *wide = text_wide(name);

    if (SUCCEEDED(CoCreateInstance(&CLSID_AccPropServices, NULL, CLSCTX_INPROC_SERVER,
                                   &IID_IAccPropServices, (void **)&services))) {
        (void)IAccPropServices_SetHwndPropStr(services, control, (DWORD)OBJID_CLIENT, CHILDID_SELF,
                                              PROPID_ACC_NAME, wide);
        (void)IAccPropServices_Release(services);
    }
    free(wide);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

void ui_trouble(struct ui *u, int id)
{
    (void)ui_add(u, UI_BAD, id, NULL, "", 0);
    (void)ui_add(u, UI_BOX, id + 1, NULL, "", 0);
    ui_hide(u, id, true);
    ui_hide(u, id + 1, true);
}

void ui_trouble_show(struct ui *u, int id, const char *title, const char *cause, const char *remedy)
{
    char text[2 * MSG_TEXT_MAX + 2];
    HWND head = ui_control(u, id);
    bool any = title[0] != '\0', news = any && !IsWindowVisible(head);

    snprintf(text, sizeof(text), "%s%s%s", cause, cause[0] != '\0' && remedy[0] != '\0' ? "\n" : "",
             remedy);
    ui_text(u, id, title);
    ui_text(u, id + 1, text);
    ui_hide(u, id, !any);
    ui_hide(u, id + 1, !any || text[0] == '\0');
    if (news)
        NotifyWinEvent(EVENT_SYSTEM_ALERT, head, OBJID_CLIENT, CHILDID_SELF);
}

/* --- lists ------------------------------------------------------------------------------------ */

void ui_list_column(HWND list, int column, const char *title, int width_px)
{
    wchar_t *wide = text_wide(title);
    LVCOLUMNW c = {.mask = LVCF_TEXT | LVCF_WIDTH, .cx = width_px, .pszText = wide};

    (void)SendMessageW(list, LVM_INSERTCOLUMNW, (WPARAM)column, (LPARAM)&c);
    free(wide);
}

void ui_list_cell(HWND list, int row, int column, const char *text)
{
    wchar_t now[TEXT_FIELD_MAX] = L"", *wide = text_wide(text);
    LVITEMW item = {.mask = LVIF_TEXT,
                    .iItem = row,
                    .iSubItem = column,
                    .pszText = now,
                    .cchTextMax = TEXT_FIELD_MAX};

    if (row >= ListView_GetItemCount(list)) {
        item.iSubItem = 0;
        (void)SendMessageW(list, LVM_INSERTITEMW, 0, (LPARAM)&item);
        item.iSubItem = column;
    }
    (void)SendMessageW(list, LVM_GETITEMTEXTW, (WPARAM)row, (LPARAM)&item);
    item.pszText = wide;
    if (wcscmp(now, wide) != 0)
        (void)SendMessageW(list, LVM_SETITEMTEXTW, (WPARAM)row, (LPARAM)&item);
    free(wide);
}
