/*
 * The program `pra-tray`: one instance per session bus (GApplication), an icon in the tray where the
 * desktop has one, and the window by itself where it has none.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "client/tray/app_gtk.h"
#include "client/tray/link.h"
#include "client/tray/sni_gtk.h"
#include "common/i18n.h"
#include "common/msg.h"
#include "common/os.h"

#define APP_ID "jp.pra.Tray"

/* Mixed with the colour of text, so that they can be read on dark and on light windows. */
static const char css[] = ".pra-good { color: mix(@theme_fg_color, #1fa04b, 0.65); }\n"
                          ".pra-bad { color: mix(@theme_fg_color, #e01b24, 0.65); }\n"
                          ".pra-status { font-size: 130%; }\n";

/* A panel that is restarted, or that starts after us at login, needs a moment. */
#define PANEL_WAIT_S 3

/* --- the icon --------------------------------------------------------------------------------- */

static gboolean open_if_alone(gpointer data)
{
    app_icon_gone(data);
    return G_SOURCE_REMOVE;
}

static void on_hosted(void *arg, bool hosted)
{
    if (!hosted)
        g_timeout_add_seconds(PANEL_WAIT_S, open_if_alone, arg);
}

static const struct sni_events icon_events = {
    .activate = app_icon_click, .command = app_icon_command, .hosted = on_hosted};

/* --- the application -------------------------------------------------------------------------- */

static gboolean on_signal(gpointer data)
{
    shell_quit(data);
    return G_SOURCE_CONTINUE;
}

static void on_open_action(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    (void)action, (void)parameter;
    app_command(data, TRAY_CMD_OPEN, 0);
}

static void load_style(void)
{
    GtkCssProvider *provider = gtk_css_provider_new();

    gtk_css_provider_load_from_data(provider, css, -1, NULL);
    gtk_style_context_add_provider_for_screen(gdk_screen_get_default(),
                                              GTK_STYLE_PROVIDER(provider),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    g_object_unref(provider);
}

static void on_startup(GApplication *gtk, gpointer data)
{
    struct tray_app *app = data;
    GSimpleAction *open = g_simple_action_new("open", NULL);

    g_signal_connect(open, "activate", G_CALLBACK(on_open_action), app);
    g_action_map_add_action(G_ACTION_MAP(gtk), G_ACTION(open));
    g_object_unref(open);
    g_application_hold(gtk);
    load_style();
    (void)g_unix_signal_add(SIGTERM, on_signal, app);
    (void)g_unix_signal_add(SIGINT, on_signal, app);
    app->shell->sni = sni_new(g_application_get_dbus_connection(gtk), &icon_events, app);
    app_reload(app);
    app->link = link_new(&app->paths, app_take_status, app);
}

/* The profile that was double-clicked; of several the last one stays in front. */
static bool open_profiles(struct tray_app *app, GApplicationCommandLine *line, GVariantDict *given)
{
    const gchar **names = NULL;
    bool any = false;

    if (!g_variant_dict_lookup(given, G_OPTION_REMAINING, "^a&ay", &names))
        return false;
    for (size_t i = 0; names[i] != NULL; i++) {
        /* Relative names are relative to where the other instance was started. */
        GFile *file = g_application_command_line_create_file_for_arg(line, names[i]);
        char *path = g_file_get_path(file);

        if (path != NULL)
            profile_dialog_open(app, path);
        any = any || path != NULL;
        g_free(path);
        g_object_unref(file);
    }
    g_free(names);
    return any;
}

static int on_command_line(GApplication *gtk, GApplicationCommandLine *line, gpointer data)
{
    struct tray_app *app = data;
    GVariantDict *options = g_application_command_line_get_options_dict(line);
    bool first = !g_application_command_line_get_is_remote(line);

    (void)gtk;
    if (!g_variant_dict_contains(options, "background") || (first && app->shell->sni == NULL))
        app_command(app, TRAY_CMD_OPEN, 0);
    if (!open_profiles(app, line, options) && first)
        app->ask_at_start = app->prefs.connect_at_start;
    return 0;
}

static void on_shutdown(GApplication *gtk, gpointer data)
{
    struct tray_app *app = data;

    (void)gtk;
    link_free(app->link);
    app->link = NULL;
    sni_free(app->shell->sni);
    app->shell->sni = NULL;
    app_free(app);
}

/* `pra` stands beside this program, in the build folder as when installed. */
static int find_agent(struct paths *paths, struct fault *f)
{
    char self[OS_PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len < 0)
        return fault_set(f, PRA_EIO, "/proc/self/exe cannot be read");
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    return os_path_join(paths->agent_program, self, "pra");
}

static int init(struct tray_app *app)
{
    struct fault f = {0};
    int rc = paths_init(&app->paths, &f);

    if (rc == 0)
        rc = find_agent(&app->paths, &f);
    if (rc != 0)
        g_printerr("pra-tray: %s\n", f.text);
    else if (prefs_load(&app->paths, &app->prefs, &f) != 0)
        g_printerr("pra-tray: %s\n", f.text); /* and goes on with the defaults */
    prefs_apply_language(&app->prefs);
    return rc;
}

static const GOptionEntry options[] = {
    {"background", 'b', 0, G_OPTION_ARG_NONE, NULL, "Start without opening the window", NULL},
    {"if-set-up", 0, 0, G_OPTION_ARG_NONE, NULL, "End at once where this user has no settings yet",
     NULL},
    {"version", 'V', 0, G_OPTION_ARG_NONE, NULL, "Print the version and end", NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, NULL, NULL, "[FILE.pra]"},
    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};

static gint on_local_options(GApplication *gtk, GVariantDict *given, gpointer data)
{
    const struct tray_app *app = data;

    (void)gtk;
    if (!g_variant_dict_contains(given, "version"))
        return g_variant_dict_contains(given, "if-set-up") &&
                       access(app->paths.config_file, F_OK) != 0
                   ? EXIT_SUCCESS
                   : -1;
    g_print("pra-tray %s\n", PRA_VERSION);
    return 0;
}

int main(int argc, char **argv)
{
    static struct shell shell;
    static struct tray_app app = {.shell = &shell};
    int code;

    os_process_harden();
    (void)signal(SIGPIPE, SIG_IGN);
    i18n_init();
    msg_speak_of_windows();
    g_set_prgname("pra-tray");
    g_set_application_name("PRA");
    if (init(&app) != 0)
        return EXIT_FAILURE;
    shell.gtk = gtk_application_new(APP_ID, G_APPLICATION_HANDLES_COMMAND_LINE);
    g_application_add_main_option_entries(G_APPLICATION(shell.gtk), options);
    g_signal_connect(shell.gtk, "handle-local-options", G_CALLBACK(on_local_options), &app);
    g_signal_connect(shell.gtk, "startup", G_CALLBACK(on_startup), &app);
    g_signal_connect(shell.gtk, "command-line", G_CALLBACK(on_command_line), &app);
    g_signal_connect(shell.gtk, "shutdown", G_CALLBACK(on_shutdown), &app);
    code = g_application_run(G_APPLICATION(shell.gtk), argc, argv);
    g_object_unref(shell.gtk);
    return code;
}
