"""The Debian packages of `make deb`: installed, used, upgraded, removed, purged (lib/package_story.py)."""

import glob
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from lib.gateway import build_dir
from lib.procs import run

ROOT = Path(__file__).resolve().parents[2]
STORY = ROOT / "tests" / "lib" / "package_story.py"

pytestmark = [pytest.mark.plain_build, pytest.mark.needs_root]

# $1 the root; then the command. The test's own folders are seen at the same place inside.
ENTER = r"""
set -eu
root=$1; shift
ip link set lo up
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/run/lock"
for folder in $SEEN; do mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"; done
rm -f "$root/var/lib/man-db/auto-update"  # an index of manual pages that nobody reads here
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
cd "$root"
exec chroot "$root" "$@"
"""

# The running system, with everything that is written going elsewhere: nothing has to be fetched.
OVERLAY = r"""
set -eu
work=$1; shift
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$work/root"
"""


# A new system of a release, with the host's apt settings.
BOOTSTRAP = r"""
set -eu
root=$1 suite=$2
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(REPO_URI)' 'Created-By: Packages' |
    sed -n "s/^Debian|$own|//p" | head -1)
debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log"
rm -rf "$root/etc/apt/sources.list"*
cp -a /etc/apt/sources.list* /etc/apt/apt.conf.d "$root/etc/apt/"
find "$root/etc/apt/" -path '*/sources.list*' -type f -exec sed -i "s/$own/$suite/g" {} +
mkdir -p "$root/usr/share/keyrings"
cp /usr/share/keyrings/debian-archive-* "$root/usr/share/keyrings/"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
rm -f "$root/etc/apt/apt.conf.d/docker-clean"
"""

# What a user does there, with this tree, and with what was fetched here already: the network may want a host's own authority.
MAKE_DEB = r"""
root=$1 tree=$2 sources=$3
mkdir -p "$root/srv/pra" "$root/srv/.cache/pra-deps"
tar -C "$tree" --exclude './build*' --exclude ./.git -cf - . | tar -xf - -C "$root/srv/pra"
cp -a "$sources" "$root/srv/.cache/pra-deps/"
cp -a "$sources"/../web-htm-* "$root/srv/.cache/pra-deps/"
unshare --mount sh -eu -c 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
    exec env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" make -C /srv/pra deb' sh "$root" \
    >>"$root.log" 2>&1 || { tail -30 "$root.log"; exit 1; }
"""

# What the packages need is fetched, not yet installed: for the story itself the network is gone.
FETCH = r"""
set -eu
root=$1 packages=$2
mkdir -p "$root/debs"
cp "$packages"/first/*.deb "$root/debs/"
export DEBIAN_FRONTEND=noninteractive
inside() { chroot "$root" "$@" >>"$root.log" 2>&1 || { tail -30 "$root.log"; exit 1; }; }
inside apt-get -q update
inside apt-get -q -y --no-install-recommends install python3 dovecot-pop3d dovecot-imapd desktop-file-utils
inside sh -c 'apt-get -q -y --no-install-recommends --download-only install /debs/*.deb'
"""


def make_second(folder):
    """The packages in first/ once more, in second/, of a higher version."""
    os.mkdir(f"{folder}/second")
    for deb in glob.glob(f"{folder}/first/*.deb"):
        open_up = f"{folder}/open"
        run(["dpkg-deb", "-R", deb, open_up]).ok()
        control = Path(open_up, "DEBIAN", "control")
        control.write_text(control.read_text().replace("0.1.0", "0.1.1"))
        run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", open_up,
             f"{folder}/second/{os.path.basename(deb).replace('0.1.0', '0.1.1')}"]).ok()
        shutil.rmtree(open_up)


@pytest.fixture(scope="module")
def packages():
    """Folders with the packages of this tree, and with the same of a higher version."""
    folder = tempfile.mkdtemp(prefix="pra-t-deb-")
    try:
        run([str(ROOT / "packaging/deb/build.sh"), "0.1.0", build_dir(), f"{folder}/first"],
            env={"PRA_DEB_OPTIONS": "-Zgzip -z1"}, timeout=300).ok()
        make_second(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tell(script, root, how, packages):
    seen = f"{ROOT}/tests {packages}"
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "sh", "-c", script + ENTER, "sh",
         *root, "/usr/bin/python3", str(STORY), how, f"{packages}/first", f"{packages}/second"],
        env={**os.environ, "SEEN": seen}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert done.returncode == 0 and "the story is told" in done.stdout, done.stdout
    return done.stdout


def test_packages_live_and_go_beside_this_system(packages, folder):
    """On a copy of the running system that keeps nothing; the libraries are there."""
    work = f"{folder}/o"
    os.mkdir(work)
    tell(OVERLAY + 'set -- "$work/root" "$@"\n', [work], "dpkg", packages)


@pytest.fixture
def new_system(folder):
    """Makes a root folder of a release of Debian."""
    def make(suite):
        run(["sh", "-c", BOOTSTRAP, "sh", f"{folder}/r", suite], timeout=900).ok()
        return f"{folder}/r"
    yield make
    shutil.rmtree(f"{folder}/r", ignore_errors=True)


def this_release():
    return run(["sh", "-c", '. /etc/os-release; echo "$VERSION_CODENAME"']).ok().out.strip()


@pytest.mark.soak
def test_packages_live_and_go_on_a_new_system(packages, new_system):
    """With nothing but what Debian's minimal system and apt bring."""
    root = new_system(this_release())
    run(["sh", "-c", FETCH, "sh", root, packages], timeout=900).ok()
    print(tell("", [root], "apt", packages))


@pytest.mark.soak
def test_packages_are_made_and_live_on_the_other_debian(folder, new_system):
    """`make deb` on a new Debian 13 (or 12, on 13), then the same life there."""
    root = new_system("bookworm" if this_release() == "trixie" else "trixie")
    run(["chroot", root, "sh", "-c", "apt-get -q update && apt-get -q -y --no-install-recommends install make"],
        timeout=300).ok()
    sources = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "pra-deps", "src")
    run(["sh", "-eu", "-c", MAKE_DEB, "sh", root, str(ROOT), sources], timeout=3600).ok()
    made = f"{folder}/p"  # the root is not seen from within itself
    shutil.copytree(f"{root}/srv/pra/build/deb", f"{made}/first")
    make_second(made)
    run(["sh", "-c", FETCH, "sh", root, made], timeout=900).ok()
    print(tell("", [root], "apt", made))


@pytest.mark.soak
def test_lintian_finds_nothing(packages):
    said = run(["lintian", "--fail-on", "none", "--tag-display-limit", "0",
                *sorted(glob.glob(f"{packages}/first/*.deb"))], timeout=300).ok()
    found = [line for line in said.out.splitlines() if line.startswith(("E:", "W:"))]
    # Debian 13's misses a home page, which there is none of; Debian 12's knows no such tag to override.
    assert [line for line in found if "appstream-metadata-validation-failed" not in line] == []
