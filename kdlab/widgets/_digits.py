"""Ten digits drawn by a pen: for who cannot draw, and for tests.

Strokes on a square of 280 units, as `_strokes` takes them.
"""

import math


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> list:
    """Return points on an ellipse's rim; 0 degrees is right, 90 is down."""
    count = 2 + round(abs(end - start) / 15)
    angles = [math.radians(start + (end - start) * i / (count - 1)) for i in range(count)]
    return [[round(x + width * math.cos(a)), round(y + height * math.sin(a))] for a in angles]


DIGITS = (
    [_arc(140, 140, 55, 90, -90, 270)],
    [[[148, 45], [135, 235]]],
    [[*_arc(138, 95, 50, 45, -165, 35), [90, 225], [200, 222]]],
    [[*_arc(130, 92, 48, 42, -150, 80), *_arc(130, 183, 55, 50, -80, 150)]],
    [[[105, 50], [90, 145], [195, 145]], [[180, 60], [170, 230]]],
    [[[190, 55], [110, 55], [102, 125], *_arc(130, 172, 58, 55, -115, 140)]],
    [[[175, 45], [120, 110], *_arc(138, 178, 46, 50, 180, -180)]],
    [[[80, 62], [195, 60], [125, 232]]],
    [[*_arc(140, 95, 40, 42, 90, 450), *_arc(140, 185, 48, 48, -90, 270)]],
    [[*_arc(138, 98, 45, 45, 0, -360), [178, 135], [165, 235]]],
)
