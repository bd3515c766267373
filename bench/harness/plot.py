"""The ratios as an SVG: a line for each workload, a dot for each peer, ours at 1."""
import math
from xml.sax.saxutils import escape

from . import report

COLOURS = {
    "ours": "#1a7f37",
    "asio": "#0969da",
    "libuv": "#8250df",
    "tokio": "#bc4c00",
    "go": "#00add8",
    "node": "#6e7781",
    "uvloop": "#d4a72c",
    "python": "#cf222e",
    "cat": "#bf8700",
    "pv": "#953800",
    "epoll": "#24292f",
}
ROW, TOP, LEFT, WIDTH, RIGHT = 22, 64, 250, 620, 24


def position(times, low, high):
    return LEFT + WIDTH * (math.log10(times) - low) / (high - low)


def drawn_ratios(row):
    """Those that a logarithmic axis has a place for."""
    return {name: times for name, times in report.ratios(row).items() if times > 0}


def svg(results):
    rows = [row for row in results["rows"] if report.ratios(row)]
    all_ratios = [times for row in rows for times in drawn_ratios(row).values()]
    low = math.floor(math.log10(min(all_ratios, default=1)) * 2) / 2
    high = math.ceil(math.log10(max(all_ratios, default=10)) * 2) / 2
    low, high = min(low, -0.15), max(high, 1)
    height = TOP + ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{LEFT + WIDTH + RIGHT}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="20" font-size="14" font-weight="bold">Cost of one operation; ours = 1, less is better'
        '</text>',
    ]
    parts += legend(results) + axis(low, high, height) + [dots(row, index, low, high) for index, row in enumerate(rows)]
    return "\n".join([*parts, "</svg>", ""])


def legend(results):
    parts, x = [], 16
    for name in report.order_of(results):
        title = results["peers"][name]["title"]
        parts.append(f'<circle cx="{x}" cy="38" r="5" fill="{COLOURS[name]}"/><text x="{x + 9}" y="42">{escape(title)}</text>')
        x += 24 + 7 * len(title)
    return parts


def axis(low, high, height):
    parts = []
    for power in range(math.ceil(low), math.floor(high) + 1):
        for step in (1, 3):
            times = step * 10.0**power
            if not low <= math.log10(times) <= high:
                continue
            x = position(times, low, high)
            stroke = "#24292f" if times == 1 else "#d0d7de"
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 22}" stroke="{stroke}"/>')
            parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{times:g}×</text>')
    return parts


def dots(row, index, low, high):
    y = TOP + ROW * index + 6
    parts = [f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(row["title"])}</text>']
    for name, times in drawn_ratios(row).items():
        what = f'{name}: {report.number(row["peers"][name]["median"])} {row["unit"]}'
        parts.append(f'<circle cx="{position(times, low, high):.1f}" cy="{y}" r="5" fill="{COLOURS[name]}" '
                     f'fill-opacity="0.85"><title>{escape(what)}</title></circle>')
    return "".join(parts)
