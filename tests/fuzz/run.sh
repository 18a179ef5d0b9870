#!/usr/bin/env bash
# `make fuzz`: each target for TIME seconds (60), from the corpus kept beside this file. New inputs
# go to the build folder; so do inputs that crash, and then the script ends with 1.
set -euo pipefail
cd "$(dirname "$0")"
build=${PRA_BUILD:-../../build}
seconds=${TIME:-60}
passed=0
failed=0

for source in fuzz_*.c; do
    name=${source#fuzz_}
    name=${name%.c}
    found=$build/fuzz-found/$name
    mkdir -p "$found/inputs"
    corpus=()
    if [ -d "corpus/$name" ]; then corpus=("corpus/$name"); fi
    options=()
    if [ -f "$name.dict" ]; then options=("-dict=$name.dict"); fi
    echo "== fuzz_$name, $seconds s"
    if "$build/tests/fuzz/fuzz_$name" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 "${options[@]}" "-artifact_prefix=$found/" "$found/inputs" \
        "${corpus[@]}" >"$found/log" 2>&1; then
        sed -n 's/^stat::number_of_executed_units: */   inputs tried: /p' "$found/log"
        passed=$((passed + 1))
    else
        tail -n 40 "$found/log"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
