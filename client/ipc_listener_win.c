/*
 * ipc_listener.h by a named pipe. libuv would make it with the default access list and open to the
 * network, so it is made here: the first instance must be ours (nobody else has the name yet), only
 * this user may open it, and only from this PC. libuv gets each instance when somebody is connected.
 */
#include "client/ipc_listener.h"

#include "common/posix_win.h"

#define PIPE_BUFFER (64u * 1024)
/* When the system has no room for another instance, it is asked for again after this. */
#define AGAIN_MS 1000

struct ipc_listener {
    uv_async_t wake;
    wchar_t *name;
    HANDLE next, event, wait; /* the instance that waits for somebody */
    HANDLE came_to;           /* the one that somebody came to, until it is accepted */
    OVERLAPPED connect;
    void (*came)(void *arg);
    void *arg;
};

static HANDLE make_instance(const wchar_t *name, bool first)
{
    SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa),
                              .lpSecurityDescriptor = win_private("(D;;GA;;;NU)", "", "GA")};
    HANDLE h;

    if (sa.lpSecurityDescriptor == NULL)
        return INVALID_HANDLE_VALUE;
    h = CreateNamedPipeW(
        name,
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER, PIPE_BUFFER, 0, &sa);
    LocalFree(sa.lpSecurityDescriptor);
    return h;
}

/* On a thread of the system's pool. */
static void CALLBACK on_event(void *arg, BOOLEAN timed_out)
{
    (void)timed_out;
    (void)uv_async_send(&((struct ipc_listener *)arg)->wake);
}

/* Waits on `next` for somebody. False: it cannot be waited on. */
static bool begin_connect(struct ipc_listener *l)
{
    DWORD error;

    memset(&l->connect, 0, sizeof(l->connect));
    l->connect.hEvent = l->event;
    error = ConnectNamedPipe(l->next, &l->connect) ? ERROR_PIPE_CONNECTED : GetLastError();
    switch (error) {
    case ERROR_IO_PENDING:
        return true;
    case ERROR_PIPE_CONNECTED: /* somebody was quicker than we */
    case ERROR_NO_DATA:        /* and is gone again: that is seen when it is accepted */
        SetEvent(l->event);
        return true;
    default:
        return false;
    }
}

/* Waits for the next program, or, if that is not to be had now, for a better moment. False for the
   first one: the name is taken, or nobody could come. */
static bool await(struct ipc_listener *l, bool first)
{
    bool waits;

    ResetEvent(l->event);
    l->next = make_instance(l->name, first);
    waits = l->next != INVALID_HANDLE_VALUE && begin_connect(l);
    if (!waits && first)
        return false;
    if (!waits && l->next != INVALID_HANDLE_VALUE) {
        CloseHandle(l->next);
        l->next = INVALID_HANDLE_VALUE;
    }
    return RegisterWaitForSingleObject(&l->wait, l->event, on_event, l, waits ? INFINITE : AGAIN_MS,
                                       WT_EXECUTEONLYONCE);
}

static void stop_waiting(struct ipc_listener *l)
{
    if (l->wait != NULL)
        (void)UnregisterWaitEx(l->wait, INVALID_HANDLE_VALUE); /* until on_event() is over */
    l->wait = NULL;
}

static void on_wake(uv_async_t *a)
{
    struct ipc_listener *l = a->data;

    if (l->wait == NULL ||
        (l->next != INVALID_HANDLE_VALUE && WaitForSingleObject(l->event, 0) != WAIT_OBJECT_0))
        return;
    stop_waiting(l);
    l->came_to = l->next;
    /* Before the other one can be closed: without any instance the name would be anybody's. */
    (void)await(l, false);
    if (l->came_to == INVALID_HANDLE_VALUE)
        return;
    l->came(l->arg);
    if (l->came_to != INVALID_HANDLE_VALUE) /* the caller had no memory to take it */
        CloseHandle(l->came_to);
    l->came_to = INVALID_HANDLE_VALUE;
}

/* The access list lets administrators in as well; a passphrase is for this user's programs alone. */
static bool is_own(HANDLE pipe)
{
    uint8_t sid[WIN_SID_MAX], own[WIN_SID_MAX];
    HANDLE process;
    ULONG pid = 0;
    bool ok;

    if (!GetNamedPipeClientProcessId(pipe, &pid))
        return false;
    process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (process == NULL)
        return false;
    ok = win_user_sid(process, sid) && win_user_sid(NULL, own) && EqualSid(sid, own);
    CloseHandle(process);
    return ok;
}

int ipc_listener_accept(struct ipc_listener *l, uv_pipe_t *into)
{
    HANDLE h = l->came_to;
    int fd, rc;

    l->came_to = INVALID_HANDLE_VALUE;
    if (!is_own(h)) {
        CloseHandle(h);
        return UV_EACCES;
    }
    fd = _open_osfhandle((intptr_t)h, _O_BINARY | _O_NOINHERIT);
    if (fd < 0) {
        CloseHandle(h);
        return UV_EMFILE;
    }
    rc = uv_pipe_open(into, fd);
    if (rc != 0)
        _close(fd);
    return rc;
}

static void on_closed(uv_handle_t *h)
{
    struct ipc_listener *l = h->data;

    free(l->name);
    free(l);
}

int ipc_listener_open(uv_loop_t *loop, const char *path, void (*came)(void *arg), void *arg,
                      struct ipc_listener **out, struct fault *f)
{
    struct ipc_listener *l = calloc(1, sizeof(*l));
    char words[128];
    DWORD error;

    if (l == NULL || uv_async_init(loop, &l->wake, on_wake) != 0) {
        free(l);
        return PRA_ENOMEM;
    }
    l->wake.data = l;
    l->came = came;
    l->arg = arg;
    l->next = l->came_to = INVALID_HANDLE_VALUE;
    l->name = win_wide(path);
    l->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (l->name != NULL && l->event != NULL && await(l, true)) {
        *out = l;
        return 0;
    }
    error = GetLastError();
    ipc_listener_close(l);
    return fault_set(f, PRA_EIO, "%s: %s", path, win_error_text(error, words, sizeof(words)));
}

void ipc_listener_close(struct ipc_listener *l)
{
    stop_waiting(l);
    if (l->next != INVALID_HANDLE_VALUE) {
        DWORD n;

        /* The system writes to `connect` until this has ended. */
        if (CancelIoEx(l->next, &l->connect))
            (void)GetOverlappedResult(l->next, &l->connect, &n, TRUE);
        CloseHandle(l->next);
    }
    if (l->event != NULL)
        CloseHandle(l->event);
    l->event = NULL;
    uv_close((uv_handle_t *)&l->wake, on_closed);
}
