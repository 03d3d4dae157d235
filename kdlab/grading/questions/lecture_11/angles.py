"""How differently two sets pull at one layer.

Variants are called with a and b: the real and the synthetic gradient.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, normal
from kdlab.grading.spec import Case, Mistake, Question


def _distance(real: Tensor, synthetic: Tensor) -> Tensor:
    return (1 - F.cosine_similarity(real, synthetic, dim=1)).sum()


def _draw(generator: torch.Generator) -> tuple[Case, ...]:
    def case(name: str, units: int, values: int) -> Case:
        real = normal(generator, units, values, scale=1.0)
        own = 0.3 * (real + normal(generator, units, values, scale=1.0))
        return Case(name, {"real": real, "synthetic": own})

    return case("three units", 3, 5), case("more units than values", 6, 4)


_REAL = tensor([[3.0, 4.0, 0.0], [1.0, 0.0, 1.0]])
_OWN = tensor([[6.0, 8.0, 1.0], [0.0, 2.0, 1.0]])

GRADIENT_DISTANCE = Question(
    id="KD11-E4",
    title="Angles of gradients",
    minutes=10,
    signature=(
        'layer_distance(real: Float[Tensor, "units values"], synthetic: Float[Tensor, "units '
        'values"]) -> float'
    ),
    statement=(
        "Both are gradients of one layer's weights, a row for each output unit; no row is 0. "
        "Return the sum over the units of 1 minus the cosine of the angle between the two rows."
    ),
    reference=_distance,
    cases=(
        Case("two units", {"real": _REAL, "synthetic": _OWN}),
        Case("opposite", {"real": _REAL, "synthetic": -_REAL}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "one angle for the whole layer",
            "Each unit has an angle of its own: with one angle for all, units with large gradients "
            "drown the others.",
            (
                lambda a, b: 1 - F.cosine_similarity(a.flatten(), b.flatten(), dim=0),
                lambda a, b: len(a) * (1 - F.cosine_similarity(a.flatten(), b.flatten(), dim=0)),
            ),
        ),
        Mistake(
            "a mean over the units",
            "The sum over the units is asked for.",
            (lambda a, b: _distance(a, b) / len(a),),
        ),
        Mistake(
            "columns instead of rows",
            "A row belongs to an output unit; a column to an input.",
            (lambda a, b: _distance(a.T, b.T),),
        ),
        Mistake(
            "the cosine itself",
            "The cosine is largest where the directions agree: a distance is 1 minus it.",
            (lambda a, b: F.cosine_similarity(a, b, dim=1).sum(),),
        ),
        Mistake(
            "lengths counted",
            "Only the angle counts: divide by both lengths.",
            (
                lambda a, b: (a - b).square().sum(),
                lambda a, b: (1 - (a * b).sum(dim=1)).sum(),
            ),
        ),
        Mistake(
            "divided by the squared length of one side",
            "A cosine is divided by the two lengths, each of its own row.",
            (
                lambda a, b: (1 - (a * b).sum(1) / a.square().sum(1)).sum(),
                lambda a, b: (1 - (a * b).sum(1) / b.square().sum(1)).sum(),
            ),
        ),
        Mistake(
            "1 minus the sum",
            "1 is there for each unit.",
            (lambda a, b: 1 - F.cosine_similarity(a, b, dim=1).sum(),),
        ),
        Mistake(
            "the angle instead of its cosine",
            "The angle itself isn't needed: 1 minus the cosine.",
            (lambda a, b: F.cosine_similarity(a, b, dim=1).arccos().sum(),),
        ),
    ),
)
