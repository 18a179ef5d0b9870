/*
 * Stands in for pra.exe and pra-tray.exe where a test is about the installer: says its version, or
 * with `stay FILE` writes its process id there and runs until it is ended.
 */
#include <stdio.h>
#include <string.h>

#include <windows.h>

int main(int argc, char **argv)
{
    FILE *out;

    if (argc == 3 && strcmp(argv[1], "stay") == 0) {
        out = fopen(argv[2], "w");
        if (!out)
            return 1;
        fprintf(out, "%lu\n", GetCurrentProcessId());
        if (fclose(out) != 0)
            return 1;
        Sleep(INFINITE);
    }
    printf("stand-in " STANDIN_VERSION "\n");
    return 0;
}
