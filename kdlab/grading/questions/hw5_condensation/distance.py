"""Question 1 of homework 5: how far a synthetic set is from a real one.

Variants are called with x (real embeddings) and s (synthetic ones).
"""

import torch
from torch import tensor

from kdlab.grading.questions._common import normal
from kdlab.grading.spec import Case, Comparison, Mistake, Question

WITH_GRADIENT = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; a few operations in another order cost one or two",
    gradient_of=("synthetic",),
)


def mean_embedding_distance(real, synthetic):
    """Return the squared distance of the two means, a scalar."""
    gap = real.sum(dim=0) / len(real) - synthetic.sum(dim=0) / len(synthetic)
    return gap @ gap


def _of_gap(measure):
    """Return another measure of the gap between the two means."""
    return lambda x, s: measure(x.mean(dim=0) - s.mean(dim=0))


def _by_kernel(x, s, *, mixed=2.0, itself=True):
    """Return the distance by inner products of all pairs."""

    def mean(a, own):
        pairs = a @ a.T
        if own:
            return pairs.mean()
        return (pairs.sum() - pairs.trace()) / (len(a) * (len(a) - 1))

    return mean(x, itself) - mixed * (x @ s.T).mean() + mean(s, itself)


MISTAKES = (
    Mistake(
        "the distance not squared",
        "Asked for is the squared distance. Its gradient is no problem where the two meet, and "
        "that of the root is.",
        (_of_gap(lambda gap: gap.norm()),),
    ),
    Mistake(
        "a mean over the values",
        "A squared distance is the sum of squares over the embedding's values: F.mse_loss "
        "divides by their number.",
        (_of_gap(lambda gap: gap.square().mean()),),
    ),
    Mistake(
        "halved",
        "There is no 1/2 before the square.",
        (_of_gap(lambda gap: gap.square().sum() / 2),),
    ),
    Mistake(
        "absolute values",
        "The gaps are squared before they are summed.",
        (_of_gap(lambda gap: gap.abs().sum()),),
    ),
    Mistake(
        "a distance of examples instead of means",
        "First the mean of each side, then the distance. The mean of all pairs' squared "
        "distances has the spread of both sides on top, and makes all synthetic examples alike.",
        (lambda x, s: (x[:, None] - s[None]).square().sum(dim=2).mean(),),
    ),
    Mistake(
        "sums instead of means",
        "Real examples are many and synthetic ones few: divide each sum by its own number.",
        (lambda x, s: (x.sum(dim=0) - s.sum(dim=0)).square().sum(),),
    ),
    Mistake(
        "one number of examples for both",
        "Each side is divided by the number of its own examples.",
        (
            lambda x, s: ((x.sum(dim=0) - s.sum(dim=0)) / len(x)).square().sum(),
            lambda x, s: ((x.sum(dim=0) - s.sum(dim=0)) / len(s)).square().sum(),
        ),
    ),
    Mistake(
        "one mean over everything",
        "The mean is over examples, dim=0, and leaves a row of values. x.mean() makes one number "
        "of all of them.",
        (lambda x, s: (x.mean() - s.mean()).square(),),
    ),
    Mistake(
        "a mean over the wrong dimension",
        "The mean is over examples, dim=0. With dim=1 each example's values are averaged.",
        (lambda x, s: (x.mean(dim=1) - s.mean(dim=1)).square().sum(),),
    ),
    Mistake(
        "examples left out with themselves",
        "This is the unbiased estimate of MMD^2, without the pairs of an example and itself. "
        "Asked for is the distance of these two means, and those pairs belong to it.",
        (lambda x, s: _by_kernel(x, s, itself=False),),
    ),
    Mistake(
        "the mixed term once",
        "|a - b|^2 = |a|^2 - 2 ab + |b|^2: the mixed term counts twice.",
        (lambda x, s: _by_kernel(x, s, mixed=1.0),),
    ),
    Mistake(
        "rounded away in float32",
        "Far from the origin the three means of products are millions, and float32 keeps seven "
        "digits of each: their small difference is gone. Take the means first, then the gap.",
        # In whatever order the three are added, the rounding differs.
        (
            _by_kernel,
            lambda x, s: _by_kernel(s, x),
            lambda x, s: (x @ x.T).mean() + (s @ s.T).mean() - 2 * (x @ s.T).mean(),
        ),
    ),
    Mistake(
        "no gradient to the synthetic side",
        "The value is right, but the images are learned by its gradient. Leave out detach(), "
        "item(), numpy() and no_grad() on the synthetic side.",
        (lambda x, s: mean_embedding_distance(x, s.detach()),),
    ),
)


def _case(name, real, synthetic, weight=1.0, extreme=False):
    return Case(name, {"real": real, "synthetic": synthetic}, weight, extreme=extreme)


def two_sides(generator, real, synthetic, values):
    """Draw embeddings of both sides whose means are well apart."""
    apart = 1.0 + torch.rand(values, generator=generator)
    x, s = normal(generator, real, values, scale=1.0), normal(generator, synthetic, values)
    return x, s - s.mean(dim=0) + x.mean(dim=0) + apart


def _far_away(generator):
    """Numbers whose sums are exact in float32, and whose products aren't."""
    return [2000 + (16 * side).round() / 16 for side in two_sides(generator, 8, 4, 6)]


def _draw(generator):
    return (
        _case("seven real, three synthetic", *two_sides(generator, 7, 3, 5), weight=2.0),
        _case("nine real, two synthetic", *two_sides(generator, 9, 2, 4)),
        _case("far from the origin", *_far_away(generator), extreme=True),
    )


_REAL = tensor([[1.0, 0.0, 2.5], [3.0, 1.0, 0.5], [2.0, 5.0, 1.5], [4.0, 1.0, 3.0]])
_SYNTHETIC = tensor([[0.5, 2.0, 1.0], [1.5, 3.0, -2.0]])

MEAN_DISTANCE = Question(
    id="hw5-q1",
    title="How far two sets are apart",
    minutes=5,
    signature=(
        'mean_embedding_distance(real: Float[Tensor, "real values"], '
        'synthetic: Float[Tensor, "synthetic values"]) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the squared distance of the two mean embeddings. Gradients flow to the synthetic "
        "side. Four digits must be right, also where all embeddings are far from the origin."
    ),
    reference=mean_embedding_distance,
    cases=(
        _case("four real, two synthetic", _REAL, _SYNTHETIC),
        _case("three real, two synthetic", _REAL[1:], _SYNTHETIC.flip(1)),
        _case("far from the origin", 2000 + _REAL, 2000 + _SYNTHETIC),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
    points=3,
)
