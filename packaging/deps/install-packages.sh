#!/bin/sh
# Installs the Debian packages that a purpose needs and the host does not have.
#
#   install-packages.sh build|npm|tray|windows|test|demo|bench|screenshots|installers|test-windows|deb|test-packages
#
# The lists are packages-PURPOSE.txt beside this file: one package a line, `a|b` where either will
# do, # for comments. Nothing missing: silent, without network, a few milliseconds. Otherwise apt
# runs, through sudo when we are not root. Servers that come in this way are neither started nor
# enabled; those that were there before are left as they are.
set -eu
LC_ALL=C
DEBIAN_FRONTEND=noninteractive
export LC_ALL DEBIAN_FRONTEND

here=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d
made_policy=

die() {
    echo "install-packages.sh: $*" >&2
    exit 1
}

case ${1:-} in
build | npm | tray | windows | test | demo | bench | screenshots | installers | test-windows | deb | test-packages) purpose=$1 ;;
*) die "usage: install-packages.sh build|npm|tray|windows|test|demo|bench|screenshots|installers|test-windows|deb|test-packages" ;;
esac

installed() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

# missing: the lines of the list that no installed package satisfies.
missing() {
    have=" $(installed | tr '\n' ' ') "
    sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$here/packages-$purpose.txt" | while read -r line; do
        found=
        for p in $(echo "$line" | tr '|' ' '); do
            case $have in *" $p "*) found=yes ;; esac
        done
        [ -n "$found" ] || echo "$line"
    done
}

# available LINE: the first alternative that apt can install.
available() {
    for p in $(echo "$1" | tr '|' ' '); do
        if apt-cache policy "$p" | grep -q 'Candidate: [^(]'; then
            echo "$p"
            return 0
        fi
    done
    die "apt knows none of: $1"
}

# forbid_starts, allow_starts: invoke-rc.d asks policy-rc.d, whose 101 means "do not start".
forbid_starts() {
    [ ! -e "$policy" ] || return 0
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 0755 "$policy"
}

allow_starts() {
    [ -z "$made_policy" ] || rm -f "$policy"
    made_policy=
}

# disable_servers PACKAGE...: every unit and init script of the mail, web and network servers among
# them. Packages of other sections (dbus, for one) belong to the system and are left alone.
disable_servers() {
    for p in "$@"; do
        case $(dpkg-query -W -f '${Section}' "$p") in
        */mail | mail | */httpd | httpd | */web | web | */net | net) ;;
        *) continue ;;
        esac
        files=$(dpkg-query -L "$p")
        for unit in $(echo "$files" |
            sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\|path\)\)$,\2,p'); do
            if [ -d /run/systemd/system ]; then
                systemctl disable --quiet --now "$unit"
            elif command -v systemctl >/dev/null; then
                systemctl disable --quiet "$unit"
            fi
        done
        for script in $(echo "$files" | sed -n 's,^/etc/init\.d/,,p'); do
            update-rc.d "$script" disable >/dev/null
        done
    done
}

todo=$(missing)
[ -n "$todo" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        die "not root and there is no sudo; as root, run $here/install-packages.sh $purpose"
    echo "install-packages.sh: sudo, because apt has to install: $(echo "$todo" | tr '\n' ' ')" >&2
    exec sudo "$here/install-packages.sh" "$purpose"
fi

exec 9>/run/lock/pra-install-packages.lock
flock 9
todo=$(missing) # another run may have installed them while we waited
[ -n "$todo" ] || exit 0

log=$(mktemp)
trap 'allow_starts; rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM

run() {
    "$@" >"$log" 2>&1 </dev/null || { cat "$log" >&2; die "failed: $*"; }
}

run apt-get -q -o DPkg::Lock::Timeout=300 update
names=
for line in $todo; do
    names="$names $(available "$line")"
done
echo "Installing for $purpose:$names" >&2
case $names in
*" postfix"*)
    # The tests bring a configuration of their own; the host's mail is none of their business.
    echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
    ;;
esac

before=$(installed)
forbid_starts
# shellcheck disable=SC2086 # a list of names
run apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends install $names
allow_starts
after=$(installed)
# shellcheck disable=SC2046 # a list of names
disable_servers $(printf '%s\n%s\n' "$before" "$after" | sort | uniq -u)
