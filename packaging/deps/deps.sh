#!/bin/sh
# Builds the two SSH libraries, libssh (gateway) and libssh2 (client), as static libraries from the
# source packages of Debian 13 plus the patches in patches/, into a cache folder of the user.
#
#   deps.sh --prefix   print where the libraries of this flavour live (fast, no network)
#   deps.sh build      make them unless they are there
#   deps.sh update     ask Debian for newer sources (security updates) and build again if there are
#
# Environment: DEPS_SAN= | address | thread   a flavour of its own with that sanitizer
#              DEPS_CC=cc                     compiler, also part of the flavour
#              XDG_CACHE_HOME                 the cache is $XDG_CACHE_HOME/pra-deps
#
# Nothing of the host is changed and root is not needed: apt runs with private lists and caches and
# takes the addresses of the mirrors from the host's own configuration.
set -eu
LC_ALL=C
export LC_ALL

SUITE=trixie
LIBSSH_MIN=0.11.5      # older ones spin on a maximum packet of 10 and do not enforce the window
LIBSSH2_MIN=1.11.1     # first with AES-GCM, ETM MACs, strict key exchange and rsa-sha2

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/pra-deps
san=${DEPS_SAN:-}
cc=${DEPS_CC:-cc}

die() {
    echo "deps.sh: $*" >&2
    exit 1
}

case $san in
'') sanitize= ;;
address) sanitize='-fsanitize=address,undefined -fno-sanitize-recover=undefined' ;;
thread) sanitize='-fsanitize=thread' ;;
*) die "DEPS_SAN must be empty, address or thread, not '$san'" ;;
esac

