/* See mailer.h. A job goes to the process in a memory file, its answer comes back through a pipe. */
#include "server/prad/mailer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "common/crypto.h"
#include "common/log.h"
#include "common/os.h"
#include "server/sandbox/spawner.h"

struct mailer {
    struct event_base *base;
    struct admin *admin;
    struct event *heard, *ended, *limit;
    json_t *server; /* what a job says of the server; NULL = no mail */
    long retry, timeout;
    /* The process at work. */
    bool busy;
    int64_t id;
    int out;  /* its answer comes here */
    int life; /* how it ended comes here; closed, it ends (spawner.h) */
    size_t len;
    char answer[MAILER_ANSWER_MAX];
};

/* ---- settings ----------------------------------------------------------------------------------- */

static json_t *server_of(const struct config *c)
{
    static const char *const tls[] = {[MAIL_TLS_STARTTLS] = "starttls",
                                      [MAIL_TLS_IMPLICIT] = "implicit",
                                      [MAIL_TLS_NONE] = "none"};
    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:I}", "host", c->mail_server, "port",
                     (json_int_t)c->mail_port, "tls", tls[c->mail_tls], "user", c->mail_user,
                     "password_file", c->mail_password_file, "ca_file", c->mail_ca_file, "timeout",
                     (json_int_t)c->mail_timeout);
}

int mailer_set(struct mailer *m, const struct config *c)
{
    json_t *server = NULL;
    if (c->mail_server[0] != '\0' && !(server = server_of(c)))
        return PRA_ENOMEM;
    json_decref(m->server);
    m->server = server;
    m->retry = c->mail_retry;
    m->timeout = c->mail_timeout;
    return 0;
}

/* What would fail with each mail is said at the start. */
static int check_files(const struct config *c, struct fault *f)
{
    char program[OS_PATH_MAX];
    const struct {
        const char *key, *path;
    } files[] = {{"password_file", c->mail_password_file}, {"ca_file", c->mail_ca_file}};
    if (c->mail_server[0] == '\0')
        return 0;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i].path[0] != '\0' && access(files[i].path, R_OK) != 0)
            return fault_set(f, PRA_EACCES, "%s: [mail] %s: %s: %s", c->file, files[i].key,
                             files[i].path, strerrordesc_np(errno));
    if (!spawner_find(SPAWNER_MAILER, program))
        return fault_set(f, PRA_ENOENT, "%s: [mail]: the program pra-mailer is not there", c->file);
    return 0;
}

/* ---- the end of a process ----------------------------------------------------------------------- */

/* What it said. A process that was ended, or said nothing, has not sent anything as far as we know. */
static enum admin_mail_outcome outcome_of(const char *answer, size_t len, char why[256])
{
    json_error_t e;
    json_t *said = json_loadb(answer, len, JSON_REJECT_DUPLICATES, &e);
    const char *word = json_string_value(json_object_get(said, "result"));
    const char *detail = json_string_value(json_object_get(said, "detail"));
    enum admin_mail_outcome outcome = ADMIN_MAIL_LATER;
    if (word && strcmp(word, "sent") == 0)
        outcome = ADMIN_MAIL_SENT;
    else if (word && strcmp(word, "never") == 0)
        outcome = ADMIN_MAIL_NEVER;
    snprintf(why, 256, "%s", detail ? detail : "the sending process ended without a word");
    json_decref(said);
    return outcome;
}

/* Returns false when it has closed its end. */
static bool read_answer(struct mailer *m)
{
    for (;;) {
        char spill[256];
        bool room = m->len < sizeof(m->answer);
        ssize_t n = read(m->out, room ? m->answer + m->len : spill,
                         room ? sizeof(m->answer) - m->len : sizeof(spill));
        if (n > 0 && room)
            m->len += (size_t)n;
        else if (n <= 0 && !(n < 0 && errno == EINTR))
            return n < 0 && errno == EAGAIN;
    }
}

/* It has ended, or took too long: either way it is gone after this. */
static void finish(struct mailer *m, bool late)
{
    char why[256];
    int status = 0;
    enum admin_mail_outcome outcome;
    event_del(m->heard);
    event_del(m->ended);
    event_del(m->limit);
    bool known = recv(m->life, &status, sizeof(status), MSG_DONTWAIT) == sizeof(status);
    if (!late)
        read_answer(m); /* what it said last */
    close(m->life);
    close(m->out);
    m->busy = false;
    outcome = outcome_of(m->answer, m->len, why);
    if (late)
        snprintf(why, sizeof(why), "the sending process took longer than %ld s",
                 m->timeout + MAILER_GRACE_S);
    else if (m->len == 0 && known && WIFSIGNALED(status))
        snprintf(why, sizeof(why), "the sending process was ended by signal %d", WTERMSIG(status));
    else if (m->len == 0 && !known)
        snprintf(why, sizeof(why), "no process could be started");
    admin_mail_done(m->admin, m->id, outcome, why, os_time_now(), m->retry);
}

