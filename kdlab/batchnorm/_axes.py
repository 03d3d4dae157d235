"""Which axes a feature's statistics run over, and what is asked of the inputs."""

import math

import torch
from torch import Tensor

from kdlab._checks import check_scores, check_tensor


def statistics_axes(inputs: Tensor) -> list[int]:
    """Return every axis but the features', which is the second: batch, height and width."""
    return [0, *range(2, inputs.dim())]


def values_per_feature(inputs: Tensor) -> int:
    """Return m, how many values of a batch belong to one feature."""
    return math.prod(inputs.shape[axis] for axis in statistics_axes(inputs))


def spread(values: Tensor, inputs: Tensor) -> Tensor:
    """Shape one value a feature so that it meets all values of its feature."""
    return values if inputs.dim() == 2 else values[:, None, None]


def widened(values: Tensor) -> Tensor:
    """Return half precision as float32, anything else as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def check_inputs(**named) -> None:
    """Raise ValueError unless every named tensor is a batch of features or of maps.

    That is, floating point and [batch, features] or [batch, channels, height, width]; a batch
    may be empty.
    """
    check_tensor(**named)
    for name, tensor in named.items():
        if len(tensor.shape) not in (2, 4):
            wanted = "[batch, features] or [batch, channels, height, width]"
            raise ValueError(f"{name} must have shape {wanted}, got {list(tensor.shape)}")
    check_scores(**named)


def check_per_feature(features: int, /, **named) -> None:
    """Raise ValueError unless every named tensor holds one floating-point value a feature."""
    check_tensor(**named)
    for name, tensor in named.items():
        if tuple(tensor.shape) != (features,):
            raise ValueError(f"{name} must have shape [{features}], got {list(tensor.shape)}")
    check_scores(**named)


def check_more_than_one(inputs: Tensor) -> None:
    """Raise torch's own error where a feature has a single value, which has no spread."""
    if values_per_feature(inputs) == 1:
        shape = torch.Size(inputs.shape)
        message = "Expected more than 1 value per channel when training, got input size"
        raise ValueError(f"{message} {shape}")
