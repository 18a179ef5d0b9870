/* Gathers the files of the log bundle in memory; collect_zip.c packs them. See collect.h. */
#include "client/collect.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "client/cli_remote.h"
#include "client/cli_show.h"
#include "client/ipc.h"
#include "client/netinfo.h"
#include "client/redact.h"
#include "common/chainlog.h"
#include "common/format.h"
#include "common/i18n.h"
#include "common/timefmt.h"
#include "keys/keyfile.h"

#define LOG_FILE_MAX    (64u * 1024 * 1024)
#define CONFIG_FILE_MAX (256u * 1024)
#define TEXT_MAX        16384
#define INFO_TIMEOUT_MS 3000
#define SESSION_DIGITS  32
/* Kept free for everything that is no log. */
#define OTHERS_MAX (1024u * 1024)

static const char *const log_names[] = {"System.log", "User.log"};

void collect_default_name(const char *user, const char *computer, int64_t now,
                          char dst[OS_PATH_MAX])
{
    time_t t = (time_t)now;
    char when[32] = "";
    struct tm tm;

    if (localtime_r(&t, &tm) != NULL)
        strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
    snprintf(dst, OS_PATH_MAX, "pra-log-%.64s-%.64s-%s.zip", user, computer, when);
    for (char *p = dst; *p != '\0'; p++)
        if (!isalnum((unsigned char)*p) && strchr("-._", *p) == NULL)
            *p = '_';
}

const char *collect_describe(const char *name)
{
    static const struct {
        const char *prefix;
        const char *text[2];
    } files[] = {
        {"System.log", {"what the agent did", "エージェントの動作記録"}},
        {"User.log", {"what you did", "利用者の操作記録"}},
        {"chain.txt", {"are the logs complete", "ログの欠落の有無"}},
        {"environment.txt", {"system, language, network", "OS、言語、ネットワーク"}},
        {"config.ini", {"settings", "設定"}},
        {"status.json", {"state of the connection", "接続の状態"}},
        {"check.json", {"result of 'pra check'", "「pra check」の結果"}},
        {"manifest.txt",
         {"list with checksums, audit reference", "一覧とチェックサム、監査の参照番号"}},
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (strncmp(name, files[i].prefix, strlen(files[i].prefix)) == 0)
            return files[i].text[i18n_lang()];
    return "";
}

void collect_propose_name(const struct paths *paths, char dst[OS_PATH_MAX])
{
    char computer[KEYFILE_HOST_MAX + 1] = "pc", user[KEYFILE_USER_MAX + 1] = "user";
    struct keyfile_info info;

    if (keyfile_inspect(paths->key_file, &info, NULL) == 0)
        snprintf(user, sizeof(user), "%s", info.user);
    if (gethostname(computer, sizeof(computer)) == 0)
        computer[sizeof(computer) - 1] = '\0';
    collect_default_name(user, computer, os_time_now(), dst);
}

void collect_free(struct collect *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->file[i].data);
    memset(c, 0, sizeof(*c));
}

int collect_add(struct collect *c, const char *name, const char *text, size_t len)
{
    struct collect_file *file = &c->file[c->count];
    size_t limit = c->limit != 0 ? c->limit : COLLECT_TOTAL_MAX;

    if (c->count == COLLECT_FILES_MAX || c->total + len > limit)
        return PRA_EFULL;
    file->data = redact_text(text, len, &file->len, &file->redacted);
    if (file->data == NULL)
        return PRA_ENOMEM;
    snprintf(file->name, sizeof(file->name), "%s", name);
    c->total += file->len;
    c->count++;
    return 0;
}

/* A text that grows by lines and stops at its end. */
struct text {
    char data[TEXT_MAX];
    size_t len;
};

static void add_line(struct text *t, const char *fmt, ...) FORMAT_PRINTF(2, 3);
static void add_line(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->data + t->len, sizeof(t->data) - t->len, fmt, ap);
    va_end(ap);
    if (n > 0 && t->len + (size_t)n + 1 < sizeof(t->data)) {
        t->len += (size_t)n;
        t->data[t->len++] = '\n';
    }
}

