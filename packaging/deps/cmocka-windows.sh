#!/bin/sh
# Builds cmocka for Windows, which the unit tests of the Windows client are linked with, by mingw-w64 from
# Debian's source package: that of this system's release, as the tests for Linux have it, else of
# another one, since a mirror may list a source that it does not deliver.
#
#   cmocka-windows.sh --prefix   print where it lives or will live (fast, no network)
#   cmocka-windows.sh build      make it unless it is there
set -eu
LC_ALL=C
export LC_ALL

CMOCKA_MIN=1.1.5
host=x86_64-w64-mingw32
# It has a module for CMake only, which wants to make a DLL; the library is one file.
flags="-O2 -std=gnu99 -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 -DHAVE_INTTYPES_H -DHAVE_MALLOC_H"
flags="$flags -DHAVE_SIGNAL_H -DHAVE_STRINGS_H -DHAVE_GCC_THREAD_LOCAL_STORAGE"

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/pra-deps

die() {
    echo "cmocka-windows.sh: $*" >&2
    exit 1
}

# shellcheck source=packaging/deps/sources.sh
. "$here/sources.sh"

VERSION_CODENAME=trixie
# shellcheck disable=SC1091
. /etc/os-release

prefix=$cache/cmocka-windows-$({ echo "$VERSION_CODENAME"; cat "$0"; } | sha256sum | cut -c1-12)

fetch_from_any_release() {
    for SUITE in "$VERSION_CODENAME" trixie bookworm; do
        # Lists of its own for each release. A subshell: it dies where there is nothing.
        mkdir -p "$tmp/$SUITE"
        if (fetch cmocka "$CMOCKA_MIN" "$tmp/$SUITE") 2>>"$tmp/fetch.log"; then
            return 0
        fi
    done
    cat "$tmp/fetch.log" >&2
    die "no release of Debian delivers cmocka's source"
}

build() {
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "Building cmocka for Windows into $prefix" >&2
    fetch_from_any_release
    unpack cmocka "$CMOCKA_MIN" "$tmp"
    mkdir -p "$tmp/made/lib" "$tmp/made/include"
    # shellcheck disable=SC2086 # flags are words
    "$host-gcc" $flags "-ffile-prefix-map=$tmp/=pra-deps/" -I"$tmp/cmocka/include" -c "$tmp/cmocka/src/cmocka.c" \
        -o "$tmp/cmocka.o"
    "$host-ar" rcs "$tmp/made/lib/libcmocka.a" "$tmp/cmocka.o"
    cp "$tmp/cmocka/include"/cmocka.h "$tmp/made/include/"
    cp "$tmp/VERSIONS" "$tmp/made/VERSIONS"
    touch "$tmp/made/.done"
    rm -rf "$prefix"
    mv "$tmp/made" "$prefix"
}

case ${1:-} in
--prefix)
    echo "$prefix"
    ;;
build)
    [ ! -e "$prefix/.done" ] || exit 0
    mkdir -p "$cache"
    exec 9>"$cache/.lock"
    flock 9
    [ -e "$prefix/.done" ] || build
    ;;
*)
    die "usage: cmocka-windows.sh --prefix | build"
    ;;
esac
