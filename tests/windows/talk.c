/*
 * talk PORT: a program of Windows at the near end of a forward. What comes on standard input is sent to
 * 127.0.0.1:PORT, what is answered comes on standard output. Ends with the connection: 0 if the other
 * side ended it, 1 if it was reset or there was none.
 */
#include <stdio.h>
#include <stdlib.h>

#include <winsock2.h>

#include <windows.h>

#define PART 4096

static DWORD WINAPI send_input(void *arg)
{
    SOCKET s = *(SOCKET *)arg;
    char part[PART];
    DWORD n;

    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), part, sizeof(part), &n, NULL) && n > 0) {
        for (int sent = 0, rc; sent < (int)n; sent += rc) {
            rc = send(s, part + sent, (int)n - sent, 0);
            if (rc <= 0)
                return 1;
        }
    }
    shutdown(s, SD_SEND);
    return 0;
}

int main(int argc, char **argv)
{
    long port = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((u_short)port)};
    char part[PART];
    WSADATA data;
    SOCKET s;
    int n;

    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (port <= 0 || port > 65535 || WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return 2;
    s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (s == INVALID_SOCKET || connect(s, (struct sockaddr *)&there, sizeof(there)) != 0)
        return 1;
    if (CreateThread(NULL, 0, send_input, &s, 0, NULL) == NULL)
        return 1;
    while ((n = recv(s, part, sizeof(part), 0)) > 0) {
        DWORD written;

        if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), part, (DWORD)n, &written, NULL))
            return 1;
    }
    return n == 0 ? 0 : 1;
}
