"""Points of two classes: as they are given, or drawn."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from kdlab._checks import check_same_length, check_scores, check_targets, check_tensor
from kdlab.widgets._draws import normals
from kdlab.widgets._traits import FARTHEST

CLASSES = 2
#: All pairs of points are drawn anew while one is dragged.
MOST_POINTS = 40
#: What is drawn: points a class, their spread across and up, and how far up or down a class is.
DRAWN = 12
SPREAD = (0.7, 0.3)
APART = 0.9

Cloud = tuple[Float64[Tensor, "points 2"], Int64[Tensor, "points"]]


def read_cloud(**pair: Tensor | None) -> Cloud | None:
    """Return points in double precision and their classes; None where neither is given.

    Args:
        pair: The points by their argument's name, then the classes by theirs.

    Raises:
        ValueError: Only one of them is given, or one is of another type, shape or range.
    """
    (name, points), (label, targets) = pair.items()
    if points is None and targets is None:
        return None
    if points is None or targets is None:
        missing, given = (name, label) if points is None else (label, name)
        raise ValueError(f"{missing} must be given with {given}, got None")
    _check_points(name, points)
    check_tensor(**{label: targets})
    check_same_length(**pair)
    check_targets(CLASSES, **{label: targets})
    if len(targets.unique()) < CLASSES:
        raise ValueError(f"{label} must hold both classes, 0 and 1, got {targets.tolist()}")
    return points.detach().double().cpu(), targets.cpu()


def draw_cloud() -> Cloud:
    """Draw two classes above each other, whose means stay when a cloud is stretched across."""
    drawn = torch.tensor(normals(1, 4 * DRAWN), dtype=torch.double).view(CLASSES, DRAWN, 2)
    centred = (drawn - drawn.mean(1, keepdim=True)) * torch.tensor(SPREAD, dtype=torch.double)
    means = torch.tensor([[0.0, APART], [0.0, -APART]], dtype=torch.double)
    points = (centred + means[:, None]).flatten(0, 1)
    return points, torch.arange(CLASSES).repeat_interleave(DRAWN)


def _check_points(name: str, points: Tensor) -> None:
    check_scores(**{name: points})
    shape = list(points.shape)
    if len(shape) != 2 or shape[1] != 2 or not CLASSES <= shape[0] <= MOST_POINTS:
        wanted = f"[{CLASSES} to {MOST_POINTS} points, 2]"
        raise ValueError(f"{name} must have shape {wanted}, got {shape}")
    outside = ~(points.abs() <= FARTHEST)
    if outside.any():
        wanted = f"in [-{FARTHEST:g}, {FARTHEST:g}]"
        raise ValueError(f"{name} must be {wanted}, got {points[outside][0].item()}")
