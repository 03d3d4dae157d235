"""Question 5 of homework 4: the constant of the teacher's density for three classes.

Variants are called with g, [batch, 3].
"""

import numpy as np
import torch
from torch import Tensor, tensor

from kdlab import privileged
from kdlab.grading.questions._common import between
from kdlab.grading.questions.hw4_privileged.supports import (
    CLOSE,
    ELSEWHERE,
    constant,
    rows_case,
    turned,
)
from kdlab.grading.spec import Mistake, Question


def constant_of_three(probabilities):
    """Return 1 over the integral of g_1^s_1 g_2^s_2 g_3^s_3 over the triangle, [batch]."""
    return constant(probabilities)


def _others(g: Tensor) -> Tensor:
    """Return log(g_k / g_j) for the two other classes j, [batch, 3, 2]."""
    others = tensor([[1, 2], [0, 2], [0, 1]])
    return (g[:, :, None] / g[:, others]).log()


def _naive(g):
    return 1 / (g / _others(g).prod(dim=2)).sum(dim=1)


def _first(g, h):
    """Return the integral of g^s h^(1 - s), right where both are the very same."""
    return torch.where(g == h, g, (g - h) / (g / h).log())


def _by_steps(g):
    """Return 1 over the second divided difference, from first ones: 0/0 only where all agree."""
    low, middle, high = g.sort(dim=1).values.unbind(dim=1)
    return (high / low).log() / (_first(high, middle) - _first(middle, low))


def _where_all_differ(g):
    return torch.where((g == g[:, :1]).all(dim=1), 2 / g[:, 0], _naive(g))


def _where_any_differ(g):
    return torch.where((g == g[:, :1]).all(dim=1), 2 / g[:, 0], _by_steps(g))


def _on_a_square(g, low, narrow):
    """Return 1 over the integral over s_1 and u with s_2 = (1 - s_1) u, both from low to 1."""
    nodes, weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(40))
    half = (1 - low) / 2
    s, u = (low + half * (nodes + 1)).expand(40, 40), (low + half * (nodes + 1))[:, None]
    places = torch.stack([s, (1 - s) * u, (1 - s) * (1 - u)])
    values = torch.einsum("bk,kij->bij", g.log(), places).exp() * narrow(1 - s)
    return 1 / torch.einsum("bij,i,j->b", values, half * weights, half * weights)


def _square(g):
    """Return 1 over the integral over s_1 and s_2 from 0 to 1 each, s_3 what is left."""
    first, second = (_first(g[:, k] / g[:, 2], torch.ones_like(g[:, 2])) for k in (0, 1))
    return 1 / (g[:, 2] * first * second)


