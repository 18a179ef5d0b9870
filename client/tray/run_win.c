/* run.h by win_start(). */
#include "client/tray/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>

#include "client/tray/text_win.h"
#include "common/os.h"
#include "common/posix_win.h"

#define OUTPUT_MAX (1024u * 1024)
#define TIMEOUT_MS 30000

static bool start(const char *program, const char *first, const char *second, HANDLE output,
                  HANDLE *process)
{
    char line[OS_PATH_MAX + 256];
    wchar_t *wide_line, *wide_program;
    bool ok;

    snprintf(line, sizeof(line), "\"%s\" %s %s", program, first, second);
    wide_line = text_wide(line);
    wide_program = text_wide(program);
    ok = win_start(&(struct win_start){.program = wide_program,
                                       .line = wide_line,
                                       .out = output,
                                       .flags = CREATE_NO_WINDOW},
                   process) == ERROR_SUCCESS;
    free(wide_line);
    free(wide_program);
    return ok;
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
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    HANDLE from = NULL, to = NULL, process = NULL;
    char *text = NULL;

    if (!CreatePipe(&from, &to, &inherit, 0))
        return NULL;
    (void)SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0);
    if (start(program, first, second, to, &process)) {
        (void)CloseHandle(to);
        to = NULL;
        text = read_all(from);
        if (text == NULL)
            (void)TerminateProcess(process, 1);
        (void)CloseHandle(process);
    }
    if (to != NULL)
        (void)CloseHandle(to);
    (void)CloseHandle(from);
    return text;
}
