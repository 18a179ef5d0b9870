/* See confine.h. Main thread only. */
#include "server/prad/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/os.h"
#include "server/sandbox/sandbox.h"
#include "server/sandbox/spawner.h"

#define VIOLATION "violation"
/* That one start tells of; a prad that is started again and again by an attack has more. */
#define VIOLATIONS_MAX 16

/* Stays open: a process that is being ended opens nothing more. */
static int violation_fd = -1;

int confine_spawner(const struct config *c, struct fault *f)
{
    static const uint16_t any = SANDBOX_ANY_PORT;
    static struct sandbox_list l;
    if (!c->sandbox)
        return spawner_start(NULL, f);
    l.count = 0;
    sandbox_list_add_file(&l, c->file, SANDBOX_READ);
    sandbox_list_add_file(&l, c->mail_password_file, SANDBOX_READ);
    sandbox_list_add_file(&l, c->mail_ca_file, SANDBOX_READ);
    const struct sandbox_files files = {
        .path = l.path, .count = l.count, .system = true, .connect = &any, .connect_count = 1};
    return spawner_start(&files, f);
}

int confine_files(const struct config *c, struct fault *f)
{
    static const uint16_t any = SANDBOX_ANY_PORT;
    static struct sandbox_list l;
    struct sandbox_state state;
    if (!c->sandbox) {
        log_event(LOG_WARN, "sandbox", "state=off file=%s", c->file);
        return 0;
    }
    l.count = 0;
    sandbox_list_add(&l, c->store_dir, SANDBOX_WRITE);
    sandbox_list_add_file(&l, c->log_file, SANDBOX_WRITE);
    sandbox_list_add_file(&l, c->admin_socket, SANDBOX_WRITE);
    sandbox_list_add_file(&l, c->portal_socket, SANDBOX_WRITE);
    sandbox_list_add_file(&l, c->file, SANDBOX_READ);
    sandbox_list_add_file(&l, c->host_key, SANDBOX_READ);
    sandbox_list_add(&l, c->portal_downloads, SANDBOX_READ);
    /* No port is bound after this one, and rules say where to connect to. */
    const struct sandbox_files files = {
        .path = l.path, .count = l.count, .system = true, .connect = &any, .connect_count = 1};
    int rc = sandbox_files(&files, f);
    sandbox_state(&state);
    if (rc == 0 && state.landlock == 0)
        log_event(LOG_WARN, "sandbox-without-landlock", "%s",
                  "hint=\"this kernel has none: files are guarded by their modes only\"");
    return rc;
}

/* ---- what an earlier prad was ended for ------------------------------------------------------------ */

/* Stored before it is forgotten: an attack that goes on ends this prad, too, at any moment. */
static int tell(struct admin *a, const int *call, size_t count)
{
    struct audit_event e[VIOLATIONS_MAX] = {0};
    for (size_t i = 0; i < count; i++) {
        char name[SANDBOX_CALL_MAX];
        sandbox_call_name((unsigned)call[i], name);
        e[i].kind = AUDIT_VIOLATION;
        e[i].time_ms = os_time_now_ms();
        snprintf(e[i].reason, sizeof(e[i].reason), "%s", name);
        log_event(LOG_ERROR, audit_kind_word(AUDIT_VIOLATION),
                  "call=%s hint=\"an earlier prad was ended for it\"", name);
    }
    return admin_store_audit(a, e, count);
}

int confine_tell(const struct config *c, struct admin *a, struct fault *f)
{
    int call[VIOLATIONS_MAX];
    char path[OS_PATH_MAX];
    if (os_path_join(path, c->store_dir, VIOLATION) == 0)
        violation_fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (violation_fd < 0)
        return fault_set(f, PRA_EIO, "%s: %s", path, strerrordesc_np(errno));
    ssize_t n = pread(violation_fd, call, sizeof(call), 0);
    if (n >= (ssize_t)sizeof(call[0]) && tell(a, call, (size_t)n / sizeof(call[0])) == 0 &&
        ftruncate(violation_fd, 0) != 0)
        log_event(LOG_ERROR, "violation-not-forgotten", "error=\"%s\"", strerrordesc_np(errno));
    return 0;
}

/* ---- system calls ---------------------------------------------------------------------------------- */

int confine_calls(const struct config *c, struct fault *f)
{
    struct sandbox_state state;
    if (!c->sandbox)
        return 0;
    int rc = sandbox_calls(SANDBOX_PRAD, violation_fd, f);
    sandbox_state(&state);
    if (rc == 0)
        log_event(LOG_INFO, "sandbox", "state=on landlock=%d uid=%u", state.landlock, state.uid);
    return rc;
}

bool confine_same_folder(const char *before, const char *now)
{
    char a[OS_PATH_MAX], b[OS_PATH_MAX];
    return strcmp(sandbox_folder(before, a), sandbox_folder(now, b)) == 0;
}
