#!/bin/sh
# Builds what the Windows client is linked with, as static libraries, by mingw-w64 from the source
# packages of Debian 13: libcrypto, libssh2 and jansson (with the patches that Linux has), libuv, inih
# and zlib. sources.sh fetches and unpacks, openssl.sh knows what of OpenSSL is wanted.
#
#   windows.sh --prefix   print where the libraries live or will live (fast, no network)
#   windows.sh build      make them unless they are there
#
# Three folders in the cache, because they change at different times: libcrypto (minutes), the
# libraries of others than SSH, and the whole with libssh2 in it, which is what is printed.
set -eu
LC_ALL=C
export LC_ALL

# shellcheck disable=SC2034 # for sources.sh
SUITE=trixie
LIBSSH2_MIN=1.11.1
LIBUV_MIN=1.50         # 1.44 (Debian 12) cannot be built without a DLL
host=x86_64-w64-mingw32

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/pra-deps

die() {
    echo "windows.sh: $*" >&2
    exit 1
}

# shellcheck source=packaging/deps/sources.sh
. "$here/sources.sh"
# shellcheck source=packaging/deps/openssl.sh
. "$here/openssl.sh"

# Windows 10 is the oldest that is supported.
common_flags="-O2 -fno-omit-frame-pointer -fstack-protector-strong -D_WIN32_WINNT=0x0A00"
# What of OpenSSL's recipe is our own; in the key of its folder.
openssl_flags="-O3 -fno-omit-frame-pointer -fstack-protector-strong"

# The distribution stands for the compiler, which may not be there yet when the key is asked for.
system_name() {
    ID=unknown VERSION_ID=
    # shellcheck disable=SC1091
    . /etc/os-release
    echo "$ID$VERSION_ID"
}

key() {
    { system_name; cat "$@" 2>/dev/null; } | sha256sum | cut -c1-12
}

base=$cache/windows-base-$(key "$here/windows.sh" "$here"/patches/jansson/*.patch)
prefix=$cache/windows-$(key "$here/windows.sh" "$here/openssl.sh" "$here"/patches/*/*.patch)

# --- recipes -------------------------------------------------------------------------------------

# logged NAME COMMAND...: says nothing unless the command fails.
logged() {
    log=$tmp/$1.build.log
    name=$1
    shift
    "$@" >>"$log" 2>&1 || { tail -n 60 "$log" >&2; die "$name does not build"; }
}

write_toolchain() {
    cat >"$tmp/toolchain.cmake" <<TOOLCHAIN
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER $host-gcc)
set(CMAKE_RC_COMPILER $host-windres)
set(CMAKE_FIND_ROOT_PATH /usr/$host)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
TOOLCHAIN
}

# cmake_cross NAME DESTINATION OPTION...: compiles $tmp/NAME, installs include/ and lib/.
cmake_cross() {
    name=$1 to=$2
    shift 2
    flags="$common_flags -ffile-prefix-map=$tmp/=pra-deps/ ${cflags:-}"
    logged "$name" cmake -S "$tmp/$name" -B "$tmp/build-$name" -G Ninja \
        -DCMAKE_TOOLCHAIN_FILE="$tmp/toolchain.cmake" -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_POLICY_VERSION_MINIMUM=3.5 -DCMAKE_INSTALL_PREFIX="$to" \
        -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF -DCMAKE_C_FLAGS="$flags" "$@"
    logged "$name" cmake --build "$tmp/build-$name"
    logged "$name" cmake --install "$tmp/build-$name"
}

