/* prefs.h: tray.ini by common/conf, autostart by the desktop's own folder. */
#include "client/tray/prefs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/conf.h"
#include "common/i18n.h"
#include "common/os.h"

#define TEXT_MAX 1024

static const char *const notice_words[] = {"all", "errors", "none"};
static const char *const language_words[] = {"auto", "ja", "en"};

/* The index of `value` among three words. */
static int pick(const char *const words[3], const char *value, int *out, struct fault *f)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return 0;
        }
    return fault_set(f, PRA_EINVAL, "'%.80s' is none of %s, %s, %s", value, words[0], words[1],
                     words[2]);
}

static int set_notices(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int i = 0, rc = pick(notice_words, value, &i, f);

    p->notices = (enum tray_notices)i;
    return rc;
}

static int set_language(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int i = 0, rc = pick(language_words, value, &i, f);

    p->language = (enum prefs_language)i;
    return rc;
}

static int set_connect(void *target, const char *value, struct fault *f)
{
    struct prefs *p = target;
    int on = 0, rc = conf_parse_bool(value, &on, f);

    p->connect_at_start = on != 0;
    return rc;
}

static const struct conf_key keys[] = {
    {"tray", "notices", set_notices},
    {"tray", "language", set_language},
    {"tray", "connect_at_start", set_connect},
    {NULL, NULL, NULL},
};

/* tray.ini stands beside config.ini. */
static int file_name(const struct paths *paths, char dst[OS_PATH_MAX])
{
    char folder[OS_PATH_MAX];
    char *slash;

    snprintf(folder, sizeof(folder), "%s", paths->config_file);
    slash = strrchr(folder, '/');
    if (slash == NULL)
        return PRA_ETOOBIG;
    *slash = '\0';
    return os_path_join(dst, folder, "tray.ini");
}

int prefs_load(const struct paths *paths, struct prefs *p, struct fault *f)
{
    char path[OS_PATH_MAX];
    struct prefs read = {0};
    int rc = file_name(paths, path);

    memset(p, 0, sizeof(*p));
    if (rc == 0)
        rc = conf_load(path, keys, &read, f);
    if (rc == 0)
        *p = read;
    return rc == PRA_ENOENT ? 0 : rc;
}

int prefs_save(const struct paths *paths, const struct prefs *p, struct fault *f)
{
    char path[OS_PATH_MAX], text[TEXT_MAX];
    int n = snprintf(text, sizeof(text),
                     "; Written by pra-tray's options.\n"
                     "[tray]\nnotices = %s\nlanguage = %s\nconnect_at_start = %s\n",
                     notice_words[p->notices], language_words[p->language],
                     p->connect_at_start ? "yes" : "no");
    int rc = file_name(paths, path);

    if (rc != 0)
        return fault_set(f, rc, "%s", err_text(rc));
    return os_file_replace(path, text, (size_t)n, 0600, f);
}

void prefs_apply_language(const struct prefs *p)
{
    if (p->language == PREFS_LANGUAGE_AUTO)
        i18n_init();
    else
        i18n_set(p->language == PREFS_LANGUAGE_JA ? LANG_JA : LANG_EN);
}

/* --- autostart -------------------------------------------------------------------------------- */

static int autostart_file(char folder[OS_PATH_MAX], char path[OS_PATH_MAX])
{
    int rc = os_path_join(folder, g_get_user_config_dir(), "autostart");

    return rc == 0 ? os_path_join(path, folder, "pra-tray.desktop") : rc;
}

bool prefs_autostart(void)
{
    char folder[OS_PATH_MAX], path[OS_PATH_MAX];

    return autostart_file(folder, path) == 0 && access(path, F_OK) == 0;
}

/* A path as the Exec key has it: in quotes, with what is special there escaped. */
static void quote_exec(const char *path, char *dst, size_t cap)
{
    size_t n = 0;

    for (; *path != '\0' && n + 5 < cap; path++) {
        if (strchr("\"`$\\", *path) != NULL) {
            dst[n++] = '\\';
            dst[n++] = '\\'; /* once for the value, once for the quotes */
        }
        if (*path == '%' || *path == '\\') /* a value's own escapes */
            dst[n++] = *path;
        dst[n++] = *path;
    }
    dst[n] = '\0';
}

int prefs_set_autostart(bool on, struct fault *f)
{
    char folder[OS_PATH_MAX], path[OS_PATH_MAX], self[OS_PATH_MAX], exec[OS_PATH_MAX];
    char text[OS_PATH_MAX + TEXT_MAX];
    ssize_t len;
    int n, rc = autostart_file(folder, path);

    if (rc != 0)
        return fault_set(f, rc, "%s", err_text(rc));
    if (!on)
        return unlink(path) == 0 || errno == ENOENT
                   ? 0
                   : fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0)
        return fault_set(f, PRA_EIO, "/proc/self/exe: %s", strerror(errno));
    self[len] = '\0';
    quote_exec(self, exec, sizeof(exec));
    n = snprintf(text, sizeof(text),
                 "[Desktop Entry]\nType=Application\nName=PRA\nExec=\"%s\" --background\n"
                 "Icon=pra-tray\nTerminal=false\nX-GNOME-Autostart-enabled=true\n",
                 exec);
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", folder, strerror(errno));
    return os_file_replace(path, text, (size_t)n, 0644, f);
}
