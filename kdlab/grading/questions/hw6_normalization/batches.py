"""What the questions of homework 6 share: axes, statistics, wrong ones, and inputs."""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import normal

# What `check` tries: four examples of two features, three images of two channels, as wide as that.
FEATURES = tensor([[1.0, 2.0], [3.0, -1.0], [2.0, 6.0], [6.0, 2.0]])
IMAGES = (5 * torch.arange(12) % 13).float().view(3, 2, 1, 2)


def axes(x: Tensor) -> tuple[int, ...]:
    """Return all axes but the features'."""
    return (0,) if x.dim() == 2 else (0, 2, 3)


def count(x: Tensor) -> int:
    """Return how many values a feature has."""
    return x.numel() // x.shape[1]


def wide(values: Tensor, x: Tensor) -> Tensor:
    """Shape one value a feature so that it meets all values of its feature."""
    return values if x.dim() == 2 else values[:, None, None]


def centred(x: Tensor) -> Tensor:
    """Take each feature's mean away."""
    return x - x.mean(axes(x), keepdim=True)


def variance(x: Tensor) -> Tensor:
    """Return the biased variance of each feature."""
    return centred(x).square().sum(axes(x)) / count(x)


def unbiased(x: Tensor) -> Tensor:
    """Return the variance divided by one value fewer."""
    return variance(x) * count(x) / (count(x) - 1)


def by_squares(x: Tensor) -> Tensor:
    """Return E[x^2] - E[x]^2, which float32 rounds away where the mean is large."""
    return x.square().mean(axes(x)) - x.mean(axes(x)).square()


def drawn(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw a batch whose features have means and spreads of their own."""
    features = torch.arange(shape[1]).view(-1, *[1] * (len(shape) - 2))
    return normal(generator, *shape, scale=1.0) * (1 + 0.4 * features) + 2 - features


def far_away(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw a batch around 2000 whose sums are exact in float32, and whose squares aren't."""
    return 2000 + (16 * normal(generator, *shape, scale=2.0)).round() / 16


def positive(generator: torch.Generator, features: int) -> Tensor:
    """Draw factors or variances, away from 0 and from 1."""
    u = torch.rand(2, features, generator=generator)
    return torch.where(u[0] < 0.5, 0.3 + 0.4 * u[1], 1.5 + 1.5 * u[1])


def apart(generator: torch.Generator, features: int) -> Tensor:
    """Draw means or summands of either sign, away from 0 and from 1."""
    return (1.3 + torch.rand(features, generator=generator)) * (-1) ** torch.arange(features)
