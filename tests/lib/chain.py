"""An independent reader of PRA's chained logs, from the description in common/README.md."""

import hashlib
import os
import re

LINE = re.compile(r"^(?P<text>.*) #(?P<n>\d+) (?P<hash>[0-9a-f]{32})$")
START = re.compile(r" info log-start lines=(?P<n>\d+) chain=(?P<chain>[0-9a-f]{64})$")


def files(folder, name):
    """A log's files, oldest first."""
    rotated = [f for f in os.listdir(folder) if re.fullmatch(re.escape(name) + r"\.\d+", f)]
    rotated.sort(key=lambda f: -int(f.rpartition(".")[2]))
    return [os.path.join(folder, f) for f in [*rotated, name]]


def verify(folder, name):
    """Number of lines and hash of the head; AssertionError names the file and line that do not fit."""
    head = None
    for path in files(folder, name):
        with open(path, encoding="utf-8", newline="\n") as f:
            lines = f.read().split("\n")
        assert lines.pop() == "", f"{path}: the last line has no newline"
        for number, line in enumerate(lines, 1):
            match = LINE.match(line)
            assert match, f"{path}:{number}: no chain at the end: {line!r}"
            if number == 1:
                start = START.search(match["text"])
                assert start, f"{path}:1: does not begin a log: {line!r}"
                told = int(start["n"]), bytes.fromhex(start["chain"])
                assert head is None or head == told, f"{path}: does not carry on the file before it"
                head = told
            digest = hashlib.sha256(head[1] + match["text"].encode()).digest()
            assert int(match["n"]) == head[0] + 1, f"{path}:{number}: line {match['n']} after {head[0]}"
            assert digest.hex()[:32] == match["hash"], f"{path}:{number}: the chain is broken"
            head = head[0] + 1, digest
    return head
