#!/usr/bin/python3
"""Turns the files of the page into C: embed.py OUT [NAME=]FILE..."""
import os
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json"}


def main():
    out, files = sys.argv[1], sorted(sys.argv[2:])
    rows, text = [], ["/* Made by server/portal/embed.py. */\n", '#include "server/portal/portal.h"\n\n']
    for i, path in enumerate(files):
        name, _, path = path.rpartition("=")
        name = name or os.path.basename(path)
        with open(path, "rb") as f:
            data = f.read()
        body = ",".join(str(b) for b in data)
        text.append(f"static const unsigned char file_{i}[] = {{{body}}};\n")
        where = "/" if name == "index.html" else "/" + name
        rows.append(f'    {{"{where}", "{TYPES[os.path.splitext(name)[1]]}", file_{i}, sizeof(file_{i})}},\n')
    text += ["\nconst struct asset assets[] = {\n", *rows, "    {NULL, NULL, NULL, 0},\n};\n"]
    with open(out + ".new", "w") as f:
        f.write("".join(text))
    os.rename(out + ".new", out)


if __name__ == "__main__":
    main()
