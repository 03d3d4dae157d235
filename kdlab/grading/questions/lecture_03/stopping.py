"""A student that stops to hear its teacher."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import (
    FLOAT32,
    between,
    classes,
    divergence,
    normal,
    soft_cross_entropy,
)
from kdlab.grading.spec import Case, Mistake, Question

_Z = tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
_V = tensor([[3.0, 1.0, -2.0], [0.0, 1.0, 4.0]])
_Y = tensor([0, 2])


def _stopped(student_logits, teacher_logits, targets, temperature, lambda_, epoch, stop, **changed):
    """The loss with an early stop; `changed` says what a mistake does otherwise."""
    softened = temperature if changed.get("soft_labels") else 1.0
    labelled = F.cross_entropy(student_logits / softened, targets)
    taught = changed.get("kl", divergence)(student_logits, teacher_logits, temperature)
    taught = taught * (temperature**2 if changed.get("squared", True) else 1)
    heard = epoch <= stop if changed.get("late") else epoch < stop
    if changed.get("turned"):
        heard = not heard
    if heard:
        weight = 1 - lambda_ if changed.get("exchanged") else lambda_
        return (1 - weight) * labelled + weight * taught
    return labelled * ((1 - lambda_) if changed.get("light") else 1)


def _early_stop_loss(student_logits, teacher_logits, targets, temperature, lambda_, epoch, stop):
    return _stopped(student_logits, teacher_logits, targets, temperature, lambda_, epoch, stop)


def _with(**changed):
    return lambda *given: _stopped(*given, **changed)


def _stop_case(name, generator, epoch, stop):
    given = {
        "student_logits": normal(generator, 6, 5),
        "teacher_logits": normal(generator, 6, 5),
        "targets": classes(generator, 6, of=5),
        "temperature": between(generator, 2.0, 6.0),
        "lambda_": between(generator, 0.3, 0.9),
    }
    return Case(name, given | {"epoch": epoch, "stop": stop})


def _draw_stop(generator):
    stop = int(torch.randint(3, 9, (), generator=generator))
    return (
        _stop_case("before the stop", generator, stop - 1, stop),
        _stop_case("at the stop", generator, stop, stop),
        _stop_case("after the stop", generator, stop + 2, stop),
    )


def _visible(epoch):
    given = {"student_logits": _Z, "teacher_logits": _V, "targets": _Y}
    return given | {"temperature": 2.0, "lambda_": 0.75, "epoch": epoch, "stop": 4}


EARLY_STOP = Question(
    id="KD03-E3",
    title="Stop to hear",
    minutes=10,
    signature=(
        'early_stop_loss(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"], '
        'temperature: float, lambda_: float, epoch: int, stop: int) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the distillation loss (1 - lambda) CE + lambda T^2 KL in epochs 0 to stop - 1, "
        "and cross-entropy alone, with weight 1, from epoch `stop` on."
    ),
    reference=_early_stop_loss,
    cases=(
        Case("before the stop", _visible(3)),
        Case("at the stop", _visible(4)),
        Case("long after it", _visible(9)),
    ),
    draw=_draw_stop,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "heard at the stop",
            "In epoch `stop` the teacher is still heard. Epochs count from 0: with stop = 4 it is "
            "heard in epochs 0, 1, 2, 3 and never again.",
            (_with(late=True),),
        ),
        Mistake(
            "labels keep the weight 1 - lambda",
            "After the stop cross-entropy is all there is: its weight is 1.",
            (_with(light=True),),
        ),
        Mistake(
            "T^2 is missing",
            "The teacher's term has the factor T^2, as in lecture 02.",
            (_with(squared=False),),
        ),
        Mistake(
            "lambda and 1 - lambda exchanged",
            "lambda is the weight of the teacher's term, 1 - lambda that of the labels.",
            (_with(exchanged=True),),
        ),
        Mistake(
            "the labels' term at temperature T",
            "Labels are learnt at T = 1: only the teacher's term is softened.",
            (_with(soft_labels=True),),
        ),
        Mistake(
            "cross-entropy with soft targets",
            "The gradient is right; the value is too large by the teacher's entropy. Wanted is "
            "KL(teacher || student), both softened.",
            (_with(kl=soft_cross_entropy),),
        ),
        Mistake(
            "the other way round",
            "The teacher is heard first, and labels alone come after the stop.",
            (_with(turned=True),),
        ),
    ),
)
