# Source packages of Debian: where they come from and how they are unpacked. Read by deps.sh, which
# sets here, cache, die() and the suite.
# shellcheck shell=sh disable=SC2154

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

# private_apt DIR PROGRAM ARGUMENT...: apt with the lists and caches below DIR.
private_apt() {
    apt_dir=$1 apt_program=$2
    shift 2
    "$apt_program" -qq -o Dir::Etc::SourceList="$apt_dir/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$apt_dir/lists" \
        -o Dir::Cache="$apt_dir/cache" -o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"
}

# read_lists DIR: once per run.
read_lists() {
    [ ! -e "$1/sources.list" ] || return 0
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
    write_sources "$1"
    private_apt "$1" apt-get -o APT::Update::Error-Mode=any update ||
        die "the lists of $SUITE and $SUITE-security cannot be read from the host's mirrors"
}

# listed DIR NAME: "VERSION SUITE" of every version of a source package, newest first.
listed() {
    private_apt "$1" apt-cache madison "$2" |
        sed -n 's/^[^|]*| *\([^ |]*\) *|.* \([^ ]*\)\/main Sources *$/\1 \2/p' | sort -rV
}

# download DIR NAME MINIMUM: the newest source package that the mirrors deliver, as DIR/src/NAME,
# checked by apt's signatures. A mirror may list a version that it does not have (yet, or any more):
# then the next one is taken, from the security suite or the main one, and that is said aloud.
download() {
    read_lists "$1"
    listed "$1" "$2" >"$1/listed"
    [ -s "$1/listed" ] || die "the mirrors list no source package $2 in $SUITE"
    missed=
    while read -r version suite; do
        dpkg --compare-versions "$version" ge "$3" || continue
        rm -rf "$1/try"
        mkdir -p "$1/try" "$1/src"
        if (cd "$1/try" && private_apt "$1" apt-get source --download-only "$2=$version") \
            >"$1/source.log" 2>&1; then
            rm -rf "$1/src/$2"
            mv "$1/try" "$1/src/$2"
            [ -z "$missed" ] || cat >&2 <<WARNING
deps.sh: warning: the mirror lists these sources and does not deliver them:$missed.
deps.sh: warning: taking $2 $version ($suite) instead. Fixes of the newer one are missing: run
deps.sh: warning: "packaging/deps/deps.sh update" when the mirror has it.
WARNING
            return 0
        fi
        cat "$1/source.log" >>"$1/errors.log"
        missed="$missed $2 $version ($suite)"
    done <"$1/listed"
    cat "$1/errors.log" >&2 2>/dev/null || true
    [ -n "$missed" ] || die "the mirrors list no $2 of at least $3 in $SUITE"
    die "the mirrors deliver none of what they list:$missed. Try again later, name another mirror
in the host's apt configuration, or put a source package (.dsc and its files) into $cache/src/$2"
}

# dsc NAME: the .dsc of a package in the cache; nothing if there is none.
dsc() {
    for d in "$cache/src/$1"/*.dsc; do
        [ ! -r "$d" ] || echo "$d"
    done
}

dsc_version() {
    sed -n 's/^Version: //p' "$1" | head -n 1
}

# fetch NAME MINIMUM TMP: fills $cache/src/NAME unless it is there. One download serves every flavour.
fetch() {
    [ -z "$(dsc "$1")" ] || return 0
    download "$3/apt" "$1" "$2"
    mkdir -p "$cache/src"
    rm -rf "${cache:?}/src/$1"
    mv "$3/apt/src/$1" "$cache/src/$1"
}

# unpack NAME MINIMUM TMP: Debian's package with Debian's patches, then ours, in TMP/NAME.
unpack() {
    file=$(dsc "$1")
    case $file in
    '' | *'
'*) die "expected one $1_*.dsc in $cache/src/$1" ;;
    esac
    version=$(dsc_version "$file")
    dpkg --compare-versions "$version" ge "$2" || die "$1 $version is older than $2"
    dpkg-source --no-check -x "$file" "$3/$1" >"$3/$1.log" 2>&1 || { cat "$3/$1.log" >&2; die "$file"; }
    for p in "$here/patches/$1"/*.patch; do
        [ -e "$p" ] || continue
        patch -d "$3/$1" -p1 --fuzz=0 --no-backup-if-mismatch <"$p" >"$3/patch.log" 2>&1 ||
            { cat "$3/patch.log" >&2; die "${p#"$here/"} does not apply to $1 $version"; }
    done
    echo "$1 $version" >>"$3/VERSIONS"
}

# refresh NAME MINIMUM TMP: takes a newer source package if there is one; says so in stale.
refresh() {
    download "$3/apt" "$1" "$2"
    old=$(dsc "$1")
    for new in "$3/apt/src/$1"/*.dsc; do
        # The mirror may have lost what we took from it before.
        if [ -z "$old" ] ||
            dpkg --compare-versions "$(dsc_version "$new")" gt "$(dsc_version "$old")"; then
            mkdir -p "$cache/src"
            rm -rf "${cache:?}/src/$1"
            mv "$3/apt/src/$1" "$cache/src/$1"
            # shellcheck disable=SC2034 # for deps.sh
            stale=yes
        fi
    done
}
