/* Ending the client before its files are replaced or removed (A13: the client is closed first). */
#include "packaging/windows/setup/setup.h"

#include <tlhelp32.h>
#include <wchar.h>

#define ASK_MS   2000 /* a window's time to answer that it may end */
#define GRACE_MS 3000 /* from "the session ends" to the hard way */
#define KILL_MS  5000 /* TerminateProcess() returns before the files are free */

struct asked {
    DWORD pid;
    int windows;
};

/* Windows of one process are told that the session ends. */
static BOOL CALLBACK ask_window(HWND window, LPARAM param)
{
    struct asked *asked = (struct asked *)param;
    DWORD_PTR answer;
    DWORD owner = 0;

    GetWindowThreadProcessId(window, &owner);
    if (owner != asked->pid)
        return TRUE;
    if (SendMessageTimeoutW(window, WM_QUERYENDSESSION, 0, ENDSESSION_CLOSEAPP, SMTO_ABORTIFHUNG,
                            ASK_MS, &answer) &&
        answer &&
        SendMessageTimeoutW(window, WM_ENDSESSION, TRUE, ENDSESSION_CLOSEAPP, SMTO_ABORTIFHUNG,
                            ASK_MS, &answer))
        asked->windows++;
    return TRUE;
}

/* True if the program of `process` lies directly or deeper in `folder`. */
static bool runs_from(HANDLE process, const wchar_t *folder)
{
    static wchar_t image[32768]; /* the longest path there is; the installer is one thread */
    DWORD length = ARRAYSIZE(image);
    size_t n = wcslen(folder);

    while (n > 0 && folder[n - 1] == L'\\')
        n--;
    return n > 0 && QueryFullProcessImageNameW(process, 0, image, &length) &&
           _wcsnicmp(image, folder, n) == 0 && image[n] == L'\\';
}

/* Returns true unless it still runs. */
static bool end_process(HANDLE process, DWORD pid)
{
    struct asked asked = {.pid = pid};

    EnumWindows(ask_window, (LPARAM)&asked);
    /* One without windows (the agent) cannot be asked: its files stand any end (kill -9 is tested). */
    if (WaitForSingleObject(process, asked.windows > 0 ? GRACE_MS : 0) == WAIT_OBJECT_0)
        return true;
    if (!TerminateProcess(process, 1))
        return WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
    return WaitForSingleObject(process, KILL_MS) == WAIT_OBJECT_0;
}

int setup_close_clients(const wchar_t *folder)
{
    HANDLE list = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    int left = 0;

    if (list == INVALID_HANDLE_VALUE)
        return 1;
    for (BOOL more = Process32FirstW(list, &entry); more; more = Process32NextW(list, &entry)) {
        HANDLE process;

        if (_wcsnicmp(entry.szExeFile, L"pra", 3) != 0 ||
            entry.th32ProcessID == GetCurrentProcessId())
            continue;
        process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE | SYNCHRONIZE,
                              FALSE, entry.th32ProcessID);
        if (!process)
            continue; /* another user's: the elevated call gets it */
        if (runs_from(process, folder))
            left += !end_process(process, entry.th32ProcessID);
        CloseHandle(process);
    }
    CloseHandle(list);
    return left;
}
