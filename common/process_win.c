/* Starting programs: with the handles that they are to have, and no others. */
#include "common/posix_win.h"

static size_t list_handles(const struct win_start *how, HANDLE list[3])
{
    const HANDLE all[] = {how->in, how->out, how->err};
    size_t n = 0;

    for (size_t i = 0; i < 3; i++) {
        bool listed = all[i] == NULL;

        for (size_t k = 0; k < n && !listed; k++)
            listed = list[k] == all[i]; /* twice would be refused */
        if (!listed)
            list[n++] = all[i];
    }
    return n;
}

static BOOL create(const struct win_start *how, STARTUPINFOEXW *si, PROCESS_INFORMATION *pi)
{
    HANDLE list[3];
    size_t n = list_handles(how, list);

    return UpdateProcThreadAttribute(si->lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                     list, n * sizeof(list[0]), NULL, NULL) &&
           CreateProcessW(how->program, how->line, NULL, NULL, TRUE,
                          EXTENDED_STARTUPINFO_PRESENT | how->flags, NULL, how->folder,
                          &si->StartupInfo, pi);
}

DWORD win_start(const struct win_start *how, HANDLE *process)
{
    STARTUPINFOEXW si = {.StartupInfo = {.cb = sizeof(si),
                                         .dwFlags = STARTF_USESTDHANDLES,
                                         .hStdInput = how->in,
                                         .hStdOutput = how->out,
                                         .hStdError = how->err}};
    PROCESS_INFORMATION pi = {0};
    SIZE_T len = 0;
    DWORD rc = ERROR_SUCCESS;

    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &len);
    si.lpAttributeList = malloc(len);
    if (si.lpAttributeList == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    if (!InitializeProcThreadAttributeList(si.lpAttributeList, 1, 0, &len)) {
        rc = GetLastError();
    } else {
        if (!create(how, &si, &pi))
            rc = GetLastError();
        DeleteProcThreadAttributeList(si.lpAttributeList);
    }
    free(si.lpAttributeList);
    if (rc != ERROR_SUCCESS)
        return rc;
    CloseHandle(pi.hThread);
    *process = pi.hProcess;
    return ERROR_SUCCESS;
}
