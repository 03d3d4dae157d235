"""How long a scale-invariant weight vector becomes.

Variants are made of a step: from a length, the slope at length 1 and the rate to the next length.
"""

import math
from collections.abc import Callable

from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question


def _grow(step: Callable[[float, float, float], float]) -> Callable[..., Tensor]:
    def lengths(start: float, slope: float, rate: float, steps: int) -> Tensor:
        found = [start]
        for _ in range(steps):
            found.append(step(found[-1], slope, rate))
        return tensor(found)

    return lengths


_lengths = _grow(lambda length, g, r: math.hypot(length, r * g / length))


def _draw(generator):
    def case(name, start, move, steps):
        rate = between(generator, 0.2, 0.8)
        given = {"start": between(generator, *start), "slope": between(generator, *move) / rate}
        return Case(name, given | {"rate": rate, "steps": steps})

    return (
        case("a short vector", (0.5, 0.8), (0.6, 1.2), 4),
        case("a long vector", (1.3, 2.0), (1.0, 2.0), 3),
    )


def _visible(name, *given):
    return Case(name, dict(zip(("start", "slope", "rate", "steps"), given, strict=True)))


LENGTHS = Question(
    id="KD12-E2",
    title="The brake in the length",
    minutes=15,
    signature=(
        "lengths(start: float, slope: float, rate: float, steps: int) "
        '-> Float[Tensor, "steps_and_start"]'
    ),
    statement=(
        "A weight vector whose length doesn't matter to the loss has length start > 0. Its "
        "gradient would have the norm slope at length 1, whatever direction the vector has. Return "
        "its length at the start and after each step of gradient descent at this rate: steps + 1 "
        "numbers."
    ),
    reference=_lengths,
    cases=(
        _visible("three steps", 0.5, 2.0, 0.3, 3),
        _visible("no step", 1.5, 2.0, 0.3, 0),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "the gradient of length 1 at every length",
            "Ten times the weights have a tenth of the gradient: divide slope by the length.",
            (_grow(lambda length, g, r: math.hypot(length, r * g)),),
        ),
        Mistake(
            "lengths added",
            "The step stands at a right angle to the weights: the squares of the lengths add up.",
            (
                _grow(lambda length, g, r: length + r * g / length),
                _grow(lambda length, g, r: length + r * g),
            ),
        ),
        Mistake(
            "a step straight to the origin",
            "The gradient has no part along the weights: they can't become shorter.",
            (
                _grow(lambda length, g, r: length - r * g / length),
                _grow(lambda length, g, r: abs(length - r * g)),
            ),
        ),
        Mistake(
            "multiplied by the length",
            "Longer weights have a smaller gradient: divide slope by the length.",
            (_grow(lambda length, g, r: math.hypot(length, r * g * length)),),
        ),
        Mistake(
            "divided by the squared length",
            "The gradient's norm is slope / length; the angle of a step is what has the square.",
            (_grow(lambda length, g, r: math.hypot(length, r * g / length**2)),),
        ),
        Mistake(
            "the rate not squared",
            "The step has the length rate * slope / length: all of it is squared.",
            (_grow(lambda length, g, r: math.sqrt(length**2 + r * (g / length) ** 2)),),
        ),
        Mistake(
            "squared lengths",
            "Pythagoras gives the squared length: its root is asked for.",
            (lambda start, g, r, n: _lengths(start, g, r, n) ** 2,),
        ),
        Mistake(
            "the gradient of the start in every step",
            "Each step's gradient is that at the length of this step.",
            (
                lambda start, g, r, n: tensor(
                    [math.sqrt(start**2 + k * (r * g / start) ** 2) for k in range(n + 1)]
                ),
            ),
        ),
        Mistake(
            "steps without the start, or one too many",
            "The first number is the start, then one for each step: steps + 1 in all.",
            (
                lambda start, g, r, n: _lengths(start, g, r, n)[1:],
                lambda start, g, r, n: _lengths(start, g, r, n)[:-1],
                lambda start, g, r, n: _lengths(start, g, r, n + 1),
            ),
        ),
        Mistake(
            "the last length only",
            "All lengths are asked for, the start's first.",
            (lambda start, g, r, n: _lengths(start, g, r, n)[-1],),
        ),
    ),
)
