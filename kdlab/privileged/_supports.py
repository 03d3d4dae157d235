"""Where a teacher's answer s may lie, and what a student's g must be there."""

import math

from torch import Tensor

from kdlab._checks import check_choice, check_scores

#: Where each coordinate of s may lie; on the simplex they also sum to 1.
SUPPORTS = {
    "simplex": (0.0, 1.0),
    "cube": (0.0, 1.0),
    "orthant": (0.0, math.inf),
    "shifted orthant": (-1.0, math.inf),
}
# How far from 1 the sum of a point of the simplex may be: float32 rounds that much.
ROUNDING = 1e-6


def inside(s: Tensor, support: str) -> Tensor:
    """Return, row by row, whether s lies on the support."""
    lowest, highest = SUPPORTS[support]
    within = ((s >= lowest) & (s <= highest)).all(-1)
    return within & ((s.sum(-1) - 1).abs() <= ROUNDING) if support == "simplex" else within


def log_probabilities(support: str, /, **named: Tensor) -> Tensor:
    """Return log g in doubles; raise ValueError unless each g is what the support allows."""
    check_choice(tuple(SUPPORTS), support=support)
    check_scores(**named)
    [(name, probabilities)] = named.items()
    if not probabilities.numel():
        raise ValueError(f"{name} must not be empty, got shape {list(probabilities.shape)}")
    low, high = (float(end) for end in probabilities.detach().aminmax())
    one_allowed = SUPPORTS[support][1] == 1
    if not (0 < low and (high < 1 or (one_allowed and high == 1))):
        interval = "(0, 1]" if one_allowed else "(0, 1)"
        raise ValueError(f"{name} must be in {interval}, got {low:g} to {high:g}")
    return probabilities.double().log()


def check_one_row(**named: Tensor) -> None:
    """Raise ValueError unless every named tensor is [classes]."""
    for name, tensor in named.items():
        if tensor.dim() != 1:
            raise ValueError(f"{name} must have shape [classes], got {list(tensor.shape)}")
