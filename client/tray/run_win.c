/* run.h by win_start(). */
#include "client/tray/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "client/tray/text_win.h"
#include "client/tray/work.h"
#include "common/os.h"
#include "common/posix_win.h"

#define OUTPUT_MAX (1024u * 1024)
#define TIMEOUT_MS 30000
#define LINE_MAX   16384

/* The program with these two handles (of which `input` may be NULL). */
static bool start(const char *program, const char *const *args, HANDLE input, HANDLE output,
                  HANDLE *process)
{
    char line[OS_PATH_MAX + 512];
    wchar_t *wide_line, *wide_program;
    int len = snprintf(line, sizeof(line), "\"%s\"", program);
    bool ok;

    for (; *args != NULL && len > 0 && (size_t)len < sizeof(line); args++)
        len += snprintf(line + len, sizeof(line) - (size_t)len, " %s", *args);
    if (len < 0 || (size_t)len >= sizeof(line))
        return false;
    wide_line = text_wide(line);
    wide_program = text_wide(program);
    ok = win_start(&(struct win_start){.program = wide_program,
                                       .line = wide_line,
                                       .in = input,
                                       .out = output,
                                       .flags = CREATE_NO_WINDOW},
                   process) == ERROR_SUCCESS;
    free(wide_line);
    free(wide_program);
    return ok;
}

/* A pipe whose end `ours` stays in this process. */
static bool make_pipe(HANDLE *from, HANDLE *to, HANDLE *ours)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};

    if (!CreatePipe(from, to, &inherit, 0))
        return false;
    (void)SetHandleInformation(*ours, HANDLE_FLAG_INHERIT, 0);
    return true;
}

static void close_handle(HANDLE h)
{
    if (h != NULL)
        (void)CloseHandle(h);
}

/* Reads until the other end closes or the time is over. */
static char *read_all(HANDLE from)
{
    ULONGLONG end = GetTickCount64() + TIMEOUT_MS;
    char *text = malloc(OUTPUT_MAX + 1);
    DWORD len = 0, waiting, got;

    while (text != NULL && len < OUTPUT_MAX) {
        if (!PeekNamedPipe(from, NULL, 0, NULL, &waiting, NULL))
            break; /* closed: all was read */
        if (waiting == 0) {
            if (GetTickCount64() > end) {
                free(text);
                return NULL;
            }
            Sleep(20);
            continue;
        }
        if (!ReadFile(from, text + len, OUTPUT_MAX - len, &got, NULL))
            break;
        len += got;
    }
    if (text != NULL)
        text[len] = '\0';
    return text;
}

char *run_read(const char *program, const char *first, const char *second)
{
    const char *args[] = {first, second, NULL};
    HANDLE from = NULL, to = NULL, process = NULL;
    char *text = NULL;

    if (!make_pipe(&from, &to, &from))
        return NULL;
    if (start(program, args, NULL, to, &process)) {
        close_handle(to);
        to = NULL;
        text = read_all(from);
        if (text == NULL)
            (void)TerminateProcess(process, 1);
    }
    close_handle(process);
    close_handle(to);
    close_handle(from);
    return text;
}

/* --- line by line ------------------------------------------------------------------------------ */

struct run {
    HANDLE process, out;
    size_t len; /* of what was read and not given yet */
    char buf[LINE_MAX];
};

struct run *run_start(const char *program, const char *const *args, const char *input)
{
    struct run *r = work_alloc(sizeof(*r));
    HANDLE in = NULL, give = NULL, to = NULL;
    DWORD written;
    bool ok = make_pipe(&in, &give, &give) && make_pipe(&r->out, &to, &r->out) &&
              start(program, args, in, to, &r->process) &&
              WriteFile(give, input, (DWORD)strlen(input), &written, NULL);

    close_handle(in);
    close_handle(give);
    close_handle(to);
    if (ok)
        return r;
    if (r->process != NULL)
        run_stop(r);
    run_free(r);
    return NULL;
}

char *run_line(struct run *r)
{
    for (;;) {
        const char *end = memchr(r->buf, '\n', r->len);
        DWORD got;

        if (end != NULL) {
            size_t len = (size_t)(end - r->buf), text_len = len;
            char *text;

            if (text_len > 0 && r->buf[text_len - 1] == '\r')
                text_len--;
            text = work_alloc(text_len + 1);
            memcpy(text, r->buf, text_len);
            r->len -= len + 1;
            memmove(r->buf, end + 1, r->len);
            return text;
        }
        if (r->len == sizeof(r->buf) ||
            !ReadFile(r->out, r->buf + r->len, (DWORD)(sizeof(r->buf) - r->len), &got, NULL) ||
            got == 0)
            return NULL;
        r->len += got;
    }
}

void run_stop(struct run *r)
{
    (void)TerminateProcess(r->process, 1);
}

void run_free(struct run *r)
{
    close_handle(r->process);
    close_handle(r->out);
    free(r);
}
