/* os.h for Linux: secrets asked for on the terminal without echo. */
#include "common/os.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/crypto.h"
#include "common/os_internal.h"

#define CTRL_C         0x03
#define CTRL_BACKSLASH 0x1c
static const char interrupts[] = {CTRL_C, CTRL_BACKSLASH, '\0'};

static void say(int fd, const char *text)
{
    /* A prompt that cannot be shown does not stop the person from typing. */
    ssize_t n = write(fd, text, strlen(text));

    (void)n;
}

int os_read_secret(const char *prompt, char *dst, size_t cap, struct fault *f)
{
    struct termios before;
    struct termios quiet;
    size_t len = 0;
    int rc;
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || tcgetattr(fd, &before) != 0) {
        if (fd >= 0)
            close(fd);
        return fault_set(f, PRA_EUNSUPPORTED, "there is no terminal to ask on");
    }
    /*
     * Signals from the keyboard are turned off: they would end us with the echo still off.
     * Ctrl-C and Ctrl-\ end the line instead, and os_read_line() finds them there.
     */
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
    quiet.c_lflag |= ICANON;
    quiet.c_iflag |= ICRNL;
    quiet.c_cc[VEOL] = CTRL_C;
    quiet.c_cc[VEOL2] = CTRL_BACKSLASH;
    if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
        close(fd);
        return fault_set(f, PRA_EUNSUPPORTED, "the terminal's echo cannot be turned off");
    }
    say(fd, prompt);
    rc = os_read_line(fd, interrupts, dst, cap, &len);
    /* TCSAFLUSH also throws away what was typed beyond the limit. */
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    say(fd, "\n");
    close(fd);
    if (rc != 0) {
        crypto_wipe(dst, cap);
        if (rc == PRA_ETOOBIG)
            return fault_set(f, rc, "longer than %zu bytes", cap - 1);
        return fault_set(f, PRA_ECLOSED, "the input ended or was interrupted");
    }
    dst[len] = '\0';
    return 0;
}