/* The last "session <32 hex digits>" of the text: what the log says when no agent can be asked. */
static void find_session(const char *text, size_t len, char *dst, size_t cap)
{
    static const char key[] = "session";
    const char *p = text, *end = text + len;

    while ((p = memmem(p, (size_t)(end - p), key, sizeof(key) - 1)) != NULL) {
        size_t n = 0;

        p += sizeof(key) - 1;
        p += p < end && (*p == ' ' || *p == '=');
        while (p + n < end && isxdigit((unsigned char)p[n]))
            n++;
        if (n == SESSION_DIGITS && n < cap)
            snprintf(dst, cap, "%.*s", (int)n, p);
    }
}

/* One log with its rotated files, and how its chain stands. */
static void add_log(const struct paths *paths, const char *name, struct collect *c,
                    struct text *chain, struct text *notes)
{
    struct chainlog_head head;
    struct fault f = {0};
    int rc = chainlog_verify(paths->log_dir, name, &head, &f);

    if (rc == 0)
        add_line(chain, "%s: whole, %llu lines", name, (unsigned long long)head.lines);
    else
        add_line(chain, "%s: %s: %s", name, err_text(rc), f.text);
    c->chain_broken = c->chain_broken || rc == PRA_ECORRUPT;
    for (int i = 0; i < COLLECT_FILES_MAX; i++) {
        char file[COLLECT_NAME_MAX], path[OS_PATH_MAX], *text = NULL;
        size_t len;

        snprintf(file, sizeof(file), i == 0 ? "%s" : "%s.%d", name, i);
        if (os_path_join(path, paths->log_dir, file) != 0)
            return;
        rc = os_file_read(path, LOG_FILE_MAX, &text, &len, &f);
        if (rc == PRA_ENOENT && i > 0)
            return;
        if (rc == 0) {
            if (c->session[0] == '\0')
                find_session(text, len, c->session, sizeof(c->session));
            rc = c->total + len + OTHERS_MAX > c->limit ? PRA_EFULL
                                                        : collect_add(c, file, text, len);
        } else if (rc != PRA_ENOENT) {
            add_line(notes, "%s: not included: %s", file, f.text);
        }
        if (rc == PRA_EFULL)
            add_line(notes, "%s: not included: the bundle is full", file);
        free(text);
    }
}

static void add_environment(const struct paths *paths, struct collect *c)
{
    static const char *const variables[] = {"LANG", "LC_ALL",   "LC_MESSAGES",
                                            "TZ",   "PRA_HOME", "XDG_RUNTIME_DIR"};
    struct text *t = calloc(1, sizeof(*t));
    struct utsname u;
    struct netinfo n;
    char os[256], now[TIMEFMT_MAX], zone[64] = "";
    time_t seconds = (time_t)os_time_now();
    struct tm tm;

    if (t == NULL)
        return;
    os_describe(os, sizeof(os));
    if (localtime_r(&seconds, &tm) != NULL)
        strftime(zone, sizeof(zone), "%Y-%m-%d %H:%M:%S %z (%Z)", &tm);
    add_line(t, "PRA %s", PRA_VERSION);
    add_line(t, "time: %s, local %s", timefmt_rfc3339(os_time_now(), now), zone);
    add_line(t, "system: %s", os);
    if (uname(&u) == 0)
        add_line(t, "kernel: %s %s %s\ncomputer: %s", u.sysname, u.release, u.machine, u.nodename);
    add_line(t, "user id: %u", (unsigned)getuid());
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *value = getenv(variables[i]);

        add_line(t, "%s=%s", variables[i], value != NULL ? value : "(not set)");
    }
    add_line(t, "settings: %s\nkey: %s (not included)\nlogs: %s\nsocket: %s", paths->config_file,
             paths->key_file, paths->log_dir, paths->agent_socket);
    netinfo_read("", &n);
    add_line(t, "interface: %s\naddress: %s\ngateway: %s\nassignment: %s (%s)", n.interface,
             n.address, n.gateway,
             n.mode == NETINFO_DHCP    ? "dhcp"
             : n.mode == NETINFO_FIXED ? "fixed"
                                       : "unknown",
             n.evidence);
    for (size_t i = 0; i < n.dns_count; i++)
        add_line(t, "dns: %s", n.dns[i]);
    collect_add(c, "environment.txt", t->data, t->len);
    free(t);
}

