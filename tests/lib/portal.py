"""A pra-portal beside a Gateway, and a browser's part of HTTPS without a browser."""

import base64
import hmac
import http.client
import json
import os
import ssl
import struct
import time

from lib.gateway import program
from lib.ports import free_port
from lib.procs import Process, run

PASSWORD = "correct horse battery"


def totp(secret, step=0):
    """
    The code of an authenticator (RFC 6238), `step` periods from now. The gateway takes -1 to 1; 0 and
    then 1 are good also when a period ends between making a code and using it.
    """
    key = base64.b32decode(secret)
    mac = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + step), "sha1")
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6:06d}"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        assert self.status == 200, (self.status, self.body)
        return self.json["result"]

    @property
    def code(self):
        """Of the error."""
        return self.json["error"]["code"]


class Browser:
    """One person: keeps the cookie, sends the headers that a page of the portal would."""

    def __init__(self, portal):
        self.portal = portal
        self.cookie = None
        self.known = None  # what it keeps of the accounts that were logged in here
        self._connection = None

    def _send(self, method, path, raw, sent, timeout):
        """Over the connection that is open, as browsers do; over a new one if the portal closed it."""
        fresh = self._connection is None
        if fresh:
            self._connection = http.client.HTTPSConnection(self.portal.host, self.portal.port, timeout=timeout,
                                                           context=self.portal.context())
        try:
            self._connection.request(method, path, body=raw, headers=sent)
            answer = Answer(self._connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.close()
            if fresh:
                raise
            return self._send(method, path, raw, sent, timeout)
        if answer.headers.get("Connection", "").lower() == "close":
            self.close()
        return answer

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def ask(self, method, path, body=None, headers=None, raw=None, timeout=20):
        sent = {"Origin": self.portal.url}
        kept = [("__Host-pra", self.cookie), ("__Host-pra-browser", self.known)]
        if self.cookie or self.known:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in kept if value)
        if body is not None:
            raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        sent.update(headers or {})
        path = path if path.startswith("/api/") or path.startswith("//") else "/api/v1" + path
        answer = self._send(method, path, raw, {k: v for k, v in sent.items() if v is not None}, timeout)
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.split(";")[0].partition("=")
            if name == "__Host-pra":
                self.cookie = value or None
            elif name == "__Host-pra-browser":
                self.known = value
        return answer

    def get(self, path, **kwargs):
        return self.ask("GET", path, **kwargs)

    def stream(self, path, timeout=20):
        """The answer of a GET on a connection of its own, to be read piece by piece."""
        connection = http.client.HTTPSConnection(self.portal.host, self.portal.port, timeout=timeout, context=self.portal.context())
        connection.request("GET", "/api/v1" + path, headers={"Cookie": "__Host-pra=" + self.cookie})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        return answer

    def post(self, path, body=None, **kwargs):
        return self.ask("POST", path, body, **kwargs)

    def login(self, account, password=PASSWORD):
        return self.post("/login", {"account": account, "password": password})


class Portal:
    """Needs a Gateway that was made with extra_config=portal_config(port)."""

    def __init__(self, gateway, port):
        self.gateway, self.host, self.port = gateway, "127.0.0.1", port
        self.url = f"https://{self.host}:{port}"
        self.process = None
        self.certificate = os.path.join(gateway.dir, "portal.crt")
        self._runs = 0

    def start(self):
        self._runs += 1
        self.process = Process([program("pra-portal"), "--config", self.gateway.config],
                               os.path.join(self.gateway.dir, f"portal-{self._runs}.log"), env=self.gateway.env)
        self.process.wait_port(self.port, self.host, 15)
        return self

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(timeout=15)

    def log(self):
        text = ""
        for i in range(1, self._runs + 1):
            with open(os.path.join(self.gateway.dir, f"portal-{i}.log"), errors="replace") as f:
                text += f.read()
        return text

    def context(self):
        """Trusts this portal's certificate only."""
        return ssl.create_default_context(cafile=self.certificate)

    def browser(self):
        return Browser(self)

    def account(self, name, role, password=PASSWORD):
        """Makes an account on the console, sets it up, and gives a browser that is logged in."""
        code = self.gateway.admin("account", "add", name, "--role", role)["setup-code"]
        browser = self.browser()
        browser.post("/setup", {"account": name, "code": code, "password": password}).result
        return browser


def portal_config(port):
    return (f"[portal]\nlisten = 127.0.0.1:{port}\ncertificate = portal.crt\nkey = portal.key\n")


def new_port():
    return free_port()


def trusted(portal, folder):
    """A certificate for `localhost` by an authority of our own, and a home folder whose browser trusts it."""
    home, key = f"{folder}/home", f"{portal.gateway.dir}/portal.key"
    database = f"sql:{home}/.pki/nssdb"
    os.makedirs(f"{home}/.pki/nssdb")
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/ca.key", "-out",
         f"{folder}/ca.crt", "-days", "2", "-subj", "/CN=test authority"]).ok()
    run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", f"{folder}/p.csr",
         "-subj", "/CN=localhost"]).ok()
    with open(f"{folder}/ext", "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
    run(["openssl", "x509", "-req", "-in", f"{folder}/p.csr", "-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key",
         "-CAcreateserial", "-out", portal.certificate, "-days", "2", "-extfile", f"{folder}/ext"]).ok()
    run(["certutil", "-d", database, "-N", "--empty-password"]).ok()
    run(["certutil", "-d", database, "-A", "-t", "C,,", "-n", "test", "-i", f"{folder}/ca.crt"]).ok()
    return home
