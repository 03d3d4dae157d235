"""Lambda read as noise, and two noisy numbers made one.

Variants are called with s (sigma), t (sigma of the teacher) and w (lambda); or with y (label), v
(the teacher's answer), s and t.
"""

import math

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question


def _as_noise(sigma, teacher_sigma, lambda_):
    return sigma / math.sqrt(1 - lambda_), teacher_sigma / math.sqrt(lambda_)


def _variances(s, t, w):
    return s**2 / (1 - w), t**2 / w


def _share(generator):
    """Draw a lambda that can't be taken for 1 - lambda."""
    low = between(generator, 0.15, 0.4)
    return 1 - low if between(generator, 0, 1) < 0.5 else low


def _draw_noise(generator):
    def case(name, label, teacher):
        sigma, other = (between(generator, *limits) for limits in (label, teacher))
        return Case(name, {"sigma": sigma, "teacher_sigma": other, "lambda_": _share(generator)})

    return (
        case("the labels are noisier", (1.6, 3.0), (0.3, 0.7)),
        case("the teacher is noisier", (0.3, 0.7), (1.6, 3.0)),
    )


AS_NOISE = Question(
    id="KD10-E1",
    title="Lambda read as noise",
    minutes=5,
    signature=(
        "as_noise(sigma: float, teacher_sigma: float, lambda_: float) -> tuple[float, float]"
    ),
    statement=(
        "Return the standard deviations of label and answer with which log p(y) + log p(s) without "
        "any lambda differs from (1 - lambda) log p(y) + lambda log p(s) by a constant only, "
        "whatever w. 0 < lambda < 1."
    ),
    reference=_as_noise,
    cases=(
        Case("lambda = .36", {"sigma": 2.0, "teacher_sigma": 0.5, "lambda_": 0.36}),
        Case("lambda = .75", {"sigma": 1.5, "teacher_sigma": 3.0, "lambda_": 0.75}),
    ),
    draw=_draw_noise,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "variances instead of standard deviations",
            "These are the variances, 1/a and 1/b. Asked for are their roots.",
            (_variances,),
        ),
        Mistake(
            "the root of lambda is missing",
            "lambda divides the variance. The standard deviation is divided by its root.",
            (lambda s, t, w: (s / (1 - w), t / w),),
        ),
        Mistake(
            "less weight taken for less noise",
            "What weighs less counts like something noisier: divide by the root, don't multiply.",
            (
                lambda s, t, w: (s * math.sqrt(1 - w), t * math.sqrt(w)),
                lambda s, t, w: (s * (1 - w), t * w),
            ),
        ),
        Mistake(
            "lambda and 1 - lambda exchanged",
            "lambda is the weight of the teacher's answer, 1 - lambda that of the label.",
            (lambda s, t, w: _as_noise(s, t, 1 - w),),
        ),
        Mistake(
            "precisions instead of standard deviations",
            "These are a and b, the weights of the two squares. Asked for are standard deviations: "
            "the roots of 1/a and 1/b.",
            (lambda s, t, w: tuple(1 / value for value in _variances(s, t, w)),),
        ),
        Mistake(
            "the label's noise left as it was",
            "On I the label weighs only 1 - lambda: it counts like one with more noise.",
            (lambda s, t, w: (s, _as_noise(s, t, w)[1]),),
        ),
        Mistake(
            "the teacher's noise left as it was",
            "The answer weighs lambda, and not 1: it counts like one with more noise.",
            (lambda s, t, w: (_as_noise(s, t, w)[0], t),),
        ),
        Mistake(
            "the two in the wrong order",
            "First the label's, then the teacher's.",
            (lambda s, t, w: _as_noise(s, t, w)[::-1],),
        ),
    ),
)


def _between_both(y, v, s, t):
    return (y / s**2 + v / t**2) / (1 / s**2 + 1 / t**2)


def _left(s, t):
    """Return the standard deviation that is left."""
    return 1 / math.sqrt(1 / s**2 + 1 / t**2)


def _combined(target, teacher, label_sigma, teacher_sigma):
    both = target, teacher, label_sigma, teacher_sigma
    return _between_both(*both), _left(*both[2:])


