"""Random numbers that Python and the browser draw alike; the twin of ``static/draws.js``."""

import math
from collections.abc import Iterator

_WORD = 2**32 - 1


def normals(seed: int, count: int) -> list[float]:
    """Draw standard normal numbers: mulberry32, then Box and Muller.

    Equal seeds give equal numbers, here and in the browser, but for rounding.
    """
    uniform = _uniforms(seed)
    return [
        math.sqrt(-2 * math.log(next(uniform))) * math.cos(2 * math.pi * next(uniform))
        for _ in range(count)
    ]


def _uniforms(seed: int) -> Iterator[float]:
    """Yield numbers in (0, 1), all of it in words of 32 bits."""
    state = seed & _WORD
    while True:
        state = (state + 0x6D2B79F5) & _WORD
        mixed = ((state ^ state >> 15) * (state | 1)) & _WORD
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & _WORD
        yield ((mixed ^ mixed >> 14) + 0.5) / 2**32
