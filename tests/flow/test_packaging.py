"""What the programs are linked with, and how their libraries' sources are found."""

import http.server
import os
import re
import subprocess
import threading

import pytest

from lib.gateway import program
from lib.procs import run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROGRAMS = ["pra", "prad", "pra-admin", "pra-portal", "pra-mailer", "pra-passkey", "pra-keyhelper", "test/pra",
            "test/pra-keyhelper", "pra-tray", "test/pra-tray"]


def own_libcrypto(path):
    """Is a libcrypto part of the program itself?"""
    return " T EVP_CIPHER_CTX_new\n" in run(["nm", "--defined-only", path]).ok().out


def assert_one_libcrypto(path, shared):
    found = {os.path.realpath(s) for s in shared if "libcrypto" in os.path.basename(s)}
    assert len(found) + own_libcrypto(path) <= 1, f"{path}: its own and {found}"
    return len(found) + own_libcrypto(path)


def test_tray_holds_no_ssh():
    """It is a client of the agent's socket."""
    path = program("pra-tray")
    assert "libssh" not in run(["ldd", path]).ok().out + run(["nm", path]).ok().out


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_is_linked_with_two_libcryptos(name):
    path = program(name)
    loaded = re.findall(r"=> (/\S+)", run(["ldd", path]).ok().out)
    assert loaded
    assert_one_libcrypto(path, loaded)


def test_no_running_program_maps_two_libcryptos(client, gateway, echo_forward):
    """Libraries loaded later (name services, for one) count as well."""
    assert echo_forward
    for pid in [gateway.pid, client.agent_pid()]:
        with open(f"/proc/{pid}/maps") as f:
            mapped = set(re.findall(r"(/\S+\.so\S*)", f.read()))
        assert mapped
        assert assert_one_libcrypto(os.path.realpath(f"/proc/{pid}/exe"), mapped) == 1


FAKE_APT_GET = """#!/bin/sh
case "$*" in
*indextargets*)
    echo 'Debian|Debian|http://mirror.test/debian'
    echo 'Debian|Debian-Security|http://mirror.test/security' ;;
*" update") exit 0 ;;
*" source "*)
    for last; do :; done
    version=${last#*=}
    case " $DELIVERED " in
    *" $version "*) printf 'Version: %s\\n' "$version" >"${last%%=*}_$version.dsc" ;;
    *) echo "E: Failed to fetch ${last%%=*}_$version.dsc  404  Not Found" >&2; exit 100 ;;
    esac ;;
esac
"""
FAKE_APT_CACHE = """#!/bin/sh
echo '  openssl | 3.5.7-1~deb13u2 | http://mirror.test/debian trixie/main Sources'
echo '  openssl | 3.5.9-1~deb13u1 | http://mirror.test/debian trixie/main Sources'
echo '  openssl | 3.5.7-1~deb13u3 | http://mirror.test/security trixie-security/main Sources'
echo '  openssl | 3.5.10-1~deb13u1 | http://mirror.test/debian trixie-updates/main Sources'
"""


def fetch_sources(folder, delivered, command="fetch openssl 3.5 $tmp", cached=None):
    """Runs a function of sources.sh against a mirror that delivers only some of what it lists."""
    bin_dir, cache = os.path.join(folder, "bin"), os.path.join(folder, "cache")
    os.makedirs(bin_dir, exist_ok=True)
    os.makedirs(os.path.join(cache, "src", "openssl"), exist_ok=True)
    for name, text in (("apt-get", FAKE_APT_GET), ("apt-cache", FAKE_APT_CACHE)):
        with open(os.path.join(bin_dir, name), "w") as f:
            f.write(text)
        os.chmod(os.path.join(bin_dir, name), 0o755)
    if cached:
        with open(os.path.join(cache, "src", "openssl", "openssl.dsc"), "w") as f:
            f.write(f"Version: {cached}\n")
    script = (f"set -eu; SUITE=trixie; here={ROOT}/packaging/deps; cache={cache}; tmp={folder}/tmp; stale=\n"
              'die() { echo "deps.sh: $*" >&2; exit 1; }\n'
              '. "$here/sources.sh"; mkdir -p "$tmp"\n' + command +
              '\ncat "$cache"/src/openssl/*.dsc; echo "stale=$stale"\n')
    env = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "DELIVERED": delivered}
    return subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, timeout=60)


def test_newest_source_is_taken_without_a_word(tmp_path):
    done = fetch_sources(tmp_path, "3.5.7-1~deb13u2 3.5.9-1~deb13u1 3.5.10-1~deb13u1")
    assert done.returncode == 0, done.stderr
    assert "Version: 3.5.10-1~deb13u1" in done.stdout
    assert done.stderr == ""


def test_source_that_the_mirror_lists_and_lacks_is_named_and_the_next_one_taken(tmp_path):
    done = fetch_sources(tmp_path, "3.5.7-1~deb13u2 3.5.7-1~deb13u3")
    assert done.returncode == 0, done.stderr
    assert "Version: 3.5.7-1~deb13u3" in done.stdout
    for told in ("warning", "3.5.10-1~deb13u1 (trixie-updates)", "3.5.9-1~deb13u1 (trixie)",
                 "3.5.7-1~deb13u3 (trixie-security)", "deps.sh update"):
        assert told in done.stderr, done.stderr


def test_mirror_that_delivers_nothing_is_an_error_that_says_what_to_do(tmp_path):
    done = fetch_sources(tmp_path, "")
    assert done.returncode == 1
    assert "404" in done.stderr and "cache/src/openssl" in done.stderr
    assert "3.5.10-1~deb13u1" in done.stderr


def test_cached_source_needs_no_mirror(tmp_path):
    done = fetch_sources(tmp_path, "", cached="3.5.7-1~deb13u2")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_update_never_takes_an_older_source_than_the_cached_one(tmp_path):
    update = "refresh openssl 3.5 $tmp"
    done = fetch_sources(tmp_path, "3.5.7-1~deb13u2", update, cached="3.5.7-1~deb13u3")
    assert "Version: 3.5.7-1~deb13u3\nstale=\n" in done.stdout, done.stderr
    done = fetch_sources(tmp_path, "3.5.9-1~deb13u1", update)
    assert "Version: 3.5.9-1~deb13u1\nstale=yes\n" in done.stdout, done.stderr


# ---- web.sh ---------------------------------------------------------------------------------------


@pytest.fixture
def registry():
    """A registry whose every file is wrong; what it was asked for, in `asked`."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"not what it was")

        def log_message(self, *args):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("where", ["variable", "file"])
def test_a_configured_registry_is_asked_without_npm_and_its_files_are_checked(registry, tmp_path, where):
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "npm").write_text("#!/bin/sh\necho npm was asked >&2\nexit 99\n")
    (tools / "npm").chmod(0o755)
    address = f"http://127.0.0.1:{registry.server_address[1]}/npm/"
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if where == "variable":
        env["npm_config_registry"] = address
    else:
        (tmp_path / ".npmrc").write_text(f"fund=false\nregistry = {address}\n")
    made = subprocess.run(["packaging/deps/web.sh", "fetch", "preact"], env=env, capture_output=True, text=True,
                          check=False)
    assert made.returncode == 1 and "is not what it was" in made.stderr and "npm was asked" not in made.stderr
    assert registry.asked == ["/npm/htm/-/htm-3.1.1.tgz"]
    assert not list(tmp_path.glob("cache/pra-deps/web-*"))
