"""Question 2 of homework 6: the backward pass in closed form."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.questions.hw6_normalization.backward_mistakes import MISTAKES
from kdlab.grading.questions.hw6_normalization.batches import (
    FEATURES,
    IMAGES,
    centred,
    drawn,
    far_away,
    positive,
)
from kdlab.grading.questions.hw6_normalization.gradients import batch_norm_backward
from kdlab.grading.spec import Case, Question


def _case(name, upstream, inputs, gamma, eps, weight=1.0, extreme=False):
    given = {"upstream": upstream, "inputs": inputs, "gamma": gamma, "eps": eps}
    return Case(name, given, weight, extreme=extreme)


def _draw(generator):
    def given(x):
        # A gradient that goes along with the inputs, and isn't 0 in the mean.
        upstream = normal(generator, *x.shape, scale=1.0) + centred(x) + 1.5
        return upstream, x, positive(generator, x.shape[1]), between(generator, 0.2, 0.6)

    return (
        _case("images", *given(drawn(generator, 4, 3, 2, 3)), weight=2.0),
        _case("features", *given(drawn(generator, 6, 4))),
        _case("far from the origin", *given(far_away(generator, 8, 3)), extreme=True),
    )


_UPSTREAM = tensor([[1.0, 0.5], [-0.5, 2.0], [0.0, 1.0], [2.0, -1.5]])
_ON_IMAGES = (7 * torch.arange(12) % 11).float().view(3, 2, 1, 2) / 4 - 1
_GAMMA = tensor([2.0, 0.5])

BACKWARD = Question(
    id="hw6-q2",
    title="Backward",
    minutes=15,
    signature=(
        'batch_norm_backward(upstream: Float[Tensor, "batch features *places"], '
        'inputs: Float[Tensor, "batch features *places"], gamma: Float[Tensor, "features"], *, '
        'eps: float) -> tuple[Float[Tensor, "batch features *places"], '
        'Float[Tensor, "features"], Float[Tensor, "features"]]'
    ),
    statement=(
        "Return the gradients on inputs, gamma and beta, given the gradient on the outputs of the "
        "forward pass in training. The mean may be large beside the spread."
    ),
    reference=batch_norm_backward,
    cases=(
        _case("images", _ON_IMAGES, IMAGES, _GAMMA, 0.25),
        _case("features", _UPSTREAM, FEATURES, _GAMMA, 0.5),
        _case("far from the origin", _UPSTREAM + 3.3, 1.0625 * FEATURES + 2000, _GAMMA, 0.5),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=5,
)
