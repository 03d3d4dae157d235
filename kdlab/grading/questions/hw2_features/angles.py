"""Question 4 of homework 2: keep the teacher's angles.

Variants are called with s and t: features of student and teacher, one row an example.
"""

from itertools import combinations

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
    with_twins,
)
from kdlab.grading.spec import Mistake, Question


def _gaps(x):
    """Differences of pairs, from i to j."""
    return x[None] - x[:, None]


def _unit(gaps):
    return F.normalize(gaps, dim=2)


def _inner(gaps):
    return torch.einsum("ijd,ikd->ijk", gaps, gaps)


def _cosines(x):
    return _inner(_unit(_gaps(x)))


def _from_origin(x):
    return F.normalize(x, dim=1) @ F.normalize(x, dim=1).T


def _without_eps(x):
    return _inner(_gaps(x) / _gaps(x).norm(dim=2, keepdim=True))


def _guarded_diagonal(x):
    lengths = _gaps(x).norm(dim=2) + torch.eye(len(x))
    return _inner(_gaps(x) / lengths[:, :, None])


def _by_gram_matrix(x):
    """Inner products of differences as differences of inner products, which cancel."""
    gram = x @ x.T
    squares = gram.diagonal()
    inner = gram[None] - gram[:, :, None] - gram[:, None, :] + squares[:, None, None]
    apart = 1 - torch.eye(len(x))
    lengths = inner.diagonal(dim1=1, dim2=2).clamp_min(1e-12).sqrt()
    inverse = apart / lengths
    return inner * inverse[:, :, None] * inverse[:, None, :]


def _angles(x):
    return _cosines(x).clamp(-1 + 1e-6, 1 - 1e-6).acos()


def _between(compare=F.smooth_l1_loss, cosines=_cosines):
    """Return the loss with another comparison, or other cosines."""
    return taught(lambda s, t: compare(cosines(s), cosines(t)))


def _times(factor):
    """Return the loss times a function of the batch size."""
    return _between(lambda a, b: F.smooth_l1_loss(a, b) * factor(len(a)))


def _one_angle_a_triangle(a, b):
    kept = torch.tensor(list(combinations(range(len(a)), 3))).T.unbind()
    return F.smooth_l1_loss(a[kept], b[kept])


def _right(s, t):
    return F.smooth_l1_loss(_cosines(s), _cosines(t))


