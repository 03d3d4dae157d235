"""Curves of test errors as a still picture."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from kdlab.widgets import _stills as stills

LEFT, TOP, WIDTH, HEIGHT = 56, 40, 470, 220
SIGNS = {"temperature": "T", "lambda_": "\u03bb", "learning_rate": "rate"}
SMALL = ' font-size="10" fill="#555555"'


class Line(NamedTuple):
    """A curve by its name in the curves, what the legend says, its colour and its dashes."""

    name: str
    words: str
    colour: str
    dashes: str


def draw(curves: dict, lines: Sequence[Line]) -> str:
    """Return the SVG elements of `LiveTraining.curves`: errors on a log axis over steps."""
    if not curves["steps"]:
        return stills.words(20, 30, "Nothing is trained yet: press start.")
    x, y, low = _scales(curves, lines)
    parts = [_grid(curves, x, y, low)]
    for one in lines:
        pairs = zip(curves["steps"], curves[one.name], strict=True)
        points = " ".join(f"{x(step):.1f},{y(errors):.1f}" for step, errors in pairs)
        style = f'stroke="{one.colour}" stroke-width="2" stroke-dasharray="{one.dashes}"'
        parts.append(f'<polyline points="{points}" fill="none" {style}/>')
    return "".join(parts) + legend(_named(curves, lines), LEFT + WIDTH + 14, TOP + 16)


def height_of(curves: dict) -> float:
    """Return how much room `draw` takes: a line before anything is trained."""
    return TOP + HEIGHT + 45 if curves["steps"] else 50


def top_of(steps: int, shortest: int = 500) -> int:
    """Return the end of the axis of steps: the next of 500, 1,000, 2,000, 5,000, ..."""
    ends = (digit * 10**power for power in range(2, 12) for digit in (1, 2, 5))
    return next(end for end in ends if end >= max(steps, shortest))


def bottom_of(errors: int, examples: int) -> int:
    """Return the start of the axis of errors: the next lower of 1, 2, 5, 10, 20, ...

    It starts at a fiftieth of the images or lower, so that it rarely changes on the way.
    """
    starts = [digit * 10**power for power in range(12) for digit in (1, 2, 5)]
    return max([start for start in starts if start < min(errors, examples / 49)], default=1)


def _scales(curves: dict, lines: Sequence[Line]) -> tuple[Callable, Callable, int]:
    steps, high = top_of(curves["steps"][-1]), max(curves["examples"], 2)
    drawn = [errors for one in lines for errors in curves[one.name]]
    known = [] if curves["teacher"] is None else [curves["teacher"]]
    low = bottom_of(min(drawn + known), high)

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
            parts.append(line(LEFT, y(errors), LEFT + WIDTH, y(errors), "#dddddd"))
            parts.append(stills.words(LEFT - 6, y(errors) + 4, f"{errors:,}", anchor="end"))
    for step in (0, end // 2, end):
        parts.append(stills.words(x(step), bottom + 18, f"{step:,}", anchor="middle"))
    parts.append(stills.words(LEFT + WIDTH, bottom + 34, "steps", anchor="end"))
    parts += marks(curves["marks"], x, TOP, HEIGHT)
    if curves["teacher"] is not None:
        level = y(curves["teacher"])
        parts.append(line(LEFT, level, LEFT + WIDTH, level, stills.TEACHER))
    return "".join(parts)


def marks(
    moved: list[dict], x: Callable, top: float, height: float, *, low: bool = False
) -> list[str]:
    """Return a line with a word at each step where something was moved; low, below curves."""
    parts = []
    for row, mark in enumerate(moved):
        at, told = x(mark["step"]), told_of(mark)
        parts.append(line(at, top, at, top + height, "#999999", "2 3"))
        down = height - 6 - 12 * (row % 3) if low else 10 + 12 * (row % 3)
        parts.append(stills.words(at + 3, top + down, told, extra=SMALL))
    return parts


def told_of(mark: dict) -> str:
    """Say what was moved: "T 9"; of what is no number, the text or else the name."""
    name, value = mark["name"], mark["value"]
    if isinstance(value, float):
        return f"{SIGNS[name]} {value:.2g}"
    return value if isinstance(value, str) else name


def _named(curves: dict, lines: Sequence[Line]) -> list[tuple[Line, str]]:
    named = [(one, f"{curves[one.name][-1]}") for one in lines]
    if curves["teacher"] is not None:
        named.append((Line("teacher", "teacher", stills.TEACHER, ""), f"{curves['teacher']}"))
    return named


def legend(named: Sequence[tuple[Line, str]], left: float, top: float) -> str:
    """Return a sample of each line with its name and its newest number."""
    parts = []
    for row, (one, number) in enumerate(named):
        y = top + 22 * row
        parts.append(line(left, y, left + 20, y, one.colour, one.dashes))
        parts.append(stills.words(left + 26, y + 4, f"{one.words}: {number}"))
    return "".join(parts)


def line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "") -> str:
    """Return a straight line."""
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dashes}"/>'
