/*
 * What every window of pra-tray.exe is made of: a real dialog (Tab, mnemonics, default button and
 * screen readers as everywhere in Windows) whose standard controls are put in rows by their text's
 * size, anew when DPI, language, theme or content change. Nothing is modal. All texts are UTF-8.
 */
#ifndef PRA_CLIENT_TRAY_UI_WIN_H
#define PRA_CLIENT_TRAY_UI_WIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <windows.h>

#include "client/tray/theme_win.h"

struct ui;

enum ui_kind {
    UI_TEXT,    /* wrapped */
    UI_DIM,     /* the same, less important */
    UI_HEADING, /* bold */
    UI_STATUS,  /* bold and big */
    UI_BAD,     /* bold, in the colour of trouble */
    UI_READ,    /* text to be marked and copied: wrapped, without a frame, a stop of Tab */
    UI_BOX,     /* the same, framed; of several lines, scrolls when it is UI_GROW */
    UI_ENTRY,
    UI_SECRET, /* shows dots */
    UI_CHECK,
    UI_CHOICE, /* drop-down list */
    UI_BAR,    /* progress */
    UI_LIST,   /* report */
    UI_PICTURE /* drawn by ops->draw; its text is its name */
};

/* Places beyond "the next row". */
enum {
    UI_FIELD = 1, /* in the column of the fields */
    UI_GROW = 2   /* takes the height that is left */
};

struct ui_ops {
    void (*command)(struct ui *u, int id, int code);    /* a button (IDOK, ...), a menu, a field */
    LRESULT (*notify)(struct ui *u, const NMHDR *head); /* of a list; may be NULL */
    void (*timer)(struct ui *u);
    void (*event)(struct ui *u, const MSG *m); /* mouse and keys anywhere in it */
    void (*draw)(struct ui *u, int id, HDC dc, const RECT *r, UINT dpi); /* a UI_PICTURE */
    void (*layout)(struct ui *u, int width, int height); /* instead of rows; pixels */
    bool (*close)(struct ui *u);   /* X and Esc; false = stays. NULL: it is destroyed */
    void (*closing)(struct ui *u); /* its controls are still there; may be NULL */
    void (*freed)(struct ui *u);   /* its window is gone; the last call */
};

#define UI_ITEMS_MAX 48

struct ui_item {
    enum ui_kind kind;
    int id, flags, height; /* height: in 1/96 inch, 0 = what the kind needs */
    HWND control, label;   /* label may be NULL */
    bool hidden;
};

struct ui {
    HWND window;
    const struct ui_ops *ops;
    void *data;
    UINT dpi;
    struct theme_fonts fonts;
    int width; /* of the content, in 1/96 inch */
    bool resizable, ready, laying;
    struct ui_item item[UI_ITEMS_MAX];
    size_t items;
    HWND button[8];
    size_t buttons;
    struct ui *next; /* open ones */
};

/* Registers classes and common controls. Once. */
void ui_init(HINSTANCE instance);

/*
 * A window, not shown yet; `owner` may be NULL. The ui is freed after ops->freed(). `class_name` NULL:
 * an ordinary dialog.
 */
struct ui *ui_new(HWND owner, const wchar_t *class_name, const char *title, bool resizable,
                  int width, const struct ui_ops *ops, void *data);

/* Adds a control below the last; `label` NULL, or with a mnemonic that leads to it. Returns it. */
HWND ui_add(struct ui *u, enum ui_kind kind, int id, const char *label, const char *text,
            int flags);
/* The height of the last one added, in 1/96 inch. */
void ui_height(struct ui *u, int height);
/* Adds a button at the bottom, from left to right. */
HWND ui_button(struct ui *u, int id, const char *label, bool is_default);
/* A button anywhere, for windows with a layout of their own. */
HWND ui_make_button(struct ui *u, int id, const char *label);

/* Lays out, centres over the owner (or the screen) and shows; `focus` may be NULL. */
void ui_show(struct ui *u, HWND focus);
void ui_front(struct ui *u);
/* Rows anew: after texts have changed or something was hidden. */
void ui_layout(struct ui *u);
void ui_hide(struct ui *u, int id, bool hidden);
/* Text of a wrapped item; lays out anew if it is another one. */
void ui_text(struct ui *u, int id, const char *text);
HWND ui_control(const struct ui *u, int id);
/* Gives it the focus. */
void ui_focus(const struct ui *u, int id);
void ui_enable(const struct ui *u, int id, bool on);
/* Destroys it; the caller's pointer is no longer good. */
void ui_close(struct ui *u);

/* Pixels of `n`/96 inch. */
int ui_px(const struct ui *u, int n);
/* Size of a text in one of the fonts, wrapped at `width` pixels. */
SIZE ui_measure(const struct ui *u, enum theme_font font, const wchar_t *text, int width);
int ui_button_width(const struct ui *u, HWND button);

/* What a screen reader says about a control whose text does not say it. */
void ui_name(HWND control, const char *name);

/* For the message loop: true when a window of ours has taken the message. */
bool ui_handle(MSG *m);
/* The theme or the language has changed: all open windows are drawn anew. */
void ui_theme_changed(void);

/* A place that shows what is wrong: two items of this id and the next, hidden at first, and by a title
   that is "". */
void ui_trouble(struct ui *u, int id);
void ui_trouble_show(struct ui *u, int id, const char *title, const char *cause,
                     const char *remedy);

/* List columns and cells. */
void ui_list_column(HWND list, int column, const char *title, int width_px);
void ui_list_cell(HWND list, int row, int column, const char *text);

#endif
