"""Points, a teacher's answers and fitted lines, as a still picture."""

from collections.abc import Callable, Mapping, Sequence

from kdlab.widgets import _stills as stills

WIDTH, HEIGHT = 640, 444
LEFT, TOP, WIDE, HIGH = 40, 50, 580, 330
#: Each line's colour, dashes and name.
LINES = {
    "truth": ("#1f1f1f", "7 4", "true line"),
    "without": (stills.LABELS, "2 3", "without teacher"),
    "with": (stills.STUDENT, "", "with teacher"),
    "slide": (stills.CONTROL, "10 3 2 3", "slide's weights"),
}
SIGNS = (
    (stills.LABELS, "circle: label"),
    (stills.TEACHER, "square: teacher's answer"),
    (stills.STUDENT, "diamond: y\u2033"),
)


def draw(
    points: Sequence[Sequence[float]],
    teacher: Sequence[float],
    known: Sequence[bool],
    responses: Sequence[float],
    lines: Mapping[str, Sequence[float]],
) -> str:
    """Return the SVG elements; teacher's answers only where they are known."""
    most_x = 1.1 * max(1e-6, *(abs(x) for x, _ in points))
    heard = [s for s, on in zip(teacher, known, strict=True) if on]
    most_y = 1.1 * max(1e-6, *(abs(y) for _, y in points), *map(abs, heard), 1e-6)

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + WIDE * (1 + x / most_x) / 2, TOP + HIGH * (1 - y / most_y) / 2

    frame = f'x="{LEFT}" y="{TOP}" width="{WIDE}" height="{HIGH}"'
    parts = [f'<rect {frame} fill="none" stroke="#d0d0d0"/>', _axes(most_x, most_y)]
    parts += [_line(place, line, most_x, most_y, *LINES[name][:2]) for name, line in lines.items()]
    for point, s, on, response in zip(points, teacher, known, responses, strict=True):
        parts.append(_example(place, point, s, on, response))
    return "".join(parts) + _legend(lines)


def _axes(most_x: float, most_y: float) -> str:
    ink = ' fill="#555555"'
    ends = [stills.words(LEFT, TOP + HIGH + 15, f"{-most_x:.3g}", extra=ink)]
    end = stills.words(LEFT + WIDE, TOP + HIGH + 15, f"x = {most_x:.3g}", anchor="end", extra=ink)
    low = stills.words(LEFT - 5, TOP + HIGH, f"{-most_y:.2g}", anchor="end", extra=ink)
    return "".join([*ends, end, low]) + stills.words(
        LEFT - 5, TOP + 10, f"{most_y:.2g}", anchor="end", extra=ink
    )


def _line(
    place: Callable, line: Sequence[float], most_x: float, most_y: float, colour: str, dashes: str
) -> str:
    constant, slope = line
    ends = [-most_x, most_x]
    if slope:
        # Only the part inside the frame.
        cuts = sorted((side * most_y - constant) / slope for side in (-1, 1))
        ends = [max(ends[0], cuts[0]), min(ends[1], cuts[1])]
    elif abs(constant) > most_y:
        return ""
    if ends[0] >= ends[1]:
        return ""
    (x1, y1), (x2, y2) = (place(x, constant + slope * x) for x in ends)
    where = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {where} stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'


def _example(
    place: Callable, point: Sequence[float], answer: float, known: bool, response: float
) -> str:
    x, y = place(*point)
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{stills.LABELS}"/>'
    if not known:
        return dot
    (_, high), (_, mean) = place(point[0], answer), place(point[0], response)
    stem = f'<path d="M{x:.1f} {y:.1f}V{high:.1f}" stroke="{stills.TEACHER}"/>'
    box = f'x="{x - 5:.1f}" y="{high - 5:.1f}" width="10" height="10" fill="{stills.TEACHER}"'
    shape = f"M{x:.1f} {mean - 8:.1f}l8 8l-8 8l-8 -8z"
    ink = f'fill="none" stroke="{stills.STUDENT}" stroke-width="2"'
    return f'{stem}{dot}<rect {box}/><path d="{shape}" {ink}/>'


def _legend(lines: Mapping[str, Sequence[float]]) -> str:
    parts = []
    for column, name in enumerate(lines):
        colour, dashes, told = LINES[name]
        x, y = LEFT + 148 * column, TOP + HIGH + 36
        shape = f'd="M{x} {y - 4}h28" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<path {shape} stroke="{colour}"/>' + stills.words(x + 33, y, told))
    for column, (colour, told) in enumerate(SIGNS):
        ink = f' fill="{colour}"'
        parts.append(stills.words(LEFT + 190 * column, TOP + HIGH + 56, told, extra=ink))
    return "".join(parts)
