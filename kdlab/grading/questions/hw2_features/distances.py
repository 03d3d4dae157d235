"""Question 3 of homework 2: keep the teacher's distances.

Variants are called with s and t: features of student and teacher, one row an example.
"""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions.hw2_features.pairs import (
    WITH_GRADIENT,
    far_away,
    gradient_mistakes,
    pair_case,
    rows,
    taught,
    with_outlier,
    with_twins,
)
from kdlab.grading.spec import Mistake, Question


def _distances(x, order=2):
    return (x[:, None] - x[None]).norm(p=order, dim=2)


def _by_root(x):
    """Distances whose diagonal has the gradient 0 times infinity."""
    return (x[:, None] - x[None]).square().sum(dim=2).sqrt()


def _by_product(x):
    """Distances from inner products: large means drown them."""
    inner = x @ x.T
    squares = inner.diagonal()[:, None] + inner.diagonal()[None] - 2 * inner
    return squares.clamp_min(1e-12).sqrt() * (1 - torch.eye(len(x)))


def _mean(d):
    return d.sum() / (d > 0).sum()


def _over_mean(d):
    return d / _mean(d)


def _pairs(b):
    return b * (b - 1)


def _between(scaled=_over_mean, compare=F.smooth_l1_loss, distances=_distances):
    """Return the loss with another scale, comparison or distance."""
    return taught(lambda s, t: compare(*(scaled(distances(x)) for x in (s, t))))


def _with_means(means):
    """Return the loss over other means, computed from both sides' distances."""

    def loss(s, t):
        mine, wanted = _distances(s), _distances(t)
        over = means(mine, wanted)
        return F.smooth_l1_loss(mine / over[0], wanted / over[1])

    return taught(loss)


def _right(s, t):
    return F.smooth_l1_loss(_over_mean(_distances(s)), _over_mean(_distances(t)))


