#!/usr/bin/env bash
# `make check`: formatting, static analysis and the rules of the house. Runs every step even if one
# fails, and ends with 1 then. check.sh STEP... runs only these steps; CHECK_JOBS (2) is how many
# analysers run at once; CHECK_AGAIN=1: clang-tidy looks at what it knows to be clean as well (tidy.sh).
#
#   format     clang-format agrees with every C file
#   lint       include directions, banned calls, sizes, left-overs (lint.py)
#   messages   README.md's list of messages is that of common/msg.def
#   shell      shellcheck of our scripts
#   units      systemd accepts the units and rates their sandboxes well
#   desktop    desktop entries, AppStream metainfo
#   man        the manual pages are without mistakes of markup
#   cppcheck   cppcheck over all C files
#   tidy       clang-tidy over the product (.clang-tidy)
set -euo pipefail
cd "$(dirname "$0")/../.."

jobs=${CHECK_JOBS:-2}
deps=${PRA_DEPS:-$(packaging/deps/deps.sh --prefix)}
version=$(sed -n 's/^VERSION := //p' Makefile)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

product=(common keys client server)
flags=(-std=c11 -D_GNU_SOURCE "-DPRA_VERSION=\"$version\"" -I. -isystem "$deps/include" -isystem "$deps/include/json")

# our FOLDER...: C files of ours, sorted; new ones too.
c_files() {
    find "$@" -name '*.[ch]' | sort
}

step_format() {
    # Versions of clang-format differ in small ways: the tree is formatted by the one of Debian 12
    # and checked by the same one where it is there.
    local tool=clang-format
    if command -v clang-format-14 >/dev/null; then tool=clang-format-14; fi
    c_files "${product[@]}" packaging tests | xargs "$tool" --dry-run -Werror
}

step_lint() {
    packaging/check/lint.py --self-test
    packaging/check/lint.py
}

step_messages() {
    packaging/check/messages.sh --check
}

step_shell() {
    find packaging tests .ci -type f \( -name '*.sh' -o -path .ci/run \) -print0 |
        xargs -0 shellcheck --severity=warning
}

step_units() {
    packaging/check/units.sh
}

step_desktop() {
    desktop-file-validate packaging/desktop/*.desktop packaging/desktop/autostart/*.desktop
    # There is no home page that could be named. Versions before 1.0 do not miss one, nor know this word.
    appstreamcli validate --no-net --override=url-homepage-missing=info packaging/desktop/*.metainfo.xml ||
        appstreamcli validate --no-net packaging/desktop/*.metainfo.xml
}

step_man() {
    local source page
    for source in packaging/man/*.scd; do
        page=$work/$(basename "$source" .scd)
        scdoc <"$source" >"$page"
        # scdoc begins every paragraph with a macro, also where there is none to part from.
        mandoc -T lint -W warning "$page" >"$page.found" || true
        if grep -v 'skipping paragraph macro' "$page.found"; then return 1; fi
    done
}

# cpp_check OPTION...: the files that standard input names.
cpp_check() {
    cppcheck --quiet -j "$jobs" --std=c11 --language=c --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability --suppress=missingIncludeSystem \
        --suppressions-list=packaging/check/cppcheck.txt -D_GNU_SOURCE \
        --include=packaging/check/cppcheck.h "-DPRA_VERSION=\"$version\"" -I. --file-list=- "$@"
}

step_cppcheck() {
    find "${product[@]}" tests -name '*.c' ! -name '*_win.c' | cpp_check --library=posix -D__linux__ &&
        find "${product[@]}" -name '*_win.c' |
        cpp_check --library=windows --platform=win64 -D_WIN32 -Icommon/win
}

step_tidy() {
    # One process for a few files at a time; the flags cannot follow the files in xargs's own words.
    find "${product[@]}" -name '*.c' ! -name '*_win.c' | sort | CHECK_FLAGS=$(printf '%s\n' "${flags[@]}") \
        xargs -P "$jobs" -n 4 packaging/check/tidy.sh
    find "${product[@]}" -name '*_win.c' | sort | xargs -P "$jobs" -n 4 packaging/check/tidy.sh
    # What nothing has asked for in a month.
    find "${XDG_CACHE_HOME:-$HOME/.cache}/pra-deps/tidy" -type f -mtime +30 -delete
}

steps=(format lint messages shell units desktop man cppcheck tidy)
if [ $# -gt 0 ]; then steps=("$@"); fi
failed=()
for step in "${steps[@]}"; do
    if ! declare -F "step_$step" >/dev/null; then
        echo "check.sh: no step '$step'" >&2
        exit 2
    fi
    start=$SECONDS
    # In a subshell of its own, since "set -e" does not hold within a condition.
    set +e
    (set -e; "step_$step") >"$work/out" 2>&1
    code=$?
    set -e
    if [ "$code" -eq 0 ]; then
        printf '%-9s ok, %d s\n' "$step" $((SECONDS - start))
    else
        printf '%-9s failed, %d s\n' "$step" $((SECONDS - start))
        cat "$work/out"
        failed+=("$step")
    fi
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "check failed: ${failed[*]}"
    exit 1
fi
