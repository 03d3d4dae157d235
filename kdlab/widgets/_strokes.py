"""From the strokes of a pen to an image like MNIST's.

This is Python, not JavaScript, so that a drawing is the same image for a mouse, for a key and
for a test, whatever the browser's own way of drawing lines. LeCun et al. describe what is
done: the digit is scaled to fit 20 x 20 pixels, its proportions kept, and moved so that its
centre of mass lies in the middle of 28 x 28. In their files that middle is pixel 14 and the
move is a whole number of pixels; so it is here.
"""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

#: Strokes are drawn on a square of so many units; one pixel of the image is ten.
CANVAS = 280
SIDE, BOX, MIDDLE = 28, 20, 14
#: Half the width of a line, in pixels; MNIST's lines are 2.6 wide in the mean.
RADIUS = 1.25
#: A drawing is enlarged at most so many times: a dot stays a dot.
ENLARGE = 3
#: Points nearer than this, in units of the square, are one.
NEAR = 3
#: Points of a drawing, at most.
POINTS = 2_000


def check_strokes(**named) -> list[list[list[float]]]:
    """Return the strokes as lists, or raise ValueError if they are none.

    A stroke is a list of (x, y) from the upper left corner, 0 to 280, one point at least.
    """
    [(name, strokes)] = named.items()
    try:
        strokes = [[[x, y] for x, y in stroke] for stroke in strokes]
        numbers = [number for stroke in strokes for point in stroke for number in point]
        outside = [number for number in numbers if not 0 <= number <= CANVAS]
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be lists of (x, y), got {named[name]!r:.60}") from None
    if outside:
        raise ValueError(f"{name} must lie in [0, {CANVAS}], got {outside[0]!r}")
    if len(numbers) > 2 * POINTS:
        raise ValueError(f"{name} must have at most {POINTS} points, got {len(numbers) // 2}")
    return [stroke for stroke in strokes if stroke]


def to_image(strokes: list[list[list[float]]]) -> UInt8[Tensor, "1 1 28 28"]:
    """Draw strokes, scaled and centred as MNIST's digits are.

    Args:
        strokes: What `check_strokes` returned; none gives a black image.

    Returns:
        Ink 0 (none) to 255, one image of one channel.
    """
    image = torch.zeros(SIDE, SIDE)
    if strokes:
        image = _to_middle(_ink(_fit(_segments(strokes))))
    return image.mul(255).round().to(torch.uint8)[None, None]


def _segments(strokes) -> Float[Tensor, "segments 4"]:
    """Return x1, y1, x2, y2 of each segment; a stroke of one point is one of no length."""
    thin = [_thinned(stroke) for stroke in strokes]
    pairs = [a + b for stroke in thin for a, b in zip(stroke, stroke[1:], strict=False)]
    return torch.tensor(pairs, dtype=torch.float32)


def _thinned(stroke: list[list[float]]) -> list[list[float]]:
    """Leave out what is too near to the last point kept to be seen, but never the end."""
    kept = stroke[:1]
    for point in stroke[1:-1]:
        if math.dist(point, kept[-1]) >= NEAR:
            kept.append(point)
    return kept + stroke[-1:]


def _fit(lines: Float[Tensor, "segments 4"]) -> Float[Tensor, "segments 4"]:
    """Scale to pixels, so that the ink fits the box, and put the box in the middle."""
    points = lines.view(-1, 2)
    low, high = points.amin(0), points.amax(0)
    # The ink ends half a pixel, its soft edge, beyond the radius.
    longest, room = (high - low).max().item(), BOX - 2 * RADIUS - 1
    scale = min(room / max(longest, 1e-6), ENLARGE * SIDE / CANVAS)
    return ((points - (low + high) / 2) * scale + (SIDE - 1) / 2).view(-1, 4)


def _ink(lines: Float[Tensor, "segments 4"]) -> Float[Tensor, "28 28"]:
    """Draw lines of constant width with a soft edge of one pixel."""
    axis = torch.arange(SIDE, dtype=torch.float32)
    pixels = torch.cartesian_prod(axis, axis).flip(-1)
    start, along = lines[:, :2], lines[:, 2:] - lines[:, :2]
    length = along.square().sum(-1)
    # Matrix products, not a [pixels, segments, 2] table: this is done for every new point.
    ahead = pixels @ along.T - (start * along).sum(-1)
    share = (ahead / length.clamp_min(1e-12)).clamp(0, 1)
    squared = torch.cdist(pixels, start).square() + share * (share * length - 2 * ahead)
    distance = squared.amin(-1).clamp_min(0).sqrt()
    return (RADIUS + 0.5 - distance).clamp(0, 1).view(SIDE, SIDE)


def _to_middle(image: Float[Tensor, "28 28"]) -> Float[Tensor, "28 28"]:
    """Move by whole pixels until the centre of mass is within half a pixel of the middle."""
    axis, mass = torch.arange(SIDE, dtype=torch.float32), image.sum()
    centre = [(image.sum(1) @ axis / mass).item(), (image.sum(0) @ axis / mass).item()]
    # A symmetric drawing lies between two pixels: it must not tremble while one draws.
    moves = [math.floor(MIDDLE - position + 0.501) for position in centre]
    return torch.roll(image, moves, dims=(0, 1))
