"""Rows of dots over one axis, as a still picture."""

from collections.abc import Sequence

from kdlab.widgets import _stills as stills

WIDTH, HEIGHT = 640, 330
LEFT, WIDE, TOP, STEP = 130, 490, 110, 70
ROWS = (
    ("batch x", stills.LABELS),
    ("normalized", stills.CONTROL),
    ("output y", stills.STUDENT),
)


def draw(rows: Sequence[Sequence[float]]) -> str:
    """Draw numbers before, normalized and after, and a line from each to what becomes of it.

    Args:
        rows: Three lists of numbers; the last two may be empty.
    """
    end = 1.08 * max(1.0, *(abs(value) for row in rows for value in row))
    places = [[LEFT + WIDE * (1 + value / end) / 2 for value in row] for row in rows]
    parts = [_axis(end)]
    for column in zip(*filter(None, places), strict=True):
        steps = " ".join(f"{x:.1f},{TOP + STEP * k}" for k, x in enumerate(column))
        parts.append(f'<polyline points="{steps}" fill="none" stroke="#d0d0d0"/>')
    for k, ((name, colour), row) in enumerate(zip(ROWS, places, strict=True)):
        y = TOP + STEP * k
        parts.append(stills.words(LEFT - 14, y + 4, name, anchor="end"))
        parts += [f'<circle cx="{x:.1f}" cy="{y}" r="6" fill="{colour}"/>' for x in row]
    return "".join(parts)


def _axis(end: float) -> str:
    low = TOP + 2 * STEP + 30
    parts = [f'<path d="M{LEFT} {low}h{WIDE}" stroke="#d0d0d0"/>']
    for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        text = f"{(2 * share - 1) * end:.3g}"
        parts.append(stills.words(LEFT + WIDE * share, low + 18, text, anchor=anchor))
    return "".join(parts)
