#!/usr/bin/env bash
# Second half of `make install`: units, manual pages, completion, and the right to listen on
# ports below 1024 for the client. Usage: install-extras.sh DESTDIR PREFIX MAN, the folder of
# built manual pages; TRAY=0 leaves out what belongs to the windows.
set -euo pipefail
cd "$(dirname "$0")"
destdir=$1
prefix=$2
man=$3

# install_all FOLDER FILE...: the files that exist, mode 0644.
install_all() {
    local folder=$1 file
    shift
    for file in "$@"; do
        [ -f "$file" ] || continue
        install -D -m 0644 "$file" "$destdir$folder/$(basename "$file")"
    done
}

for page in "$man"/*.[158]; do
    install_all "$prefix/share/man/man${page##*.}" "$page"
done
install_all "$prefix/share/bash-completion/completions" completion/*
if [ "${TRAY:-1}" != 0 ]; then
    install_all "$prefix/share/applications" desktop/jp.pra.Tray.desktop
    install_all "$prefix/share/icons/hicolor/scalable/apps" desktop/pra-tray.svg
    install -D -m 0644 desktop/pra-tray.svg \
        "$destdir$prefix/share/icons/hicolor/scalable/mimetypes/application-x-pra-profile.svg"
    install_all "$prefix/share/mime/packages" desktop/pra.xml
    install_all "$prefix/share/metainfo" desktop/jp.pra.Tray.metainfo.xml
    install_all "/etc/xdg/autostart" desktop/autostart/pra-tray.desktop
else
    rm -f "$destdir$prefix/share/man/man1/pra-tray.1"
fi
install_all "/etc/pra" prad.ini.example
install_all "/usr/lib/sysusers.d" systemd/*.sysusers
for unit in systemd/*.service systemd/*.socket; do
    [ -f "$unit" ] || continue
    install_all "/usr/lib/systemd/system" "$unit"
    # The units name the programs where a package puts them; say where these ones are.
    sed -i "s#/usr/sbin/#$prefix/sbin/#g; s#/usr/libexec/#$prefix/libexec/#g" \
        "$destdir/usr/lib/systemd/system/$(basename "$unit")"
done

# Mail programs whose port is fixed need 110 and 25 (A11); only this one right, not root.
if [ -z "$destdir" ] && [ "$(id -u)" = 0 ]; then
    if command -v setcap >/dev/null; then
        setcap cap_net_bind_service=+ep "$prefix/bin/pra"
    else
        echo "setcap is missing (package libcap2-bin): local ports below 1024 need root" >&2
    fi
fi
