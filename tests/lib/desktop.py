"""A desktop nobody looks at: a screen, a session bus, and the tray's windows as a screen reader finds
them. Nothing here knows where a control is on the screen: it is found by role and accessible name, as
people who cannot see find it.
"""

import os
import shutil
import tempfile

from lib.client import locale_env
from lib.messages import shows
from lib.procs import Process, Timeout, run, wait_until
from lib.screen import Screen

# A busy machine takes its time; nothing waits longer than it has to.
PATIENCE = 25


class Desktop:
    """Screen and session bus; `env` is what programs on it need."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="pra-t-desk-")
        self.screen = Screen(self.dir, 1280, 900)
        self.bus = self.session = self.a11y = None
        self.env = {}

    def start(self):
        self.screen.start()
        self.env = {"DISPLAY": self.screen.display, "XDG_RUNTIME_DIR": self.dir, "HOME": self.dir,
                    "XDG_CONFIG_HOME": f"{self.dir}/config", "XDG_CACHE_HOME": f"{self.dir}/cache",
                    "XDG_DATA_HOME": f"{self.dir}/data", "GTK_A11Y": None, "NO_AT_BRIDGE": None,
                    "GSETTINGS_BACKEND": "memory", "GIO_USE_VFS": "local", "GTK_THEME": None,
                    "WAYLAND_DISPLAY": None, "GDK_BACKEND": "x11"}
        address = f"{self.dir}/bus-address"
        self.bus = Process(["sh", "-c", 'exec 9>"$1"; exec dbus-daemon --session --nofork --print-address=9',
                            "sh", address], f"{self.dir}/bus.log", env=self.env, name="dbus-daemon")

        def known():
            with open(address) as f:
                return f.read().strip()
        wait_until(lambda: os.path.exists(address), 10, "the session bus to start")
        self.env["DBUS_SESSION_BUS_ADDRESS"] = wait_until(known, 20, "the session bus")
        self.session, self.a11y = accessibility_bus(self.env)
        return self

    def stop(self):
        if self.bus:
            self.bus.stop()
        self.screen.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Missing(AssertionError):
    """A control is not there (yet), or went while it was looked at."""


_SHOWING, _SENSITIVE, _FOCUSED, _CHECKED = 25, 24, 12, 4  # AtspiStateType


class Node:
    """One control, asked over the accessibility bus. (libatspi keeps a cache and stops for ever when an
    event of that comes in the middle of a question, so the bus is spoken directly.)"""

    def __init__(self, bus, service, path):
        self.bus, self.service, self.path = bus, service, path

    def call(self, interface, method, signature=None, *args):
        from gi.repository import Gio, GLib
        parameters = GLib.Variant(signature, args) if signature else None
        try:
            answer = self.bus.call_sync(self.service, self.path, interface, method, parameters, None,
                                        Gio.DBusCallFlags.NONE, 20000, None).unpack()
        except GLib.Error as e:
            raise Missing(f"{method}: {e.message}") from None
        return answer[0] if answer else None

    def atspi(self, interface, method, signature=None, *args):
        return self.call(f"org.a11y.atspi.{interface}", method, signature, *args)

    @property
    def name(self):
        return self.call("org.freedesktop.DBus.Properties", "Get", "(ss)", "org.a11y.atspi.Accessible", "Name")

    @property
    def role(self):
        name = self.atspi("Accessible", "GetRoleName")
        return "push button" if name == "button" else name  # as newer versions call it

    def children(self):
        return [Node(self.bus, service, path) for service, path in self.atspi("Accessible", "GetChildren")
                if not path.endswith("/null")]

    def state(self, bit):
        low, high = self.atspi("Accessible", "GetState")
        return bool((low | high << 32) >> bit & 1)

    @property
    def showing(self):
        return self.state(_SHOWING)

    @property
    def sensitive(self):
        return self.state(_SENSITIVE)

    @property
    def focused(self):
        return self.state(_FOCUSED)

    @property
    def checked(self):
        return self.state(_CHECKED)

    def walk(self, visible, depth=0):
        """(node, role, name) of this one and everything in it."""
        if depth > 40 or (visible and depth > 0 and not self.showing):
            return
        yield self, self.role, self.name
        for child in self.children():
            yield from child.walk(visible, depth + 1)


def accessibility_bus(env):
    from gi.repository import Gio
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    session = Gio.DBusConnection.new_for_address_sync(env["DBUS_SESSION_BUS_ADDRESS"], flags, None, None)
    address = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None,
                                Gio.DBusCallFlags.NONE, 20000, None).unpack()[0]
    return session, Gio.DBusConnection.new_for_address_sync(address, flags, None, None)


BUTTONS = ("push button", "menu item", "check box", "toggle button")
ENTRIES = ("text", "password text")


class Tray:
    """A running pra-tray of one client: its windows by role and name."""

    def __init__(self, desktop, client, lang="en", options=(), env=None):
        self.desktop = desktop
        self.client = client
        tray = os.path.join(os.path.dirname(client.pra), "pra-tray")
        # Libraries of the desktop keep memory to the end; leaks are looked for in the other programs.
        self.env = {**client.env, **desktop.env, **locale_env(lang), "ASAN_OPTIONS": "detect_leaks=0",
                    **(env or {})}
        self.argv = [tray, *options]
        self.process = Process(self.argv, os.path.join(client.dir, f"tray-{id(self)}.log"), env=self.env,
                               name="pra-tray")

    # --- finding ------------------------------------------------------------------------

    def _application(self):
        bus = self.desktop.a11y
        root = Node(bus, "org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
        for app in root.children():
            daemon = Node(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus")
            if daemon.call("org.freedesktop.DBus", "GetConnectionUnixProcessID", "(s)",
                           app.service) == self.process.pid:
                return app
        raise Missing("pra-tray is not on the accessibility bus")

    def all(self, role=None, name=None, visible=True):
        """Every control of a role whose name holds `name`; those on the screen only."""
        roles = (role,) if isinstance(role, str) else role
        return [node for node, its_role, its_name in self._application().walk(visible)
                if (not roles or its_role in roles) and (name is None or name in its_name)]

    def find(self, role=None, name=None, visible=True, condition=lambda node: True):
        """Waits for such a control; the newest where there are several."""
        def there():
            assert self.process.running(), f"pra-tray ended:\n{self.process.tail()}"
            try:
                return [node for node in self.all(role, name, visible) if condition(node)]
            except Missing:
                return None
        return self._wait(there, f"{role} {name!r}")[-1]

    def _wait(self, question, what):
        try:
            return wait_until(question, PATIENCE, what, 0.05)
        except Timeout as e:
            raise Timeout(f"{e}\n{self.dump()}\n{self.process.tail()}") from None

    def gone(self, role=None, name=None):
        def away():
            try:
                return not self.all(role, name)
            except Missing:
                return False
        self._wait(away, f"{role} {name!r} to go")

    def text(self):
        """All that can be read in the windows now."""
        try:
            return "\n".join(name for _, _, name in self._application().walk(True))
        except Missing:
            return ""

    def dump(self, visible=True):
        """The tree of controls, for the report of a failure."""
        try:
            return "\n".join(f"{role}: {name!r}" for _, role, name in self._application().walk(visible))
        except Missing as e:
            return str(e)

    def wait_text(self, *texts):
        for text in texts:
            self._wait(lambda: text in self.text(), f"{text!r} in a window")

    def wait_message(self, message_id, lang, title=True):
        """Waits for code, cause and remedy of a message (and its title)."""
        self._wait(lambda: not shows(self.text(), message_id, lang, title), f"{message_id} in {lang}")

    def count(self, role, name=None):
        """How many of such controls are on the screen; 0 while there is no window at all."""
        try:
            return len(self.all(role, name))
        except Missing:
            return 0

    # --- doing --------------------------------------------------------------------------

    def press(self, name, role=BUTTONS):
        """Presses a button or a menu entry, once it can be pressed. Menus need not be open."""
        visible = "menu item" not in role or role is BUTTONS and not name.endswith("...")
        node = self.find(role, name, visible, lambda n: n.sensitive)
        assert node.atspi("Action", "DoAction", "(i)", 0), f"{name!r} cannot be pressed"

    def menu(self, name):
        """Chooses an entry of the menu bar."""
        self.find("menu item", name, False, lambda n: n.sensitive).atspi("Action", "DoAction", "(i)", 0)

    def fill(self, name, text):
        """Writes into the entry of that name."""
        node = self.find(ENTRIES, name, condition=lambda n: n.sensitive)
        assert node.atspi("EditableText", "SetTextContents", "(s)", text), f"{name!r} cannot be filled"

    def entry_text(self, name):
        return self.find(ENTRIES, name).atspi("Text", "GetText", "(ii)", 0, -1)

    def choose(self, name, choice):
        """Chooses a line of a combo box."""
        box = self.find("combo box", name)
        lines = [n for n, role, its in box.walk(False) if role == "menu item" and its == choice]
        assert lines, f"no {choice!r} in {name!r}"
        lines[0].atspi("Action", "DoAction", "(i)", 0)

    def xdotool(self, *args):
        return run(["xdotool", *args], env={**self.env, "LC_ALL": "C.UTF-8"})

    def window_id(self, title):
        return self.xdotool("search", "--sync", "--onlyvisible", "--name", f"^{title}$").ok().out.split()[-1]

    def top_window(self):
        return self.xdotool("search", "--onlyvisible", "--class", "pra-tray").ok().out.split()[-1]

    def keys_on_top(self, *keys):
        """Types into the topmost window, whatever its title."""
        self.xdotool("windowfocus", "--sync", self.top_window()).ok()
        self.xdotool("key", "--delay", "10", *keys).ok()

    def move_mouse(self):
        """Moves the mouse to and fro over the topmost window, as fast as that is drawn."""
        window = self.top_window()
        steps = []
        for i in range(100):
            steps += ["mousemove", "--window", window, str(20 + i % 90 * 3), str(20 + i * 7 % 60),
                      "sleep", "0.017"]
        self.xdotool(*steps).ok()

    def keys(self, title, *keys):
        """Types into the window of that title; without a window manager it is given the focus here."""
        self.xdotool("windowfocus", "--sync", self.window_id(title)).ok()
        self.xdotool("key", "--delay", "10", *keys).ok()

    def type(self, title, text):
        self.xdotool("windowfocus", "--sync", self.window_id(title)).ok()
        self.xdotool("type", "--delay", "10", text).ok()

    def type_path(self, title, path):
        """Types a path into a file chooser. While that still reads its folder it drops what is typed, so
        the entry is looked at, and all of it typed again over what arrived."""
        def arrived():
            self.keys(title, "ctrl+l")
            self.keys(title, "ctrl+a")
            self.type(title, path)
            try:
                return wait_until(lambda: self.entry_text("") == path, 3, "the path")
            except Timeout:
                return False
        self._wait(arrived, f"{path} in the file chooser")

    def type_on_top(self, text):
        """xdotool finds no window by a Japanese title."""
        self.xdotool("windowfocus", "--sync", self.top_window()).ok()
        self.xdotool("type", "--delay", "10", text).ok()

    def stop(self):
        self.process.stop()


class Panel:
    """A desktop's panel in a process of its own: takes tray icons and notices, and writes them down."""

    def __init__(self, desktop, folder, name="panel"):
        self.process = Process(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "panel.py")],
                               os.path.join(str(folder), f"{name}.log"), env=desktop.env, name="panel")
        self.process.wait_output("ready", PATIENCE)

    def lines(self, kind):
        return [line.partition(" ")[2] for line in self.process.output().splitlines()
                if line.startswith(kind + " ")]

    def wait(self, kind, count=1):
        wait_until(lambda: len(self.lines(kind)) >= count, PATIENCE, f"{count} {kind}; {self.process.output()}")
        return self.lines(kind)

    def stop(self):
        self.process.stop()


