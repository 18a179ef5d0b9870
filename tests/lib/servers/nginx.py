"""nginx: a page and a large file."""

import hashlib
import os
import random
import shutil

from lib.ports import free_port
from lib.procs import Process

CONFIG = """
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 512; }}
http {{
  access_log {dir}/access.log;
  default_type application/octet-stream;
  types {{ text/html html; }}
  client_body_temp_path {dir}/tmp-body;
  proxy_temp_path {dir}/tmp-proxy;
  fastcgi_temp_path {dir}/tmp-fastcgi;
  uwsgi_temp_path {dir}/tmp-uwsgi;
  scgi_temp_path {dir}/tmp-scgi;
  server {{
    listen 127.0.0.1:{port};
    root {dir}/www;
  }}
}}
"""

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Company intranet</title>
<h1>社内ポータル / Company intranet</h1>
<p>You are reading this page through PRA.</p>
"""


class Nginx:
    def __init__(self, folder, large=0):
        self.dir = str(folder)
        self.port = free_port()
        self.large_size = large
        self.large_sha256 = None
        self.process = None

    def start(self):
        www = os.path.join(self.dir, "www")
        os.makedirs(www)
        os.chmod(self.dir, 0o755)
        with open(os.path.join(www, "index.html"), "w", encoding="utf-8") as f:
            f.write(PAGE)
        if self.large_size:
            data = random.Random(1).randbytes(self.large_size)
            self.large_sha256 = hashlib.sha256(data).hexdigest()
            with open(os.path.join(www, "large.bin"), "wb") as f:
                f.write(data)
        config = os.path.join(self.dir, "nginx.conf")
        with open(config, "w") as f:
            f.write(CONFIG.format(dir=self.dir, port=self.port))
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        self.process = Process([program, "-p", self.dir, "-e", os.path.join(self.dir, "error.log"),
                                "-c", config], os.path.join(self.dir, "out.log"), name="nginx")
        self.process.wait_port(self.port)
        return self

    def stop(self):
        if self.process:
            self.process.stop()
