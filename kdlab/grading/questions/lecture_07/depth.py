"""The deepest exit teaches the shallow ones: the loss of one network with exits."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import (
    between,
    classes,
    divergence,
    normal,
    soft_cross_entropy,
)
from kdlab.grading.spec import Case, Comparison, Mistake, Question

WITH_GRADIENT = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; T^2 times a difference of logarithms costs two",
    gradient_of=("logits",),
)


def _exits_loss(
    logits,
    targets,
    temperature,
    lambda_,
    *,
    teacher_of=lambda logits, i: logits[-1].detach(),
    squared=True,
    kl=divergence,
    deepest=1.0,
    every=torch.sum,
):
    """Return the loss; what stands after the star says what a mistake does otherwise."""
    parts = [deepest * F.cross_entropy(logits[-1], targets)]
    for i, own in enumerate(logits[:-1]):
        taught = kl(own, teacher_of(logits, i), temperature)
        taught = taught * (temperature**2 if squared else 1)
        parts.append((1 - lambda_) * F.cross_entropy(own, targets) + lambda_ * taught)
    return every(torch.stack(parts))


def _reference(logits, targets, temperature, lambda_):
    return _exits_loss(logits, targets, temperature, lambda_)


def _with(**changed):
    return lambda *given: _exits_loss(*given, **changed)


def _all_hear(logits, targets, temperature, lambda_):
    weights = {"deepest": 1 - lambda_}
    return _exits_loss(logits, targets, temperature, lambda_, **weights)


def _exchanged(logits, targets, temperature, lambda_):
    return _exits_loss(logits, targets, temperature, 1 - lambda_)


def _draw(generator):
    def case(exits, batch, count):
        given = {
            "logits": normal(generator, exits, batch, count, scale=2.0),
            "targets": classes(generator, batch, of=count),
            "temperature": between(generator, 2.0, 5.0),
            "lambda_": between(generator, 0.6, 0.8),
        }
        return Case(f"{exits} exits, {batch} of {count} classes", given)

    return case(3, 5, 10), case(4, 6, 4)


_LOGITS = tensor(
    [
        [[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]],
        [[2.0, -1.0, 0.0], [1.0, 0.5, -1.0]],
        [[3.0, 0.0, 1.0], [-1.0, 2.0, 1.0]],
    ]
)

EXITS = Question(
    id="KD07-E3",
    title="The deepest exit teaches",
    minutes=15,
    signature=(
        'exits_loss(logits: Float[Tensor, "exits batch classes"], targets: Int64[Tensor, "batch"], '
        'temperature: float, lambda_: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the sum over the exits of their losses: cross-entropy for the deepest, which is "
        "the last; (1 - lambda) CE + lambda T^2 KL(deepest || exit) for each other one. No "
        "gradient of a KL reaches the deepest exit."
    ),
    reference=_reference,
    cases=(
        Case(
            "three exits",
            {"logits": _LOGITS, "targets": tensor([0, 1]), "temperature": 2.0, "lambda_": 0.75},
        ),
        Case(
            "two exits",
            {"logits": _LOGITS[1:], "targets": tensor([2, 1]), "temperature": 3.0, "lambda_": 0.25},
        ),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=(
        Mistake(
            "the deepest exit is not detached",
            "The value is right, the gradient is not: the KL also pulls the deepest exit towards "
            "the shallow ones. Detach it.",
            (_with(teacher_of=lambda logits, i: logits[-1]),),
        ),
        Mistake(
            "T^2 is missing",
            "The teacher's term has the factor T^2, as in lecture 02.",
            (_with(squared=False),),
        ),
        Mistake(
            "the divergence the other way round",
            "Wanted is KL(deepest || exit): the mean is over the deepest exit's probabilities.",
            (_with(kl=lambda own, deepest, temperature: divergence(deepest, own, temperature)),),
        ),
        Mistake(
            "the deepest exit's labels weigh 1 - lambda",
            "The deepest exit has no teacher: its cross-entropy has the weight 1.",
            (_all_hear,),
        ),
        Mistake(
            "a mean over the exits",
            "The losses of the exits are added, not averaged.",
            (
                _with(every=torch.mean),
                _with(every=lambda losses: losses[0] + losses[1:].mean()),
            ),
        ),
        Mistake(
            "cross-entropy with soft targets",
            "The gradient is right; the value is too large by the deepest exit's entropy. Wanted "
            "is KL(deepest || exit), both softened.",
            (_with(kl=soft_cross_entropy),),
        ),
        Mistake(
            "each exit hears the next one",
            "The teacher of all is the deepest exit, the last of the logits.",
            (_with(teacher_of=lambda logits, i: logits[i + 1].detach()),),
        ),
        Mistake(
            "the first exit teaches",
            "The deepest exit is the last of the logits.",
            (lambda logits, *rest: _exits_loss(logits.flip(0), *rest),),
        ),
        Mistake(
            "lambda and 1 - lambda exchanged",
            "lambda is the weight of the deepest exit's term, 1 - lambda that of the labels.",
            (_exchanged,),
        ),
        Mistake(
            "no gradient of the deepest exit's own cross-entropy",
            "Its own cross-entropy belongs to the sum, and isn't detached: else nobody teaches it.",
            (_with(deepest=0.0),),
        ),
    ),
)
