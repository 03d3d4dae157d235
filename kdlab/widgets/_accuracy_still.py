"""Curves of test accuracies as a still picture."""

from collections.abc import Sequence
from statistics import mean

from kdlab.widgets import _stills as stills
from kdlab.widgets._error_still import Line, legend, line, marks, top_of

LEFT, TOP, WIDTH, HEIGHT = 56, 40, 420, 170
BAND = 'fill-opacity="0.15"'


def draw(
    curves: dict,
    lines: Sequence[Line],
    *,
    shortest: int = 500,
    unit: str = "steps",
    control: Line | None = None,
) -> str:
    """Return the SVG elements of `LiveTraining.curves`: accuracies over steps.

    Args:
        curves: With accuracies in [0, 1] under each line's name.
        lines: How each is drawn.
        shortest: The axis of steps goes at least so far.
        unit: What stands below it.
        control: How the control's mean is drawn, a band around it from its least accuracy to
            its largest; its name in the curves has a list with one accuracy a set.
    """
    if not curves["steps"]:
        return stills.words(20, 30, "Nothing is trained yet: press start.")
    end = top_of(curves["steps"][-1], shortest)
    parts = [_grid(curves, end, unit)]
    if control and curves[control.name]:
        parts.append(_band(curves[control.name], control))
    for one in lines:
        pairs = zip(curves["steps"], curves[one.name], strict=True)
        points = " ".join(f"{_x(step, end):.1f},{_y(share):.1f}" for step, share in pairs)
        style = f'stroke="{one.colour}" stroke-width="2" stroke-dasharray="{one.dashes}"'
        parts.append(f'<polyline points="{points}" fill="none" {style}/>')
    return "".join(parts) + legend(_entries(curves, lines, control), LEFT + WIDTH + 14, TOP + 16)


def height_of(curves: dict) -> float:
    """Return how much room `draw` takes: a line before anything is trained."""
    return TOP + HEIGHT + 45 if curves["steps"] else 50


def _x(step: float, end: int) -> float:
    return LEFT + WIDTH * step / end


def _y(share: float) -> float:
    return TOP + HEIGHT * (1 - share)


def _grid(curves: dict, end: int, unit: str) -> str:
    bottom = TOP + HEIGHT
    parts = [stills.words(LEFT, 22, f"Accuracy on {curves['examples']:,} test images")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(line(LEFT, _y(share), LEFT + WIDTH, _y(share), "#dddddd"))
        parts.append(stills.words(LEFT - 6, _y(share) + 4, f"{share:.0%}", anchor="end"))
    for step in (0, end // 2, end):
        parts.append(stills.words(_x(step, end), bottom + 18, f"{step:,}", anchor="middle"))
    parts.append(stills.words(LEFT + WIDTH, bottom + 34, unit, anchor="end"))
    place = {"x": lambda step: _x(step, end), "top": TOP, "height": HEIGHT}
    return "".join(parts + marks(curves["marks"], **place, low=True))


def _band(accuracies: list[float], control: Line) -> str:
    high, low, middle = _y(max(accuracies)), _y(min(accuracies)), _y(mean(accuracies))
    place = f'x="{LEFT}" y="{high:.1f}" width="{WIDTH}" height="{low - high:.1f}"'
    drawn = f'<rect {place} fill="{control.colour}" {BAND}/>'
    return drawn + line(LEFT, middle, LEFT + WIDTH, middle, control.colour, control.dashes)


def _entries(curves: dict, lines: Sequence[Line], control: Line | None) -> list[tuple[Line, str]]:
    entries = [(one, f"{curves[one.name][-1]:.1%}") for one in lines]
    if control and curves[control.name]:
        entries.append((control, f"{mean(curves[control.name]):.1%}"))
    return entries