static void on_heard(evutil_socket_t fd, short what, void *arg)
{
    struct mailer *m = arg;
    (void)fd;
    (void)what;
    if (!read_answer(m))
        event_del(m->heard); /* it has said all, and is about to end */
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
    struct mailer *m = arg;
    (void)fd;
    (void)what;
    finish(m, false);
    mailer_look(m);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct mailer *m = arg;
    (void)fd;
    (void)what;
    m->len = 0;
    finish(m, true);
    mailer_look(m);
}

/* ---- the start of one --------------------------------------------------------------------------- */

/* A file in memory that holds {"server":...,"message":...}; -1 = none. */
static int job_file(const struct mailer *m, const char *content)
{
    char *server = json_dumps(m->server, JSON_COMPACT);
    int fd = server ? memfd_create("mail", MFD_CLOEXEC) : -1;
    bool good = fd >= 0 && dprintf(fd, "{\"server\":%s,\"message\":%s}", server, content) > 0 &&
                lseek(fd, 0, SEEK_SET) == 0;
    free(server);
    if (!good && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int start(struct mailer *m, const char *content)
{
    const struct timeval limit = {.tv_sec = m->timeout + MAILER_GRACE_S};
    int job = job_file(m, content), ends[2] = {-1, -1};
    int rc = job >= 0 && pipe2(ends, O_CLOEXEC) == 0 ? 0 : PRA_EIO;
    if (rc == 0)
        rc = spawner_run(SPAWNER_MAILER, job, ends[1], &m->life);
    if (job >= 0)
        close(job);
    if (ends[1] >= 0)
        close(ends[1]);
    if (rc != 0) {
        if (ends[0] >= 0)
            close(ends[0]);
        return rc;
    }
    m->busy = true;
    m->out = ends[0];
    m->len = 0;
    evutil_make_socket_nonblocking(m->out);
    event_assign(m->heard, m->base, m->out, EV_READ | EV_PERSIST, on_heard, m);
    event_assign(m->ended, m->base, m->life, EV_READ, on_ended, m);
    if (event_add(m->heard, NULL) != 0 || event_add(m->ended, NULL) != 0 ||
        event_add(m->limit, &limit) != 0)
        finish(m, true);
    return 0;
}

void mailer_look(struct mailer *m)
{
    char *content = NULL;
    int64_t now = os_time_now();
    if (!m->server || m->busy || admin_mail_next(m->admin, now, &m->id, &content) != 0)
        return;
    if (start(m, content) != 0)
        admin_mail_done(m->admin, m->id, ADMIN_MAIL_LATER, "no process could be started", now,
                        m->retry);
    crypto_wipe(content, strlen(content));
    free(content);
}

/* ---- life --------------------------------------------------------------------------------------- */

int mailer_new(struct event_base *base, struct admin *a, const struct config *c,
               struct mailer **out, struct fault *f)
{
    struct mailer *m = calloc(1, sizeof(*m));
    int rc;
    if (!m)
        return fault_set(f, PRA_ENOMEM, "out of memory");
    m->base = base;
    m->admin = a;
    m->heard = event_new(base, -1, 0, on_heard, m);
    m->ended = event_new(base, -1, 0, on_ended, m);
    m->limit = event_new(base, -1, 0, on_limit, m);
    if (!m->heard || !m->ended || !m->limit || mailer_set(m, c) != 0)
        rc = fault_set(f, PRA_ENOMEM, "out of memory");
    else
        rc = check_files(c, f);
    if (rc == 0 && admin_mail_resume(a) != 0)
        rc = fault_set(f, PRA_EIO, "the queue of mail cannot be read");
    if (rc != 0) {
        mailer_free(m);
        return rc;
    }
    *out = m;
    return 0;
}

void mailer_free(struct mailer *m)
{
    if (!m)
        return;
    if (m->busy) { /* its mail stays "sending", and waits again after the next start */
        close(m->life);
        close(m->out);
    }
    if (m->heard)
        event_free(m->heard);
    if (m->ended)
        event_free(m->ended);
    if (m->limit)
        event_free(m->limit);
    json_decref(m->server);
    free(m);
}
