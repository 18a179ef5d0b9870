/* sni_gtk.h. Runs on GTK's loop. */
#include "client/tray/sni_gtk.h"

#include <string.h>
#include <unistd.h>

#include <libdbusmenu-glib/dbusmenu-glib.h>

#include "client/tray/icon_gtk.h"

#define WATCHER   "org.kde.StatusNotifierWatcher"
#define ITEM_PATH "/StatusNotifierItem"
#define MENU_PATH "/MenuBar"

/* A tray that does not answer shows no icon: then the window opens by itself. */
#define REGISTER_TIMEOUT_MS 5000

static const char introspection[] =
    "<node><interface name='org.kde.StatusNotifierItem'>"
    "<property name='Category' type='s' access='read'/>"
    "<property name='Id' type='s' access='read'/>"
    "<property name='Title' type='s' access='read'/>"
    "<property name='Status' type='s' access='read'/>"
    "<property name='WindowId' type='i' access='read'/>"
    "<property name='IconName' type='s' access='read'/>"
    "<property name='IconPixmap' type='a(iiay)' access='read'/>"
    "<property name='OverlayIconName' type='s' access='read'/>"
    "<property name='AttentionIconName' type='s' access='read'/>"
    "<property name='AttentionIconPixmap' type='a(iiay)' access='read'/>"
    "<property name='ToolTip' type='(sa(iiay)ss)' access='read'/>"
    "<property name='ItemIsMenu' type='b' access='read'/>"
    "<property name='Menu' type='o' access='read'/>"
    "<method name='Activate'><arg type='i' direction='in'/><arg type='i' direction='in'/></method>"
    "<method name='SecondaryActivate'><arg type='i' direction='in'/><arg type='i' "
    "direction='in'/></method>"
    "<method name='ContextMenu'><arg type='i' direction='in'/><arg type='i' "
    "direction='in'/></method>"
    "<method name='Scroll'><arg type='i' direction='in'/><arg type='s' direction='in'/></method>"
    "<signal name='NewTitle'/><signal name='NewIcon'/><signal name='NewAttentionIcon'/>"
    "<signal name='NewToolTip'/><signal name='NewStatus'><arg type='s'/></signal>"
    "</interface></node>";

struct sni {
    GDBusConnection *bus;
    const struct sni_events *events;
    void *arg;
    GDBusNodeInfo *info;
    guint object, name, watch;
    GCancellable *registering; /* what was asked of the tray that is there now; NULL = none is */
    bool hosted, told;
    DbusmenuServer *menu;
    enum tray_shape shape;
    char headline[TRAY_TEXT_MAX], detail[TRAY_TEXT_MAX];
    struct tray_item items[TRAY_MENU_MAX];
    size_t count;
};

char *sni_plain(const char *text)
{
    char **parts = g_strsplit(text, "<", -1);
    char *joined = g_strjoinv("\xe2\x80\xb9", parts); /* U+2039, which looks alike */

    g_strfreev(parts);
    return joined;
}

/* --- the item --------------------------------------------------------------------------------- */

static const char *status_word(const struct sni *sni)
{
    return sni->shape == TRAY_ACTION || sni->shape == TRAY_ERROR ? "NeedsAttention" : "Active";
}

static GVariant *no_pixmaps(void)
{
    return g_variant_new_array(G_VARIANT_TYPE("(iiay)"), NULL, 0);
}

static GVariant *tool_tip(const struct sni *sni)
{
    char *headline = sni_plain(sni->headline), *detail = sni_plain(sni->detail);
    GVariant *tip = g_variant_new("(s@a(iiay)ss)", "", no_pixmaps(), headline, detail);

    g_free(headline);
    g_free(detail);
    return tip;
}

static GVariant *get_property(GDBusConnection *bus, const gchar *sender, const gchar *path,
                              const gchar *interface, const gchar *name, GError **error,
                              gpointer data)
{
    const struct sni *sni = data;

    (void)bus, (void)sender, (void)path, (void)interface, (void)error;
    if (strcmp(name, "Category") == 0)
        return g_variant_new_string("Communications");
    if (strcmp(name, "Id") == 0)
        return g_variant_new_string("pra-tray");
    if (strcmp(name, "Title") == 0)
        return g_variant_new_printf("PRA: %s", sni->headline);
    if (strcmp(name, "Status") == 0)
        return g_variant_new_string(status_word(sni));
    if (strcmp(name, "WindowId") == 0)
        return g_variant_new_int32(0);
    if (strcmp(name, "IconPixmap") == 0 || strcmp(name, "AttentionIconPixmap") == 0)
        return icon_pixmaps(sni->shape);
    if (strcmp(name, "ToolTip") == 0)
        return tool_tip(sni);
    if (strcmp(name, "ItemIsMenu") == 0)
        return g_variant_new_boolean(FALSE);
    if (strcmp(name, "Menu") == 0)
        return g_variant_new_object_path(MENU_PATH);
    return g_variant_new_string("");
}