XFCE_PANEL = """<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
<property name="configver" type="int" value="2"/>
<property name="panels" type="array"><value type="int" value="1"/><property name="panel-1" type="empty">
<property name="position" type="string" value="p=6;x=0;y=0"/><property name="length" type="uint" value="20"/>
<property name="size" type="uint" value="40"/><property name="position-locked" type="bool" value="true"/>
<property name="plugin-ids" type="array"><value type="int" value="1"/></property></property></property>
<property name="plugins" type="empty"><property name="plugin-1" type="string" value="systray"/></property>
</channel>
"""


class XfcePanel:
    """A panel as people have it (Xfce's), with nothing in it but the tray, at the top left of the screen."""

    WIDTH, HEIGHT = 256, 40

    def __init__(self, desktop, folder, name="xfce"):
        self.desktop = desktop
        settings = os.path.join(desktop.env["XDG_CONFIG_HOME"], "xfce4/xfconf/xfce-perchannel-xml")
        os.makedirs(settings, exist_ok=True)
        with open(os.path.join(settings, "xfce4-panel.xml"), "w") as f:
            f.write(XFCE_PANEL)
        self.process = Process(["xfce4-panel", "--disable-wm-check"], os.path.join(str(folder), f"{name}.log"),
                               env=desktop.env, name="xfce4-panel")

    def drawn(self):
        """The colours that are not the panel's own; empty while there is no icon."""
        colours = self.desktop.screen.picture().colours(2, 4, self.WIDTH - 6, self.HEIGHT - 8)
        (ground, count), = colours.most_common(1)
        del colours[ground]
        return colours if count > self.WIDTH * self.HEIGHT // 2 and sum(ground) > 300 else {}

    def wait_icon(self, there=True):
        wait_until(lambda: bool(self.drawn()) == there, PATIENCE,
                   f"the icon to {'come' if there else 'go'}; {self.process.tail()}")

    def click(self, button):
        run(["xdotool", "mousemove", "12", "20", "click", str(button)], env=self.desktop.env).ok()

    def wait_menu(self):
        """The menu is another program's, and its own process draws it: what hangs below the icon is it."""
        def drawn():
            below = self.desktop.screen.picture().colours(2, self.HEIGHT + 3, 20, 60)
            return below and below.most_common(1)[0][0] == (255, 255, 255)
        wait_until(drawn, PATIENCE, "the menu")

    def stop(self):
        self.process.stop()


