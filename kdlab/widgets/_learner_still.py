"""Learners who teach each other, as a still picture: who hears whom, and how strongly."""

import math
from collections.abc import Sequence

from kdlab.widgets import _stills as stills
from kdlab.widgets._error_still import Line
from kdlab.widgets._weights import Table

CENTRE, RADIUS, DISC, BEND = (120, 110), 78, 17, 26
Place = tuple[float, float]
#: Colour and dashes of each learner's curve; its disc has the same colour.
STYLES = ((stills.STUDENT, ""), ("#CC79A7", "8 3 2 3"), ("#56B4E9", "6 4"), ("#1f1f1f", "2 3"))
WIDEST = 8
#: Where white reads better than black.
DARK = (stills.TEACHER, "#1f1f1f")


def lines_of(letters: Sequence[str]) -> list[Line]:
    """Return how each learner's curve is drawn."""
    pairs = zip(letters, STYLES, strict=False)
    return [Line(letter, f"learner {letter}", *style) for letter, style in pairs]


def draw(heard: Sequence[str], weights: Table, *, top: float) -> str:
    """Return the SVG elements of the graph, with a list of its weights."""
    places = _places(len(heard))
    colours = [
        stills.TEACHER if name == "teacher" else STYLES[i][0] for i, name in enumerate(heard)
    ]
    parts = []
    for k, row in enumerate(weights):
        for j, weight in enumerate(row):
            if weight > 0:
                parts.append(_arrow(places[j], places[k], weight, colours[j]))
    parts += [_node(*node) for node in zip(places, heard, colours, strict=True)]
    graph = f'<g transform="translate(0 {top:g})">{"".join(parts)}</g>'
    return graph + _list(heard, weights, top)


def _node(place: Place, name: str, colour: str) -> str:
    x, y = (round(value, 1) for value in place)
    if name == "teacher":
        shape = f'<rect x="{x - 26:.1f}" y="{y - 14:.1f}" width="52" height="28" fill="{colour}"/>'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="{DISC}" fill="{colour}"/>'
    ink = ' fill="#ffffff"' if colour in DARK else ""
    return shape + stills.words(x, round(y + 4, 1), name, anchor="middle", extra=ink)


def _places(count: int) -> list[Place]:
    # The first one upper left, so that two lie side by side.
    start = math.pi if count == 2 else -math.pi / 2 - (count == 4) * math.pi / 4
    angles = [start + 2 * math.pi * i / count for i in range(count)]
    return [(CENTRE[0] + RADIUS * math.cos(a), CENTRE[1] + RADIUS * math.sin(a)) for a in angles]


def _arrow(start: Place, end: Place, weight: float, colour: str) -> str:
    (x, y), (a, b) = start, end
    length = math.hypot(a - x, b - y)
    # Both directions of a pair are bent to their right, so that they don't lie on each other.
    turn = (x + a) / 2 - BEND * (b - y) / length, (y + b) / 2 + BEND * (a - x) / length
    width = WIDEST * weight
    stop, tip = _toward(end, turn, DISC + 10), _toward(end, turn, DISC + 2)
    first, middle, last = (f"{p:.1f} {q:.1f}" for p, q in (start, turn, stop))
    style = f'fill="none" stroke="{colour}" stroke-width="{max(1.0, width):.2f}"'
    return f'<path d="M{first}Q{middle} {last}" {style}/>' + _head(stop, tip, width, colour)


def _toward(place: Place, goal: Place, gap: float) -> Place:
    far = math.hypot(goal[0] - place[0], goal[1] - place[1])
    x, y = (at + gap * (to - at) / far for at, to in zip(place, goal, strict=True))
    return x, y


def _head(stop: Place, tip: Place, width: float, colour: str) -> str:
    length, half = math.hypot(tip[0] - stop[0], tip[1] - stop[1]), 4 + width / 2
    across = half * (tip[1] - stop[1]) / length, half * (tip[0] - stop[0]) / length
    sides = [(stop[0] - s * across[0], stop[1] + s * across[1]) for s in (1, -1)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (tip, *sides))
    return f'<polygon points="{points}" fill="{colour}"/>'


def _list(heard: Sequence[str], weights: Table, top: float) -> str:
    parts = []
    for k, row in enumerate(weights):
        told = [f"{heard[j]} {weight:.2f}" for j, weight in enumerate(row) if j != k]
        text = f"{heard[k]} hears " + ", ".join([*told, f"labels {1 - sum(row):.2f}"])
        parts.append(stills.words(250, top + 60 + 24 * k, text))
    return "".join(parts)
