#!/usr/bin/env bash
# Builds the programs of an older commit, with the libraries it had, for bench.py to measure beside today's.
#
#   before.sh COMMIT FOLDER     their build folder is FOLDER/build
set -euo pipefail
commit=$(git rev-parse --verify --quiet "$1^{commit}") || {
    echo "bench: BEFORE=$1 is no commit of this repository" >&2
    exit 2
}
folder=$2
if [ "$(cat "$folder/commit" 2>/dev/null)" != "$commit" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    git archive "$commit" | tar -x -C "$folder"
fi
MAKEFLAGS="" make -j2 -C "$folder" --no-print-directory BUILD=build build/pra build/prad build/pra-admin >&2
echo "$commit" >"$folder/commit"
