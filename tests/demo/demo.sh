#!/usr/bin/env bash
# What `make demo` shows; see demo.py. Programs are taken from $PRA_BUILD, or from ../../build.
set -euo pipefail
exec /usr/bin/python3 -B "$(dirname "$0")/demo.py" "$@"
