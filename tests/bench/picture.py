"""Draws how many times better than OpenSSH PRA does, as an SVG that reads in light and dark.

Bars are on a logarithmic scale; the line at 1 is OpenSSH, bars to its left are worse.
"""
import math
from html import escape

import report

# (label, row, figure); what is better when it is lower is turned round.
BARS = [
    ("upload", "up, 1 stream", "MB/s"),
    ("download", "down, 1 stream", "MB/s"),
    ("upload, 4 streams", "up, 4 streams", "MB/s"),
    ("download, 4 streams", "down, 4 streams", "MB/s"),
    ("CPU per GiB, upload", "up, 1 stream", "cpu s/GiB"),
    ("CPU per GiB, download", "down, 1 stream", "cpu s/GiB"),
    ("upload, 100 ms away", "up, 1 stream, 100 ms", "MB/s"),
    ("download, 100 ms away", "down, 1 stream, 100 ms", "MB/s"),
    ("1-byte round trip, p50", "1-byte round trip", "p50 us"),
    ("new connection, p50", "new connection", "p50 us"),
    ("logins per second", "login", "logins/s"),
    ("gateway CPU per login", "login", "cpu ms per login"),
    ("gateway memory per idle client", "idle client", "PSS KiB"),
]
LEFT, SCALE, ROW, TOP, RIGHT = 220, 190, 26, 46, 70  # SCALE: pixels per factor of ten
LEAST, MOST = 0.5, 100

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .axis { fill: #59636e; font-size: 11px }
.bar { fill: #1a7f64 } .worse { fill: #bc4c00 } .line { stroke: #59636e; stroke-width: 1 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .axis { fill: #9198a1 } .bar { fill: #3fb68b } .worse { fill: #f0883e }
  .line { stroke: #9198a1 } .grid { stroke: #3d444d }
}"""


def _x(value):
    return LEFT + SCALE * (math.log10(min(MOST, max(LEAST, value))) - math.log10(LEAST))


def factors(figures):
    """[(label, how many times better than OpenSSH)] of what was measured."""
    found = []
    for label, title, figure in BARS:
        r = report.ratio(figures.get(title, {}).get(figure, {}), "openssh")
        if r:
            found.append((label, r if figure in report.HIGHER_IS_BETTER else 1 / r))
    return found


def draw(figures, versions):
    bars = factors(figures)
    width, bottom = int(_x(MOST)) + RIGHT, TOP + ROW * len(bars)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 34}" role="img" '
           f'aria-label="PRA compared with OpenSSH">', f"<style>{STYLE}</style>",
           '<text class="title" x="8" y="20">PRA beside OpenSSH on one machine: times better (log scale)</text>']
    for mark in (1, 3, 10, 30, 100):
        kind = "line" if mark == 1 else "grid"
        out.append(f'<line class="{kind}" x1="{_x(mark):.1f}" y1="{TOP - 8}" x2="{_x(mark):.1f}" y2="{bottom}"/>'
                   f'<text class="axis" x="{_x(mark):.1f}" y="{TOP - 12}" text-anchor="middle">{mark} x</text>')
    for i, (label, value) in enumerate(bars):
        y, a, b = TOP + ROW * i, min(_x(1), _x(value)), max(_x(1), _x(value))
        out.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(label)}</text>'
                   f'<rect class="{"bar" if value >= 1 else "worse"}" x="{a:.1f}" y="{y + 4}" rx="2" '
                   f'width="{max(1.5, b - a):.1f}" height="16"/>'
                   f'<text x="{b + 6:.1f}" y="{y + 16}">{value:.3g} x</text>')
    out.append(f'<text class="axis" x="8" y="{bottom + 22}">{escape(versions)}</text></svg>')
    return "\n".join(out) + "\n"
