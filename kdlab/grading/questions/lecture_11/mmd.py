"""MMD^2 from three tables of a kernel.

Variants are called with a, b and c: real pairs, synthetic pairs, mixed pairs.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.spec import Case, Mistake, Question


def _mmd(real_pairs: Tensor, synthetic_pairs: Tensor, mixed_pairs: Tensor) -> Tensor:
    return real_pairs.mean() + synthetic_pairs.mean() - 2 * mixed_pairs.mean()


def _others(pairs: Tensor) -> Tensor:
    """The mean over pairs of two different points."""
    return (pairs.sum() - pairs.trace()) / (len(pairs) * (len(pairs) - 1))


def _tables(real: Tensor, synthetic: Tensor) -> dict[str, Tensor]:
    sides = {"real_pairs": (real, real), "synthetic_pairs": (synthetic, synthetic)}
    sides["mixed_pairs"] = (real, synthetic)
    return {name: one @ other.T for name, (one, other) in sides.items()}


def _draw(generator: torch.Generator) -> tuple[Case, ...]:
    def case(name: str, real: int, synthetic: int) -> Case:
        points = (
            torch.randn(real, 4, generator=generator),
            torch.rand(synthetic, 4, generator=generator),
        )
        return Case(name, _tables(points[0], points[1] + 1))

    return case("six real, three synthetic", 6, 3), case("five real, two synthetic", 5, 2)


_REAL = tensor([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
_SYNTHETIC = tensor([[2.0, 0.0], [3.0, 3.0]])

MMD = Question(
    id="KD11-E2",
    title="A distance from three tables",
    minutes=10,
    signature=(
        'mmd2(real_pairs: Float[Tensor, "real real"], synthetic_pairs: Float[Tensor, "synthetic '
        'synthetic"], mixed_pairs: Float[Tensor, "real synthetic"]) -> float'
    ),
    statement=(
        "The tables hold a kernel k(x, x') = psi(x) . psi(x') for all pairs, a point with itself "
        "included. Return the squared distance of the two mean embeddings."
    ),
    reference=_mmd,
    cases=(
        Case("three real, two synthetic", _tables(_REAL, _SYNTHETIC)),
        Case("the same points twice", _tables(_REAL, _REAL)),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "mixed pairs once",
            "(p - q)^2 = p^2 + q^2 - 2 p q: the mixed mean counts twice.",
            (lambda a, b, c: a.mean() + b.mean() - c.mean(),),
        ),
        Mistake(
            "the pairs of a point with itself left out",
            "Without the diagonal it is the unbiased estimate of the distance of two "
            "distributions. The squared distance of these two means has all pairs.",
            (lambda a, b, c: _others(a) + _others(b) - 2 * c.mean(),),
        ),
        Mistake(
            "the root",
            "Asked for is the squared distance.",
            (lambda a, b, c: _mmd(a, b, c).sqrt(),),
        ),
        Mistake(
            "sums instead of means",
            "A mean embedding is divided by the number of its points, so each table has its mean.",
            (lambda a, b, c: a.sum() + b.sum() - 2 * c.sum(),),
        ),
        Mistake(
            "real pairs left out",
            "Real pairs don't change the gradient, but they belong to the distance: without them "
            "it isn't 0 for equal sets.",
            (lambda a, b, c: b.mean() - 2 * c.mean(),),
        ),
        Mistake(
            "mixed pairs added",
            "Where the mixed products are large, the sets are near: they are subtracted.",
            (lambda a, b, c: a.mean() + b.mean() + 2 * c.mean(),),
        ),
        Mistake(
            "the diagonals instead of the means",
            "The diagonal holds squared lengths of single embeddings. The squared length of their "
            "mean is the mean over all pairs.",
            (lambda a, b, c: a.diag().mean() + b.diag().mean() - 2 * c.mean(),),
        ),
    ),
)
