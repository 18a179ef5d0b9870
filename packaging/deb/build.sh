#!/usr/bin/env bash
# `make deb`: the packages pra, pra-tray and prad, from the programs in BUILD, into OUT.
#
#   build.sh VERSION BUILD OUT
#
# debhelper wants a folder debian/ in the tree that it packs; so it packs a folder of links and this
# tree stays as it is. Times come from the last commit, so that the same tree gives the same packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
version=$1
build=$(realpath "$2")
mkdir -p "$3"
out=$(realpath "$3")
work=$(mktemp -d "$out/stage.XXXXXX")
trap 'rm -rf "$work"' EXIT

epoch=$(git -C "$source" log -1 --format=%ct 2>/dev/null || stat -c %Y "$source/Makefile")
mkdir "$work/pra"
cp -r "$here" "$work/pra/debian"
rm "$work/pra/debian/build.sh"
cat >"$work/pra/debian/changelog" <<END
pra ($version) unstable; urgency=medium

  * Made from the source tree by make deb; its history is the changelog.

 -- PRA maintainers <pra@example.com>  $(LC_ALL=C date -u -R -d "@$epoch")
END

cd "$work/pra"
log=$out/dpkg-buildpackage.log
if ! env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS SOURCE_DATE_EPOCH="$epoch" SOURCE="$source" BUILD="$build" \
    dpkg-buildpackage -b -us -uc -d >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
mv "$work"/*.deb "$work"/*.buildinfo "$work"/*.changes "$out/"
ls "$out"/*_"$version"_*.deb
