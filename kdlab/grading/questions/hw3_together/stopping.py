"""Question 5 of homework 3: when the teacher is dropped.

Variants are called with training losses, held-out errors, patience and lambda. What they build
on takes h (held-out errors) and p (patience), and returns how many epochs hear the teacher.
"""

from operator import gt, le, lt

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.questions.hw3_together.curves import draw_curves, visible_curves
from kdlab.grading.spec import Mistake, Question


def _waits(errors: Tensor, better=lt) -> list[int]:
    """Return for each epoch how many came since the best one so far."""
    best, waits = errors[0], [0]
    for error in errors[1:]:
        waits.append(0 if better(error, best) else waits[-1] + 1)
        best = error if better(error, best) else best
    return waits


def _falls(errors: Tensor) -> list[int]:
    """Return for each epoch how many came since one that was better than the one before it."""
    waits = [0]
    for before, error in zip(errors, errors[1:], strict=False):
        waits.append(0 if error < before else waits[-1] + 1)
    return waits


def _in_all(errors: Tensor) -> list[int]:
    """Return for each epoch how many so far brought no new best."""
    return tensor([wait > 0 for wait in _waits(errors)]).cumsum(0).tolist()


def _dropped(waits: list[int], patience: int, never: int | None = None) -> int:
    """Return after how many epochs the teacher is dropped, or how many there are."""
    never = len(waits) if never is None else never
    return next((n for n, wait in enumerate(waits, start=1) if wait >= patience), never)


def _weights(heard: int, epochs: int, lambda_: float) -> Tensor:
    return lambda_ * (torch.arange(epochs) < heard).float()


def teacher_weights(training_losses, held_out_errors, patience, lambda_):
    """Return lambda until patience is over, then 0."""
    heard = _dropped(_waits(held_out_errors), patience)
    return _weights(heard, len(held_out_errors), lambda_)


def _until(heard):
    """Return the weights where another number of epochs hears the teacher."""
    return lambda losses, h, p, w: _weights(heard(h, p), len(h), w)


def _so_far(h, p):
    """Return the epochs up to the one that decides."""
    return h[: _dropped(_waits(h), p)]


def _one_sooner(h, p):
    waits = _waits(h)
    return _dropped(waits, p) - (max(waits) >= p)


def _coming_back(losses, h, p, w):
    heard = [True] + [wait < p for wait in _waits(h)[:-1]]
    return w * tensor(heard).float()


def _other_side(losses, h, p, w):
    return w - teacher_weights(losses, h, p, w)


MISTAKES = (
    Mistake(
        "a tie taken for a new best",
        "Equal is no better. Patience counts on from the first of two equal epochs: error < best, "
        "and not <=.",
        (_until(lambda h, p: _dropped(_waits(h, le), p)),),
    ),
    Mistake(
        "patience off by one",
        "The teacher is dropped after exactly `patience` epochs in a row without a new best: "
        "waited >= patience, where the best epoch itself has waited 0.",
        (
            _until(lambda h, p: _dropped(_waits(h), p + 1)),
            _until(lambda h, p: _dropped(_waits(h), p - 1)),
        ),
    ),
    Mistake(
        "already dropped in the epoch that decides",
        "An epoch's errors are known after it. The epoch that uses up the patience still had the "
        "teacher; the next one has none.",
        (_until(_one_sooner),),
    ),
    Mistake(
        "decided in hindsight",
        "While we train, later epochs are not known. The weight of an epoch depends on the errors "
        "before it, and on nothing that comes after.",
        (
            _until(lambda h, p: int(h.argmin()) + 1),
            _until(lambda h, p: len(h) - int(h.flip(0).argmin())),
            _until(lambda h, p: int(_so_far(h, p).argmin()) + 1),
            _until(lambda h, p: int(h.argmin()) + 1 + p),
        ),
    ),
    Mistake(
        "compared with the epoch before",
        "An epoch is better if it has fewer errors than the best one so far, and not only than "
        "the one before it.",
        (_until(lambda h, p: _dropped(_falls(h), p)),),
    ),
    Mistake(
        "the count never reset",
        "A new best starts the count again: patience is a number of epochs in a row.",
        (_until(lambda h, p: _dropped(_in_all(h), p)),),
    ),
    Mistake(
        "the teacher comes back",
        "Dropped once, the teacher stays away, whatever the errors do afterwards.",
        (_coming_back,),
    ),
    Mistake(
        "never dropped",
        "The teacher is heard in all epochs here. Count the epochs since the best one so far: "
        "their number grows where errors stall as well as where they rise.",
        (_until(lambda h, p: len(h)),),
    ),
    Mistake(
        "training losses instead of held-out errors",
        "The training loss goes on falling when the student has begun to suffer. Held-out errors "
        "decide.",
        (lambda losses, h, p, w: teacher_weights(h, losses, p, w),),
    ),
    Mistake(
        "errors taken for accuracies",
        "Fewer errors are better: the best epoch is the one with the smallest number.",
        (_until(lambda h, p: _dropped(_waits(h, gt), p)),),
    ),
    Mistake(
        "patience counted from the start",
        "Patience counts epochs since the best one, and not since the first.",
        (_until(lambda h, p: p),),
    ),
    Mistake(
        "the weight of the labels",
        "Asked for is lambda, the weight of the teacher's term. The labels have 1 minus that.",
        (lambda *given: 1 - teacher_weights(*given),),
    ),
    Mistake(
        "first without the teacher, then with it",
        "The teacher is heard first, with weight lambda, and dropped afterwards.",
        (_other_side,),
    ),
    Mistake(
        "lambda not used",
        "As long as the teacher is heard, its weight is lambda, and not 1.",
        (lambda losses, h, p, w: teacher_weights(losses, h, p, 1.0),),
    ),
    Mistake(
        "one number instead of one for each epoch",
        "Asked for is the weight of every epoch, not the epoch at which the teacher is dropped.",
        (
            lambda losses, h, p, w: _dropped(_waits(h), p),
            lambda losses, h, p, w: _dropped(_waits(h), p) - 1,
            lambda losses, h, p, w: int(h.argmin()),
        ),
    ),
    Mistake(
        "a run that never stalls",
        "Where patience is never used up, the teacher is heard in all epochs.",
        (
            _until(lambda h, p: _dropped(_waits(h), p, never=0)),
            _until(lambda h, p: _dropped(_waits(h), p, never=len(h) - 1)),
        ),
    ),
)

TEACHER_WEIGHTS = Question(
    id="hw3-q5",
    title="When to drop the teacher",
    minutes=15,
    signature=(
        'teacher_weights(training_losses: Float[Tensor, "epochs"], '
        'held_out_errors: Int64[Tensor, "epochs"], *, patience: int, lambda_: float) '
        '-> Float[Tensor, "epochs"]'
    ),
    statement=(
        "Return the weight of the teacher's term in each epoch: lambda as long as it is heard, 0 "
        "afterwards. The best epoch so far has the fewest held-out errors; of equal ones it is "
        "the first. The first epoch that comes `patience` epochs after the best one so far is the "
        "last that hears the teacher; no later epoch does. Where there is none, all do. "
        "patience >= 1."
    ),
    reference=teacher_weights,
    cases=visible_curves(),
    draw=draw_curves,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
