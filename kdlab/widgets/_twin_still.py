"""The cockpit's curves as a still picture."""

import math
from collections.abc import Callable

from kdlab.widgets import _stills as stills

LEFT, TOP, WIDTH, HEIGHT = 56, 40, 470, 220
SIGNS = {"temperature": "T", "lambda_": "\u03bb", "learning_rate": "rate"}
SMALL = ' font-size="10" fill="#555555"'
LINES = (("labels_only", stills.LABELS, "6 4"), ("distilled", stills.STUDENT, ""))


def draw(curves: dict) -> str:
    """Return the SVG elements of `LiveTraining.curves`: errors on a log axis over steps."""
    if not curves["steps"]:
        return stills.words(20, 150, "Nothing is trained yet: press start.")
    x, y, low = _scales(curves)
    parts = [_grid(curves, x, y, low)]
    for name, colour, dashes in LINES:
        pairs = zip(curves["steps"], curves[name], strict=True)
        points = " ".join(f"{x(step):.1f},{y(errors):.1f}" for step, errors in pairs)
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(f'<polyline points="{points}" {style}/>')
    return "".join(parts) + _legend(curves)


def top_of(steps: int) -> int:
    """Return the end of the axis of steps: the next of 500, 1,000, 2,000, 5,000, ..."""
    ends = (digit * 10**power for power in range(2, 12) for digit in (1, 2, 5))
    return next(end for end in ends if end >= max(steps, 500))


def bottom_of(errors: int, examples: int) -> int:
    """Return the start of the axis of errors: the next lower of 1, 2, 5, 10, 20, ...

    It starts at a fiftieth of the images or lower, so that it rarely changes on the way.
    """
    starts = [digit * 10**power for power in range(12) for digit in (1, 2, 5)]
    return max([start for start in starts if start < min(errors, examples / 49)], default=1)


def _scales(curves: dict) -> tuple[Callable, Callable, int]:
    steps, high = top_of(curves["steps"][-1]), max(curves["examples"], 2)
    least = min(*curves["labels_only"], *curves["distilled"], curves["teacher"])
    low = bottom_of(least, high)

    def x(step: float) -> float:
        return LEFT + WIDTH * step / steps

    def y(errors: float) -> float:
        # No errors at all have no logarithm: they lie on the axis.
        return TOP + HEIGHT * math.log(high / max(errors, low)) / math.log(high / low)

    return x, y, low


def _grid(curves: dict, x: Callable, y: Callable, low: int) -> str:
    end, bottom = top_of(curves["steps"][-1]), TOP + HEIGHT
    parts = [stills.words(LEFT, 22, f"Errors of {curves['examples']:,} test images")]
    for errors in (d * 10**p for p in range(7) for d in (1, 2, 5)):
        if low <= errors <= curves["examples"]:
            parts.append(_line(LEFT, y(errors), LEFT + WIDTH, y(errors), "#dddddd"))
            parts.append(stills.words(LEFT - 6, y(errors) + 4, f"{errors:,}", anchor="end"))
    for step in (0, end // 2, end):
        parts.append(stills.words(x(step), bottom + 18, f"{step:,}", anchor="middle"))
    parts.append(stills.words(LEFT + WIDTH, bottom + 34, "steps", anchor="end"))
    parts += _marks(curves["marks"], x)
    teacher = y(curves["teacher"])
    return "".join(parts) + _line(LEFT, teacher, LEFT + WIDTH, teacher, stills.TEACHER)


def _marks(marks: list[dict], x: Callable) -> list[str]:
    parts = []
    for row, mark in enumerate(marks):
        at, told = x(mark["step"]), f"{SIGNS[mark['name']]} {mark['value']:.2g}"
        parts.append(_line(at, TOP, at, TOP + HEIGHT, "#999999", "2 3"))
        parts.append(stills.words(at + 3, TOP + 10 + 12 * (row % 3), told, extra=SMALL))
    return parts


def _legend(curves: dict) -> str:
    named = (
        ("labels only", stills.LABELS, "6 4", curves["labels_only"][-1]),
        ("distilled", stills.STUDENT, "", curves["distilled"][-1]),
        ("teacher", stills.TEACHER, "", curves["teacher"]),
    )
    parts = []
    for row, (name, colour, dashes, errors) in enumerate(named):
        left, y = LEFT + WIDTH + 14, TOP + 16 + 22 * row
        parts.append(_line(left, y, left + 20, y, colour, dashes))
        parts.append(stills.words(left + 26, y + 4, f"{name}: {errors}"))
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}"/>'
