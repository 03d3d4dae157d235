"""Question 1 of homework 4: what a label weighs, and what a teacher's answer.

Variants are called with k (known), s (sigma), t (sigma of the teacher) and w (lambda).
"""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, some_known
from kdlab.grading.spec import Case, Mistake, Question


def precision_weights(known, sigma, teacher_sigma, lambda_):
    """Return the weights of the labels' and of the answers' squares, [examples] each."""
    on = known.double()
    return (1 - lambda_ * on) / sigma**2, lambda_ * on / teacher_sigma**2


def _label(weight):
    """Return the weights where those of the labels are others."""
    return lambda k, s, t, w: (weight(k.double(), s, w), precision_weights(k, s, t, w)[1])


def _answer(weight):
    return lambda k, s, t, w: (precision_weights(k, s, t, w)[0], weight(k.double(), t, w))


def _both(change):
    return lambda *given: tuple(map(change, precision_weights(*given)))


def _variances_first(k, s, t, w):
    """Python's own division by 0 where a weight of 0 has an infinite variance."""
    label, answer = s**2 / (1 - w), t**2 / w
    return torch.where(k, 1 / label, 1 / s**2), torch.where(k, 1 / answer, 0.0)


def _exchanged(k, s, t, w):
    on = k.double()
    return (on * w + 1 - on) / s**2, (1 - w) * on / t**2


def _everywhere(k, s, t, w):
    return precision_weights(torch.ones_like(k), s, t, w)


def _shares(k, s, t, w):
    a, b = precision_weights(k, s, t, w)
    return a / (a + b), b / (a + b)


MISTAKES = (
    Mistake(
        "variances instead of precisions",
        "sigma is a standard deviation, and the exponent has -(y - f)^2 / (2 sigma^2): the noisier "
        "a number is, the less it weighs. Divide by sigma^2.",
        (
            lambda k, s, t, w: precision_weights(k, 1 / s, 1 / t, w),
            lambda k, s, t, w: precision_weights(k, s**-0.5, t**-0.5, w),
        ),
    ),
    Mistake(
        "sigma not squared",
        "sigma is a standard deviation: the exponent has its square.",
        (lambda k, s, t, w: precision_weights(k, s**0.5, t**0.5, w),),
    ),
    Mistake(
        "lambda left out",
        "On I the label weighs 1 - lambda, and the answer lambda: both are factors of a square.",
        (lambda k, s, t, w: (k.double() * 0 + 1 / s**2, k.double() / t**2),),
    ),
    Mistake(
        "1 - lambda is missing",
        "On I a label weighs 1 - lambda, not 1.",
        (_label(lambda on, s, w: torch.ones_like(on) / s**2),),
    ),
    Mistake(
        "1 - lambda for every label",
        "Where no answer is known, the label counts in full: there its weight is 1 / sigma^2.",
        (_label(lambda on, s, w: torch.ones_like(on) * (1 - w) / s**2),),
    ),
    Mistake(
        "the teacher heard where it isn't known",
        "Off I there is no answer, so its weight is 0.",
        (_answer(lambda on, t, w: torch.ones_like(on) * w / t**2),),
    ),
    Mistake(
        "as if all were known",
        "`known` says where an answer is known. Elsewhere the label has the weight 1 / sigma^2, "
        "and the answer 0.",
        (_everywhere,),
    ),
    Mistake(
        "known and unknown exchanged",
        "The teacher is heard where `known` is True.",
        (lambda k, s, t, w: precision_weights(~k, s, t, w),),
    ),
    Mistake(
        "lambda and 1 - lambda exchanged",
        "lambda is the weight of the teacher's term, 1 - lambda that of the label's.",
        (_exchanged,),
    ),
    Mistake(
        "lambda is missing",
        "The answer weighs lambda / sigma_s^2, and not 1 / sigma_s^2.",
        (_answer(lambda on, t, w: on / t**2),),
    ),
    Mistake(
        "one sigma for both",
        "Labels have the noise sigma, answers the noise sigma_s.",
        (
            lambda k, s, t, w: precision_weights(k, s, s, w),
            lambda k, s, t, w: precision_weights(k, t, t, w),
        ),
    ),
    Mistake(
        "the sigmas exchanged",
        "sigma is the labels', teacher_sigma that of the answers.",
        (lambda k, s, t, w: precision_weights(k, t, s, w),),
    ),
    Mistake(
        "the half counted twice",
        "1/2 stands before the sum already, so it isn't part of the weights.",
        (_both(lambda weight: weight / 2),),
    ),
    Mistake(
        "the sign",
        "Minus the logarithm is made small: the squares' weights are positive.",
        (_both(lambda weight: -weight),),
    ),
    Mistake(
        "1 over the weights",
        "These are the variances that the weights stand for. Asked for are the weights themselves.",
        (_both(lambda weight: 1 / weight),),
    ),
    Mistake(
        "made to sum to 1 for each example",
        "How much an example counts is told by a + b: don't divide by it here.",
        (_shares,),
    ),
    Mistake(
        "a mean over the examples",
        "The objective is a sum over the examples.",
        (_both(lambda weight: weight / len(weight)),),
    ),
    Mistake(
        "the two in the wrong order",
        "First the labels' weights, then the answers'.",
        (lambda *given: precision_weights(*given)[::-1],),
    ),
    Mistake(
        "divided by 1 - lambda",
        "A label of weight 0 has no finite variance. Write the weight down at once, without the "
        "detour.",
        (_variances_first,),
    ),
)


def _case(name, known, sigmas, lambda_, weight=1.0, extreme=False):
    noise = dict(zip(("sigma", "teacher_sigma"), sigmas, strict=True))
    return Case(name, {"known": known, **noise, "lambda_": lambda_}, weight, extreme=extreme)


def _draw(generator):
    small, large = (
        [between(generator, *ends) for _ in range(3)] for ends in ((0.3, 0.7), (1.5, 3))
    )
    # Far enough from 1/2, from 0 and from 1 for lambda not to be taken for anything else.
    low, high = between(generator, 0.15, 0.4), between(generator, 0.6, 0.85)
    few, more = some_known(generator, 7), some_known(generator, 9)
    return (
        _case("the teacher is surer", few, (large[0], small[0]), low, weight=2.0),
        _case("the labels are surer", more, (small[1], large[1]), high),
        _case("lambda = 1", some_known(generator, 6), (small[2], large[2]), 1.0, extreme=True),
    )


_KNOWN = tensor([True, False, True, True, False])

PRECISION_WEIGHTS = Question(
    id="hw4-q1",
    title="What a label weighs, and what an answer",
    minutes=10,
    signature=(
        'precision_weights(known: Bool[Tensor, "examples"], *, sigma: float, '
        'teacher_sigma: float, lambda_: float) -> tuple[Float[Tensor, "examples"], '
        'Float[Tensor, "examples"]]'
    ),
    statement=(
        "Return a and b with which minus the weighted log-likelihood is sum_i [a_i (y_i - f_i)^2 + "
        "b_i (s_i - f_i)^2] / 2 and a constant. sigma and teacher_sigma are standard deviations; "
        "where an answer is known, label and answer weigh 1 - lambda and lambda, elsewhere the "
        "label counts in full and the answer not at all. lambda may be 0 or 1."
    ),
    reference=precision_weights,
    cases=(
        _case("five examples", _KNOWN, (2.0, 0.4), 0.75),
        _case("three examples", _KNOWN[:3], (0.5, 3.0), 0.25),
        _case("lambda = 1", _KNOWN, (0.5, 2.0), 1.0),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
)
