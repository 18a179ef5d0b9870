#!/usr/bin/env bash
# clang-tidy over the files given, with the compiler flags in CHECK_FLAGS (one a line). Prints only
# findings: the counts of what it left out in system headers are no news.
#
# Files *_win.c are looked at as mingw compiles them, with flags of their own; without the cross
# compiler's headers and our libraries for Windows they cannot be looked at.
#
# A file in which nothing was found is remembered (in the cache of packaging/deps) by all that decides what
# is found: its text and that of every header it reads, the flags, .clang-tidy, the tool's version, this
# script. It is looked at again once any of that changes, or with CHECK_AGAIN=1.
set -uo pipefail

win=() posix=()
for file in "$@"; do
    case $file in *_win.c) win+=("$file") ;; *) posix+=("$file") ;; esac
done

cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/pra-deps/tidy
tool=$(clang-tidy --version) && mkdir -p "$cache" || exit 1

# known_as FILE FLAG...: the name by which it is remembered. Fails if it cannot be compiled.
known_as() {
    local file=$1 read
    shift
    read=$(clang "$@" -M -MT read "$file" 2>/dev/null) || return 1
    tr -d '\\\n' <<<"${read#read:}" | tr -s ' ' '\n' | sed '/^$/d' | sort -u | {
        echo "$tool" "$file" "$@"
        xargs sha256sum .clang-tidy packaging/check/tidy.sh
    } | sha256sum | cut -d' ' -f1
}

# tidy FLAG...: those of `files` that are not known, with these flags.
tidy() {
    local out code file name names=() new=()
    for file in "${files[@]}"; do
        name=$(known_as "$file" "$@") || name=
        if [ -n "$name" ] && [ -e "$cache/$name" ] && [ -z "${CHECK_AGAIN:-}" ]; then
            touch "$cache/$name"
            continue
        fi
        new+=("$file")
        [ -z "$name" ] || names+=("$cache/$name")
    done
    [ ${#new[@]} -gt 0 ] || return
    out=$(clang-tidy --quiet "${new[@]}" -- "$@" 2>&1)
    code=$?
    grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter|^$' <<<"$out"
    # xargs goes on after 1-125 and reports 123.
    failed=$((failed | (code != 0)))
    [ "$code" -ne 0 ] || [ ${#names[@]} -eq 0 ] || touch "${names[@]}"
}

failed=0
deps=$(packaging/deps/windows.sh --prefix)
if [ ${#win[@]} -gt 0 ] && [ -d /usr/x86_64-w64-mingw32/include ] && [ -e "$deps/.done" ]; then
    mingw=(--target=x86_64-w64-windows-gnu -isystem /usr/x86_64-w64-mingw32/include \
        -isystem "$deps/include" -I. -Icommon/win -std=c11 -D_GNU_SOURCE -D_WIN32_WINNT=0x0A00 \
        -DWIN32_LEAN_AND_MEAN -D_POSIX_C_SOURCE=200809L -DPRA_VERSION='"check"' \
        -include common/posix_win.h)
    # Windows that are drawn need what the engine's files keep away from their names.
    mapfile -t files < <(printf '%s\n' "${win[@]}" | grep -v '^client/tray/')
    [ ${#files[@]} -eq 0 ] || tidy "${mingw[@]}" -DNOGDI
    mapfile -t files < <(printf '%s\n' "${win[@]}" | grep '^client/tray/')
    [ ${#files[@]} -eq 0 ] || tidy "${mingw[@]}"
fi
[ ${#posix[@]} -gt 0 ] || exit "$failed"
files=("${posix[@]}")
mapfile -t flags <<<"$CHECK_FLAGS"
# The tray's libraries, as system headers. Without them its files cannot be looked at at all.
mapfile -t tray < <(pkg-config --cflags gtk+-3.0 dbusmenu-glib-0.4 | tr ' ' '\n' | sed 's/^-I/-isystem/')
flags+=("${tray[@]}")
tidy "${flags[@]}"
exit "$failed"
