# libcrypto from Debian 13's OpenSSL, static, for systems whose own OpenSSL is old: 3.0 does
# AES-128-GCM with AVX2 at a third of the speed at which 3.2 and newer do it with AVX512 and VAES.
# Read by deps.sh, which sets cache, cc and die(). The build takes a minute or two, so it is kept
# under a key of its own: the version of the source, this recipe, the compiler and the distribution.
# shellcheck shell=sh disable=SC2154

OPENSSL_FAST=3.2       # a system's OpenSSL of this version is as fast as ours
OPENSSL_MIN=3.5        # of the source

# system_openssl_is_fast: is the system's libcrypto to be used?
system_openssl_is_fast() {
    system_openssl=$(pkg-config --modversion libcrypto 2>/dev/null) ||
        die "libcrypto's development files are missing: packaging/deps/install-packages.sh build"
    dpkg --compare-versions "$system_openssl" ge "$OPENSSL_FAST"
}

# Only what SSH, the key file and the stores call, and no way to load code or settings at run time:
# no modules, no engines, no openssl.cnf. libssl is not built.
openssl_configure() {
    perl "$1/Configure" "$2" --prefix=/usr --libdir=lib --openssldir=/etc/ssl \
        enable-ec_nistp_64_gcc_128 no-shared no-tests no-apps no-docs no-makedepend \
        no-module no-legacy no-dso no-engine no-comp no-autoload-config no-ui-console \
        no-ssl no-tls no-dtls no-quic no-http no-sock no-sctp no-srtp no-psk no-srp \
        no-cms no-cmp no-ct no-ocsp no-ts no-rfc3779 no-gost \
        no-aria no-bf no-camellia no-cast no-idea no-md4 no-mdc2 no-rc2 no-rc4 no-rmd160 no-seed \
        no-siv no-sm2 no-sm3 no-sm4 no-whirlpool no-ec2m no-ml-dsa no-slh-dsa
}

openssl_target() {
    case $(uname -m) in
    x86_64) echo linux-x86_64 ;;
    aarch64) echo linux-aarch64 ;;
    *) die "no OpenSSL recipe for $(uname -m): use a system whose OpenSSL is at least $OPENSSL_FAST" ;;
    esac
}

# openssl_prefix: where libcrypto of the source package in the cache lives.
openssl_prefix() {
    hash=$({ "$cc" -dumpfullversion; "$cc" -dumpmachine; cat "$here/openssl.sh"; } |
        sha256sum | cut -c1-12)
    echo "$cache/openssl-$(system_name)-$(dsc_version "$(dsc openssl)")-$hash"
}

# build_openssl TMP: sets openssl to the folder with include/ and lib/libcrypto.a; builds unless it
# is there.
build_openssl() {
    fetch openssl "$OPENSSL_MIN" "$1"
    openssl=$(openssl_prefix)
    [ ! -e "$openssl/.done" ] || return 0
    echo "Building libcrypto into $openssl" >&2
    unpack openssl "$OPENSSL_MIN" "$1"
    CFLAGS="-O3 -g -fPIC -fno-omit-frame-pointer -ffile-prefix-map=$1/=pra-deps/"
    CFLAGS="$CFLAGS -fstack-protector-strong -fstack-clash-protection"
    CFLAGS="$CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"
    [ "$(uname -m)" != x86_64 ] || CFLAGS="$CFLAGS -fcf-protection"
    mkdir "$1/build-openssl" "$1/root-openssl" "$1/root-openssl/lib"
    # MAKEFLAGS: the jobserver of a make that called us is not ours to use.
    (cd "$1/build-openssl" && export CFLAGS CC="$cc" && unset MAKEFLAGS MAKELEVEL MFLAGS &&
        openssl_configure "$1/openssl" "$(openssl_target)" &&
        make -j"$(nproc)" build_generated libcrypto.a) >"$1/openssl.log" 2>&1 ||
        { tail -n 60 "$1/openssl.log" >&2; die "openssl does not build"; }
    mkdir -p "$1/root-openssl/include/openssl"
    cp "$1/openssl/include/openssl"/*.h "$1/build-openssl/include/openssl"/*.h \
        "$1/root-openssl/include/openssl/"
    cp "$1/build-openssl/libcrypto.a" "$1/root-openssl/lib/"
    touch "$1/root-openssl/.done"
    rm -rf "$openssl"
    mv "$1/root-openssl" "$openssl"
    rm -rf "$1/build-openssl" "$1/openssl"
}
