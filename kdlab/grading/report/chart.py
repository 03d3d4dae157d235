"""Charts as inline SVG; each has a text that says the same."""

from collections import Counter
from itertools import accumulate

from kdlab.grading.report.text import number
from kdlab.grading.report.words import LOOKS

# The drawing in units of the viewBox; it scales down to a phone with text that can be read.
_WIDTH, _HEIGHT = 420, 230
_LEFT, _TOP, _BASE = 12, 48, 184
_SPAN = _WIDTH - 2 * _LEFT
_STEPS = (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5, 10, 20, 25, 50, 100)
_MOST_BINS = 12


def bins(points: list[float], maximum: float) -> list[tuple[float, float, int]]:
    """Return (from, up to, students); the last bin holds its upper end as well."""
    step = next((step for step in _STEPS if step * _MOST_BINS >= maximum), maximum / _MOST_BINS)
    count = max(1, round(-(-maximum // step)))
    found = Counter(min(int(value / step + 1e-9), count - 1) for value in points)
    return [(index * step, (index + 1) * step, found[index]) for index in range(count)]


def histogram(points: list[float], maximum: float, median: float) -> str:
    """Return how many students have how many points, with the median as a dashed line."""
    found = bins(points, maximum)
    width = _SPAN / len(found)
    unit = (_BASE - _TOP) / max(1, *(students for _, _, students in found))
    heights = [unit * students for _, _, students in found]
    bars = "".join(_bar(i, width, height) for i, height in enumerate(heights))
    middle = _median_line(_LEFT + _SPAN * median / found[-1][1], median)
    return (
        f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-labelledby="histogram-title histogram-text">'
        f'<title id="histogram-title">Distribution of points</title>'
        f'<desc id="histogram-text">{described(found, median)}</desc>'
        f"{bars}{middle}{_axis(found, width)}{_numbers(found, heights)}</svg>"
    )


def described(found: list[tuple[float, float, int]], median: float) -> str:
    """Return the histogram in words."""
    told = (f"{number(low)} to {number(high)} points: {n}" for low, high, n in found if n)
    return f"Students by points. {'; '.join(told)}. The median is {number(median)}."


def stack(statuses: dict[str, int]) -> str:
    """Return one bar that is cut by status; the counts beside it say the same."""
    present = {name: statuses[name] for name in LOOKS if statuses.get(name)}
    total = sum(present.values())
    ends = [100 * end / total for end in accumulate(present.values())]
    starts = [0.0, *ends[:-1]]
    # The gap sets neighbours apart for those who see their colours alike.
    parts = "".join(
        f'<rect class="{LOOKS[name].style}" x="{start:.2f}" y="0" height="8" '
        f'width="{max(end - start - 0.35, 0.2):.2f}"/>'
        for name, start, end in zip(present, starts, ends, strict=True)
    )
    label = ", ".join(f"{count} {name}" for name, count in present.items())
    return (
        f'<svg class="stack" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" '
        f'aria-label="{label}">{parts}</svg>'
    )


def meter(points: float, maximum: float) -> str:
    """Return a bar that is filled by the share of the points; the text says the number."""
    share = 100 * min(1.0, points / maximum) if maximum else 100
    return (
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="whole" width="100" height="8" vector-effect="non-scaling-stroke"/>'
        f'<rect class="part" width="{share:.2f}" height="8"/></svg>'
    )


def _bar(index: int, width: float, height: float) -> str:
    if not height:
        return ""
    left, top = _LEFT + index * width, _BASE - height
    return f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{width - 2:.1f}" height="{height:.1f}"/>'


def _numbers(found: list[tuple[float, float, int]], heights: list[float]) -> str:
    # Drawn last: their halo cuts the median's line where it would run through them.
    width = _SPAN / len(found)
    return "".join(
        _text(_LEFT + (index + 0.5) * width, _BASE - heights[index] - 5, str(students))
        for index, (_, _, students) in enumerate(found)
        if students
    )


def _axis(found: list[tuple[float, float, int]], width: float) -> str:
    edges = [low for low, _, _ in found] + [found[-1][1]]
    ticks = "".join(_text(_LEFT + i * width, _BASE + 16, number(x)) for i, x in enumerate(edges))
    return (
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _LEFT}" y1="{_BASE}" y2="{_BASE}"/>'
        f"{ticks}{_text(_WIDTH / 2, _BASE + 36, 'points')}"
    )


def _median_line(x: float, median: float) -> str:
    # Near an end the words lean inwards, so that none is cut off.
    anchor = "start" if x < _WIDTH * 0.2 else "end" if x > _WIDTH * 0.8 else "middle"
    return (
        f'<line class="median" x1="{x:.1f}" x2="{x:.1f}" y1="22" y2="{_BASE}"/>'
        f"{_text(x, 15, f'median {number(median)}', anchor)}"
    )


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text class="halo" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
