"""Question 3 of homework 5: one step of herding."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, normal
from kdlab.grading.questions.hw5_condensation.herding_mistakes import (
    MISTAKES,
    RULES,
    herding_step,
    left_over,
)
from kdlab.grading.spec import Case, Question


def _case(name, embeddings, chosen, weight=1.0, extreme=False):
    chosen = tensor(chosen, dtype=torch.int64)
    return Case(name, {"embeddings": embeddings, "chosen": chosen}, weight, extreme=extreme)


def _tells(x, taken):
    """Say if every wrong rule takes another example, and the right one wins clearly."""
    chosen = tensor(taken, dtype=torch.int64)
    at, far = herding_step(x, chosen)
    two = left_over(x, chosen).sort().values[:2]
    clear = two.diff() > 0.05 and far > 0.05 and abs(far - 1) > 0.05
    return bool(clear) and all(rule(x, chosen)[0] != at for rule in RULES)


def _tempting(generator, examples, values, taken):
    """Draw embeddings of which the first one taken would be the best again.

    Those taken lie at d, -2d, and, if there are three, two more that cancel, from the mean.
    """
    d, e = 2 * torch.randn(2, values, generator=generator)
    x = normal(generator, examples, values, scale=2.0)
    free = torch.ones(examples, dtype=torch.bool)
    free[taken] = False
    x[taken] = torch.stack([d, -2 * d + e, -e]) if len(taken) == 3 else torch.stack([d, -2 * d])
    x[free] += d / free.sum() - x[free].mean(dim=0)
    return x + 3


def _embeddings(generator, examples, values, taken):
    """Draw embeddings on which each wrong rule takes a wrong example."""
    while True:
        x = _tempting(generator, examples, values, taken)
        if _tells(x, taken):
            return x


def _draw(generator):
    few, more = [4, 2], [5, 1, 3]
    return (
        _case("three chosen", _embeddings(generator, 10, 2, more), more, weight=2.0),
        _case("two chosen", _embeddings(generator, 9, 2, few), few),
        _case("nothing chosen yet", normal(generator, 8, 3), [], extreme=True),
    )


_EIGHT = tensor([[1, 5], [3, 3], [1, 6], [5, 2], [0, 3], [2, 3], [7, 4], [2, 6]]).float()

HERDING_STEP = Question(
    id="hw5-q3",
    title="The next one of a coreset",
    minutes=10,
    signature=(
        'herding_step(embeddings: Float[Tensor, "examples values"], '
        'chosen: Int64[Tensor, "chosen"]) -> tuple[int, float]'
    ),
    statement=(
        "Return the index of the example, not chosen before, with which the mean of the chosen "
        "comes nearest to the mean of all examples, and the distance of the two means then. "
        "Nothing may be chosen yet."
    ),
    reference=herding_step,
    cases=(
        _case("two chosen", _EIGHT, [3, 0]),
        _case("three chosen", _EIGHT, [2, 5, 1]),
        _case("nothing chosen yet", _EIGHT, []),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
