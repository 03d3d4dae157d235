"""Question 4 of homework 3: the learning rates of snapshot distillation.

Variants are called with e (epochs), c (cycles), s (steps an epoch) and r (the first rate).
"""

import math

import torch
from torch import Tensor

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question


def _steps(count: int) -> Tensor:
    """Return 0, 1, ... in double precision."""
    return torch.arange(count, dtype=torch.float64)


def _half_cosine(part: Tensor) -> Tensor:
    return (1 + (math.pi * part).cos()) / 2


def snapshot_rates(epochs, cycles, steps, rate):
    """Return the half cosine of one cycle, so many times."""
    length = epochs // cycles * steps
    return rate * _half_cosine(_steps(length) / length).repeat(cycles)


def _shaped(curve=_half_cosine, part=lambda n, length: n / length):
    """Return rates with another curve, or with another part of the cycle behind a step."""

    def rates(e, c, s, r):
        length = e // c * s
        return r * curve(part(_steps(length), length)).repeat(c)

    return rates


def _over(place):
    """Return rates by what part of a cycle each of all steps is at."""
    return lambda e, c, s, r: r * _half_cosine(place(_steps(e * s), e, c, s))


def _by_epoch(e, c, s, r):
    """One rate for each epoch."""
    length = e // c
    return r * _half_cosine(_steps(length) / length).repeat(c)


def _rounded_steps(e, c, s, r):
    """Parts of a cycle, added up by a rounded step."""
    parts = torch.arange(0, 1, 1 / (e // c * s), dtype=torch.float64)
    return r * _half_cosine(parts).repeat(c)


MISTAKES = (
    Mistake(
        "one cosine over all steps",
        "Each cycle has a half cosine of its own: the rate starts again at the top.",
        (_over(lambda n, e, c, s: n / len(n)),),
    ),
    Mistake(
        "no jump back to the top",
        "The step's number counts from the start of its cycle. Counted on, the cosine comes "
        "back up as slowly as it fell.",
        (_over(lambda n, e, c, s: n / (e // c * s)),),
    ),
    Mistake(
        "one rate an epoch",
        "The rate changes at every step, not only between epochs.",
        (_by_epoch, lambda e, c, s, r: _by_epoch(e, c, s, r).repeat_interleave(s)),
    ),
    Mistake(
        "one step ahead",
        "The first step of a cycle has number 0 and the full rate. Here it has number 1.",
        (_shaped(part=lambda n, length: (n + 1) / length),),
    ),
    Mistake(
        "0 at the last step of a cycle",
        "With N steps in a cycle, step n is at n / N of it. Divided by N - 1, as "
        "linspace(0, 1, N) does, the last step has rate 0 and learns nothing.",
        (_shaped(part=lambda n, length: n / (length - 1)),),
    ),
    Mistake(
        "factor 1/2 missing",
        "1 + cos lies between 0 and 2. Half of it starts at the given rate.",
        (_shaped(curve=lambda x: 1 + (math.pi * x).cos()),),
    ),
    Mistake(
        "the cosine alone",
        "cos lies between -1 and 1, and a rate isn't negative: take (1 + cos) / 2.",
        (_shaped(curve=lambda x: (math.pi * x).cos()),),
    ),
    Mistake(
        "up instead of down",
        "The rate falls in each cycle: 1 + cos, and not 1 - cos.",
        (_shaped(curve=lambda x: 1 - _half_cosine(x)),),
    ),
    Mistake(
        "a whole cosine",
        "Half a cosine, from 0 to pi, falls. The whole one, to 2 pi, comes up again.",
        (_shaped(curve=lambda x: _half_cosine(2 * x)),),
    ),
    Mistake(
        "a quarter of a cosine",
        "Asked for is (1 + cos) / 2 from 0 to pi, which leaves the top as gently as it reaches 0.",
        (_shaped(curve=lambda x: (math.pi / 2 * x).cos()),),
    ),
    Mistake(
        "a straight line",
        "The rate falls along a half cosine.",
        (_shaped(curve=lambda x: 1 - x),),
    ),
    Mistake(
        "a cycle's epochs taken for its steps",
        "A cycle has epochs / cycles epochs, each of so many steps: multiply by them.",
        (_over(lambda n, e, c, s: n % (e // c) / (e // c)),),
    ),
    Mistake(
        "a cycle every epoch",
        "A cycle has epochs / cycles epochs, and not one.",
        (_over(lambda n, e, c, s: n % s / s),),
    ),
    Mistake(
        "cycles taken for the epochs of a cycle",
        "cycles says how many there are. Each is epochs / cycles epochs long.",
        (_over(lambda n, e, c, s: n % (c * s) / (c * s)),),
    ),
    Mistake(
        "the first cycle only",
        "The rates of all steps are asked for, those of the later cycles as well.",
        (lambda e, c, s, r: snapshot_rates(e, c, s, r)[: e // c * s],),
    ),
    Mistake(
        "the rate not used",
        "The half cosine is multiplied by the rate at which each cycle starts.",
        (lambda e, c, s, r: snapshot_rates(e, c, s, 1.0),),
    ),
    Mistake(
        "one step too many by rounding",
        "49 times the rounded 1/49 is less than 1, so arange(0, 1, 1/49) has 50 elements. Count "
        "in whole numbers, and divide afterwards.",
        (_rounded_steps,),
    ),
)


def _case(name, epochs, cycles, steps, rate, weight=1.0, extreme=False):
    inputs = {"epochs": epochs, "cycles": cycles, "steps": steps, "rate": rate}
    return Case(name, inputs, weight, extreme=extreme)


def _pick(generator, values):
    return values[int(torch.randint(len(values), (), generator=generator))]


def _draw(generator):
    # Cycles, epochs of a cycle and steps differ, so that none can stand for another.
    cycles, length, steps = _pick(generator, ((2, 3, 4), (2, 4, 3), (2, 3, 5), (2, 5, 3)))
    more, fewer, others = _pick(generator, ((3, 2, 5), (4, 2, 3), (3, 2, 4), (4, 3, 5)))
    rates = [between(generator, 0.05, 0.5) for _ in range(3)]
    return (
        _case("two cycles", cycles * length, cycles, steps, rates[0], weight=2.0),
        _case("more cycles", more * fewer, more, others, rates[1]),
        _case("a cycle of 49 steps", 14, 2, 7, rates[2], extreme=True),
    )


SNAPSHOT_RATES = Question(
    id="hw3-q4",
    title="The rates of a snapshot training",
    minutes=10,
    signature=(
        "snapshot_rates(*, epochs: int, cycles: int, steps: int, rate: float) "
        '-> Float[Tensor, "all"]'
    ),
    statement=(
        "Return the learning rate of every step of a training, epochs * steps numbers. It has so "
        "many cycles of equal length (cycles divides epochs); steps are those of one epoch. In "
        "each cycle of N steps, step n = 0, ..., N - 1 has rate * (1 + cos(pi n / N)) / 2."
    ),
    reference=snapshot_rates,
    cases=(
        _case("two cycles", 6, 2, 4, 0.2),
        _case("one cycle", 2, 1, 3, 0.1),
        _case("a cycle of 49 steps", 14, 2, 7, 0.1),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
)
