"""Differences over seeds, taken in pairs."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.spec import Case, Mistake, Question


def _paired(first, second):
    gaps = second - first
    return torch.stack([gaps.mean(), gaps.std() / len(gaps) ** 0.5])


def _apart(first, second):
    error = (first.var() / len(first) + second.var() / len(second)).sqrt()
    return torch.stack([(second - first).mean(), error])


def _spread(first, second):
    gaps = second - first
    return torch.stack([gaps.mean(), gaps.std()])


def _by_count(first, second):
    gaps = second - first
    return torch.stack([gaps.mean(), gaps.std() / len(gaps)])


def _population(first, second):
    gaps = second - first
    return torch.stack([gaps.mean(), gaps.std(correction=0) / len(gaps) ** 0.5])


def _draw_pairs(generator):
    cases = []
    for seeds in (5, 8):
        first = 200 + 40 * torch.randn(seeds, generator=generator)
        second = first + 10 + 3 * torch.randn(seeds, generator=generator)
        cases.append(Case(f"{seeds} seeds", {"first": first.round(), "second": second.round()}))
    return tuple(cases)


PAIRED = Question(
    id="KD03-E1",
    title="Seeds in pairs",
    minutes=10,
    signature=(
        'paired(first: Float[Tensor, "seeds"], second: Float[Tensor, "seeds"]) -> '
        'Float[Tensor, "2"]'
    ),
    statement=(
        "Return the mean of second - first over the seeds, and its standard error: the sample "
        "standard deviation of the differences (n - 1) over the root of n."
    ),
    reference=_paired,
    cases=(
        Case(
            "three seeds",
            {"first": tensor([200.0, 240.0, 280.0]), "second": tensor([209.0, 252.0, 289.0])},
        ),
        Case(
            "four seeds",
            {"first": tensor([10.0, 30.0, 20.0, 50.0]), "second": tensor([8.0, 31.0, 16.0, 47.0])},
        ),
    ),
    draw=_draw_pairs,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "not in pairs",
            "This is the error for two groups of different seeds. The seeds are the same: take "
            "the differences first, seed by seed, and their spread.",
            (_apart,),
        ),
        Mistake(
            "the spread, not the error of the mean",
            "This is the standard deviation of the differences; the mean's error is that over "
            "the root of the number of seeds.",
            (_spread,),
        ),
        Mistake(
            "over n, not over its root",
            "The variance of a mean is that of one difference over n, so its root is the standard "
            "deviation over the root of n.",
            (_by_count,),
        ),
        Mistake(
            "divided by n",
            "The sample standard deviation divides by n - 1; torch's `std` does, NumPy's doesn't.",
            (_population,),
        ),
        Mistake(
            "first minus second",
            "The sign is the other way: second - first.",
            (lambda first, second: _paired(second, first),),
        ),
    ),
)