# libcrypto: the same selection as on Linux.
build_crypto() {
    openssl=$cache/openssl-windows-$(dsc_version "$(dsc openssl)")-$({
        echo "$openssl_flags"
        cat "$here/openssl.sh"
    } | key -)
    [ ! -e "$openssl/.done" ] || return 0
    echo "Building libcrypto for Windows into $openssl" >&2
    unpack openssl "$OPENSSL_MIN" "$tmp"
    mkdir -p "$tmp/build-openssl" "$tmp/root-openssl/lib" "$tmp/root-openssl/include/openssl"
    # MAKEFLAGS: the jobserver of a make that called us is not ours to use.
    (cd "$tmp/build-openssl" && unset MAKEFLAGS MAKELEVEL MFLAGS &&
        export CFLAGS="$openssl_flags -ffile-prefix-map=$tmp/=pra-deps/" CC=gcc CROSS_COMPILE="$host-" &&
        logged openssl openssl_configure "$tmp/openssl" mingw64 &&
        logged openssl make -j"$(nproc)" build_generated libcrypto.a)
    cp "$tmp/openssl/include/openssl"/*.h "$tmp/build-openssl/include/openssl"/*.h \
        "$tmp/root-openssl/include/openssl/"
    cp "$tmp/build-openssl/libcrypto.a" "$tmp/root-openssl/lib/"
    cp "$tmp/VERSIONS" "$tmp/root-openssl/VERSIONS"
    touch "$tmp/root-openssl/.done"
    rm -rf "$openssl"
    mv "$tmp/root-openssl" "$openssl"
}

build_inih() {
    mkdir -p "$1/include" "$1/lib"
    # Its limits are set at run time here as in Debian's library (common/conf.c).
    logged libinih "$host-gcc" $common_flags -c "$tmp/libinih/ini.c" -o "$tmp/ini.o"
    logged libinih "$host-ar" rcs "$1/lib/libinih.a" "$tmp/ini.o"
    cp "$tmp/libinih/ini.h" "$1/include/"
}

# zlib's own build files want to make a DLL as well; the library is these files.
build_zlib() {
    mkdir -p "$1/include" "$1/lib" "$tmp/zlib-objects"
    for c in "$tmp"/zlib/*.c; do
        logged zlib "$host-gcc" $common_flags -c "$c" -o "$tmp/zlib-objects/$(basename "$c" .c).o"
    done
    logged zlib "$host-ar" rcs "$1/lib/libz.a" "$tmp"/zlib-objects/*.o
    cp "$tmp/zlib/zlib.h" "$tmp/zlib/zconf.h" "$1/include/"
}

build_base() {
    [ ! -e "$base/.done" ] || return 0
    echo "Building libuv, jansson, inih and zlib for Windows into $base" >&2
    rm -f "$tmp/VERSIONS"
    for package in "libuv1 $LIBUV_MIN" 'jansson 2.14' 'libinih 50' 'zlib 1:1.2'; do
        # shellcheck disable=SC2086 # name and minimum
        fetch $package "$tmp"
        # shellcheck disable=SC2086
        unpack $package "$tmp"
    done
    root=$tmp/root-base
    mkdir -p "$root"
    cmake_cross libuv1 "$root" -DLIBUV_BUILD_SHARED=OFF -DLIBUV_BUILD_TESTS=OFF
    cmake_cross jansson "$root" -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON \
        -DJANSSON_EXAMPLES=OFF
    build_inih "$root"
    build_zlib "$root"
    rm -rf "$root/share" "$root/lib/pkgconfig" "$root/lib/cmake" "$root/cmake" "${root:?}/bin"
    cp "$tmp/VERSIONS" "$root/VERSIONS"
    touch "$root/.done"
    rm -rf "$base"
    mv "$root" "$base"
}

# The algorithms that deps.sh leaves out on Linux are left out here, too.
build_ssh2() {
    cflags=$(grep -o -e '-DLIBSSH2_NO_[A-Z0-9_]*' "$here/deps.sh" | sort -u | tr '\n' ' ')
    case $cflags in
    *LIBSSH2_NO_3DES*LIBSSH2_NO_AES_CBC*LIBSSH2_NO_RSA_SHA1*) ;;
    *) die "deps.sh does not say any more which algorithms libssh2 does without" ;;
    esac
    # libssl is not used; cmake wants the name of one. Its module has names of its own for MinGW.
    cmake_cross libssh2 "$1" -DCRYPTO_BACKEND=OpenSSL -DBUILD_STATIC_LIBS=ON \
        -DBUILD_EXAMPLES=OFF -DBUILD_TESTING=OFF -DENABLE_ZLIB_COMPRESSION=OFF \
        -DENABLE_DEBUG_LOGGING=OFF -DOPENSSL_INCLUDE_DIR="$openssl/include" \
        -DOPENSSL_CRYPTO_LIBRARY="$openssl/lib/libcrypto.a" \
        -DOPENSSL_SSL_LIBRARY="$openssl/lib/libcrypto.a" \
        -DLIB_EAY="$openssl/lib/libcrypto.a" -DSSL_EAY="$openssl/lib/libcrypto.a"
}

build() {
    "$host-gcc" --version >/dev/null 2>&1 ||
        die "the cross compiler is missing: packaging/deps/install-packages.sh windows"
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "Building the libraries of the Windows client into $prefix" >&2
    write_toolchain
    fetch openssl "$OPENSSL_MIN" "$tmp"
    fetch libssh2 "$LIBSSH2_MIN" "$tmp"
    build_crypto
    build_base
    rm -f "$tmp/VERSIONS"
    unpack libssh2 "$LIBSSH2_MIN" "$tmp"
    build_ssh2 "$tmp/whole"
    rm -rf "$tmp/whole/share" "$tmp/whole/lib/pkgconfig" "$tmp/whole/lib/cmake" "${tmp:?}/whole/bin"
    cp -al "$openssl/include/." "$tmp/whole/include/"
    cp -al "$base/include/." "$tmp/whole/include/"
    cp -l "$openssl/lib/libcrypto.a" "$base"/lib/*.a "$tmp/whole/lib/"
    cat "$openssl/VERSIONS" "$base/VERSIONS" "$tmp/VERSIONS" >"$tmp/whole/VERSIONS"
    touch "$tmp/whole/.done"
    rm -rf "$prefix"
    mv "$tmp/whole" "$prefix"
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
    die "usage: windows.sh --prefix | build"
    ;;
esac
