"""Histograms of activations as a still picture: a panel a layer and network."""

from collections.abc import Sequence

from kdlab.widgets import _stills as stills
from kdlab.widgets._activations import RANGES
from kdlab.widgets._error_still import SMALL, Line

LEFT, TOP, WIDTH, HEIGHT, ACROSS, DOWN = 100, 50, 160, 56, 180, 90
HEADINGS = {"outputs": "What the sigmoids give", "inputs": "What the sigmoids are handed"}


def draw(activations: dict, kind: str, lines: Sequence[Line]) -> tuple[str, int]:
    """Return SVG elements, a row a network and a column a layer, and how far they reach down."""
    parts = [stills.words(20, 22, HEADINGS[kind])]
    for row, line in enumerate(lines):
        top = TOP + DOWN * row
        parts.append(stills.words(20, top + HEIGHT / 2, line.words))
        for column, shares in enumerate(activations[line.name][kind]):
            left = LEFT + ACROSS * column
            if not row:
                name = f"layer {column + 1}"
                parts.append(stills.words(left + WIDTH / 2, TOP - 8, name, anchor="middle"))
            parts.append(_panel(shares, left, top, line.colour, RANGES[kind]))
    return "".join(parts), TOP + DOWN * len(lines)


def _panel(shares: Sequence[float], left: float, top: float, colour: str, ends: tuple) -> str:
    bottom, width = top + HEIGHT, WIDTH / len(shares)
    # A bin as tall as the panel holds a tenth of all; a fuller one is cut off.
    tall = [HEIGHT * min(1.0, 10 * share) for share in shares]
    bars = "".join(
        f'<rect x="{left + i * width:.1f}" y="{bottom - high:.1f}" width="{width:.2f}" '
        f'height="{high:.1f}"/>'
        for i, high in enumerate(tall)
    )
    frame = f'x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}"'
    drawn = f'<rect {frame} fill="none" stroke="#d0d0d0"/><g fill="{colour}">{bars}</g>'
    places = zip((left, left + WIDTH), ends, ("start", "end"), strict=True)
    for x, end, anchor in places:
        drawn += stills.words(x, bottom + 14, f"{end:g}", anchor=anchor, extra=SMALL)
    return drawn
