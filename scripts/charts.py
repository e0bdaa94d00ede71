"""Charts as SVG text, for results that show themselves in Windmill.

Lines and texts take the colour of the page's text, so that they can be read on light
and dark pages alike.
"""

from __future__ import annotations

import math
import re
from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 70, 16, 34, 40
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2")


def bars(title: str, values: Sequence[tuple[str, float]], unit: str = "") -> str:
    """Return a bar chart of [(label, number)], labels thinned out to what fits."""
    most = _top(max([value for _, value in values] or [0]))
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    parts = []
    wide = 7 * max([len(label) for label, _ in values] or [0])
    every = -(-len(values) * max(wide, 60) // (WIDTH - LEFT - RIGHT)) or 1
    for number, (label, value) in enumerate(values):
        height = (HEIGHT - TOP - BOTTOM) * max(value, 0) / most
        x, y = LEFT + number * step, HEIGHT - BOTTOM - height
        parts.append(
            f'<rect x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" '
            f'height="{height:.1f}" fill="{COLOURS[0]}">'
            f"<title>{xml(label)}: {_number_text(value)} {xml(unit)}</title></rect>"
        )
        if number % every == 0 and x + step / 2 + len(label) * 3.5 < WIDTH:
            parts.append(_text(x + step / 2, HEIGHT - BOTTOM + 16, label, "middle"))
    return _svg(title, unit, 0, most, parts)


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    unit: str = "",
    across: str = "",
) -> str:
    """Return a line chart of {name: [(x, y)]}, a colour for each, with a legend."""
    points = [point for line in series.values() for point in line]
    xs, ys = [x for x, _ in points] or [0], [y for _, y in points] or [0]
    left, width = min(xs), (max(xs) - min(xs)) or 1
    least, most = min(0, *ys), max(ys)
    most = _top(most) if least == 0 else most
    most = most if most > least else least + 1
    parts = [_text(WIDTH - RIGHT, HEIGHT - 8, across, "end")]
    for mark in range(5):
        x = LEFT + (WIDTH - LEFT - RIGHT) * mark / 4
        value = f"{left + width * mark / 4:.4g}"
        parts.append(_text(x, HEIGHT - BOTTOM + 16, value, "middle"))
    # Divided before it is multiplied: the inverse of a tiny span is infinite.
    across_by, up_by = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(
            f"{LEFT + (x - left) / width * across_by:.1f},"
            f"{HEIGHT - BOTTOM - (y - least) / (most - least) * up_by:.1f}"
            for x, y in line
        )
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" '
            f'stroke-width="2"/>'
        )
        place = LEFT + 10 + number * 150
        parts.append(
            f'<rect x="{place}" y="{HEIGHT - 15}" width="10" height="10" '
            f'fill="{colour}"/>'
        )
        parts.append(_text(place + 15, HEIGHT - 6, name, "start"))
    return _svg(title, unit, least, most, parts)


def _svg(title: str, unit: str, least: float, most: float, parts: list[str]) -> str:
    frame = [_text(LEFT, 18, title, "start", 14)]
    for mark in range(5):
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * mark / 4
        value = f"{_number_text(least + (most - least) * mark / 4, 3)} {unit}".strip()
        frame.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="currentColor" stroke-opacity="0.2"/>'
        )
        frame.append(_text(LEFT - 6, y + 4, value, "end"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">'
        f"{''.join(frame)}{''.join(parts)}</svg>"
    )


def _top(most: float) -> float:
    """Return the least number from `most` on whose quarters are round, or `most`."""
    if not 1e-10 < most < 1e15:
        return most if most > 0 else 1
    size = 10.0 ** math.floor(math.log10(most / 4))
    tops = (4 * size * step for step in (1, 2, 2.5, 5, 10))
    return next((top for top in tops if top >= most), most)


def _number_text(value: float, digits: int = 6) -> str:
    """Return a number as people write it: without an exponent, as far as that has so
    many places that count."""
    if not 1e-10 < abs(value) < 1e15:
        return f"{value:.{digits}g}"
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:.{min(places, 15)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(x: float, y: float, text: str, anchor: str, size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="currentColor" '
        f'text-anchor="{anchor}">{xml(text)}</text>'
    )


# What XML cannot hold.
UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: object) -> str:
    """Return a text as SVG has it: ASCII, because Windmill's page takes no other."""
    fit = escape(UNFIT.sub("\ufffd", str(text)))
    return fit.encode("ascii", "xmlcharrefreplace").decode()
