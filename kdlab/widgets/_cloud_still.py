"""Two clouds of points and bars of their distances, as a still picture."""

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from kdlab.widgets import _stills as stills

WIDTH, HEIGHT = 640, 350
LEFT, TOP, SIDE = 10, 75, 255
BARS, LONGEST, ROW = 400, 150, 34
Cloud = tuple[Sequence[Sequence[float]], Sequence[int]]
FEATURES = (("linear", "linear", stills.LABELS), ("relu", "ReLU", stills.CONTROL))


def draw(
    real: Cloud,
    synthetic: Cloud,
    distances: Mapping[str, Tensor],
    class_distances: Mapping[str, Tensor],
) -> str:
    """Draw points, real ones round, the second class hollow; beside them each mean distance."""
    most = 1.08 * max(
        1.0, *(abs(x) for points, _ in (real, synthetic) for row in points for x in row)
    )
    frame = f'x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}"'
    parts = [f'<rect {frame} fill="none" stroke="#d0d0d0"/>']
    for points, classes in (real, synthetic):
        shape = _circle if points is real[0] else _square
        for (x, y), label in zip(points, classes, strict=True):
            place = LEFT + SIDE * (1 + x / most) / 2, TOP + SIDE * (1 - y / most) / 2
            parts.append(shape(*place, label))
    parts.append(stills.words(LEFT, TOP + SIDE + 16, "circles: real, squares: synthetic"))
    return "".join(parts) + _bars(distances, class_distances)


def _circle(x: float, y: float, label: int) -> str:
    place = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"'
    return f'{place} fill="{"#ffffff" if label else stills.TEACHER}" stroke="{stills.TEACHER}"/>'


def _square(x: float, y: float, label: int) -> str:
    place = f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"'
    return f'{place} fill="{"#ffffff" if label else stills.STUDENT}" stroke="{stills.STUDENT}"/>'


def _bars(distances: Mapping[str, Tensor], class_distances: Mapping[str, Tensor]) -> str:
    rows = list(_rows(distances, class_distances))
    most = max(1e-3, *(value for _, value, _ in rows))
    parts = [stills.words(BARS - 110, TOP + 12, "Squared distance of mean embeddings")]
    for k, (told, value, colour) in enumerate(rows):
        y = TOP + 30 + ROW * k
        length = LONGEST * value / most
        parts.append(stills.words(BARS - 8, y + 14, told, anchor="end"))
        size = f'y="{y}" width="{length:.2f}" height="18"'
        parts.append(f'<rect x="{BARS}" {size} fill="{colour}"/>')
        parts.append(stills.words(round(BARS + length + 6, 1), y + 14, f"{value:.4f}"))
    return "".join(parts)


def _rows(distances: Mapping[str, Tensor], class_distances: Mapping[str, Tensor]) -> Iterator:
    """Yield what each bar says, how long it is, and its colour."""
    for name, told, colour in FEATURES:
        for how, values in (("all points", distances), ("by class", class_distances)):
            yield f"{told}, {how}", values[name].mean().item(), colour
