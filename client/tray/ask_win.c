/* Messages, questions, and where to save; see ask.h and app_win.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <commdlg.h>

#include "client/tray/app_win.h"
#include "client/tray/text_win.h"
#include "client/tray/texts.h"
#include "client/tray/ui_win.h"

#define ASK_WIDTH 440
#define ICON_SIZE 32

enum { ID_HEAD = 100, ID_TEXT, ID_ICON };

struct question {
    enum ask_icon icon;
    void (*yes)(void *data);
    void *data;
    bool owned;
};

static void on_command(struct ui *u, int id, int code)
{
    struct question *kept = u->data, q = *kept;

    (void)code;
    if (id != IDOK && id != IDCANCEL)
        return;
    kept->owned = false; /* `yes` still reads the data */
    ui_close(u);
    if (id == IDOK && q.yes != NULL)
        q.yes(q.data);
    if (q.owned)
        free(q.data);
}

static void on_draw(struct ui *u, int id, HDC dc, const RECT *r, UINT dpi)
{
    static const LPCWSTR icons[] = {(LPCWSTR)IDI_INFORMATION, (LPCWSTR)IDI_WARNING,
                                    (LPCWSTR)IDI_ERROR};
    const struct question *q = u->data;
    int size = MulDiv(ICON_SIZE, (int)dpi, USER_DEFAULT_SCREEN_DPI);

    (void)id;
    (void)FillRect(dc, r, theme_brush(THEME_BACK));
    (void)DrawIconEx(dc, 0, 0, LoadIconW(NULL, icons[q->icon]), size, size, 0, NULL, DI_NORMAL);
}

static void on_freed(struct ui *u)
{
    struct question *q = u->data;

    if (q->owned)
        free(q->data);
    free(q);
}

static const struct ui_ops ops = {.command = on_command, .draw = on_draw, .freed = on_freed};

static struct ui *make(struct tray_app *app, const struct question *q, const char *title,
                       const char *text)
{
    struct question *kept = malloc(sizeof(*kept));
    struct ui *u;

    if (kept == NULL)
        abort();
    *kept = *q;
    u = ui_new(app_parent(app), NULL, "PRA", false, ASK_WIDTH, &ops, kept);
    (void)ui_add(u, UI_PICTURE, ID_ICON, NULL, "", 0);
    ui_height(u, ICON_SIZE);
    (void)ui_add(u, UI_HEADING, ID_HEAD, NULL, title, 0);
    if (text[0] != '\0')
        (void)ui_add(u, UI_READ, ID_TEXT, NULL, text, 0);
    return u;
}

void ask_message(struct tray_app *app, enum ask_icon icon, const char *title, const char *text)
{
    struct ui *u = make(app, &(struct question){.icon = icon}, title, text);

    ui_show(u, ui_button(u, IDOK, TXT_B_OK, true));
    (void)MessageBeep(icon == ASK_ERROR ? MB_ICONERROR : MB_ICONINFORMATION);
}

void ask(struct tray_app *app, const struct ask_question *question)
{
    const struct question q = {.icon = ASK_WARNING,
                               .yes = question->yes,
                               .data = question->data,
                               .owned = question->owned};
    struct ui *u = make(app, &q, question->title, question->text);
    HWND yes = ui_button(u, IDOK, question->action, !question->careful);
    HWND cancel = ui_button(u, IDCANCEL, TXT_B_CANCEL, question->careful);

    ui_show(u, question->careful ? cancel : yes);
}

/* What a dialog of the system chose, as UTF-8. */
static bool chosen_path(const wchar_t *file, char path[OS_PATH_MAX])
{
    char *utf8 = text_utf8(file);
    bool fits = strlen(utf8) < OS_PATH_MAX;

    if (fits)
        memcpy(path, utf8, strlen(utf8) + 1);
    free(utf8);
    return fits;
}

bool ask_open(HWND owner, const char *title, const wchar_t *pattern, char path[OS_PATH_MAX])
{
    wchar_t file[OS_PATH_MAX] = L"", filter[64] = L"", *wide_title = text_wide(title);
    size_t n = wcslen(pattern);
    OPENFILENAMEW o = {.lStructSize = sizeof(o),
                       .hwndOwner = owner,
                       .lpstrFilter = filter,
                       .lpstrFile = file,
                       .nMaxFile = OS_PATH_MAX,
                       .lpstrTitle = wide_title,
                       .Flags =
                           OFN_EXPLORER | OFN_FILEMUSTEXIST | OFN_NOCHANGEDIR | OFN_HIDEREADONLY};
    bool chosen;

    /* Its words and the pattern are the same; the last NUL is in the array already. */
    if (2 * n + 3 <= sizeof(filter) / sizeof(filter[0])) {
        memcpy(filter, pattern, n * sizeof(*pattern));
        memcpy(filter + n + 1, pattern, n * sizeof(*pattern));
    }
    chosen = GetOpenFileNameW(&o);
    free(wide_title);
    return chosen && chosen_path(file, path);
}

bool ask_save_as(HWND owner, const char *title, const char *name, bool overwrite,
                 char path[OS_PATH_MAX])
{
    wchar_t file[OS_PATH_MAX], *wide_title = text_wide(title);
    OPENFILENAMEW o = {.lStructSize = sizeof(o),
                       .hwndOwner = owner,
                       .lpstrFile = file,
                       .nMaxFile = OS_PATH_MAX,
                       .lpstrTitle = wide_title,
                       .Flags = OFN_EXPLORER | OFN_PATHMUSTEXIST | OFN_NOCHANGEDIR |
                                OFN_HIDEREADONLY | (overwrite ? OFN_OVERWRITEPROMPT : 0)};
    bool chosen;

    text_wide_copy(file, OS_PATH_MAX, name);
    chosen = GetSaveFileNameW(&o);
    free(wide_title);
    return chosen && chosen_path(file, path);
}
