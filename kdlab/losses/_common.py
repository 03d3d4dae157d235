"""What the losses on features share: number format, rows of unit length, maps of one size."""

import torch
import torch.nn.functional as F
from torch import Tensor

from kdlab._checks import check_features, check_same_length


def widened(values: Tensor) -> Tensor:
    """Return half precision as float32, anything else as it is."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def rows(features: Tensor) -> Tensor:
    """Return one flat row an example, in float32 or wider."""
    return widened(features).flatten(1)


def unit_rows(values: Tensor) -> Tensor:
    """Scale each row to length 1; a silent row stays 0 and gets no gradient.

    `F.normalize` gives a row of zeros a slope of 1e12: one example for which a layer is silent
    would throw the whole network away.
    """
    lengths = torch.linalg.vector_norm(values, dim=-1, keepdim=True)
    # A row that holds NaN isn't silent: who diverges is to be seen.
    silent = lengths <= torch.finfo(values.dtype).eps
    return torch.where(silent, 0.0, values / lengths.where(~silent, torch.ones_like(lengths)))


def same_size(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Average the larger of two sets of maps down to the size of the smaller one."""
    if first.shape[2:] == second.shape[2:]:
        return first, second
    size = tuple(min(pair) for pair in zip(first.shape[2:], second.shape[2:], strict=True))
    return F.adaptive_avg_pool2d(first, size), F.adaptive_avg_pool2d(second, size)


def both(student_features: Tensor, teacher_features: Tensor) -> tuple[Tensor, Tensor]:
    """Return both sides as rows, the teacher's cut off; raise ValueError if they don't fit."""
    named = {"student_features": student_features, "teacher_features": teacher_features}
    check_features(**named)
    check_same_length(**named)
    return rows(student_features), rows(teacher_features.detach())


def distances(points: Tensor) -> Tensor:
    """Return the Euclidean distances between all rows."""
    # Not by a matrix product: its rounding makes equal points differ, and large means drown
    # what is asked for. The gradient between equal points is 0.
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")


def by_mean(apart: Tensor) -> Tensor:
    """Return distances over their mean, taken over the pairs that are apart."""
    mean = apart.sum() / (apart > 0).sum().clamp_min(1)
    return apart / mean.where(mean > 0, torch.ones_like(mean))
