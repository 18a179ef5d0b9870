/* What the agent needs of Windows. */
#include "client/agent_internal.h"

#include <sddl.h>

#include "common/posix_win.h"

/* A program that runs cannot be replaced; an installer ends it first. */
bool agent_program_replaced(void)
{
    return false;
}

/*
 * The key lies in this process for as long as the user is connected. The user's other programs may see
 * that it runs, wait for it and end it, and not read its memory or change this list (OW: an owner could
 * else); an administrator has a privilege for that. Not for the windows, whose contents screen readers
 * read from outside.
 */
static void close_process(void)
{
    const char *user = win_user_sid_text();
    PSECURITY_DESCRIPTOR sd = NULL;
    char text[2 * WIN_SID_TEXT_MAX];
    int n = snprintf(text, sizeof(text),
                     "D:P(A;;0x101001;;;OW)(A;;0x101001;;;%s)(A;;0x101001;;;BA)(A;;0x1fffff;;;SY)",
                     user);

    /* Where it cannot be done the process is as open as any other one. */
    if (user[0] == '\0' || n < 0 || n >= (int)sizeof(text) ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &sd, NULL))
        return;
    (void)SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, sd);
    LocalFree(sd);
}

void agent_tune_process(void)
{
    WSADATA data;

    close_process();
    /* The agent's sockets are its own; libuv counts for itself. */
    (void)WSAStartup(MAKEWORD(2, 2), &data);
}

void agent_reserve_watchers(uv_loop_t *loop)
{
    (void)loop; /* there is no such array here */
}
