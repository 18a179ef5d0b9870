/*
 * The way to whoever administers: prad over its socket, or admin/ in this process under the
 * store's lock. Which of the two is found by trying; a moment in which prad starts or stops and
 * holds the lock without answering is waited out.
 */
#include "server/pra-admin.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/jsonl.h"
#include "common/os.h"
#include "server/admin/admin.h"

#define PART_OF_LIST                                                                               \
    1000 /* entries that are asked for at once: prad has other things to do between */
#define LIST_PASSES      3
#define ATTEMPTS         60
#define ATTEMPT_PAUSE_NS (50 * 1000 * 1000)
#define ANSWER_TIMEOUT_S 120 /* a batch of 100,000 rules takes a while */
#define READ_STEP        (64u * 1024)

struct link {
    int fd;              /* to prad, or -1 */
    struct buf in;       /* from prad */
    struct admin *admin; /* or ours */
    struct admin_peer peer;
};

/* ---- prad -------------------------------------------------------------------------------------- */

/* The socket's listener must be root or the owner of the store: nobody else gets our requests. */
static int check_listener(int fd, const struct config *c, struct fault *f)
{
    struct stat st;
    uid_t uid;
    pid_t pid;

    if (os_peer_credentials(fd, &uid, &pid) != 0 || stat(c->store_dir, &st) != 0)
        return fault_set(f, PRA_EIO, "%s: cannot tell who listens there", c->admin_socket);
    if (uid != 0 && uid != st.st_uid)
        return fault_set(f, PRA_EACCES, "%s: the listener (uid %u, pid %d) is not the gateway",
                         c->admin_socket, uid, pid);
    return 0;
}

