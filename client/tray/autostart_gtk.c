/* Starting at login (prefs.h) by the desktop's own folder of autostart entries. */
#include "client/tray/prefs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "common/os.h"

#define TEXT_MAX 1024

static int autostart_file(char folder[OS_PATH_MAX], char path[OS_PATH_MAX])
{
    int rc = os_path_join(folder, g_get_user_config_dir(), "autostart");

    return rc == 0 ? os_path_join(path, folder, "pra-tray.desktop") : rc;
}

/* The package's entry, for all users of this PC; one of the user's own takes its place. */
static bool of_system(void)
{
    for (const char *const *dir = g_get_system_config_dirs(); *dir != NULL; dir++) {
        char *path = g_build_filename(*dir, "autostart", "pra-tray.desktop", NULL);
        bool there = access(path, F_OK) == 0;

        g_free(path);
        if (there)
            return true;
    }
    return false;
}

bool prefs_autostart(void)
{
    char folder[OS_PATH_MAX], path[OS_PATH_MAX];
    char *hidden;
    GKeyFile *file;
    bool on;

    if (autostart_file(folder, path) != 0 || access(path, F_OK) != 0)
        return of_system();
    file = g_key_file_new();
    on = g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
    hidden = g_key_file_get_string(file, "Desktop Entry", "Hidden", NULL);
    on = on && g_strcmp0(hidden, "true") != 0;
    g_free(hidden);
    g_key_file_free(file);
    return on;
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

static int write_entry(const char *folder, const char *path, const char *text, struct fault *f)
{
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return fault_set(f, PRA_EIO, "%s: %s", folder, strerror(errno));
    return os_file_replace(path, text, strlen(text), 0644, f);
}

int prefs_set_autostart(bool on, struct fault *f)
{
    char folder[OS_PATH_MAX], path[OS_PATH_MAX], self[OS_PATH_MAX], exec[OS_PATH_MAX];
    char text[OS_PATH_MAX + TEXT_MAX];
    ssize_t len;
    int rc = autostart_file(folder, path);

    if (rc != 0)
        return fault_set(f, rc, "%s", err_text(rc));
    if (!on && of_system())
        return write_entry(folder, path,
                           "[Desktop Entry]\nType=Application\nName=PRA\nHidden=true\n", f);
    if (!on)
        return unlink(path) == 0 || errno == ENOENT
                   ? 0
                   : fault_set(f, PRA_EIO, "%s: %s", path, strerror(errno));
    len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0)
        return fault_set(f, PRA_EIO, "/proc/self/exe: %s", strerror(errno));
    self[len] = '\0';
    quote_exec(self, exec, sizeof(exec));
    snprintf(text, sizeof(text),
             "[Desktop Entry]\nType=Application\nName=PRA\nExec=\"%s\" --background\n"
             "Icon=pra-tray\nTerminal=false\nX-GNOME-Autostart-enabled=true\n",
             exec);
    return write_entry(folder, path, text, f);
}
