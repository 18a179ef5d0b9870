"""What is measured: PRA and its peers, each a way from a generator to a target on loopback.

Near paths (round trip of the loopback):
    direct    no tunnel
    relay2    two hops of a relay that only copies: what two user-space programs can reach at best
    openssh   ssh -L to sshd, AES-128-GCM
    pra       pra agent to prad
    ssh+prad  ssh -L to prad
    plink     PuTTY's plink to sshd, the cipher it chooses
    dropbear  dbclient -L to dropbear, the cipher they choose (neither has AES-GCM)
    stunnel   TLS 1.3 with AES-128-GCM from stunnel to stunnel: no SSH, one TLS connection each
    pra.exe   the agent for Windows, run by wine, to prad
    openssh+chacha, pra+chacha   as openssh and pra, with ChaCha20-Poly1305: ssh is told to, the agent
              believes that the processor knows no AES
    before    pra and prad as BEFORE has them, the build folder of an older commit
Far paths have the same names and the delay relay (far.c) between client and gateway.

A path is started when a row first asks for it. A peer that cannot be started is left out and named.
"""
import os
import pwd
import shutil
import sys

from lib import winclient, wineprefix
from lib.client import Client
from lib.gateway import Gateway, program
from lib.ports import free_port
from lib.processor import NO_AES
from lib.procs import Process, run

TICK = os.sysconf("SC_CLK_TCK")
CIPHER, CHACHA = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"
DELAY_US = 50000  # one way; the round trip of the far paths is 100 ms
# The build folder of an older commit, measured beside this one; "" = none.
BEFORE = os.environ.get("BEFORE", "")
OLDER = ("before",) if BEFORE else ()
NEAR = ("direct", "relay2", "openssh", "pra", *OLDER, "ssh+prad", "plink", "dropbear", "stunnel")
FAR = ("direct", "openssh", "pra", *OLDER, "stunnel")
# Sessions of one user, and enough startups from 127.0.0.1, for thousands of measured logins.
GATEWAY_LIMITS = "[limits]\nmax_sessions_per_user = 100000\nmax_startups_per_source = 10000\n"
SSHD_LIMITS = "MaxStartups 1000:30:2000\nMaxSessions 10\nLoginGraceTime 120\n"


def cpu_seconds(pids, with_children=False):
    """User and system time of processes, with_children: and of their children that ended."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15 if with_children else 13]))
    return total / TICK


def descendants(pid):
    """The process and everything below it: sshd works in children."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parents[int(entry)] = int(f.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found = [pid]
    for one in found:
        found += [p for p, parent in parents.items() if parent == one]
    return found


class Way:
    """A local port that leads to the target, and the processes that carry the bytes."""

    def __init__(self, name, port, pids):
        self.name, self.port, self.pids = name, port, pids


