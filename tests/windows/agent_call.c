/*
 * One request on the agent's pipe and its answer on standard output, for tests: what a socket is to
 * Python on Linux. agent_call.exe JSON; the agent is the one of PRA_HOME. Exit 3: there is none.
 * agent_call.exe --knock N: programs that come to the pipe and are gone at once, N times.
 * agent_call.exe --open PID: which of the rights to a process are there to be had.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "client/ipc.h"
#include "common/os.h"
#include "common/posix_win.h"

#define TIMEOUT_MS 5000
#define KNOCKERS   4

static _Atomic long knocks_left;
static wchar_t *pipe_name;

static DWORD WINAPI knock(void *arg)
{
    (void)arg;
    while (knocks_left-- > 0) {
        HANDLE h =
            CreateFileW(pipe_name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

        if (h != INVALID_HANDLE_VALUE)
            CloseHandle(h);
        else if (GetLastError() != ERROR_PIPE_BUSY || !WaitNamedPipeW(pipe_name, TIMEOUT_MS))
            return GetLastError();
    }
    return 0;
}

static int open_process(DWORD pid)
{
    static const struct {
        const char *name;
        DWORD right;
    } rights[] = {{"read", PROCESS_VM_READ},
                  {"write", PROCESS_VM_WRITE},
                  {"handles", PROCESS_DUP_HANDLE},
                  {"thread", PROCESS_CREATE_THREAD},
                  {"look", PROCESS_QUERY_LIMITED_INFORMATION},
                  {"end", PROCESS_TERMINATE},
                  {"wait", SYNCHRONIZE}};

    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        HANDLE h = OpenProcess(rights[i].right, FALSE, pid);

        if (h != NULL)
            printf("%s\n", rights[i].name);
        if (h != NULL)
            CloseHandle(h);
    }
    return 0;
}

static int knock_often(const struct paths *paths, long count)
{
    HANDLE threads[KNOCKERS];
    DWORD worst = 0, error = 1;

    pipe_name = win_wide(paths->agent_socket);
    knocks_left = count;
    for (int i = 0; i < KNOCKERS; i++)
        threads[i] = CreateThread(NULL, 0, knock, NULL, 0, NULL);
    for (int i = 0; i < KNOCKERS; i++) {
        (void)WaitForSingleObject(threads[i], INFINITE);
        (void)GetExitCodeThread(threads[i], &error);
        worst = error != 0 ? error : worst;
    }
    if (worst != 0)
        fprintf(stderr, "error %lu\n", (unsigned long)worst);
    free(pipe_name);
    return worst != 0;
}

int main(int argc, char **argv)
{
    struct fault f = {0};
    struct paths paths;
    struct ipc *ipc = NULL;
    json_t *request = NULL, *reply = NULL;
    char *text;
    int rc = 1;

    os_arguments(&argc, &argv);
    if (argc == 3 && strcmp(argv[1], "--open") == 0)
        return open_process(strtoul(argv[2], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "--knock") == 0 && paths_init(&paths, &f) == 0)
        return knock_often(&paths, strtol(argv[2], NULL, 10));
    if (argc == 2)
        request = json_loads(argv[1], 0, NULL);
    if (request == NULL || paths_init(&paths, &f) != 0 || ipc_connect(&paths, &ipc, &f) != 0) {
        fprintf(stderr, "%s\n", f.text);
        json_decref(request);
        return 3;
    }
    if (ipc_call(ipc, request, TIMEOUT_MS, &reply, &f) == 0) {
        text = json_dumps(reply, JSON_COMPACT);
        printf("%s\n", text);
        free(text);
        json_decref(reply);
        rc = 0;
    } else {
        fprintf(stderr, "%s\n", f.text);
    }
    ipc_close(ipc);
    json_decref(request);
    return rc;
}
