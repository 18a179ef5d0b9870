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

struct run {
    GSubprocess *process;
    GDataInputStream *out;
};

struct run *run_start(const char *program, const char *const *args, const char *input)
{
    GPtrArray *argv = g_ptr_array_new();
    GSubprocess *process;
    GOutputStream *in;
    struct run *r;

    g_ptr_array_add(argv, (gpointer)program);
    for (; *args != NULL; args++)
        g_ptr_array_add(argv, (gpointer)*args);
    g_ptr_array_add(argv, NULL);
    process = g_subprocess_newv((const gchar *const *)argv->pdata,
                                G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                    G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                NULL);
    g_ptr_array_free(argv, TRUE);
    if (process == NULL)
        return NULL;
    in = g_subprocess_get_stdin_pipe(process);
    (void)g_output_stream_write_all(in, input, strlen(input), NULL, NULL, NULL);
    (void)g_output_stream_close(in, NULL, NULL);
    r = g_new0(struct run, 1);
    r->process = process;
    r->out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
    return r;
}

char *run_line(struct run *r)
{
    char *line = g_data_input_stream_read_line_utf8(r->out, NULL, NULL, NULL);
    char *text = line != NULL ? strdup(line) : NULL;

    g_free(line);
    return text;
}

void run_stop(struct run *r)
{
    g_subprocess_force_exit(r->process);
}

void run_free(struct run *r)
{
    g_object_unref(r->out);
    g_object_unref(r->process);
    g_free(r);
}