static void call_method(GDBusConnection *bus, const gchar *sender, const gchar *path,
                        const gchar *interface, const gchar *method, GVariant *parameters,
                        GDBusMethodInvocation *invocation, gpointer data)
{
    struct sni *sni = data;

    (void)bus, (void)sender, (void)path, (void)interface, (void)parameters;
    g_dbus_method_invocation_return_value(invocation, NULL);
    if (strcmp(method, "Activate") == 0 || strcmp(method, "SecondaryActivate") == 0)
        sni->events->activate(sni->arg);
}

static const GDBusInterfaceVTable vtable = {.method_call = call_method,
                                            .get_property = get_property};

static void emit(const struct sni *sni, const char *signal, GVariant *parameters)
{
    g_dbus_connection_emit_signal(sni->bus, NULL, ITEM_PATH, "org.kde.StatusNotifierItem", signal,
                                  parameters, NULL);
}

/* --- the watcher ------------------------------------------------------------------------------ */

static void tell_hosted(struct sni *sni, bool hosted)
{
    if (sni->told && sni->hosted == hosted)
        return;
    sni->hosted = hosted;
    sni->told = true;
    sni->events->hosted(sni->arg, hosted);
}

/* Forgets what was asked of a tray that is no longer the one: its late answer is about nothing. */
static void forget_registering(struct sni *sni)
{
    if (sni->registering == NULL)
        return;
    g_cancellable_cancel(sni->registering);
    g_clear_object(&sni->registering);
}

static void registered(GObject *source, GAsyncResult *result, gpointer data)
{
    GError *error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    /* Then `data` may be gone. */
    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        if (reply == NULL)
            g_message("the tray does not take the icon: %s", error->message);
        tell_hosted(data, reply != NULL);
    }
    g_clear_pointer(&reply, g_variant_unref);
    g_clear_error(&error);
}

/* At the start, and again after a panel was restarted. */
static void watcher_appeared(GDBusConnection *bus, const gchar *name, const gchar *owner,
                             gpointer data)
{
    struct sni *sni = data;
    char *item = g_strdup_printf("org.kde.StatusNotifierItem-%d-1", (int)getpid());

    (void)name;
    forget_registering(sni);
    sni->registering = g_cancellable_new();
    g_dbus_connection_call(bus, owner, "/StatusNotifierWatcher", WATCHER,
                           "RegisterStatusNotifierItem", g_variant_new("(s)", item), NULL,
                           G_DBUS_CALL_FLAGS_NONE, REGISTER_TIMEOUT_MS, sni->registering,
                           registered, sni);
    g_free(item);
}

static void watcher_vanished(GDBusConnection *bus, const gchar *name, gpointer data)
{
    (void)bus, (void)name;
    forget_registering(data);
    tell_hosted(data, false);
}

/* --- the menu --------------------------------------------------------------------------------- */

static void on_item(DbusmenuMenuitem *item, guint timestamp, gpointer data)
{
    struct sni *sni = data;
    int i = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(item), "index"));

    (void)timestamp;
    if (i >= 0 && (size_t)i < sni->count)
        sni->events->command(sni->arg, sni->items[i].command, sni->items[i].row);
}

/* A panel takes an underscore for the mark of a mnemonic; doubled it is itself. */
static void set_label(DbusmenuMenuitem *item, const char *label)
{
    char **parts = g_strsplit(label, "_", -1);
    char *escaped = g_strjoinv("__", parts);

    dbusmenu_menuitem_property_set(item, DBUSMENU_MENUITEM_PROP_LABEL, escaped);
    g_strfreev(parts);
    g_free(escaped);
}

static void fill_item(DbusmenuMenuitem *item, const struct tray_item *from)
{
    if (from->command == TRAY_CMD_LINE) {
        dbusmenu_menuitem_property_set(item, DBUSMENU_MENUITEM_PROP_TYPE,
                                       DBUSMENU_CLIENT_TYPES_SEPARATOR);
        return;
    }
    set_label(item, from->label);
    dbusmenu_menuitem_property_set_bool(item, DBUSMENU_MENUITEM_PROP_ENABLED, from->enabled);
}

