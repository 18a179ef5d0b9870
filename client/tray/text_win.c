/* text_win.h */
#include "client/tray/text_win.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"

/* Nothing can be drawn or said without memory. */
static void *must(void *p)
{
    if (p == NULL)
        abort();
    return p;
}

wchar_t *text_wide(const char *utf8)
{
    int n = MultiByteToWideChar(CP_UTF8, 0, utf8, -1, NULL, 0);
    wchar_t *wide = must(calloc((size_t)(n > 0 ? n : 1), sizeof(*wide)));

    if (n > 0)
        (void)MultiByteToWideChar(CP_UTF8, 0, utf8, -1, wide, n);
    return wide;
}

char *text_utf8(const wchar_t *wide)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *utf8 = must(calloc((size_t)(n > 0 ? n : 1), 1));

    if (n > 0)
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, utf8, n, NULL, NULL);
    return utf8;
}

/* A copy in which every `what` is replaced by the string `with`, and freed is the old one. */
static char *replace_all(const char *s, char what, const char *with)
{
    size_t count = 0, extra = strlen(with);
    char *out, *p;

    for (const char *q = s; *q != '\0'; q++)
        count += *q == what;
    p = out = must(malloc(strlen(s) + count * extra + 1));
    for (; *s != '\0'; s++) {
        if (*s != what) {
            *p++ = *s;
            continue;
        }
        memcpy(p, with, extra);
        p += extra;
    }
    *p = '\0';
    return out;
}

wchar_t *text_wide_lines(const char *utf8)
{
    char *lines = replace_all(utf8, '\n', "\r\n");
    wchar_t *wide = text_wide(lines);

    free(lines);
    return wide;
}

wchar_t *text_label(const char *utf8)
{
    char *doubled = replace_all(utf8, '&', "&&"), *label = replace_all(doubled, '_', "&");
    wchar_t *wide = text_wide(label);

    free(label);
    free(doubled);
    return wide;
}

void text_wide_copy(wchar_t *dst, size_t cap, const char *utf8)
{
    wchar_t *wide = text_wide(utf8);
    size_t n = wcslen(wide);

    if (n >= cap)
        n = cap - 1;
    if (n > 0 && wide[n] != L'\0' && IS_HIGH_SURROGATE(wide[n - 1]))
        n--;
    memcpy(dst, wide, n * sizeof(*dst));
    dst[n] = L'\0';
    free(wide);
}

/* Takes `wide`. */
static bool set(HWND w, wchar_t *wide)
{
    int n = GetWindowTextLengthW(w);
    wchar_t *now = must(calloc((size_t)n + 1, sizeof(*now)));
    bool other;

    (void)GetWindowTextW(w, now, n + 1);
    other = wcscmp(now, wide) != 0;
    if (other)
        (void)SetWindowTextW(w, wide);
    free(now);
    free(wide);
    return other;
}

bool text_set(HWND w, const char *utf8)
{
    return set(w, text_wide(utf8));
}

bool text_set_label(HWND w, const char *label)
{
    return set(w, text_label(label));
}

bool text_set_lines(HWND w, const char *utf8)
{
    return set(w, text_wide_lines(utf8));
}

char *text_get(HWND w, char *dst, size_t cap)
{
    wchar_t wide[TEXT_FIELD_MAX];
    char *utf8;

    (void)GetWindowTextW(w, wide, TEXT_FIELD_MAX);
    utf8 = text_utf8(wide);
    if (strlen(utf8) < cap)
        memcpy(dst, utf8, strlen(utf8) + 1);
    else
        dst[0] = '\0';
    free(utf8);
    return dst;
}

bool text_get_secret(HWND w, char *dst, size_t cap)
{
    wchar_t wide[TEXT_FIELD_MAX];
    int n;

    (void)GetWindowTextW(w, wide, TEXT_FIELD_MAX);
    n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, dst, (int)cap, NULL, NULL);
    crypto_wipe(wide, sizeof(wide));
    if (n > 0)
        return true;
    dst[0] = '\0';
    return false;
}

void text_forget(HWND w)
{
    wchar_t filler[TEXT_FIELD_MAX];
    int n = GetWindowTextLengthW(w);

    if (n >= TEXT_FIELD_MAX)
        n = TEXT_FIELD_MAX - 1;
    for (int i = 0; i < n; i++)
        filler[i] = L'x';
    filler[n] = L'\0';
    (void)SetWindowTextW(w, filler);
    (void)SetWindowTextW(w, L"");
    (void)SendMessageW(w, EM_EMPTYUNDOBUFFER, 0, 0);
}

/* The text as the clipboard wants it; NULL without memory. */
static HGLOBAL clip_memory(const char *utf8)
{
    wchar_t *wide = text_wide(utf8);
    size_t size = (wcslen(wide) + 1) * sizeof(*wide);
    HGLOBAL memory = GlobalAlloc(GMEM_MOVEABLE, size);
    void *place = memory != NULL ? GlobalLock(memory) : NULL;

    if (place != NULL) {
        memcpy(place, wide, size);
        (void)GlobalUnlock(memory);
    }
    free(wide);
    return memory;
}

bool text_copy(HWND owner, const char *utf8)
{
    HGLOBAL memory;
    bool done = false;

    if (!OpenClipboard(owner))
        return false;
    (void)EmptyClipboard();
    memory = clip_memory(utf8);
    if (memory != NULL)
        done = SetClipboardData(CF_UNICODETEXT, memory) != NULL; /* the clipboard owns it now */
    (void)CloseClipboard();
    return done;
}
