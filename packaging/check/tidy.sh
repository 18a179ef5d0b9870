#!/usr/bin/env bash
# clang-tidy over the files given, with the compiler flags in CHECK_FLAGS (one a line). Prints only
# findings: the counts of what it left out in system headers are no news.
set -uo pipefail
mapfile -t flags <<<"$CHECK_FLAGS"
# The tray's libraries, as system headers. Without them its files cannot be looked at at all.
mapfile -t tray < <(pkg-config --cflags gtk+-3.0 dbusmenu-glib-0.4 | tr ' ' '\n' | sed 's/^-I/-isystem/')
flags+=("${tray[@]}")
out=$(clang-tidy --quiet "$@" -- "${flags[@]}" 2>&1)
code=$?
grep -vE '^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter|^$' <<<"$out"
# xargs goes on after 1-125 and reports 123.
exit "$((code != 0))"
