"""Question 4 of homework 5: one change a class, shared by both sides."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.questions.hw5_condensation.siamese_mistakes import MISTAKES
from kdlab.grading.questions.hw5_condensation.siamese_ways import change_alike
from kdlab.grading.spec import Case, Question


def _case(name, real, y, synthetic, t, moves, factors, weight=1.0, extreme=False):
    given = {
        "real": real,
        "real_targets": tensor(y),
        "synthetic": synthetic,
        "synthetic_targets": tensor(t),
        "moves": tensor(moves),
        "factors": torch.as_tensor(factors),
    }
    return Case(name, given, weight, extreme=extreme)


def _draw(generator):
    def given(y, t, size, moves):
        x = torch.rand(len(y), *size, generator=generator)
        s = torch.rand(len(t), *size, generator=generator)
        # Some below 1 and some above, all of them away from it.
        factors = 0.3 + 0.4 * torch.rand(len(moves), generator=generator)
        return x, y, s, t, moves, factors + torch.arange(len(moves)) % 2

    three = [2, 0, 1, 1, 0], [1, 2, 0, 1], (4, 5)
    # The synthetic classes are neither the first real ones, nor the next, nor in order.
    two = [0, 0, 1], [1, 0], (3, 4)
    return (
        _case("three classes", *given(*three, [1, -2, 2]), weight=2.0),
        _case("two classes", *given(*two, [-1, 2])),
        _case("by nothing, and out of sight", *given(*two, [0, 4]), extreme=True),
    )


# Tenths from 0 to 1, all rows different.
_REAL = (7 * torch.arange(48) % 11).view(4, 3, 4) / 10

CHANGE_ALIKE = Question(
    id="hw5-q4",
    title="Both sides changed alike",
    minutes=10,
    signature=(
        'change_alike(real: Float[Tensor, "real height width"], '
        'real_targets: Int64[Tensor, "real"], '
        'synthetic: Float[Tensor, "synthetic height width"], '
        'synthetic_targets: Int64[Tensor, "synthetic"], moves: Int64[Tensor, "classes"], '
        'factors: Float[Tensor, "classes"]) -> tuple[Float[Tensor, "real height width"], '
        'Float[Tensor, "synthetic height width"]]'
    ),
    statement=(
        "Return both batches, each image changed by the entry of its class: moved to the right by "
        "moves[class] pixels (to the left, if negative; black, 0, comes in), and then its "
        "distances from its own mean multiplied by factors[class]. A move's size is at most "
        "the width."
    ),
    reference=change_alike,
    cases=(
        _case(
            "three classes",
            _REAL,
            [1, 0, 2, 1],
            1 - _REAL[[2, 0, 3, 1]],
            [1, 2, 0, 0],
            [1, -2, 2],
            [0.5, 1.5, 2.0],
        ),
        _case(
            "two classes",
            _REAL[:3],
            [0, 1, 1],
            _REAL[3:] / 2 + _REAL[:2] / 4,
            [1, 0],
            [-1, 3],
            [1.5, 0.25],
        ),
        _case(
            "by nothing, and out of sight",
            _REAL[:2],
            [1, 0],
            _REAL[2:],
            [0, 1],
            [0, -4],
            [0.5, 1.5],
        ),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
