"""Questions 1 and 2 of homework 1: soften predictions, and measure how soft they are.

The lecture's exercises ask for the same functions; here the inputs are harsher, and the
mistakes are theirs and a few more.
"""

from dataclasses import replace

import torch
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.questions.lecture_01.softening import ENTROPY, SOFTEN
from kdlab.grading.spec import Case, Mistake, Question


def _soften_case(name, logits, temperature, weight=1.0):
    return Case(name, {"logits": logits, "temperature": temperature}, weight)


def _extreme(name, logits, temperature):
    return replace(_soften_case(name, logits, temperature), extreme=True)


def _tempered_softmax(logits, temperature):
    return losses.soften(logits, temperature=temperature)


# Powers of two, by which float32 divides exactly: rounding decides no case.
_TINY = 2.0**-10


def _close_together(generator, batch, count):
    """Draw logits that differ by a few _TINY within a row, and by much between rows."""
    steps = torch.randint(8, (batch, count), generator=generator)
    return steps * _TINY + torch.randint(-40, 41, (batch, 1), generator=generator)


def _draw_soften(generator):
    soft = between(generator, 2.0, 8.0)
    sharp = between(generator, 0.3, 0.8)
    return (
        _soften_case("soft", normal(generator, 5, 10), soft),
        _soften_case("sharp", normal(generator, 3, 7), sharp),
        _extreme("logits of 10,000", normal(generator, 4, 5, scale=1e4), 2.0),
        _extreme("a tiny temperature", _close_together(generator, 4, 6), _TINY),
    )


TEMPERED_SOFTMAX = Question(
    id="hw1-q1",
    title="A softmax with temperature that never overflows",
    minutes=10,
    signature=(
        'tempered_softmax(logits: Float[Tensor, "batch classes"], temperature: float) '
        '-> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return softmax(logits / temperature) over the last axis, one row an example. It must "
        "be right for logits of 10,000 and for temperatures of 0.001."
    ),
    reference=_tempered_softmax,
    cases=(
        _soften_case("T = 2", tensor([[4.0, 0.0, -2.0], [1.0, 1.0, 3.0]]), 2.0),
        _soften_case("T = 0.5", tensor([[1.0, 0.0], [0.0, 3.0], [1.0, 1.0]]), 0.5),
        _soften_case("logits of 10,000", tensor([[1e4, 0.0, -1e4], [2.0, 0.0, 1.0]]), 4.0),
        _soften_case(
            "T = 1/1024",
            tensor([[3.0, 3.0 + _TINY, 2.0], [-7.0, -7.0, -7.0 - 2 * _TINY]]),
            _TINY,
        ),
    ),
    draw=_draw_soften,
    comparison=FLOAT32,
    mistakes=(
        *SOFTEN.mistakes,
        Mistake(
            "one softmax over the whole batch",
            "All rows together sum to 1. Each row is one example and sums to 1 by itself: give "
            "the last axis to softmax, sum and max.",
            (
                lambda logits, temperature: (
                    (logits / temperature).flatten().softmax(dim=0).reshape(logits.shape)
                ),
            ),
        ),
        Mistake(
            "digits lost to a large number",
            "Where z / T is 40,000, so is its log-sum-exp, and float32 keeps three digits of "
            "their difference. Subtract each row's maximum first.",
            (
                lambda logits, temperature: (
                    logits / temperature - (logits / temperature).logsumexp(1, keepdim=True)
                ).exp(),
            ),
        ),
        Mistake(
            "NaN replaced",
            "The exponentials still overflow; where NaN was, any other number is wrong as well. "
            "Subtract each row's maximum first.",
            (
                lambda logits, temperature: _normalized(logits / temperature).nan_to_num(),
                lambda logits, temperature: _normalized(logits / temperature).nan_to_num(1.0),
            ),
        ),
        Mistake(
            "parameters in the wrong order",
            "The logits come first, then the temperature.",
            (lambda logits, temperature: (temperature / logits).softmax(dim=1),),
        ),
        Mistake(
            "minimum instead of maximum subtracted",
            "exp of what is left still overflows. Subtract each row's largest logit, so that "
            "no exponent is above 0.",
            (
                lambda logits, temperature: _normalized(
                    logits / temperature - (logits / temperature).amin(1, keepdim=True)
                ),
            ),
        ),
    ),
    points=3,
)


def _normalized(scores):
    return scores.exp() / scores.exp().sum(1, True)


def _entropy(probabilities):
    return torch.special.entr(probabilities).sum(dim=1)


def _draw_entropy(generator):
    some_zeros = normal(generator, 4, 6)
    some_zeros[:, :2] = -torch.inf
    certain = torch.eye(5)[classes(generator, 3, of=5)]
    return (
        Case("spread", {"probabilities": normal(generator, 5, 10).softmax(dim=1)}, weight=2.0),
        Case("some are zero", {"probabilities": some_zeros.softmax(dim=1)}),
        Case("certain", {"probabilities": certain}, extreme=True),
    )


def _with_constant(size):
    return lambda probabilities: -(probabilities * (probabilities + size).log()).sum(dim=1)


ENTROPY_OF = Question(
    id="hw1-q2",
    title="The entropy of predictions",
    minutes=5,
    signature='entropy(probabilities: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch"]',
    statement=(
        "Return the entropy of each row in nats. A probability of 0 contributes 0, so that a "
        "certain prediction has entropy 0 and not NaN."
    ),
    reference=_entropy,
    cases=(
        Case("two examples", {"probabilities": tensor([[0.5, 0.25, 0.25], [0.7, 0.2, 0.1]])}),
        Case("uniform over four", {"probabilities": tensor([[0.25, 0.25, 0.25, 0.25]])}),
        Case("certain", {"probabilities": tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5]])}),
    ),
    draw=_draw_entropy,
    comparison=FLOAT32,
    mistakes=(
        *ENTROPY.mistakes,
        Mistake(
            "a large constant inside the logarithm",
            "log(p + c) keeps NaN away, but c also changes the entropy of every other row. "
            "torch.special.entr, xlogy or where needs no constant.",
            tuple(_with_constant(size) for size in (1e-3, 1e-4, 1e-2)),
        ),
        Mistake(
            "NaN replaced in the whole row",
            "One probability of 0 makes the whole sum NaN, and the row's other probabilities are "
            "lost with it. Give 0 to that term alone, before the sum.",
            (lambda probabilities: -(probabilities * probabilities.log()).sum(dim=1).nan_to_num(),),
        ),
        Mistake(
            "one column instead of one value a row",
            "The result has one number for each example, without a second axis: leave out keepdim.",
            (lambda probabilities: _entropy(probabilities)[:, None],),
        ),
        Mistake(
            "softmax of probabilities",
            "The rows are probabilities already; another softmax flattens them.",
            (lambda probabilities: _entropy(probabilities.softmax(dim=1)),),
        ),
        Mistake(
            "not weighted by the probabilities",
            "This sums -ln p alone. The entropy is the mean of -ln p under p: each term is "
            "weighed by its own probability.",
            (lambda probabilities: -probabilities.log().sum(dim=1),),
        ),
    ),
    points=2,
)
