"""Question 5 of homework 2: what is alike for the teacher is alike for the student.

Variants are called with s and t: features of student and teacher, one row an example.
"""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions.hw2_features.pairs import (
    WITH_GRADIENT,
    gradient_mistakes,
    pair_case,
    rows,
    silenced,
    taught,
)
from kdlab.grading.spec import Mistake, Question


def _gram(x):
    return x @ x.T


def _rows(g):
    return F.normalize(g, dim=1)


def _between(scaled=_rows, compare=F.mse_loss, features=lambda x: x):
    """Return the loss with other features, another scale or another comparison."""
    return taught(lambda s, t: compare(*(scaled(_gram(features(x))) for x in (s, t))))


def _times(factor):
    """Return the loss times a function of the batch size."""
    return _between(compare=lambda a, b: F.mse_loss(a, b) * factor(len(a)))


def _without_diagonal(a, b):
    apart = 1 - torch.eye(len(a))
    return ((a - b) * apart).square().sum() / apart.sum()


def _right(s, t):
    return F.mse_loss(_rows(_gram(s)), _rows(_gram(t)))


MISTAKES = (
    Mistake(
        "rows divided by the sum of absolute values",
        "F.normalize(g, 1) sets p = 1, and not the axis. Each row has Euclidean length 1: "
        "F.normalize(g, dim=1).",
        (_between(scaled=lambda g: F.normalize(g, p=1, dim=1)),),
    ),
    Mistake(
        "not normalised",
        "Each row of the table is divided by its Euclidean length; otherwise the wider network "
        "has the larger numbers.",
        (_between(scaled=lambda g: g),),
    ),
    Mistake(
        "the whole table normalised",
        "Each row has length 1 by itself. Here one norm is taken of all rows together.",
        (_between(scaled=lambda g: g / g.norm()),),
    ),
    Mistake(
        "rows divided by their squared length",
        "The square root is missing: a row's length is the root of its sum of squares.",
        (_between(scaled=lambda g: g / g.square().sum(1, True).clamp_min(1e-12)),),
    ),
    Mistake(
        "features normalised first",
        "That is the table of cosines, another loss: there each example may have a scale of its "
        "own. Here the rows of the table are normalised, and not the features.",
        (
            _between(scaled=lambda g: g, features=lambda x: F.normalize(x, dim=1)),
            _between(features=lambda x: F.normalize(x, dim=1)),
        ),
    ),
    Mistake(
        "features centred first",
        "The mean over the batch stays in. Take the inner products of the features as they are.",
        (_between(features=lambda x: x - x.mean(dim=0)),),
    ),
    Mistake(
        "softmax over the rows",
        "The rows are divided by their Euclidean length; they are no probabilities.",
        (_between(scaled=lambda g: g.softmax(dim=1)),),
    ),
    Mistake(
        "divided by B instead of B^2",
        "The table has B^2 entries, and the mean is over all of them.",
        (_times(lambda b: b),),
    ),
    Mistake(
        "sum instead of mean",
        "The loss would grow with the batch size. Divide by B^2.",
        (_times(lambda b: b**2),),
    ),
    Mistake(
        "half of it",
        "There is no factor 1/2 here.",
        (_times(lambda b: 1 / 2),),
    ),
    Mistake(
        "diagonal left out",
        "The diagonal counts as well: after the division it isn't 1, and student and teacher "
        "differ there.",
        (_between(compare=_without_diagonal),),
    ),
    Mistake(
        "not squared",
        "The differences are squared: the square of the Frobenius norm, without the root.",
        (
            _between(compare=lambda a, b: (a - b).norm() / len(a) ** 2),
            _between(compare=lambda a, b: (a - b).norm()),
        ),
    ),
    Mistake(
        "absolute differences",
        "The differences are squared.",
        (_between(compare=F.l1_loss),),
    ),
    *gradient_mistakes(_right),
    Mistake(
        "NaN for a silent example",
        "Where all features are 0, so is the row of the table, and 0/0 is NaN. F.normalize "
        "leaves such a row at 0.",
        (_between(scaled=lambda g: g / g.square().sum(1, True).sqrt()),),
    ),
)


def _draw(generator):
    student, teacher = rows(generator, 5, 4, 7)
    return (
        pair_case("six examples", *rows(generator, 6, 4, 7), weight=2.0),
        pair_case("four examples", *rows(generator, 4, 4, 7)),
        pair_case("a silent teacher", student, silenced(teacher), extreme=True),
    )


_STUDENT = tensor([[1.0, 2.0], [0.0, -1.0], [2.0, 1.0]])
_TEACHER = tensor([[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 1.0, -1.0], [3.0, 1.0, 0.0, 1.0]])

SIMILARITY_LOSS = Question(
    id="hw2-q5",
    title="Keep what is alike",
    minutes=10,
    signature=(
        'similarity_preserving_loss(student_features: Float[Tensor, "batch student"], '
        'teacher_features: Float[Tensor, "batch teacher"]) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the mean over all B^2 entries of the squared difference between the two tables "
        "G = F F^T, each row of a table divided by its Euclidean length; a row of zeros stays 0. "
        "Gradients flow to the student and not to the teacher."
    ),
    reference=losses.similarity_preserving_loss,
    cases=(
        pair_case("three examples", _STUDENT, _TEACHER),
        pair_case("two examples", _STUDENT[1:], _TEACHER[:2]),
        pair_case("a silent teacher", _STUDENT, silenced(_TEACHER)),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=4,
)