# The key changes with everything that changes the libraries, except a newer Debian revision of the
# same sources, which `update` looks for.
key() {
    ID=unknown VERSION_ID=
    # shellcheck disable=SC1091
    . /etc/os-release
    hash=$(cd "$here" && { echo "$cc"; cat deps.sh patches/libssh/*.patch patches/libssh2/*.patch \
        2>/dev/null || true; } | sha256sum | cut -c1-16)
    echo "$ID$VERSION_ID-$(uname -m)-${san:-plain}-$hash"
}

prefix=$cache/$(key)

# --- sources -------------------------------------------------------------------------------------

# Prints "RELEASE-LABEL URI" of the host's Debian archives.
host_mirrors() {
    # shellcheck disable=SC2016 # apt expands these
    apt-get "$@" indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' |
        sed -n 's/^Debian|\(Debian\|Debian-Security\)|/\1 /p' | sort -u
}

# write_sources DIR: a sources.list with the deb-src lines of $SUITE, from the host's mirrors.
write_sources() {
    mirrors=$(host_mirrors)
    if [ -z "$mirrors" ]; then # no `apt-get update` was ever run here: read the lists privately
        mkdir -p "$1/host-lists/partial"
        apt-get -o Dir::State::Lists="$1/host-lists" -o Dir::Cache="$1/cache" \
            -o APT::Sandbox::User=root -qq update
        mirrors=$(host_mirrors -o Dir::State::Lists="$1/host-lists")
    fi
    main=$(echo "$mirrors" | sed -n 's/^Debian //p' | head -n 1)
    security=$(echo "$mirrors" | sed -n 's/^Debian-Security //p' | head -n 1)
    [ -n "$main" ] || die "apt-get indextargets names no Debian archive; is this a Debian host?"
    [ -n "$security" ] ||
        die "the host's apt configuration names no Debian security archive; its updates are needed"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -r "$keyring" ] || die "$keyring is missing: install debian-archive-keyring"
    cat >"$1/sources.list" <<SOURCES
deb-src [signed-by=$keyring] $main $SUITE main
deb-src [signed-by=$keyring] $main $SUITE-updates main
deb-src [signed-by=$keyring] $security $SUITE-security main
SOURCES
}

# download DIR: the newest source packages of both libraries, checked by apt's signatures.
download() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial" "$1/src"
    write_sources "$1"
    set -- "$1" -qq -o Dir::Etc::SourceList="$1/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$1/lists" -o Dir::Cache="$1/cache" -o APT::Sandbox::User=root
    dir=$1
    shift
    apt-get "$@" -o APT::Update::Error-Mode=any update
    (cd "$dir/src" && apt-get "$@" source --download-only libssh libssh2) >"$dir/source.log" 2>&1 ||
        { cat "$dir/source.log" >&2; die "cannot download the sources"; }
}

dsc_version() {
    sed -n 's/^Version: //p' "$1" | head -n 1
}

# fetch_sources TMP: fills $cache/sources unless it is there. One download serves every flavour.
fetch_sources() {
    [ ! -e "$cache/sources/.done" ] || return 0
    download "$1/apt"
    touch "$1/apt/src/.done"
    rm -rf "$cache/sources"
    mv "$1/apt/src" "$cache/sources"
}

# unpack NAME MINIMUM TMP: Debian's package with Debian's patches, then ours, in TMP/NAME.
unpack() {
    set -- "$1" "$2" "$3" "$cache/sources/$1"_*.dsc
    if [ $# -ne 4 ] || [ ! -r "$4" ]; then die "expected one $1_*.dsc in $cache/sources"; fi
    version=$(dsc_version "$4")
    dpkg --compare-versions "$version" ge "$2" || die "$1 $version is older than $2"
    dpkg-source --no-check -x "$4" "$3/$1" >"$3/$1.log" 2>&1 || { cat "$3/$1.log" >&2; die "$4"; }
    for p in "$here/patches/$1"/*.patch; do
        [ -e "$p" ] || continue
        patch -d "$3/$1" -p1 --fuzz=0 --no-backup-if-mismatch <"$p" >"$3/patch.log" 2>&1 ||
            { cat "$3/patch.log" >&2; die "${p#"$here/"} does not apply to $1 $version"; }
    done
    echo "$1 $version" >>"$3/VERSIONS"
}

# --- build ---------------------------------------------------------------------------------------

# cmake_build NAME TMP OPTION...: compiles TMP/NAME and installs it under TMP/root.
cmake_build() {
    name=$1 tmp=$2
    shift 2
    flags="-g -fPIC -fno-omit-frame-pointer -ffile-prefix-map=$tmp/=pra-deps/"
    if [ -n "$sanitize" ]; then
        flags="-O1 $flags $sanitize"
    else
        flags="-O2 $flags -fstack-protector-strong -fstack-clash-protection"
        flags="$flags -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
    fi
    {
        cmake -S "$tmp/$name" -B "$tmp/build-$name" -G Ninja -DCMAKE_C_COMPILER="$cc" \
            -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$prefix" \
            -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF "$@" \
            -DCMAKE_C_FLAGS="$flags $cflags" &&
            cmake --build "$tmp/build-$name" &&
            DESTDIR="$tmp/root" cmake --install "$tmp/build-$name"
    } >"$tmp/$name.log" 2>&1 || { tail -n 60 "$tmp/$name.log" >&2; die "$name does not build"; }
}

build_libssh() {
    # MAX_BUF_SIZE: one read of the socket; 64 KiB instead of 4 KiB halves the cost of a bulk upload.
    cflags=-DMAX_BUF_SIZE=65536
    cmake_build libssh "$1" -DWITH_SERVER=ON -DWITH_GSSAPI=OFF -DWITH_GEX=OFF -DWITH_ZLIB=OFF \
        -DWITH_SFTP=OFF -DWITH_EXEC=OFF -DWITH_PCAP=OFF -DWITH_NACL=OFF -DWITH_EXAMPLES=OFF \
        -DWITH_DEBUG_CALLTRACE=OFF -DWITH_SYMBOL_VERSIONING=OFF
}

build_libssh2() {
    # Algorithms nobody may be talked into are not compiled in.
    cflags='-DLIBSSH2_NO_3DES -DLIBSSH2_NO_RC4 -DLIBSSH2_NO_CAST -DLIBSSH2_NO_BLOWFISH'
    cflags="$cflags -DLIBSSH2_NO_AES_CBC -DLIBSSH2_NO_HMAC_RIPEMD -DLIBSSH2_NO_MD5"
    cflags="$cflags -DLIBSSH2_NO_RSA_SHA1"
    cmake_build libssh2 "$1" -DCRYPTO_BACKEND=OpenSSL -DBUILD_STATIC_LIBS=ON -DBUILD_EXAMPLES=OFF \
        -DBUILD_TESTING=OFF -DENABLE_ZLIB_COMPRESSION=OFF -DENABLE_DEBUG_LOGGING=OFF
}

build() {
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "Building libssh and libssh2${san:+ with the $san sanitizer} into $prefix" >&2
    fetch_sources "$tmp"
    unpack libssh "$LIBSSH_MIN" "$tmp"
    unpack libssh2 "$LIBSSH2_MIN" "$tmp"
    build_libssh "$tmp"
    build_libssh2 "$tmp"
    # Only include/ and lib/*.a: Debian's .pc files name libraries (zlib) this build does without.
    (cd "$tmp/root$prefix" && rm -rf share lib/pkgconfig lib/cmake)
    cp "$tmp/VERSIONS" "$tmp/root$prefix/VERSIONS"
    touch "$tmp/root$prefix/.done"
    rm -rf "$prefix"
    mv "$tmp/root$prefix" "$prefix"
}

# update: drop the cached sources, and every library built from them, if Debian has newer ones.
update() {
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    download "$tmp/apt"
    if [ "$(cat "$tmp"/apt/src/*.dsc | sha256sum)" != \
        "$(cat "$cache"/sources/*.dsc 2>/dev/null | sha256sum)" ]; then
        rm -rf "$cache/sources" "$cache"/*/.done
        touch "$tmp/apt/src/.done"
        mv "$tmp/apt/src" "$cache/sources"
    fi
    rm -rf "$tmp"
}

case ${1:-} in
--prefix)
    echo "$prefix"
    ;;
build | update)
    [ "$1" = update ] || [ ! -e "$prefix/.done" ] || exit 0
    mkdir -p "$cache"
    exec 9>"$cache/.lock"
    flock 9
    [ "$1" != update ] || update
    [ -e "$prefix/.done" ] || build
    ;;
*)
    die "usage: deps.sh --prefix | build | update"
    ;;
esac
