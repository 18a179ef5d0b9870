/* What the agent needs of Windows. */
#include "client/agent_internal.h"

#include "common/posix_win.h"

/* A program that runs cannot be replaced; an installer ends it first. */
bool agent_program_replaced(void)
{
    return false;
}

void agent_tune_process(void)
{
    WSADATA data;

    /* The agent's sockets are its own; libuv counts for itself. */
    (void)WSAStartup(MAKEWORD(2, 2), &data);
}