class Stand:
    """Target, servers and clients in one folder; everything lazily started, all ended by close()."""

    def __init__(self, folder):
        self.dir = folder
        self.started = []
        self.closers = []
        self.ways = {}
        self.missing = {}
        self.memory = {}  # what rows remember about this run, for example how much to send
        self.bulk, self.far = program("tests/bench/bulk"), program("tests/bench/far")
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.target = free_port()
        self.start([self.bulk, "serve", self.target], self.target)
        self.make_key("id")

    # --- small parts --------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, argv, port, **kwargs):
        process = Process(argv, self.path(f"out-{len(self.started)}.log"), **kwargs)
        self.started.append(process)
        return process.wait_port(port)

    def make_key(self, name):
        if not os.path.exists(self.path(name)):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)]).ok()
        return self.path(name)

    def once(self, name, make):
        """What `make` returns, made at the first call only."""
        if name not in self.__dict__:
            setattr(self, name, make())
        return getattr(self, name)

    def distance(self, port, far):
        """The port through which a client reaches a server's port, near or far."""
        if not far:
            return port
        front = free_port()
        self.start([self.far, front, port, DELAY_US], front)
        return front

    # --- servers ------------------------------------------------------------------------

    def sshd(self):
        return self.once("_sshd", self.start_sshd)

    def start_sshd(self):
        self.sshd_port = free_port()
        host, key = self.make_key("sshd_host"), self.path("id")
        os.makedirs("/run/sshd", exist_ok=True)
        with open(self.path("sshd_config"), "w") as f:
            f.write(f"Port {self.sshd_port}\nListenAddress 127.0.0.1\nHostKey {host}\nUsePAM no\n"
                    f"PidFile none\nStrictModes no\nAuthorizedKeysFile {key}.pub\n{SSHD_LIMITS}")
        return self.start(["/usr/sbin/sshd", "-D", "-e", "-f", self.path("sshd_config")],
                          self.sshd_port)

    def gateway(self):
        return self.once("_gateway", self.start_gateway)

    def start_gateway(self, build=None):
        gateway = Gateway(self.path("gw-before" if build else "gw"), extra_config=GATEWAY_LIMITS, build=build)
        gateway.init().start()
        self.closers.append(gateway.stop)
        gateway.add_user("suzuki")
        return gateway

    # --- ways ---------------------------------------------------------------------------

    def way(self, name, far=False):
        """The Way, or None when this machine cannot have it."""
        if (name, far) not in self.ways:
            make = getattr(self, "way_" + name.replace("+", "_").replace(".", "_"))
            try:
                self.ways[name, far] = make(far)
            except (AssertionError, OSError) as e:
                if name == "pra":
                    raise
                self.ways[name, far] = None
                self.missing[name] = str(e).strip().splitlines()[0]
                print(f"bench: {name} is left out: {e}", file=sys.stderr)
        return self.ways[name, far]

    def way_direct(self, far):
        return Way("direct", self.distance(self.target, far), lambda: [])

    def way_relay2(self, far):
        middle, front = free_port(), free_port()
        a = self.start([self.bulk, "relay", middle, self.target], middle)
        b = self.start([self.bulk, "relay", front, self.distance(middle, far)], front)
        return Way("relay2", front, lambda: [a.pid, b.pid])

    def ssh(self, port, user, cipher=CIPHER):
        local = free_port()
        client = self.start(
            ["/usr/bin/ssh", "-F", "none", "-N", "-p", port, "-i", self.path("id"), "-c", cipher,
             "-o", f"UserKnownHostsFile={self.path(f'known-{local}')}",
             "-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes",
             "-o", "ExitOnForwardFailure=yes", "-L", f"{local}:127.0.0.1:{self.target}",
             f"{user}@127.0.0.1"], local, env={"SSH_AUTH_SOCK": None})
        return client, local

    def way_openssh(self, far):
        sshd = self.sshd()
        client, local = self.ssh(self.distance(self.sshd_port, far), self.user)
        return Way("openssh", local, lambda: [client.pid, *descendants(sshd.pid)])

    def way_openssh_chacha(self, far):
        sshd = self.sshd()
        client, local = self.ssh(self.distance(self.sshd_port, far), self.user, CHACHA)
        return Way("openssh+chacha", local, lambda: [client.pid, *descendants(sshd.pid)])

    def way_ssh_prad(self, far):
        gateway = self.gateway()
        self.once("_any_client", lambda: gateway.add_key("suzuki", self.path("id.pub"), "--any-client"))
        self.once("_target_rule", lambda: gateway.add_rule("suzuki", "any", f"127.0.0.1:{self.target}"))
        client, local = self.ssh(self.distance(gateway.port, far), "suzuki")
        return Way("ssh+prad", local, lambda: [client.pid, gateway.pid])

    def way_pra_chacha(self, far):
        return self.way_pra(far, "chacha", NO_AES)

    def way_pra_exe(self, far):
        """Its processor time counts wine's server, which has its sockets, as well."""
        for path, how in ((wineprefix.WINE, "wine is not installed (make tests-windows installs what it needs)"),
                          (program("windows/test/pra.exe"), "pra.exe is not built (make tests-windows)")):
            if not os.path.exists(path):
                raise OSError(how)
        winclient.make_prefix()
        self.closers.append(lambda: wineprefix.end_server(winclient.environment()))
        way = self.way_pra(far, "windows", windows=True)
        return Way("pra.exe", way.port, lambda: [*way.pids(), *winclient.server_pids()])

    def way_before(self, far):
        """Gateway and agent of another build (BEFORE), as today's are measured."""
        gateway = self.once("_gateway_before", lambda: self.start_gateway(BEFORE))
        return self.way_pra(far, "before-far" if far else "before", binary=program("pra", BEFORE), gateway=gateway)

    def way_pra(self, far, user=None, env=None, windows=False, binary=None, gateway=None):
        gateway, local = gateway or self.gateway(), free_port()
        user = user or ("far" if far else "near")
        gateway.add_user(user)
        gateway.add_rule(user, "bench", f"127.0.0.1:{self.target}", local)
        client = Client(self.path(user), gateway, user=user, env=env, windows=windows, binary=binary).enrol()
        client.set_server(f"127.0.0.1:{self.distance(gateway.port, far)}")
        client.connect()
        client.wait_forward("bench")
        self.closers.append(client.close)
        if user == "near":
            self.client = client
        return Way("before" if binary else "pra", local, lambda: [client.agent_pid(), gateway.pid])

    def way_plink(self, far):
        sshd, local, ppk = self.sshd(), free_port(), self.path("id.ppk")
        run(["puttygen", self.path("id"), "-O", "private", "-o", ppk]).ok()
        seen = run(["ssh-keygen", "-lf", self.path("sshd_host.pub")]).ok().out.split()[1]
        client = self.start(
            ["plink", "-ssh", "-batch", "-N", "-P", self.distance(self.sshd_port, far), "-l",
             self.user, "-i", ppk, "-hostkey", seen, "-L", f"127.0.0.1:{local}:127.0.0.1:{self.target}",
             "127.0.0.1"], local, env={"HOME": self.dir, "SSH_AUTH_SOCK": None})
        return Way("plink", local, lambda: [client.pid, *descendants(sshd.pid)])

    def start_dropbear(self):
        """dropbear knows ~/.ssh/authorized_keys only: it gets a home of its own to look at."""
        port, host, home = free_port(), self.path("dropbear_host"), self.path("home")
        os.makedirs(os.path.join(home, ".ssh"), mode=0o700)
        shutil.copy(self.path("id.pub"), os.path.join(home, ".ssh", "authorized_keys"))
        run(["dropbearkey", "-t", "ed25519", "-f", host]).ok()
        self.dropbear_port = port
        return self.start(
            ["unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", home,
             pwd.getpwuid(os.getuid()).pw_dir, "/usr/sbin/dropbear", "-F", "-E", "-s", "-r", host, "-p",
             f"127.0.0.1:{port}", "-P", self.path("dropbear.pid")], port)

    def way_dropbear(self, far):
        dropbear, local, key = self.once("_dropbear", self.start_dropbear), free_port(), self.path("id.db")
        run(["dropbearconvert", "openssh", "dropbear", self.path("id"), key]).ok()
        client = self.start(
            ["dbclient", "-y", "-y", "-N", "-p", self.distance(self.dropbear_port, far), "-l", self.user,
             "-i", key, "-L", f"127.0.0.1:{local}:127.0.0.1:{self.target}", "127.0.0.1"], local,
            env={"HOME": self.dir, "SSH_AUTH_SOCK": None})
        return Way("dropbear", local, lambda: [client.pid, *descendants(dropbear.pid)])

    def stunnel(self, name, text, port):
        config = self.path(name)
        with open(config, "w") as f:
            f.write("foreground = yes\npid =\nsyslog = no\ndebug = 3\nsocket = l:TCP_NODELAY=1\n"
                    f"socket = r:TCP_NODELAY=1\n[tunnel]\n{text}ciphersuites = TLS_AES_128_GCM_SHA256\n"
                    "sslVersion = TLSv1.3\n")
        return self.start(["stunnel", config], port)

    def way_stunnel(self, far):
        server_port, local, cert = free_port(), free_port(), self.path("tls.pem")
        if not os.path.exists(cert):
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-nodes", "-subj", "/CN=bench", "-days", "2", "-keyout", cert, "-out",
                 cert + ".crt"]).ok()
            with open(cert, "a") as f, open(cert + ".crt") as crt:
                f.write(crt.read())
        tag = "far" if far else "near"
        server = self.stunnel(f"stunnel-s-{tag}", f"accept = 127.0.0.1:{server_port}\ncert = {cert}\n"
                              f"connect = 127.0.0.1:{self.target}\n", server_port)
        client = self.stunnel(f"stunnel-c-{tag}", f"client = yes\naccept = 127.0.0.1:{local}\nconnect = "
                              f"127.0.0.1:{self.distance(server_port, far)}\n", local)
        return Way("stunnel", local, lambda: [server.pid, client.pid])

    def close(self):
        for closer in reversed(self.closers):
            closer()
        for process in reversed(self.started):
            process.stop(timeout=2)