MISTAKES = (
    *turned(2, "triangle"),
    *ELSEWHERE,
    Mistake(
        "the printed constant",
        "(-1)^K K^(K/2) 2^(-K(K-1)/2) prod g log g isn't 1 over the integral over the triangle, "
        "nor over anything else for three classes.",
        (lambda g: privileged.published_log_constant(g).exp(),),
    ),
    Mistake(
        "over the square",
        "s_1 + s_2 <= 1: behind the diagonal s_3 would be negative. The inner integral ends at "
        "1 - s_1.",
        (_square,),
    ),
    Mistake(
        "the triangle's width forgotten",
        "With s_2 = (1 - s_1) u the triangle becomes a square, and ds_2 is (1 - s_1) du.",
        tuple(
            lambda g, turn=turn: _on_a_square(g.roll(turn, dims=1), 0.0, torch.ones_like)
            for turn in range(3)
        ),
    ),
    Mistake(
        "nodes from -1 to 1",
        "Gauss's nodes lie between -1 and 1, and their weights sum to 2. For an integral from 0 "
        "to 1 they are (node + 1) / 2 and weight / 2.",
        (lambda g: _on_a_square(g, -1.0, lambda width: width), lambda g: constant(g) / 4),
    ),
    Mistake(
        "the third class forgotten",
        "s_3 is 1 - s_1 - s_2, and g_3 to that power is a factor of the integrand.",
        (lambda g: constant(torch.cat([g[:, :2], torch.ones_like(g[:, :1])], dim=1)),),
    ),
    Mistake(
        "two classes only",
        "This is the constant on the edge between two classes. The triangle has an inside.",
        (lambda g: constant(g[:, :2]), lambda g: constant(g[:, 1:]), lambda g: constant(g[:, ::2])),
    ),
    Mistake(
        "a mean over the triangle",
        "Its area is 1/2, and the integral isn't divided by it.",
        (lambda g: constant(g) / 2,),
    ),
    Mistake(
        "a sum instead of the product of logarithms",
        "Each g_k is divided by the product of log(g_k / g_j) over the two other classes.",
        (lambda g: 1 / (g / _others(g).sum(dim=2)).sum(dim=1),),
    ),
    Mistake(
        "without signs",
        "log(g_k / g_j) is negative for the smaller one of the two, and so are some of the three "
        "terms.",
        (lambda g: 1 / (g / _others(g).prod(dim=2)).abs().sum(dim=1),),
    ),
    Mistake(
        "a single step",
        "The integrand bends over the triangle: its value at the centre, or the mean of the "
        "corners, is not enough.",
        (lambda g: 2 / g.prod(dim=1) ** (1 / 3), lambda g: 6 / g.sum(dim=1)),
    ),
    Mistake(
        "0 divided by 0",
        "Where two g are equal, terms of the sum are infinite and cancel. The integral itself is "
        "as smooth there as anywhere: take its limit, a series, or a numerical integral.",
        (_naive,),
    ),
    Mistake(
        "two equal ones forgotten",
        "2 / g is right where all three are equal, but two equal ones are 0/0 as well.",
        (_where_all_differ,),
    ),
    Mistake(
        "moved apart too little",
        "Logarithms of numbers d apart have an error of 10^-16 / d, and the terms divide by d^2 "
        "once more; a large d is an error itself. A series or a numerical integral needs no d.",
        tuple(
            lambda g, small=small: _naive(g + small * torch.arange(3)) for small in (1e-9, 1e-10)
        ),
    ),
    Mistake(
        "digits lost where they nearly agree",
        "Exact equality is caught, but close by the differences have few digits left. Take a "
        "series or a numerical integral where the g are close.",
        (_where_any_differ, _by_steps),
    ),
)


_RARE = (0.9, 0.09, 0.01)


def _apart(generator):
    shares = [1.0, between(generator, 1.5, 2.2), between(generator, 3.0, 5.0)]
    return [shares[k] / sum(shares) for k in torch.randperm(3, generator=generator)]


def _pair(generator, place, gap=0.0):
    """Return two equal ones, or nearly so, and another one in this place."""
    g = between(generator, 0.2, 0.28)
    rest = [g, g * (1 + gap)]
    return [*rest[:place], 1 - sum(rest), *rest[place:]]


def _close(generator, gap):
    """Return three that all but agree."""
    part = gap * between(generator, 0.5, 0.8)
    return [1 / 3, (1 + part) / 3, (1 - part) / 3]


def _draw(generator):
    apart = [_apart(generator) for _ in range(4)]
    pairs = [_pair(generator, place) for place in range(3)]
    close = [_close(generator, gap) for gap in (0.0, 1e-9, 1e-10)]
    return (
        rows_case("three classes apart", *apart[:3], weight=2.0),
        rows_case("one of them is rare", _RARE, apart[3]),
        rows_case("two equal", *pairs, extreme=True),
        rows_case("nearly equal", *close, _pair(generator, 0, 1e-13), extreme=True),
    )


CONSTANT_OF_THREE = Question(
    id="hw4-q5",
    title="The constant for three classes",
    minutes=15,
    signature=(
        'constant_of_three(probabilities: Float64[Tensor, "batch 3"]) -> Float64[Tensor, "batch"]'
    ),
    statement=(
        "Return C with which C g_1^s_1 g_2^s_2 g_3^s_3 integrates to 1 over ds_1 ds_2 on the "
        "triangle s_1 >= 0, s_2 >= 0, s_3 = 1 - s_1 - s_2 >= 0, for each row, in double precision. "
        "Each g is at least .001; two or all three may be equal, or nearly so."
    ),
    reference=constant_of_three,
    cases=(
        rows_case("three classes apart", (0.5, 0.3, 0.2), (0.1, 0.25, 0.65)),
        rows_case("one of them is rare", (0.9, 0.09, 0.01)),
        rows_case("two equal", (0.2, 0.4, 0.4), (0.4, 0.2, 0.4), (0.25, 0.25, 0.5)),
        rows_case("nearly equal", (1 / 3, 1 / 3, 1 / 3), (1 / 3, 1 / 3 + 1e-9, 1 / 3 - 1e-9)),
    ),
    draw=_draw,
    comparison=CLOSE,
    mistakes=MISTAKES,
    points=5,
)
