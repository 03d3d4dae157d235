"""What a batch's statistics say, and what many batches say together.

Variants are called with m (batch sizes), or with u (means) and v (biased variances), a row a batch.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.spec import Case, Mistake, Question


def _farthest(sizes: Tensor) -> Tensor:
    return (sizes - 1).sqrt()


def _draw_sizes(generator):
    def case(name, low, high):
        sizes = torch.randint(low, high, (4,), generator=generator)
        return Case(name, {"batch_sizes": sizes.float()})

    return case("small batches", 3, 12), case("larger batches", 20, 300)


FARTHEST = Question(
    id="KD12-E1",
    title="As far as a value can get",
    minutes=5,
    signature='farthest(batch_sizes: Float[Tensor, "sizes"]) -> Float[Tensor, "sizes"]',
    statement=(
        "One value of a batch goes to infinity, the others stay where they are. Return the limit "
        "of its normalized value (batch normalization, eps = 0, gamma = 1, beta = 0) for each "
        "batch size >= 2."
    ),
    reference=_farthest,
    cases=(
        Case("three sizes", {"batch_sizes": tensor([5.0, 17.0, 65.0])}),
        Case("two values", {"batch_sizes": tensor([2.0])}),
    ),
    draw=_draw_sizes,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "the unbiased variance",
            "A batch is normalized by the biased variance, which divides by m, and not by m - 1.",
            (lambda m: (m - 1) / m.sqrt(),),
        ),
        Mistake(
            "no limit",
            "The value that goes away takes mean and variance with it: the quotient stays finite.",
            (lambda m: torch.full_like(m, torch.inf), lambda m: torch.full_like(m, 1e30)),
        ),
        Mistake(
            "the others' side",
            "This is the value of all the others. They lie on the other side, m - 1 times as near.",
            (lambda m: -1 / _farthest(m), lambda m: 1 / _farthest(m)),
        ),
        Mistake(
            "divided by the variance",
            "The distance to the mean is divided by the standard deviation, the variance's root.",
            (torch.ones_like,),
        ),
        Mistake(
            "the mean not subtracted",
            "The outlier moves the mean by 1/m of its own way: subtract it.",
            (lambda m: m / _farthest(m),),
        ),
        Mistake(
            "the root of m",
            "With the others at 0 and the value at m, the mean is 1 and the variance m - 1.",
            (torch.sqrt, lambda m: (m + 1).sqrt()),
        ),
        Mistake(
            "the root is missing",
            "The distance is m - 1 and the variance m - 1 too: divide by the variance's root.",
            (lambda m: m - 1,),
        ),
    ),
)


def _pooled(means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    between = means.var(dim=0, correction=0)
    return means.mean(dim=0), variances.mean(dim=0) + between


def _variance(variance):
    """Return the answer with another variance."""
    return lambda u, v: (u.mean(dim=0), variance(u, v))


def _draw_batches(generator):
    def case(batches, features):
        u = 2 * torch.randn(batches, features, generator=generator)
        v = 0.3 + 2 * torch.rand(batches, features, generator=generator)
        return Case(f"{batches} batches, {features} features", {"means": u, "variances": v})

    return case(5, 3), case(3, 4)


_U = tensor([[1.0, -2.0, 0.5], [3.0, 0.0, 0.0]])
_V = tensor([[0.5, 1.0, 2.0], [1.5, 3.0, 0.8]])

POOLED = Question(
    id="KD12-E3",
    title="Statistics of many batches",
    minutes=10,
    signature=(
        'pooled(means: Float[Tensor, "batches features"], '
        'variances: Float[Tensor, "batches features"]) '
        '-> tuple[Float[Tensor, "features"], Float[Tensor, "features"]]'
    ),
    statement=(
        "Each row has the mean and the biased variance of one batch; all batches are equally "
        "large. Return mean and biased variance of all their values together."
    ),
    reference=_pooled,
    cases=(
        Case("two batches", {"means": _U, "variances": _V}),
        Case("a single batch", {"means": _U[:1], "variances": _V[:1]}),
    ),
    draw=_draw_batches,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "the mean of the variances",
            "That is the variance within batches. Their means differ too: the variance of the "
            "means comes to it.",
            (_variance(lambda u, v: v.mean(dim=0)),),
        ),
        Mistake(
            "the variance of the means alone",
            "That is the variance between batches; the variance within them comes to it.",
            (_variance(lambda u, v: u.var(dim=0, correction=0)),),
        ),
        Mistake(
            "the unbiased variance of the means",
            "The biased variance is asked for: divide by the number of batches.",
            (
                _variance(
                    lambda u, v: v.mean(0) + ((u - u.mean(0)) ** 2).sum(0) / max(len(u) - 1, 1)
                ),
            ),
        ),
        Mistake(
            "the mean square for the variance",
            "The square of the common mean is still to be subtracted.",
            (_variance(lambda u, v: (v + u**2).mean(dim=0)),),
        ),
        Mistake(
            "subtracted instead of added",
            "Within and between add up to the whole variance.",
            (_variance(lambda u, v: v.mean(dim=0) - u.var(dim=0, correction=0)),),
        ),
        Mistake(
            "a sum over the batches",
            "Batches are equally large: take the mean over them.",
            (
                lambda u, v: tuple(len(u) * one for one in _pooled(u, v)),
                lambda u, v: (u.sum(0), v.sum(0)),
            ),
        ),
        Mistake(
            "the mean of the standard deviations",
            "Squares add up, their roots don't: average the variances.",
            (
                _variance(lambda u, v: v.sqrt().mean(0) ** 2 + u.var(dim=0, correction=0)),
                _variance(lambda u, v: v.sqrt().mean(0) ** 2),
            ),
        ),
        Mistake(
            "a standard deviation instead of the variance",
            "The variance is asked for: no root at the end.",
            (_variance(lambda u, v: _pooled(u, v)[1].sqrt()),),
        ),
        Mistake(
            "a mean over the features",
            "Each feature has statistics of its own: the mean is over dim 0.",
            (lambda u, v: _pooled(u.T, v.T),),
        ),
        Mistake(
            "the two in the wrong order",
            "First the mean, then the variance.",
            (lambda u, v: _pooled(u, v)[::-1],),
        ),
    ),
)
