"""Two triangles of three probabilities, shaded, as a still picture."""

import math
from collections.abc import Callable, Mapping, Sequence

from kdlab.widgets import _stills as stills

SIDE, LEFT, GAP, TOP = 260, 30, 340, 94
WIDTH, HEIGHT = 700, 374
#: Rows of small triangles in each large one, and how many shades there are.
ROWS, SHADES = 15, 12
HIGH = SIDE * math.sqrt(0.75)
DEEPEST = 0.8
NAMES = {"mean": "+ mean of s", "mode": "\u00d7 likeliest s", "best": "\u25c7 the density's best g"}
SHAPES = {"mean": "M-6 0H6M0 -6V6", "mode": "M-5 -5L5 5M-5 5L5 -5", "best": "M0 -7L7 0L0 7L-7 0Z"}


def draw(
    student: Sequence[float],
    teacher: Sequence[float],
    names: Sequence[str],
    marks: Mapping[str, Sequence[float]],
) -> str:
    """Return the SVG elements: density of s on the left, cross-entropy of g on the right."""
    logs = [math.log(share) for share in student]
    least = _cross(teacher, teacher)
    depths: tuple[Callable, Callable] = (
        lambda s: math.exp(_dot(s, logs) - max(logs)),
        lambda g: math.exp(least - _cross(teacher, g)),
    )
    told = ("Density of s, given g", "Cross-entropy of g, given s")
    colours, shown = (stills.TEACHER, stills.STUDENT), (("mode", "mean"), ("best",))
    parts = []
    for side, depth in enumerate(depths):
        inner = _cells(depth, colours[side]) + _frame(told[side], names)
        inner += _points(student, teacher) + _marks(marks, shown[side])
        parts.append(f'<g transform="translate({LEFT + GAP * side} {TOP})">{inner}</g>')
    return "".join(parts)


def _place(shares: Sequence[float]) -> tuple[float, float]:
    first, _, third = shares
    return SIDE * (third + first / 2), HIGH * (1 - first)


def _cells(depth: Callable[[Sequence[float]], float], colour: str) -> str:
    """Shade small triangles by the depth at their centres, one path a shade."""
    paths: dict[int, list[str]] = {}
    step, high = SIDE / ROWS, HIGH / ROWS
    for first, third, way in _corners():
        # An upright one stands on its left corner, the other hangs from it.
        a, c = (first + way / 3) / ROWS, (third + (2 - (way + 1) / 2) / 3) / ROWS
        x, y = _place([first / ROWS, 0, third / ROWS])
        cell = f"M{x:.1f} {y:.1f}h{step:.1f}l{-step / 2:.1f} {-way * high:.1f}z"
        paths.setdefault(round(SHADES * depth([a, 1 - a - c, c])), []).append(cell)
    shades = {shade: _mix(colour, DEEPEST * shade / SHADES) for shade in paths}
    # A line of the same colour: without it a net of pale seams would show.
    return "".join(
        f'<path d="{"".join(paths[shade])}" fill="{ink}" stroke="{ink}" stroke-width="0.6"/>'
        for shade, ink in sorted(shades.items())
    )


def _mix(colour: str, share: float) -> str:
    """Return so much of a colour on white, the card's."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{round(255 + share * (part - 255)):02x}" for part in parts)


def _corners() -> list[tuple[int, int, int]]:
    """Return first and third coordinate of each left corner; 1 stands upright, -1 hangs."""
    upright = [(ROWS - row - 1, third, 1) for row in range(ROWS) for third in range(row + 1)]
    hanging = [(ROWS - row, third, -1) for row in range(ROWS) for third in range(row)]
    return upright + hanging


def _frame(told: str, names: Sequence[str]) -> str:
    corners = f"M{SIDE / 2} 0L0 {HIGH:.1f}H{SIDE}Z"
    short = [name if len(name) <= 18 else name[:17] + "\u2026" for name in names]
    return (
        stills.words(-20, -28, told, extra=' font-weight="bold"')
        + f'<path d="{corners}" fill="none" stroke="#555555"/>'
        + stills.words(SIDE / 2, -10, short[0], anchor="middle")
        + stills.words(-20, HIGH + 18, short[1])
        + stills.words(SIDE + 20, HIGH + 18, short[2], anchor="end")
    )


def _points(student: Sequence[float], teacher: Sequence[float]) -> str:
    parts = []
    for letter, shares, colour in (("s", teacher, stills.TEACHER), ("g", student, stills.STUDENT)):
        x, y = _place(shares)
        # The teacher's is a square, the student's round.
        box = f'x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16"'
        round_off = f'rx="{0 if letter == "s" else 8}"'
        parts.append(f'<rect {box} {round_off} fill="{colour}" stroke="#ffffff"/>')
        ink = ' font-size="11" font-weight="bold" fill="#ffffff"'
        parts.append(
            stills.words(round(x, 1), round(y + 3.5, 1), letter, anchor="middle", extra=ink)
        )
    return "".join(parts)


def _marks(marks: Mapping[str, Sequence[float]], shown: Sequence[str]) -> str:
    parts, drawn = [], [name for name in shown if name in marks]
    for name in drawn:
        x, y = _place(marks[name])
        for ink, width in (("#ffffff", 5), ("#1f1f1f", 2)):
            stroke = f'fill="none" stroke="{ink}" stroke-width="{width}"'
            move = f'transform="translate({x:.1f} {y:.1f})"'
            parts.append(f'<path d="{SHAPES[name]}" {move} {stroke}/>')
    told = ", ".join(NAMES[name] for name in drawn)
    parts.append(stills.words(-20, HIGH + 38, told, extra=' fill="#555555"'))
    return "".join(parts)


def _dot(some: Sequence[float], others: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(some, others, strict=True))


def _cross(teacher: Sequence[float], student: Sequence[float]) -> float:
    return -_dot(teacher, [math.log(share) for share in student])