/* Returns 0 with a descriptor, PRA_ENOENT if nobody listens, or another error. */
static int connect_prad(const struct config *c, int *out, struct fault *f)
{
    struct timeval limit = {.tv_sec = ANSWER_TIMEOUT_S};
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd, rc;

    if (strlen(c->admin_socket) >= sizeof(sa.sun_path))
        return fault_set(f, PRA_EINVAL, "[admin] socket: %s: longer than %zu bytes",
                         c->admin_socket, sizeof(sa.sun_path) - 1);
    memcpy(sa.sun_path, c->admin_socket, strlen(c->admin_socket) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_set(f, PRA_EIO, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        rc = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR ? PRA_ENOENT : PRA_EACCES;
        fault_set(f, rc, "%s: %s", c->admin_socket, strerror(errno));
    } else {
        rc = check_listener(fd, c, f);
    }
    if (rc == 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0))
        rc = fault_set(f, PRA_EIO, "socket: %s", strerror(errno));
    if (rc != 0) {
        close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

/* ---- the store itself -------------------------------------------------------------------------- */

static void name_peer(struct admin_peer *p)
{
    struct passwd *pw = getpwuid(getuid());

    p->uid = getuid();
    p->pid = getpid();
    if (pw != NULL && strlen(pw->pw_name) < sizeof(p->name))
        memcpy(p->name, pw->pw_name, strlen(pw->pw_name) + 1);
    else
        snprintf(p->name, sizeof(p->name), "uid %u", getuid());
}

/*
 * As root, become the owner of the store's folder for good: database, lock and host key then
 * belong to the user that prad runs as, and nothing that user left there can mislead root.
 */
static int become_owner(const struct config *c, struct fault *f)
{
    struct passwd *pw;
    struct stat st;

    if (stat(c->store_dir, &st) != 0)
        return errno == ENOENT ? fault_set(f, PRA_ENOENT,
                                           "there is no folder %s: make it, owned by the user "
                                           "that prad runs as, and run pra-admin init",
                                           c->store_dir)
                               : fault_set(f, PRA_EIO, "%s: %s", c->store_dir, strerror(errno));
    if (geteuid() != 0 || st.st_uid == 0)
        return 0;
    pw = getpwuid(st.st_uid);
    if ((pw != NULL ? initgroups(pw->pw_name, pw->pw_gid) : setgroups(0, NULL)) != 0 ||
        setresgid(st.st_gid, st.st_gid, st.st_gid) != 0 ||
        setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)
        return fault_set(f, PRA_EACCES, "cannot become the owner of %s: %s", c->store_dir,
                         strerror(errno));
    return 0;
}

int link_open(const struct config *c, bool create, struct link **out, struct fault *f)
{
    struct admin_options opt = {.store_url = c->store_url,
                                .host_key_path = c->host_key,
                                .enterprise = c->audit_enterprise,
                                .mail_from = c->mail_from,
                                .portal_url = c->portal_url,
                                .downloads = c->portal_downloads,
                                .create = create};
    const struct timespec pause = {.tv_nsec = ATTEMPT_PAUSE_NS};
    struct link *l = calloc(1, sizeof(*l));
    int rc = PRA_ENOMEM;

    if (l == NULL)
        return fault_set(f, rc, "no memory");
    l->fd = -1;
    buf_init(&l->in, JSONL_LOCAL_MAX);
    name_peer(&l->peer);
    for (int i = 0; i < ATTEMPTS; i++) {
        rc = connect_prad(c, &l->fd, f);
        if (rc == PRA_ENOENT) {
            rc = become_owner(c, f);
            if (rc == 0)
                rc = admin_open(&opt, &l->admin, f);
            if (rc == 0)
                admin_factor_default(l->admin, c->second_factor);
        }
        if (rc != PRA_EBUSY)
            break;
        nanosleep(&pause, NULL);
    }
    if (rc == PRA_EBUSY)
        fault_set(f, rc,
                  "another process works on the database, but nobody answers at %s: is prad "
                  "starting or ending, or does it use another configuration file?",
                  c->admin_socket);
    if (rc != 0) {
        link_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

void link_close(struct link *l)
{
    if (l == NULL)
        return;
    if (l->fd >= 0)
        close(l->fd);
    admin_close(l->admin);
    buf_free(&l->in);
    free(l);
}

/* ---- asking ------------------------------------------------------------------------------------ */

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return PRA_EIO;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int receive_some(struct link *l)
{
    size_t room;
    uint8_t *at = buf_reserve(&l->in, READ_STEP, &room);
    ssize_t n;

    if (at == NULL)
        return PRA_ETOOBIG;
    do
        n = recv(l->fd, at, room, 0);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return PRA_ECLOSED;
    buf_commit(&l->in, (size_t)n);
    return 0;
}

static json_t *ask_prad(struct link *l, const json_t *request, struct fault *f)
{
    json_t *answer = NULL;
    size_t len = 0;
    char *line = jsonl_encode(request, &len);
    int rc = line == NULL ? PRA_ENOMEM : send_all(l->fd, line, len);

    free(line);
    while (rc == 0) {
        rc = jsonl_next(&l->in, JSONL_LOCAL_MAX, &answer, f);
        if (rc != PRA_EAGAIN)
            break;
        rc = receive_some(l);
    }
    if (rc != 0)
        fault_set(f, rc, "prad did not answer (%s): whether the change was made is not known",
                  err_text(rc));
    return answer;
}

bool link_to_prad(const struct link *l)
{
    return l->fd >= 0;
}

json_t *link_ask(struct link *l, const json_t *request, struct fault *f)
{
    json_t *answer;

    if (l->fd >= 0)
        return ask_prad(l, request, f);
    answer = admin_execute(l->admin, &l->peer, request);
    if (answer == NULL)
        fault_set(f, PRA_ENOMEM, "no memory");
    return answer;
}

/* ---- whole lists ------------------------------------------------------------------------------- */

/* The request for the part that begins at `offset`. */
static json_t *part_request(const json_t *request, size_t offset)
{
    json_t *part = json_deep_copy(request), *args = json_object_get(part, "args");

    json_object_set_new(args, "limit", json_integer(PART_OF_LIST));
    json_object_set_new(args, "offset", json_integer((json_int_t)offset));
    return part;
}

/*
 * One pass over the list: the parts' entries are put into the first part's answer, which is
 * returned. NULL with *changed: something was changed meanwhile, so that parts do not fit together.
 */
static json_t *ask_parts(struct link *l, const json_t *request, bool *changed, struct fault *f)
{
    json_t *answer = NULL, *list = NULL;
    json_int_t generation = 0, total = 1;

    *changed = false;
    for (size_t have = 0; answer == NULL || have < (size_t)total; have = json_array_size(list)) {
        json_t *ask = part_request(request, have), *part = link_ask(l, ask, f);
        json_t *page = json_object_get(part, "page");
        json_int_t now = json_integer_value(json_object_get(page, "generation"));

        json_decref(ask);
        if (part == NULL || page == NULL) { /* nobody answers, or a refusal */
            json_decref(answer);
            return part;
        }
        *changed = answer != NULL &&
                   (now != generation || json_array_size(json_object_get(part, "result")) == 0);
        if (answer == NULL) {
            answer = part;
            list = json_object_get(answer, "result");
            generation = now;
            total = json_integer_value(json_object_get(page, "total"));
            continue;
        }
        if (!*changed)
            json_array_extend(list, json_object_get(part, "result"));
        json_decref(part);
        if (*changed) {
            json_decref(answer);
            return NULL;
        }
    }
    return answer;
}

json_t *link_ask_all(struct link *l, const json_t *request, struct fault *f)
{
    json_t *args = json_object_get(request, "args");
    bool changed = true;

    if (l->fd < 0 || json_object_get(args, "limit") != NULL ||
        json_object_get(args, "offset") != NULL)
        return link_ask(l, request, f);
    for (int i = 0; i < LIST_PASSES && changed; i++) {
        json_t *answer = ask_parts(l, request, &changed, f);

        if (!changed)
            return answer;
    }
    return link_ask(l, request, f); /* it changes all the time: at once, however long that takes */
}
