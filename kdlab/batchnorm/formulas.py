"""Batch normalization forward and backward, in closed form.

Half precision is computed as it stands; the layer widens it first.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_not_negative, check_same_shape
from kdlab.batchnorm import _closed
from kdlab.batchnorm._axes import check_inputs, check_per_feature


class Statistics(NamedTuple):
    """What a batch says of each feature.

    Attributes:
        mean: $\\mu$, [features].
        variance: $\\sigma^2$, biased: divided by the number of values, [features].
    """

    mean: Float[Tensor, "features"]
    variance: Float[Tensor, "features"]


class Gradients(NamedTuple):
    """The gradient of a loss on what batch normalization reads.

    Attributes:
        inputs: Of the inputs' shape.
        gamma: [features].
        beta: [features].
    """

    inputs: Float[Tensor, "batch features *places"]
    gamma: Float[Tensor, "features"]
    beta: Float[Tensor, "features"]


def batch_statistics(inputs: Float[Tensor, "batch features *places"]) -> Statistics:
    r"""Compute each feature's mean and biased variance over a batch, and over places in maps.

    $\mu = \frac1m\sum_i x_i$ and $\sigma^2 = \frac1m\sum_i (x_i - \mu)^2$, where $m$ counts the
    values of one feature: batch, or batch x height x width.

    Args:
        inputs: [batch, features] or [batch, channels, height, width]; NaN for an empty batch.

    Raises:
        ValueError: The inputs have another shape, or are not floating point.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """
    check_inputs(inputs=inputs)
    return Statistics(*_closed.statistics(inputs))


def standardize(
    inputs: Float[Tensor, "batch features *places"],
    statistics: Statistics,
    *,
    eps: float = 1e-5,
) -> Float[Tensor, "batch features *places"]:
    r"""Subtract the mean and divide by the root.

    $\hat x_i = (x_i - \mu)/\sqrt{\sigma^2 + \epsilon}$.

    Args:
        inputs: [batch, features] or [batch, channels, height, width].
        statistics: Of this batch in training, or running ones.
        eps: Added to the variance inside the root, >= 0.

    Raises:
        ValueError: A shape is wrong, or eps is negative or not finite.
    """
    check_inputs(inputs=inputs)
    check_per_feature(inputs.shape[1], mean=statistics.mean, variance=statistics.variance)
    check_not_negative(eps=eps)
    return _closed.standardize(inputs, statistics.mean, torch.rsqrt(statistics.variance + eps))


def batch_norm_forward(
    inputs: Float[Tensor, "batch features *places"],
    gamma: Float[Tensor, "features"],
    beta: Float[Tensor, "features"],
    *,
    statistics: Statistics | None = None,
    eps: float = 1e-5,
) -> Float[Tensor, "batch features *places"]:
    r"""Normalize each feature, then scale and shift it: $y_i = \gamma \hat x_i + \beta$.

    Args:
        inputs: [batch, features] or [batch, channels, height, width].
        gamma: One factor a feature.
        beta: One summand a feature.
        statistics: What to normalize by; None is `batch_statistics(inputs)`, as in training.
        eps: Added to the variance inside the root, >= 0.

    Returns:
        Of the inputs' shape. A batch of one value a feature becomes beta.

    Raises:
        ValueError: A shape is wrong, or eps is negative or not finite.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """
    statistics = batch_statistics(inputs) if statistics is None else statistics
    check_per_feature(inputs.shape[1], gamma=gamma, beta=beta)
    normalized = standardize(inputs, statistics, eps=eps)
    return _closed.scale_and_shift(normalized, gamma, beta)


def batch_norm_backward(
    upstream: Float[Tensor, "batch features *places"],
    inputs: Float[Tensor, "batch features *places"],
    gamma: Float[Tensor, "features"],
    *,
    statistics: Statistics | None = None,
    eps: float = 1e-5,
) -> Gradients:
    r"""Carry a gradient back through the normalization by a batch's own statistics.

    With $g_i = \partial L/\partial y_i$:
    $\partial L/\partial\beta = \sum_i g_i$, $\partial L/\partial\gamma = \sum_i g_i \hat x_i$,
    $$\frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}
    \Bigl(g_i - \frac1m\sum_j g_j - \hat x_i\,\frac1m\sum_j g_j \hat x_j\Bigr).$$

    Args:
        upstream: The gradient on the outputs, of the inputs' shape.
        inputs: What the forward pass read.
        gamma: One factor a feature.
        statistics: The batch's own, if they are at hand; None computes them anew. Running
            statistics don't depend on the inputs and have another gradient.
        eps: As in the forward pass.

    Raises:
        ValueError: Shapes differ, or eps is negative or not finite.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, section 3, with its six equations joined.
    """
    statistics = batch_statistics(inputs) if statistics is None else statistics
    check_same_shape(upstream=upstream, inputs=inputs)
    check_per_feature(inputs.shape[1], gamma=gamma)
    normalized = standardize(inputs, statistics, eps=eps)
    inverse = torch.rsqrt(statistics.variance + eps)
    return Gradients(*_closed.carry_back(upstream, normalized, gamma, inverse))