def _response(between_both):
    """Return the answer with another response."""
    return lambda y, v, s, t: (between_both(y, v, s, t), _left(s, t))


def _remaining(left):
    """Return the answer with another standard deviation."""
    return lambda y, v, s, t: (_between_both(y, v, s, t), left(s, t))


def _draw_combined(generator):
    def case(name, low, high, swapped):
        sigmas = between(generator, 0.3, 0.7), between(generator, 1.4, 2.5)
        y, v = between(generator, *low), between(generator, *high)
        given = {"target": y, "teacher": v}
        rest = dict(zip(("label_sigma", "teacher_sigma"), sigmas[::swapped], strict=True))
        return Case(name, given | rest)

    return (
        case("the teacher is surer", (1.0, 2.0), (-3.0, -1.0), -1),
        case("the label is surer", (-2.0, -1.0), (2.0, 4.0), 1),
    )


def _visible(name, *given):
    names = ("target", "teacher", "label_sigma", "teacher_sigma")
    return Case(name, dict(zip(names, given, strict=True)))


COMBINED = Question(
    id="KD10-E2",
    title="Two noisy numbers, one response",
    minutes=10,
    signature=(
        "combined(target: float, teacher: float, label_sigma: float, teacher_sigma: float) "
        "-> tuple[float, float]"
    ),
    statement=(
        "Label and answer are the same number with independent normal noise of these standard "
        "deviations. Return the likeliest number, and the standard deviation of its error."
    ),
    reference=_combined,
    cases=(
        _visible("the teacher is surer", 1.0, 2.0, 2.0, 0.4),
        _visible("the label is surer", 3.0, -1.0, 0.3, 0.4),
    ),
    draw=_draw_combined,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "variances as weights",
            "The noisier of the two counts more here. The weights are the precisions, 1/sigma^2: "
            "that is the slide's slip.",
            (
                _response(lambda y, v, s, t: (y * s**2 + v * t**2) / (s**2 + t**2)),
                lambda y, v, s, t: (
                    (y * s**2 + v * t**2) / (s**2 + t**2),
                    1 / math.sqrt(s**2 + t**2),
                ),
            ),
        ),
        Mistake(
            "1/sigma as weights",
            "The exponent of a normal density holds the square of the distance over sigma: the "
            "weights are 1/sigma^2.",
            (_response(lambda y, v, s, t: (y / s + v / t) / (1 / s + 1 / t)),),
        ),
        Mistake(
            "a plain mean",
            "What is surer counts more: weigh label and answer by 1/sigma^2.",
            (
                _response(lambda y, v, s, t: (y + v) / 2),
                lambda y, v, s, t: ((y + v) / 2, math.sqrt(s**2 + t**2) / 2),
            ),
        ),
        Mistake(
            "not divided by the sum of the weights",
            "A weighted mean is the weighted sum over the sum of the weights.",
            (_response(lambda y, v, s, t: y / s**2 + v / t**2),),
        ),
        Mistake(
            "the precision instead of the standard deviation",
            "Precisions add up, and this is their sum. The standard deviation is 1 over its root.",
            (_remaining(lambda s, t: 1 / s**2 + 1 / t**2),),
        ),
        Mistake(
            "the variance instead of the standard deviation",
            "The variance is 1 over the sum of the precisions; asked for is its root.",
            (_remaining(lambda s, t: _left(s, t) ** 2),),
        ),
        Mistake(
            "variances added",
            "Variances add up for a sum of two numbers. Two measurements of one number make it "
            "surer: their precisions add up.",
            (
                _remaining(lambda s, t: math.sqrt(s**2 + t**2)),
                _remaining(lambda s, t: s**2 + t**2),
            ),
        ),
        Mistake(
            "the mean of the standard deviations",
            "Two measurements together are surer than each alone: add the precisions.",
            (_remaining(lambda s, t: (s + t) / 2),),
        ),
        Mistake(
            "the smaller standard deviation",
            "Even a noisy second measurement helps a little: add the precisions.",
            (_remaining(min),),
        ),
    ),
)
