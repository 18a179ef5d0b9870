/*
 * The folders of requirement A15 on Windows: settings and keys in %LOCALAPPDATA%\Pra, logs in a
 * folder of the user's below ProgramData\Pra\log; or all in PRA_HOME. Without an installer ProgramData\Pra
 * belongs to whoever came first, and two users (of two domains) may have one name: where others could
 * read or replace the user's logs, or keep him from writing any, they are beside the settings. The
 * agent's socket is a named pipe whose name holds the user's SID.
 */
#include "client/paths_internal.h"

#include <shlobj.h>

#include "common/crypto.h"
#include "common/posix_win.h"

#define USER_MAX 257 /* UNLEN and its end */

static int known_folder(const KNOWNFOLDERID *id, const char *what, char dst[OS_PATH_MAX],
                        struct fault *f)
{
    wchar_t *wide = NULL;
    HRESULT rc = SHGetKnownFolderPath(id, KF_FLAG_CREATE, NULL, &wide);
    bool ok = SUCCEEDED(rc) && win_utf8(wide, dst, OS_PATH_MAX);

    CoTaskMemFree(wide);
    return ok ? 0 : fault_set(f, PRA_EIO, "Windows does not tell where %s is", what);
}

/* The full path of PRA_HOME, and for children that start elsewhere as well. */
static int full_home(char dst[OS_PATH_MAX], const char *home, struct fault *f)
{
    wchar_t full[OS_PATH_MAX], *wide = win_wide(home);
    DWORD n = wide != NULL ? GetFullPathNameW(wide, OS_PATH_MAX, full, NULL) : 0;

    free(wide);
    if (n == 0 || n >= OS_PATH_MAX || !win_utf8(full, dst, OS_PATH_MAX))
        return fault_set(f, PRA_ETOOBIG, "PRA_HOME cannot be used as a path");
    (void)SetEnvironmentVariableW(L"PRA_HOME", full);
    return 0;
}

struct folders {
    char config[OS_PATH_MAX];
    char shared[2][OS_PATH_MAX]; /* of all users, above the log's; "" = none */
};

static int folders_in_home(struct folders *d, struct paths *p, const char *home, struct fault *f)
{
    int rc = full_home(d->config, home, f);

    return rc == 0 ? paths_join(p->log_dir, d->config, "log", f) : rc;
}

static int folders_of_windows(struct folders *d, struct paths *p, struct fault *f)
{
    wchar_t wide[USER_MAX];
    DWORD n = USER_MAX;
    char user[USER_MAX * 3], base[OS_PATH_MAX];
    int rc = known_folder(&FOLDERID_LocalAppData, "LocalAppData", base, f);

    if (rc == 0)
        rc = paths_join(d->config, base, "Pra", f);
    if (rc == 0)
        rc = known_folder(&FOLDERID_ProgramData, "ProgramData", base, f);
    if (rc == 0)
        rc = paths_join(d->shared[0], base, "Pra", f);
    if (rc == 0)
        rc = paths_join(d->shared[1], d->shared[0], "log", f);
    if (rc != 0)
        return rc;
    if (!GetUserNameW(wide, &n) || !win_utf8(wide, user, sizeof(user)))
        return fault_set(f, PRA_EIO, "Windows does not tell the name of this user");
    return paths_join(p->log_dir, d->shared[1], user, f);
}

/* Folders that users share belong to whoever came first, and anybody may make his own in them. */
static void make_shared(const struct folders *d)
{
    for (size_t i = 0; i < 2; i++) {
        wchar_t *wide = d->shared[i][0] != '\0' ? win_wide_path(d->shared[i]) : NULL;

        if (wide != NULL)
            (void)CreateDirectoryW(wide, NULL); /* os_dir_ensure() says what is wrong */
        free(wide);
    }
}

static bool shared_log_is_good(const struct folders *d, const struct paths *p)
{
    struct fault f; /* why it is not matters to nobody: there is another place */

    for (size_t i = 0; i < 2; i++)
        if (d->shared[i][0] != '\0' && !win_folder_is_safe(d->shared[i]))
            return false;
    return os_dir_ensure(p->log_dir, 0700, &f) == 0 && win_folder_is_safe(p->log_dir);
}

static int make_folders(const struct folders *d, struct paths *p, struct fault *f)
{
    int rc = os_dir_ensure(d->config, 0700, f);

    make_shared(d);
    if (rc == 0 && d->shared[0][0] != '\0' && !shared_log_is_good(d, p))
        rc = paths_join(p->log_dir, d->config, "log", f);
    if (rc == 0)
        rc = os_dir_ensure(p->log_dir, 0700, f);
    return rc == 0 ? os_dir_ensure(p->runtime_dir, 0700, f) : rc;
}

/* \\.\pipe\pra-SID, and for a PRA_HOME of its own what tells it from others. */
static int name_pipe(struct paths *p, const char *home, struct fault *f)
{
    const char *sid = win_user_sid_text();
    uint8_t digest[CRYPTO_SHA256_LEN];
    char tail[2 + 2 * 8 + 1] = "";

    if (sid[0] == '\0')
        return fault_set(f, PRA_EIO, "Windows does not tell who this user is");
    if (home != NULL) {
        if (crypto_sha256(home, strlen(home), digest) != 0)
            return fault_set(f, PRA_ECRYPTO, "the crypto library failed");
        tail[0] = '-';
        crypto_hex_encode(digest, 8, tail + 1);
    }
    snprintf(p->agent_socket, sizeof(p->agent_socket), "\\\\.\\pipe\\pra-%s%s", sid, tail);
    return 0;
}

static int name_program(struct paths *p, struct fault *f)
{
    wchar_t wide[OS_PATH_MAX];
    DWORD n = GetModuleFileNameW(NULL, wide, OS_PATH_MAX);

    if (n == 0 || n >= OS_PATH_MAX || !win_utf8(wide, p->agent_program, sizeof(p->agent_program)))
        return fault_set(f, PRA_EIO, "Windows does not tell where this program is");
    return 0;
}

int paths_init(struct paths *p, struct fault *f)
{
    const char *home = getenv("PRA_HOME");
    bool in_home = home != NULL && home[0] != '\0';
    struct folders d = {.shared = {"", ""}};
    int rc = in_home ? folders_in_home(&d, p, home, f) : folders_of_windows(&d, p, f);

    if (rc == 0)
        rc = name_program(p, f);
    if (rc == 0)
        rc = paths_join(p->runtime_dir, d.config, "run", f);
    if (rc == 0)
        rc = paths_name_files(p, d.config, d.config, f);
    if (rc == 0)
        rc = name_pipe(p, in_home ? d.config : NULL, f);
    return rc == 0 ? make_folders(&d, p, f) : rc;
}
