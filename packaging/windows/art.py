#!/usr/bin/python3
"""Draws what programs and installers show: the icon's shape (packaging/desktop/pra-tray.svg) as ICO and BMP.

    art.py FOLDER      writes pra.ico, side.bmp, banner.bmp, welcome.bmp, header.bmp

Plain shapes on a plain ground, so that no image editor's work has to be kept in the tree.
"""

import math
import struct
import sys
from pathlib import Path

BLUE = (0x35, 0x85, 0xE4)
DEEP = (0x1C, 0x4F, 0x94)
WHITE = (255, 255, 255)
SAMPLES = 4  # a pixel is asked at 4 x 4 places


def near_line(x, y, ax, ay, bx, by, width):
    """True within width/2 of the line from a to b, with round ends."""
    dx, dy = bx - ax, by - ay
    t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
    return math.hypot(x - ax - t * dx, y - ay - t * dy) <= width / 2


def in_square(x, y):
    cx, cy = min(max(x, 17), 47), min(max(y, 17), 47)
    return math.hypot(x - cx, y - cy) <= 14


def in_sign(x, y):
    return (math.hypot(x - 17, y - 32) <= 7 or near_line(x, y, 24, 32, 44, 32, 6)
            or near_line(x, y, 38, 21, 50, 32, 6) or near_line(x, y, 50, 32, 38, 43, 6))


def coverage(shape, size):
    """Rows of how much of each pixel `shape` (drawn on 64 x 64) covers, 0 to 1."""
    step = 64 / (size * SAMPLES)
    return [[sum(shape((px * SAMPLES + i + .5) * step, (py * SAMPLES + j + .5) * step)
                 for i in range(SAMPLES) for j in range(SAMPLES)) / SAMPLES ** 2
             for px in range(size)] for py in range(size)]


def mix(a, b, share):
    return tuple(round(p + (q - p) * share) for p, q in zip(a, b))


class Logo:
    def __init__(self, size):
        self.size = size
        self.square, self.sign = coverage(in_square, size), coverage(in_sign, size)

    def over(self, rows, left, top, square, sign):
        for y in range(self.size):
            for x in range(self.size):
                below = rows[top + y][left + x]
                colour = mix(below, square, self.square[y][x])
                rows[top + y][left + x] = mix(colour, sign, self.sign[y][x])

    def ico_image(self):
        """A 32-bit image of an icon file: bottom up, BGRA, then a mask of zeros."""
        n = self.size
        pixels = bytearray()
        for y in reversed(range(n)):
            for x in range(n):
                r, g, b = mix(BLUE, WHITE, self.sign[y][x])
                pixels += bytes((b, g, r, round(255 * self.square[y][x])))
        mask = bytes(((n + 31) // 32 * 4) * n)
        return struct.pack("<IiiHHIIiiII", 40, n, 2 * n, 1, 32, 0, len(pixels), 0, 0, 0, 0) \
            + pixels + mask


def ico(sizes):
    images = [Logo(n).ico_image() for n in sizes]
    out, at = struct.pack("<HHH", 0, 1, len(sizes)), 6 + 16 * len(sizes)
    for n, image in zip(sizes, images):
        out += struct.pack("<BBBBHHII", n % 256, n % 256, 0, 0, 1, 32, len(image), at)
        at += len(image)
    return out + b"".join(images)


def bmp(rows):
    width, height = len(rows[0]), len(rows)
    pad = bytes(-width * 3 % 4)
    pixels = b"".join(bytes(v for r, g, b in row for v in (b, g, r)) + pad
                      for row in reversed(rows))
    return (struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
            + pixels)


def ground(width, height, colour):
    return [[colour] * width for _ in range(height)]


def side(width, height, panel):
    """White, with a panel at the left that gets darker downwards and carries the sign."""
    rows = ground(width, height, WHITE)
    for y in range(height):
        rows[y][:panel] = [mix(BLUE, DEEP, y / height)] * panel
    size = panel * 5 // 10
    Logo(size).over(rows, (panel - size) // 2, height // 8, WHITE, BLUE)
    return rows


def banner(width, height, size):
    rows = ground(width, height, WHITE)
    rows[-2:] = [[BLUE] * width, [BLUE] * width]
    Logo(size).over(rows, width - size - 12, (height - 2 - size) // 2, BLUE, WHITE)
    return rows


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in {
        "pra.ico": ico((16, 20, 24, 32, 40, 48, 64, 128, 256)),
        "side.bmp": bmp(side(493, 312, 164)),      # MSI: the whole ground of the first page
        "banner.bmp": bmp(banner(493, 58, 40)),    # MSI: the head of the others
        "welcome.bmp": bmp(side(164, 314, 164)),   # NSIS
        "header.bmp": bmp(banner(150, 57, 40)),    # NSIS
    }.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
