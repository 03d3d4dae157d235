"""Still pictures for readers without widgets: SVG texts, readable on white and on black."""

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from itertools import combinations

from PIL import Image
from torch import Tensor

TEACHER, STUDENT, CONTROL, LABELS = "#0072B2", "#D55E00", "#009E73", "#555555"
CELL = 26
# A photograph is made so small that it adds no more than 10 kB to a notebook.
LARGEST = 48
# From this shade on, white reads better than black.
DEEP = 0.93


def picture(body: str, *, width: float, height: float, title: str, description: str) -> str:
    """Put a drawing on a light card with its title and description.

    Args:
        body: SVG elements.
        width, height: Size in pixels.
        title: A few words, drawn by no one, read by screen readers.
        description: What there is to see, in a sentence.
    """
    text = f"{escape(title)}. {escape(description)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{text}" '
        'font-family="sans-serif" font-size="12" fill="#1f1f1f">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f'<rect width="{width:g}" height="{height:g}" rx="6" fill="#ffffff"/>{body}</svg>'
    )


def words(x: float, y: float, text: str, *, anchor: str = "start", extra: str = "") -> str:
    """Write one line of text with its baseline at y."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{extra}>{escape(text)}</text>'


def bars(values: Sequence[float], names: Sequence[str], *, top: float, colour: str) -> str:
    """Draw one horizontal bar a class, 0 to 1 over 300 pixels, with its number."""
    left = _margin(names)
    rows = []
    for index, (value, name) in enumerate(zip(values, names, strict=True)):
        y = top + 20 * index
        rows.append(words(left - 8, y + 14, name, anchor="end"))
        rows.append(f'<rect x="{left:g}" y="{y + 3:g}" width="{300 * value:.2f}" height="14"/>')
        rows.append(words(left + 300 * value + 6, y + 14, f"{value:.3f}"))
    return f'<g fill="{colour}">{"".join(rows)}</g>'.replace("<text", '<text fill="#1f1f1f"')


def heatmap(shares: Sequence[Sequence[float]], names: Sequence[str], *, top: float) -> str:
    """Draw a square table of shares, 0 to 1, shaded by their square root."""
    left = _margin(names)
    parts = []
    for i, row in enumerate(shares):
        parts.append(words(left - 6, top + CELL * (i + 0.65), names[i], anchor="end"))
        parts.append(words(left + CELL * (i + 0.5), top - 4, names[i][:4], anchor="middle"))
        for j, share in enumerate(row):
            # The row of a class with no example is NaN.
            depth = 0.0 if math.isnan(share) else math.sqrt(share)
            x, y = left + CELL * j, top + CELL * i
            shade = f'fill="{TEACHER}" fill-opacity="{depth:.3f}"'
            parts.append(f'<rect x="{x:g}" y="{y:g}" width="{CELL}" height="{CELL}" {shade}/>')
            ink = f' font-size="9" fill="{"#ffffff" if depth > DEEP else "#000000"}"'
            number = "" if math.isnan(share) else f"{share:.2f}".removeprefix("0")
            parts.append(words(x + CELL / 2, y + CELL * 0.62, number, anchor="middle", extra=ink))
    return "".join(parts)


def heatmap_width(names: Sequence[str]) -> float:
    """Return how far a heat map reaches to the right, in pixels."""
    return _margin(names) + CELL * len(names)


def thumbnails(images: Sequence[Tensor], *, top: float, size: float = 32) -> str:
    """Draw uint8 images [channels, height, width] in a row."""
    parts = []
    for index, image in enumerate(images):
        x = 10 + (size + 4) * index
        place = f'x="{x:g}" y="{top:g}" width="{size:g}" height="{size:g}"'
        parts.append(f'<image {place} href="{_png(image)}" style="image-rendering:pixelated"/>')
    return "".join(parts)


def _margin(names: Sequence[str]) -> float:
    return 16 + 7.5 * max(len(name) for name in names)


def _png(image: Tensor) -> str:
    # One channel is ink: dark on light, as in the browser.
    pixels = 255 - image[0] if len(image) == 1 else image.permute(1, 2, 0)
    file = io.BytesIO()
    drawn = Image.fromarray(pixels.numpy())
    drawn.thumbnail((LARGEST, LARGEST))
    drawn.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def signed_bars(
    values: Sequence[float], names: Sequence[str], *, top: float, colours: Sequence[str] = ()
) -> str:
    """Draw one bar a value, left of zero if negative; the longest takes the whole axis."""
    colours = colours or [STUDENT] * len(values)
    left, half = _margin(names), 150
    scale = half / max(1e-12, *(abs(value) for value in values))
    zero = left + half if min(values) < 0 else left
    parts = []
    for index, (value, name) in enumerate(zip(values, names, strict=True)):
        y = top + 20 * index
        parts.append(words(left - 8, y + 14, name, anchor="end"))
        place = f'x="{zero + min(0, value) * scale:.2f}" y="{y + 3:g}" height="14"'
        parts.append(f'<rect {place} width="{abs(value) * scale:.2f}" fill="{colours[index]}"/>')
        parts.append(words(zero + max(0, value) * scale + 6, y + 14, f"{value:.4f}"))
    return "".join(parts)


def plane(
    points: Sequence[Sequence[float]], *, left: float, top: float, side: float, colour: str
) -> str:
    """Draw numbered points in a square plane around the origin, and all lines between them."""
    most = 1.15 * max(1e-6, *(abs(x) for point in points for x in point))
    at = [
        (left + side * (0.5 + x / most / 2), top + side * (0.5 - y / most / 2)) for x, y in points
    ]
    frame = f'x="{left:g}" y="{top:g}" width="{side:g}" height="{side:g}"'
    parts = [f'<rect {frame} fill="none" stroke="#d0d0d0"/>']
    for (x, y), (a, b) in combinations(at, 2):
        line = f'x1="{x:.1f}" y1="{y:.1f}" x2="{a:.1f}" y2="{b:.1f}"'
        parts.append(f'<line {line} stroke="{colour}" opacity="0.4"/>')
    for number, (x, y) in enumerate(at, start=1):
        ink = ' font-size="10" fill="#ffffff"'
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="{colour}"/>')
        parts.append(words(round(x, 1), round(y + 3.5, 1), str(number), anchor="middle", extra=ink))
    return "".join(parts)


def cells(
    values: Sequence[Sequence[float]], *, left: float, top: float, side: float, colour: str
) -> str:
    """Draw a small map: one cell a value, as deep as its share of the largest."""
    most = max(1e-12, *(value for row in values for value in row))
    height, width = side / len(values), side / len(values[0])
    frame = f'x="{left:g}" y="{top:g}" width="{side:g}" height="{side:g}"'
    parts = [f'<rect {frame} fill="none" stroke="#d0d0d0"/>']
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            place = f'x="{left + j * width:.2f}" y="{top + i * height:.2f}"'
            size = f'width="{width:.2f}" height="{height:.2f}"'
            parts.append(f'<rect {place} {size} fill-opacity="{value / most:.2f}"/>')
    return f'<g fill="{colour}">{"".join(parts)}</g>'
