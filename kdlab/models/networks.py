"""Small networks that expose their feature maps by name.

Both kinds take float images of any trailing shape that holds the right number of values,
and have a `features(images)` that returns every intermediate map in order.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_choice, check_count, check_drop_rate, check_length
from kdlab.models.parts import Dropout, seeded


class FeatureNet(nn.Module):
    """Named blocks in a row; the last one gives the logits.

    `forward(images)` returns the logits; `features(images)` returns a dict of every block's
    output by the block's name, in order, the logits under ``"logits"``.
    """

    def __init__(self, **blocks: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict(blocks)

    def features(self, images: Float[Tensor, "batch *shape"]) -> dict[str, Tensor]:
        """Return the output of every block by name, in order, ending in "logits"."""
        maps, hidden = {}, images
        for name, block in self.blocks.items():
            maps[name] = hidden = block(hidden)
        return maps

    def forward(self, images: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch classes"]:
        for block in self.blocks.values():
            images = block(images)
        return images


class Ensemble(nn.Module):
    """Several networks as one: the softmax of its logits is the mean of their probabilities."""

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        check_length(1, models=models)
        self.models = nn.ModuleList(models)

    def forward(self, images: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch classes"]:
        each = torch.stack([model(images).log_softmax(dim=-1) for model in self.models])
        return each.logsumexp(dim=0) - math.log(len(self.models))


def mlp(
    widths: tuple[int, ...], *, dropout: float = 0.0, input_dropout: float = 0.0, seed: int = 0
) -> FeatureNet:
    """Build a fully connected ReLU network, for example ``mlp((784, 800, 800, 10))``.

    Args:
        widths: Values per image, units of each hidden layer, classes.
        dropout: Probability that a hidden unit is dropped in training, in [0, 1).
        input_dropout: The same for a pixel.
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Returns:
        A network whose maps are "inputs" (flat), "hidden1", "hidden2", ..., "logits".

    Raises:
        ValueError: Fewer than two widths, one that is no positive whole number, a
            probability outside [0, 1), or a seed that is no whole number >= 0.
    """
    widths = checked_widths(widths, at_least=2)
    check_drop_rate(dropout=dropout, input_dropout=input_dropout)
    check_count(0, seed=seed)
    with seeded(seed):
        blocks = {"inputs": nn.Sequential(nn.Flatten(), Dropout(input_dropout))}
        for i, (fan_in, fan_out) in enumerate(zip(widths[:-2], widths[1:-1], strict=True)):
            layers = [nn.Linear(fan_in, fan_out), nn.ReLU(), Dropout(dropout)]
            blocks[f"hidden{i + 1}"] = nn.Sequential(*layers)
        blocks["logits"] = nn.Linear(widths[-2], widths[-1])
    return FeatureNet(**blocks)


def conv_net(
    widths: tuple[int, ...] = (8, 16),
    *,
    channels: int = 1,
    classes: int = 10,
    squeeze: int | None = None,
    pool_after: tuple[int, ...] | None = None,
    seed: int = 0,
) -> FeatureNet:
    """Build a small convolutional network: [conv 3x3, batch norm, ReLU, max pool 2] blocks.

    Args:
        widths: Channels of each block.
        channels: Channels of the images.
        classes: How many logits.
        squeeze: Make each convolution of three without anything between them: 1x1 to so many
            times fewer channels than the block has, 3x3 there, 1x1 to the block's channels. It
            is a 3x3 convolution of low rank, with maps as wide as before; None is a full one.
        pool_after: The blocks, counted from 1, that end in max pooling; None is all.
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Returns:
        A network whose maps are "block1", "block2", ..., "pooled" (global average), "logits".

    Raises:
        ValueError: A width, channels, classes or squeeze is no positive whole number, pool_after
            names no block, or the seed is no whole number >= 0.
    """
    widths = checked_widths(widths, at_least=1)
    check_count(channels=channels, classes=classes, squeeze=1 if squeeze is None else squeeze)
    check_count(0, seed=seed)
    numbers = tuple(range(1, len(widths) + 1))
    pools = numbers if pool_after is None else pool_after
    check_choice(numbers, **{f"pool_after[{i}]": number for i, number in enumerate(pools)})
    with seeded(seed):
        blocks = _conv_blocks((channels, *widths), squeeze, pools)
        blocks["pooled"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        blocks["logits"] = nn.Linear(widths[-1], classes)
    return FeatureNet(**blocks)


def _conv_blocks(
    widths: tuple[int, ...], squeeze: int | None, pools: tuple[int, ...]
) -> dict[str, nn.Module]:
    blocks = {}
    for number, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        layers = [_convolution(fan_in, fan_out, squeeze), nn.BatchNorm2d(fan_out), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if number in pools else []
        blocks[f"block{number}"] = nn.Sequential(*layers)
    return blocks


def _convolution(fan_in: int, fan_out: int, squeeze: int | None) -> nn.Module:
    if squeeze is None:
        return nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False)
    inside = max(1, fan_out // squeeze)
    return nn.Sequential(
        nn.Conv2d(fan_in, inside, 1, bias=False),
        nn.Conv2d(inside, inside, 3, padding=1, bias=False),
        nn.Conv2d(inside, fan_out, 1, bias=False),
    )


def checked_widths(widths: tuple[int, ...], *, at_least: int) -> tuple[int, ...]:
    """Return widths as a tuple; raise ValueError unless they are enough positive counts."""
    if not isinstance(widths, (tuple, list)):
        raise ValueError(f"widths must be a tuple, got {widths!r}")
    widths = tuple(widths)
    check_length(at_least, widths=widths)
    for i, width in enumerate(widths):
        check_count(**{f"widths[{i}]": width})
    return widths
