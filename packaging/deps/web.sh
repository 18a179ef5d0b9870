#!/bin/sh
# Packages of the npm registry that the portal's page and its test are made with: each one file or
# folder, checked against the digest written here, unpacked into the cache. Nothing of them is run
# while it is fetched.
#
#   web.sh --path NAME   where NAME is (or will be); no network
#   web.sh fetch NAME    makes it so unless it is there; with curl where a registry is configured as for
#                        npm (npm_config_registry, ~/.npmrc, /etc/npmrc), else with npm
#
# NAME: preact (htm's module with preact in it, what the page draws with), playwright (drives a
# browser in tests), axe (looks for what screen readers and keyboards stumble over; tests only).
set -eu
LC_ALL=C
export LC_ALL

cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/pra-deps

die() {
    echo "web.sh: $*" >&2
    exit 1
}

case ${2:-} in
preact)
    package=htm version=3.1.1 inside=preact/standalone.module.js
    sum=f7cdd5ca0f0dc1413b26467a3663aaa4267eb21d5b2afda2613954933956980e490f669c2a8c5de0a5716cc9b15fff399ad7dd9c399316834a720e43180bf135
    ;;
playwright)
    package=playwright-core version=1.65.1 inside=index.js
    sum=86a3e9cfb6e548c3f1595768784d728814b35ec2a254e77693e9230af994cb00f618f3b60ddf477dc5a7abd34dd061db3590c5819f497c116bf97e7f04ba34ab
    ;;
axe)
    package=axe-core version=4.10.3 inside=axe.min.js
    sum=5e6edba515e70d25f6604d9815f064d859c5d1ea7ab661bbc4f87c88779ef0c21cae0abbeb636471ef39e9d62d2582e4b88a1866f19f4ecfcf6d986275e4dc12
    ;;
*) die "usage: web.sh --path|fetch preact|playwright|axe" ;;
esac
folder=$cache/web-$package-$version

# setting FILE NAME: what an npmrc says, the last one of it. ${NAME} in it is npm's word for a variable;
# nothing here knows what that stands for, so such a line is none.
setting() {
    [ ! -r "$1" ] || sed -n "s/^[[:space:]]*$2[[:space:]]*=[[:space:]]*\"\{0,1\}\([^\"[:space:]]*\).*/\1/p" "$1" |
        grep -v '[$]' | tail -n 1
}

# configured NAME: npm's setting, from where npm would read it: the environment (either case), the
# user's file, the system's. Nothing if nobody set it.
configured() {
    upper=$(echo "$1" | tr '[:lower:]' '[:upper:]')
    for value in "$(printenv "npm_config_$1" || true)" "$(printenv "NPM_CONFIG_$upper" || true)" \
        "$(setting "${npm_config_userconfig:-${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}}" "$1")" \
        "$(setting "${npm_config_globalconfig:-/etc/npmrc}" "$1")" \
        "$(setting /usr/etc/npmrc "$1")" "$(setting /usr/local/etc/npmrc "$1")"; do
        [ -z "$value" ] || { echo "$value"; return 0; }
    done
}

# Where the registry is, npm has in itself and we do not. So a configured one is asked with curl, and
# npm comes in only without one: on a bare Debian that is some hundred packages.
# download FOLDER: puts PACKAGE-VERSION.tgz there.
download() {
    registry=$(configured registry)
    if [ -n "$registry" ]; then
        authority=$(configured cafile)
        curl --fail --silent --show-error --location --retry 3 --max-time 300 --proto =https,http \
            ${authority:+--cacert "$authority"} --output "$1/$package-$version.tgz" \
            "${registry%/}/$package/-/$package-$version.tgz"
        return
    fi
    command -v npm >/dev/null || "$(dirname "$0")/install-packages.sh" npm
    (cd "$1" && npm pack --ignore-scripts --silent "$package@$version" >/dev/null)
}

fetch() {
    mkdir -p "$cache"
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    trap 'exit 1' HUP INT TERM
    echo "Fetching $package $version" >&2
    download "$tmp" ||
        die "$package $version cannot be fetched (npm_config_registry: another registry than npm's own)"
    echo "$sum  $tmp/$package-$version.tgz" | sha512sum --check --quiet >&2 ||
        die "$package $version is not what it was"
    tar -xzf "$tmp/$package-$version.tgz" -C "$tmp"
    [ -f "$tmp/package/$inside" ] || die "$package $version has no $inside"
    rm -rf "$folder"
    mv "$tmp/package" "$folder"
}

case $1 in
--path) echo "$folder/$inside" ;;
fetch)
    [ -f "$folder/$inside" ] || {
        mkdir -p "$cache"
        exec 9>"$cache/.web-lock"
        flock 9
        [ -f "$folder/$inside" ] || fetch
    }
    ;;
*) die "usage: web.sh --path|fetch preact|playwright|axe" ;;
esac
