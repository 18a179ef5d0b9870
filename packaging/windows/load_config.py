#!/usr/bin/python3
"""Enters load_config.c's structure in a program's header, which GNU ld (2.40) cannot: load_config.py PROGRAM.exe"""

import struct
import sys

LOAD_CONFIG = 10  # the entry of the data directories
SECTION = b".ldcfg\0\0"
PE32_PLUS = 0x20b


def headers(data):
    """(offset of the data directories, [(name, address, offset in the file)] of the sections)."""
    pe, = struct.unpack_from("<I", data, 0x3c)
    assert data[pe:pe + 4] == b"PE\0\0", "no program of Windows"
    count, = struct.unpack_from("<H", data, pe + 6)
    optional_size, = struct.unpack_from("<H", data, pe + 20)
    optional = pe + 24
    assert struct.unpack_from("<H", data, optional)[0] == PE32_PLUS, "not for 64 bits"
    sections = []
    for at in range(optional + optional_size, optional + optional_size + 40 * count, 40):
        address, _, offset = struct.unpack_from("<III", data, at + 12)
        sections.append((bytes(data[at:at + 8]), address, offset))
    return optional + 112, sections


def main(path):
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        directories, sections = headers(data)
        (address, offset), = [(a, o) for name, a, o in sections if name == SECTION]
        size, = struct.unpack_from("<I", data, offset)
        struct.pack_into("<II", data, directories + 8 * LOAD_CONFIG, address, size)
        f.seek(0)
        f.write(data)


if __name__ == "__main__":
    main(sys.argv[1])