/* The same entries with other words (a countdown): an open menu stays open. */
static bool same_entries(const struct sni *sni, const struct tray_item *items, size_t count)
{
    if (count != sni->count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (items[i].command != sni->items[i].command)
            return false;
    return true;
}

static void update_menu(struct sni *sni, const struct tray_item *items, size_t count)
{
    bool same = same_entries(sni, items, count);
    DbusmenuMenuitem *root = NULL;
    GList *children = NULL;

    if (same && memcmp(items, sni->items, count * sizeof(*items)) == 0)
        return;
    memcpy(sni->items, items, count * sizeof(*items));
    sni->count = count;
    if (same) {
        g_object_get(sni->menu, DBUSMENU_SERVER_PROP_ROOT_NODE, &root, NULL);
        children = dbusmenu_menuitem_get_children(root);
        for (size_t i = 0; i < count && children != NULL; i++, children = children->next)
            fill_item(children->data, &items[i]);
        g_object_unref(root);
        return;
    }
    root = dbusmenu_menuitem_new();
    for (size_t i = 0; i < count; i++) {
        DbusmenuMenuitem *item = dbusmenu_menuitem_new();

        fill_item(item, &items[i]);
        g_object_set_data(G_OBJECT(item), "index", GINT_TO_POINTER((int)i));
        g_signal_connect(item, DBUSMENU_MENUITEM_SIGNAL_ITEM_ACTIVATED, G_CALLBACK(on_item), sni);
        dbusmenu_menuitem_child_append(root, item);
        g_object_unref(item);
    }
    dbusmenu_server_set_root(sni->menu, root);
    g_object_unref(root);
}

/* --- life ------------------------------------------------------------------------------------- */

struct sni *sni_new(GDBusConnection *bus, const struct sni_events *events, void *arg)
{
    struct sni *sni;
    char *name;

    if (bus == NULL)
        return NULL;
    sni = g_new0(struct sni, 1);
    *sni = (struct sni){.bus = g_object_ref(bus), .events = events, .arg = arg};
    sni->info = g_dbus_node_info_new_for_xml(introspection, NULL);
    sni->menu = dbusmenu_server_new(MENU_PATH);
    sni->object = g_dbus_connection_register_object(bus, ITEM_PATH, sni->info->interfaces[0],
                                                    &vtable, sni, NULL, NULL);
    name = g_strdup_printf("org.kde.StatusNotifierItem-%d-1", (int)getpid());
    sni->name = g_bus_own_name_on_connection(bus, name, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL,
                                             NULL, NULL);
    g_free(name);
    sni->watch = g_bus_watch_name_on_connection(bus, WATCHER, G_BUS_NAME_WATCHER_FLAGS_AUTO_START,
                                                watcher_appeared, watcher_vanished, sni, NULL);
    return sni;
}

void sni_update(struct sni *sni, const struct tray_facts *facts, const struct tray_view *view)
{
    struct tray_item items[TRAY_MENU_MAX] = {0};
    bool words, shape;
    size_t count;

    if (sni == NULL)
        return;
    count = tray_menu(facts, view, items);
    words = strcmp(sni->headline, view->headline) != 0 || strcmp(sni->detail, view->detail) != 0;
    shape = sni->shape != view->shape;
    g_strlcpy(sni->headline, view->headline, sizeof(sni->headline));
    g_strlcpy(sni->detail, view->detail, sizeof(sni->detail));
    sni->shape = view->shape;
    update_menu(sni, items, count);
    if (shape) {
        emit(sni, "NewIcon", NULL);
        emit(sni, "NewAttentionIcon", NULL);
        emit(sni, "NewStatus", g_variant_new("(s)", status_word(sni)));
    }
    if (words) {
        emit(sni, "NewTitle", NULL);
        emit(sni, "NewToolTip", NULL);
    }
}

bool sni_hosted(const struct sni *sni)
{
    return sni != NULL && sni->hosted;
}

void sni_free(struct sni *sni)
{
    if (sni == NULL)
        return;
    forget_registering(sni);
    g_bus_unwatch_name(sni->watch);
    g_bus_unown_name(sni->name);
    g_dbus_connection_unregister_object(sni->bus, sni->object);
    g_object_unref(sni->menu);
    g_dbus_node_info_unref(sni->info);
    g_object_unref(sni->bus);
    g_free(sni);
}
