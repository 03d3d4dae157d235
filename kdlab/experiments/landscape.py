"""How a loss changes along its gradient, and how much a layer's problem changes below it.

Both as Santurkar et al. 2018 (arXiv:1805.11604) measure them, on one batch and for a step of plain
gradient descent. The model isn't changed, nor its running statistics; it is asked in the mode in
which it stands.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

Weights = dict[str, Tensor]

#: Lengths at which the loss is read, in steps of the learning rate.
MULTIPLES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)


class Place(NamedTuple):
    """The loss and its gradient, by name, where the weights are."""

    loss: float
    gradients: Weights


class Along(NamedTuple):
    r"""What is met between half a step and four of them down the gradient $g$.

    Attributes:
        rise: The loss's largest value less its smallest, in nats.
        turn: The largest distance $\|g(\theta - \eta g) - g\|$ of the gradient from where it began.
        smoothness: The largest $\|g(\theta - \eta g) - g\| / \|\eta g\|$.
    """

    rise: float
    turn: float
    smoothness: float


class Shift(NamedTuple):
    r"""How the step of the layers below changes the gradient of a layer.

    Attributes:
        distance: $\|G' - G\|$.
        cosine: Of the angle between $G$ and $G'$.
    """

    distance: float
    cosine: float


def place(
    model: nn.Module,
    weights: Weights,
    images: Float[Tensor, "batch pixels"],
    targets: Int64[Tensor, "batch"],
) -> Place:
    """Return the mean cross-entropy of a batch and its gradient at other weights."""
    leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
    # Copies: in training a normalizer writes into its buffers.
    held = {name: value.clone() for name, value in model.named_buffers()}
    loss = F.cross_entropy(torch.func.functional_call(model, held | leaves, images), targets)
    gradients = torch.autograd.grad(loss, tuple(leaves.values()))
    return Place(loss.item(), dict(zip(leaves, gradients, strict=True)))


def along_gradient(
    model: nn.Module,
    images: Float[Tensor, "batch pixels"],
    targets: Int64[Tensor, "batch"],
    *,
    rate: float,
    multiples: Sequence[float] = MULTIPLES,
) -> Along:
    """Walk down the gradient of a batch and read the same batch's loss and gradient on the way."""
    weights = _weights(model)
    start = place(model, weights, images, targets)
    length, turns = _length(start.gradients), []
    losses = []
    for multiple in multiples:
        there = _stepped(weights, start.gradients, multiple * rate)
        loss, gradients = place(model, there, images, targets)
        losses.append(loss)
        turns.append(_length(_stepped(gradients, start.gradients, 1.0)))
    steps = [multiple * rate * length for multiple in multiples]
    slopes = [turn / step for turn, step in zip(turns, steps, strict=True)]
    return Along(max(losses) - min(losses), max(turns), max(slopes))


def layer_shift(
    model: nn.Module,
    images: Float[Tensor, "batch pixels"],
    targets: Int64[Tensor, "batch"],
    *,
    layer: str,
    rate: float,
) -> Shift:
    """Compare a layer's gradients before and after a step of all that comes before it.

    Both are of the same batch; the layer itself and those above it stay as they are. This is
    Santurkar et al.'s internal covariate shift.

    Args:
        model: Its weights are in the order in which they are used.
        images, targets: The batch.
        layer: Its name in the model.
        rate: The learning rate of the step.
    """
    weights = _weights(model)
    before = place(model, weights, images, targets).gradients
    names = list(weights)
    below = names[: names.index(f"{layer}.weight")]
    lower = {name: weights[name] for name in below}
    moved = weights | _stepped(lower, before, rate)
    after = place(model, moved, images, targets).gradients
    own = [name for name in names if name.startswith(f"{layer}.")]
    first, second = (torch.cat([g[name].flatten() for name in own]) for g in (before, after))
    return Shift((second - first).norm().item(), F.cosine_similarity(first, second, dim=0).item())


def _weights(model: nn.Module) -> Weights:
    return {name: value.detach() for name, value in model.named_parameters()}


def _stepped(weights: Weights, gradients: Weights, length: float) -> Weights:
    return {name: value - length * gradients[name] for name, value in weights.items()}


def _length(gradients: Weights) -> float:
    return torch.cat([value.flatten() for value in gradients.values()]).norm().item()
