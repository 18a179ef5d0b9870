/* run.h by GLib. */
#include "client/tray/run.h"

#include <string.h>

#include <gio/gio.h>

char *run_read(const char *program, const char *first, const char *second)
{
    GSubprocess *process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
                         program, first, second, NULL);
    char *out = NULL, *text = NULL;

    if (process == NULL)
        return NULL;
    if (g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, NULL) && out != NULL)
        text = strdup(out);
    g_free(out);
    g_object_unref(process);
    return text;
}
