/*
 * os.h for Linux, secrets from people: asked for on the terminal without echo, or read from the
 * first line of a file.
 */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/crypto.h"

#define CTRL_C         0x03
#define CTRL_BACKSLASH 0x1c

static ssize_t read_byte(int fd, char *ch)
{
    ssize_t n;

    do
        n = read(fd, ch, 1);
    while (n < 0 && errno == EINTR);
    return n;
}

static void say(int fd, const char *text)
{
    /* A prompt that cannot be shown does not stop the person from typing. */
    ssize_t n = write(fd, text, strlen(text));

    (void)n;
}

/*
 * One line from `fd`, byte by byte so that nothing behind it is taken. Returns 0, PRA_ETOOBIG,
 * PRA_ECLOSED (end before any byte, or a byte that stands for an interrupt), PRA_EINVAL (NUL),
 * PRA_EIO. *len and the bytes of `dst` are set on every return; the caller wipes them.
 */
static int read_line(int fd, bool terminal, char *dst, size_t cap, size_t *len)
{
    *len = 0;
    for (;;) {
        char ch;
        ssize_t n = read_byte(fd, &ch);

        if (n < 0)
            return PRA_EIO;
        if (n == 0)
            return *len == 0 ? PRA_ECLOSED : 0;
        if (ch == '\n')
            return 0;
        if (terminal && (ch == CTRL_C || ch == CTRL_BACKSLASH))
            return PRA_ECLOSED;
        if (ch == '\0')
            return PRA_EINVAL;
        if (*len + 1 >= cap)
            return PRA_ETOOBIG;
        dst[(*len)++] = ch;
    }
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
     * Ctrl-C and Ctrl-\ end the line instead, and read_line() finds them there.
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
    rc = read_line(fd, true, dst, cap, &len);
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

/* Opens a file of secrets for reading; a FIFO (shell's process substitution) is fine. */
static int open_secret(const char *path, int *out, struct fault *f)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return fault_set(f, errno == ENOENT ? PRA_ENOENT : PRA_EUNSUPPORTED, "%s: %s", path,
                         strerror(errno));
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return fault_set(f, PRA_EUNSUPPORTED, "%s: is no file", path);
    }
    *out = fd;
    return 0;
}

int os_read_secret_file(const char *path, char *dst, size_t cap, struct fault *f)
{
    bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    int fd = STDIN_FILENO;
    size_t len = 0;
    int rc;

    if (!standard) {
        rc = open_secret(path, &fd, f);
        if (rc != 0)
            return rc;
    }
    rc = read_line(fd, false, dst, cap, &len);
    if (rc == 0 && len > 0 && dst[len - 1] == '\r')
        len--;
    if (rc == 0 && len == 0)
        rc = PRA_EINVAL;
    if (rc == PRA_ETOOBIG)
        fault_set(f, rc, "%s: the first line is longer than %zu bytes", name, cap - 1);
    else if (rc == PRA_EINVAL)
        fault_set(f, rc, "%s: the first line is empty or holds a NUL byte", name);
    else if (rc == PRA_ECLOSED)
        fault_set(f, rc, "%s: is empty", name);
    else if (rc != 0)
        rc = fault_set(f, PRA_ECLOSED, "%s: %s", name, strerror(errno));
    if (!standard)
        close(fd);
    if (rc != 0)
        crypto_wipe(dst, cap);
    else
        dst[len] = '\0';
    return rc;
}