class Item:
    """The tray's icon as a panel sees it, over the bus."""

    def __init__(self, desktop, service):
        self.bus = desktop.session
        self.service = service

    def _call(self, path, interface, method, signature, *args):
        from gi.repository import Gio, GLib
        parameters = GLib.Variant(signature, args) if signature else None
        return self.bus.call_sync(self.service, path, interface, method, parameters, None,
                                  Gio.DBusCallFlags.NONE, 20000, None).unpack()

    def get(self, name):
        return self._call("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get", "(ss)",
                          "org.kde.StatusNotifierItem", name)[0]

    def activate(self):
        self._call("/StatusNotifierItem", "org.kde.StatusNotifierItem", "Activate", "(ii)", 0, 0)

    def menu(self):
        """[(id, label, enabled)] of the menu; lines between groups left out."""
        layout = self._call("/MenuBar", "com.canonical.dbusmenu", "GetLayout", "(iias)", 0, -1, [])[1]
        return [(item[0], item[1]["label"], item[1].get("enabled", True))
                for item in layout[2] if "label" in item[1]]

    def click(self, label):
        from gi.repository import GLib
        found = [item[0] for item in self.menu() if label in item[1]]
        assert found, f"no {label!r} in {self.menu()}"
        self._call("/MenuBar", "com.canonical.dbusmenu", "Event", "(isvu)", found[0], "clicked",
                   GLib.Variant("i", 0), 0)
