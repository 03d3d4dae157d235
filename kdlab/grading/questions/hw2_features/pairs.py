"""What the losses of homework 2 share: pairs of features, and what goes wrong with gradients."""

from collections.abc import Callable

import torch
from torch import Tensor

from kdlab.grading.questions._common import normal
from kdlab.grading.spec import Case, Comparison, Mistake

WITH_GRADIENT = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; sums over all pairs or triples in another order cost two",
    gradient_of=("student_features", "teacher_features"),
)
# Multiples of these are added to the shift, and subtracted again, without rounding: an answer
# that takes differences first loses nothing, whatever its order.
_STEP, _FAR = 2.0**-10, 4096.0
_APART = 0.3


def pair_case(name, student_features, teacher_features, *, weight=1.0, extreme=False, **rest):
    """Return a case of a function of two sets of features, and of what else it takes."""
    inputs = {"student_features": student_features, "teacher_features": teacher_features, **rest}
    return Case(name, inputs, weight, extreme=extreme)


def rows(generator: torch.Generator, batch: int, *widths: int) -> tuple[Tensor, ...]:
    """Draw features of the same examples, one row an example, for each width."""
    return tuple(_apart(generator, batch, width) for width in widths)


def _apart(generator: torch.Generator, batch: int, width: int) -> Tensor:
    """Draw until no two examples are close: there, right answers differ by rounding."""
    while True:
        features = normal(generator, batch, width, scale=1.0)
        if torch.pdist(features).min() > _APART:
            return features


def with_outlier(features: Tensor) -> Tensor:
    """Move the first example far away: its distances are large, even over their mean."""
    away = torch.zeros_like(features)
    away[0] = 32.0
    return features + away


def with_twins(features: Tensor) -> Tensor:
    """Make the last two examples one and the same."""
    # Few digits: inner products of equal rows are equal then, in whatever order one sums.
    features = (8 * features).round() / 8
    return torch.cat([features[:-1], features[-2:-1]])


def far_away(features: Tensor) -> Tensor:
    """Give all features a large common mean."""
    return (features / _STEP).round() * _STEP + _FAR


def silenced(features: Tensor) -> Tensor:
    """Set the second example's features to 0."""
    heard = torch.ones(len(features), *[1] * (features.ndim - 1))
    heard[1] = 0.0
    return features * heard


def taught(loss: Callable) -> Callable:
    """Return the loss with a constant teacher: what else is wrong with it stays wrong."""
    return lambda student, teacher, *rest: loss(student, teacher.detach(), *rest)


def gradient_mistakes(loss: Callable) -> tuple[Mistake, ...]:
    """Return the ways in which a loss of the right value has wrong gradients.

    Args:
        loss: The right formula, which detaches nothing.
    """
    learning_teacher = _student_detached(loss)
    variants = (loss, learning_teacher, taught(learning_teacher))
    texts = zip(_GRADIENT_TEXTS, variants, strict=True)
    return tuple(Mistake(name, because, (variant,)) for (name, because), variant in texts)


def _student_detached(loss: Callable) -> Callable:
    return lambda student, teacher, *rest: loss(student.detach(), teacher, *rest)


_GRADIENT_TEXTS = (
    (
        "teacher not detached",
        "The teacher is a constant here, yet a gradient reaches it. Detach its features.",
    ),
    (
        "the student detached instead of the teacher",
        "The value is symmetric and the gradient is not: it must reach the student, which "
        "learns, and not the teacher. Perhaps the arguments are exchanged.",
    ),
    (
        "no gradient for the student",
        "The value is right, but nothing can be learned from it: detach, item, tolist or numpy "
        "cut the student off.",
    ),
)
