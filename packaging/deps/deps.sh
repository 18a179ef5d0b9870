#!/bin/sh
# Builds the two SSH libraries, libssh (gateway) and libssh2 (client), and jansson, as static
# libraries from the source packages of Debian 13 plus the patches in patches/, into a cache folder
# of the user; and libcrypto where the system's is old (openssl.sh). sources.sh fetches and unpacks.
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

# shellcheck disable=SC2034 # for sources.sh
SUITE=trixie
LIBSSH_MIN=0.11.5      # older ones spin on a maximum packet of 10 and do not enforce the window
LIBSSH2_MIN=1.11.1     # first with AES-GCM, ETM MACs, strict key exchange and rsa-sha2
JANSSON_MIN=2.14       # what the patch was made for

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
    hash=$(cd "$here" && { echo "$cc"; cat deps.sh openssl.sh patches/libssh/*.patch \
        patches/libssh2/*.patch patches/jansson/*.patch 2>/dev/null || true; } | sha256sum | cut -c1-16)
    echo "$(system_name)-${san:-plain}-$hash"
}

system_name() {
    ID=unknown VERSION_ID=
    # shellcheck disable=SC1091
    . /etc/os-release
    echo "$ID$VERSION_ID-$(uname -m)"
}

prefix=$cache/$(key)

# shellcheck source=packaging/deps/sources.sh
. "$here/sources.sh"
# shellcheck source=packaging/deps/openssl.sh
. "$here/openssl.sh"

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
    # shellcheck disable=SC2086 # crypto_options are words
    {
        cmake -S "$tmp/$name" -B "$tmp/build-$name" -G Ninja -DCMAKE_C_COMPILER="$cc" \
            -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$prefix" \
            -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF $crypto_options "$@" \
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

# Its headers have a folder of their own: the portal's programs want them, and not libcrypto's.
build_jansson() {
    cflags=
    cmake_build jansson "$1" -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON \
        -DJANSSON_EXAMPLES=OFF -DCMAKE_POLICY_VERSION_MINIMUM=3.5
    mkdir -p "$1/root$prefix/include/json"
    mv "$1/root$prefix"/include/jansson*.h "$1/root$prefix/include/json/"
}

# choose_crypto TMP: the one libcrypto that both libraries and all programs use. lib/crypto.link is
# what a program names when it is linked (an @file of the compiler's).
# shellcheck disable=SC2154 # openssl.sh sets openssl and system_openssl
choose_crypto() {
    mkdir -p "$1/root$prefix/lib" "$1/root$prefix/include"
    if system_openssl_is_fast; then
        crypto_options=
        echo "openssl $system_openssl (the system's)" >"$1/VERSIONS"
        echo -lcrypto >"$1/root$prefix/lib/crypto.link"
        return 0
    fi
    build_openssl "$1"
    crypto_options="-DOPENSSL_INCLUDE_DIR=$openssl/include"
    crypto_options="$crypto_options -DOPENSSL_CRYPTO_LIBRARY=$openssl/lib/libcrypto.a"
    # libssl is not used; cmake wants the name of one.
    crypto_options="$crypto_options -DOPENSSL_SSL_LIBRARY=$openssl/lib/libcrypto.a"
    echo "openssl $(dsc_version "$(dsc openssl)")" >"$1/VERSIONS"
    cp -al "$openssl/include/openssl" "$1/root$prefix/include/"
    cp -l "$openssl/lib/libcrypto.a" "$1/root$prefix/lib/"
    echo "$prefix/lib/libcrypto.a" >"$1/root$prefix/lib/crypto.link"
}

build() {
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "Building libssh, libssh2 and jansson${san:+ with the $san sanitizer} into $prefix" >&2
    fetch libssh "$LIBSSH_MIN" "$tmp"
    fetch libssh2 "$LIBSSH2_MIN" "$tmp"
    fetch jansson "$JANSSON_MIN" "$tmp"
    choose_crypto "$tmp"
    unpack libssh "$LIBSSH_MIN" "$tmp"
    unpack libssh2 "$LIBSSH2_MIN" "$tmp"
    unpack jansson "$JANSSON_MIN" "$tmp"
    build_libssh "$tmp"
    build_libssh2 "$tmp"
    build_jansson "$tmp"
    # Only include/ and lib/*.a: Debian's .pc files name libraries (zlib) this build does without.
    (cd "$tmp/root$prefix" && rm -rf share cmake lib/pkgconfig lib/cmake)
    cp "$tmp/VERSIONS" "$tmp/root$prefix/VERSIONS"
    touch "$tmp/root$prefix/.done"
    rm -rf "$prefix"
    mv "$tmp/root$prefix" "$prefix"
}

# update: takes newer sources, and drops every library built from the old ones, if Debian has any.
update() {
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    stale=
    refresh libssh "$LIBSSH_MIN" "$tmp"
    refresh libssh2 "$LIBSSH2_MIN" "$tmp"
    refresh jansson "$JANSSON_MIN" "$tmp"
    system_openssl_is_fast || refresh openssl "$OPENSSL_MIN" "$tmp"
    [ -z "$stale" ] ||
        rm -f "$cache"/*-plain-*/.done "$cache"/*-address-*/.done "$cache"/*-thread-*/.done
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
