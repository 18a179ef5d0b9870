"""A picture of a remote login screen, taken with a real RDP client through the tunnel."""

import shutil

import pytest

from lib.ports import free_port
from lib.procs import Process, wait_until
from lib.screen import Screen
from lib.servers.xrdp import BACKGROUND, Xrdp

pytestmark = [pytest.mark.needs_root, pytest.mark.release_client]


# Debian 12 has FreeRDP 2, Debian 13 has FreeRDP 3 under another name.
XFREERDP = shutil.which("xfreerdp") or shutil.which("xfreerdp3") or "xfreerdp"
# Without a terminal FreeRDP 3 asks for a password in vain; FreeRDP 2 fails on an empty one.
NO_QUESTION = ["/p:"] if XFREERDP.endswith("3") else []


def test_remote_login_screen_is_seen_through_the_tunnel(gateway, client, folder):
    desktop, screen, viewer = Xrdp(f"{folder}/xrdp"), Screen(f"{folder}/x"), None
    local = free_port()
    try:
        desktop.start()
        screen.start()
        gateway.add_rule("suzuki", "RDP", f"127.0.0.1:{desktop.port}", local)
        client.connect()
        # No user name: it would skip the login screen.
        viewer = Process([XFREERDP, f"/v:127.0.0.1:{local}", "/cert:ignore", "/sec:tls",
                          "/size:800x600", *NO_QUESTION], f"{folder}/xfreerdp.log",
                         env={"DISPLAY": screen.display, "HOME": folder})

        def login_screen():
            picture = screen.picture()
            colours = picture.colours()
            # Background, dialog, text and the shades of the logo.
            return picture if colours[BACKGROUND] > 200000 and len(colours) > 10 else None
        picture = wait_until(login_screen, 30, "the login screen", interval=0.3)
        picture.save_png(f"{folder}/login.png")
        forward = client.forwards()["RDP"]
        assert forward["connections"] == 1 and forward["bytes_in"] > 10000
    finally:
        for p in (viewer, screen, desktop):
            if p:
                p.stop()