MISTAKES = (
    Mistake(
        "no mean distance",
        "Distances of features of another width are of another size. Each side is divided by "
        "its own mean distance.",
        (_between(scaled=lambda d: d),),
    ),
    Mistake(
        "one mean for both",
        "Student and teacher are divided each by its own mean; one for both doesn't take out "
        "the scale.",
        (
            _with_means(lambda d, e: (_mean(e), _mean(e))),
            _with_means(lambda d, e: (_mean(d), _mean(d))),
            _with_means(lambda d, e: ((_mean(d) + _mean(e)) / 2,) * 2),
        ),
    ),
    Mistake(
        "the means exchanged",
        "The student's distances are divided by the student's mean, and the teacher's by the "
        "teacher's.",
        (_with_means(lambda d, e: (_mean(e), _mean(d))),),
    ),
    Mistake(
        "zeros of the diagonal in the mean distance",
        "mu is the mean over the pairs that are apart. d.mean() counts each example's distance "
        "to itself as well.",
        (_between(scaled=lambda d: d / d.mean()),),
    ),
    Mistake(
        "a mean distance for each row",
        "mu is one number a network, the mean over all pairs.",
        (_between(scaled=lambda d: d / (d.sum(1, True) / (d > 0).sum(1, True))),),
    ),
    Mistake(
        "the largest distance instead of the mean",
        "The distances are divided by their mean.",
        (_between(scaled=lambda d: d / d.max()),),
    ),
    Mistake(
        "the mean distance cut off",
        "The student's mean depends on the student, so the gradient goes through it as well. "
        "Cut off, a part of it only scales all features, which changes no value.",
        (_between(scaled=lambda d: d / _mean(d).detach()),),
    ),
    Mistake(
        "squared error",
        "h(x) is x^2/2 up to |x| = 1 and |x| - 1/2 beyond: F.smooth_l1_loss.",
        (_between(compare=F.mse_loss),),
    ),
    Mistake(
        "the linear part missing",
        "h(x) is x^2/2 only up to |x| = 1; beyond it is |x| - 1/2.",
        (_between(compare=lambda a, b: F.mse_loss(a, b) / 2),),
    ),
    Mistake(
        "absolute differences",
        "h(x) is x^2/2 up to |x| = 1 and |x| - 1/2 beyond: F.smooth_l1_loss.",
        (_between(compare=F.l1_loss),),
    ),
    Mistake(
        "squared distances",
        "d is the Euclidean distance: the root of the sum of squares.",
        (_between(distances=lambda x: _distances(x).square()),),
    ),
    Mistake(
        "distances without squares",
        "d is the Euclidean distance, and not the sum of absolute differences.",
        (_between(distances=lambda x: _distances(x, order=1)),),
    ),
    Mistake(
        "mean over the pairs of different examples",
        "The mean runs over all B^2 entries of the table, the B zeros of the diagonal among them.",
        (_between(compare=lambda a, b: F.smooth_l1_loss(a, b) * len(a) ** 2 / _pairs(len(a))),),
    ),
    Mistake(
        "each pair once",
        "The sum runs over all i and j, each pair in both orders, and is divided by B^2.",
        (_between(compare=lambda a, b: F.smooth_l1_loss(a, b) / 2),),
    ),
    Mistake(
        "sum instead of mean",
        "The loss would grow with the batch size. Divide by B^2.",
        (_between(compare=lambda a, b: F.smooth_l1_loss(a, b, reduction="sum")),),
    ),
    Mistake(
        "divided by B instead of B^2",
        "There are B^2 pairs in the sum, and the mean is over all of them.",
        (_between(compare=lambda a, b: F.smooth_l1_loss(a, b) * len(a)),),
    ),
    *gradient_mistakes(_right),
    Mistake(
        "NaN as gradient",
        "The slope of the root at 0 is infinite, and 0 times infinity on the diagonal is NaN. "
        "torch.cdist and norm give 0 there; so does a root of squares clamped from below.",
        (_between(distances=_by_root),),
    ),
    Mistake(
        "the mean over all pairs of different examples",
        "Two examples may coincide. Their distance of 0 doesn't count for the mean: divide the "
        "sum by the number of distances above 0.",
        (_between(scaled=lambda d: d / (d.sum() / _pairs(len(d)))),),
    ),
    Mistake(
        "distances by a matrix product",
        "|a|^2 + |b|^2 - 2ab subtracts huge numbers where all examples are far from 0, and "
        "float32 keeps nothing of their difference; equal examples come out apart. Take the "
        "differences first.",
        (_between(distances=_by_product),),
    ),
)


def _draw(generator):
    (student, teacher), (near, far) = (rows(generator, batch, 3, 5) for batch in (6, 7))
    return (
        # Where no pair differs by more than 1, half the squared error would be right.
        pair_case("a far example", student, with_outlier(teacher), weight=2.0),
        pair_case("another one", with_outlier(near), far),
        pair_case("two teacher's examples alike", student, with_twins(teacher), extreme=True),
        pair_case("far from 0", *map(far_away, rows(generator, 5, 3, 5)), extreme=True),
    )


_STUDENT = tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.0, -1.0], [1.0, 1.0]])
_TEACHER = tensor(
    [[1.0, 0.0, 0.0], [0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [9.0, 8.0, 7.0]]
)

DISTANCE_LOSS = Question(
    id="hw2-q3",
    title="Keep the teacher's distances",
    minutes=15,
    signature=(
        'rkd_distance_loss(student_features: Float[Tensor, "batch student"], '
        'teacher_features: Float[Tensor, "batch teacher"]) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the mean over all B^2 pairs of the smooth l1 of d_S / mu_S - d_T / mu_T, with "
        "Euclidean distances d and their means mu over the pairs with d > 0, each side by its "
        "own. Gradients flow to the student, through mu_S as well, and not to the teacher. They "
        "are finite although the diagonal is 0; features of 4,096 and more must work."
    ),
    reference=losses.rkd_distance_loss,
    cases=(
        pair_case("five examples, one far", _STUDENT, _TEACHER),
        pair_case("three examples", _STUDENT[:3], _TEACHER[2:]),
        pair_case("two teacher's examples alike", _STUDENT, with_twins(_TEACHER)),
        pair_case("far from 0", far_away(_STUDENT), far_away(_TEACHER)),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=4,
)
