/*
 * os.h for Windows, secrets from people: asked for on the console without echo, or read from the
 * first line of a file.
 */
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

/* As on POSIX: one line, byte by byte, so that nothing behind it is taken. */
static int read_line(int fd, char *dst, size_t cap, size_t *len)
{
    *len = 0;
    for (;;) {
        char ch;
        ssize_t n = read(fd, &ch, 1);

        if (n < 0 && errno != EPIPE)
            return PRA_EIO;
        if (n <= 0)
            return *len == 0 ? PRA_ECLOSED : 0;
        if (ch == '\n')
            return 0;
        if (ch == '\0')
            return PRA_EINVAL;
        if (*len + 1 >= cap)
            return PRA_ETOOBIG;
        dst[(*len)++] = ch;
    }
}

static int open_secret(const char *path, int *out, struct fault *f)
{
    struct stat st;
    int fd;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return fault_set(f, PRA_EUNSUPPORTED, "%s: is no file", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? PRA_ENOENT : PRA_EUNSUPPORTED, "%s: %s", path,
                         strerror(errno));
    *out = fd;
    return 0;
}

int os_read_secret_file(const char *path, char *dst, size_t cap, struct fault *f)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int fd = STDIN_FILENO, rc;
    size_t len = 0;

    if (!standard && (rc = open_secret(path, &fd, f)) != 0)
        return rc;
    rc = read_line(fd, dst, cap, &len);
    if (rc == 0 && len > 0 && dst[len - 1] == '\r')
        len--;
    if (rc == 0 && len == 0)
        rc = PRA_EINVAL;
    if (rc == PRA_ETOOBIG)
        fault_set(f, rc, "%s: the first line is longer than %zu bytes", name, cap - 1);
    else if (rc == PRA_EINVAL)
        fault_set(f, rc, "%s: the first line is empty or holds a NUL byte", name);
    else if (rc == PRA_ECLOSED)
        fault_set(f, rc, "%s: is empty", name);
    else if (rc != 0)
        rc = fault_set(f, PRA_ECLOSED, "%s: %s", name, strerror(errno));
    if (!standard)
        close(fd);
    if (rc != 0)
        crypto_wipe(dst, cap);
    else
        dst[len] = '\0';
    return rc;
}
