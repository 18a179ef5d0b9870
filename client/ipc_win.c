/* ipc_link.h by a named pipe, and the agent's start as a process without a console. */
#include "client/ipc_link.h"

#include <aclapi.h>

#include "common/os.h"
#include "common/posix_win.h"

#define BUSY_TIMEOUT_MS                                                                            \
    2000 /* every instance of the pipe is taken: the agent makes another at once */

struct ipc_link {
    HANDLE pipe, event;
};

/* Was it made by a program that is kept in a sandbox? What such a one makes carries its low label. */
static bool is_low(PACL labels)
{
    for (DWORD i = 0; labels != NULL && i < labels->AceCount; i++) {
        SYSTEM_MANDATORY_LABEL_ACE *ace;
        PSID sid;

        if (!GetAce(labels, i, (void **)&ace))
            return true;
        sid = &ace->SidStart;
        if (ace->Header.AceType == SYSTEM_MANDATORY_LABEL_ACE_TYPE &&
            *GetSidSubAuthority(sid, (DWORD)*GetSidSubAuthorityCount(sid) - 1) <
                SECURITY_MANDATORY_MEDIUM_RID)
            return true;
    }
    return false;
}

/* Only this user may own the pipe, and no sandbox of his: anybody can make one of that name while no
   agent runs. */
static int check_owner(HANDLE pipe, struct fault *f)
{
    uint8_t own[WIN_SID_MAX];
    PSECURITY_DESCRIPTOR sd = NULL;
    PSID owner = NULL;
    PACL labels = NULL;
    bool ok = GetSecurityInfo(pipe, SE_KERNEL_OBJECT,
                              OWNER_SECURITY_INFORMATION | LABEL_SECURITY_INFORMATION, &owner, NULL,
                              NULL, &labels, &sd) == ERROR_SUCCESS &&
              win_user_sid(NULL, own) && EqualSid(owner, own) && !is_low(labels);

    LocalFree(sd);
    return ok ? 0 : fault_set(f, PRA_EACCES, "the agent's pipe belongs to another user");
}

