"""The arithmetic itself, unchecked: on a small batch a check costs as much as an operation."""

import torch
from torch import Tensor

from kdlab.batchnorm._axes import spread, statistics_axes, values_per_feature


def statistics(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance of each feature."""
    over = statistics_axes(inputs)
    mean = inputs.mean(over)
    # Centred before it is squared: E[x^2] - E[x]^2 loses all digits where the mean is large.
    return mean, (inputs - spread(mean, inputs)).square().mean(over)


def standardize(inputs: Tensor, mean: Tensor, inverse: Tensor) -> Tensor:
    """Return (x - mean) * inverse, the inverse of the root of variance + eps."""
    return (inputs - spread(mean, inputs)) * spread(inverse, inputs)


def scale_and_shift(normalized: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Return gamma x^ + beta."""
    return torch.addcmul(spread(beta, normalized), normalized, spread(gamma, normalized))


def carry_back(
    upstream: Tensor, normalized: Tensor, gamma: Tensor, inverse: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients on inputs, gamma and beta."""
    over, count = statistics_axes(upstream), values_per_feature(upstream)
    of_beta = upstream.sum(over)
    # The mean goes first, which changes nothing (the normalized sum to 0) but the rounding.
    centred = upstream - spread(of_beta / count, upstream)
    of_gamma = (centred * normalized).sum(over)
    tilted = torch.addcmul(centred, normalized, spread(of_gamma / count, upstream), value=-1)
    return tilted * spread(gamma * inverse, upstream), of_gamma, of_beta
