"""All paths and what they come to, as a still picture."""

import math
from collections.abc import Callable, Mapping, Sequence

from kdlab.schemes.paths import Path
from kdlab.widgets import _stills as stills
from kdlab.widgets._path_words import rounded, signed, spread
from kdlab.widgets._paths import PathResult

WIDTH, TOP, ROW = 740, 64, 26
#: Where the columns of sizes, the axis of errors and the two columns of numbers lie.
SIZES, GAP, AXIS, END, ERRORS, BESIDE = 66, 48, 300, 490, 610, 730
ASSISTANT, SOFT = "#CC79A7", "#555555"
HEADING = f' font-size="11" fill="{SOFT}"'


def height(rows: int) -> float:
    """Return how high the picture of so many paths is."""
    return TOP + ROW * rows + 28


def draw(
    sizes: Sequence[int],
    errors: Mapping[Path, Sequence[float]],
    results: Mapping[Path, PathResult],
    chosen: Path,
    alone: Mapping[int, float],
) -> str:
    """Return the SVG elements: a row for each measured path, those with fewer errors first."""
    ticks = _ticks([value for some in errors.values() for value in some])
    place = _scale(ticks)
    parts = [_head(sizes, alone), _axis(ticks, place, len(results))]
    for row, (path, result) in enumerate(results.items()):
        y = TOP + ROW * (row + 0.5)
        parts.append(_row(y, path, sizes, result, path == chosen))
        parts.append(_dots(y, errors[path], result, place))
    return "".join(parts)


def _head(sizes: Sequence[int], alone: Mapping[int, float]) -> str:
    parts = [stills.words(10, 36, "rank", extra=HEADING)]
    for x, text in ((ERRORS, "errors, mean \u00b1 SD"), (BESIDE, "to direct \u00b1 SE")):
        parts.append(stills.words(x, 36, text, anchor="end", extra=HEADING))
    parts.append(stills.words(SIZES - 12, 18, "teacher to student, by size", extra=HEADING))
    for column, size in enumerate(sizes):
        x = SIZES + GAP * column
        parts.append(stills.words(x, 36, str(size), anchor="middle"))
        if size in alone:
            text = rounded(alone[size])
            parts.append(stills.words(x, 50, text, anchor="middle", extra=HEADING))
    if alone:
        parts.append(stills.words(AXIS, 50, "\u2190 errors with labels only", extra=HEADING))
    return "".join(parts)


def _axis(ticks: Sequence[float], place: Callable, rows: int) -> str:
    bottom, parts = TOP + ROW * rows, []
    for tick in ticks:
        x = f'x1="{place(tick):.1f}" x2="{place(tick):.1f}"'
        parts.append(f'<line {x} y1="{TOP}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(
            stills.words(place(tick), bottom + 16, f"{tick:,g}", anchor="middle", extra=HEADING)
        )
    return "".join(parts)


def _row(y: float, path: Path, sizes: Sequence[int], result: PathResult, chosen: bool) -> str:
    bold = ' font-weight="bold"' if chosen else ""
    frame = f'x="4" y="{y - ROW / 2:g}" width="{WIDTH - 8}" height="{ROW}"'
    parts = [f'<rect {frame} fill="#E69F00" fill-opacity="0.18"/>'] if chosen else []
    parts.append(stills.words(22, y + 4, str(result.rank), anchor="middle", extra=bold))
    parts.append(_way(y, path, sizes, 2.5 if chosen else 1.2))
    told = spread(rounded(result.mean), result.deviation)
    parts.append(stills.words(ERRORS, y + 4, told, anchor="end", extra=bold))
    beside = spread(signed(result.difference), result.standard_error) if len(path) > 2 else ""
    parts.append(stills.words(BESIDE, y + 4, beside, anchor="end", extra=bold))
    return "".join(parts)


def _way(y: float, path: Path, sizes: Sequence[int], thick: float) -> str:
    xs = [SIZES + GAP * sizes.index(size) for size in path]
    line = f'x1="{xs[0]}" x2="{xs[-1]}" y1="{y:g}" y2="{y:g}"'
    parts = [f'<line {line} stroke="{SOFT}" stroke-width="{thick}"/>']
    colours = [stills.TEACHER, *[ASSISTANT] * (len(path) - 2), stills.STUDENT]
    for x, colour in zip(xs, colours, strict=True):
        parts.append(f'<circle cx="{x}" cy="{y:g}" r="6" fill="{colour}"/>')
    return "".join(parts)


def _dots(y: float, errors: Sequence[float], result: PathResult, place: Callable) -> str:
    ends = [result.mean + side * (result.deviation or 0) for side in (-1, 1)]
    x = f'x1="{place(ends[0]):.1f}" x2="{place(ends[1]):.1f}"'
    parts = [f'<line {x} y1="{y:g}" y2="{y:g}" stroke="{stills.STUDENT}" stroke-width="2"/>']
    for value in errors:
        seed = f'cx="{place(value):.1f}" cy="{y:g}" r="2.5" fill="{SOFT}" fill-opacity="0.6"'
        parts.append(f"<circle {seed}/>")
    parts.append(
        f'<circle cx="{place(result.mean):.1f}" cy="{y:g}" r="5" fill="{stills.STUDENT}"/>'
    )
    return "".join(parts)


def _ticks(values: Sequence[float]) -> list[float]:
    low, high = min(values), max(values)
    rough = max(high - low, 1) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * unit for digit in (1, 2, 5, 10) if digit * unit >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(first + 1, math.ceil(high / step - 1e-9))
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _scale(ticks: Sequence[float]) -> Callable[[float], float]:
    low, high = ticks[0], ticks[-1]

    # A bar of spread may reach beyond all seeds; it stays on the card.
    def place(value: float) -> float:
        share = (value - low) / (high - low)
        return min(END + 12, max(AXIS - 12, AXIS + (END - AXIS) * share))

    return place
