"""Question 2 of homework 3: one step of mutual learning, in turn.

Variants are called with a and b (weights of the two networks), x (inputs), y (classes),
t (temperature), w (lambda) and r (learning rate).
"""

import torch

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.questions.hw3_together.mutual_mistakes import mistakes_of, stepped
from kdlab.grading.spec import Case, Question


def _loss(own, other, y, t, w):
    return losses.distillation_loss(own, other, y, temperature=t, lambda_=w)


def mutual_step(first, second, inputs, targets, temperature, lambda_, learning_rate):
    """Return both weights after one step each; the second hears the first after its step."""
    rest = (inputs, targets, temperature, lambda_, learning_rate)
    first = stepped(_loss, first, second, *rest)
    return first, stepped(_loss, second, first, *rest)


def _case(name, weights, inputs, targets, numbers, weight=1.0, extreme=False):
    named = {"first": weights[0], "second": weights[1], "inputs": inputs, "targets": targets}
    named |= dict(zip(("temperature", "lambda_", "learning_rate"), numbers, strict=True))
    return Case(name, named, weight, extreme=extreme)


def _draw(generator):
    def case(name, shape, lambdas, *, far=1.0, **rest):
        batch, features, count = shape
        weights = [normal(generator, count, features, scale=1.0) for _ in range(2)]
        inputs = far * normal(generator, batch, features, scale=1.0)
        numbers = between(generator, 1.6, 2.6), between(generator, *lambdas)
        # At a small rate nobody would hear the first step: "in turn" would look like "at once".
        rate = between(generator, 0.5, 0.9) * (10 / far**2 if far > 1 else 1)
        targets = classes(generator, batch, of=count)
        return _case(name, weights, inputs, targets, (*numbers, rate), **rest)

    # Away from lambda = 1/2, which would hide that lambda and 1 - lambda are exchanged.
    return (
        case("more of the other", (5, 4, 6), (0.6, 0.8), weight=2.0),
        case("more of the labels", (7, 3, 4), (0.25, 0.4)),
        case("logits of 1,000", (4, 5, 4), (0.6, 0.8), far=500.0, extreme=True),
    )


_WEIGHTS = torch.tensor(
    [[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]], [[-0.5, 1.0], [1.0, 0.5], [0.0, -1.0]]]
)
_INPUTS = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [2.0, -1.0], [0.5, 0.5]])
_TARGETS = torch.tensor([0, 2, 1, 1])

MUTUAL_STEP = Question(
    id="hw3-q2",
    title="One step of mutual learning",
    minutes=15,
    signature=(
        'mutual_step(first: Float[Tensor, "classes features"], '
        'second: Float[Tensor, "classes features"], inputs: Float[Tensor, "batch features"], '
        'targets: Int64[Tensor, "batch"], *, temperature: float, lambda_: float, '
        'learning_rate: float) -> tuple[Float[Tensor, "classes features"], '
        'Float[Tensor, "classes features"]]'
    ),
    statement=(
        "Two networks have the logits x @ W.T. Each makes one step of plain gradient descent on "
        "(1 - lambda) CE + lambda T^2 KL(other || own), both as batch means, the other's softened "
        "predictions being constants. The first network steps first; the second hears the "
        "predictions that the first has after its step. Return both new weights, the first's "
        "first, and leave the arguments as they are."
    ),
    reference=mutual_step,
    cases=(
        _case("four examples", _WEIGHTS, _INPUTS, _TARGETS, (2.0, 0.75, 0.5)),
        _case("three of them", _WEIGHTS, _INPUTS[1:], _TARGETS[1:], (1.5, 0.25, 0.8)),
        _case("logits of 1,000", _WEIGHTS, 500 * _INPUTS, _TARGETS, (2.0, 0.75, 2e-6)),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=mistakes_of(_loss),
    points=5,
)