static int open_pipe(const wchar_t *name, HANDLE *out, struct fault *f)
{
    char words[128];

    for (;;) {
        /* The agent may learn who we are, and may not act as us. */
        HANDLE h = CreateFileW(
            name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        DWORD error = GetLastError();

        if (h != INVALID_HANDLE_VALUE) {
            *out = h;
            return 0;
        }
        if (error == ERROR_FILE_NOT_FOUND)
            return fault_set(f, PRA_ENOENT, "no agent is running");
        if (error != ERROR_PIPE_BUSY || !WaitNamedPipeW(name, BUSY_TIMEOUT_MS))
            return fault_set(f, error == ERROR_ACCESS_DENIED ? PRA_EACCES : PRA_EIO,
                             "the agent's pipe cannot be opened: %s",
                             win_error_text(error, words, sizeof(words)));
    }
}

int ipc_link_open(const struct paths *paths, struct ipc_link **out, struct fault *f)
{
    struct ipc_link *l = calloc(1, sizeof(*l));
    wchar_t *name = win_wide(paths->agent_socket);
    int rc;

    if (l == NULL || name == NULL) {
        rc = fault_set(f, PRA_EIO, "out of memory");
        goto out;
    }
    rc = open_pipe(name, &l->pipe, f);
    if (rc != 0)
        goto out;
    rc = check_owner(l->pipe, f);
    l->event = rc == 0 ? CreateEventW(NULL, TRUE, FALSE, NULL) : NULL;
    if (rc == 0 && l->event == NULL)
        rc = fault_set(f, PRA_EIO, "out of memory");
    if (rc != 0) {
        CloseHandle(l->pipe);
        goto out;
    }
    *out = l;
    l = NULL;
out:
    free(name);
    free(l);
    return rc;
}

void ipc_link_close(struct ipc_link *l)
{
    CloseHandle(l->pipe);
    CloseHandle(l->event);
    free(l);
}

/* --- talking -------------------------------------------------------------------------------- */

/* Waits for what was begun; it has ended when this returns. 0 bytes and false: it has failed. */
static bool finish(struct ipc_link *l, OVERLAPPED *o, DWORD wait_ms, DWORD *n, bool *late)
{
    *late = WaitForSingleObject(l->event, wait_ms) == WAIT_TIMEOUT;
    if (*late)
        (void)CancelIoEx(l->pipe, o);
    return GetOverlappedResult(l->pipe, o, n, TRUE);
}

int ipc_link_send(struct ipc_link *l, const char *data, size_t len, struct fault *f)
{
    while (len > 0) {
        OVERLAPPED o = {.hEvent = l->event};
        DWORD n = 0, part = len < INT32_MAX ? (DWORD)len : INT32_MAX;
        bool late;

        if ((!WriteFile(l->pipe, data, part, NULL, &o) && GetLastError() != ERROR_IO_PENDING) ||
            !finish(l, &o, INFINITE, &n, &late))
            return fault_set(f, PRA_ECLOSED, "the agent has gone");
        data += n;
        len -= n;
    }
    return 0;
}

int ipc_link_read(struct ipc_link *l, void *dst, size_t cap, int wait_ms, size_t *got,
                  struct fault *f)
{
    OVERLAPPED o = {.hEvent = l->event};
    DWORD n = 0, part = cap < INT32_MAX ? (DWORD)cap : INT32_MAX;
    bool late = false;

    *got = 0;
    if (!ReadFile(l->pipe, dst, part, NULL, &o) && GetLastError() != ERROR_IO_PENDING)
        return fault_set(f, PRA_ECLOSED, "the agent has ended");
    if (finish(l, &o, wait_ms < 0 ? INFINITE : (DWORD)wait_ms, &n, &late)) {
        *got = n; /* also what came while it was being cancelled */
        return 0;
    }
    if (late)
        return fault_set(f, PRA_ETIMEOUT, "the agent does not answer");
    return fault_set(f, PRA_ECLOSED, "the agent has ended");
}

/* --- starting the agent --------------------------------------------------------------------- */

/* What the agent says on its standard error, read by a thread: such a pipe cannot be waited for. */
struct words {
    HANDLE from;
    char *dst;
    size_t cap, len;
};

static DWORD WINAPI read_words(void *arg)
{
    struct words *w = arg;
    DWORD n;

    while (w->len + 1 < w->cap &&
           ReadFile(w->from, w->dst + w->len, (DWORD)(w->cap - 1 - w->len), &n, NULL) && n > 0)
        w->len += n;
    w->dst[w->len] = '\0';
    return 0;
}

/* The agent closes its end when its pipe is ready; if it cannot start it says why and ends. */
static int wait_for_agent(HANDLE from, char *words, size_t cap, struct fault *f)
{
    struct words w = {.from = from, .dst = words, .cap = cap};
    HANDLE thread = CreateThread(NULL, 0, read_words, &w, 0, NULL);
    bool late;

    if (thread == NULL)
        return fault_set(f, PRA_EIO, "out of memory");
    late = WaitForSingleObject(thread, IPC_START_MS) != WAIT_OBJECT_0;
    while (late && WaitForSingleObject(thread, 10) != WAIT_OBJECT_0)
        (void)CancelSynchronousIo(thread); /* in vain while it is just not reading */
    CloseHandle(thread);
    return late ? fault_set(f, PRA_ETIMEOUT, "the agent does not start") : 0;
}

static int run(const wchar_t *program, HANDLE null, HANDLE error, struct fault *f)
{
    wchar_t line[] = L"pra agent", folder[MAX_PATH];
    /* The system's folder: one of the user's could not be removed while the agent runs. */
    UINT n = GetSystemDirectoryW(folder, MAX_PATH);
    struct win_start how = {.program = program,
                            .line = line,
                            .folder = n > 0 && n < MAX_PATH ? folder : NULL,
                            .in = null,
                            .out = null,
                            .err = error,
                            .flags = DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP};
    HANDLE process;
    char words[128];
    DWORD why = win_start(&how, &process);

    if (why != ERROR_SUCCESS)
        return fault_set(f, PRA_EIO, "the agent does not start: %s",
                         win_error_text(why, words, sizeof(words)));
    CloseHandle(process);
    return 0;
}

int ipc_link_start_agent(const char *program, char *words, size_t cap, struct fault *f)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    HANDLE from = NULL, to = NULL, null = INVALID_HANDLE_VALUE;
    wchar_t *wide = win_wide(program);
    int rc = fault_set(f, PRA_EIO, "the agent does not start");

    null = CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                       &inherit, OPEN_EXISTING, 0, NULL);
    if (wide != NULL && null != INVALID_HANDLE_VALUE && CreatePipe(&from, &to, &inherit, 0) &&
        SetHandleInformation(from, HANDLE_FLAG_INHERIT, 0)) {
        rc = run(wide, null, to, f);
        CloseHandle(to); /* or the end of the agent's words would never come */
        to = NULL;
        if (rc == 0)
            rc = wait_for_agent(from, words, cap, f);
    }
    if (to != NULL)
        CloseHandle(to);
    if (from != NULL)
        CloseHandle(from);
    if (null != INVALID_HANDLE_VALUE)
        CloseHandle(null);
    free(wide);
    return rc;
}
