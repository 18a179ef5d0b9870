"""A screen nobody looks at: Xvfb, pictures of it, and what is in them."""

import collections
import os
import struct
import zlib

from lib.procs import Process, run, wait_until


class Picture:
    """Pixels of an X window dump (xwd, 24-bit TrueColor, 24 or 32 bits a pixel, least byte first)."""

    def __init__(self, xwd):
        header = struct.unpack(">25I", xwd[:100])
        size, self.width, self.height = header[0], header[4], header[5]
        bits, stride, colours = header[11], header[12], header[19]
        assert bits in (24, 32), f"{bits} bits a pixel"
        self._step = bits // 8
        start = size + colours * 12
        self._rows = [xwd[start + y * stride:start + y * stride + self.width * self._step]
                      for y in range(self.height)]

    def colours(self, x=0, y=0, width=None, height=None):
        """How many pixels of each (red, green, blue), in the whole or in a part."""
        counts = collections.Counter()
        for row in self._rows[y:None if height is None else y + height]:
            part = row[x * self._step:None if width is None else (x + width) * self._step]
            counts.update(zip(part[2::self._step], part[1::self._step], part[0::self._step]))
        return counts

    def save_png(self, path):
        def chunk(kind, data):
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

        lines = bytearray()
        for row in self._rows:
            lines.append(0)
            rgb = bytearray(self.width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = (row[i::self._step] for i in (2, 1, 0))
            lines += rgb
        with open(path, "wb") as f:
            f.write(b"\x89PNG\r\n\x1a\n")
            f.write(chunk(b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)))
            f.write(chunk(b"IDAT", zlib.compress(bytes(lines))))
            f.write(chunk(b"IEND", b""))


class Screen:
    """An Xvfb with a display number of the server's own choice."""

    def __init__(self, folder, width=1024, height=768):
        self._dir = str(folder)
        self._geometry = f"{width}x{height}x24"
        self.display = None
        self.process = None

    def start(self):
        os.makedirs(self._dir, exist_ok=True)
        number = os.path.join(self._dir, "display")
        self.process = Process(
            ["sh", "-c", 'exec 9>"$1"; exec Xvfb -displayfd 9 -screen 0 "$2" -nolisten tcp -noreset', "sh",
             number, self._geometry], os.path.join(self._dir, "xvfb.log"), name="Xvfb")

        def known():
            if not os.path.exists(number):
                return None
            with open(number) as f:
                return f.read().strip()
        self.display = ":" + wait_until(known, 20, "Xvfb to choose a display")
        return self

    def picture(self):
        dump = os.path.join(self._dir, "screen.xwd")
        # It fails when a window goes while it looks.
        wait_until(lambda: run(["xwd", "-root", "-silent", "-display", self.display, "-out", dump]).status == 0, 10,
                   "a picture of the screen")
        with open(dump, "rb") as f:
            return Picture(f.read())

    def stop(self):
        if self.process:
            self.process.stop()