MISTAKES = (
    Mistake(
        "lengths left in",
        "The cosine is the inner product of unit vectors: divide each difference by its length.",
        (_between(cosines=lambda x: _inner(_gaps(x))),),
    ),
    Mistake(
        "differences of unit vectors",
        "The differences are brought to length 1, and not the examples before they are subtracted.",
        (
            _between(cosines=lambda x: _inner(_gaps(F.normalize(x, dim=1)))),
            _between(cosines=lambda x: _cosines(F.normalize(x, dim=1))),
        ),
    ),
    Mistake(
        "angles seen from the origin",
        "This compares cosines of pairs. An angle has three examples, one of them the vertex: "
        "subtract the vertex from both others first.",
        (_between(cosines=_from_origin),),
    ),
    Mistake(
        "unit length along the wrong axis",
        "F.normalize takes dim=1 by default. In a table of differences the features are the last "
        "axis: dim=2.",
        (
            _between(cosines=lambda x: _inner(F.normalize(_gaps(x), dim=1))),
            _between(cosines=lambda x: _inner(F.normalize(_gaps(x), dim=0))),
        ),
    ),
    Mistake(
        "angles instead of cosines",
        "The cosines themselves are compared; the arc cosine has an infinite slope at 1.",
        (_between(cosines=_angles),),
    ),
    Mistake(
        "NaN: no direction from an example to itself",
        "Its length is 0, and 0/0 is NaN. F.normalize leaves such a vector at 0.",
        (_between(cosines=_without_eps),),
    ),
    Mistake(
        "squared error",
        "h(x) is x^2/2 up to |x| = 1 and |x| - 1/2 beyond: F.smooth_l1_loss.",
        (_between(F.mse_loss),),
    ),
    Mistake(
        "the linear part missing",
        "h(x) is x^2/2 only up to |x| = 1; beyond it is |x| - 1/2, and cosines differ by up to 2.",
        (_between(lambda a, b: F.mse_loss(a, b) / 2),),
    ),
    Mistake(
        "absolute differences",
        "h(x) is x^2/2 up to |x| = 1 and |x| - 1/2 beyond: F.smooth_l1_loss.",
        (_between(F.l1_loss),),
    ),
    Mistake(
        "mean over the triples of different examples",
        "The mean runs over all B^3 triples, those with equal examples among them: they count 0.",
        (
            _times(lambda b: b**3 / (b * (b - 1) * (b - 2))),
            _times(lambda b: b**3 / (b * (b - 1) ** 2)),
        ),
    ),
    Mistake(
        "one angle of each triangle",
        "A triangle has three angles. Each example is the vertex once: the sum runs over all i, "
        "j and k.",
        (_between(_one_angle_a_triangle),),
    ),
    Mistake(
        "sum instead of mean",
        "The loss would grow with the batch size. Divide by B^3.",
        (_times(lambda b: b**3),),
    ),
    Mistake(
        "divided by B or B^2 instead of B^3",
        "There are B^3 triples in the sum, and the mean is over all of them.",
        (_times(lambda b: b), _times(lambda b: b**2)),
    ),
    *gradient_mistakes(_right),
    # Behind the above: its gradient, through vectors of length 0, may be 0 as well.
    Mistake(
        "another vertex in the teacher",
        "Both cosines of a triple belong to the same vertex i. Here the axes of one table are "
        "exchanged.",
        (
            _between(lambda a, b: F.smooth_l1_loss(a, b.transpose(0, 1))),
            _between(lambda a, b: F.smooth_l1_loss(a, b.transpose(0, 2))),
        ),
    ),
    Mistake(
        "NaN where two examples coincide",
        "The diagonal isn't the only place where a difference is 0. F.normalize leaves every "
        "such vector at 0.",
        (_between(cosines=_guarded_diagonal),),
    ),
    Mistake(
        "differences of inner products",
        "Far from 0 inner products are huge, and float32 keeps nothing of their differences. "
        "Subtract the examples first, and multiply then.",
        (_between(cosines=_by_gram_matrix),),
    ),
)


def _draw(generator):
    student, teacher = rows(generator, 6, 2, 4)
    # In a plane many angles are far from the teacher's, so that h's linear part counts.
    return (
        pair_case("seven examples", *rows(generator, 7, 2, 4), weight=2.0),
        pair_case("six examples", student, teacher),
        pair_case("two teacher's examples alike", student, with_twins(teacher), extreme=True),
        pair_case("far from 0", *map(far_away, rows(generator, 5, 2, 4)), extreme=True),
    )


_STUDENT = tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [0.0, -1.0]])
_TEACHER = tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 1.0], [1.0, 0.0, 2.0], [1.0, 1.0, 0.0]])

ANGLE_LOSS = Question(
    id="hw2-q4",
    title="Keep the teacher's angles",
    minutes=15,
    signature=(
        'rkd_angle_loss(student_features: Float[Tensor, "batch student"], '
        'teacher_features: Float[Tensor, "batch teacher"]) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the mean over all B^3 triples of the smooth l1 of the difference between the "
        "student's and the teacher's cosine of the angle at i between j and k. Where i is j or "
        "k, or coincides with it, the cosine counts as 0. Gradients flow to the student and not "
        "to the teacher; features of 4,096 and more must work."
    ),
    reference=losses.rkd_angle_loss,
    cases=(
        pair_case("four examples", _STUDENT, _TEACHER),
        pair_case("three examples", _STUDENT[1:], _TEACHER[:3]),
        pair_case("two teacher's examples alike", _STUDENT, with_twins(_TEACHER)),
        pair_case("far from 0", far_away(_STUDENT), far_away(_TEACHER)),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=5,
)
