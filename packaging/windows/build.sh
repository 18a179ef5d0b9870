#!/bin/sh
# Makes the Windows installers from programs that are built.
#
#   build.sh msi|nsis FOLDER      FOLDER/PRA-VERSION-ja.msi and -en.msi, or FOLDER/PRA-VERSION-setup.exe
#
# VERSION           1.2.3
# PRA TRAY          pra.exe, pra-tray.exe
# SETUP_DLL         prasetup.dll (setup/)
# ART               what art.py has drawn, to draw it once for several (default: drawn anew)
# SIGN ...          see sign.sh; without it nothing is signed
# LANGS             of the MSIs to make (ja en)
# QUICK             compresses in a second instead of well, for tests
set -eu
LC_ALL=C.UTF-8
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-/usr/bin/python3}

die() {
    echo "build.sh: $*" >&2
    exit 1
}

[ $# -eq 2 ] || die "usage: build.sh msi|nsis FOLDER"
kind=$1
: "${VERSION:?}" "${PRA:?}" "${TRAY:?}" "${SETUP_DLL:?}"
mkdir -p "$2"
out=$(cd "$2" && pwd)
work=$out/.work-$kind
rm -rf "$work"
mkdir -p "$work"

# Signed are copies: what `make windows` built stays as it was.
cp "$PRA" "$work/pra.exe"
cp "$TRAY" "$work/pra-tray.exe"
cp "$SETUP_DLL" "$work/prasetup.dll"
if [ -n "${SIGN:-}" ]; then
    SIGN_WORK=${SIGN_WORK:-$out}
    export SIGN SIGN_WORK
    "$here/sign.sh" "$work/pra.exe" "$work/pra-tray.exe" "$work/prasetup.dll"
fi
art=${ART:-}
if [ -z "$art" ]; then
    art=$work/art
    "$python" "$here/art.py" "$art"
fi

case $kind in
msi)
    for lang in ${LANGS:-ja en}; do
        made=$work/PRA-$VERSION-$lang.msi
        "$python" "$here/msi.py" --lang "$lang" --version "$VERSION" --pra "$work/pra.exe" \
            --tray "$work/pra-tray.exe" --setup-dll "$work/prasetup.dll" --art "$art" \
            --licence "$root/LICENSE" --work "$work/$lang" --out "$made"
        [ -z "${SIGN:-}" ] || "$here/sign.sh" "$made"
        mv "$made" "$out/"
        echo "$out/PRA-$VERSION-$lang.msi"
    done
    ;;
nsis)
    made=$work/PRA-$VERSION-setup.exe
    "$python" "$here/texts.py" "$VERSION" "$work/texts.nsh"
    # Warnings are errors. What it says goes to a file, and is shown if it fails.
    makensis -V2 -WX "-DVERSION=$VERSION" "-DPRA=$work/pra.exe" "-DTRAY=$work/pra-tray.exe" \
        "-DSETUP_DLL=$work/prasetup.dll" "-DART=$art" "-DLICENCE=$root/LICENSE" \
        "-DTEXTS=$work/texts.nsh" "-DOUT=$made" ${SIGN:+"-DSIGN=$here/sign.sh"} ${QUICK:+-DQUICK} "$here/pra.nsi" \
        >"$work/makensis.log" 2>&1 || { cat "$work/makensis.log" >&2; die "makensis failed"; }
    [ -z "${SIGN:-}" ] || "$here/sign.sh" "$made"
    mv "$made" "$out/"
    echo "$out/PRA-$VERSION-setup.exe"
    ;;
*) die "usage: build.sh msi|nsis FOLDER" ;;
esac
rm -rf "$work"