static void add_json(struct collect *c, const char *name, json_t *doc)
{
    char *text = doc != NULL ? json_dumps(doc, JSON_INDENT(2)) : NULL;

    if (text != NULL)
        collect_add(c, name, text, strlen(text));
    free(text);
    json_decref(doc);
}

/* The session id that the gateway's audit knows this connection by. */
static void ask_session(const struct paths *paths, struct collect *c)
{
    json_t *request = json_pack("{s:s}", "op", "info"), *reply = NULL;
    struct ipc *ipc = NULL;
    struct fault f = {0};
    const char *id = "";

    if (request != NULL && ipc_connect(paths, &ipc, &f) == 0 &&
        ipc_call(ipc, request, INFO_TIMEOUT_MS, &reply, &f) == 0)
        id = show_member(reply, "session");
    if (strlen(id) == SESSION_DIGITS && strspn(id, "0123456789abcdef") == SESSION_DIGITS)
        snprintf(c->session, sizeof(c->session), "%s", id);
    json_decref(reply);
    json_decref(request);
    ipc_close(ipc);
}

static void add_settings(const struct paths *paths, struct collect *c, struct text *notes)
{
    char *text = NULL;
    struct fault f = {0};
    size_t len;
    int rc = os_file_read(paths->config_file, CONFIG_FILE_MAX, &text, &len, &f);

    if (rc == 0)
        collect_add(c, "config.ini", text, len);
    else
        add_line(notes, "config.ini: not included: %s", rc == PRA_ENOENT ? err_text(rc) : f.text);
    free(text);
}

static int add_manifest(struct collect *c, const struct text *notes)
{
    struct text *t = calloc(1, sizeof(*t));
    char now[TIMEFMT_MAX];
    int rc;

    if (t == NULL)
        return PRA_ENOMEM;
    add_line(t, "PRA log bundle, %s, PRA %s", timefmt_rfc3339(os_time_now(), now), PRA_VERSION);
    add_line(t, "audit reference (session id at the gateway): %s",
             c->session[0] != '\0' ? c->session : "none");
    add_line(t, "No passphrase and no key is included.\n");
    for (size_t i = 0; i < c->count; i++) {
        uint8_t hash[CRYPTO_SHA256_LEN];
        char hex[2 * CRYPTO_SHA256_LEN + 1] = "";

        if (crypto_sha256(c->file[i].data, c->file[i].len, hash) == 0)
            crypto_hex_encode(hash, sizeof(hash), hex);
        add_line(t, "%s  %s  %zu bytes, %zu lines with something taken out", hex, c->file[i].name,
                 c->file[i].len, c->file[i].redacted);
    }
    if (notes->len > 0)
        add_line(t, "\n%.*s", (int)notes->len, notes->data);
    rc = collect_add(c, "manifest.txt", t->data, t->len);
    free(t);
    return rc;
}

int collect_gather(const struct paths *paths, json_t *check, size_t limit, struct collect *c,
                   struct fault *f)
{
    struct text *chain = calloc(1, sizeof(*chain)), *notes = calloc(1, sizeof(*notes));
    json_t *status = NULL;
    int rc = PRA_ENOMEM;

    memset(c, 0, sizeof(*c));
    c->limit = limit;
    if (chain == NULL || notes == NULL)
        goto out;
    ask_session(paths, c);
    for (size_t i = 0; i < sizeof(log_names) / sizeof(log_names[0]); i++)
        add_log(paths, log_names[i], c, chain, notes);
    collect_add(c, "chain.txt", chain->data, chain->len);
    add_environment(paths, c);
    add_settings(paths, c, notes);
    if (remote_status(paths, &status) == 0)
        add_json(c, "status.json", json_incref(status));
    if (check != NULL)
        add_json(c, "check.json", json_incref(check));
    else
        add_line(notes, "check.json: not included: the checks could not be run");
    rc = add_manifest(c, notes);
out:
    json_decref(status);
    free(chain);
    free(notes);
    return rc == 0 ? 0 : fault_set(f, rc, "%s", err_text(rc));
}
