"""xrdp: the login screen of a remote desktop, without a session manager behind it.

xrdp keeps its pid file and sockets under /run/xrdp, so it gets a mount namespace of its own with
an empty /run; that needs root.
"""

import os
import shutil

from lib.ports import free_port
from lib.procs import Process, run

BACKGROUND = (0x00, 0x9C, 0xB5)  # ls_top_window_bg_color below

CONFIG = """
[Globals]
ini_version=1
fork=true
port=tcp://127.0.0.1:{port}
tcp_nodelay=true
security_layer=negotiate
crypt_level=high
certificate={dir}/cert.pem
key_file={dir}/key.pem
ssl_protocols=TLSv1.2, TLSv1.3
max_bpp=32
use_fastpath=both
allow_channels=true
blue=009cb5
grey=dedede
ls_top_window_bg_color=009cb5
ls_width=350
ls_height=430
ls_bg_color=dedede
ls_logo_x_pos=55
ls_logo_y_pos=50
ls_label_x_pos=30
ls_label_width=65
ls_input_x_pos=110
ls_input_width=210
ls_input_y_pos=220
ls_btn_ok_x_pos=142
ls_btn_ok_y_pos=370
ls_btn_ok_width=85
ls_btn_ok_height=30
ls_btn_cancel_x_pos=237
ls_btn_cancel_y_pos=370
ls_btn_cancel_width=85
ls_btn_cancel_height=30

[Logging]
LogFile={dir}/xrdp.log
LogLevel=INFO
EnableSyslog=false

[Channels]
rdpdr=true
rdpsnd=true
drdynvc=true
cliprdr=true
rail=true
xrdpvr=true
tcutils=true

[Xorg]
name=Xorg
lib=libxup.so
username=ask
password=ask
ip=127.0.0.1
port=-1
code=20
"""


class Xrdp:
    def __init__(self, folder):
        self.dir = str(folder)
        self.port = free_port()
        self.process = None

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        with open(os.path.join(self.dir, "xrdp.ini"), "w") as f:
            f.write(CONFIG.format(dir=self.dir, port=self.port))
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
             "/CN=rdp.pra.test", "-keyout", f"{self.dir}/key.pem", "-out",
             f"{self.dir}/cert.pem"]).ok()
        program = shutil.which("xrdp", path=f"{os.environ['PATH']}:/usr/sbin")
        private_run = "mount -t tmpfs tmpfs /run && mkdir -p /run/xrdp/sockdir && exec \"$@\""
        self.process = Process(
            ["unshare", "--mount", "sh", "-c", private_run, "sh", program, "--nodaemon", "--config",
             os.path.join(self.dir, "xrdp.ini")], os.path.join(self.dir, "out.log"), name="xrdp")
        self.process.wait_port(self.port)
        return self

    def stop(self):
        if self.process:
            self.process.stop()
