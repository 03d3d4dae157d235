"""Question 4 of homework 4: the constant of the teacher's density for two classes.

Variants are called with g, [batch, 2].
"""

import torch

from kdlab.grading.questions._common import between
from kdlab.grading.questions.hw4_privileged.supports import (
    CLOSE,
    ELSEWHERE,
    constant,
    rows_case,
    turned,
)
from kdlab.grading.spec import Mistake, Question


def constant_of_two(probabilities):
    """Return 1 over the integral of g_1^s g_2^(1 - s), [batch]."""
    return constant(probabilities)


def _gap(g):
    return g[:, 0] - g[:, 1]


# Each is just below the bound of a switch to 1 / g that is too coarse for g of .001.
_GAPS = (1e-3, 1e-4, 1e-5, 1e-6)


def _naive(g):
    return (g[:, 0] / g[:, 1]).log() / _gap(g)


def _where_apart(apart):
    """Return a formula that is left alone with rows of different g."""
    return lambda g: torch.where(_gap(g) == 0, 1 / g[:, 0], apart(g))


MISTAKES = (
    *turned(1, "edge"),
    *ELSEWHERE,
    Mistake(
        "the sign",
        "g_1 - g_2 and log(g_1 / g_2) have the same sign: C is positive.",
        (
            lambda g: -_naive(g),
            _where_apart(lambda g: -_naive(g)),
            lambda g: -constant(g),
        ),
    ),
    Mistake(
        "the second class forgotten",
        "s_2 is 1 - s, and g_2 to that power is a factor of the integrand.",
        (lambda g: constant(torch.stack([g[:, 0], torch.ones_like(g[:, 0])], dim=1)),),
    ),
    Mistake(
        "both to the same power",
        "s_1 + s_2 = 1: where the one is s, the other is 1 - s.",
        (lambda g: constant(torch.stack([g.prod(dim=1), torch.ones_like(g[:, 0])], dim=1)),),
    ),
    Mistake(
        "not divided by the difference",
        "The primitive is divided by log(g_1 / g_2), and then taken at both ends: g_1 - g_2.",
        (lambda g: (g[:, 0] / g[:, 1]).log(), lambda g: 1 / _gap(g)),
    ),
    Mistake(
        "a single step",
        "g_1^s g_2^(1 - s) bends between its ends: integrate it.",
        (lambda g: 2 / g.sum(dim=1), lambda g: 1 / g.prod(dim=1).sqrt()),
    ),
    Mistake(
        "0 divided by 0",
        "Where g_1 = g_2, both log(g_1 / g_2) and g_1 - g_2 are 0. The integrand is constant "
        "there: its limit is 1 / g.",
        (_naive, lambda g: (g[:, 0].log() - g[:, 1].log()) / _gap(g)),
    ),
    Mistake(
        "g made to sum to 1",
        "The integrand is g_1^s g_2^(1 - s) with the g that came: don't normalize them.",
        (lambda g: constant(g / g.sum(dim=1, keepdim=True)),),
    ),
    Mistake(
        "taken for equal too soon",
        "1 / g is right where both are equal. Of small g a small difference is a large part: "
        "1/.001 is not near the constant of .001 and .0019. Compare the difference with g itself.",
        tuple(
            lambda g, near=near: torch.where(_gap(g).abs() < near, 1 / g[:, 0], constant(g))
            for near in (1e-3, 1e-4, 1e-5, 1e-6)
        ),
    ),
    Mistake(
        "not 1 / g where both are equal",
        "Where g_1 = g_2 this is 0 or 1, and not 1 / g. With a small number in the denominator it "
        "comes out like this; and where they nearly agree, that number is larger than the "
        "difference.",
        tuple(
            lambda g, small=small, above=above: (
                ((g[:, 0] / g[:, 1]).log() + above * small) / (_gap(g) + small)
            )
            for small in (1e-6, 1e-8, 1e-10, 1e-12)
            for above in (0, 1)
        ),
    ),
    Mistake(
        "digits lost where they nearly agree",
        "The quotient or the logarithms are rounded to 16 digits, and of their small difference "
        "only a few are left. A function made for logarithms of numbers near 1 keeps them; so "
        "does a series, or 1 / g wherever the two differ by less than a millionth of themselves.",
        (
            _where_apart(_naive),
            _where_apart(lambda g: (g[:, 0].log() - g[:, 1].log()) / _gap(g)),
            _where_apart(lambda g: -(g[:, 1] / g[:, 0]).log() / _gap(g)),
            _where_apart(lambda g: (g[:, 1].log() - g[:, 0].log()) / -_gap(g)),
        ),
    ),
)


def _apart(generator):
    low = between(generator, 0.05, 0.25)
    pair = (low, low * between(generator, 1.8, 3.0))
    return pair if between(generator, 0, 1) < 0.5 else pair[::-1]


def _nearly(generator):
    g = between(generator, 0.1, 0.4)
    return g, g * (1 + between(generator, 2e-15, 9e-15))


def _small(generator):
    """Draw small ones whose differences are small, too, but no small part of them."""
    g = between(generator, 0.001, 0.0012)
    return [(g, g + gap * between(generator, 0.7, 0.95)) for gap in _GAPS]


def _draw(generator):
    rare = between(generator, 0.002, 0.02), 0.9
    same = [(between(generator, 0.1, 0.4),) * 2 for _ in range(2)]
    apart = [_apart(generator) for _ in range(5)]
    nearly = [_nearly(generator) for _ in range(4)]
    return (
        rows_case("two classes apart", *apart[:3], weight=2.0),
        rows_case("one of them is rare", rare, apart[3]),
        rows_case("equal", *same, apart[4], extreme=True),
        rows_case("nearly equal, or small", *nearly, *_small(generator), extreme=True),
    )


CONSTANT_OF_TWO = Question(
    id="hw4-q4",
    title="The constant for two classes",
    minutes=10,
    signature=(
        'constant_of_two(probabilities: Float64[Tensor, "batch 2"]) -> Float64[Tensor, "batch"]'
    ),
    statement=(
        "Return C with which C g_1^s g_2^(1 - s) integrates to 1 over s from 0 to 1, for each row "
        "(g_1, g_2), in double precision. Each g lies between .001 and 1. They need not sum to 1, "
        "and may be equal, or differ in their last digits only."
    ),
    reference=constant_of_two,
    cases=(
        rows_case("two classes apart", (0.6, 0.4), (0.1, 0.5)),
        rows_case("one of them is rare", (0.01, 0.9)),
        rows_case("equal", (0.5, 0.5), (0.2, 0.2)),
        rows_case(
            "nearly equal, or small",
            (0.3, 0.3 * (1 + 3e-15)),
            (0.2, 0.2 * (1 + 5e-15)),
            *((0.001, 0.001 + 0.9 * gap) for gap in _GAPS),
        ),
    ),
    draw=_draw,
    comparison=CLOSE,
    mistakes=MISTAKES,
    points=3,
)
