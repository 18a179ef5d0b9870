"""tinyproxy: the company's HTTP proxy, or the proxy between a user's PC and the internet."""

import os
import shutil

from lib.ports import free_port
from lib.procs import Process

CONFIG = """
Port {port}
Listen 127.0.0.1
Timeout 600
LogFile "{dir}/tinyproxy.log"
LogLevel Connect
MaxClients 200
Allow 127.0.0.1
ViaProxyName "pra-test"
{connect}
"""

# As an ordinary user from the start: a program that changes its user itself would no longer be
# killed with the test runner.
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=KILL"]


class Tinyproxy:
    def __init__(self, folder, connect_ports=()):
        """connect_ports: ports that CONNECT may reach; an empty tuple allows none of ours."""
        self.dir = str(folder)
        self.port = free_port()
        self.connect_ports = connect_ports or (443,)
        self.process = None

    def start(self):
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o777)
        config = os.path.join(self.dir, "tinyproxy.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(
                dir=self.dir, port=self.port,
                connect="\n".join(f"ConnectPort {p}" for p in self.connect_ports)))
        program = shutil.which("tinyproxy", path=f"{os.environ['PATH']}:/usr/sbin")
        prefix = AS_NOBODY if os.getuid() == 0 else []
        self.process = Process([*prefix, program, "-d", "-c", config],
                               os.path.join(self.dir, "out.log"), name="tinyproxy")
        self.process.wait_port(self.port)
        return self

    def log(self):
        with open(os.path.join(self.dir, "tinyproxy.log"), errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process:
            self.process.stop()
