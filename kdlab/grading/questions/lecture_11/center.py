"""The next image of a k-center coreset.

Variants are called with x, the points, and k, the indices of those that were taken.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import EXACT
from kdlab.grading.spec import Case, Mistake, Question


def _left(values: Tensor, taken: Tensor) -> Tensor:
    """Return the values of what can still be taken; the others can't be the largest."""
    return values.index_fill(0, taken, -torch.inf)


def _gaps(points: Tensor, taken: Tensor) -> Tensor:
    return torch.cdist(points, points[taken])


def _next_center(points: Tensor, taken: Tensor) -> int:
    return int(_gaps(points, taken).min(dim=1).values.argmax())


def _largest(values):
    """Return what takes the point with the largest of other values."""
    return lambda x, k: int(_left(values(x, k), k).argmax())


def _among_the_rest(points: Tensor, taken: Tensor) -> int:
    right = _next_center(points, taken)
    return right - int((taken < right).sum())


_MISTAKES = (
    Mistake(
        "far from the taken ones on average",
        "A point beside one center is covered, however far the others are: what counts is the "
        "nearest of the taken ones, not their mean distance.",
        (
            _largest(lambda x, k: _gaps(x, k).mean(dim=1)),
            _largest(lambda x, k: _gaps(x, k).square().mean(dim=1)),
        ),
    ),
    Mistake(
        "far from the last one",
        "All taken points cover their surroundings, not only the last one.",
        (_largest(lambda x, k: _gaps(x, k)[:, -1]),),
    ),
    Mistake(
        "far from the first one",
        "All taken points cover their surroundings, not only the first one.",
        (_largest(lambda x, k: _gaps(x, k)[:, 0]),),
    ),
    Mistake(
        "the farthest of the taken ones counts",
        "A point is as well covered as its nearest center is near: the minimum over the centers, "
        "then the maximum over the points.",
        (_largest(lambda x, k: _gaps(x, k).max(dim=1).values),),
    ),
    Mistake(
        "the nearest point instead of the farthest",
        "A point that is near to a center is covered already. The next center is the point that is "
        "covered worst.",
        (_largest(lambda x, k: -_gaps(x, k).min(dim=1).values),),
    ),
    Mistake(
        "steps along the axes",
        "The Euclidean distance is the root of the sum of squares, not the sum of the differences' "
        "sizes along the axes.",
        (_largest(lambda x, k: torch.cdist(x, x[k], p=1).min(dim=1).values),),
    ),
    Mistake(
        "the herding step",
        "Herding brings the mean of what was taken near to the mean of all. k-center looks at the "
        "point that is covered worst.",
        (
            _largest(
                lambda x, k: -(x.mean(0) - (x + x[k].sum(0)) / (len(k) + 1)).square().sum(dim=1)
            ),
        ),
    ),
    Mistake(
        "an index among the points that are left",
        "This counts the points that were not taken. Return the index in `points`.",
        (_among_the_rest,),
    ),
    Mistake(
        "a point that was taken",
        "The minimum over the points finds a taken one, at distance 0 from itself.",
        (lambda x, k: int(_gaps(x, k).min(dim=1).values.argmin()),),
    ),
)


def _tells_apart(points: Tensor, taken: Tensor) -> bool:
    """Whether each mistake gives another index than the right one."""
    right = _next_center(points, taken)
    return all(fn(points, taken) != right for mistake in _MISTAKES for fn in mistake.variants)


def _draw(generator: torch.Generator) -> tuple[Case, ...]:
    def case(name: str, count: int, values: int, centers: int) -> Case:
        while True:
            points = torch.randn(count, values, generator=generator)
            taken = torch.randperm(count, generator=generator)[:centers]
            if _tells_apart(points, taken):
                return Case(name, {"points": points, "taken": taken})

    return case("two centers", 12, 2, 2), case("three centers", 15, 3, 3)


_POINTS = [[-11, -6], [4, 3], [-9, 4], [2, 4], [12, -6], [7, -5]]
_POINTS += [[12, -2], [10, 13], [-5, -8], [-1, 3], [-7, 4], [-3, 12], [3, -14]]

NEXT_CENTER = Question(
    id="KD11-E1",
    title="The next center",
    minutes=10,
    signature=(
        'next_center(points: Float[Tensor, "examples values"], taken: Int64[Tensor, "centers"]) '
        "-> int"
    ),
    statement=(
        "Return the index of the point that the centers taken so far cover worst: whose distance "
        "to its nearest center is the largest, in Euclidean distance."
    ),
    reference=_next_center,
    cases=(
        Case("three centers", {"points": tensor(_POINTS).float(), "taken": tensor([1, 4, 2])}),
        Case("one center", {"points": tensor([[0.0], [3.0], [-5.0]]), "taken": tensor([1])}),
    ),
    draw=_draw,
    comparison=EXACT,
    mistakes=_MISTAKES,
)
