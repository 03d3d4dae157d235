"""Question 2 of homework 2: look where the teacher looks.

Variants are called with s and t (activations of student and teacher) and p (power).
"""

import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import between, normal
from kdlab.grading.questions.hw2_features.attention import (
    energies,
    over_one_norm,
    over_own_norm,
    over_own_sum,
    signed,
    summed_first,
    unguarded,
)
from kdlab.grading.questions.hw2_features.pairs import (
    WITH_GRADIENT,
    gradient_mistakes,
    pair_case,
    silenced,
    taught,
)
from kdlab.grading.spec import Mistake, Question


def _attention_transfer_loss(student_features, teacher_features, power):
    return losses.attention_transfer_loss(student_features, teacher_features, power=power)


def _squares(student_maps, teacher_maps):
    """One squared distance an example."""
    return (student_maps - teacher_maps).square().sum(dim=(1, 2))


def _over(scaled, summed=energies):
    """Return the loss with another norm, or another sum over channels."""
    return taught(lambda s, t, p: _squares(scaled(summed(s, p)), scaled(summed(t, p))).mean())


def _by_maps(compare):
    """Return a loss that compares the right maps in another way."""
    return taught(
        lambda s, t, p: compare(over_own_norm(energies(s, p)), over_own_norm(energies(t, p)))
    )


def _right(s, t, p):
    maps = (over_own_norm(energies(x, p)) for x in (s, t))
    return _squares(*maps).mean()


def _over_the_teachers_norm(s, t, p):
    wanted = energies(t, p)
    norm = wanted.square().sum(dim=(1, 2), keepdim=True).sqrt().clamp_min(1e-12)
    return _squares(energies(s, p) / norm, wanted / norm).mean()


def _mean_over_batch_first(s, t, p):
    gap = over_own_norm(energies(s, p)) - over_own_norm(energies(t, p))
    return gap.mean(dim=0).square().sum()


MISTAKES = (
    Mistake(
        "mean over the places too",
        "The squares are summed over the places of a map; only the batch is averaged. Common "
        "code takes this mean, and a weight that is larger by the number of places.",
        (_by_maps(F.mse_loss),),
    ),
    Mistake(
        "the distance not squared",
        "Asked for is the squared distance of two maps, without the root.",
        (_by_maps(lambda s, t: (_squares(s, t) + 1e-12).sqrt().mean()),),
    ),
    Mistake(
        "sum instead of mean over the batch",
        "The loss would grow with the batch size. Take the mean over the examples.",
        (_by_maps(lambda s, t: _squares(s, t).sum()),),
    ),
    Mistake(
        "no mean over the batch",
        "The question asks for one number: the mean over the examples.",
        (_by_maps(_squares),),
    ),
    Mistake(
        "half of it",
        "There is no factor 1/2 here. 1 minus the cosine of two maps is also half of their "
        "squared distance.",
        (_by_maps(lambda s, t: _squares(s, t).mean() / 2),),
    ),
    Mistake(
        "absolute differences",
        "The differences are squared, and then summed over the places.",
        (
            _by_maps(lambda s, t: (s - t).abs().sum(dim=(1, 2)).mean()),
            _by_maps(F.l1_loss),
        ),
    ),
    Mistake(
        "averaged over the batch before squaring",
        "Differences of two examples may cancel. First square and sum over the places, then "
        "take the mean over the examples.",
        (taught(_mean_over_batch_first),),
    ),
    *gradient_mistakes(_right),
    Mistake(
        "not normalised",
        "Each map is divided by its own Euclidean norm: student and teacher have different "
        "numbers of channels, and so are differently loud.",
        (_over(lambda maps: maps),),
    ),
    Mistake(
        "one norm for the whole batch",
        "Each example's map has length 1 by itself.",
        (_over(over_one_norm),),
    ),
    Mistake(
        "the teacher's norm for both",
        "Each map is divided by its own norm, the student's by the student's.",
        (taught(_over_the_teachers_norm),),
    ),
    Mistake(
        "divided by the sum",
        "Maps have Euclidean length 1 here, and not sum 1.",
        (_over(over_own_sum),),
    ),
    Mistake(
        "absolute value missing",
        "Activations may be negative. Without |A|, an odd power subtracts, and a broken one "
        "gives NaN.",
        (_over(over_own_norm, signed),),
    ),
    Mistake(
        "channels summed before the power",
        "Channels of different sign cancel in their sum. First take |A|^p of each, then sum.",
        (_over(over_own_norm, summed_first),),
    ),
    Mistake(
        "the power not used",
        "The power is an argument: it belongs to both maps.",
        (
            _over(over_own_norm, lambda a, p: energies(a, 2.0)),
            _over(over_own_norm, lambda a, p: energies(a, 1.0)),
        ),
    ),
    Mistake(
        "NaN for a silent example",
        "Where all activations are 0, so is the norm, and 0/0 is NaN. F.normalize leaves such a "
        "map at 0; so does a norm that is clamped from below.",
        (_over(unguarded),),
    ),
)


def _draw(generator):
    def pair(batch, size):
        return (normal(generator, batch, channels, *size, scale=1.0) for channels in (3, 5))

    low, high = between(generator, 1.2, 1.7), between(generator, 2.3, 3.7)
    student, teacher = pair(3, (2, 3))
    return (
        pair_case("a high power", *pair(4, (3, 5)), weight=2.0, power=high),
        pair_case("a low power", *pair(3, (4, 2)), power=low),
        pair_case("a silent teacher", student, silenced(teacher), power=3.0, extreme=True),
    )


_STUDENT = tensor(
    [
        [[[1.0, -2.0], [0.0, 1.0]], [[2.0, 1.0], [-1.0, 0.0]]],
        [[[2.0, 0.0], [1.0, -1.0]], [[-1.0, 1.0], [2.0, 0.0]]],
        [[[0.0, 1.0], [-1.0, 2.0]], [[1.0, 0.0], [2.0, 1.0]]],
    ]
)
_TEACHER = tensor(
    [
        [[[0.0, 1.0], [2.0, 1.0]], [[1.0, -1.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, -1.0]]],
        [[[1.0, 2.0], [0.0, 0.0]], [[-2.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [0.0, 2.0]]],
        [[[2.0, 0.0], [1.0, 0.0]], [[0.0, -1.0], [2.0, 1.0]], [[1.0, 1.0], [-1.0, 0.0]]],
    ]
)

ATTENTION_LOSS = Question(
    id="hw2-q2",
    title="Look where the teacher looks",
    minutes=10,
    signature=(
        'attention_transfer_loss(student_features: Float[Tensor, "batch student height width"], '
        'teacher_features: Float[Tensor, "batch teacher height width"], *, power: float) '
        '-> Float[Tensor, ""]'
    ),
    statement=(
        "Return the squared Euclidean distance of the two attention maps, each by its own norm, "
        "as the mean over the batch: a tensor from which gradients flow to the student and not "
        "to the teacher. An example for which the teacher is silent has the teacher's map 0."
    ),
    reference=_attention_transfer_loss,
    cases=(
        pair_case("three examples, p = 3", _STUDENT, _TEACHER, power=3.0),
        pair_case("two of them, p = 1.5", _STUDENT[1:], _TEACHER[1:], power=1.5),
        pair_case("a silent teacher", _STUDENT, silenced(_TEACHER), power=2.0),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=4,
    uses=("hw2-q1",),
)
