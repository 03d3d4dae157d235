"""Question 4 of homework 6: a normalization that changes nothing.

Variants are called with x (the batch) and e (eps).
"""

import torch

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.questions.hw6_normalization.batches import (
    FEATURES,
    IMAGES,
    axes,
    by_squares,
    drawn,
    far_away,
    unbiased,
    variance,
)
from kdlab.grading.spec import Case, Mistake, Question


def undo(batch, eps):
    """Return gamma, beta, running mean and running variance, [4, features]."""
    mean, spread = batch.mean(axes(batch)), variance(batch)
    return torch.stack([(spread + eps).sqrt(), mean, mean, spread])


def _rows(gamma=None, beta=None, mean=None, spread=None):
    """Return the answer with other rows, made from variance, mean and eps."""

    def rows(x, e):
        v, m = variance(x), x.mean(axes(x))
        found = list(undo(x, e))
        for at, change in enumerate((gamma, beta, mean, spread)):
            found[at] = found[at] if change is None else change(v, m, e)
        return torch.stack(found)

    return rows


def _by(spread):
    """Return the answer with another variance in both places."""

    def rows(x, e):
        mean, by = x.mean(axes(x)), spread(x)
        return torch.stack([(by + e).sqrt(), mean, mean, by])

    return rows


def _unbiased_runs(x, e):
    return torch.cat([undo(x, e)[:3], unbiased(x)[None]])


def _unbiased_gamma(x, e):
    return torch.cat([(unbiased(x) + e).sqrt()[None], undo(x, e)[1:]])


def _over(over):
    def rows(x, e):
        mean, by = x.mean(over(x)), x.var(over(x), unbiased=False)
        return torch.stack([(by + e).sqrt(), mean, mean, by])

    return rows


MISTAKES = (
    Mistake(
        "eps not used",
        "The forward pass divides by sqrt(variance + eps), and so gamma is that root, with the eps "
        "that is passed.",
        (_rows(gamma=lambda v, m, e: v.sqrt()), _rows(gamma=lambda v, m, e: (v + 1e-5).sqrt())),
    ),
    Mistake(
        "eps outside the root",
        "gamma is sqrt(variance + eps).",
        (_rows(gamma=lambda v, m, e: v.sqrt() + e),),
    ),
    Mistake(
        "the unbiased variance",
        "In training the batch is normalized by its biased variance, and so gamma is the root of "
        "that.",
        (_by(unbiased), _unbiased_gamma),
    ),
    Mistake(
        "an unbiased running variance",
        "In training running variances are unbiased. But here evaluation has to divide by what "
        "gamma multiplies by, and that is the root of the biased one.",
        (_unbiased_runs,),
    ),
    Mistake(
        "the running statistics as they are",
        "With mean 0 and variance 1 evaluation multiplies by gamma and adds beta, for good. The "
        "running statistics become the batch's.",
        (
            _rows(mean=lambda v, m, e: 0 * m, spread=lambda v, m, e: 0 * v + 1),
            _rows(spread=lambda v, m, e: 0 * v + 1),
            _rows(mean=lambda v, m, e: 0 * m),
        ),
    ),
    Mistake(
        "eps in the running variance",
        "eps is added in evaluation, too: the running variance is without it.",
        (_rows(spread=lambda v, m, e: v + e),),
    ),
    Mistake(
        "the root in the running variance",
        "What is kept is the variance, without the root.",
        (_rows(spread=lambda v, m, e: v.sqrt()), _rows(spread=lambda v, m, e: (v + e).sqrt())),
    ),
    Mistake(
        "gamma upside down",
        "The normalization divides by the root, and gamma multiplies by it again.",
        (_rows(gamma=lambda v, m, e: (v + e).rsqrt()),),
    ),
    Mistake(
        "the root of gamma is missing",
        "gamma is sqrt(variance + eps).",
        (_rows(gamma=lambda v, m, e: v + e),),
    ),
    Mistake(
        "the sign of beta",
        "The normalization takes the mean away, and beta adds it again.",
        (_rows(beta=lambda v, m, e: -m),),
    ),
    Mistake(
        "beta divided by the root",
        "beta is added after gamma, so that it is the mean itself, of its own sign.",
        (
            _rows(beta=lambda v, m, e: m / (v + e).sqrt()),
            _rows(beta=lambda v, m, e: -m / (v + e).sqrt()),
            _rows(beta=lambda v, m, e: m * (v + e).sqrt()),
        ),
    ),
    Mistake(
        "gamma 1 and beta 0",
        "With these a normalizer starts, and its outputs have mean 0 and variance 1. Here they "
        "must be the inputs.",
        (_rows(gamma=lambda v, m, e: 0 * v + 1, beta=lambda v, m, e: 0 * m),),
    ),
    Mistake(
        "gamma and beta exchanged",
        "gamma multiplies, beta is added; gamma comes first.",
        (lambda x, e: undo(x, e)[[1, 0, 2, 3]],),
    ),
    Mistake(
        "mean and variance exchanged",
        "After gamma and beta: the running mean, then the running variance.",
        (lambda x, e: undo(x, e)[[0, 1, 3, 2]],),
    ),
    Mistake(
        "each place of an image by itself",
        "A channel has one gamma and one beta; its statistics run over the batch, height and "
        "width: dim=(0, 2, 3).",
        (_over(lambda x: (0,)),),
    ),
    Mistake(
        "rounded away in float32",
        "E[x^2] - E[x]^2 is the small difference of two large numbers, of which float32 keeps "
        "seven digits. Subtract the mean first, then square.",
        (_by(by_squares), _by(lambda x: by_squares(x).clamp_min(0))),
    ),
)


def _case(name, batch, eps, weight=1.0, extreme=False):
    return Case(name, {"batch": batch, "eps": eps}, weight, extreme=extreme)


def _draw(generator):
    def eps():
        return between(generator, 0.2, 0.6)

    return (
        _case("images", drawn(generator, 3, 3, 2, 2), eps(), weight=2.0),
        _case("features", drawn(generator, 6, 4), eps()),
        _case("far from the origin", far_away(generator, 8, 3), eps(), extreme=True),
    )


UNDO = Question(
    id="hw6-q4",
    title="Undone",
    minutes=10,
    signature=(
        'undo(batch: Float[Tensor, "batch features *places"], *, eps: float) '
        '-> Float[Tensor, "4 features"]'
    ),
    statement=(
        "Return gamma, beta, running mean and running variance, one number a feature each, with "
        "which a batch normalization gives this batch back as it is, in training and in "
        "evaluation. The mean may be large beside the spread."
    ),
    reference=undo,
    cases=(
        _case("images", IMAGES, 0.25),
        _case("features", FEATURES, 0.5),
        _case("far from the origin", FEATURES + 2000, 0.5),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
)
