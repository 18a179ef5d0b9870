"""A PC whose clock is wrong: an environment that shifts one program's wall clock."""

import os

from lib.procs import run


def jumping(folder):
    """Environment entries for a program whose clock can be set while it runs, and set(seconds), which does it."""
    path = os.path.join(folder, "clock")

    def set_clock(seconds):
        with open(f"{path}.new", "w") as f:
            f.write(str(seconds))
        os.rename(f"{path}.new", path)

    set_clock(0)
    return {**shifted(folder, 0), "CLOCK_SHIFT_FILE": path}, set_clock


def shifted(folder, seconds):
    """Environment entries for a program whose clock is `seconds` ahead (negative: behind)."""
    library = os.path.join(folder, "clockshift.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clockshift.c")
    run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source,
         "-ldl"]).ok()
    # A sanitizer's runtime wants to be first; it works behind this library as well.
    asan = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": library, "CLOCK_SHIFT": str(seconds),
            "ASAN_OPTIONS": f"{asan}:verify_asan_link_order=0"}
