"""Question 5 of homework 5: gradients through one step of training."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.questions.hw5_condensation.unrolled_mistakes import (
    MISTAKES,
    unrolled_gradients,
)
from kdlab.grading.spec import Case, Question


def _case(name, given, weight=1.0, extreme=False):
    names = ("images", "labels", "weights", "step_size", "real", "targets")
    return Case(name, dict(zip(names, given, strict=True)), weight, extreme=extreme)


def _given(generator, sizes, count, *, sure=1.0):
    """Draw a synthetic set with soft labels, first weights, a step size and a real set."""
    synthetic, real, features = sizes
    labels = normal(generator, synthetic, count, scale=1.5).softmax(dim=1)
    return (
        normal(generator, synthetic, features, scale=1.0),
        labels,
        sure * normal(generator, features, count, scale=0.5),
        between(generator, 1.5, 3.0),
        normal(generator, real, features, scale=1.0),
        classes(generator, real, of=count),
    )


def _is_decided(s, y, w, h, x, t):
    """Say if every softmax is sure, before the step and after it: else float32 is too coarse."""
    down = s.T @ ((s @ w).softmax(dim=1) - y) / len(s)
    scores = torch.cat([s @ w, x @ (w - h * down)])
    return bool(scores.topk(2).values.diff().abs().min() > 30)


def _sure(generator):
    """Draw logits in the thousands."""
    while True:
        given = _given(generator, (3, 5, 4), 3, sure=1e3)
        if _is_decided(*given):
            return given


def _draw(generator):
    return (
        _case("three classes", _given(generator, (4, 6, 5), 3), weight=2.0),
        _case("two classes", _given(generator, (2, 5, 3), 2)),
        _case("a network that is sure", _sure(generator), extreme=True),
    )


_IMAGES = tensor([[1.0, 0.5, -1.0], [0.0, 2.0, 1.0]])
_LABELS = tensor([[0.7, 0.3, 0.0], [0.1, 0.3, 0.6]])
_WEIGHTS = tensor([[0.5, -0.5, 0.2], [0.1, 0.4, -0.3], [-0.2, 0.0, 0.6]])
_REAL = tensor([[1.0, -1.0, 0.5], [0.5, 1.0, 2.0], [-1.0, 0.5, 0.0], [2.0, 1.0, -0.5]])
_TARGETS = tensor([0, 2, 1, 0])

UNROLLED_GRADIENTS = Question(
    id="hw5-q5",
    title="Through one step of training",
    minutes=15,
    signature=(
        'unrolled_gradients(images: Float[Tensor, "synthetic features"], '
        'labels: Float[Tensor, "synthetic classes"], weights: Float[Tensor, "features classes"], '
        'step_size: float, real: Float[Tensor, "real features"], '
        'targets: Int64[Tensor, "real"]) -> tuple[Float[Tensor, "synthetic features"], '
        'Float[Tensor, ""]]'
    ),
    statement=(
        "Train the linear classifier (logits are images @ weights) by one step of gradient descent "
        "on the mean cross-entropy of the synthetic images to their soft labels. Return the "
        "gradients on the images and on step_size, the second one a scalar, of the mean "
        "cross-entropy that the trained weights have on the real images. Logits may be "
        "in the thousands."
    ),
    reference=unrolled_gradients,
    cases=(
        _case("three classes", (_IMAGES, _LABELS, _WEIGHTS, 2.0, _REAL, _TARGETS)),
        _case(
            "two classes",
            (_IMAGES[:, :2], _LABELS[:, :2] / _LABELS[:, :2].sum(1, True), _WEIGHTS[1:, 1:], 1.5)
            + (_REAL[:3, 1:], tensor([1, 0, 1])),
        ),
        _case("a network that is sure", (_IMAGES, _LABELS, 1000 * _WEIGHTS, 2.0, _REAL, _TARGETS)),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=5,
)
