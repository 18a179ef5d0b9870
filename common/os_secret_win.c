/* os.h for Windows: secrets asked for on the console without echo. */
#include "common/os.h"

#include "common/crypto.h"

#define CTRL_C     0x03
#define BACKSPACE  0x08
#define CTRL_Z     0x1a
#define DELETE_KEY 0x7f

/*
 * One line from a console in raw mode. Returns 0, PRA_ETOOBIG, PRA_ECLOSED; the caller wipes the
 * letters, whatever is returned.
 */
static int read_letters(HANDLE in, wchar_t *letters, size_t cap)
{
    size_t len = 0;

    for (;;) {
        wchar_t c;
        DWORD n = 0;

        if (!ReadConsoleW(in, &c, 1, &n, NULL) || n == 0 || c == CTRL_C ||
            (c == CTRL_Z && len == 0))
            return PRA_ECLOSED;
        if (c == L'\r' || c == L'\n')
            break;
        if (c == BACKSPACE || c == DELETE_KEY) {
            if (len > 0)
                len--;
            if (len > 0 && IS_HIGH_SURROGATE(letters[len - 1]))
                len--;
            continue;
        }
        if (c < L' ')
            continue;
        if (len + 1 >= cap)
            return PRA_ETOOBIG;
        letters[len++] = c;
    }
    letters[len] = L'\0';
    return 0;
}

static void say(HANDLE out, const char *text)
{
    wchar_t *wide = win_wide(text);
    DWORD n;

    /* A prompt that cannot be shown does not stop the person from typing. */
    if (wide != NULL)
        (void)WriteConsoleW(out, wide, (DWORD)wcslen(wide), &n, NULL);
    free(wide);
}

static HANDLE open_console(const wchar_t *name)
{
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                       OPEN_EXISTING, 0, NULL);
}

int os_read_secret(const char *prompt, char *dst, size_t cap, struct fault *f)
{
    HANDLE in = open_console(L"CONIN$"), out = open_console(L"CONOUT$");
    size_t room = cap + 1;
    wchar_t *letters = NULL;
    DWORD before = 0;
    int rc = PRA_EUNSUPPORTED;

    if (in == INVALID_HANDLE_VALUE || !GetConsoleMode(in, &before) ||
        (letters = calloc(room, sizeof(*letters))) == NULL) {
        fault_set(f, rc, "there is no terminal to ask on");
        goto out;
    }
    /* Without ENABLE_PROCESSED_INPUT Ctrl-C is a letter, and does not end us with the echo off. */
    if (!SetConsoleMode(in, 0)) {
        fault_set(f, rc, "the terminal's echo cannot be turned off");
        goto out;
    }
    say(out, prompt);
    rc = read_letters(in, letters, room);
    (void)FlushConsoleInputBuffer(in); /* what was typed beyond the limit */
    (void)SetConsoleMode(in, before);
    say(out, "\r\n");
    if (rc == 0 && !win_utf8(letters, dst, cap))
        rc = PRA_ETOOBIG;
    if (rc != 0) {
        crypto_wipe(dst, cap);
        if (rc == PRA_ETOOBIG)
            fault_set(f, rc, "longer than %zu bytes", cap - 1);
        else
            fault_set(f, rc, "the input ended or was interrupted");
    }
out:
    if (letters != NULL)
        crypto_wipe(letters, room * sizeof(*letters));
    free(letters);
    if (in != INVALID_HANDLE_VALUE)
        CloseHandle(in);
    if (out != INVALID_HANDLE_VALUE)
        CloseHandle(out);
    return rc;
}
