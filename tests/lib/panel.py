"""A panel for tests: owns StatusNotifierWatcher and Notifications on the session bus; one line on
stdout for each icon that registers ("item NAME") and each notice ("notice TITLE | BODY")."""

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

WATCHER = """<node><interface name='org.kde.StatusNotifierWatcher'>
<method name='RegisterStatusNotifierItem'><arg type='s' direction='in'/></method>
<method name='RegisterStatusNotifierHost'><arg type='s' direction='in'/></method>
<property name='IsStatusNotifierHostRegistered' type='b' access='read'/>
<property name='ProtocolVersion' type='i' access='read'/>
</interface></node>"""

NOTICES = """<node><interface name='org.freedesktop.Notifications'>
<method name='Notify'><arg type='s' direction='in'/><arg type='u' direction='in'/>
<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='s' direction='in'/>
<arg type='as' direction='in'/><arg type='a{sv}' direction='in'/><arg type='i' direction='in'/>
<arg type='u' direction='out'/></method>
<method name='CloseNotification'><arg type='u' direction='in'/></method>
<method name='GetCapabilities'><arg type='as' direction='out'/></method>
<method name='GetServerInformation'><arg type='s' direction='out'/><arg type='s' direction='out'/>
<arg type='s' direction='out'/><arg type='s' direction='out'/></method>
</interface></node>"""


def say(*words):
    print(*words, flush=True)


def on_watcher(bus, sender, path, interface, method, parameters, invocation):
    if method == "RegisterStatusNotifierItem":
        say("item", parameters.unpack()[0])
    invocation.return_value(None)


def on_property(bus, sender, path, interface, name):
    return GLib.Variant("b", True) if name.startswith("Is") else GLib.Variant("i", 0)


def on_notices(bus, sender, path, interface, method, parameters, invocation):
    answer = None
    if method == "Notify":
        _, _, _, title, body, *_ = parameters.unpack()
        say("notice", title, "|", body.replace("\n", " "))
        answer = GLib.Variant("(u)", (1,))
    elif method == "GetCapabilities":
        answer = GLib.Variant("(as)", (["body", "actions"],))
    elif method == "GetServerInformation":
        answer = GLib.Variant("(ssss)", ("panel", "pra", "1", "1.2"))
    invocation.return_value(answer)


def main():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    watcher = Gio.DBusNodeInfo.new_for_xml(WATCHER).interfaces[0]
    notices = Gio.DBusNodeInfo.new_for_xml(NOTICES).interfaces[0]
    bus.register_object("/StatusNotifierWatcher", watcher, on_watcher, on_property, None)
    bus.register_object("/org/freedesktop/Notifications", notices, on_notices, None, None)
    left = ["org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications"]

    def owned(connection, name):
        left.remove(name)
        if not left:
            say("ready")
    for name in list(left):
        Gio.bus_own_name_on_connection(bus, name, Gio.BusNameOwnerFlags.NONE, owned,
                                       lambda *_: sys.exit("the name is taken"))
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
