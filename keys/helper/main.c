/*
 * pra-keyhelper: answers one request of keys/keyhelper.h on its standard input, a stream socket,
 * and ends. systemd starts one for each connection (pra-keyhelper.socket); with the file
 * capability cap_dac_read_search a client may also start it itself.
 *
 * It reads fixed files only; its caller controls 16 bytes of salt, nothing else: no arguments that
 * matter, no environment, no configuration. It writes nothing to disk.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "keys/keyhelper.h"

/* Every answer takes at least this long, so that N processes at once answer 10 N a second at most. */
#define PAUSE_MS 100
/* The kernel ends us if reading sysfs should hang. */
#define LIFETIME_S 10
#define FILES_MAX  32

static bool is_stream_socket(int fd)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static int show_usage(const char *option)
{
    if (strcmp(option, "--version") == 0) {
        puts("pra-keyhelper " PRA_VERSION);
        return 0;
    }
    if (strcmp(option, "--help") == 0) {
        puts("Usage: pra-keyhelper < SOCKET\n"
             "Answers one request for HMACs of this machine's serial numbers on standard input.\n"
             "It is started by systemd (pra-keyhelper.socket), not by hand.");
        return 0;
    }
    fputs("pra-keyhelper takes no arguments but --help and --version\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const struct rlimit no_files = {0, 0};
    const struct rlimit few_descriptors = {FILES_MAX, FILES_MAX};
    const struct timespec pause_time = {.tv_nsec = PAUSE_MS * 1000000L};
    int rc;

    os_process_harden();
    if (argc > 1) {
        return show_usage(argv[1]);
    }
    if (!is_stream_socket(STDIN_FILENO)) {
        fputs("pra-keyhelper: standard input is not a stream socket (see --help)\n", stderr);
        return 2;
    }
    alarm(LIFETIME_S);
    signal(SIGXFSZ, SIG_IGN); /* a refused write of a log line is no reason to die */
    if (setrlimit(RLIMIT_FSIZE, &no_files) != 0 ||
        setrlimit(RLIMIT_NOFILE, &few_descriptors) != 0 || chdir("/") != 0) {
        return 1;
    }
    nanosleep(&pause_time, NULL);
    rc = keyhelper_serve(STDIN_FILENO, "");
    if (rc != 0) {
        log_event(LOG_WARN, "keyhelper-request-failed", "error=%s", err_name(rc));
        return 1;
    }
    return 0;
}
