"""Small networks that expose their feature maps by name.

Both kinds take float images of any trailing shape that holds the right number of values,
and have a `features(images)` that returns every intermediate map in order.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import (
    check_count,
    check_drop_rate,
    check_features,
    check_length,
    check_positive,
)


class Dropout(nn.Dropout):
    """Dropout as in `nn.Dropout`, several times as fast on a CPU.

    There torch draws one number for each value, one after the other: a quarter of a large
    network's training time. Each 64 random bits decide on four values here. A value is dropped
    with the probability `p`, rounded to a multiple of 1/65,536.
    """

    def forward(self, inputs: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        if not self.training or not self.p or inputs.device.type != "cpu":
            return super().forward(inputs)
        dropped = min(round(self.p * 2**16), 2**16 - 1)
        words = torch.empty(-(-inputs.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        draws = words.view(torch.int16)[: inputs.numel()].view(inputs.shape)
        kept = (draws >= dropped - 2**15).to(inputs.dtype)
        # Scaled here, so that nothing changes in evaluation.
        return inputs * kept.mul_(2**16 / (2**16 - dropped))


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
    widths = _checked_widths(widths, at_least=2)
    check_drop_rate(dropout=dropout, input_dropout=input_dropout)
    check_count(0, seed=seed)
    # The CPU's generator alone: torch.manual_seed would also reset every accelerator's.
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
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
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Returns:
        A network whose maps are "block1", "block2", ..., "pooled" (global average), "logits".

    Raises:
        ValueError: A width, channels, classes or squeeze is no positive whole number, or the
            seed is no whole number >= 0.
    """
    widths = _checked_widths(widths, at_least=1)
    check_count(channels=channels, classes=classes, squeeze=1 if squeeze is None else squeeze)
    check_count(0, seed=seed)
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
        blocks = {}
        for i, (fan_in, fan_out) in enumerate(zip((channels, *widths), widths, strict=False)):
            conv = _convolution(fan_in, fan_out, squeeze)
            layers = [conv, nn.BatchNorm2d(fan_out), nn.ReLU(), nn.MaxPool2d(2)]
            blocks[f"block{i + 1}"] = nn.Sequential(*layers)
        blocks["pooled"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        blocks["logits"] = nn.Linear(widths[-1], classes)
    return FeatureNet(**blocks)


def regressor(
    student_map: Float[Tensor, "batch *student"],
    teacher_map: Float[Tensor, "batch *teacher"],
    *,
    seed: int = 0,
) -> nn.Module:
    """Build what brings a student's map to the shape of a teacher's, for `hint_loss`.

    One linear layer where maps are flat; a convolution of 1 x 1 where they have places.

    Args:
        student_map: The guided layer's map of any batch; only its shape counts.
        teacher_map: The hint layer's.
        seed: Fixes the initial weights, and leaves torch's global generator as it was.

    Raises:
        ValueError: The maps are not both [batch, values] or both
            [batch, channels, height, width] with the same places.

    References:
        Romero et al. 2015, arXiv:1412.6550, section 2.2.
    """
    check_features(student_map=student_map, teacher_map=teacher_map)
    check_count(0, seed=seed)
    mine, wanted = student_map.shape[1:], teacher_map.shape[1:]
    if len(mine) not in (1, 3) or mine[1:] != wanted[1:] or len(mine) != len(wanted):
        came = f"{list(student_map.shape)} and {list(teacher_map.shape)}"
        raise ValueError(f"student_map and teacher_map must have the same places, got {came}")
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
        if len(mine) == 1:
            return nn.Linear(mine[0], wanted[0]).to(student_map.device)
        return nn.Conv2d(mine[0], wanted[0], 1).to(student_map.device)


def count_parameters(model: nn.Module) -> int:
    """Count the trainable numbers of a model."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.no_grad()
def constrain_max_norm(model: nn.Module, *, limit: float) -> None:
    """Scale down, in place, the incoming weights of every linear unit longer than limit.

    Call it after each optimizer step. Units within the limit are left as they are; biases
    and convolutions are not touched.

    Args:
        model: Any module.
        limit: Largest Euclidean norm of a unit's incoming weights.

    Raises:
        ValueError: limit is not positive and finite.

    References:
        Srivastava et al. 2014, JMLR 15, section 5.1; "weight-constraints" in Hinton et al.
        2014, arXiv:1503.02531, section 3.
    """
    check_positive(limit=limit)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            norms = torch.linalg.vector_norm(layer.weight, dim=1, keepdim=True)
            # A norm of 0 gives infinity, which is no limit.
            layer.weight.mul_((limit / norms).clamp_(max=1))


def _convolution(fan_in: int, fan_out: int, squeeze: int | None) -> nn.Module:
    if squeeze is None:
        return nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False)
    inside = max(1, fan_out // squeeze)
    return nn.Sequential(
        nn.Conv2d(fan_in, inside, 1, bias=False),
        nn.Conv2d(inside, inside, 3, padding=1, bias=False),
        nn.Conv2d(inside, fan_out, 1, bias=False),
    )


def _checked_widths(widths: tuple[int, ...], *, at_least: int) -> tuple[int, ...]:
    if not isinstance(widths, (tuple, list)):
        raise ValueError(f"widths must be a tuple, got {widths!r}")
    widths = tuple(widths)
    check_length(at_least, widths=widths)
    for i, width in enumerate(widths):
        check_count(**{f"widths[{i}]": width})
    return widths
