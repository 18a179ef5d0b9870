"""The tray's icon in a panel that is not ours: Xfce's."""

import pytest

from lib.desktop import XfcePanel
from lib.ports import free_port
from lib.procs import wait_until



@pytest.fixture
def panel(desktop, new_pc):
    p = XfcePanel(desktop, new_pc.dir)
    yield p
    p.stop()


def test_icon_is_drawn_clicked_and_comes_back_with_the_panel(desktop, gateway, pc, make_tray, target, panel):
    gateway.add_rule("suzuki", "Echo", f"127.0.0.1:{target().port}", free_port())
    tray = make_tray(pc, options=["--background"])
    panel.wait_icon()
    off = panel.drawn()
    pc.connect()
    wait_until(lambda: panel.drawn() and set(panel.drawn()) != set(off), 25, "another icon when connected")
    assert not tray.count("frame")
    panel.click(1)
    tray.find("frame", "PRA")
    # No window manager is there to place it beside the panel.
    tray.xdotool("windowmove", "--sync", tray.window_id("PRA"), "300", "300").ok()
    panel.click(3)
    panel.wait_menu()
    tray.xdotool("key", "--delay", "50", "Up", "Return").ok()  # its last entry
    tray.find("alert", "Quit?")
    panel.stop()
    again = XfcePanel(desktop, pc.dir, "xfce-2")
    try:
        again.wait_icon()
        tray.stop()
        again.wait_icon(False)
    finally:
        again.stop()
