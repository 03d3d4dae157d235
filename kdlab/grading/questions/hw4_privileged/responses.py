"""Question 2 of homework 4: one response in place of a label and an answer.

Variants are called with y (labels), s (answers), a and b (their weights); what they build on
reads no answer of weight 0.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, some_known
from kdlab.grading.spec import Case, Mistake, Question


def _heard(s: Tensor, b: Tensor) -> Tensor:
    return s.masked_fill(b == 0, 0.0)


def _mean(y, s, a, b):
    return (a * y + b * _heard(s, b)) / (a + b)


def pseudo_responses(targets, teacher, label_weights, teacher_weights):
    """Return y'' and its weight, [examples] each."""
    given = targets, teacher, label_weights, teacher_weights
    return _mean(*given), label_weights + teacher_weights


def _response(response):
    """Return the answer with other responses."""
    return lambda y, s, a, b: (response(y, _heard(s, b), a, b), a + b)


def _weight(weight):
    """Return the answer with another weight."""
    return lambda y, s, a, b: (_mean(y, s, a, b), weight(a, b))


def _powers(power):
    """Return the weighted mean by powers of the weights."""
    return _response(lambda y, s, a, b: (a**power * y + b**power * s) / (a**power + b**power))


MISTAKES = (
    Mistake(
        "the weights exchanged",
        "What weighs more pulls more. With variances for precisions it comes out like this.",
        (
            lambda y, s, a, b: ((b * y + a * s) / (a + b), a + b),
            _response(lambda y, s, a, b: torch.where(b > 0, (b * y + a * s) / (a + b), y)),
        ),
    ),
    Mistake(
        "a plain mean",
        "Label and answer pull with their weights a and b.",
        (
            _response(lambda y, s, a, b: torch.where(b > 0, (y + s) / 2, y)),
            lambda y, s, a, b: ((y + s) / 2, a + b),
        ),
    ),
    Mistake(
        "not divided by a + b",
        "a y + b s is what stands before 2 f. In c (y'' - f)^2 that is c y'': compare both.",
        (_response(lambda y, s, a, b: a * y + b * s),),
    ),
    Mistake(
        "divided by 2",
        "The weights don't sum to 2: divide by a + b.",
        (
            _response(lambda y, s, a, b: (a * y + b * s) / 2),
            _response(lambda y, s, a, b: torch.where(b > 0, (a * y + b * s) / 2, y)),
        ),
    ),
    Mistake(
        "the answer in place of the label",
        "Where an answer is known, the label is still heard: y'' lies between the two.",
        (_response(lambda y, s, a, b: torch.where(b > 0, s, y)),),
    ),
    Mistake(
        "the answers not heard",
        "Where an answer is known, it moves the response: y'' lies between label and answer.",
        (_response(lambda y, s, a, b: y),),
    ),
    Mistake(
        "the roots of the weights",
        "a and b are weights of squares: they are used as they are.",
        (_powers(0.5),),
    ),
    Mistake(
        "the squares of the weights",
        "a and b are precisions, 1 over variances, already: they are not squared.",
        (_powers(2),),
    ),
    Mistake(
        "the variance instead of the weight",
        "The weight of y'' is a + b, the factor of f^2. Its variance is 1 over that.",
        (_weight(lambda a, b: 1 / (a + b)),),
    ),
    Mistake(
        "the mean of the two weights",
        "a f^2 and b f^2 add up: the weight of y'' is a + b.",
        (_weight(lambda a, b: (a + b) / 2),),
    ),
    Mistake(
        "variances added",
        "Label and answer are two measurements of one number: their precisions add up, and not "
        "their variances.",
        (
            _weight(lambda a, b: 1 / (1 / a + 1 / b)),
            _weight(lambda a, b: torch.where(b > 0, a * b / (a + b), a)),
        ),
    ),
    Mistake(
        "the label's weight alone",
        "Where an answer is known, the response is surer than the label alone: a + b.",
        (_weight(lambda a, b: a),),
    ),
    Mistake(
        "the weights made to sum to 1",
        "The best student would be the same, but the squares wouldn't: asked for are the weights "
        "that complete them.",
        (_weight(lambda a, b: (a + b) / (a + b).sum()),),
    ),
    Mistake(
        "the root of the weight",
        "By the root one multiplies the rows of a least-squares problem. The weight of the square "
        "is a + b.",
        (_weight(lambda a, b: (a + b).sqrt()),),
    ),
    Mistake(
        "the two in the wrong order",
        "First the responses, then their weights.",
        (lambda *given: pseudo_responses(*given)[::-1],),
    ),
    Mistake(
        "0 times NaN",
        "An unknown answer has the weight 0, but 0 times NaN is NaN. Choose with torch.where, or "
        "compute where b > 0 only.",
        (lambda y, s, a, b: ((a * y + b * s) / (a + b), a + b),),
    ),
)


def _case(name, *given, weight=1.0, extreme=False):
    names = ("targets", "teacher", "label_weights", "teacher_weights")
    return Case(name, dict(zip(names, given, strict=True)), weight, extreme=extreme)


def _unknown(y, s, a, b):
    """Forget the answers of weight 0."""
    return y, s.masked_fill(b == 0, torch.nan), a, b


def _draw(generator):
    def given(examples, label, answer):
        y, s = 2 * torch.randn(2, examples, generator=generator)
        shares = torch.rand(2, examples, generator=generator)
        a, b = (
            low + (high - low) * u for u, (low, high) in zip(shares, (label, answer), strict=True)
        )
        # Apart from each other, so that a mean of both is neither.
        return y, y + s.sign() * (1 + s.abs()), a, b * some_known(generator, examples)

    return (
        _case("the teacher is surer", *given(7, (0.2, 0.8), (1.5, 4.0)), weight=2.0),
        _case("the labels are surer", *given(9, (1.5, 4.0), (0.2, 0.8))),
        _case("unknown answers are NaN", *_unknown(*given(6, (0.5, 2), (0.5, 2))), extreme=True),
    )


_FIVE = (
    tensor([1.0, 2.0, -1.0, 0.5, 3.0]),
    tensor([2.0, 5.0, 1.0, -0.5, 4.0]),
    tensor([0.5, 1.0, 0.25, 2.0, 0.75]),
    tensor([1.5, 0.0, 4.0, 0.5, 0.0]),
)

PSEUDO_RESPONSES = Question(
    id="hw4-q2",
    title="One response in place of two",
    minutes=5,
    signature=(
        'pseudo_responses(targets: Float[Tensor, "examples"], teacher: Float[Tensor, "examples"], '
        'label_weights: Float[Tensor, "examples"], teacher_weights: Float[Tensor, "examples"]) '
        '-> tuple[Float[Tensor, "examples"], Float[Tensor, "examples"]]'
    ),
    statement=(
        "Return y'' and c, one number each for every example, with which a (y - f)^2 + b (s - f)^2 "
        "is c (y'' - f)^2 and something in which f has no part. Where b = 0 no answer is known: s "
        "is not to be read there, and may be NaN. a + b > 0."
    ),
    reference=pseudo_responses,
    cases=(
        _case("five examples", *_FIVE),
        _case("three examples", *(row[[3, 1, 2]] for row in _FIVE)),
        _case("unknown answers are NaN", *_unknown(*_FIVE)),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=2,
)
