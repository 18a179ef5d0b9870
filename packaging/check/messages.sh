#!/usr/bin/env bash
# The list of messages in README.md is made from common/msg.def.
#
#   messages.sh           print the list
#   messages.sh --update  put it between the marker lines of README.md
#   messages.sh --check   fail if README.md holds another list
set -euo pipefail
cd "$(dirname "$0")/../.."

begin='<!-- errors:begin (made by packaging/check from common/msg.def) -->'
end='<!-- errors:end -->'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -I. packaging/check/messages.c -o "$work/messages"
"$work/messages" >"$work/list"

# README.md with the list in its place, on stdout.
with_list() {
    awk -v begin="$begin" -v end="$end" -v list="$work/list" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin {
            inside = 1
            print ""
            while ((getline line < list) > 0) print line
            print ""
        }' README.md
}

case ${1-} in
'')
    cat "$work/list"
    ;;
--update | --check)
    if ! grep -qxF -- "$begin" README.md || ! grep -qxF -- "$end" README.md; then
        printf 'README.md lacks the lines between which the list of messages stands:\n%s\n%s\n' \
            "$begin" "$end" >&2
        exit 1
    fi
    with_list >"$work/README.md"
    if [ "$1" = --update ]; then
        cat "$work/README.md" >README.md
    elif ! diff -u README.md "$work/README.md"; then
        echo 'the list of messages in README.md is old: run packaging/check/messages.sh --update' >&2
        exit 1
    fi
    ;;
*)
    echo "usage: messages.sh [--update|--check]" >&2
    exit 2
    ;;
esac
