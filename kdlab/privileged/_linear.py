"""What regression and posterior share: the terms of an example, and what may be given."""

import math

import torch
from torch import Tensor

from kdlab._checks import (
    check_fraction,
    check_positive,
    check_same_length,
    check_same_shape,
    check_scores,
)


def precisions(
    known: Tensor, *, sigma: float, teacher_sigma: float, lambda_: float
) -> tuple[Tensor, Tensor]:
    """Return a and b of every example, the weights of its label and of its teacher's answer."""
    check_positive(sigma=sigma, teacher_sigma=teacher_sigma)
    check_fraction(lambda_=lambda_)
    on = known.double()
    return (1 - lambda_ * on) / sigma**2, lambda_ * on / teacher_sigma**2


def both_sides(targets: Tensor, teacher: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Return labels and answers in doubles, the unknown answers 0."""
    check_scores(targets=targets, teacher=teacher)
    check_same_shape(targets=targets, teacher=teacher, known=known)
    # A column against a row would give a square of residuals and no error.
    if targets.dim() != 1:
        raise ValueError(f"targets must have shape [examples], got {list(targets.shape)}")
    if known.dtype != torch.bool:
        raise ValueError(f"known must be bool, got {known.dtype}")
    return targets.double(), teacher.double().masked_fill(~known, 0.0)


def check_inputs(inputs: Tensor, **named: Tensor) -> Tensor:
    """Return the inputs in doubles; raise ValueError unless they are rows, one an example."""
    check_scores(inputs=inputs)
    if inputs.dim() != 2 or not inputs.numel():
        came = list(inputs.shape)
        raise ValueError(f"inputs must be [examples, features], not empty, got shape {came}")
    check_same_length(inputs=inputs, **named)
    return inputs.double()


def check_weights(inputs: Tensor, weights: Tensor) -> Tensor:
    """Return the weights in doubles; raise ValueError unless there is one for each feature."""
    check_scores(weights=weights)
    if tuple(weights.shape) != (inputs.shape[1],):
        wanted, came = [inputs.shape[1]], list(weights.shape)
        raise ValueError(f"weights must have shape {wanted}, got {came}")
    return weights.double()


def log_normal(value: Tensor, mean: Tensor, precision: Tensor | float) -> Tensor:
    """Return the logarithm of the normal density."""
    precision = torch.as_tensor(precision, dtype=torch.double, device=value.device)
    constant = (precision.log() - math.log(2 * math.pi)) / 2
    return constant - precision * (value - mean) ** 2 / 2
